package realtime_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/koncorde"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

const adults = `{"range":{"age":{"gte":18}}}`

func TestDocumentScopes(t *testing.T) {
	for _, c := range []struct {
		action, before, after string
		all, in, out          string
	}{
		{"create", "", `{"age":20}`, "create in", "create in", ""},
		{"create", "", `{"age":2}`, "", "", ""},
		{"update", `{"age":20}`, `{"age":30}`, "update in", "update in", ""},
		{"update", `{"age":2}`, `{"age":20}`, "update in", "update in", ""},
		{"update", `{"age":20}`, `{"age":2}`, "update out", "", "update out"},
		{"update", `{"age":2}`, `{"age":3}`, "", "", ""},
		{"replace", `{"age":20}`, `{}`, "replace out", "", "replace out"},
		{"create", `{"age":20}`, `{}`, "create out", "", "create out"},
		{"delete", `{"age":20}`, "", "delete out", "", "delete out"},
		{"delete", `{"age":2}`, "", "", "", ""},
	} {
		w := newWorld(t)
		want := map[realtime.Scope]string{realtime.All: c.all, realtime.In: c.in, realtime.Out: c.out, realtime.None: ""}
		clients := map[realtime.Scope]*client{}
		for scope := range want {
			clients[scope] = w.connect(scope.String())
			clients[scope].subscribe(t, adults, realtime.Options{Documents: scope, Users: realtime.None})
			expect(t, clients[scope], "answer")
		}
		w.change(t, c.action, c.before, c.after)
		for scope, heard := range want {
			if got := clients[scope].heard(t); got != heard {
				t.Errorf("%s %s → %s: scope %s heard %q, want %q", c.action, c.before, c.after, scope, got, heard)
			}
		}
	}
}

func TestSomeRoomsAreLeftAndOthersEntered(t *testing.T) {
	w := newWorld(t)
	a, b, both := w.connect("a"), w.connect("b"), w.connect("both")
	o := realtime.Options{Users: realtime.None}
	a.subscribe(t, `{"equals":{"x":1}}`, o)
	b.subscribe(t, `{"equals":{"x":2}}`, o)
	both.subscribe(t, `{"in":{"y":["x"]}}`, o)
	w.change(t, "update", `{"x":1,"y":"x"}`, `{"x":2,"y":"x"}`)
	expect(t, a, "answer, update out")
	expect(t, b, "answer, update in")
	expect(t, both, "answer, update in")
}

