package network

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestUnsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := NewUnsent(100)
		var cut []string
		add := func(name string, bytes int64) *Departure {
			t.Helper()
			d, err := u.Add(bytes, func() { cut = append(cut, name) })
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return d
		}
		huge := add("huge", 1000)
		if _, err := u.Add(1, func() { t.Error("it was refused") }); !errors.Is(err, ErrUnsent) {
			t.Error("no room:", err)
		}
		huge.End()
		huge.End() // gives nothing back twice
		oldest := add("oldest", 40)
		time.Sleep(unsentGrace)
		older := add("older", 30)
		time.Sleep(unsentGrace / 2)
		newest := add("newest", 30)
		alone := add("one gives way", 20)
		if len(cut) != 1 || cut[0] != "oldest" {
			t.Error("gave way:", cut)
		}
		oldest.End() // its room was given back already
		older.End()
		if u.bytes != 50 || u.waiting.Len() != 2 {
			t.Errorf("%d bytes of %d answers", u.bytes, u.waiting.Len())
		}
		time.Sleep(unsentGrace)
		last := add("all give way", 1000)
		if len(cut) != 3 {
			t.Error("gave way:", cut)
		}
		for _, d := range []*Departure{newest, alone, last} {
			d.End()
		}
		if u.bytes != 0 || u.waiting.Len() != 0 {
			t.Errorf("%d bytes of %d answers are left", u.bytes, u.waiting.Len())
		}
	})
}

// Whatever many connections do, all is given back, and nobody is cut off whose answer has ended.
func TestUnsentByMany(t *testing.T) {
	u := NewUnsent(1000)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 500 {
				var ended atomic.Bool
				d, err := u.Add(rand.Int64N(500)+1, func() {
					if ended.Load() {
						t.Error("cut off after its end")
					}
				})
				if err != nil {
					continue
				}
				if rand.IntN(2) == 0 {
					u.mu.Lock()
					d.since = d.since.Add(-unsentGrace)
					u.mu.Unlock()
				}
				d.End()
				ended.Store(true)
			}
		})
	}
	all.Wait()
	if u.bytes != 0 || u.waiting.Len() != 0 {
		t.Errorf("%d bytes of %d answers are left", u.bytes, u.waiting.Len())
	}
}
