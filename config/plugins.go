package config

import (
	"path/filepath"
	"time"
)

// Plugins is the section plugins.
type Plugins struct {
	Dir                string                       `config:"dir" doc:"Folder with one folder a plugin; empty = no plugins."`
	Required           []string                     `config:"required" doc:"Ids of plugins without which the node does not start: those whose pipes guard something. Others that fail are left out."`
	LockFile           string                       `config:"lockFile" doc:"File with the trusted checksum of every plugin, written by sluice plugin pin. Empty = sluice.lock in plugins.dir."`
	CallTimeout        time.Duration                `config:"callTimeout" doc:"Time for a plugin to answer one call." min:"1ms"`
	SlowCallWarning    time.Duration                `config:"slowCallWarning" doc:"Duration from which a call is logged as slow." min:"1ms"`
	MaxConcurrentCalls int                          `config:"maxConcurrentCalls" doc:"Calls in one plugin at once. Together with those that wait never more than half of limits.concurrentRequests, whatever is set here: a plugin that hangs leaves the node the other half." min:"1"`
	MaxWaitingCalls    int                          `config:"maxWaitingCalls" doc:"Calls waiting for one plugin; one more is answered 503. See plugins.maxConcurrentCalls for the bound of both." min:"0"`
	MaxMessageSize     Size                         `config:"maxMessageSize" doc:"Largest message between node and plugin, both ways." min:"64KB" max:"1GB"`
	StartTimeout       time.Duration                `config:"startTimeout" doc:"Time for a plugin to start and describe itself." min:"1ms"`
	Restart            Restart                      `config:"restart" doc:"What happens after a plugin crashed or did not start."`
	DrainTimeout       time.Duration                `config:"drainTimeout" doc:"How long a replaced plugin may finish its calls." min:"0s"`
	HookQueueSize      int                          `config:"hookQueueSize" doc:"Events waiting for the hooks of one plugin; further ones are dropped and counted." min:"1"`
	Mounts             map[string]string            `config:"mounts" doc:"Path, by plugin id, that a plugin's routes begin with, in place of the one that the plugin brings: gvp: /uniapi. An index named like the first part of it is out of reach of the routes of documents, though not of WebSocket and /_query."`
	Hosts              map[string][]string          `config:"hosts" doc:"Host names, by plugin id, under which the routes of that plugin stand without their mount, and nothing else does: gvp: [uniapi.example.com]."`
	Listen             map[string]string            `config:"listen" doc:"Address, by plugin id, of a listener of the plugin's own, where its routes stand without their mount, and nothing else does: gvp: 127.0.0.1:8443."`
	Storage            map[string][]string          `config:"storage" doc:"Public indexes, by plugin id, whose documents the plugin may read and write as itself; * is every index. What it stores for itself needs no grant."`
	Config             map[string]map[string]any    `config:"config" doc:"Settings of each plugin, by plugin id; the plugin's own schema says which."`
	Secrets            map[string]map[string]Secret `config:"secrets" doc:"Secrets of each plugin, by plugin id and name. A plugin is given those that its manifest declares."`
}

// Restart is the section plugins.restart.
type Restart struct {
	InitialDelay time.Duration `config:"initialDelay" doc:"Wait before the first restart; doubled each time." min:"1ms"`
	MaxDelay     time.Duration `config:"maxDelay" doc:"Longest wait between two restarts." min:"1ms"`
	HealthyAfter time.Duration `config:"healthyAfter" doc:"Time without a crash after which the wait starts over." min:"1ms"`
	MaxRestarts  int           `config:"maxRestarts" doc:"Restarts within plugins.restart.window; one more and the plugin counts as failed: it is left alone, its routes answer 503." min:"0"`
	Window       time.Duration `config:"window" doc:"Span in which restarts are counted." min:"1ms"`
}

func defaultPlugins() Plugins {
	return Plugins{
		CallTimeout:        5 * time.Second,
		SlowCallWarning:    500 * time.Millisecond,
		MaxConcurrentCalls: 200,
		MaxWaitingCalls:    50,
		MaxMessageSize:     16 * MB,
		StartTimeout:       10 * time.Second,
		Restart: Restart{
			InitialDelay: 100 * time.Millisecond,
			MaxDelay:     30 * time.Second,
			HealthyAfter: 60 * time.Second,
			MaxRestarts:  5,
			Window:       10 * time.Minute,
		},
		DrainTimeout:  30 * time.Second,
		HookQueueSize: 10000,
	}
}

// LockPath is the lock file in use: plugins.lockFile, or sluice.lock in plugins.dir. It is empty when neither is set.
func (p Plugins) LockPath() string {
	if p.LockFile != "" || p.Dir == "" {
		return p.LockFile
	}
	return filepath.Join(p.Dir, "sluice.lock")
}
