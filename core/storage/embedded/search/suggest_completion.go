package search

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/blevesearch/vellum"

	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/embedded/search/automaton"
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// completions gives the texts of a target that a prefix can be completed to.
func completions(ctx context.Context, t *target, f *mapping.Field, analyzer *analysis.Analyzer, s *query.Suggestion) ([]SuggestEntry, error) {
	switch {
	case f.Type != mapping.Completion:
		return nil, refuse("suggest.%s: field [%s] is not a completion suggest field", s.Name, s.Field)
	case f.Nested != segment.Root:
		return nil, refuse("suggest.%s: field [%s] is in a nested object, which cannot be completed", s.Name, s.Field)
	}
	starts, err := t.starts(f, analyzer, s)
	if err != nil {
		return nil, err
	}
	c := &completer{field: f, starts: starts, most: s.ShardSize, distinct: s.Completion.SkipDuplicates}
	if err := t.each(ctx, c.search); err != nil {
		return nil, err
	}
	e := SuggestEntry{Text: s.Text, Length: units(s.Text), Options: make([]SuggestOption, 0, len(c.best))}
	slices.SortFunc(c.best, completed.compareShown)
	for _, b := range c.best {
		e.Options = append(e.Options, SuggestOption{Text: b.text, Score: b.score, ID: b.id})
	}
	return []SuggestEntry{e}, nil
}

func compareCompletions(a, b SuggestOption) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.Text, b.Text))
}

// start is one way in which terms may begin.
type start struct {
	from, to  []byte
	automaton vellum.Automaton // nil: every term between from and to
	// near is what automaton asks when changes are allowed, and word what it is near to; see boost.
	near *nearStart
}

// starts gives the ways in which the terms of a field may begin.
func (t *target) starts(f *mapping.Field, analyzer *analysis.Analyzer, s *query.Suggestion) ([]start, error) {
	how := s.Completion
	if how.Prefix == "" {
		return nil, nil
	}
	if how.Regexp {
		a, err := t.automaton(f.Path, pattern{clause: "regexp", text: how.Prefix, flags: how.Flags, states: how.MaxStates})
		return []start{{automaton: beginning{a}}}, err
	}
	paths, err := f.CompletionPaths(t.texts, analyzer, []byte(how.Prefix))
	if spent := t.spent(); spent != nil {
		return nil, spent
	}
	if err != nil {
		return nil, refuse("suggest.%s: cannot complete the text: %v", s.Name, err)
	}
	list := make([]start, len(paths))
	for i, path := range paths {
		if err := t.charge(1, wordBytes+len(path)); err != nil {
			return nil, err
		}
		if how.Fuzzy == nil {
			list[i] = start{from: path, to: behind(path)}
			continue
		}
		near := newNearStart(path, how.Fuzzy)
		list[i] = start{automaton: beginning{near}, near: near}
	}
	return list, nil
}

// completer keeps the best of what it finds.
type completer struct {
	field    *mapping.Field
	starts   []start
	most     int
	distinct bool
	best     []completed
	views    int
	// floor and floorPath are those of the last one that counted when there were enough.
	floor     float32
	floorPath string
}

// completed is a text of a document.
type completed struct {
	score      float32
	path, text string
	id         string
	view       int
	doc        uint32
}

// compare orders as Elasticsearch collects: what comes first of a document stands for it.
func (c completed) compare(other completed) int {
	return cmp.Or(cmp.Compare(other.score, c.score), strings.Compare(c.path, other.path), cmp.Compare(c.view, other.view),
		cmp.Compare(c.doc, other.doc))
}

// compareShown orders as Elasticsearch answers.
func (c completed) compareShown(other completed) int {
	return cmp.Or(cmp.Compare(other.score, c.score), strings.Compare(c.text, other.text), cmp.Compare(c.view, other.view),
		cmp.Compare(c.doc, other.doc))
}

// search looks at the terms of a view.
func (c *completer) search(v *view) error {
	c.views++
	f, err := v.field(c.field)
	if f == nil || f.Terms == nil || err != nil {
		return err
	}
	for _, s := range c.starts {
		for ord := range f.Terms.Between(s.from, s.to, s.automaton) {
			if v.ended(1) {
				return v.ctx.Err()
			}
			c.term(v, f, ord)
		}
		if s.near != nil {
			if err := v.target.walked(c.field, s.near.Near); err != nil {
				return err
			}
		}
	}
	c.trim()
	for i := range c.best {
		b := &c.best[i]
		if b.view == c.views {
			if b.id, err = v.Segment.ID(b.doc); err != nil {
				return err
			}
		}
	}
	return nil
}

