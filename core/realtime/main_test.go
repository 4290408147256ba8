package realtime_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a service with its connections.
type world struct {
	*realtime.Service
	bus     *events.Bus
	metrics *prometheus.Registry
	table   atomic.Pointer[events.Table]
	logged  lockedBuffer

	mu      sync.Mutex
	clients map[string]*client
	// others are connections that are no client.
	others map[string]realtime.Outbox
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newWorld(t testing.TB, change ...func(*realtime.Config)) *world {
	t.Helper()
	w := &world{metrics: prometheus.NewRegistry(), clients: map[string]*client{}, others: map[string]realtime.Outbox{}}
	logger := slog.New(slog.NewTextHandler(&w.logged, nil))
	w.bus = events.NewBus(1000, logger)
	t.Cleanup(func() { w.bus.Close(context.Background()) })
	w.listen(events.Listeners{})
	c := realtime.Config{
		Outbox: w.outbox, Bus: w.bus, Events: w.table.Load, NodeID: "n1", MaxConditions: 100,
		History: realtime.HistoryLimits{Window: time.Minute, Messages: 256, Bytes: 1 << 20, Rooms: 10},
		Logger:  logger, Metrics: w.metrics,
	}
	for _, f := range change {
		f(&c)
	}
	var err error
	if w.Service, err = realtime.New(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func (w *world) listen(l events.Listeners) { w.table.Store(events.NewTable([]events.Listeners{l})) }

func (w *world) outbox(id string) realtime.Outbox {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.clients[id]; c != nil {
		return c
	}
	return w.others[id]
}

// metric reads one that has no labels.
func (w *world) metric(t testing.TB, name string) float64 {
	t.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "sluice_realtime_"+name {
			return f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// client is a connection that notes what it is sent.
type client struct {
	w    *world
	conn *protocol.Connection

	mu     sync.Mutex
	got    []*realtime.Message
	closed string
}

func (w *world) connect(id string) *client {
	c := &client{w: w, conn: &protocol.Connection{ID: id, Protocol: "websocket", IPs: []string{"10.0.0.1"}}}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clients[id] = c
	return c
}

// disconnect does what a protocol does.
func (c *client) disconnect() {
	c.w.mu.Lock()
	delete(c.w.clients, c.conn.ID)
	c.w.mu.Unlock()
	c.w.Leave(context.Background(), c.conn.ID)
}

func (c *client) Deliver(m *realtime.Message) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, m)
	return true
}

func (c *client) Close(_ int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = reason
}

// take gives what the client was sent since the last time, its answers included.
func (c *client) take() []*realtime.Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.got
	c.got = nil
	return got
}

func (c *client) request(action string) *protocol.Request {
	return &protocol.Request{
		RequestID: "r1", Controller: "realtime", Action: action, Connection: c.conn, User: &protocol.User{ID: "user-" + c.conn.ID},
		Volatile: jsontext.Value(`{"sdkInstanceId":"` + c.conn.ID + `"}`),
	}
}

const answerChannel = "answer"

// answered is what a protocol does with an answer.
func (c *client) answered(r *protocol.Request, ok bool) {
	if ok {
		c.Deliver(&realtime.Message{Channel: answerChannel})
	}
	if r.Reply.Answered != nil {
		r.Reply.Answered(ok)
	}
}

func (c *client) subscribe(t testing.TB, filter string, o realtime.Options) *realtime.Subscribed {
	t.Helper()
	return c.subscribeTo(t, realtime.Subscription{Index: "i", Collection: "c", Filter: jsontext.Value(filter), Options: o})
}

func (c *client) subscribeTo(t testing.TB, sub realtime.Subscription) *realtime.Subscribed {
	t.Helper()
	r := c.request("subscribe")
	s, err := c.w.Subscribe(t.Context(), r, sub)
	c.answered(r, err == nil)
	if err != nil || s == nil {
		t.Fatalf("%s: %v %v", sub.Filter, s, err)
	}
	return s
}

func (c *client) unsubscribe(t testing.TB, room string) {
	t.Helper()
	if err := c.w.Unsubscribe(t.Context(), c.request("unsubscribe"), room); err != nil {
		t.Fatal(err)
	}
}

// change writes the document d.
func (w *world) change(t testing.TB, action, before, after string) {
	t.Helper()
	c := realtime.Change{Action: action, ID: "d", Before: jsontext.Value(before), After: jsontext.Value(after)}
	if before == "" {
		c.Before = nil
	}
	if after == "" {
		c.After = nil
	}
	w.Changed(t.Context(), writer(), "i", "c", c)
}

func (w *world) publish(t testing.TB, source string) {
	t.Helper()
	r := writer()
	r.Controller, r.Action = "realtime", "publish"
	if err := w.Publish(t.Context(), r, "i", "c", "", jsontext.Value(source)); err != nil {
		t.Fatal(err)
	}
}

func writer() *protocol.Request {
	return &protocol.Request{
		RequestID: "w1", Controller: "document", Action: "write", Volatile: jsontext.Value(`{"v":1}`),
		Connection: &protocol.Connection{ID: "writer", Protocol: "http"}, User: &protocol.User{ID: "author"},
	}
}

// notified is what tests look at in a message.
type notified struct {
	Type, Action, Event, Scope, User, Room, MessageID string
	Result                                            struct {
		ID     string         `json:"_id"`
		Source jsontext.Value `json:"_source"`
		Count  int
	}
}

func read(t testing.TB, m *realtime.Message) notified {
	t.Helper()
	var n notified
	if err := json.Unmarshal(m.JSON, &n, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatalf("%s: %v", m.JSON, err)
	}
	if n.Room != m.Channel || n.MessageID != m.ID {
		t.Errorf("%s in a message on %q with id %q", m.JSON, m.Channel, m.ID)
	}
	return n
}

// heard is what a client was sent, in short: "create in", "user in 2", "answer".
func (c *client) heard(t testing.TB) string {
	t.Helper()
	var words []string
	for _, m := range c.take() {
		if m.Channel == answerChannel {
			words = append(words, "answer")
			continue
		}
		n := read(t, m)
		if n.Type == "user" {
			words = append(words, "user "+n.User+" "+strconv.Itoa(n.Result.Count))
		} else {
			words = append(words, n.Action+" "+n.Scope)
		}
	}
	return strings.Join(words, ", ")
}

func expect(t testing.TB, c *client, want string) {
	t.Helper()
	if got := c.heard(t); got != want {
		t.Errorf("%s heard %q, want %q", c.conn.ID, got, want)
	}
}

// recorder notes events in order.
type recorder struct {
	mu    sync.Mutex
	fired []string
}

func (r *recorder) note(event string, data any) error {
	text, err := json.Marshal(data, json.Deterministic(true))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fired = append(r.fired, event+" "+string(text))
	return err
}

func (r *recorder) hooks(names ...string) map[string]events.Hook {
	hooks := map[string]events.Hook{}
	for _, name := range names {
		hooks[name] = events.HookFunc(func(_ context.Context, event string, p *events.Payload) { _ = r.note(event, p.Data) })
	}
	return hooks
}

func (r *recorder) pipes(names ...string) map[string]events.Pipe {
	pipes := map[string]events.Pipe{}
	for _, name := range names {
		pipes[name] = events.PipeFunc(func(_ context.Context, event string, p *events.Payload) error { return r.note(event, p.Data) })
	}
	return pipes
}

// sorted gives what was fired since the last time; events of one moment come in any order out of the bus.
func (r *recorder) sorted() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	fired := r.fired
	r.fired = nil
	return slices.Sorted(slices.Values(fired))
}
