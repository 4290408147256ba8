package node

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/controllers/server"
	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/pluginhost"
	"github.com/sluicehq/sluice/core/pluginhost/process"
)

func (n *Node) openPlugins(ctx context.Context) error {
	c := n.options.Config.Plugins
	running, waiting := callBounds(n.options.Config)
	host, err := pluginhost.Open(ctx, pluginhost.Options{
		Version: n.options.Version, Dir: c.Dir, LockFile: c.LockPath(),
		DataDir: n.options.Config.Server.DataDir, Dev: n.options.Config.Dev,
		Registry: n.registry, Executor: n.funnel, Events: fired{n}, Collections: n.engine, Strategies: n.tokens.Strategies(), InProcess: n.options.InProcess,
		Config: c.Config, Secrets: c.Secrets, Mounts: c.Mounts, Storage: c.Storage,
		CallTimeout: c.CallTimeout, SlowCallWarning: c.SlowCallWarning,
		MaxConcurrentCalls: running, MaxWaitingCalls: orNone(waiting), MaxMessageBytes: int(c.MaxMessageSize),
		HookQueueSize: c.HookQueueSize, StartTimeout: c.StartTimeout, DrainTimeout: c.DrainTimeout,
		Restart: process.Policy{
			InitialDelay: c.Restart.InitialDelay, MaxDelay: c.Restart.MaxDelay, HealthyAfter: c.Restart.HealthyAfter,
			MaxRestarts: c.Restart.MaxRestarts, Window: c.Restart.Window,
		},
		Logger: n.options.Logger, Metrics: n.metrics, Changed: n.auditPlugin,
	})
	if err != nil {
		return err
	}
	n.plugins = host
	n.onStop(host.Close)
	return missing(c.Required, host.Plugins())
}

// fired fires the events of plugins to those who listen now.
type fired struct{ node *Node }

// Fire implements pluginhost.Events.
func (f fired) Fire(ctx context.Context, event string, p *events.Payload) error {
	return f.node.bus.Fire(ctx, f.node.registry.Current().Events, event, p)
}

// missing names the required plugins that do not run.
func missing(required []string, plugins []pluginhost.Status) error {
	var problems []error
	for _, id := range required {
		i := slices.IndexFunc(plugins, func(p pluginhost.Status) bool { return p.ID == id })
		switch {
		case i < 0:
			problems = append(problems, fmt.Errorf("the plugin %q, which plugins.required names, is not in the plugins folder", id))
		case plugins[i].State != pluginhost.Running:
			problems = append(problems, fmt.Errorf("the plugin %q, which plugins.required names, does not run: %s", id, plugins[i].LastError))
		}
	}
	return errors.Join(problems...)
}

// callBounds are the calls that may run in one plugin, and wait for it: those of the settings, but together at most half of
// the requests that the node executes at once. A request keeps its place while it waits for a plugin, so one that hangs
// would otherwise take all of them.
func callBounds(c *config.Config) (running, waiting int) {
	share := max(1, c.Limits.ConcurrentRequests/2)
	running = min(c.Plugins.MaxConcurrentCalls, share)
	return running, min(c.Plugins.MaxWaitingCalls, share-running)
}

// orNone turns the setting's 0, no waiting at all, into what the host calls none.
func orNone(waiting int) int {
	if waiting == 0 {
		return -1
	}
	return waiting
}

// runningPlugins is what server:info and server:capabilities tell.
func (n *Node) runningPlugins() []server.Plugin {
	var plugins []server.Plugin
	for _, p := range n.plugins.Plugins() {
		if p.State == pluginhost.Running {
			plugins = append(plugins, server.Plugin{ID: p.ID, Version: p.Version})
		}
	}
	return plugins
}

// pluginHealth is what server:healthCheck tells of every plugin: running, or what is wrong.
func (n *Node) pluginHealth() map[string]server.PluginHealth {
	all := map[string]server.PluginHealth{}
	for _, p := range n.plugins.Plugins() {
		h := server.PluginHealth{Status: string(p.State), Reason: p.Degraded}
		if p.Degraded != "" {
			h.Status = "degraded"
		}
		all[p.ID] = h
	}
	return all
}

var _ pluginhost.Events = fired{}
