package main

import (
	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/protocol"
)

// actions are the sixteen endpoints of the API and the three of administrators.
func (p *plugin) actions() []sdk.Action {
	var (
		kernelOnly = access{classes: []class{kernelClass}}
		internal   = access{classes: []class{internalClass}}
		both       = access{classes: []class{internalClass, kernelClass}}
		public     = access{classes: []class{publicClass, internalClass, kernelClass}}
		keyless    = access{keyless: true}
	)
	endpoints := []struct {
		verb, path, controller, name string
		access                       access
		do                           handler
	}{
		{"GET", "/users/aura-id", usersController, "getOrCreate", kernelOnly.writing().orBearer(), p.getOrCreate},
		{"GET", "/users/aura-id/:auraId", usersController, "createExternal", internal.writing(), p.createExternal},
		{"GET", "/users/auraid/integrated", usersController, "linkCallback", keyless.withState(), p.linkCallback},
		{"DELETE", "/admin/users/phone-numbers/:phone_number", usersController, "eraseByPhone", kernelOnly.writing(), p.eraseByPhone},
		{"GET", "/users/auraid/integrated/logout", usersController, "unlinkCallback", keyless.withState(), p.unlinkCallback},
		{"DELETE", userPath, usersController, "delete", both.writing(), p.deleteUser},
		{"GET", userPath, usersController, "get", internal, p.getUser},
		{"GET", "/users/aura-id-global/:aura_id_global", usersController, "lastForGlobal", kernelOnly, p.lastForGlobal},
		{"GET", "/token", tokenController, "get", public, p.getToken},
		{"GET", "/token/wss", tokenController, "wss", public, p.getConversation},
		{"GET", "/openid/issuer/.well-known/openid-configuration", openIDController, "configuration", keyless, p.openIDConfiguration},
		{"GET", "/openid/jwk", openIDController, "jwk", keyless, p.jwk},
		{"GET", "/healthz", monitoringController, "healthz", keyless, p.healthz},
		{"GET", "/ping", monitoringController, "ping", kernelOnly, p.ping},
		{"GET", "/config", monitoringController, "config", public, p.config},
		{"GET", "/metrics", monitoringController, "metrics", public.orAddress(), p.showMetrics},
	}
	actions := p.admin()
	for _, e := range endpoints {
		mode := sdk.AuthPlugin
		if e.access.keyless {
			mode = sdk.AuthNone
		}
		routes := []sdk.Route{{Verb: e.verb, Path: e.path}}
		switch {
		case e.path == userPath && e.verb == "GET":
			routes = append(routes, reservedRoutes...)
		case e.controller == openIDController || e.controller == monitoringController: // they change nothing
			routes = append(routes, sdk.Route{Verb: "HEAD", Path: e.path})
		}
		actions = append(actions, sdk.Action{
			Controller: e.controller, Name: e.name, Auth: mode, Profile: protocol.Raw, MaxBodyBytes: maxBodyBytes,
			Routes: routes, Handler: p.serve(e.path, e.access, e.do),
		})
	}
	return actions
}

const userPath = "/users/:auraId"

// reservedRoutes are paths of users whom nobody can be, below which other routes of the same verb lie. The parameter would not
// take them, and the node would say that the verb is not allowed.
var reservedRoutes = []sdk.Route{{Verb: "GET", Path: "/users/auraid"}, {Verb: "GET", Path: "/users/aura-id-global"}}

// maxBodyBytes bounds the bodies, which no endpoint reads.
const maxBodyBytes = 64 << 10

// admin are actions of the usual form, for roles that the operator allows to call them.
func (p *plugin) admin() []sdk.Action {
	return []sdk.Action{
		{
			Controller: adminController, Name: "createApiKey", Auth: sdk.AuthRequired, Handler: p.createAPIKey,
			Routes: []sdk.Route{{Verb: "POST", Path: "/admin/api-keys"}},
		},
		{
			Controller: adminController, Name: "revokeApiKey", Auth: sdk.AuthRequired, Handler: p.revokeAPIKey,
			Routes: []sdk.Route{{Verb: "DELETE", Path: "/admin/api-keys/:kid"}},
		},
		{
			Controller: adminController, Name: "createState", Auth: sdk.AuthRequired, Handler: p.createState,
			Routes: []sdk.Route{{Verb: "POST", Path: "/admin/states"}},
		},
	}
}

// routes are the paths that API keys can be bound to.
func (p *plugin) routes() []string {
	var paths []string
	for _, a := range p.actions() {
		if a.Profile == protocol.Raw {
			paths = append(paths, a.Routes[0].Path)
		}
	}
	return paths
}
