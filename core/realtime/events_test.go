package realtime_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol"
)

// lines replaces the ids of rooms by R and times by T.
func lines(fired []string, room string) string {
	for i := range fired {
		fired[i] = strings.ReplaceAll(fired[i], room, "R")
		if strings.Contains(fired[i], `"timestamp":`) {
			fired[i] = withoutTime([]byte(fired[i]))
		}
	}
	return strings.Join(fired, "\n")
}

func TestEventsOfSubscriptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, seen := newWorld(t), &recorder{}
		w.listen(events.Listeners{Hooks: seen.hooks(
			"core:realtime:room:create:after", "core:realtime:room:remove:before", "core:realtime:subscribe:after",
			"core:realtime:unsubscribe:after", "core:realtime:user:subscribe:after", "core:realtime:user:unsubscribe:after",
			"core:hotelClerk:addSubscription", "core:hotelClerk:removeRoomForCustomer", "room:new", "room:remove",
		)})
		a, b := w.connect("a"), w.connect("b")
		room := a.subscribe(t, `{"equals":{"x":1}}`, realtime.Options{}).RoomID
		a.subscribe(t, `{"equals":{"x":1}}`, realtime.Options{Documents: realtime.In})
		synctest.Wait()
		const (
			filter       = `[[["equals","x",1]]]`
			subscription = `{"index":"i","collection":"c","filters":` + filter + `,"roomId":"R","connectionId":"a","kuid":"user-a"}`
		)
		if got, want := lines(seen.sorted(), room), `core:hotelClerk:addSubscription `+subscription+`
core:realtime:room:create:after {"id":"R","index":"i","collection":"c","filter":`+filter+`}
core:realtime:subscribe:after "R"
core:realtime:user:subscribe:after `+subscription+`
room:new {"index":"i","collection":"c","roomId":"R"}`; got != want {
			t.Errorf("on entering:\n%s\nwant\n%s", got, want)
		}
		b.subscribe(t, `{"equals":{"x":1}}`, realtime.Options{})
		synctest.Wait()
		if got := len(seen.sorted()); got != 3 {
			t.Errorf("%d events of a second subscriber", got)
		}
		a.disconnect()
		synctest.Wait()
		departure := `{"requestContext":{"connection":{"id":"a","protocol":"websocket","ips":["10.0.0.1"]},"user":{"_id":"user-a"}},` +
			`"room":{"id":"R","index":"i","collection":"c"},"subscription":` + subscription + `}`
		if got, want := lines(seen.sorted(), room), `core:hotelClerk:removeRoomForCustomer `+departure+`
core:realtime:unsubscribe:after "R"
core:realtime:user:unsubscribe:after `+departure; got != want {
			t.Errorf("on leaving:\n%s\nwant\n%s", got, want)
		}
		b.unsubscribe(t, room)
		synctest.Wait()
		if got := lines(seen.sorted(), room); !strings.Contains(got, "core:realtime:room:remove:before \"R\"\n") || !strings.HasSuffix(got, `room:remove "R"`) {
			t.Errorf("when the last one leaves:\n%s", got)
		}

		// A room that is kept for those who may come back ends when nobody did.
		a = w.connect("a")
		a.subscribe(t, `{"equals":{"x":1}}`, realtime.Options{Resumable: true})
		a.disconnect()
		synctest.Wait()
		if got := strings.Join(seen.sorted(), "\n"); strings.Contains(got, "room:remove") {
			t.Errorf("too early:\n%s", got)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got, want := lines(seen.sorted(), room), "core:realtime:room:remove:before \"R\"\nroom:remove \"R\""; got != want {
			t.Errorf("afterwards:\n%s", got)
		}
	})
}

func TestEventsOfNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, seen := newWorld(t), &recorder{}
		a := w.connect("a")
		s := a.subscribe(t, `{}`, realtime.Options{})
		w.listen(events.Listeners{
			Pipes: seen.pipes("notify:document", "notify:user", "notify:server", "notify:dispatch", "core:realtime:notification:dispatch:before"),
			Hooks: seen.hooks("core:notify:document", "core:notify:user"),
		})
		for name, c := range map[string]struct {
			do   func()
			want string
		}{
			"document": {func() { w.publish(t, `{"a":1}`) }, `core:notify:document {"rooms":["R"],"notification":N}
core:realtime:notification:dispatch:before {"channels":["R-111"],"notification":N}
notify:dispatch N
notify:document N`},
			"user": {func() {
				w.connect("b").subscribe(t, `{}`, realtime.Options{Documents: realtime.None, Users: realtime.None})
			}, `core:notify:user {"room":"R","notification":N}
core:realtime:notification:dispatch:before {"channels":["R-111"],"notification":N}
notify:dispatch N
notify:user N`},
			"server": {func() { w.Notify(t.Context(), "a", protocol.TokenExpired("n1")) }, `core:realtime:notification:dispatch:before {"channels":["kuzzle:notification:server"],"connectionId":"a","notification":N}
notify:dispatch N
notify:server N`},
		} {
			a.take()
			do := c.do
			do()
			synctest.Wait()
			got := a.take()
			if len(got) != 1 {
				t.Fatalf("%s: %d messages", name, len(got))
			}
			// What pipes and hooks see is the message without its room; a notice has its own.
			text := strings.TrimSuffix(string(got[0].JSON), `,"room":"`+s.Channel+`"}`)
			if name != "server" {
				text += "}"
			}
			fired := seen.sorted()
			for i := range fired {
				fired[i] = strings.ReplaceAll(strings.ReplaceAll(fired[i], text, "N"), s.RoomID, "R")
			}
			if joined := strings.Join(fired, "\n"); joined != c.want {
				t.Errorf("%s:\n%s\nwant\n%s", name, joined, c.want)
			}
		}
	})
}

// change is a pipe that replaces what an event is about.
func change(data string) events.Pipe {
	return events.PipeFunc(func(_ context.Context, _ string, p *events.Payload) error {
		p.Data = jsontext.Value(data)
		return nil
	})
}

func TestPipesChangeNotifications(t *testing.T) {
	for _, event := range []string{"notify:document", "notify:dispatch"} {
		w := newWorld(t)
		c := w.connect("c")
		s := c.subscribe(t, `{}`, realtime.Options{Users: realtime.None})
		c.take()
		w.listen(events.Listeners{Pipes: map[string]events.Pipe{event: change(`{"type":"document","status":200,"result":{"changed":true},"node":"n9"}`)}})
		w.publish(t, `{}`)
		const want = `{"type":"document","status":200,"volatile":null,"result":{"changed":true},"node":"n9","room":"`
		if got := c.take(); len(got) != 1 || string(got[0].JSON) != want+s.Channel+`"}` {
			t.Errorf("%s: %s", event, got[0].JSON)
		}
		w.listen(events.Listeners{Pipes: map[string]events.Pipe{event: events.PipeFunc(func(_ context.Context, _ string, p *events.Payload) error {
			p.Data.(*protocol.Notification).Action = "inside"
			return nil
		})}})
		w.publish(t, `{}`)
		expect(t, c, "inside in")
	}
}

func TestPipesRedirect(t *testing.T) {
	w := newWorld(t)
	a, b, d := w.connect("a"), w.connect("b"), w.connect("d")
	room := a.subscribe(t, `{"equals":{"x":1}}`, realtime.Options{Users: realtime.None}).RoomID
	b.subscribe(t, `{"equals":{"x":1}}`, realtime.Options{Users: realtime.None, Documents: realtime.None})
	elsewhere := d.subscribe(t, `{"equals":{"x":2}}`, realtime.Options{Users: realtime.None})
	const n = `"notification":{"type":"document","action":"sent","scope":"in","result":{}}`
	for _, c := range []struct{ dispatch, a, b, d string }{
		{`{"channels":["` + room + `-311"],` + n + `}`, "sent in", "", ""},
		{`{"channels":["` + room + `-314"],` + n + `}`, "", "sent in", ""},
		{`{"channels":["` + elsewhere.Channel + `","` + room + `-311"],` + n + `}`, "sent in", "", "sent in"},
		{`{"channels":["` + room + `-311","x"],"connectionId":"b",` + n + `}`, "", "sent in, sent in", ""},
		{`{"channels":[],` + n + `}`, "", "", ""},
		{`{"channels":["none","-311","none-311"],` + n + `}`, "", "", ""},
		{`{"channels":["` + room + `-311"],"connectionId":"gone",` + n + `}`, "", "", ""},
	} {
		w.listen(events.Listeners{Pipes: map[string]events.Pipe{"core:realtime:notification:dispatch:before": change(c.dispatch)}})
		for _, x := range []*client{a, b, d} {
			x.take()
		}
		w.publish(t, `{"x":1}`)
		for x, want := range map[*client]string{a: c.a, b: c.b, d: c.d} {
			if got := x.heard(t); got != want {
				t.Errorf("%s: %s heard %q, want %q", c.dispatch, x.conn.ID, got, want)
			}
		}
	}
	if logged := w.logged.String(); logged != "" {
		t.Error(logged)
	}
}

