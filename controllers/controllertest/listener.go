package controllertest

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol"
)

// Listener is a subscriber that notes what it hears.
type Listener struct {
	mu    sync.Mutex
	heard []Heard
}

// Heard is what tests look at of a notification about a document.
type Heard struct {
	Scope, Event, Action, Index, Collection, Controller, RequestID string
	Result                                                         jsontext.Value
	Volatile                                                       jsontext.Value
}

func (n *Node) openRealtime(t testing.TB, bus *events.Bus) {
	t.Helper()
	var err error
	n.Realtime, err = realtime.New(realtime.Config{
		Outbox: n.outbox, Bus: bus, Events: func() *events.Table { return n.Routes.Current().Events }, NodeID: "n",
		MaxConditions: 100, Logger: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
	must(t, err)
	t.Cleanup(n.Realtime.Close)
}

func (n *Node) outbox(connection string) realtime.Outbox {
	n.mu.Lock()
	defer n.mu.Unlock()
	if l := n.listeners[connection]; l != nil {
		return l
	}
	return nil
}

// Listen subscribes to a collection over a connection of its own, named so.
func (n *Node) Listen(t testing.TB, name, index, collection, filter string, o realtime.Options) *Listener {
	t.Helper()
	l := new(Listener)
	n.mu.Lock()
	if n.listeners == nil {
		n.listeners = map[string]*Listener{}
	}
	n.listeners[name] = l
	n.mu.Unlock()
	req := &protocol.Request{Connection: &protocol.Connection{ID: name, Protocol: "websocket"}, Controller: "realtime", Action: "subscribe"}
	_, err := n.Realtime.Subscribe(t.Context(), req, realtime.Subscription{
		Index: index, Collection: collection, Filter: jsontext.Value(filter), Options: o,
	})
	must(t, err)
	req.Reply.Answered(true)
	return l
}

// Leave ends what Listen began.
func (n *Node) Leave(name string) { n.Realtime.Leave(context.Background(), name) }

// Deliver implements realtime.Outbox.
func (l *Listener) Deliver(m *realtime.Message) bool {
	var h Heard
	if err := json.Unmarshal(m.JSON, &h, json.MatchCaseInsensitiveNames(true)); err != nil {
		h.Event = err.Error() // no test wants it
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, h)
	return true
}

// Close implements realtime.Outbox.
func (l *Listener) Close(int, string) {}

// All gives what was heard since the last call.
func (l *Listener) All() []Heard {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.heard
	l.heard = nil
	return all
}

// Lines is All as text, one line each: scope, action and result. Generated ids read as UUID.
func (l *Listener) Lines() string {
	var lines []string
	for _, h := range l.All() {
		lines = append(lines, h.Scope+" "+h.Action+" "+generatedID.ReplaceAllString(string(h.Result), "UUID"))
	}
	return strings.Join(lines, "\n")
}
