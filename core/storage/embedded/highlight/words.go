package highlight

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/embedded/search/automaton"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// words is what a query looks for in one field.
type words struct {
	mapping *mapping.Mapping
	bounds  *search.Bounds
	// path is that of the field, empty for all fields.
	path string
	// apart shows every word by itself, also those of phrases, whether or not the clauses around them match.
	apart bool
	// terms, patterns and phrases are what the clauses look for, with their numbers; keys has for each what counts as the same.
	terms    map[string][]leaf
	patterns []pattern
	phrases  []phrase
	keys     []int
	// same has the keys of single words.
	same map[string]int
	root part
	// unscored says that the clauses that are being gathered give no scores, excluding that they must not match: Elasticsearch does
	// not look for their words.
	unscored, excluding bool
	err                 error
}

// pattern is a clause that describes words.
type pattern struct {
	clause  leaf
	accepts func(term []byte) bool
}

// phrase is words that stand one behind the other.
type phrase struct {
	clause leaf
	places []place
	slop   int
}

// place is where a word of a phrase stands, counted from the first.
type place struct {
	offset  int
	accepts func(term []byte) bool
}

// wordsOf gathers what a query looks for in a field.
func wordsOf(b *search.Bounds, m *mapping.Mapping, q query.Query, path string, apart bool) (*words, error) {
	w := &words{mapping: m, bounds: b, path: path, apart: apart, terms: map[string][]leaf{}, same: map[string]int{}}
	w.root = w.gather(q)
	return w, cmp.Or(w.err, b.Texts().Err())
}

// gather gives what a query looks for, and nothing more when that needed too much.
func (w *words) gather(q query.Query) part {
	if !w.charge(1) {
		return no
	}
	switch q := q.(type) {
	case *query.MatchAll:
		return yes
	case *query.MatchNone:
		return no
	case *query.Bool:
		return w.boolean(q)
	case *query.ConstantScore:
		return w.boolean(&query.Bool{Common: q.Common, Filter: []query.Query{q.Filter}})
	case *query.DisMax:
		return anyOf(w.all(q.Queries))
	case *query.Boosting:
		return w.gather(q.Positive)
	case *query.FunctionScore:
		return w.gather(q.Query)
	case *query.Nested:
		return w.gather(q.Query)
	case *query.Match:
		return w.match(q.Field, &q.Full, q.Words, false)
	case *query.MatchBoolPrefix:
		return w.match(q.Field, &q.Full, q.Words, true)
	case *query.MatchPhrase:
		return w.phrase(q.Field, &q.Full, q.Slop, false)
	case *query.MatchPhrasePrefix:
		return w.phrase(q.Field, &q.Full, q.Slop, true)
	case *query.MultiMatch:
		return w.multiMatch(q)
	case *query.QueryString, *query.SimpleQueryString:
		return w.phrased(q)
	case *query.Forgiving:
		return w.gather(q.Query)
	}
	return w.leaf(q)
}

// charge reports whether n more words may be looked for.
func (w *words) charge(n int) bool {
	if w.err == nil {
		w.err = w.bounds.Charge(n)
	}
	return w.err == nil
}

// phrased gives what a query in words looks for.
func (w *words) phrased(q query.Query) part {
	found, err := w.bounds.Phrased(w.mapping, q)
	if err != nil {
		w.err = err
		return no
	}
	return w.gather(found)
}

func (w *words) all(list []query.Query) []part {
	parts := make([]part, len(list))
	for i, q := range list {
		parts[i] = w.gather(q)
	}
	return parts
}

