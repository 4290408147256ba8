package realtime_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol"
)

// rights are what users may not subscribe to, as "user collection", and who asked.
type rights struct {
	mu     sync.Mutex
	taken  map[string]bool
	broken bool
	asked  []string
}

func (r *rights) allowed(_ context.Context, kuid, index, collection string) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	what := kuid + " " + index + "/" + collection
	r.asked = append(r.asked, what)
	if r.broken {
		return true, errors.New("storage is down")
	}
	return !r.taken[what], nil
}

func (r *rights) take(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken[what] = true
}

// questions gives what was asked since the last time.
func (r *rights) questions() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	asked := r.asked
	r.asked = nil
	return asked
}

// rechecked runs a test in a bubble. The users of the connections a, b and c are user-a and so on.
func rechecked(t *testing.T, test func(t *testing.T, w *world, r *rights, recheck *realtime.Rechecker)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w, r := newWorld(t), &rights{taken: map[string]bool{}}
		recheck := realtime.NewRechecker(w.Service, r.allowed, slog.New(slog.NewTextHandler(&w.logged, nil)))
		t.Cleanup(recheck.Close)
		test(t, w, r, recheck)
	})
}

func (c *client) subscribeIn(t testing.TB, collection, filter string) string {
	t.Helper()
	return c.subscribeTo(t, realtime.Subscription{Index: "i", Collection: collection, Filter: jsontext.Value(filter)}).RoomID
}

// notices are what a client was told by the node.
func (c *client) notices() []string {
	var all []string
	for _, m := range c.take() {
		if m.Channel == protocol.ServerNotificationRoom {
			all = append(all, string(m.JSON))
		}
	}
	return all
}

func TestSubscriptionsEndWithTheRightToThem(t *testing.T) {
	rechecked(t, func(t *testing.T, w *world, r *rights, recheck *realtime.Rechecker) {
		a, b := w.connect("a"), w.connect("b")
		books, all, films := a.subscribeIn(t, "books", `{"exists":"x"}`), a.subscribeIn(t, "books", `{}`), a.subscribeIn(t, "films", `{}`)
		b.subscribeIn(t, "books", `{}`)
		r.take("user-a i/books")
		recheck.Changed("")
		synctest.Wait()
		if asked := r.questions(); !slices.Equal(asked, []string{"user-a i/books", "user-a i/films", "user-b i/books"}) {
			t.Errorf("asked: %q", asked)
		}
		if w.Count(books) != 0 || w.Count(all) != 1 || w.Count(films) != 1 {
			t.Errorf("left in the rooms: %d, %d, %d", w.Count(books), w.Count(all), w.Count(films))
		}
		told := a.notices()
		if len(told) != 1 || !strings.Contains(told[0], `"type":"SubscriptionsEnded"`) || !strings.Contains(told[0], books) ||
			!strings.Contains(told[0], all) || strings.Contains(told[0], films) {
			t.Errorf("a was told %q", told)
		}
		if told := b.notices(); len(told) != 0 {
			t.Errorf("b was told %q", told)
		}
	})
}

func TestOnlyWhoWasChangedIsLookedAt(t *testing.T) {
	rechecked(t, func(t *testing.T, w *world, r *rights, recheck *realtime.Rechecker) {
		a, b := w.connect("a"), w.connect("b")
		room := a.subscribeIn(t, "books", `{}`)
		b.subscribeIn(t, "books", `{}`)
		r.take("user-a i/books")
		recheck.Changed("user-b")
		synctest.Wait()
		if asked := r.questions(); !slices.Equal(asked, []string{"user-b i/books"}) || w.Count(room) != 2 {
			t.Errorf("asked %q, %d stay", asked, w.Count(room))
		}
	})
}

func TestManyChangesMakeFewPasses(t *testing.T) {
	rechecked(t, func(t *testing.T, w *world, r *rights, recheck *realtime.Rechecker) {
		w.connect("a").subscribeIn(t, "books", `{}`)
		for i := range 10_000 {
			recheck.Changed(fmt.Sprintf("user-%d", i))
		}
		for range 100 {
			recheck.Changed("")
			synctest.Wait()
		}
		time.Sleep(time.Second)
		if asked := r.questions(); len(asked) == 0 || len(asked) > 2 {
			t.Errorf("asked %d times", len(asked))
		}
	})
}

