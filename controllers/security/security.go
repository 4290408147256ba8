// Package security is the controller `security`: how operators manage users, credentials, roles and profiles. core/node
// contributes it to the registry.
package security

import (
	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/router"
	rights "github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Options are what the controller works with.
type Options struct {
	Accounts *auth.Service
	Users    *rights.Service
	// Snapshot gives the actions that a role may name.
	Snapshot func() *router.Snapshot
}

type controller struct{ Options }

// Actions gives the actions of the controller.
func Actions(o Options) []router.Action {
	c := controller{o}
	action := func(name string, h router.Handler, verb string, paths ...string) router.Action {
		a := router.Action{Controller: "security", Name: name, Handler: h}
		for _, path := range paths {
			a.Routes = append(a.Routes, router.Route{Verb: verb, Path: path})
		}
		return a
	}
	return []router.Action{
		action("getProfile", c.getProfile, "GET", "/profiles/:_id"),
		action("getRole", c.getRole, "GET", "/roles/:_id"),
		action("getUser", c.getUser, "GET", "/users/:_id"),
		action("getCredentials", c.getCredentials, "GET", "/credentials/:strategy/:_id"),
		action("createFirstAdmin", c.createFirstAdmin, "POST", "/_createFirstAdmin/:_id", "/_createFirstAdmin"),
		action("createUser", c.createUser, "POST", "/users/_create", "/users/:_id/_create"),
		action("deleteUser", c.deleteUser, "DELETE", "/users/:_id"),
		action("revokeTokens", c.revokeTokens, "DELETE", "/users/:_id/tokens"),
		action("createOrReplaceRole", c.createOrReplaceRole, "PUT", "/roles/:_id"),
		action("updateRole", c.updateRole, "PUT", "/roles/:_id/_update"),
	}
}

// requiredID gives the argument _id.
func requiredID(req *protocol.Request) (string, error) {
	if req.ID == "" {
		return "", kerror.APIAssertMissingArgument.New("_id")
	}
	return req.ID, nil
}

// write says who writes, and reads the argument refresh, which is wait_for unless it is false.
func write(req *protocol.Request) rights.Write {
	w := rights.Write{Refresh: storage.RefreshWaitFor}
	if req.User != nil {
		w.By = req.User.ID
	}
	if raw := string(req.Args.Raw("refresh")); raw == "false" || raw == `"false"` {
		w.Refresh = storage.RefreshLater
	}
	return w
}

// identified is the answer of actions that say which document they worked on.
type identified struct {
	ID string `json:"_id"`
}
