package events_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newBus(t *testing.T, size int) *events.Bus {
	t.Helper()
	b := events.NewBus(size, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { b.Close(context.Background()) })
	return b
}

func TestPipesRunInOrderAndStopAtTheFirstError(t *testing.T) {
	var ran []string
	pipe := func(name string, err error) events.PipeFunc {
		return func(context.Context, string, *events.Payload) error {
			ran = append(ran, name)
			return err
		}
	}
	stop := errors.New("stop")
	table := events.NewTable([]events.Listeners{
		{Owner: "a", Pipes: map[string]events.Pipe{"c:beforeX": pipe("a", nil)}},
		{Owner: "b", Pipes: map[string]events.Pipe{"c:beforeX": pipe("b", stop)}},
		{Owner: "c", Pipes: map[string]events.Pipe{"c:beforeX": pipe("c", nil), "c:afterX": pipe("after", nil)}},
	})
	err := newBus(t, 1).Fire(t.Context(), table, "c:beforeX", &events.Payload{})
	if !errors.Is(err, stop) || !slices.Equal(ran, []string{"a", "b"}) {
		t.Fatalf("ran %v, error %v", ran, err)
	}
}

func TestWildcards(t *testing.T) {
	for _, c := range []struct {
		listen, event string
		heard         bool
	}{
		{"document:beforeCreate", "document:beforeCreate", true},
		{"document:before*", "document:beforeCreate", true},
		{"document:*", "document:beforeCreate", true},
		{"document:after*", "document:beforeCreate", false},
		{"document:error*", "document:errorGet", true},
		{"plugin/users:before*", "plugin/users:beforeGet", true},
		{"request:*", "request:onSuccess", true},
		{"document:*", "security:beforeGetUser", false},
	} {
		heard := false
		table := events.NewTable([]events.Listeners{{Pipes: map[string]events.Pipe{
			c.listen: events.PipeFunc(func(context.Context, string, *events.Payload) error { heard = true; return nil }),
		}}})
		if err := newBus(t, 1).Fire(t.Context(), table, c.event, &events.Payload{}); err != nil || heard != c.heard {
			t.Errorf("%s on %s: heard %v (error %v), want %v", c.listen, c.event, heard, err, c.heard)
		}
	}
}

func TestAPipeThatPanicsFailsClosed(t *testing.T) {
	table := events.NewTable([]events.Listeners{{Pipes: map[string]events.Pipe{
		"e": events.PipeFunc(func(context.Context, string, *events.Payload) error { panic("boom") }),
	}}})
	if err := newBus(t, 1).Fire(t.Context(), table, "e", &events.Payload{}); !errors.Is(err, kerror.PluginRuntimeUnexpectedError) {
		t.Fatalf("got %v", err)
	}
}

func TestHooksAreToldAfterwardsWithACopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var actions []string
		table := events.NewTable([]events.Listeners{{Hooks: map[string]events.Hook{
			"e": events.HookFunc(func(_ context.Context, _ string, p *events.Payload) {
				mu.Lock()
				defer mu.Unlock()
				actions = append(actions, p.Request.Action)
			}),
		}}})
		b := events.NewBus(4, slog.New(slog.DiscardHandler))
		req := &protocol.Request{Action: "first"}
		if err := b.Fire(t.Context(), table, "e", &events.Payload{Request: req}); err != nil {
			t.Fatal(err)
		}
		req.Action = "changed"
		b.Close(t.Context())
		if !slices.Equal(actions, []string{"first"}) {
			t.Fatalf("told %v", actions)
		}
	})
}

func TestHooksNeverWaitAndAreCountedWhenDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		table := events.NewTable([]events.Listeners{{Hooks: map[string]events.Hook{
			"e": events.HookFunc(func(context.Context, string, *events.Payload) { <-release }),
		}}})
		b := events.NewBus(2, slog.New(slog.DiscardHandler))
		for range 10 {
			if err := b.Fire(t.Context(), table, "e", &events.Payload{}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if got := b.Dropped(); got != 4 { // four workers busy, two waiting
			t.Errorf("dropped %d of 10, want 4", got)
		}
		close(release)
		b.Close(t.Context())
		if err := b.Fire(t.Context(), table, "e", &events.Payload{}); err != nil || b.Dropped() != 5 {
			t.Errorf("after Close: error %v, dropped %d, want 5", err, b.Dropped())
		}
	})
}

func TestCloseEndsHooksThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := events.NewTable([]events.Listeners{{Hooks: map[string]events.Hook{
			"e": events.HookFunc(func(ctx context.Context, _ string, _ *events.Payload) { <-ctx.Done() }),
		}}})
		b := events.NewBus(2, slog.New(slog.DiscardHandler))
		if err := b.Fire(t.Context(), table, "e", &events.Payload{}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		b.Close(ctx)
	})
}

func BenchmarkFireNobodyListens(b *testing.B) {
	bus := events.NewBus(1, slog.New(slog.DiscardHandler))
	defer bus.Close(context.Background())
	table := events.NewTable([]events.Listeners{{Pipes: map[string]events.Pipe{"other": events.PipeFunc(nil)}}})
	b.ReportAllocs()
	for b.Loop() {
		if err := bus.Fire(b.Context(), table, "server:beforeNow", &events.Payload{}); err != nil {
			b.Fatal(err)
		}
	}
}
