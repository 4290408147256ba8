// Package controllertest runs the actions of controllers as clients do: through a real funnel over the embedded engine, and
// tells which events of documents, indexes and collections they fired. Only tests import it.
package controllertest

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/auth/local"
	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/funnel"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded"
	"github.com/sluicehq/sluice/core/storage/storagetest"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Node is what a controller works with, and the way to it.
type Node struct {
	Funnel    *funnel.Funnel
	Engine    storage.Engine
	Users     *security.Service
	Tokens    *auth.Service
	Routes    *router.Registry
	Announcer announce.Announcer
	// Realtime has the subscriptions of Listen, and Subscribers tell them.
	Realtime    *realtime.Service
	Subscribers *announce.Subscribers

	mu        sync.Mutex
	listeners map[string]*Listener
	fired     []string
	fail      func(op string, c storage.Collection) error
}

// Options are what a Node is made of.
type Options struct {
	// Dev lets everybody do everything.
	Dev bool
	// Tokens are how tokens live; Engine, Users, Secret and Logger are filled in.
	Tokens auth.Options
	// Local is whether there is the strategy local. Its passwords cost next to nothing.
	Local bool
}

// Now is what the clock of metadata shows: 1000 ms after 1970.
func Now() time.Time { return time.UnixMilli(1000) }

// New runs a node until the test ends. In development mode everybody may do everything.
func New(t testing.TB, dev bool) *Node {
	t.Helper()
	return Start(t, Options{Dev: dev})
}

// Start runs a node until the test ends.
func Start(t testing.TB, o Options) *Node {
	t.Helper()
	ctx, quiet := t.Context(), slog.New(slog.DiscardHandler)
	n := &Node{Routes: router.NewRegistry()}
	disk, err := embedded.Open(ctx, embedded.Options{Dir: "data", FS: vfs.NewMem(), Logger: quiet})
	must(t, err)
	t.Cleanup(func() { must(t, disk.Close()) })
	n.Engine = storagetest.Faulty{Engine: disk, Fail: func(op string, c storage.Collection, _ string) error {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.fail == nil {
			return nil
		}
		return n.fail(op, c)
	}}
	n.Users, err = security.Open(ctx, security.Options{Engine: n.Engine, Dev: o.Dev, Logger: quiet})
	must(t, err)
	o.Tokens.Engine, o.Tokens.Users, o.Tokens.Secret, o.Tokens.Logger = n.Engine, n.Users, strings.Repeat("s", 32), quiet
	n.Tokens, err = auth.Open(ctx, o.Tokens)
	must(t, err)
	t.Cleanup(n.Tokens.Close)
	if o.Local {
		n.addLocal(t)
	}
	bus := events.NewBus(16, quiet)
	t.Cleanup(func() { bus.Close(context.Background()) })
	n.openRealtime(t, bus)
	n.Subscribers = announce.NewSubscribers(n.Realtime)
	n.Announcer = announce.Announcer{Bus: bus, Snapshot: n.Routes.Current}
	n.Funnel, err = funnel.New(funnel.Options{
		Registry: n.Routes, Tokens: n.Tokens, Users: n.Users, Bus: bus, Concurrent: 100, Waiting: 100,
		Logger: quiet, Metrics: prometheus.NewRegistry(),
	})
	must(t, err)
	n.record(t)
	return n
}

func (n *Node) addLocal(t testing.TB) {
	strategy, err := local.Open(t.Context(), local.Options{
		Engine: n.Engine, Cost: local.Cost{MemoryKiB: 64, Iterations: 1, Parallelism: 1}, Logger: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	must(t, n.Tokens.Strategies().Add(auth.Named{Name: local.Name, Strategy: strategy}))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Contribute adds a controller.
func (n *Node) Contribute(t testing.TB, owner string, actions []router.Action) {
	t.Helper()
	must(t, n.Routes.Set(router.Contribution{Owner: owner, Actions: actions}))
}

// FailWith lets calls of the engine on public collections fail when fail gives an error for the name of the method. nil
// ends it.
func (n *Node) FailWith(fail func(op string) error) {
	n.FailEngine(func(op string, c storage.Collection) error {
		if fail == nil || c.Scope != storage.Public {
			return nil
		}
		return fail(op)
	})
}

// FailEngine is FailWith for all collections, those of the node too. fail may also count what the engine is asked.
func (n *Node) FailEngine(fail func(op string, c storage.Collection) error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fail = fail
}

// record notes every event of documents, indexes and collections.
func (n *Node) record(t testing.TB) {
	pipe := events.PipeFunc(func(_ context.Context, event string, p *events.Payload) error {
		data, err := json.Marshal(p.Data, json.Deterministic(true))
		n.mu.Lock()
		defer n.mu.Unlock()
		n.fired = append(n.fired, event+" "+string(data))
		return err
	})
	pipes := map[string]events.Pipe{"generic:document:*": pipe}
	for _, event := range []string{
		announce.IndexCreated, announce.IndexDeleted, announce.IndexesDeleted, announce.CollectionCreated, announce.CollectionDeleted,
	} {
		pipes[event] = pipe
	}
	must(t, n.Routes.Set(router.Contribution{Owner: "recorder", Listeners: events.Listeners{Owner: "recorder", Pipes: pipes}}))
}

// Pipe puts a pipe on an event, in place of any before. nil takes it away.
func (n *Node) Pipe(t testing.TB, event string, pipe events.PipeFunc) {
	t.Helper()
	if pipe == nil {
		n.Routes.Remove("pipe")
		return
	}
	must(t, n.Routes.Set(router.Contribution{Owner: "pipe", Listeners: events.Listeners{
		Owner: "pipe", Pipes: map[string]events.Pipe{event: pipe},
	}}))
}

// Fired gives what was fired since the last call, one line an event: its name, and what it was about.
func (n *Node) Fired() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	text := strings.Join(n.fired, "\n")
	n.fired = nil
	return text
}

// Ask sends an envelope as a WebSocket client does.
func (n *Node) Ask(t testing.TB, envelope string) *protocol.Response {
	t.Helper()
	return n.AskOver(t, &protocol.Connection{ID: "c", Protocol: "websocket"}, envelope)
}

// AskOver sends an envelope over a connection.
func (n *Node) AskOver(t testing.TB, c *protocol.Connection, envelope string) *protocol.Response {
	t.Helper()
	r := &protocol.Request{Connection: c}
	must(t, protocol.DecodeRequest([]byte(envelope), r))
	return n.Funnel.Execute(context.Background(), r)
}

// Refuse is a pipe that stops whatever it is put on with status 400 and no id.
var Refuse events.PipeFunc = func(context.Context, string, *events.Payload) error {
	return kerror.Bare(kerror.BadRequestError, "refused")
}