// boolean gathers what must or may match. Where there are no scores nobody looks at what only may.
func (w *words) boolean(q *query.Bool) part {
	defer func(unscored bool) { w.unscored = unscored }(w.unscored)
	w.unscored = w.unscored || q.Boost == 0
	g := &group{must: w.all(q.Must), needed: q.Needed()}
	if len(q.Must) == 0 && len(q.Filter) == 0 {
		g.needed = max(g.needed, min(1, len(q.Should)))
	}
	if !w.unscored || g.needed > 0 {
		g.should = w.all(q.Should)
	}
	w.unscored = true
	g.must = w.distinct(append(g.must, w.all(q.Filter)...), false)
	if g.needed <= 1 {
		g.should = w.distinct(g.should, true)
	}
	g.not = w.excluded(q.MustNot)
	return g
}

func (w *words) excluded(list []query.Query) []part {
	defer func(excluding bool) { w.excluding = excluding }(w.excluding)
	w.excluding = true
	return w.all(list)
}

// leaf gathers the words of clauses that are not analysed.
func (w *words) leaf(q query.Query) part {
	switch q := q.(type) {
	case *query.Term:
		if q.CaseInsensitive {
			return w.pattern(q, q.Field, query.Text(q.Value))
		}
		return w.term(q.Field, query.Text(q.Value))
	case *query.Terms:
		return w.oneOf(q.Field, q.Values)
	case *query.TermsSet:
		return w.termsSet(q)
	case *query.Fuzzy:
		if f := w.field(q.Field); f != nil {
			return w.near(f, w.normalized(f, query.Text(q.Value)), q.Fuzzing)
		}
	case *query.Range:
		if f := w.field(q.Field); f != nil && f.Index {
			return w.add(w.between(f, q))
		}
	case *query.Prefix:
		if q.CaseInsensitive {
			return w.pattern(q, q.Field, q.Value)
		}
		if f := w.field(q.Field); f != nil {
			prefix := w.normalized(f, q.Value)
			return w.add(func(term []byte) bool { return bytes.HasPrefix(term, prefix) })
		}
	case *query.Wildcard:
		if q.Value != "" {
			return w.pattern(q, q.Field, q.Value)
		}
	case *query.Regexp:
		return w.pattern(q, q.Field, q.Value)
	}
	return maybe
}

func (w *words) termsSet(q *query.TermsSet) part {
	g := &group{needed: 1}
	if !w.charge(len(q.Values)) {
		return no
	}
	for _, value := range q.Values {
		g.should = append(g.should, w.term(q.Field, query.Text(value)))
	}
	if q.MinimumField == "" {
		g.needed = max(1, q.MinimumShouldMatch.Of(len(q.Values)))
	}
	return g
}

// between gives the function that accepts the words of a range.
func (w *words) between(f *mapping.Field, q *query.Range) func(term []byte) bool {
	bound := func(b query.Bound, beyond int) func(term []byte) bool {
		if b.Value == nil {
			return func([]byte) bool { return true }
		}
		limit := w.normalized(f, query.Text(b.Value))
		return func(term []byte) bool {
			order := bytes.Compare(term, limit)
			return order == beyond || order == 0 && b.Inclusive
		}
	}
	above, below := bound(q.Lower, 1), bound(q.Upper, -1)
	return func(term []byte) bool { return above(term) && below(term) }
}

// field finds the field of a clause when its words are wanted.
func (w *words) field(path string) *mapping.Field {
	f := w.mapping.Resolve(path)
	if w.excluding || !hasText(f) || w.path != "" && f.Path != w.path {
		return nil
	}
	return f
}

// pattern looks for the words that a clause describes.
func (w *words) pattern(q query.Query, path, text string) part {
	f := w.field(path)
	if f == nil {
		return maybe
	}
	a, err := w.bounds.Automaton(path, q, w.normalized(f, text))
	if err != nil {
		w.err = err
		return no
	}
	return w.add(a.Match)
}

// number gives a clause its number.
func (w *words) number(key int) leaf {
	w.keys = append(w.keys, key)
	return leaf(len(w.keys) - 1)
}

func (w *words) add(accepts func(term []byte) bool) part {
	clause := w.number(len(w.keys))
	w.patterns = append(w.patterns, pattern{clause, accepts})
	return clause
}

