// Package router answers which action a request means. It holds every action, built in or of a plugin, its HTTP routes and
// the listeners that came with it, in one immutable Snapshot; a Registry swaps snapshots when a plugin comes or goes.
//
// It decides no rights and speaks no protocol. The funnel, the plugin host, the network and the controllers import it.
package router

import (
	"context"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
)

// Handler does the work of an action. It answers with a value that encodes to JSON, protocol.Absent for no result at all,
// or bytes or text when it set req.Reply.Raw. An error from the catalogue reaches the client; any other becomes an
// internal error and is logged. Result and error together are a partial failure.
type Handler func(ctx context.Context, req *protocol.Request) (any, error)

// AuthMode says who looks at the token of a request.
type AuthMode uint8

// The modes.
const (
	// AuthHost is the usual way: the host verifies a token that is there, then decides by the rights of the user, who may
	// be anonymous.
	AuthHost AuthMode = iota
	// AuthRequired is AuthHost that refuses anonymous with 401 in every mode of the server.
	AuthRequired
	// AuthPlugin leaves the credentials to the plugin that owns the action: nothing is verified, no rights are decided, and
	// the user is anonymous.
	AuthPlugin
	// AuthNone is AuthPlugin without any user.
	AuthNone
)

// Own reports whether the credentials of requests are the plugin's own business, and not the node's.
func (m AuthMode) Own() bool { return m == AuthPlugin || m == AuthNone }

// Action is one thing a client may ask for.
type Action struct {
	Controller string
	Name       string
	Handler    Handler
	Routes     []Route
	Auth       AuthMode
	// Profile is the form of the answers, errors of the funnel included.
	Profile protocol.Profile
	// Plugin is the id of the plugin that owns the action, "" for built-in ones.
	Plugin string
	// RawBody takes the body of a request over a route as it came.
	RawBody bool
	// MaxBodyBytes bounds the body, 0 for the node's own bound alone.
	MaxBodyBytes int64
	// ContentTypes are the media types of bodies over routes; nil for those of the API.
	ContentTypes []string
	// Limit bounds how often a client may call, nil for no bound.
	Limit *Limit
}

// Route is an HTTP way to an action. Path segments that begin with ":" are arguments.
type Route struct {
	// Verb is upper case.
	Verb string
	// Path begins with "/".
	Path string
	// Bare is the path on hosts of the plugin's own, "" when it is the same.
	Bare string
	// Deprecated is the version since which another route should be used, "" for none.
	Deprecated string
}

// Contribution is all that one owner brings: the node's own controllers, or one plugin.
type Contribution struct {
	// Owner is unique: the id of a plugin, or the name of a controller package.
	Owner     string
	Actions   []Action
	Listeners events.Listeners
	// Grants are the rights to its actions that the owner gives to standard roles.
	Grants []security.Grant
	// Service is how the raw routes of a plugin are served, nil when it has none.
	Service *Service
}

// Service is what the raw routes of one plugin have in common.
type Service struct {
	// Mount is the path that they begin with, where nothing else is; "" for none.
	Mount string
	// Refusals are the answers to what the node refuses.
	Refusals protocol.Refusals
	// Down is the answer to every path that has no route, instead of 404: the plugin did not get as far as to bring its
	// routes. nil for a plugin that brought them.
	Down error
}
