package network

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestUnfinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := NewUnfinished(100)
		take := func(a *Arrival, bytes int64) error { return a.Take(t.Context(), bytes, time.Second) }
		one, two, three := NewArrival(u), NewArrival(u), NewArrival(u)
		if err := take(one, 1000); err != nil {
			t.Fatal("alone, a message passes however large:", err)
		}
		begin := time.Now()
		if err := take(two, 1); !errors.Is(err, ErrUnfinished) || time.Since(begin) != time.Second {
			t.Errorf("no room, after %v: %v", time.Since(begin), err)
		}
		one.Done()
		one.Done() // gives nothing back twice
		if err := errors.Join(take(one, 60), take(two, 40)); err != nil {
			t.Error(err)
		}
		order := make(chan string, 2)
		go func() {
			defer three.Done()
			if err := take(three, 61); err != nil {
				t.Error(err)
			}
			order <- "large"
		}()
		synctest.Wait()
		small := NewArrival(u)
		go func() {
			defer small.Done()
			if err := take(small, 1); err != nil {
				t.Error(err)
			}
			order <- "small"
		}()
		synctest.Wait()
		two.Done()
		synctest.Wait()
		if len(order) != 0 {
			t.Error("a small one overtook")
		}
		one.Done()
		if first := <-order + <-order; first != "largesmall" && first != "smalllarge" {
			t.Error(first)
		}
		synctest.Wait()
		if u.bytes != 0 || u.waiting.Len() != 0 {
			t.Errorf("%d bytes and %d waiting are left", u.bytes, u.waiting.Len())
		}
	})
}

func TestArrivalGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := NewUnfinished(100)
		one, two := NewArrival(u), NewArrival(u)
		if err := one.Take(t.Context(), 100, time.Second); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- two.Take(t.Context(), 1, time.Hour) }()
		synctest.Wait()
		two.GiveUp()
		if err := <-ended; !errors.Is(err, ErrUnfinished) {
			t.Error(err)
		}
		one.Done()
		if err := two.Take(t.Context(), 1, time.Hour); !errors.Is(err, ErrUnfinished) {
			t.Error("taken after giving up:", err)
		}
		if u.bytes != 0 || u.waiting.Len() != 0 {
			t.Errorf("%d bytes and %d waiting are left", u.bytes, u.waiting.Len())
		}
	})
}

// Whatever many connections do, no more is taken than there is, and all is given back.
func TestUnfinishedByMany(t *testing.T) {
	const room = 1000
	u := NewUnfinished(room)
	var taken atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			a := NewArrival(u)
			for range 500 {
				n := rand.Int64N(room / 2)
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(100))*time.Microsecond)
				if a.Take(ctx, n+1, time.Minute) == nil {
					if now := taken.Add(n + 1); now > room {
						t.Errorf("%d bytes taken", now)
					}
					taken.Add(-n - 1)
					a.Done()
				}
				cancel()
			}
		})
	}
	all.Wait()
	if u.bytes != 0 || u.waiting.Len() != 0 {
		t.Errorf("%d bytes and %d waiting are left", u.bytes, u.waiting.Len())
	}
}
