package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/query"
)

// slow is a segment whose fields take a while to find.
type slow struct{ segment.Segment }

func (s slow) Field(path string) (*segment.Field, error) {
	time.Sleep(400 * time.Millisecond)
	return s.Segment.Field(path)
}

// TestSlowSearchLetsWritersOn: a search that would hold the memory for long is done on a memory that takes no writes, sees
// what it would have seen, and leaves an index that is as good as before.
func TestSlowSearchLetsWritersOn(t *testing.T) {
	e := opened(t, "data", vfs.NewMem())
	must(t, e.Ensure(t.Context(), things, storage.Spec{Mapping: []byte(`{"properties":{"n":{"type":"long"}}}`)}))
	for i := range 50 {
		put(t, e, fmt.Sprint(i), `{"n":1}`)
	}
	q, err := query.Parse(jsontext.Value(`{"range":{"n":{"gte":0}}}`))
	must(t, err)
	p, err := e.pin(things)
	must(t, err)
	defer p.letGo()
	if p.target.Views[0].Lock == nil {
		t.Fatal("the memory that takes the writes has no lock")
	}
	p.target.Views[0].Segment = slow{p.target.Views[0].Segment}
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				put(t, e, fmt.Sprint("late ", w, " ", i%20), `{"n":1}`)
			}
		})
	}
	tries := 0
	err = e.compute(t.Context(), []*pinned{p}, func() error {
		tries++
		n, err := search.Count(t.Context(), targets([]*pinned{p}), q, time.Now())
		if err == nil && n != 50 {
			t.Errorf("%d documents", n)
		}
		return err
	})
	if err != nil || tries != 2 || p.target.Views[0].Lock != nil {
		t.Errorf("after %d tries: %v, lock %v", tries, err, p.target.Views[0].Lock)
	}
	stop()
	writers.Wait()
	settled(t, e)
	if e.filesOf(things) == 0 {
		t.Error("the memory that made way did not become a file")
	}
	checkConsistent(t, e)
}

// TestWaitingMemoryNeedsNoLock: only the memory that takes the writes has one.
func TestWaitingMemoryNeedsNoLock(t *testing.T) {
	e := opened(t, "data", vfs.NewMem())
	must(t, e.Ensure(t.Context(), things, storage.Spec{}))
	e.freezer.end()
	put(t, e, "a", `{}`)
	c, err := e.catalogue.find(things)
	must(t, err)
	e.turnPart(c, c.segments.last)
	put(t, e, "b", `{}`)
	p, err := e.pin(things)
	must(t, err)
	defer p.letGo()
	if v := p.target.Views; len(v) != 2 || v[0].Lock != nil || v[1].Lock == nil {
		t.Errorf("the views are %+v", v)
	}
}

// TestSlotsAreFreed: who leaves while waiting for a slot leaves the queue. What is inside the node can be searched all the while.
func TestSlotsAreFreed(t *testing.T) {
	e := withThings(t, vfs.NewMem())
	put(t, e, "a", `{}`)
	inside := storage.Collection{Scope: storage.Internal, Index: "node", Name: "users"}
	must(t, e.Ensure(t.Context(), inside, storage.Spec{}))
	for range cap(e.slots.public) {
		e.slots.public <- struct{}{}
	}
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := e.Count(short, []storage.Collection{things}, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who waited too long got %v", err)
	}
	if _, err := e.Count(t.Context(), []storage.Collection{inside}, nil); err != nil {
		t.Errorf("a search inside the node: %v", err)
	}
	short, cancel = context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	ops := []storage.Op{{Kind: storage.OpPut, ID: "b", Source: []byte(`{}`)}}
	results, err := e.Write(short, things, ops, storage.BulkOptions{})
	if must(t, err); !errors.Is(results[0].Err, context.DeadlineExceeded) || len(e.slots.bulks) != 0 {
		t.Errorf("a bulk that waited too long got %v, %d places are taken", results, len(e.slots.bulks))
	}
	results, err = e.Write(t.Context(), inside, ops, storage.BulkOptions{})
	if must(t, err); results[0].Err != nil {
		t.Errorf("a bulk inside the node: %v", results[0].Err)
	}
	for range cap(e.slots.public) {
		<-e.slots.public
	}
	n, err := e.Count(t.Context(), []storage.Collection{things}, nil)
	if must(t, err); n != 1 || len(e.slots.public) != 0 {
		t.Errorf("%d documents, %d slots are taken", n, len(e.slots.public))
	}
	results, err = e.Write(t.Context(), things, ops, storage.BulkOptions{})
	if must(t, err); results[0].Err != nil || len(e.slots.public)+len(e.slots.bulks) != 0 {
		t.Errorf("a bulk with room gives %v, %d slots are taken", results, len(e.slots.public))
	}
}
