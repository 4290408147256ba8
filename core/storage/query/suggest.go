package query

import (
	"slices"
	"strings"

	"github.com/sluicehq/sluice/core/storage"
)

// maxSuggestions is how many suggestions a search may ask for.
const maxSuggestions = 64

// Suggestion asks for what a text may become. One of Completion, Terms and Phrases is not nil.
type Suggestion struct {
	Name string
	// Text is what the answer shows as the text.
	Text  string
	Field string
	// Analyzer takes Text apart; empty is that of searches in the field.
	Analyzer string
	// Size is how many options are shown, and ShardSize how many each collection gives.
	Size, ShardSize int
	Completion      *Completion
	Terms           *TermSuggester
	Phrases         *PhraseSuggester
}

// Completion asks for the texts of a completion field that begin with the words of a text.
type Completion struct {
	// Prefix is that text, or an expression that the words must begin with.
	Prefix string
	Regexp bool
	// Flags and MaxStates are those of an expression.
	Flags     string
	MaxStates int
	// Fuzzy is nil when the words must be the same.
	Fuzzy          *FuzzyCompletion
	SkipDuplicates bool
}

// FuzzyCompletion says how a text may differ from the prefix.
type FuzzyCompletion struct {
	Edits int
	Swaps bool
	// Prefixes shorter than MinLength must be the same, and of longer ones the first PrefixLength characters.
	MinLength, PrefixLength int
	// Unicode counts characters, otherwise bytes are counted.
	Unicode bool
}

// usualOptions is how many options a suggestion shows that does not say.
const usualOptions = 5

