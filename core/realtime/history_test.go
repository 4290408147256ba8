package realtime_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol/kerror"
)

var resumable = realtime.Options{Users: realtime.None, Resumable: true}

// comeBack subscribes after a message, as a new connection.
func (w *world) comeBack(t testing.TB, after string, o realtime.Options) (*client, *realtime.Subscribed) {
	t.Helper()
	c := w.connect("back")
	return c, c.subscribeTo(t, realtime.Subscription{Index: "i", Collection: "c", Options: o, After: &after})
}

// numbers gives the n of the messages, in order.
func numbers(t testing.TB, c *client) string {
	t.Helper()
	var list []string
	for _, m := range c.take() {
		if m.Channel == answerChannel {
			list = append(list, "answer")
			continue
		}
		text := string(read(t, m).Result.Source)
		list = append(list, strings.Trim(text, `{}n":`))
	}
	return strings.Join(list, " ")
}

func (w *world) publishNumbers(t testing.TB, from, to int) {
	t.Helper()
	for n := from; n <= to; n++ {
		w.publish(t, `{"n":`+strconv.Itoa(n)+`}`)
	}
}

func TestResume(t *testing.T) {
	for _, alone := range []bool{true, false} {
		w := newWorld(t)
		c := w.connect("c")
		if !alone {
			w.connect("other").subscribe(t, `{}`, realtime.Options{Users: realtime.None})
		}
		s := c.subscribe(t, `{}`, resumable)
		if s.LastMessageID == "" || s.Resumed != nil {
			t.Fatalf("%+v", s)
		}
		w.publishNumbers(t, 1, 3)
		got := c.take()
		c.disconnect()
		w.publishNumbers(t, 4, 6)
		if alone && (w.Count(s.RoomID) != 0 || len(w.List(func(string, string) bool { return true })) != 0) {
			t.Error("a room that is only kept is shown")
		}
		b, again := w.comeBack(t, got[2].ID, resumable) // it lost 3
		if again.Resumed == nil || !*again.Resumed || again.Channel != s.Channel {
			t.Fatalf("%+v", again)
		}
		w.publishNumbers(t, 7, 7)
		if got := numbers(t, b); got != "answer 3 4 5 6 7" {
			t.Errorf("alone %v: got %s", alone, got)
		}
		b.disconnect()
		b, again = w.comeBack(t, again.LastMessageID, resumable)
		if got := numbers(t, b); !*again.Resumed || got != "answer 7" {
			t.Errorf("alone %v: after the answer, got %s", alone, got)
		}
		b.disconnect()
		// From before the first message.
		if b, again = w.comeBack(t, s.LastMessageID, resumable); !*again.Resumed || numbers(t, b) != "answer 1 2 3 4 5 6 7" {
			t.Error("from the beginning")
		}
	}
}

// TestResumeBeforeTheAnswer: what was missed comes after the answer, and before what is new.
func TestResumeBeforeTheAnswer(t *testing.T) {
	w := newWorld(t, func(c *realtime.Config) { c.History.Messages, c.History.Bytes = 10_000, 64<<20 })
	c := w.connect("c")
	s := c.subscribe(t, `{}`, resumable)
	w.publishNumbers(t, 1, 5000) // more than may wait for an answer otherwise
	c.disconnect()
	b := w.connect("b")
	r := b.request("subscribe")
	again, err := w.Subscribe(t.Context(), r, realtime.Subscription{Index: "i", Collection: "c", Options: resumable, After: &s.LastMessageID})
	if err != nil || !*again.Resumed {
		t.Fatal(again, err)
	}
	w.publishNumbers(t, 5001, 5002)
	if got := numbers(t, b); got != "" {
		t.Fatalf("before the answer: %s", got)
	}
	b.answered(r, true)
	if got := numbers(t, b); !strings.HasPrefix(got, "answer 1 2 ") || !strings.HasSuffix(got, " 5000 5001 5002") || b.closed != "" {
		t.Errorf("got %d bytes, closed %q", len(got), b.closed)
	}
}

