package search

import (
	"context"
	"errors"
	"testing"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

// TestEnded looks at the context every so often, and never forgets that it ended.
func TestEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	v := &view{ctx: ctx}
	if v.ended(checkWork) {
		t.Error("ended before the context")
	}
	cancel()
	asked := 1
	for ; !v.ended(1); asked++ {
		if asked > checkWork {
			t.Fatal("the end is not seen")
		}
	}
	if err := v.stop(0); !errors.Is(err, context.Canceled) {
		t.Errorf("stop: %v", err)
	}
}

// TestReadFails says that a view fails whose reader stopped early without an error.
func TestReadFails(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := new(target).read(ctx, segment.View{Segment: segment.NewMemory()}, func(v *view) error {
		v.ended(checkWork)
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v", err)
	}
}

// endless finds a document behind every other.
type endless struct{ at uint32 }

func (s *endless) next() uint32           { s.at++; return s.at }
func (s *endless) seek(doc uint32) uint32 { s.at = doc; return s.at }
func (s *endless) doc() uint32            { return s.at }
func (s *endless) score() float32         { return 1 }
func (s *endless) cost() int              { return noDoc }

// TestScorersEnd says that scorers which find nothing stop when the search is not wanted any more.
func TestScorersEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	parts := func(n int) []scorer {
		list := make([]scorer, n)
		for i := range list {
			list[i] = &endless{}
		}
		return list
	}
	for name, s := range map[string]scorer{
		"any":    &anyScorer{v: &view{ctx: ctx}, parts: parts(2), needed: 3},
		"window": &windowScorer{v: &view{ctx: ctx}, parts: parts(3), needed: 4},
		"joined": &joined{v: &view{ctx: ctx}, lead: &endless{}, filter: none},
	} {
		if at := s.next(); at != noDoc {
			t.Errorf("%s: %d", name, at)
		}
	}
}