// addTerm looks for one word. Where clauses are not regarded it counts once, whoever asks for it.
func (w *words) addTerm(f *mapping.Field, term []byte) part {
	if !f.Index { // then Elasticsearch looks for values, and not for words
		return maybe
	}
	if _, there := w.same[string(term)]; !there {
		w.same[string(term)] = len(w.keys)
	} else if w.apart {
		return leaf(w.same[string(term)])
	}
	clause := w.number(w.same[string(term)])
	w.terms[string(term)] = append(w.terms[string(term)], clause)
	return clause
}

// oneOf looks for words that count as one.
func (w *words) oneOf(path string, values []jsontext.Value) part {
	f := w.field(path)
	if f == nil || !w.charge(len(values)) {
		return maybe
	}
	clause := w.number(len(w.keys))
	for _, value := range values {
		term := string(w.normalized(f, query.Text(value)))
		if !slices.Contains(w.terms[term], clause) {
			w.terms[term] = append(w.terms[term], clause)
		}
	}
	return clause
}

// alternatives looks for the words at one place of a text, which count as one.
func (w *words) alternatives(f *mapping.Field, tokens []analysis.Token) part {
	if len(tokens) == 1 {
		return w.addTerm(f, tokens[0].Term)
	}
	if !f.Index {
		return maybe
	}
	clause := w.number(len(w.keys))
	for _, token := range tokens {
		term := string(token.Term)
		if !slices.Contains(w.terms[term], clause) {
			w.terms[term] = append(w.terms[term], clause)
		}
	}
	return clause
}

// accepting gives the function that accepts the words at one place of a phrase, or what begins with them.
func accepting(tokens []analysis.Token, begun bool) func(term []byte) bool {
	return func(term []byte) bool {
		return slices.ContainsFunc(tokens, func(t analysis.Token) bool {
			return bytes.Equal(term, t.Term) || begun && bytes.HasPrefix(term, t.Term)
		})
	}
}

func (w *words) term(path, value string) part {
	f := w.field(path)
	if f == nil {
		return maybe
	}
	return w.addTerm(f, w.normalized(f, value))
}

// normalized is how a keyword is indexed.
func (w *words) normalized(f *mapping.Field, value string) []byte {
	return f.Normalize(w.bounds.Texts(), []byte(value))
}

// tokens takes the text of a clause apart.
func (w *words) tokens(f *mapping.Field, q *query.Full) []analysis.Token {
	value := []byte(query.Text(q.Value))
	name := q.Analyzer
	switch {
	case w.err != nil:
		return nil
	case name == "" && f.Type != mapping.Text:
		return []analysis.Token{{Term: w.normalized(f, string(value))}}
	case name == "":
		name = f.QueryAnalyzer()
	}
	a, ok := w.mapping.Analyzer(name)
	if !ok {
		w.err = refuse("highlight: analyzer [%s] not found", name)
		return nil
	}
	tokens := a.Tokens(w.bounds.Texts(), value, nil)
	if len(tokens) > maxWords {
		w.err = refuse("highlight: a text for the field [%s] has %d words, and may have %d", f.Path, len(tokens), maxWords)
		return nil
	}
	if !w.charge(len(tokens)) {
		return nil
	}
	return tokens
}

// maxWords is how many words the text of a clause may have, as in a search.
const maxWords = 1024

// match gathers the words of a text, the last of which may be a prefix.
func (w *words) match(path string, q *query.Full, how query.Words, prefix bool) part {
	f := w.field(path)
	if f == nil {
		return maybe
	}
	var parts []part
	for tokens := w.tokens(f, q); len(tokens) > 0; {
		n := analysis.AtOnePlace(tokens)
		switch {
		case n > 1:
			parts = append(parts, w.alternatives(f, tokens[:n]))
		case prefix && len(tokens) == 1 && int(tokens[0].End) == len(query.Text(q.Value)):
			begin := tokens[0].Term
			parts = append(parts, w.add(func(term []byte) bool { return bytes.HasPrefix(term, begin) }))
		default:
			parts = append(parts, w.near(f, tokens[0].Term, how.Fuzzing))
		}
		tokens = tokens[n:]
	}
	return w.combine(q, parts, how)
}

