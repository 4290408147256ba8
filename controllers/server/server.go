// Package server is the controller `server`: what anybody may ask about the node. core/node contributes it to the
// registry.
package server

import (
	"context"
	"time"

	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
)

// Users answers whether the node has an administrator.
type Users interface {
	AdminExists(ctx context.Context) (bool, error)
}

// Options are what the controller speaks about.
type Options struct {
	Users   Users
	Engine  storage.Engine
	Routes  func() *router.Snapshot
	Plugins func() []Plugin
	// PluginHealth tells how every plugin is, by id; nil for none.
	PluginHealth func() map[string]PluginHealth
	// StorageImpaired reports whether the engine serves everything and still lacks something, such as copies of its data; nil
	// for never.
	StorageImpaired func() bool
	// Version is that of the binary, API the version of the Kuzzle API it speaks.
	Version string
	API     string
	Started time.Time
	// Limits are shown by server:capabilities.
	Limits any
}

// Plugin is a running plugin as clients see it.
type Plugin struct {
	ID      string
	Version string
}

// PluginHealth is how a plugin is: its state, "degraded" when it runs and says that it cannot do all, with the reason.
type PluginHealth struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitzero"`
}

// impaired reports whether the plugin cannot do all that it is there for.
func (h PluginHealth) impaired() bool { return h.Status != "running" }

type controller struct{ Options }

// Actions gives the actions of the controller.
func Actions(o Options) []router.Action {
	c := controller{o}
	get := func(action, path string, h router.Handler, more ...router.Route) router.Action {
		routes := append([]router.Route{{Verb: "GET", Path: path}}, more...)
		return router.Action{Controller: "server", Name: action, Handler: h, Routes: routes}
	}
	return []router.Action{
		get("adminExists", "/_adminExists", c.adminExists),
		get("capabilities", "/_capabilities", c.capabilities),
		get("info", "/", c.info, router.Route{Verb: "GET", Path: "/_serverInfo"}),
		get("healthCheck", "/_healthCheck", c.healthCheck),
		get("now", "/_now", c.now),
		get("publicApi", "/_publicApi", c.publicAPI),
	}
}

func (c controller) adminExists(ctx context.Context, _ *protocol.Request) (any, error) {
	exists, err := c.Users.AdminExists(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]bool{"exists": exists}, nil
}
