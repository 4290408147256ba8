package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/pluginhost/bridge"
	"github.com/sluicehq/sluice/core/pluginhost/catalog"
	"github.com/sluicehq/sluice/core/pluginhost/hostapi"
	"github.com/sluicehq/sluice/core/pluginhost/process"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

// plugin is one plugin through all its generations. Its life:
//
//  1. prepare: copy, trust, spawn, Describe, check. The registry may follow.
//  2. start: Start; it runs.
//  3. supervise, in a goroutine: waits for crashes and brings it back, also when 1 or 2 failed.
//  4. stop, when the goroutine has ended: drains and ends the generation.
//
// A failure on the way ends what was begun. What another start may mend is tried again; a permanent failure is the end.
type plugin struct {
	id      string
	host    *Host
	found   catalog.Found
	logger  *slog.Logger
	output  *process.Output
	bridge  *bridge.Bridge
	calls   *hostapi.Calls
	metrics *callMetrics

	// Set once by admit.
	settings []byte
	secrets  map[string]string
	// mount is what the manifest says, even one that is refused.
	mount string

	// contribution is what register brought, its Owner "" for nothing. Its pipes and hooks count once listens is true.
	contribution router.Contribution
	listens      bool
	// announced says that those who listen know of its strategies.
	announced bool

	mu       sync.Mutex
	staged   catalog.Staged // set once by prepare
	state    State
	current  *generation // nil when there is none
	manifest *pluginv1.Manifest
	restarts int
	lastErr  error
	degraded string // what the current generation says it cannot do
}

func newPlugin(h *Host, found catalog.Found) *plugin {
	o := h.options
	p := &plugin{
		id: found.ID, host: h, found: found, state: Starting, calls: &hostapi.Calls{},
		logger: o.Logger.With("plugin", found.ID), metrics: h.metrics.of(found.ID),
	}
	p.output = process.NewOutput(p.logger)
	p.bridge = bridge.New(bridge.Options{
		Plugin: found.ID, CallTimeout: o.CallTimeout, SlowCall: o.SlowCallWarning,
		Concurrent: o.MaxConcurrentCalls, Waiting: o.MaxWaitingCalls, MaxMessageBytes: o.MaxMessageBytes,
		HookQueue: o.HookQueueSize, Serving: p.calls, Observer: p.metrics, Logger: p.logger,
	})
	return p
}

// permanent is a failure that no further start mends: the operator or the author has to.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// prepare makes the first generation, as far as Describe.
func (p *plugin) prepare(ctx context.Context) error {
	if p.found.Err != nil {
		return permanent{p.found.Err}
	}
	if p.host.options.InProcess[p.id] == nil {
		if err := p.stage(); err != nil {
			return permanent{err}
		}
	}
	return p.introduce(ctx)
}

// introduce makes a generation, as far as Describe. The first that gets there is checked; the file stays the same, so those
// after it must be the same plugin.
func (p *plugin) introduce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.host.options.StartTimeout)
	defer cancel()
	g, err := p.spawn(ctx)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.current = g
	known := p.manifest
	p.mu.Unlock()
	switch {
	case known == nil:
		return p.admit(g.manifest)
	case !proto.Equal(g.manifest, known):
		return errors.New("it describes itself differently than before: Describe must not depend on anything")
	}
	return nil
}

// admit checks what the plugin says of itself, and what it is given.
func (p *plugin) admit(m *pluginv1.Manifest) error {
	p.mount = m.GetMount()
	if err := bridge.Check(p.id, m); err != nil {
		return permanent{fmt.Errorf("its manifest is refused, tell its author: %w", err)}
	}
	p.mu.Lock()
	p.manifest = m
	p.mu.Unlock()
	var wrongSettings, wrongSecrets error
	p.settings, wrongSettings = settingsFor(m, p.host.options.Config[p.id])
	p.secrets, wrongSecrets = secretsFor(m, p.host.options.Secrets[p.id])
	if err := errors.Join(wrongSettings, wrongSecrets); err != nil {
		return permanent{err}
	}
	p.warnUnused(m)
	return nil
}

// silent is c without pipes and hooks: those of a plugin that never started do not count, or its pipes would stop every
// request that they look at. Its actions stay, and answer 503.
func silent(c router.Contribution) router.Contribution {
	c.Listeners = events.Listeners{Owner: c.Owner}
	return c
}