// combine puts the words of a text together as a search does.
func (w *words) combine(q *query.Full, parts []part, how query.Words) part {
	switch {
	case len(parts) == 0 && q.AllWhenEmpty:
		return yes
	case len(parts) == 0:
		return no
	case len(parts) == 1:
		return parts[0]
	case how.All && how.MinimumShouldMatch.Of(0) > 0:
		return no
	case how.All:
		return &group{must: w.distinct(parts, false)}
	}
	g := &group{should: parts, needed: 1}
	if how.MinimumShouldMatch.Set {
		g.needed = max(1, how.MinimumShouldMatch.Of(len(parts)))
	}
	if g.needed == 1 {
		g.should = w.distinct(parts, true)
	}
	return g
}

// near gathers a word and those that a few changes make of it.
func (w *words) near(f *mapping.Field, word []byte, how query.Fuzzing) part {
	edits := how.Fuzziness.Of(string(word))
	if !how.Fuzziness.Set || edits == 0 {
		return w.addTerm(f, word)
	}
	near := automaton.NewNear(string(word), edits, how.PrefixLength, how.Swaps)
	return w.add(func(term []byte) bool {
		_, ok := near.Distance(term)
		return ok
	})
}

func (w *words) multiMatch(q *query.MultiMatch) part {
	var paths []string
	for _, weighted := range q.Fields {
		names, err := namesOf(w.bounds, w.mapping, weighted.Pattern)
		if err != nil {
			w.err = err
			return no
		}
		paths = append(paths, names...)
	}
	var parts []part
	if len(paths) != 1 || len(q.Fields) != 1 {
		parts = append(parts, maybe) // fields without texts
	}
	for _, path := range paths {
		switch q.Type {
		case query.Phrase, query.PhrasePrefix:
			parts = append(parts, w.phrase(path, &q.Full, q.Slop, q.Type == query.PhrasePrefix))
		case query.CrossFields:
			parts = append(parts, w.crossing(path, q, len(paths) > 1))
		default:
			parts = append(parts, w.match(path, &q.Full, q.Words, q.Type == query.BoolPrefix))
		}
	}
	return anyOf(parts)
}

// crossing gathers the words of a text, each of which may be in another field.
func (w *words) crossing(path string, q *query.MultiMatch, others bool) part {
	how := q.Words
	if others {
		how.All, how.MinimumShouldMatch = false, query.MinimumShouldMatch{}
	}
	return w.match(path, &q.Full, how, false)
}

// phrase gathers the words of a phrase, the last of which may be a prefix.
func (w *words) phrase(path string, q *query.Full, slop int, prefix bool) part {
	f := w.field(path)
	switch {
	case f == nil:
		return maybe
	case prefix && f.Type != mapping.Text:
		return no // only a text has words that can begin so
	}
	tokens := w.tokens(f, q)
	if n := len(tokens); n > 0 && !prefix && analysis.AtOnePlace(tokens) == n {
		return w.alternatives(f, tokens)
	}
	var places []place
	for len(tokens) > 0 {
		n := analysis.AtOnePlace(tokens)
		places = append(places, place{int(tokens[0].Position), accepting(tokens[:n], prefix && n == len(tokens))})
		tokens = tokens[n:]
	}
	switch len(places) {
	case 0:
		return w.combine(q, nil, query.Words{})
	case 1:
		return w.add(places[0].accepts)
	}
	clause := w.number(len(w.keys))
	w.phrases = append(w.phrases, phrase{clause, places, slop})
	return clause
}
