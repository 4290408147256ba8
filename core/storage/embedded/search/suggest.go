package search

import (
	"context"
	"slices"

	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// Suggested answers a suggestion.
type Suggested struct {
	Name    string
	Entries []SuggestEntry
	// Completes says that the options are documents, and Phrases that they are texts of words.
	Completes, Phrases bool
}

// SuggestEntry is a word or a text with what it may become.
type SuggestEntry struct {
	Text           string
	Offset, Length int // in UTF-16 units
	Options        []SuggestOption
	// least is what a phrase must score more than.
	least float64
}

// SuggestOption is what a text may become: a term that Freq documents hold, a text of the document with an id in a target, or a phrase.
type SuggestOption struct {
	Text  string
	Score float32
	Freq  uint64
	// Highlighted is Text with what was replaced between tags, nil when none are wanted.
	Highlighted *string

	Target int
	ID     string
}

// What suggestions need of memory, roughly.
const (
	optionBytes = 256
	termBytes   = 128
)

// suggest answers the suggestions of a search.
func suggest(ctx context.Context, targets []Target, list []query.Suggestion) ([]Suggested, error) {
	shared := newSession(ctx)
	all := make([]Suggested, 0, len(list))
	for i := range list {
		s := &list[i]
		if err := shared.charge(2*s.ShardSize*len(targets), optionBytes); err != nil {
			return nil, err
		}
		one := Suggested{Name: s.Name, Completes: s.Completion != nil, Phrases: s.Phrases != nil}
		for number, t := range targets {
			entries, err := suggestIn(ctx, &target{Target: t, session: shared}, s)
			if err != nil {
				return nil, err
			}
			for i := range entries {
				for j := range entries[i].Options {
					entries[i].Options[j].Target = number
				}
			}
			one.merge(entries)
		}
		one.settle(s, len(targets))
		all = append(all, one)
	}
	return all, nil
}

// suggestIn gives the entries of one target.
func suggestIn(ctx context.Context, t *target, s *query.Suggestion) ([]SuggestEntry, error) {
	f := t.Mapping.Resolve(s.Field)
	if f == nil || f.Type == mapping.Object || f.Type == mapping.Nested {
		return nil, refuse("suggest.%s: no mapping found for field [%s]", s.Name, s.Field)
	}
	name := s.Analyzer
	if name == "" {
		name = "keyword"
		if f.Type == mapping.Text || f.Type == mapping.Completion {
			name = f.QueryAnalyzer()
		}
	}
	analyzer, ok := t.Mapping.Analyzer(name)
	if !ok {
		return nil, refuse("suggest.%s: there is no analyzer [%s]", s.Name, name)
	}
	switch {
	case s.Completion != nil:
		return completions(ctx, t, f, analyzer, s)
	case s.Phrases != nil:
		return phrases(ctx, t, f, analyzer, s)
	}
	return corrections(ctx, t, f, analyzer, s)
}

// merge adds what another target gives: to the entries that are there, when they are about the same words.
func (s *Suggested) merge(entries []SuggestEntry) {
	for i, e := range entries {
		if i >= len(s.Entries) {
			s.Entries = append(s.Entries, e)
			continue
		}
		there := &s.Entries[i]
		if there.Text != e.Text || there.Offset != e.Offset {
			continue
		}
		there.least = max(there.least, e.least)
		for _, o := range e.Options {
			same := func(other SuggestOption) bool { return other.Text == o.Text }
			if j := slices.IndexFunc(there.Options, same); j >= 0 && !s.Completes {
				there.Options[j].add(o, s.Phrases)
				continue
			}
			there.Options = append(there.Options, o)
		}
	}
}

// add adds the same text from another target, whose score counts when it is a phrase.
func (o *SuggestOption) add(other SuggestOption, phrase bool) {
	o.Freq += other.Freq
	if phrase {
		o.Score = max(o.Score, other.Score)
	}
}

// settle puts the options of so many targets in order and leaves out what is too many. The phrases of one are in order: by scores
// that are more exact than those shown.
func (s *Suggested) settle(of *query.Suggestion, targets int) {
	compare := compareCompletions
	if of.Terms != nil {
		compare = compareTerms(of.Terms.ByFrequency)
	}
	for i := range s.Entries {
		e := &s.Entries[i]
		if s.Phrases {
			e.Options = slices.DeleteFunc(e.Options, func(o SuggestOption) bool { return float64(o.Score) <= e.least })
		}
		if !s.Phrases || targets > 1 {
			slices.SortStableFunc(e.Options, compare)
		}
		if of.Completion != nil && of.Completion.SkipDuplicates {
			e.Options = distinct(e.Options)
		}
		e.Options = e.Options[:min(of.Size, len(e.Options))]
	}
}

// distinct leaves the first option with each text.
func distinct(options []SuggestOption) []SuggestOption {
	seen := map[string]bool{}
	return slices.DeleteFunc(options, func(o SuggestOption) bool {
		before := seen[o.Text]
		seen[o.Text] = true
		return before
	})
}

// words gives the words of a text that is corrected, which are bounded as those of a clause are.
func (t *target) words(s *query.Suggestion, f *mapping.Field, analyzer *analysis.Analyzer) ([]analysis.Token, error) {
	text := []byte(s.Text)
	if f.Type == mapping.Keyword && s.Analyzer == "" {
		text = f.Normalize(t.texts, text)
	}
	tokens := analyzer.Tokens(t.texts, text, nil)
	if err := t.spent(); err != nil {
		return nil, err
	}
	if len(tokens) > maxWords {
		return nil, refuse("suggest.%s: the text has more than %d words", s.Name, maxWords)
	}
	return tokens, t.charge(len(tokens), wordBytes)
}

// units is the length of a text in UTF-16.
func units(text string) int {
	n := 0
	for _, c := range text {
		if n++; c > 0xffff {
			n++
		}
	}
	return n
}
