package pluginhost

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/sluicehq/sluice/core/pluginhost/bridge"
	"github.com/sluicehq/sluice/core/pluginhost/catalog"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Host runs the plugins of a node. It is safe for concurrent use.
type Host struct {
	options Options
	folders folders
	lock    catalog.Lock
	// lockErr says that the lock file cannot be relied on: nothing is trusted.
	lockErr error
	metrics *metrics
	// plugins are sorted by id.
	plugins []*plugin

	// registering guards taken: names that are given away, with their owners.
	registering sync.Mutex
	taken       map[string]string

	// cancel is nil when the start was not reached.
	cancel context.CancelFunc
	// supervisors are the goroutines that watch.
	supervisors sync.WaitGroup
	closing     sync.Once
	closed      error
}

// Open finds the plugins and starts them, all at once. It returns when each of them runs, was left out, or waits for another
// start; an error means that the host itself cannot work. Close must be called, after the last request.
func Open(ctx context.Context, o Options) (*Host, error) {
	o = o.withDefaults()
	found, err := catalog.Find(o.Dir)
	if err != nil {
		return nil, err
	}
	for id := range o.InProcess {
		found = append(found, catalog.Found{ID: id})
	}
	slices.SortFunc(found, func(a, b catalog.Found) int { return cmp.Compare(a.ID, b.ID) })
	h := &Host{options: o}
	if h.folders, err = openFolders(o.DataDir); err != nil {
		return nil, err
	}
	if o.Dir != "" {
		h.lock, h.lockErr = catalog.ReadLock(o.LockFile)
	}
	h.metrics = newMetrics(h)
	for _, f := range found {
		h.plugins = append(h.plugins, newPlugin(h, f)) //nolint:contextcheck // its queue of hooks outlives the start
	}
	h.warnUnknown()
	err = o.Metrics.Register(h.metrics)
	if err == nil {
		err = h.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, h.Close(ctx))
	}
	return h, nil
}

// start brings the plugins up in steps. Names are given out in the order of the ids, so that every start of the node gives
// them to the same plugins; one that does not describe itself at first gets what is left. The error is that of ctx.
func (h *Host) start(ctx context.Context) error {
	h.each(func(p *plugin) error { return p.prepare(ctx) })
	h.taken = h.ids()
	for _, p := range h.plugins {
		if p.manifest == nil {
			continue
		}
		if err := h.register(p); err != nil {
			p.fail(err)
		}
	}
	h.reservePlaces()
	h.each(func(p *plugin) error { return p.start(ctx) })
	for _, p := range h.plugins { // now that all who listen do
		p.announceStrategies(ctx)
	}
	supervised, cancel := context.WithCancel(context.WithoutCancel(ctx)) // ctx is for the start
	h.cancel = cancel
	for _, p := range h.plugins {
		if p.Status().State != Failed {
			h.supervisors.Go(func() { p.supervise(supervised) })
		}
	}
	return context.Cause(ctx)
}

// each runs a step for all that no step has failed for, at once.
func (h *Host) each(step func(*plugin) error) {
	var all sync.WaitGroup
	for _, p := range h.plugins {
		if p.Status().State != Starting {
			continue
		}
		all.Go(func() {
			if err := step(p); err != nil {
				p.falter(err)
			}
		})
	}
	all.Wait()
}

// ids are the names that no other plugin may take as its wire name, with their owners.
func (h *Host) ids() map[string]string {
	taken := map[string]string{}
	for _, p := range h.plugins {
		taken[strings.ToLower(p.id)] = p.id
	}
	for _, e := range h.options.Registry.Current().Actions() {
		if e.Plugin == "" {
			name, _, _ := strings.Cut(e.Controller, "/")
			taken[strings.ToLower(name)] = "the node itself"
		}
	}
	return taken
}

// register gives the plugin its names and puts its actions and strategies into their registries. An error is permanent.
func (h *Host) register(p *plugin) error {
	if err := h.claim(p); err != nil {
		return permanent{err}
	}
	// The operator decides before the manifest.
	mount := cmp.Or(h.options.Mounts[p.id], p.manifest.GetMount())
	if err := bridge.CheckMount(mount); err != nil {
		return permanent{err}
	}
	if err := p.addStrategies(); err != nil {
		return permanent{err}
	}
	c, err := p.bridge.Contribution(p.manifest, mount)
	if err == nil {
		err = h.options.Registry.Set(silent(c))
	}
	if err != nil {
		return permanent{errors.Join(fmt.Errorf("its actions are refused: %w", err), p.removeStrategies(p.strategies()))}
	}
	p.contribution = c
	return nil
}

