package sdk

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Plugin is what a plugin is and does. Its life: Start once, then actions, pipes and hooks at the same time from many
// goroutines, then Stop once when the last of them has ended.
type Plugin struct {
	// ID is the name of the plugin's folder and executable: lower-case letters, digits and dashes.
	ID string
	// WireName is the name in controllers where it differs from ID, such as "Comexposium".
	WireName    string
	Version     string
	Description string

	Actions []Action
	// Pipes and Hooks are by event: "document:beforeCreate", or a wildcard "document:before*", "document:*".
	Pipes map[string]PipeFunc
	Hooks map[string]HookFunc

	// Calls are the actions that the plugin calls through its Host: "document:create", or "document:*". Others are refused.
	Calls []string
	// Grants let holders of a standard role call actions of the plugin.
	Grants []Grant
	// ConfigSchema is a JSON Schema for the plugin's configuration; nil accepts any.
	ConfigSchema []byte
	// Secrets are those that the plugin wants to be given.
	Secrets []Secret

	// Start gets what the plugin needs: host is good until Stop has returned, config is a JSON object that satisfies
	// ConfigSchema. An error keeps the plugin out. nil: nothing to do.
	Start func(ctx context.Context, host *Host, config jsontext.Value) error
	// Stop lets go of what Start took. ctx says how long it may take. nil: nothing to do.
	Stop func(ctx context.Context) error
}

// Action is one thing that clients may ask for.
type Action struct {
	// Controller is the plugin's ID or WireName, or one of them followed by "/" and a name.
	Controller string
	Name       string
	Routes     []Route
	Auth       AuthMode
	// Profile is the form of the answers.
	Profile protocol.Profile
	Handler Handler
}

// Handler does the work of an action. ctx ends when the client's time is over. The result is a value that encodes to JSON,
// or protocol.Absent for none at all, or bytes or text when it set r.Reply.Raw.
//
// A *kerror.Error reaches the client as it is. Any other error, and a panic, becomes plugin.runtime.unexpected_error with
// its text, and is logged. Result and error together are a partial failure.
type Handler func(ctx context.Context, r *Request) (any, error)

// Request is what an action is called with. Its token stays with the node; Request.User is who it belongs to.
type Request struct{ protocol.Request }

// Route is an HTTP way to an action. Path is absolute; segments that begin with ":" are arguments.
type Route struct {
	// Verb is upper case.
	Verb string
	Path string
	// Deprecated is the version since which another route should be used, "" for none.
	Deprecated string
}

// AuthMode says who looks at the token of a request.
type AuthMode uint8

// The modes.
const (
	// AuthHost leaves it to the node, which decides by the rights of the user; he may be anonymous.
	AuthHost AuthMode = iota
	// AuthRequired is AuthHost that refuses anonymous.
	AuthRequired
)

// Grant lets holders of a standard role ("default", "anonymous") call an action of the plugin.
type Grant struct {
	Role       string
	Controller string
	Action     string
}

// Secret is one that the plugin wants to be given.
type Secret struct {
	Name string
	// Required keeps the plugin out when the operator has not set it.
	Required    bool
	Description string
}

// PipeFunc is awaited before what the event announces goes on. It may replace e.Request's Index, Collection, ID, Args, Body
// and Volatile, e.Result, e.Err and e.Data: set new values, do not write into the old ones. An error stops what was about
// to happen and reaches the client like one of a Handler. No answer in time stops it too.
type PipeFunc func(ctx context.Context, e *Event) error

// HookFunc is told afterwards. The next event waits for this one. Events that happen close together may come in another
// order, and some are lost when the plugin is slow or down.
type HookFunc func(ctx context.Context, e *Event)

// Event is something that happens or has happened.
type Event struct {
	Name string
	// Request is nil for events of the node itself.
	Request *Request
	// Result and Err are what the action gave so far; in events before it both are nil. Result is nil, too, when the action
	// has none. A pipe on an error event that sets Err to nil and Result recovers the request.
	Result jsontext.Value
	Err    *kerror.Error
	// Data is what the event is about beside a request, nil for nothing.
	Data jsontext.Value
}
