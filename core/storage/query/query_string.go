package query

import (
	"strings"

	"github.com/sluicehq/sluice/core/storage/query/dates"
)

// Phrasing is what the clauses have in common whose text is written in a small language of its own.
type Phrasing struct {
	Common
	// Members are what the text consists of.
	Members []Member
	// Fields are those in which is looked for what names no field, ["*"] when the query names none.
	Fields []WeightedField
	// Analyzer replaces the analyzers of the fields, unless it is empty.
	Analyzer string
	// QuoteSuffix makes of the name of a field the name of the one in which phrases are looked for, where there is such a field.
	QuoteSuffix string
	// All asks for every word, and not for any, where the text says nothing.
	All                bool
	MinimumShouldMatch MinimumShouldMatch
	// Lenient lets what does not suit a field match nothing there, and not fail.
	Lenient bool
	// SplitPrefixes takes a text before * apart like any other.
	SplitPrefixes bool
	Fuzzing
}

// QueryString matches what its text describes in the language of Lucene, such as title:(quick OR "brown fox"~2) -lazy.
type QueryString struct { //nolint:revive // the clause has this name
	Phrasing
	// Named says that the one of Fields counts as if the text named it everywhere.
	Named bool
	// Type is how the fields are combined.
	Type       MultiMatchType
	TieBreaker float64 // 0 to 1
	// QuoteAnalyzer is the analyzer of phrases, empty for that of all texts.
	QuoteAnalyzer string
	// Slop is that of phrases in Fields that come from texts without quotes.
	Slop int
	// TimeZone is the zone of dates that name none, empty for UTC.
	TimeZone string
	// MaxStates bounds the work that a regular expression may cause.
	MaxStates int
}

// Join is how a member of a text belongs to the one before it.
type Join uint8

// The joins.
const (
	NoJoin  Join = iota
	AndJoin      // AND, or + of a SimpleQueryString
	OrJoin       // OR, or | of a SimpleQueryString
	// Unjoin takes back the join that was said before. Only a SimpleQueryString has it.
	Unjoin
)

// Sign is what a text says of a member alone.
type Sign uint8

// The signs.
const (
	NoSign Sign = iota
	Required
	Excluded
)

// Member is a part of a text or of a group with how it belongs to the others.
type Member struct {
	Join Join
	Sign Sign
	// Run says that the piece is several words in a row, which count one by one.
	Run bool
	// Piece is nil in a SimpleQueryString where only Join is said.
	Piece *Piece
}

// PieceKind is what a piece looks for.
type PieceKind uint8

// The kinds of pieces.
const (
	TextPiece PieceKind = iota
	PhrasePiece
	PrefixPiece
	WildcardPiece
	RegexpPiece
	FuzzyPiece
	RangePiece
	GroupPiece
)

// Piece is one thing that a text looks for.
type Piece struct {
	Kind PieceKind
	// Field is the field that the text names, or a pattern of fields; empty for those of the clause.
	Field string
	// Text is what is looked for. That of a WildcardPiece and a RegexpPiece still has its escapes.
	Text  string
	Boost float64
	// Slop is that of a PhrasePiece.
	Slop int
	// Fuzziness is that of a FuzzyPiece.
	Fuzziness    Fuzziness
	Lower, Upper Bound    // of a RangePiece
	Members      []Member // of a GroupPiece
}

// Forgiving matches what Query does, and nothing where that does not suit the mapping. No query is written so: engines make it of
// parts of a Phrasing that is lenient.
type Forgiving struct {
	Common
	Query Query
}

// DefaultExpansions is how many terms the beginning of a word stands for at the end of a phrase, when the query does not say.
const DefaultExpansions = defaultExpansions

// everyField is the pattern of all fields.
const everyField = "*"

// phrasingOptions are what the options of a Phrasing and its text stand for until all are read.
type phrasingOptions struct {
	text    *node
	lenient bool // the query says whether it is
}

func newPhrasing() Phrasing { return Phrasing{Common: plain, Fuzzing: plainFuzzing} }

// option takes the options that both clauses have.
func (q *Phrasing) option(m *node, o *phrasingOptions) error {
	switch m.name {
	case "query":
		if !m.is(`"0tf`) {
			return m.fail("expected a text")
		}
		o.text = m
		return nil
	case "fields":
		if m.kind() != '[' {
			return m.fail("expected a list of fields")
		}
		return m.setFields(&q.Fields)
	case "analyzer":
		return m.setScalarText(&q.Analyzer)
	case "quote_field_suffix":
		return m.setScalarText(&q.QuoteSuffix)
	case "default_operator":
		var word string
		err := m.setWord(&word, "or", "and")
		q.All = word == "and"
		return err
	case "minimum_should_match":
		return m.setMinimum(&q.MinimumShouldMatch)
	case "lenient":
		o.lenient = true
		return m.setBool(&q.Lenient)
	case "analyze_wildcard":
		return m.setBool(&q.SplitPrefixes)
	case "auto_generate_synonyms_phrase_query": // no analyzer knows synonyms
		return m.setBool(new(bool))
	case "fuzzy_prefix_length":
		return m.setInt(&q.PrefixLength, 0)
	case "fuzzy_max_expansions":
		return m.setInt(&q.MaxExpansions, 1)
	case "fuzzy_transpositions":
		return m.setBool(&q.Swaps)
	}
	return q.other(m)
}

