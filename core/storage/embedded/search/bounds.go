package search

import (
	"context"

	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/embedded/search/automaton"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// Bounds are what bounds the work and the memory of those who compile the clauses of a search for something beside it. They live as
// long as its context, and belong to one goroutine.
type Bounds struct{ session *session }

// NewBounds gives the bounds of one search. All that is done under them ends with ctx.
func NewBounds(ctx context.Context) *Bounds { return &Bounds{newSession(ctx)} }

// Texts is the budget of taking the texts of the clauses apart.
func (b *Bounds) Texts() *analysis.Budget { return b.session.texts }

// Charge notes that a clause looks for n words. It fails with services.storage.unexpected_bad_request when there are too many, and
// with the error of the context when that ends.
func (b *Bounds) Charge(n int) error { return b.session.charge(n, wordBytes) }

// Automaton gives the automaton of a clause that describes terms, by its text as the field with a path indexes it. It is built once.
// Fails with services.storage.unexpected_bad_request when it is malformed or too complex, and as Charge does.
func (b *Bounds) Automaton(path string, q query.Query, text []byte) (*automaton.Automaton, error) {
	return b.session.automaton(path, patternOf(q, text))
}

// Phrased gives the clauses that a query in words stands for, by a mapping. Fails with services.storage.unexpected_bad_request
// when the query names an analyzer that does not exist, or becomes too many clauses, and as Charge does.
func (b *Bounds) Phrased(m *mapping.Mapping, q query.Query) (query.Query, error) {
	return compiler{target: &target{Target: Target{Mapping: m}, session: b.session}}.clausesOf(q)
}
