package segment

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query/geometry"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Entry is what a document adds to a segment: its values by field, its texts taken apart. It is made outside of locks, and
// can be used again, which spares memory; until then it may hold on to the text. The zero value is empty; it belongs to one
// goroutine.
type Entry struct {
	groups  []mapping.Group
	runs    []run
	terms   []term
	ints    []int64
	floats  []float64
	vectors []float32
	boxes   []geometry.Box
	// bytes holds the terms and their positions, and shapes.
	bytes []byte

	values []valueRef
	fields map[*mapping.Field]uint32
	tokens []analysis.Token
	words  []word
}

// run has the values of one field in one group: those from from to to of terms, ints, floats, vectors or bytes, by the type of the field.
// Floats hold the latitude and the longitude of a point one after the other.
type run struct {
	field    *mapping.Field
	group    int
	from, to int
	// box is the place in boxes of the box of a shape, which is bytes.
	box int
	// words and length are those of a text: length leaves out words that stand where the word before them does.
	words, length uint32
}

// term is a keyword, an address, or a word of a text with its positions: variable-length differences to the one before.
type term struct {
	from, to, positions int // in bytes; the positions end at end
	end                 int
	freq                uint32
}

// valueRef is a value of the document, to be put beside those of the same field and group.
type valueRef struct {
	group, field uint32
	value        int
}

// word is a word of a text on the way to its term. prefix has its first bytes, which mostly settle how two words compare.
type word struct {
	prefix   uint64
	term     []byte
	position uint32
}

const (
	// gap is added to the positions between two values of a text, so that no phrase matches across them. It is
	// Elasticsearch's default.
	gap = 100
	// maxTerm is how many bytes a term may have, as in Lucene.
	maxTerm = 32766
	// maxEntry bounds the memory of one document, whose texts sub-fields and copies multiply.
	maxEntry = 1 << 28
	// maxScratch is how many words an entry keeps room for.
	maxScratch = 1 << 16
)

// Read takes the values of a document. It copies what it needs: the document and its text may be used again afterwards.
// Fails with services.storage.unexpected_bad_request for a document with too much in it; the entry means nothing then.
func (e *Entry) Read(doc *mapping.Document) error {
	e.reset(doc)
	defer doc.Budget().Leave()
	defer e.forget()
	e.sort(doc)
	for from := 0; from < len(e.values); {
		to := from + 1
		for to < len(e.values) && e.values[to].group == e.values[from].group && e.values[to].field == e.values[from].field {
			to++
		}
		if err := e.run(doc, e.values[from:to]); err != nil {
			return err
		}
		if len(e.bytes)+4*len(e.vectors) > maxEntry {
			return kerror.ServicesStorageUnexpectedBadRequest.New("the document has more words than can be indexed")
		}
		from = to
	}
	return nil
}

func (e *Entry) reset(doc *mapping.Document) {
	e.groups = append(e.groups[:0], doc.Groups...)
	e.runs, e.terms, e.ints, e.floats, e.bytes = e.runs[:0], e.terms[:0], e.ints[:0], e.floats[:0], e.bytes[:0]
	e.vectors, e.boxes = e.vectors[:0], e.boxes[:0]
	e.values = e.values[:0]
	if e.fields == nil {
		e.fields = map[*mapping.Field]uint32{}
	}
}

// forget drops what is of no use to the next document, and what a long text needed.
func (e *Entry) forget() {
	clear(e.fields)
	if cap(e.words) > maxScratch {
		e.tokens, e.words = nil, nil
	}
}

// sort puts the values of a field and group beside each other; they keep their order.
func (e *Entry) sort(doc *mapping.Document) {
	sorted := true
	for i := range doc.Values {
		v := &doc.Values[i]
		if !indexed(v.Field) {
			continue
		}
		f, ok := e.fields[v.Field]
		if !ok {
			f = uint32(len(e.fields)) //nolint:gosec // a mapping has a thousand fields at most
			e.fields[v.Field] = f
		}
		ref := valueRef{group: uint32(v.Group), field: f, value: i} //nolint:gosec // a document has ten thousand groups at most
		sorted = sorted && (len(e.values) == 0 || e.values[len(e.values)-1].compare(ref) < 0)
		e.values = append(e.values, ref)
	}
	if !sorted {
		slices.SortFunc(e.values, valueRef.compare)
	}
}