// settle gives what the query leaves out, once all options are known.
func (q *Phrasing) settle(n *node, o *phrasingOptions) error {
	if o.text == nil {
		return n.fail("expected a query")
	}
	if len(q.Fields) == 0 {
		q.Fields = []WeightedField{{everyField, 1}}
	}
	if !o.lenient {
		for _, f := range q.Fields {
			q.Lenient = q.Lenient || f.Pattern == everyField
		}
	}
	return nil
}

// queryStringOptions are those of a query_string until all are read.
type queryStringOptions struct {
	phrasingOptions
	leading      bool // a wildcard may be the first character
	escape       bool
	defaultField string
}

func (p *parser) parseQueryString(n *node) (Query, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	q := &QueryString{Phrasing: newPhrasing(), TieBreaker: -1, MaxStates: defaultStates}
	q.Fuzziness = autoFuzziness
	o := &queryStringOptions{leading: true}
	for _, m := range n.children {
		if err := q.option(m, o); err != nil {
			return nil, err
		}
	}
	if err := q.settle(n, o); err != nil {
		return nil, err
	}
	text := Text(o.text.raw)
	if o.escape {
		text = escaped(text)
	}
	if strings.TrimSpace(text) == "" {
		return q, nil
	}
	var err error
	q.Members, err = p.readQueryString(o.text, text, stringRules{q.Fuzziness, q.Slop, o.leading})
	return q, err
}

func (q *QueryString) option(m *node, o *queryStringOptions) error {
	switch m.name {
	case "default_field":
		return m.setScalarText(&o.defaultField)
	case "quote_analyzer":
		return m.setScalarText(&q.QuoteAnalyzer)
	case "type":
		return m.setType(&q.Type)
	case "tie_breaker":
		return m.setTieBreaker(&q.TieBreaker)
	case "phrase_slop":
		return m.setInt(&q.Slop, 0)
	case "time_zone":
		return m.setZone(&q.TimeZone)
	case "max_determinized_states":
		return m.setInt(&q.MaxStates, 1)
	case "allow_leading_wildcard":
		return m.setBool(&o.leading)
	case "escape":
		return m.setBool(&o.escape)
	case "enable_position_increments":
		return m.setEnabled()
	case "fuzziness":
		return m.setFuzziness(&q.Fuzziness)
	case "rewrite", "fuzzy_rewrite":
		return m.setWord(new(string), rewrites...)
	}
	return q.Phrasing.option(m, &o.phrasingOptions)
}

// setEnabled takes an option that cannot be turned off.
func (n *node) setEnabled() error {
	on := true
	if err := n.setBool(&on); err != nil {
		return err
	}
	if !on {
		return n.unsupported()
	}
	return nil
}

func (q *QueryString) settle(n *node, o *queryStringOptions) error {
	switch {
	case o.defaultField != "" && len(q.Fields) > 0:
		return n.fail("fields cannot stand beside default_field")
	case o.defaultField != "":
		q.Fields = []WeightedField{{o.defaultField, 1}}
	}
	q.Named = o.defaultField != "" || len(q.Fields) == 0
	if q.TieBreaker < 0 {
		q.TieBreaker = q.Type.tieBreaker()
	}
	return q.Phrasing.settle(n, &o.phrasingOptions)
}

// tieBreaker is how much the scores of other fields than the best one count, unless the query says it.
func (t MultiMatchType) tieBreaker() float64 {
	if t == MostFields || t == BoolPrefix {
		return 1
	}
	return 0
}

// setZone takes a time zone that exists.
func (n *node) setZone(to *string) error {
	if err := n.setText(to); err != nil {
		return err
	}
	if _, err := dates.Zone(*to); err != nil {
		return n.fail("%v", err)
	}
	return nil
}

// escaped takes its meaning from every character of a text that has one in the language.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune(`\+-!():^[]"{}~*?|&/`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// fields adds the fields that the clause asks for, those that its text names too.
func (q *Phrasing) fields(list []string) []string {
	for _, f := range q.Fields {
		list = append(list, f.Pattern)
	}
	return named(list, q.Members)
}

func named(list []string, members []Member) []string {
	for _, m := range members {
		if m.Piece == nil {
			continue
		}
		if m.Piece.Field != "" {
			list = append(list, m.Piece.Field)
		}
		list = named(list, m.Piece.Members)
	}
	return list
}
