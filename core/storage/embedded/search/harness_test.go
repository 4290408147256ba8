package search_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// now is what dates are relative to.
var now = time.Date(2024, 5, 6, 12, 0, 0, 0, time.UTC)

// collection is documents in one or more segments, the last of which is in memory until it is frozen.
type collection struct {
	mapping  *mapping.Mapping
	views    []segment.View
	memory   *segment.Memory
	live     *segment.Live
	position uint64
	document mapping.Document
	entry    segment.Entry
}

func newCollection(raw string) *collection {
	m, err := mapping.Parse(jsontext.Value(raw))
	if err != nil {
		panic(err)
	}
	return &collection{mapping: m, memory: segment.NewMemory(), live: &segment.Live{}}
}

func (c *collection) add(id, doc string) {
	if err := c.mapping.Fields(jsontext.Value(doc), &c.document); err != nil {
		panic(fmt.Sprintf("%s: %v", doc, err))
	}
	if err := c.entry.Read(&c.document); err != nil {
		panic(err)
	}
	c.position++
	c.memory.Lock()
	defer c.memory.Unlock()
	c.live = c.live.With(c.memory.Add(&c.entry, id, c.position))
}

// kill removes the document at a position.
func (c *collection) kill(position uint64) {
	if doc, ok, _ := c.memory.At(position); ok {
		c.live = c.live.Without(doc)
		return
	}
	for i, v := range c.views {
		if doc, ok, _ := v.Segment.At(position); ok {
			c.views[i].Live = v.Live.Without(doc)
		}
	}
}

// freeze makes a file of the segment in memory.
func (c *collection) freeze() {
	dir, err := os.MkdirTemp("", "segment")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir) // what is mapped stays
	path := filepath.Join(dir, "1")
	if err := segment.Write(vfs.Default, path, segment.View{Segment: c.memory, Live: c.live}); err != nil {
		panic(err)
	}
	f, err := segment.Open(vfs.Default, path)
	if err != nil {
		panic(err)
	}
	c.views = append(c.views, segment.View{Segment: f, Live: f.Live()})
	c.memory, c.live = segment.NewMemory(), &segment.Live{}
}

// rotate keeps the segment in memory as it is and begins another one.
func (c *collection) rotate() {
	c.views = append(c.views, c.view())
	c.memory, c.live = segment.NewMemory(), &segment.Live{}
}

func (c *collection) view() segment.View {
	return segment.View{Segment: c.memory, Live: c.live, Lock: c.memory.RLocker()}
}

func (c *collection) target() search.Target {
	views := append([]segment.View(nil), c.views...)
	if c.memory.Len() > 0 {
		views = append(views, c.view())
	}
	return search.Target{Mapping: c.mapping, Views: views}
}

func (c *collection) targets() []search.Target { return []search.Target{c.target()} }

// once is a lock that only one view may hold at a time.
type once struct {
	t    *testing.T
	held *int
	sync.Locker
}

func (l once) Lock() {
	if *l.held++; *l.held != 1 {
		l.t.Error("two views are locked at once, or one twice")
	}
	l.Locker.Lock()
}

func (l once) Unlock() {
	*l.held--
	l.Locker.Unlock()
}

// guard makes the locks of targets fail the test when they are held together.
func guard(t *testing.T, targets []search.Target) []search.Target {
	held := new(int)
	for i := range targets {
		for j := range targets[i].Views {
			v := &targets[i].Views[j]
			if v.Lock == nil {
				v.Lock = new(sync.Mutex)
			}
			v.Lock = once{t, held, v.Lock}
		}
	}
	return targets
}

// run searches with a body, whose from and size count.
func run(t *testing.T, targets []search.Target, body string) (search.Result, error) {
	t.Helper()
	s, err := query.ParseSearch(jsontext.Value(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	r := search.Request{Search: s, From: max(s.From, 0), Size: s.Size, Now: now}
	if s.Size < 0 {
		r.Size = 100
	}
	return patient(func() (search.Result, error) { return search.Run(context.Background(), guard(t, targets), r) })
}

// patient asks again when a busy machine let the memory of a collection be held for too long, as the engine does.
func patient[T any](ask func() (T, error)) (T, error) {
	for {
		if answer, err := ask(); !errors.Is(err, search.ErrHeld) {
			return answer, err
		}
	}
}

// idsOf gives the ids of hits in their order.
func idsOf(hits []search.Hit) string {
	list := make([]string, len(hits))
	for i, h := range hits {
		list[i] = h.ID
	}
	return strings.Join(list, " ")
}

// sortsOf gives the sort values of hits.
func sortsOf(hits []search.Hit) string {
	list := make([]string, len(hits))
	for i, h := range hits {
		values := make([]string, len(h.Sort))
		for j, v := range h.Sort {
			values[j] = string(v)
		}
		list[i] = strings.Join(values, ",")
	}
	return strings.Join(list, " ")
}
