package main

import (
	"context"
	"hash/maphash"
)

// turns lets one goroutine at a time change one document, so that they do not make each other's conditional writes fail.
// Other nodes still may.
type turns struct {
	seed    maphash.Seed
	stripes [256]chan struct{}
}

func newTurns() *turns {
	t := &turns{seed: maphash.MakeSeed()}
	for i := range t.stripes {
		t.stripes[i] = make(chan struct{}, 1)
	}
	return t
}

// take waits for the turn; done ends it. Who has one must not take another.
func (t *turns) take(ctx context.Context, key string) (done func(), err error) {
	stripe := t.stripes[maphash.String(t.seed, key)%uint64(len(t.stripes))]
	select {
	case stripe <- struct{}{}:
		return func() { <-stripe }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
