package process_test

import (
	"testing"
	"time"

	"github.com/sluicehq/sluice/core/pluginhost/process"
)

func TestRestarts(t *testing.T) {
	p := process.Policy{InitialDelay: 100 * time.Millisecond, MaxDelay: time.Second, HealthyAfter: time.Minute, MaxRestarts: 6, Window: 10 * time.Minute}
	r := process.NewRestarts(p)
	now := time.Unix(0, 0)
	crash := func(uptime time.Duration) (time.Duration, bool) {
		now = now.Add(uptime)
		return r.Crashed(now, uptime)
	}
	within := func(uptime, most time.Duration) {
		t.Helper()
		got, ok := crash(uptime)
		if !ok || got > most || got < most*3/4 {
			t.Errorf("after %s: %s, %v; want 3/4 to all of %s", uptime, got, ok, most)
		}
	}
	within(time.Second, 100*time.Millisecond)
	within(time.Second, 200*time.Millisecond)
	within(time.Second, 400*time.Millisecond)
	within(time.Minute, 100*time.Millisecond) // healthy in between
	within(time.Second, 200*time.Millisecond)
	within(0, 400*time.Millisecond)
	if _, ok := crash(time.Second); ok {
		t.Error("the seventh within the window is too much")
	}
	now = now.Add(9 * time.Minute) // the first crashes leave the window
	within(0, 800*time.Millisecond)
	within(0, time.Second)
}

func TestNoRestarts(t *testing.T) {
	p := process.DefaultPolicy()
	p.MaxRestarts = 0
	if _, ok := process.NewRestarts(p).Crashed(time.Now(), time.Hour); ok {
		t.Error("the first crash is the end")
	}
}

func TestTinyDelay(t *testing.T) {
	p := process.Policy{InitialDelay: 1, MaxDelay: 2, MaxRestarts: 3, Window: time.Hour, HealthyAfter: time.Hour}
	if delay, ok := process.NewRestarts(p).Crashed(time.Now(), 0); !ok || delay != 1 {
		t.Errorf("%d %v", delay, ok)
	}
}
