package query

import (
	"math"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Full is what the clauses of analysed text have in common.
type Full struct {
	Common
	Value jsontext.Value // a text, a number or a boolean
	// Analyzer replaces the analyzer of the field, unless it is empty.
	Analyzer string
	// AllWhenEmpty says that a text of which the analyzer leaves nothing matches every document, and not none.
	AllWhenEmpty bool
}

// Words is how the words of a text are combined.
type Words struct {
	// All asks for every word, and not for any.
	All                bool
	MinimumShouldMatch MinimumShouldMatch
	// Lenient lets a value that does not suit the field match nothing, and not fail.
	Lenient bool
	Fuzzing
}

// Match matches documents whose field holds words of the text.
type Match struct {
	Full
	Words
	Field string
}

// MatchBoolPrefix is Match with the last word read as a prefix.
type MatchBoolPrefix struct {
	Full
	Words
	Field string
}

// MatchPhrase matches documents whose field holds the words of the text one behind the other, with up to Slop moves.
type MatchPhrase struct {
	Full
	Field string
	Slop  int
}

// MatchPhrasePrefix is MatchPhrase with the last word read as a prefix, which stands for up to MaxExpansions terms.
type MatchPhrasePrefix struct {
	Full
	Field         string
	Slop          int
	MaxExpansions int
}

// MultiMatchType is how the fields of a multi_match are combined.
type MultiMatchType uint8

// The types of multi_match.
const (
	// BestFields is a Match for each field; the best score counts, and the others by TieBreaker.
	BestFields MultiMatchType = iota
	// MostFields is the same with a TieBreaker of 1 unless the query says otherwise.
	MostFields
	// CrossFields looks for each word in all fields that have one analyzer, as if they were one field.
	CrossFields
	// Phrase is a MatchPhrase for each field, combined like those of BestFields.
	Phrase
	// PhrasePrefix is a MatchPhrasePrefix for each field, combined the same way.
	PhrasePrefix
	// BoolPrefix is a MatchBoolPrefix for each field, combined like those of MostFields.
	BoolPrefix
)

// MultiMatch looks for the words of a text in several fields.
type MultiMatch struct {
	Full
	Words
	Type MultiMatchType
	// Fields is ["*"] when the query names none.
	Fields     []WeightedField
	TieBreaker float64 // 0 to 1
	Slop       int
}

// WeightedField is a field of a multi_match.
type WeightedField struct {
	Pattern string // a name that may hold * as a wildcard
	Boost   float64
}

func (q *Full) option(m *node) error {
	switch m.name {
	case "query":
		return m.setValue(&q.Value)
	case "analyzer":
		return m.setText(&q.Analyzer)
	case "zero_terms_query":
		var word string
		err := m.setWord(&word, "none", "all")
		q.AllWhenEmpty = word == "all"
		return err
	default:
		return q.other(m)
	}
}

func (w *Words) option(m *node) (taken bool, err error) {
	switch m.name {
	case "operator":
		var word string
		err := m.setWord(&word, "or", "and")
		w.All = word == "and"
		return true, err
	case "minimum_should_match":
		return true, m.setMinimum(&w.MinimumShouldMatch)
	case "lenient":
		return true, m.setBool(&w.Lenient)
	case "auto_generate_synonyms_phrase_query": // no analyzer knows synonyms
		return true, m.setBool(new(bool))
	}
	return w.Fuzzing.option(m)
}

var plainWords = Words{Fuzzing: plainFuzzing}

// field reads {field: text} and {field: {query: text, …}}. more takes the options that only one clause has.
func (q *Full) field(n *node, field *string, more func(*node) (bool, error)) error {
	f, err := n.only("one field")
	if err != nil {
		return err
	}
	*field = f.name
	if f.kind() != '{' {
		return f.setValue(&q.Value)
	}
	for _, m := range f.children {
		taken, err := more(m)
		if !taken {
			err = q.option(m)
		}
		if err != nil {
			return err
		}
	}
	if q.Value == nil {
		return f.fail("expected a query")
	}
	return nil
}

func parseMatch(n *node) (Query, error) {
	q := &Match{Full: Full{Common: plain}, Words: plainWords}
	return q, q.field(n, &q.Field, q.Words.option)
}

func parseMatchBoolPrefix(n *node) (Query, error) {
	q := &MatchBoolPrefix{Full: Full{Common: plain}, Words: plainWords}
	return q, q.field(n, &q.Field, func(m *node) (bool, error) {
		switch m.name {
		case "lenient", "zero_terms_query", "auto_generate_synonyms_phrase_query":
			return true, m.unknownOption()
		}
		return q.Words.option(m)
	})
}

func parseMatchPhrase(n *node) (Query, error) {
	q := &MatchPhrase{Full: Full{Common: plain}}
	return q, q.field(n, &q.Field, func(m *node) (bool, error) {
		return m.name == "slop", setWhen(m, "slop", &q.Slop)
	})
}

func parseMatchPhrasePrefix(n *node) (Query, error) {
	q := &MatchPhrasePrefix{Full: Full{Common: plain}, MaxExpansions: defaultExpansions}
	return q, q.field(n, &q.Field, func(m *node) (bool, error) {
		if m.name == "max_expansions" {
			return true, m.setInt(&q.MaxExpansions, 1)
		}
		return m.name == "slop", setWhen(m, "slop", &q.Slop)
	})
}

const defaultExpansions = 50

// setWhen takes a whole number when the option has the name.
func setWhen(m *node, name string, to *int) error {
	if m.name != name {
		return nil
	}
	return m.setInt(to, 0)
}

func parseMultiMatch(n *node) (Query, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	q := &MultiMatch{Full: Full{Common: plain}, Words: plainWords, TieBreaker: -1}
	for _, m := range n.children {
		taken, err := q.Words.option(m)
		if !taken {
			err = q.option(m)
		}
		if err != nil {
			return nil, err
		}
	}
	if q.Value == nil {
		return nil, n.fail("expected a query")
	}
	if len(q.Fields) == 0 {
		q.Fields = []WeightedField{{"*", 1}}
	}
	return q, q.settle(n)
}

// settle checks what depends on the type, which may stand behind it.
func (q *MultiMatch) settle(n *node) error {
	phrase := q.Type == Phrase || q.Type == PhrasePrefix
	switch {
	case (phrase || q.Type == CrossFields) && q.Fuzziness.Set:
		return n.fail("this type cannot have fuzziness")
	case q.Type == BoolPrefix && q.Slop > 0:
		return n.fail("this type cannot have a slop")
	}
	if phrase { // Elasticsearch has no use for it there
		q.MinimumShouldMatch = MinimumShouldMatch{}
	}
	if q.TieBreaker < 0 {
		q.TieBreaker = q.Type.tieBreaker()
	}
	return nil
}

func (q *MultiMatch) option(m *node) error {
	switch m.name {
	case "fields":
		return m.setFields(&q.Fields)
	case "type":
		return m.setType(&q.Type)
	case "tie_breaker":
		return m.setTieBreaker(&q.TieBreaker)
	case "slop":
		return m.setInt(&q.Slop, 0)
	default:
		return q.Full.option(m)
	}
}

// multiMatchTypes are the names of the types, in their order.
var multiMatchTypes = []string{"best_fields", "most_fields", "cross_fields", "phrase", "phrase_prefix", "bool_prefix"}

func (n *node) setType(to *MultiMatchType) error {
	var word string
	if err := n.setWord(&word, multiMatchTypes...); err != nil {
		return err
	}
	*to = MultiMatchType(slices.Index(multiMatchTypes, word)) //nolint:gosec // it is one of them
	return nil
}

// setFields reads names such as "title^3".
func (n *node) setFields(to *[]WeightedField) error {
	var names []string
	if err := n.setTexts(&names); err != nil {
		return err
	}
	if len(names) > maxClauses {
		return n.fail("more than %d fields", maxClauses)
	}
	for _, name := range names {
		f := WeightedField{name, 1}
		if i := strings.IndexByte(name, '^'); i >= 0 {
			weight := node{raw: jsontext.Value(`"` + name[i+1:] + `"`)}
			if weight.setBoost(&f.Boost) != nil {
				return n.fail("the weight of %q is not a number from 0 to %g", name, math.MaxFloat32)
			}
			f.Pattern = name[:i]
		}
		if f.Pattern == "" {
			return n.fail("a field has no name")
		}
		*to = append(*to, f)
	}
	return nil
}
