package server

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

type health struct {
	Status   string            `json:"status"`
	Services map[string]string `json:"services"`
	// Plugins is beyond the API of Kuzzle, and left out on nodes without plugins.
	Plugins map[string]PluginHealth `json:"plugins,omitzero"`
}

// healthCheck answers {status: green|yellow|red, services: {storageEngine: green|yellow|red}, plugins?: {id: {status, reason?}}}.
// A red service gives error and result together, with status 500. A plugin that is down or degraded, and an engine that lacks
// copies of its data, make the status yellow, which is beyond the API of Kuzzle, and no error, as the node serves all the rest. services (CSV) names what to look at;
// without it, everything.
func (c controller) healthCheck(ctx context.Context, req *protocol.Request) (any, error) {
	wanted, err := services(req)
	if err != nil {
		return nil, err
	}
	h := health{Status: "green", Services: map[string]string{}}
	var down error
	if wanted == nil || slices.Contains(wanted, "storageEngine") {
		h.Services["storageEngine"] = "green"
		if err := c.Engine.Healthy(ctx); err != nil {
			h.Status, h.Services["storageEngine"] = "red", "red"
			down = kerror.CoreFatalServiceUnavailable.Wrap(err, "storageEngine")
		} else if c.StorageImpaired != nil && c.StorageImpaired() {
			h.Status, h.Services["storageEngine"] = "yellow", "yellow"
		}
	}
	if c.PluginHealth != nil && (wanted == nil || slices.Contains(wanted, "plugins")) {
		h.Plugins = c.pluginHealth(req)
	}
	if h.Status == "green" && slices.ContainsFunc(slices.Collect(maps.Values(h.Plugins)), PluginHealth.impaired) {
		h.Status = "yellow"
	}
	return h, down
}

// pluginHealth is nil on a node without plugins. Why one is degraded, anonymous is not told.
func (c controller) pluginHealth(req *protocol.Request) map[string]PluginHealth {
	all := c.PluginHealth()
	if len(all) == 0 {
		return nil
	}
	if req.User.Anonymous() {
		for id, p := range all {
			all[id] = PluginHealth{Status: p.Status}
		}
	}
	return all
}

// services reads the argument of that name: comma-separated text, or a list.
func services(req *protocol.Request) ([]string, error) {
	raw := req.Args.Raw("services")
	if raw == nil {
		return nil, nil
	}
	if raw.Kind() == '"' {
		text, err := req.Args.String("services")
		return strings.Split(text, ","), err
	}
	return req.Args.Strings("services")
}
