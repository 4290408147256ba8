// Package auth is the controller `auth`: logging in and out, and what a client may ask about itself; and that of passwords that
// are set anew. core/node contributes both to the registry.
package auth

import (
	"github.com/sluicehq/sluice/controllers/target"
	tokens "github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Options are what the controller works with.
type Options struct {
	Tokens   *tokens.Service
	Users    *security.Service
	Throttle *tokens.Throttle
	// Paging bounds what a search for API keys may ask for.
	Paging target.Paging
	// Bus fires the events of a login to the listeners of Snapshot.
	Bus      *events.Bus
	Snapshot func() *router.Snapshot
}

type controller struct{ Options }

// Actions gives the actions of the controller.
func Actions(o Options) []router.Action {
	c := controller{o}
	action := func(name string, h router.Handler, routes ...router.Route) router.Action {
		return router.Action{Controller: "auth", Name: name, Handler: h, Routes: routes}
	}
	mine := func(name string, h router.Handler, verb, end string) router.Action {
		return action(name, h, router.Route{Verb: verb, Path: "/_me/credentials/:strategy" + end},
			router.Route{Verb: verb, Path: "/credentials/:strategy/_me" + end, Deprecated: "2.4.0"})
	}
	return []router.Action{
		action("getCurrentUser", c.getCurrentUser, router.Route{Verb: "GET", Path: "/_me"},
			router.Route{Verb: "GET", Path: "/users/_me", Deprecated: "2.4.0"}),
		action("getMyRights", c.getMyRights, router.Route{Verb: "GET", Path: "/_me/_rights"},
			router.Route{Verb: "GET", Path: "/users/_me/_rights", Deprecated: "2.4.0"}),
		mine("getMyCredentials", c.getMyCredentials, "GET", ""),
		mine("credentialsExist", c.credentialsExist, "GET", "/_exists"),
		action("getStrategies", c.getStrategies, router.Route{Verb: "GET", Path: "/strategies"}),
		action("login", c.login, router.Route{Verb: "GET", Path: "/_login/:strategy"},
			router.Route{Verb: "POST", Path: "/_login/:strategy"}),
		action("logout", c.logout, router.Route{Verb: "POST", Path: "/_logout"}),
		action("checkToken", c.checkToken, router.Route{Verb: "POST", Path: "/_checkToken"}),
		action("refreshToken", c.refreshToken, router.Route{Verb: "POST", Path: "/_refreshToken"}),
		action("createToken", c.createToken, router.Route{Verb: "POST", Path: "/_createToken"}),
		mine("createMyCredentials", c.createMyCredentials, "POST", "/_create"),
		mine("validateMyCredentials", c.validateMyCredentials, "POST", "/_validate"),
		action("checkRights", c.checkRights, router.Route{Verb: "POST", Path: "/_checkRights"}),
		action("createApiKey", c.createAPIKey, router.Route{Verb: "POST", Path: "/api-keys/_create"}),
		action("searchApiKeys", c.searchAPIKeys, router.Route{Verb: "POST", Path: "/api-keys/_search"}),
		mine("deleteMyCredentials", c.deleteMyCredentials, "DELETE", ""),
		action("deleteApiKey", c.deleteAPIKey, router.Route{Verb: "DELETE", Path: "/api-keys/:_id"}),
		action("updateSelf", c.updateSelf, router.Route{Verb: "PUT", Path: "/_me"},
			router.Route{Verb: "PUT", Path: "/_updateSelf", Deprecated: "2.4.0"}),
		mine("updateMyCredentials", c.updateMyCredentials, "PUT", "/_update"),
	}
}

// acknowledged is the answer of actions that have nothing else to say.
type acknowledged struct {
	Acknowledged bool `json:"acknowledged"`
}

// loggedIn refuses anonymous, whatever the rights say.
func loggedIn(req *protocol.Request) error {
	if req.User.Anonymous() {
		return kerror.SecurityRightsUnauthorized.New(req.Controller, req.Action)
	}
	return nil
}
