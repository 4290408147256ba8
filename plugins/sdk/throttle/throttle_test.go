package throttle

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/plugins/sdk/settings"
)

func newThrottle(t *testing.T, l Limits) *Throttle {
	t.Helper()
	th, err := New(l)
	if err != nil {
		t.Fatal(err)
	}
	return th
}

// begin fails the test when the attempt is refused.
func begin(t *testing.T, th *Throttle, ip, account string) *Attempt {
	t.Helper()
	a, wait, err := th.Begin(t.Context(), ip, account)
	if err != nil || a == nil {
		t.Fatalf("refused for %s: %v", wait, err)
	}
	return a
}

func refused(t *testing.T, th *Throttle, ip, account string) time.Duration {
	t.Helper()
	a, wait, err := th.Begin(t.Context(), ip, account)
	if err != nil || a != nil || wait <= 0 {
		t.Fatalf("not refused: wait %s, %v", wait, err)
	}
	return wait
}

func TestAnAccountIsBlockedAfterFiveFailuresAndLongerEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle(t, Standard())
		for i := range 5 {
			begin(t, th, fmt.Sprintf("192.0.2.%d", i), "ali").Fail()
		}
		for _, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
			if got := refused(t, th, "192.0.2.9", "ali"); got != want {
				t.Errorf("blocked for %s, want %s", got, want)
			}
			time.Sleep(want - time.Millisecond)
			refused(t, th, "192.0.2.9", "ali")
			time.Sleep(time.Millisecond)
			begin(t, th, "192.0.2.9", "ali").Fail()
		}
		begin(t, th, "192.0.2.9", "bob").Fail()
		time.Sleep(15 * time.Minute)
		begin(t, th, "192.0.2.9", "ali").Succeed()
		for range 5 {
			begin(t, th, "192.0.2.9", "ali").Fail()
		}
		if got := refused(t, th, "192.0.2.9", "ali"); got != 30*time.Second {
			t.Errorf("after success blocked for %s", got)
		}
		if th.Refused() != 15 {
			t.Errorf("refused %d times", th.Refused())
		}
	})
}

func TestDroppedAttemptsCountAsNothing(t *testing.T) {
	th := newThrottle(t, Standard())
	for range 200 {
		begin(t, th, "192.0.2.1", "ali").Drop()
	}
	a := begin(t, th, "192.0.2.1", "ali")
	a.Succeed()
	for range 200 {
		a.Fail() // settled already
	}
	begin(t, th, "192.0.2.1", "ali").Drop()
}

func TestThirtyFailuresAMinuteFromAnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle(t, Standard())
		for i := range 30 {
			begin(t, th, "192.0.2.1", fmt.Sprint("user", i)).Fail()
		}
		if wait := refused(t, th, "192.0.2.1", "bob"); wait < 2*time.Second || wait > 3*time.Second {
			t.Errorf("wait %s", wait)
		}
		begin(t, th, "192.0.2.2", "bob").Drop()
		begin(t, th, "::ffff:192.0.2.2", "bob").Drop()
		refused(t, th, "::ffff:192.0.2.1", "bob")
		time.Sleep(2*time.Second + time.Millisecond)
		begin(t, th, "192.0.2.1", "bob").Fail()
		refused(t, th, "192.0.2.1", "bob")
		time.Sleep(time.Minute)
		begin(t, th, "192.0.2.1", "bob").Fail()
	})
}

func TestAnIPv6NetworkIsOneAddress(t *testing.T) {
	th := newThrottle(t, Limits{FailuresPerMinute: 1})
	begin(t, th, "2001:db8::1", "a").Fail()
	refused(t, th, "2001:db8::ffff:1", "b")
	begin(t, th, "2001:db8:0:1::1", "b").Fail()
}

func TestTheCeilingOfAnHourHoldsWhateverSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle(t, Standard())
		for i := range 100 {
			begin(t, th, "", "ali").Fail()
			if i%4 == 0 {
				begin(t, th, "", "ali").Succeed()
			}
		}
		if wait := refused(t, th, "", "ali"); wait != time.Hour {
			t.Errorf("wait %s", wait)
		}
		time.Sleep(time.Hour)
		begin(t, th, "", "ali").Drop()
	})
}

// Sixty guesses at once get no further than five.
func TestAttemptsUnderWayCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle(t, Standard())
		var tried, most, now atomic.Int64
		var wait sync.WaitGroup
		for range 60 {
			wait.Go(func() {
				a, _, err := th.Begin(t.Context(), "", "ali")
				if err != nil || a == nil {
					return
				}
				tried.Add(1)
				if n := now.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(27 * time.Millisecond)
				now.Add(-1)
				a.Fail()
			})
		}
		wait.Wait()
		if tried.Load() != 5 || most.Load() > 5 {
			t.Errorf("%d guesses, %d at a time", tried.Load(), most.Load())
		}
		time.Sleep(30 * time.Second)
		for range 10 {
			wait.Go(func() {
				if a, _, _ := th.Begin(t.Context(), "", "ali"); a != nil {
					tried.Add(1)
					a.Fail()
				}
			})
		}
		wait.Wait()
		if tried.Load() != 6 {
			t.Errorf("%d guesses after the block", tried.Load()-5)
		}
	})
}