// term takes the documents of a term.
func (c *completer) term(v *view, f *segment.Field, ord uint32) {
	path, text, weight, ok := mapping.Completed(f.Terms.Term(ord))
	if !ok {
		return
	}
	score := c.score(path, weight)
	if c.floorPath != "" && (score < c.floor || score == c.floor && string(path) > c.floorPath) {
		return
	}
	next := completed{score: score, path: string(path), text: string(text), view: c.views}
	wanted := 2 * c.most // as many may have a better text, or have been taken before
	if c.distinct {
		wanted = 1
	}
	for it := f.Terms.Documents(ord).Iterator(); it.HasNext() && wanted > 0 && !v.ended(1); {
		if next.doc = it.Next(); v.Live.Has(next.doc) {
			c.best = append(c.best, next)
			wanted--
		}
	}
	if len(c.best) > 4*c.most+64 {
		c.trim()
	}
}

// trim leaves the best, one for each document.
func (c *completer) trim() {
	type place struct {
		view int
		doc  uint32
	}
	slices.SortFunc(c.best, completed.compare)
	documents, texts := map[place]bool{}, map[string]bool{}
	kept := c.best[:0]
	for _, b := range c.best {
		at := place{b.view, b.doc}
		if documents[at] || c.distinct && texts[b.text] {
			continue
		}
		documents[at], texts[b.text] = true, c.distinct
		if kept = append(kept, b); len(kept) == c.most {
			c.floor, c.floorPath = b.score, b.path
			break
		}
	}
	c.best = kept
}

// score is the weight, which counts more the more characters of a fuzzy prefix are the same.
func (c *completer) score(path []byte, weight uint32) float32 {
	boost := c.boost(path)
	switch {
	case boost == 0:
		return float32(weight)
	case weight == 0:
		return boost
	}
	return float32(weight) * boost
}

// boost is how many characters a prefix and what it matches of a path begin with both.
func (c *completer) boost(path []byte) float32 {
	shortest := len(path)
	for _, s := range c.starts {
		if s.near == nil {
			return 0
		}
		if n, ok := s.near.matched(path); ok {
			shortest = min(shortest, n)
		}
	}
	best := 0
	for _, s := range c.starts {
		best = max(best, s.near.common(path[:shortest]))
	}
	return float32(best)
}

// beginning accepts the terms whose paths begin with what another automaton accepts.
type beginning struct{ vellum.Automaton }

// The states that the other automaton does not have.
const (
	begun   = -1
	refused = -2
)

// Start implements vellum.Automaton.
func (b beginning) Start() int { return b.known(b.Automaton.Start()) }

func (b beginning) known(state int) int {
	if b.Automaton.IsMatch(state) {
		return begun
	}
	return state
}

// IsMatch implements vellum.Automaton.
func (b beginning) IsMatch(state int) bool { return state == begun }

// CanMatch implements vellum.Automaton.
func (b beginning) CanMatch(state int) bool {
	return state == begun || state != refused && b.Automaton.CanMatch(state)
}

// WillAlwaysMatch implements vellum.Automaton.
func (b beginning) WillAlwaysMatch(state int) bool { return state == begun }

// Accept implements vellum.Automaton. A path ends at a zero.
func (b beginning) Accept(state int, next byte) int {
	switch {
	case state == begun || state == refused:
		return state
	case next == 0:
		return refused
	}
	return b.known(b.Automaton.Accept(state, next))
}

var _ vellum.Automaton = beginning{}

// nearStart accepts what is near to a path. Unless it is aware of Unicode it reads every byte as a character.
type nearStart struct {
	*automaton.Near
	unicode bool
	word    []rune
}

func newNearStart(path []byte, how *query.FuzzyCompletion) *nearStart {
	word := bytes.Runes(path)
	if !how.Unicode {
		word = word[:0]
		for _, b := range path {
			word = append(word, rune(b))
		}
	}
	edits := how.Edits
	if len(word) <= how.PrefixLength || len(word) < how.MinLength {
		edits = 0
	}
	return &nearStart{automaton.NewNear(string(word), edits, how.PrefixLength, how.Swaps), how.Unicode, word}
}

// Accept implements vellum.Automaton.
func (n *nearStart) Accept(state int, b byte) int {
	if n.unicode || b < 0x80 {
		return n.Near.Accept(state, b)
	}
	return n.Near.Accept(n.Near.Accept(state, 0xc0|b>>6), 0x80|b&0x3f)
}

// matched is how much of a path is accepted at least.
func (n *nearStart) matched(path []byte) (int, bool) {
	state := n.Start()
	for i, b := range path {
		if n.IsMatch(state) {
			return i, true
		}
		if state = n.Accept(state, b); !n.CanMatch(state) {
			return 0, false
		}
	}
	return len(path), n.IsMatch(state)
}

// common is how many characters a path begins with as the word does. Bytes of the path are compared, as in Elasticsearch.
func (n *nearStart) common(path []byte) int {
	most := min(len(path), len(n.word))
	for i := range most {
		if rune(path[i]) != n.word[i] {
			return i
		}
	}
	return most
}