// stage makes the private copy and decides whether it may run.
func (p *plugin) stage() error {
	if p.host.lockErr != nil {
		return fmt.Errorf("nothing is trusted: %w", p.host.lockErr)
	}
	dir, err := p.host.folders.of(p.id)
	if err != nil {
		return err
	}
	staged, err := catalog.Stage(p.found, p.host.lock, p.host.options.LockFile, dir)
	p.mu.Lock()
	p.staged = staged
	p.mu.Unlock()
	if errors.Is(err, catalog.ErrNotPinned) && p.host.options.Dev {
		p.logger.Warn("DEVELOPMENT MODE: this plugin runs although nobody has pinned it; outside of development mode it is refused",
			"file", p.found.File, "sha256", staged.Sum.String())
		return nil
	}
	return err
}

// spawn runs the executable and asks it what it is.
func (p *plugin) spawn(ctx context.Context) (*generation, error) {
	o := p.host.options
	if dial := o.InProcess[p.id]; dial != nil {
		conn, err := dial(ctx)
		if err != nil {
			return nil, err
		}
		return describe(ctx, inProcess{conn}, o)
	}
	r, err := process.Start(ctx, process.Spec{
		Path: p.staged.Path, Sum: p.staged.Sum, SocketDir: p.host.folders.sockets,
		StartTimeout: o.StartTimeout, Output: p.output,
	})
	if err != nil {
		return nil, err
	}
	return describe(ctx, r, o)
}

// start calls Start of the current generation and lets calls in.
func (p *plugin) start(ctx context.Context) error {
	o := p.host.options
	g := p.generation()
	err := p.ensureCollections(ctx, g.manifest)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.StartTimeout)
	defer cancel()
	g.api, err = hostapi.Listen(ctx, p.host.folders.sockets, hostapi.Options{
		Plugin: p.id, Manifest: g.manifest, Granted: o.Storage[p.id], Calls: p.calls, Executor: o.Executor, MaxHops: o.MaxHops,
		Events: o.Events, Health: func(degraded string) { p.report(g, degraded) },
		Concurrent: o.MaxConcurrentCalls, CallTimeout: o.CallTimeout, MaxMessageBytes: o.MaxMessageBytes, Logger: p.logger,
	})
	if err != nil {
		return err
	}
	err = g.start(ctx, &pluginv1.StartRequest{
		Config: p.settings, Secrets: p.secrets, HostAddress: g.api.Address(), HostToken: g.api.Token(),
		MaxMessageBytes: uint64(o.MaxMessageBytes), LogLevel: lowestLevel(ctx, p.logger), //nolint:gosec // a setting
	})
	if err != nil {
		return err
	}
	p.bridge.Connect(bridge.Unary(g.Conn(), o.MaxMessageBytes))
	if !p.listens {
		if err := o.Registry.Set(p.contribution); err != nil {
			return permanent{fmt.Errorf("its listeners are refused: %w", err)}
		}
		p.listens = true
	}
	p.mu.Lock()
	p.state = Running
	p.mu.Unlock()
	p.logger.Info("plugin running", "version", g.manifest.GetVersion(), "pid", g.PID())
	o.Changed(p.Status(), nil)
	return nil
}

// collectionsTimeout is how long making the collections of a plugin may take, which is no work of the plugin: an Elasticsearch
// that has much to do needs a second for each.
const collectionsTimeout = 2 * time.Minute

// ensureCollections makes the plugin's own collections, and adds to those that are there.
func (p *plugin) ensureCollections(ctx context.Context, m *pluginv1.Manifest) error {
	ctx, cancel := context.WithTimeout(ctx, collectionsTimeout)
	defer cancel()
	for _, c := range m.GetCollections() {
		where := storage.Collection{
			Scope: storage.Internal, Index: storage.PluginIndex(p.id, codec.IndexOf(m, c)), Name: c.GetName(),
		}
		if err := p.host.options.Collections.Ensure(ctx, where, storage.Spec{Mapping: c.GetMapping()}); err != nil {
			return fmt.Errorf("make its collection %s: %w", c.GetName(), err)
		}
	}
	return nil
}

// report notes what a generation says of itself; that of one that has ended does not count.
func (p *plugin) report(g *generation, degraded string) {
	p.mu.Lock()
	current := p.current == g
	changed := current && p.degraded != degraded
	if current {
		p.degraded = degraded
	}
	p.mu.Unlock()
	switch {
	case !changed:
	case degraded != "":
		p.logger.Warn("plugin degraded", "reason", degraded)
	default:
		p.logger.Info("plugin healthy again")
	}
}

