package realtime_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol"
)

// The rooms of TestRandomly. A message is in its own and in the last one.
var filters = []string{`{"equals":{"r":0}}`, `{"equals":{"r":1}}`, `{"exists":"r"}`}

// witness is in a room all the time: what it hears is the order of the room.
type witness struct {
	count atomic.Int64

	mu    sync.Mutex
	order []string
}

func (w *witness) Deliver(m *realtime.Message) bool {
	w.mu.Lock()
	w.order = append(w.order, number(m))
	w.mu.Unlock()
	w.count.Add(1)
	return true
}

func (w *witness) Close(int, string) {}

// number gives the n of a message.
func number(m *realtime.Message) string {
	_, rest, _ := strings.Cut(string(m.JSON), `"n":`)
	return rest[:strings.IndexByte(rest, '}')]
}

// stay is the time that a connection was in a room, resumed stays included. It must have heard all from messages number
// from to number to, in the order of the room, and may have heard a few around them that came at the same time.
type stay struct {
	room     int
	resumed  bool
	from, to int64
	heard    []*realtime.Message
}

func (s *stay) check(t *testing.T, order []string) {
	t.Helper()
	if len(s.heard) == 0 {
		if s.to > s.from {
			t.Errorf("room %d: %d messages were lost", s.room, s.to-s.from)
		}
		return
	}
	begin := slices.Index(order, number(s.heard[0]))
	if begin < 0 || int64(begin) > s.from || int64(begin+len(s.heard)) < s.to {
		t.Errorf("room %d: heard %d from %d, want all from %d to %d", s.room, len(s.heard), begin, s.from, s.to)
		return
	}
	for i, m := range s.heard {
		if number(m) != order[begin+i] {
			t.Errorf("room %d: heard %s in place of %s", s.room, number(m), order[begin+i])
			return
		}
	}
}

// actor is a client that comes and goes.
type actor struct {
	w         *world
	t         *testing.T
	r         *rand.Rand
	name      string
	witnesses []*witness

	lives  int
	conn   *client
	open   map[int]*stay // by room
	rooms  map[int]string
	ended  []*stay
	resume bool
}

func (a *actor) connect() {
	a.lives++
	a.conn = a.w.connect(a.name + "." + strconv.Itoa(a.lives))
}

func (a *actor) options() realtime.Options {
	return realtime.Options{Users: realtime.None, Resumable: a.resume}
}

// enter subscribes or joins; before is the stay to go on with.
func (a *actor) enter(room int, before *stay) {
	var after *string
	if before != nil && len(before.heard) > 0 {
		after = &before.heard[len(before.heard)-1].ID
	}
	req := a.conn.request("subscribe")
	var s *realtime.Subscribed
	var err error
	if id := a.rooms[room]; id != "" && a.r.IntN(2) == 0 {
		s, err = a.w.Join(context.Background(), req, id, a.options(), after)
	} else {
		s, err = a.w.Subscribe(context.Background(), req, realtime.Subscription{
			Index: "i", Collection: "c", Filter: jsontext.Value(filters[room]), Options: a.options(), After: after,
		})
	}
	if err != nil {
		a.t.Error(err)
		return
	}
	a.conn.answered(req, true)
	a.rooms[room] = s.RoomID
	if before != nil && s.Resumed != nil && *s.Resumed {
		before.resumed = true
		a.open[room] = before
		return
	}
	a.open[room] = &stay{room: room, from: a.witnesses[room].count.Load()}
}

// sort gives what was heard to the stays that it belongs to.
func (a *actor) sort() {
	for _, m := range a.conn.take() {
		if m.Channel == answerChannel {
			continue
		}
		found := false
		for room, s := range a.open {
			if strings.HasPrefix(m.Channel, a.rooms[room]) {
				s.heard, found = append(s.heard, m), true
			}
		}
		if !found {
			a.t.Errorf("%s heard %s on a channel that it had left", a.name, m.JSON)
		}
	}
}

func (a *actor) leave(room int) {
	s := a.open[room]
	s.to = a.witnesses[room].count.Load()
	if err := a.w.Unsubscribe(context.Background(), a.conn.request("unsubscribe"), a.rooms[room]); err != nil {
		a.t.Error(err)
	}
	a.sort()
	a.ended = append(a.ended, s)
	delete(a.open, room)
}