func TestRightsThatCannotBeRead(t *testing.T) {
	rechecked(t, func(t *testing.T, w *world, r *rights, recheck *realtime.Rechecker) {
		a := w.connect("a")
		room := a.subscribeIn(t, "books", `{}`)
		r.broken = true
		recheck.Changed("user-a")
		synctest.Wait()
		if w.Count(room) != 0 || len(a.notices()) != 1 {
			t.Errorf("%d stay, though nobody knows whether they may", w.Count(room))
		}
		if log := w.logged.String(); !strings.Contains(log, "storage is down") {
			t.Errorf("log: %s", log)
		}
	})
}

// A connection that several users share keeps what is not in the name of the one who leaves.
func TestOneUserLeavesASharedConnection(t *testing.T) {
	w := newWorld(t)
	a, other := w.connect("a"), w.connect("b")
	rooms := map[string]string{} // by user
	for _, kuid := range []string{"u", "v", protocol.AnonymousID} {
		r := a.request("subscribe")
		r.User = &protocol.User{ID: kuid}
		s, err := w.Subscribe(t.Context(), r, realtime.Subscription{Index: "i", Collection: kuid})
		if err != nil {
			t.Fatal(err)
		}
		a.answered(r, true)
		rooms[kuid] = s.RoomID
	}
	other.subscribeIn(t, "u", `{}`)
	isU := func(kuid string) bool { return kuid == "u" }
	if !w.LeaveOf(t.Context(), "a", isU) {
		t.Error("left no room")
	}
	for kuid, room := range rooms {
		if n := w.Count(room); n != 1 {
			t.Errorf("%d in the room of %s", n, kuid)
		}
	}
	for _, connection := range []string{"a", "c"} {
		if w.LeaveOf(t.Context(), connection, isU) {
			t.Errorf("%s left a room", connection)
		}
	}
	if !w.Leave(t.Context(), "a") || w.Subscribed("a") {
		t.Error("a connection that was closed is in a room")
	}
}

// What ends while a connection enters a room finds nothing to end.
func TestSubscriptionThatIsNotConfirmed(t *testing.T) {
	refusal := errors.New("the token has ended")
	var refuse bool
	w := newWorld(t, func(c *realtime.Config) {
		c.Confirm = func(_ context.Context, _ *protocol.Request, index, collection string) error {
			if index != "i" || collection != "c" {
				t.Errorf("confirm %s/%s", index, collection)
			}
			if refuse {
				return refusal
			}
			return nil
		}
	})
	a := w.connect("a")
	room := a.subscribe(t, `{}`, realtime.Options{}).RoomID
	if w.Count(room) != 1 {
		t.Fatal("a confirmed subscription is not there")
	}
	refuse = true
	for _, filter := range []string{`{}`, `{"exists":"x"}`} {
		r := a.request("subscribe")
		s, err := w.Subscribe(t.Context(), r, realtime.Subscription{Index: "i", Collection: "c", Filter: jsontext.Value(filter)})
		a.answered(r, false)
		if s != nil || !errors.Is(err, refusal) {
			t.Errorf("%v, %v", s, err)
		}
	}
	if w.Watched("i", "c") {
		t.Error("somebody still listens")
	}
}

// What a logout everywhere costs among 100,000 subscriptions of 10,000 users, 10 of which end.
func BenchmarkLeaveAll(b *testing.B) {
	w := newWorld(b)
	for i := range 10_000 {
		c := w.connect(fmt.Sprint(i))
		for j := range 10 {
			c.subscribeIn(b, fmt.Sprint("books", j), fmt.Sprintf(`{"equals":{"x":%d}}`, i%100))
		}
	}
	leaver := w.connect("leaver")
	b.ReportAllocs()
	for b.Loop() {
		for j := range 10 {
			leaver.subscribeIn(b, fmt.Sprint("books", j), `{}`)
		}
		w.LeaveAll(b.Context(), "user-leaver", func(string) bool { return false })
	}
}