// Many logins at once succeed, a few at a time.
func TestManySuccessesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle(t, Standard())
		var wait sync.WaitGroup
		for range 60 {
			wait.Go(func() {
				a, w, err := th.Begin(t.Context(), "192.0.2.1", "ali")
				if a == nil {
					t.Errorf("refused for %s: %v", w, err)
					return
				}
				time.Sleep(time.Millisecond)
				a.Succeed()
			})
		}
		wait.Wait()
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	th := newThrottle(t, Limits{FailuresInARow: 1})
	begin(t, th, "", "ali")
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if a, _, err := th.Begin(ctx, "", "ali"); a != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v %v", a, err)
	}
}

func TestEntriesAreBounded(t *testing.T) {
	th := newThrottle(t, Limits{FailuresPerMinute: 30, FailuresInARow: 5, MaxEntries: 10})
	for i := range 1000 {
		begin(t, th, fmt.Sprintf("192.0.%d.%d", i/256, i%256), fmt.Sprint(i)).Fail()
	}
	if th.accounts.len() != 10 || th.addresses.len() != 10 {
		t.Errorf("%d accounts, %d addresses", th.accounts.len(), th.addresses.len())
	}
}

// Neither attempts that are refused nor failures on other accounts make a block go away.
func TestABlockIsNotPushedOut(t *testing.T) {
	l := Standard()
	l.MaxEntries = 10
	th := newThrottle(t, l)
	for range 30 {
		begin(t, th, "192.0.2.1", "").Fail()
	}
	for i := range 5 {
		begin(t, th, fmt.Sprintf("192.0.3.%d", i), "ali").Fail()
	}
	for i := range 100 {
		refused(t, th, "192.0.2.1", fmt.Sprint("refused", i))
	}
	if th.accounts.len() != 1 {
		t.Errorf("%d accounts", th.accounts.len())
	}
	for i := range 100 {
		begin(t, th, fmt.Sprintf("198.51.100.%d", i), fmt.Sprint("failed", i)).Fail()
	}
	refused(t, th, "203.0.113.1", "ali")
	refused(t, th, "192.0.2.1", "bob")
}

// What has become harmless makes room before failures of the last hour, though it was blocked once.
func TestHarmlessEntriesGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Standard()
		l.MaxEntries = 3
		th := newThrottle(t, l)
		for range 5 {
			begin(t, th, "", "ali").Fail()
		}
		time.Sleep(2 * time.Hour)
		for range 4 {
			begin(t, th, "", "bob").Fail()
			begin(t, th, "", "cid").Fail()
		}
		begin(t, th, "", "dan").Fail()
		begin(t, th, "", "bob").Fail()
		begin(t, th, "", "cid").Fail()
		refused(t, th, "", "bob")
		refused(t, th, "", "cid")
	})
}

func TestWhoWaitsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle(t, Limits{FailuresInARow: 1})
		first, other := begin(t, th, "", "ali"), begin(t, th, "", "bob")
		var wait sync.WaitGroup
		for range maxWaiting {
			wait.Go(func() {
				a, w, err := th.Begin(t.Context(), "192.0.2.1", "ali")
				if a == nil {
					t.Errorf("refused for %s: %v", w, err)
					return
				}
				a.Succeed()
			})
		}
		synctest.Wait()
		refused(t, th, "192.0.2.2", "ali") // too many for the account
		refused(t, th, "192.0.2.1", "bob") // too many from the address
		first.Succeed()
		wait.Wait()
		other.Drop()
		if len(th.busy) != 0 || len(th.waiting) != 0 {
			t.Errorf("%d busy, %d waiting", len(th.busy), len(th.waiting))
		}
	})
}

func TestZeroBoundsNothing(t *testing.T) {
	th := newThrottle(t, Limits{})
	for range 1000 {
		begin(t, th, "192.0.2.1", "ali").Fail()
	}
}

func TestSettingsAreReadOverTheStandard(t *testing.T) {
	l := Standard()
	if err := json.Unmarshal([]byte(`{"failuresInARow":3,"firstBlock":"1s"}`), &l); err != nil {
		t.Fatal(err)
	}
	want := Standard()
	want.FailuresInARow, want.FirstBlock = 3, settings.Duration{Duration: time.Second}
	if l != want {
		got, _ := json.Marshal(l)
		t.Errorf("got %s", got)
	}
}

func BenchmarkBegin(b *testing.B) {
	th, err := New(Standard())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		a, _, err := th.Begin(b.Context(), "192.0.2.1", "ali")
		if err != nil {
			b.Fatal(err)
		}
		a.Succeed()
	}
}
