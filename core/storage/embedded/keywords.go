package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json/jsontext"
)

// keywordDiff is what a write changes in the keyword index.
type keywordDiff struct{ had, has map[string]struct{} }

// keywordChanges compares the keyword keys of a document's old source with those of the new one; nil is no document. The
// caller holds the collection's read lock and the document's lock.
func keywordChanges(coll *collection, id string, old, source jsontext.Value) (d keywordDiff, err error) {
	if len(coll.keywords) == 0 {
		return d, nil
	}
	if d.had, err = keywordKeys(coll.number, coll.keywords, id, old); err != nil {
		return d, readError(err)
	}
	if d.has, err = keywordKeys(coll.number, coll.keywords, id, source); err != nil {
		return d, fmt.Errorf("find the keywords of %q: %w", id, err)
	}
	return d, nil
}

func (d keywordDiff) stage(batch *pebble.Batch) {
	for key := range d.had {
		if _, still := d.has[key]; !still {
			_ = batch.Delete([]byte(key), nil)
		}
	}
	for key := range d.has {
		// A field that is being built may not have the key of the old source yet; Ensure will come to this document and set it.
		if _, already := d.had[key]; !already {
			_ = batch.Set([]byte(key), nil, nil)
		}
	}
}

// keywordKeys gives the keys that a source asks for.
func keywordKeys(collection uint32, keywords []keyword, id string, source jsontext.Value) (map[string]struct{}, error) {
	keys := map[string]struct{}{}
	if source == nil {
		return keys, nil
	}
	var room []byte
	err := eachKeyword(source, keywords, func(k keyword, value []byte) {
		room = append(appendKeywordPrefix(room[:0], collection, k.field, value), id...)
		keys[string(room)] = struct{}{}
	})
	return keys, err
}

// holds reports whether a stored source has value in the field.
func holds(source jsontext.Value, k keyword, value string) (bool, error) {
	found := false
	err := eachKeyword(source, []keyword{k}, func(_ keyword, v []byte) {
		found = found || string(v) == value
	})
	return found, err
}

// eachKeyword calls visit for every text in the top-level fields named by keywords: the value itself, or the texts of an
// array. Everything else there is passed over. value is only good during the call.
func eachKeyword(source jsontext.Value, keywords []keyword, visit func(k keyword, value []byte)) error {
	// The source was checked when it was stored; looking for repeated names again would double the time.
	d := jsontext.NewDecoder(bytes.NewBuffer(source), jsontext.AllowDuplicateNames(true))
	if _, err := d.ReadToken(); err != nil {
		return noEOF(err)
	}
	var room []byte
	for d.PeekKind() != '}' {
		name, err := d.ReadValue()
		if err != nil {
			return noEOF(err)
		}
		if room, err = jsontext.AppendUnquote(room[:0], name); err != nil {
			return err
		}
		k, ok := named(keywords, room)
		if !ok {
			err = d.SkipValue()
		} else {
			err = eachText(d, func(v []byte) { visit(k, v) })
		}
		if err != nil {
			return noEOF(err)
		}
	}
	return nil
}

func named(keywords []keyword, name []byte) (keyword, bool) {
	for _, k := range keywords {
		if k.name == string(name) {
			return k, true
		}
	}
	return keyword{}, false
}

// eachText reads the next value of d, and calls visit with it when it is a text, or with the texts in it when it is an
// array.
func eachText(d *jsontext.Decoder, visit func([]byte)) error {
	switch d.PeekKind() {
	case '"':
		return text(d, visit)
	case '[':
	default:
		return d.SkipValue()
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		var err error
		if d.PeekKind() == '"' {
			err = text(d, visit)
		} else {
			err = d.SkipValue()
		}
		if err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

func text(d *jsontext.Decoder, visit func([]byte)) error {
	raw, err := d.ReadValue()
	if err != nil {
		return err
	}
	plain, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return err
	}
	visit(plain)
	return nil
}

// noEOF keeps the end of a cut-off source from passing for the end of an iteration.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