// parseSuggest reads {"text": …, "<name>": {…}}.
func parseSuggest(n *node) ([]Suggestion, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	if err := refuseScripts(n); err != nil {
		return nil, err
	}
	var text *string
	var list []Suggestion
	for _, m := range n.children {
		if m.name == "text" && m.kind() != '{' {
			text = new(string)
			if err := m.setScalarText(text); err != nil {
				return nil, err
			}
		}
	}
	for _, m := range n.children {
		if m.name == "text" && m.kind() != '{' {
			continue
		}
		s, err := parseSuggestion(m, text)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if len(list) > maxSuggestions {
		return nil, n.fail("more than %d suggestions", maxSuggestions)
	}
	return list, nil
}

// suggesters are those that there are.
var suggesters = []string{"completion", "term", "phrase"}

// parseSuggestion reads {"text" or "prefix" or "regex": …, "<suggester>": {…}}. text is that of all suggestions, or nil.
func parseSuggestion(n *node, text *string) (Suggestion, error) {
	s := Suggestion{Name: n.name, Size: usualOptions}
	if err := n.wantObject(); err != nil {
		return s, err
	}
	var how *node
	var prefix, expression *string
	for _, m := range n.children {
		var err error
		switch {
		case m.name == "text":
			text, err = m.scalarText()
		case m.name == "prefix":
			prefix, err = m.scalarText()
		case m.name == "regex":
			expression, err = m.scalarText()
		case slices.Contains(suggesters, m.name) && how == nil:
			how = m
		default:
			err = m.unknownOption()
		}
		if err != nil {
			return s, err
		}
	}
	switch {
	case how == nil:
		return s, n.fail("expected one of %s", strings.Join(suggesters, ", "))
	case text == nil && prefix == nil && expression == nil:
		return s, n.fail("expected a text")
	}
	if err := how.wantObject(); err != nil {
		return s, err
	}
	s.setText(text, prefix, expression)
	switch how.name {
	case "completion":
		s.Completion = newCompletion(s.Text, prefix, expression)
	case "term":
		s.Terms = newTermSuggester()
	default:
		s.Phrases = newPhraseSuggester()
	}
	return s, s.options(how)
}

func newCompletion(text string, prefix, expression *string) *Completion {
	c := &Completion{Prefix: text, Flags: "ALL", MaxStates: 10000}
	switch {
	case prefix != nil:
		c.Prefix = *prefix
	case expression != nil:
		c.Prefix, c.Regexp = *expression, true
	}
	return c
}

func (n *node) scalarText() (*string, error) {
	var text string
	return &text, n.setScalarText(&text)
}

// setText takes the first text that there is.
func (s *Suggestion) setText(texts ...*string) {
	for _, text := range texts {
		if text != nil {
			s.Text = *text
			return
		}
	}
}

func (s *Suggestion) options(n *node) error {
	for _, m := range n.children {
		var err error
		switch m.name {
		case "field":
			err = m.setText(&s.Field)
		case "analyzer":
			err = m.setText(&s.Analyzer)
		case "size":
			err = m.setOptionCount(&s.Size)
		case "shard_size":
			err = m.setOptionCount(&s.ShardSize)
		default:
			err = s.option(m)
		}
		if err != nil {
			return err
		}
	}
	if s.Field == "" {
		return n.fail("expected a field")
	}
	if s.ShardSize == 0 {
		s.ShardSize = max(s.Size, usualOptions)
	}
	return nil
}

// option takes an option that only one suggester has.
func (s *Suggestion) option(m *node) error {
	switch {
	case s.Completion != nil:
		return s.Completion.option(m)
	case s.Terms != nil:
		return s.Terms.option(m)
	}
	return s.Phrases.option(m)
}

// setOptionCount takes a number of options, which is bounded as that of hits is.
func (n *node) setOptionCount(to *int) error {
	if err := n.setInt(to, 1); err != nil {
		return err
	}
	if *to > storage.MaxWindow {
		return n.fail("expected at most %d", storage.MaxWindow)
	}
	return nil
}

func (c *Completion) option(m *node) error {
	switch m.name {
	case "skip_duplicates":
		return m.setBool(&c.SkipDuplicates)
	case "fuzzy":
		return c.setFuzzy(m)
	case "regex":
		return c.setRegexp(m)
	case "contexts":
		return m.unsupported()
	}
	return m.unknownOption()
}

func (c *Completion) setFuzzy(n *node) error {
	f := &FuzzyCompletion{Edits: 1, Swaps: true, MinLength: 3, PrefixLength: 1}
	if n.kind() != '{' {
		var wanted bool
		if err := n.setBool(&wanted); err != nil || !wanted {
			return err
		}
	}
	if c.Regexp {
		return n.fail("an expression cannot be fuzzy: give a prefix")
	}
	c.Fuzzy = f
	for _, m := range n.children {
		if err := f.option(m); err != nil {
			return err
		}
	}
	return nil
}

func (f *FuzzyCompletion) option(m *node) error {
	switch m.name {
	case "fuzziness":
		var fuzziness Fuzziness
		err := m.setFuzziness(&fuzziness)
		f.Edits = fuzziness.fixed()
		return err
	case "transpositions":
		return m.setBool(&f.Swaps)
	case "min_length":
		return m.setInt(&f.MinLength, 0)
	case "prefix_length":
		return m.setInt(&f.PrefixLength, 0)
	case "unicode_aware":
		return m.setBool(&f.Unicode)
	case "max_determinized_states":
		return m.setInt(new(int), 1)
	}
	return m.unknownOption()
}

// fixed is how many changes there may be whatever the length: of AUTO one, as in Elasticsearch.
func (f Fuzziness) fixed() int {
	switch {
	case f.two == always && f.one == always:
		return 2
	case f.one == never:
		return 0
	}
	return 1
}

func (c *Completion) setRegexp(n *node) error {
	if err := n.wantObject(); err != nil {
		return err
	}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "flags":
			err = m.setText(&c.Flags)
		case "max_determinized_states":
			err = m.setInt(&c.MaxStates, 1)
		default:
			err = m.unknownOption()
		}
		if err != nil {
			return err
		}
	}
	return nil
}
