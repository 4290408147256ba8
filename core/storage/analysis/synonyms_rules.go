package analysis

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// synonymRules are the rules of a filter of synonyms as they are written: "a, b" and "a => b".
type synonymRules struct {
	lines []string
	// expand makes all words of a rule without an arrow stand for each other; otherwise the first one stands for all.
	expand, lenient bool
	// single says that only rules of single words are taken.
	single bool
	// budget is that of all rules of the collection.
	budget *Budget
}

// maxSynonyms is how many words the rules of a filter may stand for, all together.
const maxSynonyms = 100_000

func (r *reading) synonyms(kind string) *synonymRules {
	if r.text("format", "solr") != "solr" {
		r.fail("format", "only solr is supported")
	}
	s := &synonymRules{lines: r.list("synonyms"), expand: r.flagOr("expand", true), lenient: r.flag("lenient"), single: kind == "synonym_graph"}
	if s.lines == nil {
		r.fail("synonyms", "it is missing; synonyms_path and synonyms_set are not supported")
	}
	for _, line := range s.lines {
		if len(splitRule(line, "=>")) > 2 {
			r.fail("synonyms", "%q has more than one arrow", line)
		}
	}
	return s
}

var errAllSynonyms = errors.New("the synonyms of all analyzers are too many: write fewer rules, or use them in fewer analyzers")

// read makes a filter of the rules, whose words go through before.
func (s *synonymRules) read(before *custom) (*synonyms, error) {
	known := &synonyms{root: &synonym{}, before: s.single, budget: s.budget}
	for _, line := range s.lines {
		if line == "" || line[0] == '#' {
			continue
		}
		err := s.rule(known, line, before)
		if s.budget.Err() != nil {
			return nil, errAllSynonyms
		}
		if err != nil {
			return nil, fmt.Errorf("the rule %q: %w", line, err)
		}
	}
	return known, nil
}

func (s *synonymRules) rule(known *synonyms, line string, before *custom) error {
	sides := splitRule(line, "=>")
	if len(sides) == 0 {
		return nil
	}
	from, err := s.phrases(sides[0], before)
	if err != nil {
		return err
	}
	if len(sides) == 2 {
		to, err := s.phrases(sides[1], before)
		if err != nil {
			return err
		}
		return known.all(from, to, false)
	}
	if !s.expand {
		return known.all(from, from[:min(1, len(from))], false)
	}
	for i, phrase := range from {
		for j, other := range from {
			if i == j {
				continue
			}
			if err := known.add(phrase, other, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// phrases gives the words of every alternative of a side.
func (s *synonymRules) phrases(side string, before *custom) ([][][]byte, error) {
	var list [][][]byte
	for _, alternative := range splitRule(side, ",") {
		terms, err := s.terms(strings.TrimSpace(unslashed(alternative)), before)
		switch {
		case err != nil && s.lenient:
			continue
		case err != nil:
			return nil, err
		case s.single && len(terms) > 1:
			return nil, fmt.Errorf("%q has several words, which synonym_graph does not support yet: use synonym", alternative)
		}
		list = append(list, terms)
	}
	return list, nil
}

func (s *synonymRules) terms(text string, before *custom) ([][]byte, error) {
	tokens := (&Analyzer{custom: before}).Tokens(s.budget, []byte(text), nil)
	if len(tokens) == 0 {
		return nil, fmt.Errorf("the filters before leave nothing of %q", text)
	}
	terms := make([][]byte, len(tokens))
	for i, t := range tokens {
		if int(t.Position) != i {
			return nil, fmt.Errorf("the filters before leave a word of %q out, or make several of one", text)
		}
		terms[i] = bytes.Clone(t.Term)
	}
	return terms, nil
}

// splitRule splits at a separator that no backslash stands before. Empty parts are left out.
func splitRule(line, separator string) []string {
	var parts []string
	var part strings.Builder
	flush := func() {
		if part.Len() > 0 {
			parts = append(parts, part.String())
		}
		part.Reset()
	}
	for line != "" {
		if rest, ok := strings.CutPrefix(line, separator); ok {
			flush()
			line = rest
			continue
		}
		n := 1
		if line[0] == '\\' {
			n = min(2, len(line))
		}
		part.WriteString(line[:n])
		line = line[n:]
	}
	flush()
	return parts
}

// unslashed takes backslashes away that make a character one like others.
func unslashed(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
		}
		out.WriteByte(text[i])
	}
	return out.String()
}