func TestDocumentNotification(t *testing.T) {
	w := newWorld(t)
	c := w.connect("c")
	s := c.subscribe(t, `{}`, realtime.Options{Users: realtime.None})
	c.take()
	r := writer()
	for _, c := range []realtime.Change{
		{Action: "update", ID: "d", Before: jsontext.Value(`{"a":1}`), After: jsontext.Value(`{"a":2}`), Updated: []string{"a", `b."c`}},
		{Action: "delete", ID: "e", Before: jsontext.Value(`{"a":3}`)},
		{Action: "create", ID: "f", After: jsontext.Value(`{}`)},
	} {
		w.Changed(t.Context(), r, "i", "c", c)
	}
	r.Controller, r.Volatile = "realtime", nil
	for _, id := range []string{"p", ""} {
		if err := w.Publish(t.Context(), r, "i", "c", id, jsontext.Value(`{"a":4}`)); err != nil {
			t.Fatal(err)
		}
	}
	const head = `{"type":"document","status":200,"requestId":"w1","index":"i","collection":"c"`
	tail := `,"node":"n1","room":"` + s.Channel + `"}`
	want := []string{
		head + `,"controller":"document","action":"update","protocol":"http","event":"write","scope":"in","timestamp":T,"volatile":{"v":1},"result":{"_id":"d","_source":{"a":2},"_updatedFields":["a","b.\"c"]}` + tail,
		head + `,"controller":"document","action":"delete","protocol":"http","event":"delete","scope":"out","timestamp":T,"volatile":{"v":1},"result":{"_id":"e","_source":{"a":3}}` + tail,
		head + `,"controller":"document","action":"create","protocol":"http","event":"write","scope":"in","timestamp":T,"volatile":{"v":1},"result":{"_id":"f","_source":{}}` + tail,
		head + `,"controller":"realtime","action":"publish","protocol":"http","event":"publish","scope":"in","timestamp":T,"volatile":null,"result":{"_id":"p","_source":{"a":4}}` + tail,
		head + `,"controller":"realtime","action":"publish","protocol":"http","event":"publish","scope":"in","timestamp":T,"volatile":null,"result":{"_source":{"a":4}}` + tail,
	}
	var got []string
	for _, m := range c.take() {
		got = append(got, withoutTime(m.JSON))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// withoutTime puts T in place of the timestamp.
func withoutTime(message []byte) string {
	head, rest, _ := strings.Cut(string(message), `"timestamp":`)
	return head + `"timestamp":T` + strings.TrimLeft(rest, "0123456789")
}

func TestUserNotification(t *testing.T) {
	w := newWorld(t)
	a, b := w.connect("a"), w.connect("b")
	s := a.subscribe(t, `{}`, realtime.Options{})
	b.subscribe(t, `{}`, realtime.Options{Users: realtime.None})
	r := b.request("unsubscribe")
	r.Volatile = jsontext.Value(`{"other":1}`)
	if err := w.Unsubscribe(t.Context(), r, s.RoomID); err != nil {
		t.Fatal(err)
	}
	const head = `{"type":"user","status":200,"index":"i","collection":"c","controller":"realtime","action":`
	tail := `,"node":"n1","room":"` + s.Channel + `"}`
	want := []string{
		"",
		head + `"subscribe","protocol":"websocket","user":"in","timestamp":T,"volatile":{"sdkInstanceId":"a"},"result":{"count":1}` + tail,
		head + `"subscribe","protocol":"websocket","user":"in","timestamp":T,"volatile":{"sdkInstanceId":"b"},"result":{"count":2}` + tail,
		head + `"unsubscribe","user":"out","protocol":null,"timestamp":T,"volatile":{"sdkInstanceId":"b"},"result":{"count":1}` + tail,
	}
	got := a.take()
	if len(got) != len(want) {
		t.Fatalf("%d messages", len(got))
	}
	for i := range want[1:] {
		if text := withoutTime(got[i+1].JSON); text != want[i+1] {
			t.Errorf("got\n%s\nwant\n%s", text, want[i+1])
		}
	}
}

func TestUserScopes(t *testing.T) {
	for scope, want := range map[realtime.Scope]string{
		realtime.All: "answer, user in 1, user in 2, user in 3, user out 2, user out 1",
		realtime.In:  "answer, user in 1, user in 2, user in 3",
		realtime.Out: "answer, user out 2, user out 1", realtime.None: "answer",
	} {
		w := newWorld(t)
		listener, other, third := w.connect("listener"), w.connect("other"), w.connect("third")
		room := listener.subscribe(t, `{}`, realtime.Options{Users: scope}).RoomID
		other.subscribe(t, `{}`, realtime.Options{Documents: realtime.In})
		third.subscribe(t, `{}`, realtime.Options{Users: realtime.None})
		other.unsubscribe(t, room)
		third.disconnect()
		expect(t, listener, want)
		expect(t, other, "answer, user in 2, user in 3")
		expect(t, third, "answer")
	}
}

// TestChannels: a connection is in a room once, and hears each of its channels.
func TestChannels(t *testing.T) {
	w := newWorld(t)
	a, watcher := w.connect("a"), w.connect("watcher")
	watcher.subscribe(t, `{}`, realtime.Options{Documents: realtime.None})
	watcher.take()
	first := a.subscribe(t, `{}`, realtime.Options{Users: realtime.None})
	r := a.request("subscribe")
	r.Volatile = jsontext.Value(`{"second":true}`)
	second, err := w.Subscribe(t.Context(), r, realtime.Subscription{Index: "i", Collection: "c", Options: realtime.Options{Documents: realtime.In, Users: realtime.None}})
	a.answered(r, true)
	if err != nil {
		t.Fatal(err)
	}
	again := a.subscribe(t, `{}`, realtime.Options{Users: realtime.None})
	if *again != *first || second.RoomID != first.RoomID || second.Channel == first.Channel {
		t.Errorf("%v, then %v, then %v", first, second, again)
	}
	if w.Count(first.RoomID) != 2 {
		t.Errorf("%d in the room", w.Count(first.RoomID))
	}
	a.take()
	w.publish(t, `{}`)
	got := a.take()
	slices.SortFunc(got, func(x, y *realtime.Message) int { return strings.Compare(x.Channel, y.Channel) })
	if len(got) != 2 || got[0].Channel != first.Channel || got[1].Channel != second.Channel {
		t.Errorf("heard %v", got)
	}
	a.unsubscribe(t, first.RoomID)
	w.publish(t, `{}`)
	expect(t, a, "")
	var volatiles []string
	for _, m := range watcher.take() {
		if strings.Contains(string(m.JSON), `"type":"user"`) {
			volatiles = append(volatiles, string(m.JSON[strings.Index(string(m.JSON), `"volatile"`):]))
		}
	}
	if len(volatiles) != 2 || !strings.HasPrefix(volatiles[1], `"volatile":{"sdkInstanceId":"a"}`) {
		t.Errorf("the watcher heard %v", volatiles)
	}
}

// TestChannelNames are room, then users, propagation and documents.
func TestChannelNames(t *testing.T) {
	w := newWorld(t)
	for suffix, o := range map[string]realtime.Options{
		"-311": {Users: realtime.None}, "-111": {}, "-212": {Users: realtime.In, Documents: realtime.In},
		"-413": {Users: realtime.Out, Documents: realtime.Out}, "-324": {Users: realtime.None, Documents: realtime.None, Local: true},
		"-311r": {Users: realtime.None, Resumable: true},
	} {
		if s := w.connect("c"+suffix).subscribe(t, `{}`, o); s.Channel != s.RoomID+suffix {
			t.Errorf("%v is the channel %s", o, s.Channel)
		}
	}
}

// TestRoomIDs are those of core/koncorde: other nodes, and this one after a restart, give the same.
func TestRoomIDs(t *testing.T) {
	var first string
	for range 2 {
		w := newWorld(t)
		a := w.connect("a").subscribe(t, `{"and":[{"equals":{"a":1}},{"exists":"b"}]}`, realtime.Options{})
		b := w.connect("b").subscribe(t, `{"and":[{"exists":{"field":"b"}},{"not":{"not":{"equals":{"a":1.0}}}}]}`, realtime.Options{})
		f, err := koncorde.Parse(jsontext.Value(`{"and":[{"exists":"b"},{"equals":{"a":1}}]}`))
		if err != nil {
			t.Fatal(err)
		}
		n, err := f.Normalise(100)
		if err != nil {
			t.Fatal(err)
		}
		if want := koncorde.RoomID("i", "c", n); a.RoomID != want || b.RoomID != want || first != "" && first != want {
			t.Errorf("%s and %s, want %s", a.RoomID, b.RoomID, want)
		}
		first = a.RoomID
		other := w.connect("o").subscribeTo(t, realtime.Subscription{Index: "i", Collection: "other", Filter: jsontext.Value(`{"and":[{"exists":"b"},{"equals":{"a":1}}]}`)})
		if other.RoomID == first {
			t.Error("two collections share a room")
		}
	}
}

func TestAnswerComesFirst(t *testing.T) {
	w := newWorld(t)
	c := w.connect("c")
	r := c.request("subscribe")
	if _, err := w.Subscribe(t.Context(), r, realtime.Subscription{Index: "i", Collection: "c"}); err != nil {
		t.Fatal(err)
	}
	w.publish(t, `{}`)
	expect(t, c, "")
	c.answered(r, true)
	w.publish(t, `{}`)
	expect(t, c, "answer, user in 1, publish in, publish in")
}

// TestRefusedAnswer: when the answer is an error after all, or cannot be queued, nothing is left.
func TestRefusedAnswer(t *testing.T) {
	w := newWorld(t)
	watcher, c := w.connect("watcher"), w.connect("c")
	room := watcher.subscribe(t, `{}`, realtime.Options{Documents: realtime.None}).RoomID
	r := c.request("subscribe")
	sub := realtime.Subscription{Index: "i", Collection: "c"}
	if _, err := w.Subscribe(t.Context(), r, sub); err != nil {
		t.Fatal(err)
	}
	c.answered(r, false)
	w.publish(t, `{}`)
	expect(t, c, "")
	expect(t, watcher, "answer, user in 1, user in 2, user out 1")
	if w.Count(room) != 1 {
		t.Error("still in the room")
	}

	// A channel that it was on before stays.
	c.subscribe(t, `{}`, realtime.Options{Users: realtime.None})
	for _, o := range []realtime.Options{{Users: realtime.None}, {Documents: realtime.In, Users: realtime.None}} {
		r, sub.Options = c.request("subscribe"), o
		if _, err := w.Subscribe(t.Context(), r, sub); err != nil {
			t.Fatal(err)
		}
		c.answered(r, false)
	}
	w.publish(t, `{}`)
	expect(t, c, "answer, publish in")
	expect(t, watcher, "user in 2")

	// Of two at the same time, one that is answered is enough.
	d := w.connect("d")
	first, second := d.request("subscribe"), d.request("subscribe")
	sub.Options = realtime.Options{Users: realtime.None}
	for _, r := range []*protocol.Request{first, second} {
		if _, err := w.Subscribe(t.Context(), r, sub); err != nil {
			t.Fatal(err)
		}
	}
	d.answered(first, false)
	w.publish(t, `{}`)
	d.answered(second, true)
	expect(t, d, "answer, publish in")
}

// TestLeaveBeforeTheAnswer: nothing that was held back comes after all.
func TestLeaveBeforeTheAnswer(t *testing.T) {
	for name, leave := range map[string]func(*client, string){
		"unsubscribe": func(c *client, room string) { c.unsubscribe(t, room) },
		"token ended": func(c *client, _ string) { c.w.Leave(context.Background(), c.conn.ID) },
	} {
		w := newWorld(t)
		c := w.connect("c")
		r := c.request("subscribe")
		s, err := w.Subscribe(t.Context(), r, realtime.Subscription{Index: "i", Collection: "c"})
		if err != nil {
			t.Fatal(err)
		}
		w.publish(t, `{}`)
		leave(c, s.RoomID)
		c.answered(r, true)
		w.publish(t, `{}`)
		if got := c.heard(t); got != "answer" || w.metric(t, "rooms") != 0 || w.metric(t, "subscribers") != 0 {
			t.Errorf("%s: heard %q, %v rooms", name, got, w.metric(t, "rooms"))
		}
		// Another subscription meanwhile is not the one whose answer fails now.
		c.subscribe(t, `{}`, realtime.Options{Users: realtime.None})
		c.answered(r, false)
		w.publish(t, `{}`)
		if got := c.heard(t); got != "answer, publish in" {
			t.Errorf("%s: then heard %q", name, got)
		}
	}
}

// TestTooMuchBeforeTheAnswer: a client that would miss messages without knowing is closed.
func TestTooMuchBeforeTheAnswer(t *testing.T) {
	for held, message := range map[int]string{4096: `{}`, 64: `{"big":"` + strings.Repeat("x", 64<<10) + `"}`} {
		tooMuchBeforeTheAnswer(t, held, message)
	}
}

// tooMuchBeforeTheAnswer publishes one message more than is held.
func tooMuchBeforeTheAnswer(t *testing.T, held int, message string) {
	w := newWorld(t)
	c := w.connect("c")
	r := c.request("subscribe")
	if _, err := w.Subscribe(t.Context(), r, realtime.Subscription{Index: "i", Collection: "c", Options: realtime.Options{Users: realtime.None}}); err != nil {
		t.Fatal(err)
	}
	for range held {
		w.publish(t, message)
	}
	if c.closed != "" {
		t.Fatal("closed too early")
	}
	w.publish(t, message)
	if c.closed == "" {
		t.Fatal("not closed")
	}
	c.answered(r, true)
	w.publish(t, `{}`)
	expect(t, c, "answer")
	c.disconnect()
	if w.metric(t, "rooms") != 0 {
		t.Error("the room stays")
	}
}

func TestConnectionGone(t *testing.T) {
	w := newWorld(t)
	sub := realtime.Subscription{Index: "i", Collection: "c"}
	gone := (&client{conn: &protocol.Connection{ID: "gone", Protocol: "websocket"}}).request("subscribe")
	if s, err := w.Subscribe(t.Context(), gone, sub); s != nil || err != nil {
		t.Errorf("%v %v", s, err)
	}
	web := (&client{conn: &protocol.Connection{ID: "web", Protocol: "http"}}).request("subscribe")
	s, err := w.Subscribe(t.Context(), web, sub)
	if err != nil || s == nil || s.Channel != s.RoomID+"-111" {
		t.Errorf("%v %v", s, err)
	}
	if w.metric(t, "rooms") != 0 || gone.Reply.Answered != nil || web.Reply.Answered != nil {
		t.Error("somebody is in a room")
	}
}

// TestClosedWhileSubscribing: the connection goes after it was found, and Leave comes before it is in the room.
func TestClosedWhileSubscribing(t *testing.T) {
	w := newWorld(t, func(c *realtime.Config) {
		find := c.Outbox
		c.Outbox = func(id string) realtime.Outbox {
			out := find(id)
			if out != nil {
				out.(*client).disconnect()
			}
			return out
		}
	})
	r := w.connect("c").request("subscribe")
	s, err := w.Subscribe(t.Context(), r, realtime.Subscription{Index: "i", Collection: "c"})
	if s != nil || err != nil {
		t.Errorf("%v %v", s, err)
	}
	r.Reply.Answered(false)
	if w.metric(t, "rooms") != 0 || w.metric(t, "subscribers") != 0 || w.Watched("i", "c") {
		t.Error("it stays in the room")
	}
}

func TestJoin(t *testing.T) {
	w := newWorld(t)
	a, b := w.connect("a"), w.connect("b")
	room := a.subscribe(t, adults, realtime.Options{}).RoomID
	r := b.request("join")
	s, err := w.Join(t.Context(), r, room, realtime.Options{Users: realtime.None}, nil)
	b.answered(r, true)
	if err != nil || s.RoomID != room || s.Channel != room+"-311" {
		t.Fatalf("%v %v", s, err)
	}
	w.change(t, "create", "", `{"age":18}`)
	expect(t, a, "answer, user in 1, user in 2, create in")
	expect(t, b, "answer, create in")
	if index, collection, found := w.RoomOf(room); index != "i" || collection != "c" || !found {
		t.Error(index, collection, found)
	}
	a.disconnect()
	b.unsubscribe(t, room)
	if _, err := w.Join(t.Context(), b.request("join"), room, realtime.Options{}, nil); !errors.Is(err, kerror.CoreRealtimeRoomNotFound) {
		t.Error(err)
	}
	if _, _, found := w.RoomOf(room); found {
		t.Error("the room stays")
	}
}

func TestUnsubscribeFromElsewhere(t *testing.T) {
	w := newWorld(t)
	room := w.connect("a").subscribe(t, `{}`, realtime.Options{}).RoomID
	b := w.connect("b")
	for _, id := range []string{room, "none"} {
		err := w.Unsubscribe(t.Context(), b.request("unsubscribe"), id)
		if !errors.Is(err, kerror.CoreRealtimeNotSubscribed) || !strings.Contains(err.Error(), "b") {
			t.Error(err)
		}
	}
}

func TestBounds(t *testing.T) {
	w := newWorld(t, func(c *realtime.Config) { c.MaxRooms, c.MaxConditions, c.MaxSubscriptions = 2, 2, 2 })
	a, b := w.connect("a"), w.connect("b")
	try := func(c *client, filter string) error {
		r := c.request("subscribe")
		_, err := w.Subscribe(t.Context(), r, realtime.Subscription{Index: "i", Collection: "c", Filter: jsontext.Value(filter)})
		c.answered(r, err == nil)
		return err
	}
	steps := []struct {
		client *client
		filter string
		want   error
	}{
		{a, `{"equals":{"a":1}}`, nil},
		{a, `{"equals":{"a":2}}`, nil},
		{a, `{"equals":{"a":1}}`, nil}, // once more is no other room
		{b, `{"equals":{"a":3}}`, kerror.CoreRealtimeTooManyRooms},
		{b, `{"equals":{"a":1}}`, nil},
		{b, `{"or":[{"equals":{"a":1}},{"equals":{"b":1}},{"equals":{"c":1}}]}`, kerror.APIAssertKoncordeDSLError},
		{b, `{"equals":{"a":1},"exists":"b"}`, kerror.APIAssertKoncordeDSLError},
		{b, `{"like":{"a":1}}`, kerror.APIAssertKoncordeDSLError},
	}
	for _, s := range steps {
		if err := try(s.client, s.filter); !errors.Is(err, s.want) {
			t.Errorf("%s %s: %v, want %v", s.client.conn.ID, s.filter, err, s.want)
		}
	}
	if err := try(b, `{"like":{"a":1}}`); !strings.Contains(err.Error(), `unknown keyword "like"`) {
		t.Error(err)
	}
	a.disconnect()
	if err := try(b, `{"equals":{"a":3}}`); err != nil {
		t.Error("a room that ended still counts:", err)
	}
	if err := try(b, `{"equals":{"a":4}}`); !errors.Is(err, kerror.CoreRealtimeTooManyRooms) {
		t.Error("more rooms than a connection may be in:", err)
	}
	b.take()
	w.Close()
	if err := try(b, `{"equals":{"a":1}}`); !errors.Is(err, kerror.APIProcessShuttingDown) {
		t.Error(err)
	}
}

// TestTheLimitIsNamed: who raises a limit must raise the one that was hit.
func TestTheLimitIsNamed(t *testing.T) {
	for _, c := range []struct {
		rooms, subscriptions int
		want, not            string
	}{
		{1, 0, "limits.subscriptionRooms", "limits.subscriptionsPerConnection"},
		{0, 1, "limits.subscriptionsPerConnection", "limits.subscriptionRooms"},
		{1, 1, "limits.subscriptionsPerConnection", "limits.subscriptionRooms"},
	} {
		w := newWorld(t, func(o *realtime.Config) { o.MaxRooms, o.MaxSubscriptions = c.rooms, c.subscriptions })
		a := w.connect("a")
		a.subscribe(t, `{}`, realtime.Options{})
		_, err := w.Subscribe(t.Context(), a.request("subscribe"), realtime.Subscription{Index: "i", Collection: "c", Filter: jsontext.Value(adults)})
		if !errors.Is(err, kerror.CoreRealtimeTooManyRooms) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), c.not) {
			t.Errorf("%d rooms, %d of a connection: %v", c.rooms, c.subscriptions, err)
		}
	}
}