func (r valueRef) compare(other valueRef) int {
	return cmp.Or(cmp.Compare(r.group, other.group), cmp.Compare(r.field, other.field), cmp.Compare(r.value, other.value))
}

func indexed(f *mapping.Field) bool {
	return f.Index || f.DocValues && f.Type != mapping.Text
}

func (e *Entry) run(doc *mapping.Document, values []valueRef) error {
	r := run{field: doc.Values[values[0].value].Field, group: int(values[0].group)}
	var err error
	switch t := r.field.Type; {
	case t.Exact():
		err = e.keywords(&r, doc, values)
	case t == mapping.Text:
		err = e.text(&r, doc, values)
	case t.Floating():
		r.from = len(e.floats)
		for _, v := range values {
			e.floats = append(e.floats, doc.Values[v.value].Float)
		}
		r.to = len(e.floats)
		slices.Sort(e.floats[r.from:])
	case t == mapping.GeoPoint:
		r.from = len(e.floats)
		for _, v := range values {
			lat, lon := place(doc.Values[v.value].Point.Lat, doc.Values[v.value].Point.Lon)
			e.floats = append(e.floats, lat, lon)
		}
		r.to = len(e.floats)
	case t == mapping.GeoShape:
		err = e.shapes(&r, doc, values)
	case t == mapping.DenseVector:
		e.vector(&r, &doc.Values[values[0].value])
	default:
		r.from = len(e.ints)
		for _, v := range values {
			e.ints = append(e.ints, doc.Values[v.value].Int)
		}
		r.to = len(e.ints)
		slices.Sort(e.ints[r.from:])
	}
	e.runs = append(e.runs, r)
	return err
}

func (e *Entry) keywords(r *run, doc *mapping.Document, values []valueRef) error {
	e.words = e.words[:0]
	for _, v := range values {
		text := doc.Values[v.value].Text
		e.words = append(e.words, word{prefix: prefix(text), term: text})
	}
	return e.index(r)
}

func (e *Entry) text(r *run, doc *mapping.Document, values []valueRef) error {
	analyzer := r.field.Words()
	e.words = e.words[:0]
	var base uint32
	for _, v := range values {
		e.tokens = analyzer.Tokens(doc.Budget(), doc.Values[v.value].Text, e.tokens[:0])
		if err := doc.Budget().Err(); err != nil {
			return err
		}
		next := base
		for _, t := range e.tokens {
			position := base + t.Position
			if position >= next {
				r.length++
			}
			next = position + 1
			e.words = append(e.words, word{prefix: prefix(t.Term), term: t.Term, position: position})
		}
		base = next + gap
	}
	r.words = uint32(len(e.words)) //nolint:gosec // of a text in memory
	return e.index(r)
}

// index makes terms of the words.
func (e *Entry) index(r *run) error {
	r.from = len(e.terms)
	slices.SortFunc(e.words, word.compare)
	for i := 0; i < len(e.words); {
		w := &e.words[i]
		if len(w.term) > maxTerm {
			return kerror.ServicesStorageUnexpectedBadRequest.New(
				fmt.Sprintf("the field %q has a word of more than %d bytes", r.field.Path, maxTerm))
		}
		t := term{from: len(e.bytes)}
		e.bytes = append(e.bytes, w.term...)
		t.to, t.positions = len(e.bytes), len(e.bytes)
		var last uint32
		for ; i < len(e.words) && e.words[i].prefix == w.prefix && bytes.Equal(e.words[i].term, w.term); i++ {
			e.bytes = binary.AppendUvarint(e.bytes, uint64(e.words[i].position-last))
			last = e.words[i].position
			t.freq++
		}
		t.end = len(e.bytes)
		e.terms = append(e.terms, t)
	}
	r.to = len(e.terms)
	return nil
}

func (w word) compare(other word) int {
	if w.prefix != other.prefix {
		return cmp.Compare(w.prefix, other.prefix)
	}
	return cmp.Or(bytes.Compare(w.term, other.term), cmp.Compare(w.position, other.position))
}

// prefix gives the first eight bytes of a term as a number that compares as they do.
func prefix(term []byte) uint64 {
	if len(term) >= 8 {
		return binary.BigEndian.Uint64(term)
	}
	var n uint64
	for i, b := range term {
		n |= uint64(b) << (56 - 8*i)
	}
	return n
}
