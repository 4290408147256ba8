package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func newThrottle(t *testing.T, o ThrottleOptions) *Throttle {
	t.Helper()
	throttle, err := NewThrottle(o)
	if err != nil {
		t.Fatal(err)
	}
	return throttle
}

func from(ip string) *protocol.Connection {
	return &protocol.Connection{ID: "c", Protocol: "http", ClientIP: ip}
}

// attempt reports whether a login got through, and ends it.
func attempt(t *testing.T, throttle *Throttle, c *protocol.Connection, account string, r Result) bool {
	t.Helper()
	a, err := throttle.Begin(t.Context(), c, "local", account)
	if err != nil {
		if !errors.Is(err, kerror.APIProcessTooManyLoginsRequests) {
			t.Fatal(err)
		}
		return false
	}
	a.End(r)
	return true
}

func TestAccountPauses(t *testing.T) {
	c := newClock()
	throttle := newThrottle(t, ThrottleOptions{Now: c.Now})
	fail := func() bool { return attempt(t, throttle, from(""), "joe", Failed) }
	for i := range 5 {
		if !fail() {
			t.Fatalf("try %d was refused", i)
		}
	}
	for _, pause := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
		c.add(pause - time.Millisecond)
		if fail() {
			t.Fatalf("admitted before the pause of %v was over", pause)
		}
		c.add(time.Millisecond)
		if !fail() {
			t.Fatalf("refused after the pause of %v", pause)
		}
	}
	if !attempt(t, throttle, from(""), "jane", Failed) {
		t.Error("another account was refused")
	}
	c.add(longestPause)
	if !attempt(t, throttle, from(""), "joe", Succeeded) {
		t.Fatal("the right password was refused after the pause")
	}
	for range 5 {
		if !fail() {
			t.Fatal("success did not start the count again")
		}
	}
}

func TestUndecidedAttemptsDoNotCount(t *testing.T) {
	throttle := newThrottle(t, ThrottleOptions{FailedLoginsPerMinute: 1})
	for range 20 {
		if !attempt(t, throttle, from("192.0.2.1"), "joe", Undecided) {
			t.Fatal("refused")
		}
	}
}

func TestAddressFailures(t *testing.T) {
	c := newClock()
	throttle := newThrottle(t, ThrottleOptions{FailedLoginsPerMinute: 3, Now: c.Now})
	n := 0
	try := func(ip string, r Result) bool { n++; return attempt(t, throttle, from(ip), fmt.Sprint("user", n), r) }
	for range 3 {
		if !try("192.0.2.1", Succeeded) || !try("192.0.2.1", Failed) {
			t.Fatal("refused")
		}
	}
	if try("192.0.2.1", Succeeded) || try("::ffff:192.0.2.1", Succeeded) {
		t.Error("admitted after three failures")
	}
	if !try("192.0.2.2", Succeeded) {
		t.Error("another address was refused")
	}
	c.add(20 * time.Second)
	if !try("192.0.2.1", Failed) || try("192.0.2.1", Failed) {
		t.Error("a third of a minute gives one more try")
	}
	for _, ip := range []string{"2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::3"} {
		if !try(ip, Failed) {
			t.Fatal("refused")
		}
	}
	if try("2001:db8::4", Failed) {
		t.Error("another address of the same network was admitted")
	}
	if !try("2001:db8:0:1::1", Failed) {
		t.Error("another network was refused")
	}
}

func TestConnectionLogins(t *testing.T) {
	c := newClock()
	throttle := newThrottle(t, ThrottleOptions{LoginsPerSecond: 2, Now: c.Now})
	socket := &protocol.Connection{ID: "one", Protocol: "websocket"}
	try := func(c *protocol.Connection) bool { return attempt(t, throttle, c, "", Succeeded) }
	burst := func() []bool { return []bool{try(socket), try(socket), try(socket)} }
	if got := burst(); !slices.Equal(got, []bool{true, true, false}) {
		t.Error(got)
	}
	if !try(&protocol.Connection{ID: "two", Protocol: "websocket"}) || !try(&protocol.Connection{ID: "one", Protocol: "http"}) {
		t.Error("another connection was refused")
	}
	c.add(time.Second)
	if got := burst(); !slices.Equal(got, []bool{true, true, false}) {
		t.Error(got)
	}
}

// A burst must not get more guesses in than what runs at once.
func TestBurstOnOneAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		throttle := newThrottle(t, ThrottleOptions{})
		var tried, refused atomic.Int32
		var all sync.WaitGroup
		for range 500 {
			all.Go(func() {
				a, err := throttle.Begin(t.Context(), from(""), "local", "joe")
				if err != nil {
					refused.Add(1)
					return
				}
				time.Sleep(27 * time.Millisecond) // of the bubble: a hash
				tried.Add(1)
				a.End(Failed)
			})
		}
		all.Wait()
		if n := tried.Load(); n < freeFailures || n > freeFailures+triesAtOnce-1 {
			t.Errorf("%d guesses, %d refused", n, refused.Load())
		}
	})
}

func TestManyRightLoginsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		throttle := newThrottle(t, ThrottleOptions{FailedLoginsPerMinute: 30})
		var all sync.WaitGroup
		for range maxWaiting {
			all.Go(func() {
				a, err := throttle.Begin(t.Context(), from("192.0.2.1"), "local", "service")
				if err != nil {
					t.Error(err)
					return
				}
				time.Sleep(27 * time.Millisecond)
				a.End(Succeeded)
			})
		}
		all.Wait()
	})
}

func TestWhoWaitsMayLeave(t *testing.T) {
	throttle := newThrottle(t, ThrottleOptions{})
	var held []*Attempt
	for range triesAtOnce {
		a, err := throttle.Begin(t.Context(), from(""), "local", "joe")
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, a)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := throttle.Begin(ctx, from(""), "local", "joe"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, a := range held {
		a.End(Succeeded)
	}
	if !attempt(t, throttle, from(""), "joe", Succeeded) {
		t.Error("whoever left kept a slot")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	throttle := newThrottle(t, ThrottleOptions{LoginsPerSecond: 1, FailedLoginsPerMinute: 1})
	for i := range maxTracked + 100 {
		c := &protocol.Connection{ID: fmt.Sprint(i), Protocol: "websocket", ClientIP: fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)}
		attempt(t, throttle, c, fmt.Sprint(i), Failed)
	}
	if a, b, c := throttle.accounts.Len(), throttle.addresses.Len(), throttle.connections.Len(); a > maxTracked || b > maxTracked || c > maxTracked {
		t.Error(a, b, c)
	}
}
