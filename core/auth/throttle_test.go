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

// Guesses from one network lock the account for that network, and for no other.
func TestGuessesFromElsewhereLockNobodyOut(t *testing.T) {
	c := newClock()
	throttle := newThrottle(t, ThrottleOptions{FailedLoginsPerMinute: 30, Now: c.Now})
	for range 40 { // one try whenever a pause is over
		attempt(t, throttle, from("192.0.2.1"), "joe", Failed)
		c.add(15 * time.Minute)
	}
	attempt(t, throttle, from("192.0.2.1"), "joe", Failed)
	if attempt(t, throttle, from("192.0.2.1"), "joe", Succeeded) {
		t.Error("the guesser is admitted during the pause")
	}
	if !attempt(t, throttle, from("192.0.2.2"), "joe", Succeeded) {
		t.Error("joe is locked out")
	}
	if attempt(t, throttle, from("192.0.2.1"), "joe", Succeeded) {
		t.Error("joe's login ended the guesser's pause")
	}
}

// The ceiling for all networks together, and who is let through.
func TestGuessesFromEverywhere(t *testing.T) {
	c := newClock()
	throttle := newThrottle(t, ThrottleOptions{FailedLoginsPerMinute: 30, Now: c.Now})
	home, n := from("198.51.100.1"), 0
	if !attempt(t, throttle, home, "joe", Succeeded) {
		t.Fatal("refused")
	}
	guess := func() bool {
		n++
		return attempt(t, throttle, from(fmt.Sprintf("10.0.%d.%d", n>>8, n&255)), "joe", Failed)
	}
	for range accountFailures {
		if !guess() {
			t.Fatalf("guess %d was refused", n)
		}
	}
	if guess() {
		t.Error("more guesses than the ceiling")
	}
	if !attempt(t, throttle, home, "joe", Succeeded) {
		t.Error("joe is locked out at home")
	}
	c.add(time.Hour / accountFailures)
	if !guess() || guess() {
		t.Error("the hundredth part of an hour gives one more guess")
	}
	c.add(trustedFor)
	for guess() { // up to the ceiling again
	}
	if attempt(t, throttle, home, "joe", Succeeded) {
		t.Error("let through a day after the last login")
	}
}

// What is known of an account must not be pushed out of memory by attempts that were refused anyway.
func TestRefusedAttemptsAreNotRemembered(t *testing.T) {
	throttle := newThrottle(t, ThrottleOptions{FailedLoginsPerMinute: freeFailures, Now: newClock().Now})
	for range freeFailures {
		attempt(t, throttle, from("192.0.2.1"), "joe", Failed)
	}
	for i := range 1000 {
		if attempt(t, throttle, from("192.0.2.1"), fmt.Sprint("random", i), Failed) {
			t.Fatal("admitted")
		}
	}
	if a, b := throttle.guesses.Len(), throttle.accounts.counted.Len(); a != 1 || b != 1 {
		t.Errorf("%d and %d accounts are remembered", a, b)
	}
	attempt(t, throttle, from("192.0.2.2"), "ann", Undecided)
	attempt(t, throttle, from("192.0.2.2"), "ann", Succeeded)
	if a, b := throttle.guesses.Len(), throttle.accounts.counted.Len(); a != 1 || b != 1 {
		t.Errorf("%d and %d accounts are remembered after a login that did not fail", a, b)
	}
}

// Attempts that are under way together do not get more failures in than the limit, on however many accounts.
func TestFloodFromOneNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		throttle := newThrottle(t, ThrottleOptions{FailedLoginsPerMinute: 30})
		var tried, running, most atomic.Int32
		var all sync.WaitGroup
		for i := range 1000 {
			all.Go(func() {
				a, err := throttle.Begin(t.Context(), from("192.0.2.1"), "local", fmt.Sprint("user", i))
				if err != nil {
					return
				}
				tried.Add(1)
				for n := running.Add(1); n > most.Load(); {
					most.Store(n)
				}
				time.Sleep(27 * time.Millisecond)
				running.Add(-1)
				a.End(Failed)
			})
		}
		all.Wait()
		if n := tried.Load(); n != 30 || most.Load() > triesAtOnce {
			t.Errorf("%d guesses, %d at once", n, most.Load())
		}
	})
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
	for name, n := range map[string]int{
		"guesses": throttle.guesses.Len(), "accounts": throttle.accounts.counted.Len(), "networks": throttle.networks.counted.Len(),
		"connections": throttle.connections.Len(),
	} {
		if n != maxTracked {
			t.Errorf("%d %s", n, name)
		}
	}
	if a, b, c := len(throttle.accounts.reserved), len(throttle.networks.reserved), len(throttle.lines.byKey); a+b+c != 0 {
		t.Error("something is kept of attempts that ended:", a, b, c)
	}
}
