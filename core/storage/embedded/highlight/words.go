package highlight

import (
	"bytes"

	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/embedded/search/automaton"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// words is what a query looks for in one field.
type words struct {
	mapping *mapping.Mapping
	// path is that of the field, empty for all fields.
	path string
	// apart shows the words of a phrase by themselves, and not all that stands between the first and the last.
	apart bool
	// terms are the words with a number for each clause.
	terms    map[string]int
	patterns []pattern
	phrases  []phrase
	clauses  int
	// unscored says that the clauses that are being gathered give no scores.
	unscored bool
	err      error
}

// pattern is a clause that describes words.
type pattern struct {
	clause  int
	accepts func(term []byte) bool
}

// phrase is words that stand one behind the other.
type phrase struct {
	clause int
	places []place
	slop   int
}

// place is where a word of a phrase stands, counted from the first.
type place struct {
	offset  int
	accepts func(term []byte) bool
}

// wordsOf gathers what a query looks for in a field. What must not match is left out.
func wordsOf(m *mapping.Mapping, q query.Query, path string, apart bool) (*words, error) {
	w := &words{mapping: m, path: path, apart: apart, terms: map[string]int{}}
	w.gather(q)
	return w, w.err
}

func (w *words) gather(q query.Query) {
	query.Walk(q, func(q query.Query) bool {
		switch q := q.(type) {
		case *query.Bool:
			w.boolean(q)
			return false
		case *query.ConstantScore:
			w.boolean(&query.Bool{Filter: []query.Query{q.Filter}})
			return false
		case *query.Boosting:
			w.gather(q.Positive)
			return false
		case *query.FunctionScore:
			w.gather(q.Query)
			return false
		case *query.Match:
			w.match(q.Field, &q.Full, q.Fuzzing, false)
		case *query.MatchBoolPrefix:
			w.match(q.Field, &q.Full, q.Fuzzing, true)
		case *query.MatchPhrase:
			w.phrase(q.Field, &q.Full, q.Slop, false)
		case *query.MatchPhrasePrefix:
			w.phrase(q.Field, &q.Full, q.Slop, true)
		case *query.MultiMatch:
			w.multiMatch(q)
		default:
			w.leaf(q)
		}
		return true
	})
}

// boolean gathers the words of what must or may match. Where there are no scores nobody looks at what only may.
func (w *words) boolean(q *query.Bool) {
	defer func(unscored bool) { w.unscored = unscored }(w.unscored)
	w.unscored = w.unscored || q.Boost == 0
	for _, inner := range q.Must {
		w.gather(inner)
	}
	if !w.unscored || q.Needed() > 0 {
		for _, inner := range q.Should {
			w.gather(inner)
		}
	}
	w.unscored = true
	for _, inner := range q.Filter {
		w.gather(inner)
	}
}

// leaf gathers the words of clauses that are not analysed.
func (w *words) leaf(q query.Query) {
	switch q := q.(type) {
	case *query.Term:
		w.term(q.Field, query.Text(q.Value), q.CaseInsensitive)
	case *query.Terms:
		for _, value := range q.Values {
			w.term(q.Field, query.Text(value), false)
		}
	case *query.TermsSet:
		for _, value := range q.Values {
			w.term(q.Field, query.Text(value), false)
		}
	case *query.Fuzzy:
		if f := w.field(q.Field); f != nil {
			w.near(normalized(f, query.Text(q.Value)), q.Fuzzing)
		}
	case *query.Range:
		if f := w.field(q.Field); f != nil {
			w.add(between(f, q))
		}
	case *query.Prefix:
		if f := w.field(q.Field); f != nil {
			prefix := normalized(f, q.Value)
			if q.CaseInsensitive {
				w.pattern(automaton.Folded(string(prefix), true))
				return
			}
			w.add(func(term []byte) bool { return bytes.HasPrefix(term, prefix) })
		}
	case *query.Wildcard:
		if f := w.field(q.Field); f != nil && q.Value != "" {
			w.pattern(automaton.Wildcard(string(normalized(f, q.Value)), q.CaseInsensitive))
		}
	case *query.Regexp:
		if f := w.field(q.Field); f != nil {
			w.pattern(automaton.Regexp(string(normalized(f, q.Value)), q.Flags, q.CaseInsensitive, q.MaxStates))
		}
	}
}

// between gives the function that accepts the words of a range.
func between(f *mapping.Field, q *query.Range) func(term []byte) bool {
	bound := func(b query.Bound, beyond int) func(term []byte) bool {
		if b.Value == nil {
			return func([]byte) bool { return true }
		}
		limit := normalized(f, query.Text(b.Value))
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
	if !hasText(f) || w.path != "" && f.Path != w.path {
		return nil
	}
	return f
}

func (w *words) pattern(a *automaton.Automaton, err error) {
	if err != nil {
		w.err = refuse("highlight: %v", err)
		return
	}
	w.add(a.Match)
}

func (w *words) add(accepts func(term []byte) bool) {
	w.clauses++
	w.patterns = append(w.patterns, pattern{w.clauses, accepts})
}

func (w *words) addTerm(term []byte) {
	w.clauses++
	if _, there := w.terms[string(term)]; !there {
		w.terms[string(term)] = w.clauses
	}
}

func (w *words) term(path, value string, fold bool) {
	f := w.field(path)
	switch {
	case f == nil:
	case fold:
		w.pattern(automaton.Folded(string(normalized(f, value)), false))
	default:
		w.addTerm(normalized(f, value))
	}
}

// normalized is how a keyword is indexed.
func normalized(f *mapping.Field, value string) []byte {
	return f.Normalize([]byte(value))
}

// tokens takes the text of a clause apart.
func (w *words) tokens(f *mapping.Field, q *query.Full) []analysis.Token {
	value := []byte(query.Text(q.Value))
	name := q.Analyzer
	switch {
	case name == "" && f.Type != mapping.Text:
		return []analysis.Token{{Term: normalized(f, string(value))}}
	case name == "":
		name = f.QueryAnalyzer()
	}
	a, ok := w.mapping.Analyzer(name)
	if !ok {
		w.err = refuse("highlight: analyzer [%s] not found", name)
		return nil
	}
	tokens := a.Tokens(value, nil)
	if len(tokens) > maxWords {
		w.err = refuse("highlight: a text for the field [%s] has %d words, and may have %d", f.Path, len(tokens), maxWords)
		return nil
	}
	return tokens
}

// maxWords is how many words the text of a clause may have, as in a search.
const maxWords = 1024

// match gathers the words of a text, the last of which may be a prefix.
func (w *words) match(path string, q *query.Full, how query.Fuzzing, prefix bool) {
	f := w.field(path)
	if f == nil {
		return
	}
	tokens := w.tokens(f, q)
	for i, token := range tokens {
		if prefix && i == len(tokens)-1 {
			w.add(func(term []byte) bool { return bytes.HasPrefix(term, token.Term) })
		} else {
			w.near(token.Term, how)
		}
	}
}

// near gathers a word and those that a few changes make of it.
func (w *words) near(word []byte, how query.Fuzzing) {
	edits := how.Fuzziness.Of(string(word))
	if !how.Fuzziness.Set || edits == 0 {
		w.addTerm(word)
		return
	}
	near := automaton.NewNear(string(word), edits, how.PrefixLength, how.Swaps)
	w.add(func(term []byte) bool {
		_, ok := near.Distance(term)
		return ok
	})
}

func (w *words) multiMatch(q *query.MultiMatch) {
	for _, weighted := range q.Fields {
		names, err := namesOf(w.mapping, weighted.Pattern)
		if err != nil {
			w.err = err
		}
		for _, name := range names {
			switch q.Type {
			case query.Phrase, query.PhrasePrefix:
				w.phrase(name, &q.Full, q.Slop, q.Type == query.PhrasePrefix)
			default:
				w.match(name, &q.Full, q.Fuzzing, q.Type == query.BoolPrefix)
			}
		}
	}
}

// phrase gathers the words of a phrase, the last of which may be a prefix.
func (w *words) phrase(path string, q *query.Full, slop int, prefix bool) {
	f := w.field(path)
	if f == nil {
		return
	}
	tokens := w.tokens(f, q)
	var places []place
	for i, t := range tokens {
		accepts := func(term []byte) bool { return bytes.Equal(term, t.Term) }
		if prefix && i == len(tokens)-1 {
			accepts = func(term []byte) bool { return bytes.HasPrefix(term, t.Term) }
		}
		if len(tokens) == 1 {
			w.add(accepts)
			continue
		}
		places = append(places, place{int(t.Position), accepts})
	}
	if len(places) > 1 {
		w.clauses++
		w.phrases = append(w.phrases, phrase{w.clauses, places, slop})
	}
}
