package server

import (
	"context"
	"slices"

	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/protocol"
)

type (
	publicAPI map[string]map[string]actionAPI
	actionAPI struct {
		Controller string     `json:"controller"`
		Action     string     `json:"action"`
		HTTP       []routeAPI `json:"http,omitempty"`
	}
	routeAPI struct {
		Verb       string         `json:"verb"`
		URL        string         `json:"url"`
		Path       string         `json:"path"`
		Deprecated *deprecatedAPI `json:"deprecated,omitempty"`
	}
	deprecatedAPI struct {
		Since   string `json:"since"`
		Message string `json:"message"`
	}
)

// publicAPI answers {controller: {action: {controller, action, http: [{verb, url, path}]}}}.
func (c controller) publicAPI(context.Context, *protocol.Request) (any, error) {
	return listAPI(c.Routes()), nil
}

// listAPI lists every action. The routes of one action stand in the order of router.Verbs, because the official SDKs
// choose by it.
func listAPI(s *router.Snapshot) publicAPI {
	api := publicAPI{}
	for _, e := range s.Actions() {
		if api[e.Controller] == nil {
			api[e.Controller] = map[string]actionAPI{}
		}
		routes := slices.Clone(e.Routes)
		slices.SortStableFunc(routes, func(a, b router.Route) int {
			return slices.Index(router.Verbs, a.Verb) - slices.Index(router.Verbs, b.Verb)
		})
		action := actionAPI{Controller: e.Controller, Action: e.Name}
		for _, r := range routes {
			action.HTTP = append(action.HTTP, describe(r))
		}
		api[e.Controller][e.Name] = action
	}
	return api
}

func describe(r router.Route) routeAPI {
	d := routeAPI{Verb: r.Verb, URL: r.Path, Path: r.Path}
	if r.Deprecated != "" {
		d.Deprecated = &deprecatedAPI{Since: r.Deprecated, Message: "Use another route of this action."}
	}
	return d
}
