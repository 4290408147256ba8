package embedded

import (
	"context"
	"errors"
	"strconv"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded/search"
)

// suggestions writes what was suggested as Elasticsearch does: {"<name>": [{text, offset, length, options}]}. A document that is gone
// since it was found is left out.
func (p *page) suggestions(ctx context.Context, list []search.Suggested, withSource bool, size *answer) (jsontext.Value, error) {
	if list == nil {
		return nil, nil
	}
	dst := []byte{'{'}
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendText(dst, s.Name), ":["...)
		for j := range s.Entries {
			if j > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = p.appendEntry(ctx, dst, &s, &s.Entries[j], withSource, size); err != nil {
				return nil, err
			}
		}
		dst = append(dst, ']')
	}
	return append(dst, '}'), nil
}

func (p *page) appendEntry(ctx context.Context, dst []byte, s *search.Suggested, e *search.SuggestEntry, withSource bool, size *answer) ([]byte, error) {
	dst = appendText(append(dst, `{"text":`...), e.Text)
	dst = strconv.AppendInt(append(dst, `,"offset":`...), int64(e.Offset), 10)
	dst = strconv.AppendInt(append(dst, `,"length":`...), int64(e.Length), 10)
	dst = append(dst, `,"options":[`...)
	first := true
	for i := range e.Options {
		option, err := p.option(ctx, s, &e.Options[i], withSource)
		if err != nil {
			return nil, err
		}
		if err := size.add(ctx, len(option)); err != nil {
			return nil, err
		}
		if option == nil {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		dst, first = append(dst, option...), false
	}
	return append(dst, "]}"...), nil
}

// option writes an option, nothing when its document is gone.
func (p *page) option(ctx context.Context, s *search.Suggested, o *search.SuggestOption, withSource bool) ([]byte, error) {
	dst := appendText([]byte(`{"text":`), o.Text)
	if s.Phrases {
		if o.Highlighted != nil {
			dst = appendText(append(dst, `,"highlighted":`...), *o.Highlighted)
		}
		return append(appendScore(append(dst, `,"score":`...), o.Score), '}'), nil
	}
	if !s.Completes {
		dst = appendScore(append(dst, `,"score":`...), o.Score)
		dst = strconv.AppendUint(append(dst, `,"freq":`...), o.Freq, 10)
		return append(dst, '}'), nil
	}
	c := p.pinned[o.Target].coll
	dst = appendText(append(dst, `,"_index":`...), elasticName(c.address))
	dst = appendText(append(dst, `,"_id":`...), o.ID)
	dst = appendScore(append(dst, `,"_score":`...), o.Score)
	if withSource {
		r, err := loadRecord(p.from, c.number, o.ID)
		if errors.Is(err, pebble.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		shown, err := p.filtered(ctx, r.source)
		if err != nil {
			return nil, err
		}
		dst = append(append(dst, `,"_source":`...), shown...)
	}
	return append(dst, '}'), nil
}

func appendText(dst []byte, text string) []byte {
	dst, _ = jsontext.AppendQuote(dst, text) // it fails only to say that something was replaced
	return dst
}

func appendScore(dst []byte, score float32) []byte {
	return strconv.AppendFloat(dst, float64(score), 'f', -1, 32)
}

// elasticName names a collection as the index of Elasticsearch that the Kuzzle API keeps it in.
func elasticName(c storage.Collection) string {
	if c.Scope == storage.Internal {
		return "%" + c.Index + "." + c.Name
	}
	return "&" + c.Index + "." + c.Name
}