func TestPlainClientsSeeNothingOfIt(t *testing.T) {
	w := newWorld(t)
	plain := w.connect("plain")
	w.connect("c").subscribe(t, `{}`, resumable)
	s := plain.subscribe(t, `{}`, realtime.Options{Users: realtime.None})
	w.publish(t, `{}`)
	if got := plain.take(); s.LastMessageID != "" || s.Resumed != nil || len(got) != 2 || strings.Contains(string(got[1].JSON), "messageId") {
		t.Errorf("%+v %s", s, got[1].JSON)
	}
}

func TestCannotResume(t *testing.T) {
	w := newWorld(t, func(c *realtime.Config) { c.History.Messages = 3 })
	c := w.connect("c")
	first := c.subscribe(t, `{}`, resumable)
	w.publishNumbers(t, 1, 4)
	got := c.take()
	epoch, _, _ := strings.Cut(first.LastMessageID, "-")
	for _, x := range []struct {
		after string
		o     realtime.Options
		want  bool
	}{
		{got[1].ID, resumable, true},
		{first.LastMessageID, resumable, false}, // message 1 is forgotten
		{got[4].ID, resumable, true},
		{got[4].ID, realtime.Options{Resumable: true}, false},           // another channel
		{strings.Replace(got[4].ID, "-4-", "-3-", 1), resumable, false}, // one that it was not told
		{got[4].ID[:len(got[4].ID)-1], resumable, false},
		{got[4].ID + "0", resumable, false},
		{epoch + "-4", resumable, false},
		{epoch + "-500", resumable, false},
		{epoch + "--1", resumable, false},
		{epoch + "-", resumable, false},
		{epoch, resumable, false},
		{"", resumable, false},
		{"other-1", resumable, false},
		{"-", resumable, false},
		{epoch + "-99999999999999999999999", resumable, false},
	} {
		b, s := w.comeBack(t, x.after, x.o)
		if s.Resumed == nil || *s.Resumed != x.want || s.LastMessageID == "" {
			t.Errorf("after %q %v: %+v", x.after, x.o, s)
		}
		if heard := b.heard(t); !x.want && !strings.HasPrefix(heard, "answer") || strings.Contains(heard, "publish") && !x.want {
			t.Errorf("after %q: heard %q", x.after, heard)
		}
		b.disconnect()
	}
}

// TestResumeOnOpenConnection: a channel that the connection is on has everything since it began, and no more.
func TestResumeOnOpenConnection(t *testing.T) {
	w := newWorld(t)
	other := w.connect("other")
	other.subscribe(t, `{}`, resumable)
	c := w.connect("c")
	w.publishNumbers(t, 1, 2)
	c.subscribe(t, `{}`, resumable)
	w.publishNumbers(t, 3, 4)
	got := other.take()
	for after, want := range map[string]bool{got[1].ID: false, got[2].ID: true, got[3].ID: true, got[4].ID: true, got[4].ID + "5": false} {
		again := c.subscribeTo(t, realtime.Subscription{Index: "i", Collection: "c", Options: resumable, After: &after})
		if *again.Resumed != want {
			t.Errorf("after %s: %v", after, *again.Resumed)
		}
	}
	if got := numbers(t, c); got != "answer 3 4 answer answer answer answer answer" {
		t.Errorf("got %s", got)
	}
}

// TestTooMuchToReplay: what an outbox would not take is not begun; what it takes is made once for all who come back.
func TestTooMuchToReplay(t *testing.T) {
	w := newWorld(t, func(c *realtime.Config) { c.History.Replay = 5000 })
	c := w.connect("c")
	s := c.subscribe(t, `{}`, resumable)
	for range 3 {
		w.publish(t, `{"big":"`+strings.Repeat("x", 1500)+`"}`)
	}
	got := c.take()
	c.disconnect()
	b, again := w.comeBack(t, s.LastMessageID, resumable)
	if *again.Resumed || b.heard(t) != "answer" {
		t.Error("three messages of 1,500 bytes were begun")
	}
	b.disconnect()
	var first *realtime.Message
	for range 2 {
		b, again := w.comeBack(t, got[1].ID, resumable)
		replayed := b.take()
		if !*again.Resumed || len(replayed) != 3 {
			t.Fatalf("%v, %d messages", *again.Resumed, len(replayed))
		}
		if first == nil {
			first = replayed[1]
		}
		if replayed[1] != first || first != got[2] {
			t.Error("a message was made anew")
		}
		b.disconnect()
	}
}

