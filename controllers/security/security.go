// Package security is the controller `security`: how operators manage users, credentials, roles and profiles. core/node
// contributes it to the registry.
package security

import (
	"math"
	"slices"

	"github.com/sluicehq/sluice/controllers/target"
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
	Paging   target.Paging
	// MaxWrite is how many documents one request may delete.
	MaxWrite int
	// RestrictedProfiles are those of users that createRestrictedUser makes.
	RestrictedProfiles []string
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
	return slices.Concat(
		[]router.Action{
			action("getUser", c.getUser, "GET", "/users/:_id"),
			mGetUsers(c),
			action("getUserRights", c.getUserRights, "GET", "/users/:_id/_rights"),
			action("getUserStrategies", c.getUserStrategies, "GET", "/users/:_id/_strategies"),
			action("getUserMapping", c.getUserMapping, "GET", "/users/_mapping"),
			action("scrollUsers", c.scrollUsers, "GET", "/users/_scroll/:scrollId"),
			action("searchUsers", c.searchUsers, "POST", "/users/_search"),
			action("createFirstAdmin", c.createFirstAdmin, "POST", "/_createFirstAdmin/:_id", "/_createFirstAdmin"),
			action("createRestrictedUser", c.createRestrictedUser, "POST", "/users/_createRestricted", "/users/:_id/_createRestricted"),
			action("createUser", c.createUser, "POST", "/users/_create", "/users/:_id/_create"),
			action("upsertUser", c.upsertUser, "POST", "/users/:_id/_upsert"),
			action("updateUser", c.updateUser, "PUT", "/users/:_id/_update"),
			action("replaceUser", c.replaceUser, "PUT", "/users/:_id/_replace"),
			action("updateUserMapping", c.updateUserMapping, "PUT", "/users/_mapping"),
			action("deleteUser", c.deleteUser, "DELETE", "/users/:_id"),
			action("mDeleteUsers", c.mDeleteUsers, "POST", "/users/_mDelete"),
			action("revokeTokens", c.revokeTokens, "DELETE", "/users/:_id/tokens"),
			action("checkRights", c.checkRights, "POST", "/_checkRights/:userId"),
			action("refresh", c.refresh, "POST", "/_security/:collection/_refresh"),
		},
		[]router.Action{
			action("getProfile", c.getProfile, "GET", "/profiles/:_id"),
			action("mGetProfiles", c.mGetProfiles, "POST", "/profiles/_mGet"),
			action("getProfileRights", c.getProfileRights, "GET", "/profiles/:_id/_rights"),
			action("getProfileMapping", c.getProfileMapping, "GET", "/profiles/_mapping"),
			action("scrollProfiles", c.scrollProfiles, "GET", "/profiles/_scroll/:scrollId"),
			action("searchProfiles", c.searchProfiles, "POST", "/profiles/_search"),
			action("createProfile", c.createProfile, "POST", "/profiles/:_id/_create"),
			action("createOrReplaceProfile", c.createOrReplaceProfile, "PUT", "/profiles/:_id"),
			action("updateProfile", c.updateProfile, "PUT", "/profiles/:_id/_update"),
			action("updateProfileMapping", c.updateProfileMapping, "PUT", "/profiles/_mapping"),
			action("deleteProfile", c.deleteProfile, "DELETE", "/profiles/:_id"),
			action("mDeleteProfiles", c.mDeleteProfiles, "POST", "/profiles/_mDelete"),
		},
		[]router.Action{
			action("getRole", c.getRole, "GET", "/roles/:_id"),
			action("mGetRoles", c.mGetRoles, "POST", "/roles/_mGet"),
			action("getRoleMapping", c.getRoleMapping, "GET", "/roles/_mapping"),
			action("searchRoles", c.searchRoles, "POST", "/roles/_search"),
			action("createRole", c.createRole, "POST", "/roles/:_id/_create"),
			action("createOrReplaceRole", c.createOrReplaceRole, "PUT", "/roles/:_id"),
			action("updateRole", c.updateRole, "PUT", "/roles/:_id/_update"),
			action("updateRoleMapping", c.updateRoleMapping, "PUT", "/roles/_mapping"),
			action("deleteRole", c.deleteRole, "DELETE", "/roles/:_id"),
			action("mDeleteRoles", c.mDeleteRoles, "POST", "/roles/_mDelete"),
			action("restrictDefaultRights", c.restrictDefaultRights, "POST", "/_restrictDefaultRights"),
		},
		[]router.Action{
			action("getCredentials", c.getCredentials, "GET", "/credentials/:strategy/:_id"),
			action("getCredentialsById", c.getCredentialsByID, "GET", "/credentials/:strategy/:_id/_byId"),
			action("hasCredentials", c.hasCredentials, "GET", "/credentials/:strategy/:_id/_exists"),
			action("getCredentialFields", c.getCredentialFields, "GET", "/credentials/:strategy/_fields"),
			action("getAllCredentialFields", c.getAllCredentialFields, "GET", "/credentials/_fields"),
			action("searchUsersByCredentials", c.searchUsersByCredentials, "POST", "/credentials/:strategy/users/_search"),
			action("createCredentials", c.createCredentials, "POST", "/credentials/:strategy/:_id/_create"),
			action("validateCredentials", c.validateCredentials, "POST", "/credentials/:strategy/:_id/_validate"),
			action("updateCredentials", c.updateCredentials, "PUT", "/credentials/:strategy/:_id/_update"),
			action("deleteCredentials", c.deleteCredentials, "DELETE", "/credentials/:strategy/:_id"),
		},
		c.keyActions(),
	)
}

// mGetUsers is the one action with routes of two verbs.
func mGetUsers(c controller) router.Action {
	const path = "/users/_mGet"
	return router.Action{
		Controller: "security", Name: "mGetUsers", Handler: c.mGetUsers,
		Routes: []router.Route{{Verb: "GET", Path: path}, {Verb: "POST", Path: path}},
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

// defaultRetries is how often a change that lost a race is tried again when the request does not say.
const defaultRetries = 10

// change is write with the argument retryOnConflict.
func change(req *protocol.Request) (rights.Change, error) {
	retries, err := req.Args.OptInt("retryOnConflict", defaultRetries)
	return rights.Change{Write: write(req), Retries: int(min(max(retries, 0), math.MaxInt32))}, err
}

// identified is the answer of actions that say which document they worked on.
type identified struct {
	ID string `json:"_id"`
}
