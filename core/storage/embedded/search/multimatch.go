package search

import (
	"slices"
	"strings"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// multiMatch compiles the search in several fields, of which the best one counts.
func (c compiler) multiMatch(q *query.MultiMatch) (clause, error) {
	how := q.Words
	if slices.ContainsFunc(q.Fields, func(f query.WeightedField) bool { return f.Pattern == "*" }) {
		how.Lenient = true
	}
	combined := &best{space: c.space, tie: q.TieBreaker}
	for _, field := range c.weightedFields(q.Fields) {
		inner := c
		inner.boost *= float32(field.Boost)
		part, err := c.inside(field.Pattern)(inner.oneOf(field.Pattern, q, how))
		if err != nil {
			return nil, err
		}
		if _, empty := part.(nothing); !empty {
			combined.parts = append(combined.parts, part)
		}
	}
	switch {
	case len(combined.parts) == 0:
		return nothing{}, nil
	case len(combined.parts) == 1:
		return combined.parts[0], nil
	case !c.scores:
		return anyOf{combined.space, combined.parts}, nil
	}
	return combined, nil
}

func (c compiler) oneOf(path string, q *query.MultiMatch, how query.Words) (clause, error) {
	if q.Type == query.BestFields {
		return c.match(path, q.Full, how)
	}
	part, err := c.phrasePrefix(path, q.Full, q.Slop, q.MaxExpansions)
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
			if glob(p.Pattern, f.Path) && c.findsText(f.Path) {
				put(f.Path, p.Boost)
			}
		}
	}
	return list
}

// findsText reports whether a pattern can stand for a field: whether a text can be looked for in it.
func (c compiler) findsText(path string) bool {
	f := c.Mapping.Resolve(path)
	switch f.Type {
	case mapping.Object, mapping.Nested, mapping.GeoPoint, mapping.Binary:
		return false
	case mapping.Text:
		return f.Index
	}
	return f.Index || f.DocValues
}

// best matches what any of its parts does, with the best score and tie of the others.
type best struct {
	space string
	parts []clause
	tie   float64
}

func (c *best) matches(v *view) (set, error) { return anyOf{c.space, c.parts}.matches(v) }

func (c *best) rank(v *view) (scorer, error) {
	parts, err := rankAll(v, c.parts)
	switch {
	case err != nil || len(parts) == 0:
		return nil, err
	case len(parts) == 1:
		return parts[0], nil
	}
	return &bestScorer{anyScorer{v: v, parts: parts, needed: 1}, c.tie}, nil
}
