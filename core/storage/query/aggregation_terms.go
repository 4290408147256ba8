package query

import (
	"math"

	"github.com/go-json-experiment/json/jsontext"
)

// TermsAggregation makes one bucket for each value of a field.
type TermsAggregation struct {
	Field string
	// Size is the most buckets wanted. Clients ask for huge numbers to get all; an answer with more than MaxBuckets buckets
	// must be refused.
	Size        int
	MinDocCount int
	// Order holds at least one rule. Buckets that are equal by all of them stand in the order of their keys.
	Order []BucketOrder
	// Missing stands for the value of a document without one; nil when such documents are left out.
	Missing          jsontext.Value // a text, a number or a boolean
	Include, Exclude *ValueFilter   // nil when absent
}

// ValueFilter chooses values: by a regular expression in Lucene's syntax, or by a list.
type ValueFilter struct {
	Regexp string           // empty when Values counts
	Values []jsontext.Value // texts, numbers or booleans
}

func parseTermsAggregation(_ *parser, n *node, of *Aggregation) (any, error) {
	a := &TermsAggregation{Size: 10, MinDocCount: 1}
	for _, m := range n.children {
		if err := a.option(m, of.Subs); err != nil {
			return nil, err
		}
	}
	if a.Order == nil {
		a.Order = []BucketOrder{{By: "_count", Desc: true}}
	}
	return a, n.wantField(a.Field)
}

func (a *TermsAggregation) option(m *node, subs []Aggregation) (err error) {
	switch m.name {
	case "field":
		err = m.setText(&a.Field)
	case "size":
		err = m.setInt(&a.Size, 1)
	case "min_doc_count":
		err = m.setInt(&a.MinDocCount, 0)
	case "order":
		a.Order, err = parseOrder(m, subs)
	case "missing":
		err = m.setValue(&a.Missing)
	case "include":
		a.Include, err = parseValueFilter(m)
	case "exclude":
		a.Exclude, err = parseValueFilter(m)
	case "shard_size": // the rest are hints that change no exact answer
		err = m.setInt(new(int), -math.MaxInt32)
	case "execution_hint":
		err = m.setWord(new(string), "map", "global_ordinals")
	case "collect_mode":
		err = m.setWord(new(string), "depth_first", "breadth_first")
	default:
		err = refuseOption(m)
	}
	return err
}

func parseValueFilter(n *node) (*ValueFilter, error) {
	switch n.kind() {
	case '"':
		f := &ValueFilter{Regexp: Text(n.raw)}
		if f.Regexp == "" { // the empty expression describes the empty text
			f.Values = []jsontext.Value{n.raw}
		}
		return f, nil
	case '[':
	default:
		return nil, n.fail("expected a regular expression or a list of values")
	}
	if len(n.children) > maxTerms {
		return nil, n.fail("more than %d values", maxTerms)
	}
	f := &ValueFilter{Values: make([]jsontext.Value, len(n.children))}
	for i, item := range n.children {
		if err := item.setValue(&f.Values[i]); err != nil {
			return nil, err
		}
	}
	return f, nil
}