// reconnect goes on where it was, if it can.
func (a *actor) reconnect() {
	for room, s := range a.open {
		s.to = a.witnesses[room].count.Load()
	}
	a.conn.disconnect()
	a.sort()
	was := a.open
	a.open = map[int]*stay{}
	a.connect()
	for room, s := range was {
		if !a.resume {
			a.ended = append(a.ended, s)
			continue
		}
		if a.enter(room, s); !s.resumed || a.open[room] != s {
			a.ended = append(a.ended, s)
		}
	}
}

func (a *actor) step() {
	room := a.r.IntN(len(filters))
	switch a.r.IntN(8) {
	case 0:
		a.reconnect()
	case 1, 2, 3:
		if a.open[room] != nil {
			a.leave(room)
		}
	case 4:
		// A subscription whose answer fails changes nothing.
		req := a.conn.request("subscribe")
		if _, err := a.w.Subscribe(context.Background(), req, realtime.Subscription{
			Index: "i", Collection: "c", Filter: jsontext.Value(filters[room]), Options: realtime.Options{Documents: realtime.Out, Users: realtime.None},
		}); err != nil {
			a.t.Error(err)
		}
		a.conn.answered(req, false)
	default:
		if a.open[room] == nil {
			a.enter(room, nil)
		}
	}
}

// TestRandomly lets clients come and go while others publish: presence is exact in the end, and everybody heard each message
// of the rooms he was in exactly once, in one order.
func TestRandomly(t *testing.T) {
	const actors, publishers, steps = 6, 2, 300
	w := newWorld(t, func(c *realtime.Config) { c.History.Messages = 64 })
	witnesses := make([]*witness, len(filters))
	find := w.connectWitnesses(t, witnesses)
	all := make([]*actor, actors)
	var coming, publishing sync.WaitGroup
	stop := make(chan struct{})
	for p := range publishers {
		publishing.Go(func() {
			r := rand.New(rand.NewPCG(uint64(p), 1))
			for n := p; ; n += publishers {
				select {
				case <-stop:
					return
				default:
				}
				source := fmt.Sprintf(`{"r":%d,"n":%d}`, r.IntN(2), n)
				if err := w.Publish(context.Background(), writer(), "i", "c", "", jsontext.Value(source)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range all {
		a := &actor{
			w: w, t: t, r: rand.New(rand.NewPCG(uint64(i), 2)), name: "actor" + strconv.Itoa(i), witnesses: witnesses,
			open: map[int]*stay{}, rooms: map[int]string{}, resume: i%2 == 0,
		}
		all[i] = a
		coming.Go(func() {
			a.connect()
			for range steps {
				a.step()
			}
		})
	}
	coming.Wait()
	close(stop)
	publishing.Wait()
	present, resumed := map[string]int{}, 0
	for _, a := range all {
		a.sort()
		for room, s := range a.open {
			s.to = witnesses[room].count.Load()
			a.ended = append(a.ended, s)
			present[find[room]]++
		}
		for _, s := range a.ended {
			s.check(t, witnesses[s.room].order)
			if s.resumed {
				resumed++
			}
		}
	}
	for _, id := range find {
		if got := w.Count(id); got != present[id]+1 {
			t.Errorf("%d are in a room, want %d", got, present[id]+1)
		}
	}
	if resumed == 0 {
		t.Error("nobody resumed")
	}
	for _, a := range all {
		a.conn.disconnect()
	}
	if got := w.metric(t, "subscribers"); got != float64(len(witnesses)) {
		t.Errorf("%v subscribers are left", got)
	}
}

// connectWitnesses puts a witness into each room and gives the ids of the rooms.
func (w *world) connectWitnesses(t *testing.T, witnesses []*witness) []string {
	ids := make([]string, len(witnesses))
	for i, filter := range filters {
		witnesses[i] = &witness{}
		id := "witness" + strconv.Itoa(i)
		w.mu.Lock()
		w.others[id] = witnesses[i]
		w.mu.Unlock()
		req := &protocol.Request{Connection: &protocol.Connection{ID: id, Protocol: "websocket"}}
		s, err := w.Subscribe(t.Context(), req, realtime.Subscription{
			Index: "i", Collection: "c", Filter: jsontext.Value(filter), Options: realtime.Options{Users: realtime.None},
		})
		if err != nil {
			t.Fatal(err)
		}
		req.Reply.Answered(true)
		ids[i] = s.RoomID
	}
	return ids
}
