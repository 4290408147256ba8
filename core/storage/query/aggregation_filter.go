package query

import (
	"slices"
	"strings"
)

// FilterAggregation makes one bucket of the documents that a query matches.
type FilterAggregation struct {
	Filter Query
}

// FiltersAggregation makes a bucket for each of some queries.
type FiltersAggregation struct {
	// Filters are in the order of the answer, at least one.
	Filters []NamedFilter
	// Named says that the filters have names, Keyed that the answer is an object with the buckets under them.
	Named, Keyed bool
	// Other is the name of the bucket of what no filter matches; empty when there is none.
	Other string
}

// NamedFilter is one of a FiltersAggregation.
type NamedFilter struct {
	Name   string
	Filter Query
}

func parseFilter(p *parser, n *node, _ *Aggregation) (any, error) {
	q, err := p.query(n)
	return &FilterAggregation{Filter: q}, err
}

// defaultOther is the name of the bucket of the rest, which Elasticsearch gives it.
const defaultOther = "_other_"

func parseFilters(p *parser, n *node, _ *Aggregation) (any, error) {
	a := &FiltersAggregation{Keyed: true}
	other, name := false, ""
	for _, m := range n.children {
		var err error
		switch m.name {
		case "filters":
			err = a.setFilters(p, m)
		case "other_bucket":
			err = m.setBool(&other)
		case "other_bucket_key":
			other, err = true, m.setText(&name)
		case "keyed":
			err = m.setBool(&a.Keyed)
		default:
			err = refuseOption(m)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(a.Filters) == 0 {
		return nil, n.fail("expected filters")
	}
	if other && name == "" {
		name = defaultOther
	}
	if other {
		a.Other = name
	}
	a.Keyed = a.Keyed && a.Named
	return a, nil
}

func (a *FiltersAggregation) setFilters(p *parser, n *node) error {
	if !n.is("[{") {
		return n.fail("expected an object or a list of queries")
	}
	if len(n.children) > maxRanges {
		return n.fail("more than %d filters", maxRanges)
	}
	a.Named = n.kind() == '{'
	for _, m := range n.children {
		q, err := p.query(m)
		if err != nil {
			return err
		}
		a.Filters = append(a.Filters, NamedFilter{Name: m.name, Filter: q})
	}
	if a.Named {
		slices.SortFunc(a.Filters, func(x, y NamedFilter) int { return strings.Compare(x.Name, y.Name) })
	}
	return nil
}

// NestedAggregation makes one bucket of the nested objects under a path.
type NestedAggregation struct{ Path string }

// ReverseNestedAggregation makes, of nested objects, one bucket of the documents around them, or of the nested objects under a path
// around them.
type ReverseNestedAggregation struct {
	Path string // empty for the documents
}

func parseNestedAggregation(_ *parser, n *node, _ *Aggregation) (any, error) {
	a := new(NestedAggregation)
	if err := n.onlyPath(&a.Path); err != nil {
		return nil, err
	}
	if a.Path == "" {
		return nil, n.fail("expected a path")
	}
	return a, nil
}

func parseReverseNested(_ *parser, n *node, _ *Aggregation) (any, error) {
	a := new(ReverseNestedAggregation)
	return a, n.onlyPath(&a.Path)
}

func (n *node) onlyPath(to *string) error {
	for _, m := range n.children {
		if m.name != "path" {
			return refuseOption(m)
		}
		if err := m.setText(to); err != nil {
			return err
		}
	}
	return nil
}

// EachFilter calls visit for the queries in aggregations, with the path of the documents that they are asked of: empty, or that
// of nested objects. It ends with the first error.
func EachFilter(list []Aggregation, path string, visit func(q Query, path string) error) error {
	for i := range list {
		inner := path
		switch of := list[i].Of.(type) {
		case *FilterAggregation:
			if err := visit(of.Filter, path); err != nil {
				return err
			}
		case *FiltersAggregation:
			for _, f := range of.Filters {
				if err := visit(f.Filter, path); err != nil {
					return err
				}
			}
		case *NestedAggregation:
			inner = of.Path
		case *ReverseNestedAggregation:
			inner = of.Path
		}
		if err := EachFilter(list[i].Subs, inner, visit); err != nil {
			return err
		}
	}
	return nil
}

// place is where aggregations stand.
type place struct {
	nested bool // they are of nested objects
	many   bool // in one of several buckets
}

// checkPlaces refuses aggregations that cannot stand where they do.
func checkPlaces(n *node, list []Aggregation, at place) error {
	for i := range list {
		a := &list[i]
		below := place{nested: at.nested, many: at.many || !a.oneBucket()}
		switch a.Of.(type) {
		case *NestedAggregation:
			below.nested = true
		case *Derivative, *CumulativeSum, *BucketSort:
			return n.fail("the aggregation %s must stand in one that makes buckets", a.Name)
		case *Composite:
			if at.many {
				return n.fail("the aggregation %s: composite cannot stand in one with several buckets", a.Name)
			}
		case *ReverseNestedAggregation:
			if !at.nested {
				return n.fail("the aggregation %s: reverse_nested can stand inside of a nested aggregation only", a.Name)
			}
		}
		if err := checkPlaces(n, a.Subs, below); err != nil {
			return err
		}
	}
	return nil
}