// supervise brings the plugin back after crashes and starts that failed, until ctx ends, there were too many, or one is
// permanent.
func (p *plugin) supervise(ctx context.Context) {
	restarts := process.NewRestarts(p.host.options.Restart)
	cause, uptime := p.lastError(), time.Duration(0) // of the first start
	for {
		if cause == nil {
			uptime, cause = p.watch(ctx)
		}
		if ctx.Err() != nil {
			return
		}
		if isPermanent(cause) {
			p.fail(cause)
			return
		}
		p.down(Restarting, cause)
		delay, ok := restarts.Crashed(time.Now(), uptime)
		if !ok {
			p.fail(fmt.Errorf("it ended too often (settings plugins.restart.maxRestarts and window), last: %w", cause))
			return
		}
		p.logger.Error("plugin down, it will be started again", "error", cause, "in", delay)
		select {
		case <-ctx.Done():
			return
		case <-time.After(delay):
		}
		cause, uptime = p.restart(ctx), 0
	}
}

// watch waits for the end of the generation, and says after what time it came and how.
func (p *plugin) watch(ctx context.Context) (uptime time.Duration, cause error) {
	began := time.Now()
	g := p.generation()
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-g.Done():
		return time.Since(began), fmt.Errorf("it crashed: %w", g.Exit())
	}
}

// restart makes the next generation. One that describes itself for the first time brings its routes now.
func (p *plugin) restart(ctx context.Context) error {
	p.mu.Lock()
	p.restarts++
	p.mu.Unlock()
	err := p.introduce(ctx)
	if p.manifest != nil && p.contribution.Owner == "" {
		err = errors.Join(err, p.host.register(p))
	}
	if err != nil {
		return err
	}
	if err := p.start(ctx); err != nil {
		return err
	}
	p.announceStrategies(ctx)
	return nil
}

// stop drains while ctx lasts, and ends the generation. supervise must have ended.
func (p *plugin) stop(ctx context.Context) {
	if p.Status().State == Failed {
		p.bridge.Close()
		return
	}
	if err := p.bridge.Drain(ctx); err != nil {
		p.logger.Warn("plugin stopped while calls were running (setting plugins.drainTimeout)", "calls", p.bridge.Running())
	} else if g := p.generation(); g != nil {
		if _, err := g.lifecycle.Drain(ctx, &pluginv1.DrainRequest{}); err != nil {
			p.logger.Warn("plugin did not drain", "error", err)
		}
	}
	p.bridge.Close()
	p.endGeneration(Stopped, nil)
}

// falter notes that the first start failed: for good, or until supervise tries again.
func (p *plugin) falter(err error) {
	if isPermanent(err) {
		p.fail(err)
		return
	}
	p.down(Restarting, err)
}

func isPermanent(err error) bool {
	var final permanent
	return errors.As(err, &final)
}

// fail ends the generation and leaves the plugin alone.
func (p *plugin) fail(err error) {
	p.down(Failed, err)
	p.logger.Error("plugin failed, the node goes on without it", "error", err)
}

// down ends the generation; calls are answered 503.
func (p *plugin) down(state State, cause error) {
	p.bridge.Disconnect(string(state))
	p.endGeneration(state, cause)
}

// endGeneration moves to state; a nil cause keeps the last one.
func (p *plugin) endGeneration(state State, cause error) {
	p.mu.Lock()
	g := p.current
	p.current = nil
	p.state = state
	p.degraded = ""
	if cause != nil {
		p.lastErr = cause
	}
	p.mu.Unlock()
	if g != nil {
		g.close()
	}
	p.host.options.Changed(p.Status(), cause)
}

func (p *plugin) generation() *generation {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current
}

func (p *plugin) lastError() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lastErr
}

// Status tells how the plugin is.
func (p *plugin) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Status{
		ID: p.id, WireName: p.manifest.GetWireName(), Version: p.manifest.GetVersion(), State: p.state,
		Restarts: p.restarts, Degraded: p.degraded, Pinned: p.staged.Pinned, LastLines: p.output.Tail(),
	}
	if p.current != nil {
		s.PID = p.current.PID()
	}
	if p.lastErr != nil {
		s.LastError = p.lastErr.Error()
	}
	return s
}

// warnUnused says which secrets nobody asked for: most often a name is misspelt.
func (p *plugin) warnUnused(m *pluginv1.Manifest) {
	wanted := map[string]bool{}
	for _, s := range m.GetSecrets() {
		wanted[s.GetName()] = true
	}
	for name := range p.host.options.Secrets[p.id] {
		if !wanted[name] {
			p.logger.Warn("this secret is set, and the plugin does not ask for it", "secret", "plugins.secrets."+p.id+"."+name)
		}
	}
}

// lowestLevel is the lowest standard level that the logger keeps.
func lowestLevel(ctx context.Context, l *slog.Logger) int32 {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn} {
		if l.Enabled(ctx, level) {
			return int32(level) //nolint:gosec // -4 to 4
		}
	}
	return int32(slog.LevelError)
}
