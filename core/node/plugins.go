package node

import (
	"context"

	"github.com/sluicehq/sluice/controllers/server"
	"github.com/sluicehq/sluice/core/pluginhost"
	"github.com/sluicehq/sluice/core/pluginhost/process"
)

func (n *Node) openPlugins(ctx context.Context) error {
	c := n.options.Config.Plugins
	host, err := pluginhost.Open(ctx, pluginhost.Options{
		Version: n.options.Version, Dir: c.Dir, LockFile: c.LockPath(),
		DataDir: n.options.Config.Server.DataDir, Dev: n.options.Config.Dev,
		Registry: n.registry, Executor: n.funnel, Config: c.Config, Secrets: c.Secrets,
		CallTimeout: c.CallTimeout, SlowCallWarning: c.SlowCallWarning,
		MaxConcurrentCalls: c.MaxConcurrentCalls, MaxWaitingCalls: orNone(c.MaxWaitingCalls), MaxMessageBytes: int(c.MaxMessageSize),
		HookQueueSize: c.HookQueueSize, StartTimeout: c.StartTimeout, DrainTimeout: c.DrainTimeout,
		Restart: process.Policy{
			InitialDelay: c.Restart.InitialDelay, MaxDelay: c.Restart.MaxDelay, HealthyAfter: c.Restart.HealthyAfter,
			MaxRestarts: c.Restart.MaxRestarts, Window: c.Restart.Window,
		},
		Logger: n.options.Logger, Metrics: n.metrics,
	})
	if err != nil {
		return err
	}
	n.plugins = host
	n.onStop(host.Close)
	return nil
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
