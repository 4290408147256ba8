package search

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/embedded/search/automaton"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// corrections gives for every word of a text the terms of a field that are near to it.
func corrections(ctx context.Context, t *target, f *mapping.Field, analyzer *analysis.Analyzer, s *query.Suggestion) ([]SuggestEntry, error) {
	words, err := t.words(s, f, analyzer)
	if err != nil {
		return nil, err
	}
	c := newCorrector(f, s.Terms, s.ShardSize)
	for _, w := range words {
		c.add(w.Term)
	}
	if err := c.run(ctx, t); err != nil {
		return nil, err
	}
	entries := make([]SuggestEntry, len(words))
	from, offset := 0, 0
	for i, w := range words {
		offset += units(s.Text[from:min(int(w.Start), len(s.Text))])
		from = min(int(w.Start), len(s.Text))
		end := min(int(w.End), len(s.Text))
		entries[i] = SuggestEntry{
			Text: string(w.Term), Offset: offset, Length: units(s.Text[from:end]),
			Options: slices.Clone(c.words[string(w.Term)].options),
		}
	}
	return entries, nil
}

// compareTerms orders options as Lucene's spell checker does.
func compareTerms(byFrequency bool) func(a, b SuggestOption) int {
	return func(a, b SuggestOption) int {
		score, freq := cmp.Compare(b.Score, a.Score), cmp.Compare(b.Freq, a.Freq)
		if byFrequency {
			score, freq = freq, score
		}
		return cmp.Or(score, freq, strings.Compare(a.Text, b.Text))
	}
}

// corrector finds the terms of a field that are near to words.
type corrector struct {
	field *mapping.Field
	how   *query.TermSuggester
	most  int
	words map[string]*misspelt
	// floor stands for how.MinDocuments unless it is nil.
	floor func(word []byte) float32
	// docs is how many documents there are, nested and dead ones included.
	docs uint64
	// edits is how many changes are looked for now.
	edits int
}

// misspelt is a word with the terms near to it.
type misspelt struct {
	word []byte
	docs uint64 // that hold the word
	near *automaton.Near
	// found has the terms so far, and options what they come to.
	found   map[string]*nearTerm
	options []SuggestOption
	// least is how many documents an option is held by, at least one more.
	least uint64
	over  bool // nothing more is looked for
}

type nearTerm struct {
	edits int
	docs  uint64
}

// maxMisspelt is how many characters a word may have to be corrected.
const maxMisspelt = 256

func newCorrector(f *mapping.Field, how *query.TermSuggester, most int) *corrector {
	return &corrector{field: f, how: how, most: most, words: map[string]*misspelt{}}
}

func (c *corrector) add(word []byte) {
	if c.words[string(word)] == nil {
		n := utf8.RuneCount(word)
		c.words[string(word)] = &misspelt{word: word, over: n < c.how.MinLength || n > maxMisspelt}
	}
}

// run looks for terms one change away, and two away when that does not give enough.
func (c *corrector) run(ctx context.Context, t *target) error {
	if err := t.each(ctx, c.count); err != nil {
		return err
	}
	for _, w := range c.words {
		c.limit(w)
	}
	for c.edits = 1; c.edits <= c.how.Edits; c.edits++ {
		for _, w := range c.words {
			w.near = automaton.NewNear(string(w.word), c.edits, max(c.how.PrefixLength, c.edits-1), true)
			w.found = map[string]*nearTerm{}
		}
		if err := t.each(ctx, c.expand); err != nil {
			return err
		}
		for _, w := range c.words {
			c.settle(w)
		}
	}
	for _, w := range c.words {
		slices.SortFunc(w.options, compareTerms(c.how.ByFrequency))
		w.options = w.options[:min(c.most, len(w.options))]
	}
	return nil
}

// count finds out how many documents of a view there are, and how many hold each word.
func (c *corrector) count(v *view) error {
	c.docs += uint64(v.n)
	for f := range v.target.Mapping.All() {
		if f.Type == mapping.Nested {
			n, err := v.space(f.Path)
			if err != nil {
				return err
			}
			c.docs += uint64(n)
		}
	}
	f, err := v.field(c.field)
	if f == nil || f.Terms == nil || err != nil {
		return err
	}
	for _, w := range c.words {
		if ord, ok := f.Terms.Find(w.word); ok {
			w.docs += uint64(f.Terms.DocFreq(ord)) //nolint:gosec // not negative
		}
	}
	return nil
}

// limit says whether there are options for a word, and how many documents must hold them.
func (c *corrector) limit(w *misspelt) {
	most := float64(c.how.MaxDocuments)
	if most < 1 {
		most = math.Ceil(float64(c.how.MaxDocuments * float32(c.docs)))
	}
	if w.over = w.over || c.how.Mode == query.SuggestMissing && w.docs > 0 || float64(w.docs) > most; w.over {
		return
	}
	if c.how.Mode == query.SuggestPopular {
		w.least = w.docs
	}
	least := c.how.MinDocuments
	if c.floor != nil {
		least = c.floor(w.word)
	}
	switch {
	case least >= 1:
		w.least = max(w.least, uint64(least))
	case least > 0:
		w.least = max(w.least, uint64(max(0, int64(least*float32(c.docs))-1)))
	}
}

// expand looks at the terms of a view.
func (c *corrector) expand(v *view) error {
	f, err := v.field(c.field)
	if f == nil || f.Terms == nil || err != nil {
		return err
	}
	for _, w := range c.words {
		if w.over {
			continue
		}
		found := len(w.found)
		for ord := range f.Terms.Between(w.near.Prefix(), behind(w.near.Prefix()), w.near) {
			if v.ended(1) {
				return v.ctx.Err()
			}
			w.take(f.Terms.Term(ord), uint64(f.Terms.DocFreq(ord))) //nolint:gosec // not negative
		}
		if err := v.target.walked(c.field, w.near); err != nil {
			return err
		}
		if err := v.target.charge(len(w.found)-found, termBytes); err != nil {
			return err
		}
	}
	return nil
}

func (w *misspelt) take(term []byte, docs uint64) {
	if bytes.Equal(term, w.word) {
		return
	}
	there := w.found[string(term)]
	if there == nil {
		edits, ok := w.near.Distance(term)
		if !ok {
			return
		}
		there = &nearTerm{edits: edits}
		w.found[string(term)] = there
	}
	there.docs += docs
}

// settle makes options of the nearest terms.
func (c *corrector) settle(w *misspelt) {
	if w.over {
		return
	}
	inspections := c.most * c.how.Inspections
	list := make([]SuggestOption, 0, len(w.found))
	for term, found := range w.found {
		if found.docs <= w.least {
			continue
		}
		score := 1 - float32(found.edits)/float32(min(w.near.Len(), utf8.RuneCountInString(term)))
		if measure := measures[c.how.Distance]; measure != nil {
			score = measure([]rune(string(w.word)), []rune(term))
		}
		if score >= c.how.Accuracy {
			list = append(list, SuggestOption{Text: term, Score: score, Freq: found.docs})
		}
	}
	slices.SortFunc(list, func(a, b SuggestOption) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.Text, b.Text))
	})
	w.options = distinct(append(w.options, list[:min(inspections, len(list))]...))
	w.over = len(w.options) >= inspections
	w.found = nil
}