// TestPipesThatFail stop one message and are logged.
func TestPipesThatFail(t *testing.T) {
	fails := events.PipeFunc(func(context.Context, string, *events.Payload) error { return errors.New("out of order") })
	for _, event := range []string{"notify:document", "notify:dispatch", "core:realtime:notification:dispatch:before"} {
		for name, pipe := range map[string]events.Pipe{
			"fails": fails, "nonsense": change(`7`), "null": change(`null`), "nothing": events.PipeFunc(func(_ context.Context, _ string, p *events.Payload) error {
				p.Data = nil
				return nil
			}),
			"panics": events.PipeFunc(func(context.Context, string, *events.Payload) error { panic("oh") }),
		} {
			if name == "null" && event != "core:realtime:notification:dispatch:before" {
				continue // reads as an empty notification
			}
			w := newWorld(t)
			c, leaving := w.connect("c"), w.connect("leaving")
			c.subscribe(t, `{"equals":{"x":2}}`, realtime.Options{Users: realtime.None})
			leaving.subscribe(t, `{"equals":{"x":1}}`, realtime.Options{Users: realtime.None})
			c.take()
			leaving.take()
			w.listen(events.Listeners{Pipes: map[string]events.Pipe{event: pipe}})
			w.publish(t, `{"x":2}`)
			if got := c.heard(t); got != "" || !strings.Contains(w.logged.String(), "subscribers were not told") {
				t.Errorf("%s %s: heard %q, logged %s", event, name, got, &w.logged)
			}
			if event == "notify:document" { // only those who enter are not told
				once := true
				w.listen(events.Listeners{Pipes: map[string]events.Pipe{event: events.PipeFunc(func(ctx context.Context, event string, p *events.Payload) error {
					if once {
						once = false
						return pipe.Pipe(ctx, event, p)
					}
					return nil
				})}})
				w.change(t, "update", `{"x":1}`, `{"x":2}`)
				expect(t, c, "")
				expect(t, leaving, "update out")
			}
		}
	}
}

func TestNotify(t *testing.T) {
	w := newWorld(t)
	c := w.connect("c")
	n := protocol.TokenExpired("n1")
	if !w.Notify(t.Context(), "c", n) || w.Notify(t.Context(), "gone", n) {
		t.Error("who was told?")
	}
	got := c.take()
	if len(got) != 1 || got[0].Channel != protocol.ServerNotificationRoom || string(got[0].JSON) != string(n.Append(nil)) {
		t.Errorf("%v", got)
	}
	w.listen(events.Listeners{Pipes: map[string]events.Pipe{"notify:server": events.PipeFunc(func(context.Context, string, *events.Payload) error {
		return errors.New("no")
	})}})
	if w.Notify(t.Context(), "c", n) || len(c.take()) > 0 || !strings.Contains(w.logged.String(), "a connection was not told") {
		t.Errorf("a pipe that fails: %s", &w.logged)
	}
}

// TestHooksSeeWhatWas: pipes change another notification than the one that hooks look at.
func TestHooksSeeWhatWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, seen := newWorld(t), &recorder{}
		w.connect("c").subscribe(t, `{}`, realtime.Options{})
		w.listen(events.Listeners{
			Hooks: seen.hooks("core:notify:document"),
			Pipes: map[string]events.Pipe{"notify:document": events.PipeFunc(func(_ context.Context, _ string, p *events.Payload) error {
				p.Data.(*protocol.Notification).Action = "changed"
				return nil
			})},
		})
		w.publish(t, `{}`)
		synctest.Wait()
		if fired := seen.sorted(); len(fired) != 1 || !strings.Contains(fired[0], `"action":"publish"`) {
			t.Error(fired)
		}
	})
}

// TestNothingIsMadeForNobody: events that nobody listens to have no payload.
func TestNothingIsMadeForNobody(t *testing.T) {
	w := newWorld(t)
	var asked []string
	w.listen(events.Listeners{Pipes: map[string]events.Pipe{"other": events.PipeFunc(func(_ context.Context, event string, _ *events.Payload) error {
		asked = append(asked, event)
		return nil
	})}})
	c := w.connect("c")
	room := c.subscribe(t, `{}`, realtime.Options{}).RoomID
	w.publish(t, `{}`)
	c.unsubscribe(t, room)
	if len(asked) > 0 || !slices.Equal(strings.Split(c.heard(t), ", "), []string{"answer", "user in 1", "publish in"}) {
		t.Error(asked)
	}
}