func TestPresence(t *testing.T) {
	w := newWorld(t)
	a, b := w.connect("a"), w.connect("b")
	one := a.subscribe(t, `{}`, realtime.Options{})
	b.subscribe(t, `{}`, realtime.Options{Documents: realtime.In})
	two := a.subscribe(t, adults, realtime.Options{})
	three := a.subscribeTo(t, realtime.Subscription{Index: "i", Collection: "secret"})
	a.subscribeTo(t, realtime.Subscription{Index: "hidden", Collection: "secret"})
	asked := map[string]int{}
	got := w.List(func(index, collection string) bool {
		asked[index+"/"+collection]++
		return collection != "secret"
	})
	want := realtime.Presence{"i": {"c": {one.RoomID: 2, two.RoomID: 1}}, "hidden": {}}
	if !equalPresence(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if !maps.Equal(asked, map[string]int{"i/c": 1, "i/secret": 1, "hidden/secret": 1}) {
		t.Error(asked)
	}
	for room, want := range map[string]int{one.RoomID: 2, two.RoomID: 1, three.RoomID: 1, "none": 0} {
		if n := w.Count(room); n != want {
			t.Errorf("%d in %s", n, room)
		}
	}
	if !w.Leave(t.Context(), "a") || w.Leave(t.Context(), "a") || w.Count(one.RoomID) != 1 || w.Count(two.RoomID) != 0 {
		t.Error("a did not leave")
	}
	if got := w.List(func(string, string) bool { return true }); !equalPresence(got, realtime.Presence{"i": {"c": {one.RoomID: 1}}}) {
		t.Error(got)
	}
}

func equalPresence(a, b realtime.Presence) bool {
	return maps.EqualFunc(a, b, func(x, y map[string]map[string]int) bool {
		return maps.EqualFunc(x, y, func(p, q map[string]int) bool { return maps.Equal(p, q) })
	})
}

// TestPace holds back requests that make notifications, and nothing else.
func TestPace(t *testing.T) {
	waits := 0
	w := newWorld(t, func(c *realtime.Config) { c.Pace = func(context.Context) { waits++ } })
	a, b := w.connect("a"), w.connect("b")
	for _, step := range []struct {
		name string
		do   func()
		want int
	}{
		{"subscribe", func() { a.subscribe(t, `{}`, realtime.Options{}) }, 1},
		{"another", func() { b.subscribe(t, `{}`, realtime.Options{}) }, 1},
		{"publish", func() { w.publish(t, `{}`) }, 1},
		{"change", func() { w.change(t, "create", "", `{}`) }, 1},
		{"disconnect", a.disconnect, 0},
	} {
		waits = 0
		if step.do(); waits != step.want {
			t.Errorf("%s waited %d times", step.name, waits)
		}
	}
}

// TestFiltersAreBoundInBytes: those of a connection, and those of all.
func TestFiltersAreBoundInBytes(t *testing.T) {
	const limit = 64 << 10
	w := newWorld(t, func(c *realtime.Config) { c.MaxFilterBytes = limit })
	try := func(c *client, name string) error {
		filter := `{"equals":{"a":"` + name + strings.Repeat("x", limit/16) + `"}}` // a fifth of the limit
		r := c.request("subscribe")
		_, err := w.Subscribe(t.Context(), r, realtime.Subscription{Index: "i", Collection: "c", Filter: jsontext.Value(filter)})
		c.answered(r, err == nil)
		return err
	}
	refused := func(err error, setting string) bool {
		return errors.Is(err, kerror.CoreRealtimeTooManyRooms) && strings.Contains(err.Error(), setting)
	}
	a := w.connect("a")
	if err := try(a, "1"); err != nil {
		t.Fatal(err)
	}
	if err := try(a, "2"); !refused(err, "limits.subscriptionBytes: a connection") {
		t.Errorf("a second filter: %v", err)
	}
	others := []*client{w.connect("b"), w.connect("c"), w.connect("d"), w.connect("e"), w.connect("f")}
	for i, c := range others {
		if err := try(c, fmt.Sprint("other", i)); i < 4 && err != nil || i == 4 && !refused(err, "all subscriptions") {
			t.Errorf("connection %d: %v", i, err)
		}
	}
	if err := try(others[4], "1"); err != nil {
		t.Errorf("a room that is there: %v", err)
	}
	for _, c := range append(others, a) {
		c.disconnect()
	}
	if n := w.metric(t, "filter_bytes"); n != 0 {
		t.Errorf("%v bytes are left", n)
	}
}