func TestHistoryBytes(t *testing.T) {
	w := newWorld(t, func(c *realtime.Config) { c.History.Bytes = 4000 })
	c := w.connect("c")
	s := c.subscribe(t, `{}`, resumable)
	w.publishNumbers(t, 1, 5)
	held := w.metric(t, "history_bytes")
	if held == 0 || w.metric(t, "histories_dropped_total") != 0 {
		t.Fatal("nothing is remembered")
	}
	w.publish(t, `{"big":"`+strings.Repeat("x", 4000)+`"}`)
	if w.metric(t, "history_bytes") != 0 || w.metric(t, "histories_dropped_total") != 1 {
		t.Errorf("%v bytes are held", w.metric(t, "history_bytes"))
	}
	w.publishNumbers(t, 6, 6)
	c.disconnect()
	if b, again := w.comeBack(t, s.LastMessageID, resumable); *again.Resumed || numbers(t, b) != "answer" {
		t.Error("resumed over what was forgotten")
	}
}

func TestHistoryEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.connect("c")
		s := c.subscribe(t, `{}`, resumable)
		w.publishNumbers(t, 1, 1)
		c.disconnect()
		time.Sleep(59 * time.Second)
		c, again := w.comeBack(t, s.LastMessageID, resumable)
		if got := numbers(t, c); !*again.Resumed || got != "answer 1" {
			t.Fatalf("within the window: %s", got)
		}
		c.disconnect()
		time.Sleep(59 * time.Second) // the first time does not count any more
		if !w.Watched("i", "c") {
			t.Fatal("ended too early")
		}
		time.Sleep(32 * time.Second)
		if w.Watched("i", "c") || w.metric(t, "rooms") != 0 || w.metric(t, "history_bytes") != 0 {
			t.Errorf("%v rooms, %v bytes", w.metric(t, "rooms"), w.metric(t, "history_bytes"))
		}
		if _, again = w.comeBack(t, s.LastMessageID, resumable); *again.Resumed {
			t.Error("a room that ended remembers")
		}
	})
}

// TestOldMessagesGo, of rooms too in which nothing happens any more: others need the room.
func TestOldMessagesGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c, plain := w.connect("c"), w.connect("plain")
		c.subscribe(t, `{}`, resumable)
		plain.subscribe(t, `{}`, realtime.Options{Users: realtime.None})
		w.publishNumbers(t, 1, 5)
		time.Sleep(91 * time.Second)
		if held := w.metric(t, "history_bytes"); held != 0 {
			t.Errorf("%v bytes are held", held)
		}
		// The history goes when nobody came back to it, though the room stays.
		c.disconnect()
		w.publishNumbers(t, 6, 6)
		time.Sleep(3 * time.Minute)
		w.publishNumbers(t, 7, 7)
		if held := w.metric(t, "history_bytes"); held != 0 {
			t.Errorf("%v bytes are held for nobody", held)
		}
		if got := numbers(t, plain); got != "answer 1 2 3 4 5 6 7" {
			t.Error(got)
		}
	})
}

func TestIdleRoomsAreBounded(t *testing.T) {
	w := newWorld(t, func(c *realtime.Config) { c.History.Rooms, c.MaxRooms = 2, 1 })
	for i := range 4 {
		c := w.connect("c")
		c.subscribe(t, `{"equals":{"i":`+strconv.Itoa(i)+`}}`, resumable) // rooms that nobody is in do not count
		c.disconnect()
	}
	if n := w.metric(t, "rooms"); n != 2 {
		t.Errorf("%v rooms are kept", n)
	}
	// Who comes back to one counts again.
	w.connect("c").subscribe(t, `{"equals":{"i":0}}`, resumable)
	d := w.connect("d")
	if _, err := w.Subscribe(t.Context(), d.request("subscribe"), realtime.Subscription{Index: "i", Collection: "c", Filter: jsontext.Value(`{"equals":{"i":1}}`)}); !errors.Is(err, kerror.CoreRealtimeTooManyRooms) {
		t.Error(err)
	}
}

