package search

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/embedded/search/automaton"
	"github.com/sluicehq/sluice/core/storage/query"
)

// session is what the targets of one search share while their clauses are compiled.
type session struct {
	// texts is the budget of taking texts apart.
	texts *analysis.Budget
	ctx   context.Context //nolint:containedctx // it lives as long as one search, and ends its compiling
	bytes int
	// automata are those of the patterns so far, which are the same for every target.
	automata map[pattern]*automaton.Automaton
	// size is how many hits are wanted.
	size int
	// sections are those of the section "knn", which all targets share.
	sections map[*query.Knn]*closest
}

func newSession(ctx context.Context) *session {
	return &session{texts: analysis.NewBudget(ctx, analysis.SearchWork), ctx: ctx, automata: map[pattern]*automaton.Automaton{}}
}

// maxBytes is roughly how much memory the clauses of one search may need, for all its targets together: a thousand collections
// may each be asked for hundreds of words, or a few for as many as a search can hold.
const maxBytes = 256 << 20

// errTooMuch is wrapped by the errors of clauses that are refused however lenient they are.
var errTooMuch = errors.New("too much")

// What parts of a clause need, roughly, while they are searched too.
const (
	clauseBytes = 128
	wordBytes   = 384 // with its weight, its statistics and what reads its occurrences
	valueBytes  = 96
)

// charge notes that a clause needs memory for n parts. It fails when that is too much, and when the search is not wanted any more.
func (s *session) charge(n, bytes int) error {
	if s.bytes += n * bytes; s.bytes > maxBytes {
		return fmt.Errorf("%w: %w", errTooMuch,
			refuse("the clauses of the search need more than %d MB of memory in all fields and collections", maxBytes>>20))
	}
	if err := s.spent(); err != nil {
		return err
	}
	return s.ctx.Err()
}

// spent gives an error when there was too much to do with texts.
func (s *session) spent() error {
	if err := s.texts.Err(); err != nil {
		return fmt.Errorf("%w: %w", errTooMuch, err)
	}
	return nil
}

// pattern is what an automaton is made of.
type pattern struct {
	clause, text, flags string
	fold                bool
	states              int
}

// automaton gives the automaton of a pattern for the field with a path. It is built once.
func (s *session) automaton(path string, p pattern) (*automaton.Automaton, error) {
	if a := s.automata[p]; a != nil {
		return a, nil
	}
	a, err := p.build()
	if err != nil {
		return nil, refuse("failed to create query: %s: %v", path, err)
	}
	s.automata[p] = a
	return a, s.charge(1, a.Bytes())
}

// patternOf gives the pattern of a clause, by its text as the field indexes it.
func patternOf(q query.Query, text []byte) pattern {
	p := pattern{text: string(text)}
	switch q := q.(type) {
	case *query.Prefix:
		p.clause = "prefix"
	case *query.Wildcard:
		p.clause, p.fold = "wildcard", q.CaseInsensitive
	case *query.Regexp:
		p.clause, p.flags, p.fold, p.states = "regexp", q.Flags, q.CaseInsensitive, q.MaxStates
	}
	return p
}

func (p pattern) build() (*automaton.Automaton, error) {
	switch p.clause {
	case "prefix":
		return automaton.Folded(p.text, true)
	case "wildcard":
		return automaton.Wildcard(p.text, p.fold)
	case "regexp":
		return automaton.Regexp(p.text, p.flags, p.fold, p.states)
	}
	return automaton.Folded(p.text, false)
}
