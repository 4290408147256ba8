package search

import (
	"slices"
	"strings"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// multiMatch compiles the search in several fields.
func (c compiler) multiMatch(q *query.MultiMatch) (clause, error) {
	how := q.Words
	if slices.ContainsFunc(q.Fields, func(f query.WeightedField) bool { return f.Pattern == "*" }) {
		how.Lenient = true
	}
	return c.several(q.Type, c.weightedFields(q.Fields), q.TieBreaker, q.Full, how, q.Slop)
}

// several compiles the search for a text in fields.
func (c compiler) several(
	kind query.MultiMatchType, fields []query.WeightedField, tie float64, q query.Full, how query.Words, slop int,
) (clause, error) {
	if kind == query.CrossFields {
		return c.crossFields(fields, tie, q, how)
	}
	combined := &best{space: c.space, tie: tie}
	for _, field := range fields {
		inner := c
		inner.boost = finite(inner.boost * float32(field.Boost))
		part, err := c.inside(field.Pattern)(inner.oneOf(kind, field.Pattern, q, how, slop))
		if err != nil {
			return nil, err
		}
		combined.parts = append(combined.parts, part)
	}
	return combined.simplify(c.scores), nil
}

// oneOf compiles the search in one of the fields.
func (c compiler) oneOf(kind query.MultiMatchType, path string, q query.Full, how query.Words, slop int) (part clause, err error) {
	switch kind {
	case query.Phrase:
		part, err = c.phrase(path, q, slop)
	case query.PhrasePrefix:
		part, err = c.phrasePrefix(path, q, slop, how.MaxExpansions)
	case query.BoolPrefix:
		part, err = c.boolPrefix(path, q, how)
	default:
		part, err = c.match(path, q, how)
	}
	if forgiven(how, err) {
		return nothing{}, nil
	}
	return part, err
}

// weightedFields replaces patterns by the fields that they describe. The weights of a field that several describe are
// multiplied; of the same pattern the last weight counts.
func (c compiler) weightedFields(patterns []query.WeightedField) []query.WeightedField {
	var list []query.WeightedField
	places := map[string]int{}
	put := func(path string, boost float64) {
		if i, ok := places[path]; ok {
			list[i].Boost *= boost
			return
		}
		places[path] = len(list)
		list = append(list, query.WeightedField{Pattern: path, Boost: boost})
	}
	for i, p := range patterns {
		if slices.ContainsFunc(patterns[i+1:], func(later query.WeightedField) bool { return later.Pattern == p.Pattern }) {
			continue
		}
		if !strings.Contains(p.Pattern, "*") {
			put(p.Pattern, p.Boost)
			continue
		}
		for f := range c.Mapping.All() {
			if glob(p.Pattern, f.Path) && c.findsText(f.Path) && !c.again(p.Pattern, f) {
				put(f.Path, p.Boost)
			}
		}
	}
	return list
}

// again reports whether a field is another name of one that the pattern describes too.
func (c compiler) again(pattern string, f *mapping.Field) bool {
	return f.Type == mapping.Alias && glob(pattern, c.Mapping.Resolve(f.Path).Path)
}

// findsText reports whether a pattern can stand for a field: whether a text can be looked for in it.
func (c compiler) findsText(path string) bool {
	f := c.Mapping.Resolve(path)
	switch f.Type {
	case mapping.Object, mapping.Nested, mapping.GeoPoint, mapping.GeoShape, mapping.Binary, mapping.DenseVector, mapping.Completion:
		return false
	case mapping.Text:
		return f.Index
	}
	return f.Index || f.DocValues
}