// TestUsersOnResume: a client that was alone does not hear of itself when it comes back; of those who came and went it does.
func TestUsersOnResume(t *testing.T) {
	w, told := newWorld(t), &recorder{}
	all := realtime.Options{Documents: realtime.None, Users: realtime.All, Resumable: true}
	c := w.connect("c")
	s := c.subscribe(t, `{}`, all)
	expect(t, c, "answer, user in 1")
	w.listen(events.Listeners{Pipes: told.pipes("notify:user")})
	c.disconnect()
	if fired := told.sorted(); len(fired) > 0 {
		t.Errorf("though nobody is there: %s", fired)
	}
	w.listen(events.Listeners{})
	c, s = w.comeBack(t, s.LastMessageID, all)
	if !*s.Resumed {
		t.Fatal("not resumed")
	}
	expect(t, c, "answer, user in 1, user in 1") // the first one is what it missed
	last := s.LastMessageID
	other := w.connect("other")
	other.subscribe(t, `{}`, realtime.Options{Users: realtime.None})
	c.disconnect()
	other.unsubscribe(t, s.RoomID)
	c, s = w.comeBack(t, last, all)
	if got := c.heard(t); !*s.Resumed || got != "answer, user in 1, user in 2, user out 1, user in 1" {
		t.Errorf("heard %q", got)
	}
}

func TestJoinAgain(t *testing.T) {
	w := newWorld(t)
	c := w.connect("c")
	s := c.subscribe(t, `{}`, resumable)
	c.disconnect()
	w.publishNumbers(t, 1, 2)
	b := w.connect("b")
	if _, err := w.Join(t.Context(), b.request("join"), s.RoomID, realtime.Options{}, nil); !errors.Is(err, kerror.CoreRealtimeRoomNotFound) {
		t.Error("a plain client joined an empty room:", err)
	}
	r := b.request("join")
	again, err := w.Join(t.Context(), r, s.RoomID, resumable, &s.LastMessageID)
	b.answered(r, true)
	if err != nil || !*again.Resumed || numbers(t, b) != "answer 1 2" {
		t.Error(again, err)
	}
}

func TestNoHistory(t *testing.T) {
	w := newWorld(t, func(c *realtime.Config) { c.History.Window = 0 })
	c := w.connect("c")
	s := c.subscribeTo(t, realtime.Subscription{Index: "i", Collection: "c", Options: resumable, After: new("x-1")})
	if s.LastMessageID != "" || s.Resumed != nil || strings.HasSuffix(s.Channel, "r") {
		t.Errorf("%+v", s)
	}
	c.disconnect()
	if w.metric(t, "rooms") != 0 {
		t.Error("the room stays")
	}
}

// TestResumeOfRedirected: who comes back gets what he would have got.
func TestResumeOfRedirected(t *testing.T) {
	w := newWorld(t)
	c := w.connect("c")
	s := c.subscribe(t, `{}`, resumable)
	c.disconnect()
	w.listen(events.Listeners{Pipes: (&recorder{}).pipes("core:realtime:notification:dispatch:before")})
	w.publishNumbers(t, 1, 1)
	w.listen(events.Listeners{Pipes: map[string]events.Pipe{
		"core:realtime:notification:dispatch:before": change(`{"channels":["` + s.RoomID + `-311"],"notification":{"result":{"_source":{"n":2}}}}`),
	}})
	w.publishNumbers(t, 2, 2)
	w.listen(events.Listeners{})
	w.publishNumbers(t, 3, 3)
	if b, again := w.comeBack(t, s.LastMessageID, resumable); !*again.Resumed || numbers(t, b) != "answer 1 3" {
		t.Errorf("%+v", again)
	}
}

// TestRoomEndsMeanwhile: the message to a room that ended before it was delivered is not kept.
func TestRoomEndsMeanwhile(t *testing.T) {
	w := newWorld(t, func(c *realtime.Config) { c.History.Rooms = 0 })
	c := w.connect("c")
	c.subscribe(t, `{}`, resumable)
	w.listen(events.Listeners{Pipes: map[string]events.Pipe{"notify:document": events.PipeFunc(func(context.Context, string, *events.Payload) error {
		c.disconnect()
		w.connect("c").subscribe(t, `{}`, resumable)
		return nil
	})}})
	w.publishNumbers(t, 1, 1)
	w.listen(events.Listeners{})
	if held := w.metric(t, "history_bytes"); held != 0 || numbers(t, c) != "answer" || w.metric(t, "rooms") != 1 {
		t.Errorf("%v bytes are held", held)
	}
}
