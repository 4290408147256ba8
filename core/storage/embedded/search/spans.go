package search

import (
	"bytes"
	"iter"
	"math"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// spans compiles the search for ranges in documents by how they lie to the one of a query.
func (c compiler) spans(f *mapping.Field, q *query.Range) (clause, error) {
	element := &mapping.Field{Path: f.Path, Type: f.Type.Element()}
	from, to, err := c.spanEnds(f, element, q)
	if err != nil {
		return nil, err
	}
	if bytes.Compare(from, to) > 0 {
		around := *q
		around.Lower.Inclusive, around.Upper.Inclusive = true, true
		if from, to, err = c.spanEnds(f, element, &around); err != nil || bytes.Compare(from, to) <= 0 {
			return nothing{}, err // nothing lies between two neighbours
		}
		return nil, refuse("failed to create query: the range for the field [%s] ends before it begins", q.Field)
	}
	return spans{field: f, from: from, to: to, relation: q.Relation}, nil
}

// spanEnds gives the first and the last value of the range of a query, as ranges in documents are written.
func (c compiler) spanEnds(f, element *mapping.Field, q *query.Range) (from, to []byte, err error) {
	switch t := element.Type; {
	case t == mapping.IP:
		return addressEnds(f, q)
	case t == mapping.Date:
		first, last, err := q.Dates(c.now, dateFormat(f, q.Lower.Value, q.Upper.Value))
		return mapping.AppendWhole(nil, first), mapping.AppendWhole(nil, last), err
	case t.Whole():
		if err := wholeEnds(f, element, q); err != nil {
			return nil, nil, err
		}
		inner, err := wholeRange(element, q)
		if r, ok := inner.(ints); ok {
			if t == mapping.Integer { // an end that is open is that of the type
				r.least, r.most = max(r.least, math.MinInt32), min(r.most, math.MaxInt32)
			}
			return mapping.AppendWhole(nil, r.least), mapping.AppendWhole(nil, r.most), nil
		}
		return beyondAll(), nil, err
	}
	if err := floatEnds(f, element, q); err != nil {
		return nil, nil, err
	}
	inner, err := floatRange(element, q)
	if r, ok := inner.(floats); ok {
		return mapping.AppendFloating(nil, r.least), mapping.AppendFloating(nil, r.most), nil
	}
	return beyondAll(), nil, err
}

// beyondAll is an end that is behind every other one.
func beyondAll() []byte { return []byte{0xff} }

// wholeEnds refuses ends with a fraction, and what is no number.
func wholeEnds(f, element *mapping.Field, q *query.Range) error {
	for _, v := range []jsontext.Value{q.Lower.Value, q.Upper.Value} {
		if v == nil {
			continue
		}
		_, fraction, err := floorOf(element.Type, v)
		switch {
		case err != nil:
			return refuseValue(f, v, err.Error())
		case fraction:
			return refuseValue(f, v, "it has a decimal part")
		}
	}
	return nil
}

// floatEnds refuses what is no number, and names the type of f.
func floatEnds(f, element *mapping.Field, q *query.Range) error {
	for _, v := range []jsontext.Value{q.Lower.Value, q.Upper.Value} {
		if v == nil {
			continue
		}
		if _, err := floatOf(element.Type, v); err != nil {
			return refuseValue(f, v, err.Error())
		}
	}
	return nil
}

func addressEnds(f *mapping.Field, q *query.Range) (from, to []byte, err error) {
	from, to = make([]byte, 16), bytes.Repeat([]byte{0xff}, 16)
	if b := q.Lower; b.Value != nil {
		if from, err = ipOf(b.Value); err != nil {
			return nil, nil, refuseValue(f, b.Value, err.Error())
		}
		if !b.Inclusive {
			from = step(from, 1)
		}
	}
	if b := q.Upper; b.Value != nil {
		if to, err = ipOf(b.Value); err != nil {
			return nil, nil, refuseValue(f, b.Value, err.Error())
		}
		if !b.Inclusive {
			to = step(to, 0xff)
		}
	}
	return from, to, nil
}

// step adds one or, with 0xff in every byte, takes one away; there is no address beyond the first and the last one.
func step(address []byte, by byte) []byte {
	next := bytes.Clone(address)
	for i := len(next) - 1; i >= 0; i-- {
		next[i] += by
		if by == 1 && next[i] != 0 || by != 1 && next[i] != 0xff {
			return next
		}
	}
	return address
}

// spans matches the documents with a range that lies to another one as relation says.
type spans struct {
	field    *mapping.Field
	from, to []byte
	relation query.Relation
}

func (c spans) matches(v *view) (set, error) {
	f, err := v.field(c.field)
	if f == nil || f.Terms == nil || err != nil {
		return none, err
	}
	n, err := v.space(c.field.Nested)
	if err != nil {
		return nil, err
	}
	// Terms are in the order of the first ends of the ranges.
	first, last := []byte(nil), behind(c.to)
	switch c.relation {
	case query.Contains:
		last = behind(c.from)
	case query.Within:
		first = c.from
	case query.Intersects:
	}
	return expand(v, f, n, c.lying(f.Terms.Between(first, last, nil), f.Terms.Term))
}

// lying gives those of the ranges, whose first ends suit, whose last ends do too.
func (c spans) lying(ords iter.Seq[uint32], term func(uint32) []byte) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for ord := range ords {
			end := term(ord)[len(c.from):]
			suits := false
			switch c.relation {
			case query.Intersects:
				suits = bytes.Compare(end, c.from) >= 0
			case query.Contains:
				suits = bytes.Compare(end, c.to) >= 0
			case query.Within:
				suits = bytes.Compare(end, c.to) <= 0
			}
			if suits && !yield(ord) {
				return
			}
		}
	}
}
