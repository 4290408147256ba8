package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func putOps(n int, source string) []storage.Op {
	ops := make([]storage.Op, n)
	for i := range ops {
		ops[i] = storage.Op{Kind: storage.OpPut, ID: fmt.Sprintf("%04d", i), Source: jsontext.Value(source)}
	}
	return ops
}

// counted is a context that counts how often it is looked at, and may end after a number of times.
type counted struct {
	context.Context
	looked, most int
	then         func()
}

func (c *counted) Err() error {
	if c.looked++; c.most > 0 && c.looked > c.most {
		if c.then == nil {
			return context.Canceled
		}
		c.then()
	}
	return nil
}

// TestChunks: a chunk is bounded by ops, by what it is given and by what it writes.
func TestChunks(t *testing.T) {
	e := withThings(t, vfs.NewMem())
	large := fmt.Sprintf(`{"text":"%0*d"}`, chunkBytes/4, 1)
	small := make([]storage.Op, 10)
	for i := range small {
		small[i] = storage.Op{Kind: storage.OpUpdate, ID: fmt.Sprintf("%04d", i), Source: []byte(`{"n":1}`)}
	}
	for _, c := range []struct {
		name   string
		ops    []storage.Op
		chunks int
	}{
		{"ops", putOps(2*chunkOps+1, `{}`), 3},
		{"given", putOps(10, large), 3},
		{"written", small, 3},
	} {
		ctx := &counted{Context: t.Context()}
		results, err := e.Write(ctx, things, c.ops, storage.BulkOptions{})
		must(t, err)
		for _, r := range results {
			must(t, r.Err)
		}
		if chunks := ctx.looked - 1; chunks != c.chunks { // once at the start
			t.Errorf("%s: %d chunks, want %d", c.name, chunks, c.chunks)
		}
	}
	checkConsistent(t, e)
}

// TestBulkCutShort: what was done before the context ended, or the collection went away, stays done, and the rest says why.
func TestBulkCutShort(t *testing.T) {
	for name, want := range map[string]error{"cancelled": context.Canceled, "dropped": kerror.ServicesStorageUnknownCollection} {
		t.Run(name, func(t *testing.T) {
			e := withThings(t, vfs.NewMem())
			ctx := &counted{Context: t.Context(), most: 2}
			if name == "dropped" {
				ctx.then = func() { _ = e.Drop(context.Background(), things) }
			}
			results, err := e.Write(ctx, things, putOps(chunkOps+10, `{}`), storage.BulkOptions{})
			must(t, err)
			for i, r := range results {
				if i < chunkOps && r.Err != nil || i >= chunkOps && !errors.Is(r.Err, want) {
					t.Fatalf("op %d: %v", i, r.Err)
				}
			}
			checkConsistent(t, e)
		})
	}
}

// TestBulkOnBrokenLog: when the disk fails no op of the chunk is acknowledged, nor any after it. The chunk before may have
// been durable already.
func TestBulkOnBrokenLog(t *testing.T) {
	mem := vfs.NewCrashableMem()
	var broken toggle
	e := withThings(t, fresh{errorfs.Wrap(mem, broken.on(".log", errorfs.OpFileWrite, errorfs.OpFileWriteAt))})
	ctx := &counted{Context: t.Context(), most: 2, then: func() { broken.set(true) }}
	ops := putOps(chunkOps+10, `{}`)
	ops[chunkOps].Source = []byte(`[]`)
	results, err := e.Write(ctx, things, ops, storage.BulkOptions{})
	must(t, err)
	acknowledged := map[string]int64{}
	for i, r := range results {
		want := kerror.ServicesStorageUnexpectedError
		if i == chunkOps {
			want = kerror.ServicesStorageInvalidArgument
		}
		if (i >= chunkOps || r.Err != nil) && !errors.Is(r.Err, want) {
			t.Fatalf("op %d: %v", i, r.Err)
		}
		if r.Err == nil {
			acknowledged[ops[i].ID] = r.Document.Version
		}
	}
	if err := e.Healthy(t.Context()); !errors.Is(err, kerror.ServicesStorageUnexpectedError) {
		t.Errorf("Healthy: %v", err)
	}
	checkAcknowledged(t, mem.CrashClone(vfs.CrashCloneCfg{}), acknowledged)
}

// TestGrowthAlone: a write that adds a field waits for another one that does; those that add none pass.
func TestGrowthAlone(t *testing.T) {
	e := withThings(t, vfs.NewMem())
	must(t, e.Ensure(t.Context(), things, storage.Spec{Mapping: []byte(`{"dynamic":"true","properties":{"n":{"type":"long"}}}`)}))
	live, err := e.catalogue.find(things)
	must(t, err)
	live.growing.Lock()
	var grown atomic.Bool
	done := make(chan error)
	go func() {
		_, _, err := e.Put(t.Context(), things, "a", []byte(`{"new":true}`), storage.WriteOptions{})
		grown.Store(true)
		done <- err
	}()
	lock := e.locks.of(live.number, "a")
	eventually(t, "the write has no lock", func() bool {
		if lock.TryLock() {
			lock.Unlock()
			return false
		}
		return true
	})
	passed := make(chan storage.Document)
	id := "b"
	for e.locks.of(live.number, id) == lock {
		id += "b"
	}
	go func() { passed <- put(t, e, id, `{"n":1}`) }()
	select {
	case <-passed:
	case <-time.After(10 * time.Second):
		t.Fatal("a write that adds no field waits")
	}
	if grown.Load() {
		t.Error("two writes add fields at once")
	}
	live.growing.Unlock()
	must(t, <-done)
	checkConsistent(t, e)
}
