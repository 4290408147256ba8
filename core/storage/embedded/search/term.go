package search

import (
	"bytes"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// term compiles the search for one value.
func (c compiler) term(path string, value jsontext.Value) (clause, error) {
	if path == idField {
		return c.ids([]string{query.Text(value)})
	}
	f, err := c.field(path)
	if f == nil {
		return nothing{}, err
	}
	switch f.Type {
	case mapping.Keyword, mapping.Text, mapping.Flattened:
		return c.word(f, c.keywordOf(f, query.Text(value))), nil
	case mapping.Boolean:
		return c.booleanTerm(f, value)
	case mapping.GeoPoint:
		return nil, exactPlaces(path)
	}
	inner, err := c.value(f, value)
	if err != nil {
		return nil, err
	}
	return c.steady(inner), nil
}

// exactPlaces is the error of a search for places or shapes by what is no clause about them.
func exactPlaces(path string) error {
	return refuse("failed to create query: Geometry fields do not support exact searching, use dedicated geometry queries instead: [%s]", path)
}

// value is the search for one value of a type whose matches have no weight.
func (c compiler) value(f *mapping.Field, value jsontext.Value) (clause, error) {
	switch t := f.Type; {
	case t.Whole():
		n, fraction, err := floorOf(t, value)
		if err != nil {
			return nil, refuseValue(f, value, err.Error())
		}
		if fraction {
			return nothing{}, nil
		}
		return ints{f, n, n}, nil
	case t == mapping.ScaledFloat:
		return scaledTerm(f, value)
	case t.Floating():
		return floatTerm(f, value)
	case t == mapping.UnsignedLong:
		return unsignedTerm(f, value), nil
	case t.Range():
		same := query.Bound{Value: value, Inclusive: true}
		return c.spans(f, &query.Range{Field: f.Path, Lower: same, Upper: same})
	case t == mapping.Date:
		from, to, err := query.DatesOf(f.Path, value, c.now, dateFormat(f, value))
		return ints{f, from, to}, err
	case t == mapping.Boolean:
		n, err := booleanOf(value)
		if err != nil {
			return nil, refuseValue(f, value, err.Error())
		}
		return ints{f, n, n}, nil
	case t == mapping.IP:
		return ipTerm(f, value)
	}
	return exact{f, [][]byte{c.keywordOf(f, query.Text(value))}}, nil
}

func floatTerm(f *mapping.Field, value jsontext.Value) (clause, error) {
	x, err := floatOf(f.Type, value)
	if err != nil {
		return nil, refuseValue(f, value, err.Error())
	}
	if f.Type == mapping.HalfFloat {
		x = half(x)
	}
	switch {
	case x-x == 0:
		return floats{f, x, x}, nil
	case f.Type == mapping.Float:
		return nothing{}, nil
	}
	return nil, refuseValue(f, value, errFinite.Error())
}

func ipTerm(f *mapping.Field, value jsontext.Value) (clause, error) {
	if strings.Contains(query.Text(value), "/") {
		first, last, err := mapping.Network(query.Text(value))
		if err != nil {
			return nil, refuseValue(f, value, err.Error())
		}
		return between{field: f, from: first, to: append(last, 0)}, nil
	}
	address, err := ipOf(value)
	if err != nil {
		return nil, refuseValue(f, value, err.Error())
	}
	return exact{f, [][]byte{address}}, nil
}

// word is the search for one term of a keyword or a text.
func (c compiler) word(f *mapping.Field, term []byte) clause {
	if !c.scores || !f.Index {
		return c.steady(exact{f, [][]byte{term}})
	}
	return c.weighed(f, term, c.weigh(f, term))
}

// weighed is the search for one term with a weight.
func (c compiler) weighed(f *mapping.Field, term []byte, w *weight) clause {
	inner := exact{f, [][]byte{term}}
	switch {
	case !c.scores:
		return inner
	case f.Type == mapping.Text:
		return &word{exact: inner, weight: w}
	}
	return &weighted{inner, w}
}

func (c compiler) weigh(f *mapping.Field, terms ...[]byte) *weight {
	w := &weight{boost: c.boost, corpus: c.corpus(f)}
	for _, term := range terms {
		w.usages = append(w.usages, w.corpus.usage(term))
	}
	return w
}

func (c compiler) booleanTerm(f *mapping.Field, value jsontext.Value) (clause, error) {
	n, err := booleanOf(value)
	if err != nil {
		return nil, refuseValue(f, value, err.Error())
	}
	inner := ints{f, n, n}
	if !c.scores || !f.Index {
		return c.steady(inner), nil
	}
	return &weighted{inner, c.weigh(f, []byte(booleanTerms[n]))}, nil
}

// terms compiles the search for any of several values.
func (c compiler) terms(q *query.Terms) (clause, error) {
	if q.Field == idField {
		list := make([]string, len(q.Values))
		for i, v := range q.Values {
			list[i] = query.Text(v)
		}
		return c.ids(list)
	}
	f, err := c.field(q.Field)
	if f == nil {
		return nothing{}, err
	}
	if err := c.charge(len(q.Values), valueBytes); err != nil {
		return nil, err
	}
	if f.Type == mapping.Keyword || f.Type == mapping.Text || f.Type == mapping.Flattened {
		list := make([][]byte, len(q.Values))
		for i, v := range q.Values {
			list[i] = c.keywordOf(f, query.Text(v))
		}
		return c.steady(exact{f, list}), nil
	}
	if f.Type == mapping.GeoPoint {
		return c.term(q.Field, jsontext.Value(`""`))
	}
	var parts []clause
	for _, v := range q.Values {
		part, err := c.value(f, v)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return c.steady(anyOf{c.space, parts}), nil
}

// anyOf is what one of several clauses matches, without scores.
type anyOf struct {
	space string
	parts []clause
}

func (c anyOf) matches(v *view) (set, error) {
	n, err := v.space(c.space)
	if err != nil {
		return nil, err
	}
	sets, err := matchAll(v, c.parts)
	return or(v, n, sets...), err
}

func matchAll(v *view, parts []clause) ([]set, error) {
	sets := make([]set, len(parts))
	for i, part := range parts {
		var err error
		if sets[i], err = part.matches(v); err != nil {
			return nil, err
		}
	}
	return sets, nil
}

// exact matches the documents with one of some terms.
type exact struct {
	field *mapping.Field
	terms [][]byte
}

func (c exact) matches(v *view) (set, error) {
	f, err := v.field(c.field)
	if f == nil || f.Terms == nil || err != nil {
		return none, err
	}
	if len(c.terms) == 1 {
		if ord, ok := f.Terms.Find(c.terms[0]); ok {
			return docs{f.Terms.Documents(ord)}, nil
		}
		return none, nil
	}
	var found []*roaring.Bitmap
	for _, term := range c.terms {
		if err := v.stop(1); err != nil {
			return nil, err
		}
		if ord, ok := f.Terms.Find(term); ok {
			found = append(found, f.Terms.Documents(ord))
		}
	}
	return docs{roaring.FastOr(found...)}, nil
}

// weighted gives the documents with a term of a field without lengths and frequencies the score that they all have.
type weighted struct {
	clause
	weight *weight
}

func (c *weighted) score() float32 {
	most := c.weight.most()
	return most - most/(1+c.weight.corpus.inverseOf(unweighted))
}

// word scores the documents with a word of a text.
type word struct {
	exact
	weight *weight
}

func (c *word) rank(v *view) (scorer, error) {
	f, err := v.field(c.field)
	if f == nil || f.Terms == nil || err != nil {
		return nil, err
	}
	ord, ok := f.Terms.Find(c.terms[0])
	if !ok {
		return nil, nil //nolint:nilnil // nothing matches
	}
	c.weight.settle()
	return &wordScorer{occurrences: f.Terms.Occurrences(ord), n: f.Terms.DocFreq(ord), lengths: f.Lengths, weight: c.weight}, nil
}

type wordScorer struct {
	occurrences segment.Occurrences
	at          uint32
	begun       bool
	n           int
	lengths     []byte // nil without norms
	weight      *weight
}

func (s *wordScorer) next() uint32 { return s.stand(s.occurrences.Next()) }

func (s *wordScorer) seek(doc uint32) uint32 {
	if s.begun && s.at >= doc {
		return s.at
	}
	return s.stand(s.occurrences.Seek(doc))
}

func (s *wordScorer) stand(found bool) uint32 {
	s.begun = true
	if s.at = noDoc; found {
		s.at = s.occurrences.Doc()
	}
	return s.at
}

func (s *wordScorer) doc() uint32 { return s.at }
func (s *wordScorer) cost() int   { return s.n }

func (s *wordScorer) score() float32 {
	length := byte(unweighted)
	if s.lengths != nil {
		length = s.lengths[s.at]
	}
	return s.weight.score(float32(s.occurrences.Freq()), length)
}

// ints matches whole numbers, dates and booleans from least to most.
type ints struct {
	field       *mapping.Field
	least, most int64
}

func (c ints) matches(v *view) (set, error) {
	f, err := v.field(c.field)
	if f == nil || err != nil {
		return none, err
	}
	n, err := v.space(c.field.Nested)
	return newInterval(v, n, f.Ints, f.Present, c.least, c.most), err
}

// floats matches floating-point numbers from least to most.
type floats struct {
	field       *mapping.Field
	least, most float64
}

func (c floats) matches(v *view) (set, error) {
	f, err := v.field(c.field)
	if f == nil || err != nil {
		return none, err
	}
	n, err := v.space(c.field.Nested)
	return newInterval(v, n, f.Floats, f.Present, c.least, c.most), err
}

// before reports whether the order of the bytes of a and b leaves nothing from a to b.
func before(a, b []byte) bool { return b != nil && bytes.Compare(b, a) <= 0 }