// claim gives the plugin the names that its manifest asks for, unless another has one.
func (h *Host) claim(p *plugin) error {
	h.registering.Lock()
	defer h.registering.Unlock()
	for _, name := range bridge.Names(p.manifest) {
		key := strings.ToLower(name)
		if owner := cmp.Or(h.taken[key], p.id); owner != p.id {
			return fmt.Errorf("the name %q belongs to %s", name, owner)
		}
		h.taken[key] = p.id
	}
	for _, event := range p.manifest.GetTriggers() {
		scope := bridge.TriggerScope(event)
		if owner := cmp.Or(h.taken[strings.ToLower(scope)], p.id); owner != p.id {
			return fmt.Errorf("its trigger %q is refused: events of %s belong to %s", event, scope, owner)
		}
	}
	return nil
}

// reservePlaces keeps the places of plugins that could not bring their routes: what clients send there, passwords and
// whole documents among it, is for the plugin and must not reach the routes of documents. It comes after the plugins that
// did bring theirs, so that nobody loses a place to one that does not run. A file that is not pinned is not run, so its
// manifest has no say: for it there is the mount of the operator, or the one named after it.
func (h *Host) reservePlaces() {
	places := maps.Clone(h.options.Mounts)
	if places == nil {
		places = map[string]string{}
	}
	for _, p := range h.plugins {
		if p.contribution.Owner != "" {
			delete(places, p.id)
		} else {
			places[p.id] = cmp.Or(places[p.id], p.mount)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(places)) {
		mount := places[id]
		if mount == "" {
			mount = "/" + id
			h.options.Logger.Warn("a plugin whose manifest nobody has read: of its paths only this one is kept free; the setting plugins.mounts names another",
				"plugin", id, "mount", mount, "setting", "plugins.mounts."+id)
		}
		err := bridge.CheckMount(mount)
		if err == nil {
			err = h.options.Registry.Set(router.Contribution{Owner: id, Service: &router.Service{
				Mount: mount, Down: kerror.PluginRuntimeUnavailable.New(id, "not started"),
			}})
		}
		if err != nil {
			h.options.Logger.Warn("the place of a plugin that does not run is not kept free", "plugin", id, "mount", mount, "error", err)
		}
	}
}

// Plugins tells how every plugin is, sorted by id.
func (h *Host) Plugins() []Status {
	all := make([]Status, len(h.plugins))
	for i, p := range h.plugins {
		all[i] = p.Status()
	}
	return all
}

// Close lets running calls finish, for DrainTimeout or until ctx ends, and ends all plugins. Their actions stay in the
// registry and answer 503. It may be called again; nothing is left behind when it returns.
func (h *Host) Close(ctx context.Context) error {
	h.closing.Do(func() {
		if h.cancel != nil {
			h.cancel()
		}
		h.supervisors.Wait()
		ctx, cancel := context.WithTimeout(ctx, h.options.DrainTimeout)
		defer cancel()
		var all sync.WaitGroup
		for _, p := range h.plugins {
			all.Go(func() { p.stop(ctx) })
		}
		all.Wait()
		h.options.Metrics.Unregister(h.metrics)
		h.closed = h.folders.remove()
	})
	return h.closed
}

// warnUnknown says which settings are for plugins that are not there: most often a name is misspelt.
func (h *Host) warnUnknown() {
	for _, section := range []struct {
		name string
		ids  []string
	}{
		{"plugins.config", slices.Sorted(maps.Keys(h.options.Config))},
		{"plugins.secrets", slices.Sorted(maps.Keys(h.options.Secrets))},
		{"plugins.mounts", slices.Sorted(maps.Keys(h.options.Mounts))},
		{"plugins.storage", slices.Sorted(maps.Keys(h.options.Storage))},
	} {
		for _, id := range section.ids {
			if !slices.ContainsFunc(h.plugins, func(p *plugin) bool { return p.id == id }) {
				h.options.Logger.Warn("settings for a plugin that is not there", "setting", section.name+"."+id, "dir", h.options.Dir)
			}
		}
	}
}
