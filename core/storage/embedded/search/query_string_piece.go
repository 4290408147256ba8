package search

import (
	"fmt"
	"regexp"

	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// existsName is the field by which a text asks whether a document has another field.
const existsName = "_exists_"

// piece gives the clause of a piece, nil when nothing is left of it.
func (p *phrasing) piece(piece *query.Piece) (found query.Query, err error) {
	path := piece.Field
	if path == "" {
		path = p.own
	}
	switch {
	case piece.Kind == query.GroupPiece:
		found, err = p.combine(piece.Members)
	case path == existsName && (piece.Kind == query.TextPiece || piece.Kind == query.PhrasePiece):
		found = &query.Exists{Common: plain(), Field: piece.Text}
	case piece.Kind == query.TextPiece:
		found, err = p.bare(path, piece)
	case piece.Kind == query.PhrasePiece:
		found, err = p.text(p.in(path, true), p.phrase(piece))
	case piece.Kind == query.WildcardPiece && piece.Text == "*" && path == "*":
		found = &query.MatchAll{Common: plain()}
	case piece.Kind == query.WildcardPiece && piece.Text == "*" && path != "":
		found = &query.Exists{Common: plain(), Field: path}
	default:
		found, err = p.each(p.in(path, false), piece)
	}
	if err != nil || found == nil {
		return nil, err
	}
	found.Clause().Boost *= piece.Boost
	return found, nil
}

// bare gives the clause of a text without quotes.
func (p *phrasing) bare(path string, piece *query.Piece) (query.Query, error) {
	if bounds, ok := p.compared(path, piece.Text); ok {
		return p.each(p.in(path, false), bounds)
	}
	q := p.phrase(piece)
	q.Type, q.TieBreaker, q.Analyzer, q.Slop = p.kind, p.tie, p.Analyzer, p.slop
	return p.text(p.in(path, false), q)
}

// compared reads a text such as >=3 behind the name of a field, and a date that is in a time zone.
func (p *phrasing) compared(path, text string) (*query.Piece, bool) {
	if path == "" || len(text) < 2 {
		return nil, false
	}
	bounds := &query.Piece{Kind: query.RangePiece}
	value, inclusive := text[1:], len(text) > 2 && text[1] == '='
	if inclusive {
		value = text[2:]
	}
	switch f := p.Mapping.Resolve(path); {
	case text[0] == '>':
		bounds.Lower = query.Bound{Value: quote(value), Inclusive: inclusive}
	case text[0] == '<':
		bounds.Upper = query.Bound{Value: quote(value), Inclusive: inclusive}
	case f != nil && f.Type == mapping.Date && p.zone != "":
		bounds.Lower = query.Bound{Value: quote(text), Inclusive: true}
		bounds.Upper = bounds.Lower
	default:
		return nil, false
	}
	return bounds, true
}

// phrase is the search for a phrase, or without its type for a text.
func (p *phrasing) phrase(piece *query.Piece) *query.MultiMatch {
	return &query.MultiMatch{
		Full:  query.Full{Common: plain(), Value: quote(piece.Text), Analyzer: p.quoteAnalyzer},
		Words: query.Words{All: p.All, Lenient: p.Lenient, Fuzzing: query.Fuzzing{MaxExpansions: query.DefaultExpansions}},
		Type:  query.Phrase, TieBreaker: p.quotedTie, Slop: piece.Slop,
	}
}

// text gives the search for a text in fields, nil when no field finds a word in it.
func (p *phrasing) text(fields []query.WeightedField, q *query.MultiMatch) (query.Query, error) {
	if len(fields) == 0 {
		return &query.MatchNone{Common: plain()}, nil
	}
	if empty, err := p.wordless(fields, &q.Full); empty || err != nil {
		return nil, err
	}
	if err := p.made(len(fields)); err != nil {
		return nil, err
	}
	q.Fields = fields
	if q.Type == query.Phrase || q.Type == query.PhrasePrefix {
		return q, nil
	}
	if len(fields) > 1 {
		return p.across(q)
	}
	return p.apart(q)
}

// made notes that clauses are made of the text.
func (p *phrasing) made(n int) error {
	if p.parts += n; p.parts > maxParts {
		return fmt.Errorf("%w: %w", errTooMuch, refuse("failed to create query: the text becomes more than %d clauses in its fields: name fewer fields", maxParts))
	}
	return p.charge(n, clauseBytes)
}

// wordless reports whether no field finds a word in a text.
func (p *phrasing) wordless(fields []query.WeightedField, q *query.Full) (bool, error) {
	for _, field := range fields {
		f := p.Mapping.Resolve(field.Pattern)
		if f == nil { // _id, which takes every text as it is
			return false, nil
		}
		tokens, whole, err := p.words(f, q)
		if whole || len(tokens) > 0 || err != nil {
			return false, err
		}
	}
	return true, nil
}

// apart gives a clause for each word of a text that is looked for in one field, so that minimum_should_match counts them.
func (p *phrasing) apart(q *query.MultiMatch) (query.Query, error) {
	f := p.Mapping.Resolve(q.Fields[0].Pattern)
	if f == nil || q.Fields[0].Boost != 1 {
		return q, nil
	}
	tokens, _, err := p.words(f, &q.Full)
	if len(tokens) < 2 || err != nil {
		return q, err
	}
	list := make([]query.Query, len(tokens))
	for i, token := range tokens {
		list[i] = p.forgive(&query.Term{Common: plain(), Field: f.Path, Value: quote(string(token.Term))})
	}
	if last := tokens[len(tokens)-1]; q.Type == query.BoolPrefix && int(last.End) == len(query.Text(q.Value)) {
		list[len(list)-1] = p.forgive(&query.Prefix{Pattern: query.Pattern{Common: plain(), Field: f.Path, Value: string(last.Term)}})
	}
	return p.gathered(list), p.made(len(list))
}

// across does the same where all fields are looked through as if they were one.
func (p *phrasing) across(q *query.MultiMatch) (query.Query, error) {
	first := p.Mapping.Resolve(q.Fields[0].Pattern)
	if q.Type != query.CrossFields || first == nil {
		return q, nil
	}
	for _, f := range q.Fields {
		if p.analyzerOf(f.Pattern, &q.Full) != p.analyzerOf(first.Path, &q.Full) {
			return q, nil
		}
	}
	tokens, _, err := p.words(first, &q.Full)
	if len(tokens) < 2 || err != nil {
		return q, err
	}
	list := make([]query.Query, len(tokens))
	for i, token := range tokens {
		one := *q
		one.Value, one.Analyzer = quote(string(token.Term)), "keyword"
		list[i] = &one
	}
	return p.gathered(list), p.made(len(list) * len(q.Fields))
}

// gathered combines clauses as the query does where its text says nothing.
func (p *phrasing) gathered(list []query.Query) query.Query {
	if p.All {
		return &query.Bool{Common: plain(), Must: list}
	}
	return &query.Bool{Common: plain(), Should: list}
}

// forgive lets a clause match nothing where it does not suit the mapping, when the query is lenient.
func (p *phrasing) forgive(q query.Query) query.Query {
	if !p.Lenient {
		return q
	}
	return &query.Forgiving{Common: plain(), Query: q}
}

// each gives the clause of a piece that looks for terms in each of the fields, nil when nothing is left of it.
func (p *phrasing) each(fields []query.WeightedField, piece *query.Piece) (query.Query, error) {
	if len(fields) == 0 {
		return &query.MatchNone{Common: plain()}, nil
	}
	if err := p.made(len(fields)); err != nil {
		return nil, err
	}
	var list []query.Query
	for _, field := range fields {
		found, err := p.terms(field.Pattern, piece)
		if err != nil {
			return nil, err
		}
		if found != nil {
			found.Clause().Boost *= field.Boost
			list = append(list, p.forgive(found))
		}
	}
	switch len(list) {
	case 0:
		return nil, nil //nolint:nilnil // nothing is left of it
	case 1:
		return list[0], nil
	}
	return &query.DisMax{Common: plain(), Queries: list, TieBreaker: p.tie}, nil
}

// terms gives the clause of a piece in one field, nil when nothing is left of it.
func (p *phrasing) terms(path string, piece *query.Piece) (query.Query, error) {
	f := p.Mapping.Resolve(path)
	if f != nil && (f.Type == mapping.GeoPoint || f.Type == mapping.GeoShape || f.Type == mapping.Binary || f.Type == mapping.DenseVector) {
		return &query.MatchNone{Common: plain()}, nil
	}
	text := query.Pattern{Common: plain(), Field: path, Value: piece.Text}
	switch piece.Kind {
	case query.PrefixPiece:
		return p.prefixed(f, text)
	case query.WildcardPiece:
		switch {
		case text.Value == "*":
			return &query.Exists{Common: plain(), Field: path}, nil
		case p.Analyzer != "" && p.SplitPrefixes && !hasPatterns(f): // as below
			return &query.MatchNone{Common: plain()}, nil
		}
		if f != nil && f.Type == mapping.Text || p.Analyzer != "" && p.SplitPrefixes {
			text.Value = p.normalPattern(f, text.Value)
		}
		return &query.Wildcard{Pattern: text}, nil
	case query.RegexpPiece:
		if p.Analyzer != "" && !hasPatterns(f) { // as in the original, where an analyzer lets nobody look at the type
			return &query.MatchNone{Common: plain()}, nil
		}
		if p.Analyzer != "" {
			text.Value = p.normal(f, text.Value)
		}
		return &query.Regexp{Pattern: text, Flags: "ALL", MaxStates: p.states}, nil
	case query.FuzzyPiece:
		how := p.Fuzzing
		how.Fuzziness = piece.Fuzziness
		return &query.Fuzzy{Common: plain(), Field: path, Value: quote(p.normal(f, piece.Text)), Fuzzing: how}, nil
	default:
		q := &query.Range{Common: plain(), Field: path, Lower: piece.Lower, Upper: piece.Upper, TimeZone: p.zone}
		for _, b := range []*query.Bound{&q.Lower, &q.Upper} {
			if b.Value != nil {
				b.Value = quote(p.normal(f, query.Text(b.Value)))
			}
		}
		return q, nil
	}
}

// prefixed gives the clause of a text before *.
func (p *phrasing) prefixed(f *mapping.Field, text query.Pattern) (query.Query, error) {
	if p.simple && p.SplitPrefixes && (!hasPatterns(f) || !f.Index) {
		return &query.MatchNone{Common: plain()}, nil
	}
	if f == nil || f.Type != mapping.Text {
		return &query.Prefix{Pattern: text}, nil
	}
	if !p.SplitPrefixes {
		text.Value = p.normal(f, text.Value)
		return &query.Prefix{Pattern: text}, nil
	}
	tokens, _, err := p.words(f, &query.Full{Value: quote(text.Value), Analyzer: p.Analyzer})
	if len(tokens) == 0 || err != nil {
		return nil, err
	}
	last := len(tokens) - 1
	text.Value = string(tokens[last].Term)
	if last == 0 {
		return &query.Prefix{Pattern: text}, nil
	}
	list := make([]query.Query, len(tokens))
	for i, token := range tokens[:last] {
		list[i] = &query.Term{Common: plain(), Field: text.Field, Value: quote(string(token.Term))}
	}
	list[last] = &query.Prefix{Pattern: text}
	return p.gathered(list), p.made(len(list))
}

// hasPatterns reports whether patterns describe the values of a field.
func hasPatterns(f *mapping.Field) bool {
	return f != nil && (f.Type == mapping.Text || f.Type == mapping.Keyword || f.Type == mapping.Flattened)
}

// normal gives a part of a word as the words of a field are written.
func (p *phrasing) normal(f *mapping.Field, text string) string {
	a := p.normalizer(f)
	if a == nil {
		return text
	}
	return string(a.Normalize(p.texts, []byte(text)))
}

// normalizer gives nil where a word is looked for as it is, or as the normalizer of a keyword makes it.
func (p *phrasing) normalizer(f *mapping.Field) *analysis.Analyzer {
	name := p.Analyzer
	if name == "" {
		if f == nil || f.Type != mapping.Text {
			return nil
		}
		name = f.QueryAnalyzer()
	}
	a, _ := p.Mapping.Analyzer(name) // those of fields are known, and begin looked for the other one
	return a
}

// special is what has a meaning in a pattern.
var special = regexp.MustCompile(`(?s)\\.|[?*]+`)

// normalPattern is normal for what stands between the wildcards.
func (p *phrasing) normalPattern(f *mapping.Field, text string) string {
	result, from := "", 0
	for _, at := range special.FindAllStringIndex(text, -1) {
		result += p.normal(f, text[from:at[0]]) + text[at[0]:at[1]]
		from = at[1]
	}
	return result + p.normal(f, text[from:])
}
