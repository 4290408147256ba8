package sdk

import (
	"context"
	"net/http"
	"strings"

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
	// Strategies are ways to log in.
	Strategies []Strategy

	// Calls are the actions that the plugin calls through its Host: "document:create", or "document:*". Others are refused.
	Calls []string
	// Grants let holders of a standard role call actions of the plugin.
	Grants []Grant
	// ConfigSchema is a JSON Schema for the plugin's configuration; nil accepts any.
	ConfigSchema []byte
	// Secrets are those that the plugin wants to be given.
	Secrets []Secret
	// Mount is where the routes stand on the node's own port, such as "/uniapi"; routes are then written without it. The
	// operator may choose another, and may give the plugin a virtual host or a listener of its own, where the routes stand as
	// they are written. "": routes are absolute.
	Mount string
	// Refusals are the answers of actions of the profile protocol.Raw to what the node refuses.
	Refusals []Refusal
	// Collections are the plugin's own, which nobody else reaches: see Host.Store. They exist when Start is called.
	Collections []Collection
	// Triggers are the events that the plugin fires with Host.Trigger: "identity:erased".
	Triggers []string

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
	// RawBody wants the body as it came, JSON or not: see Request.RawBody.
	RawBody bool
	// MaxBodyBytes is the largest body; 0 leaves the node's own bound, which holds in any case.
	MaxBodyBytes int64
	// ContentTypes are the media types that a body over the routes may have, such as "application/json"; nil leaves those of
	// the API. Others are refused with 415.
	ContentTypes []string
	// RateLimit bounds how often one client may call; the zero value bounds nothing. What is beyond is refused with 429 and
	// Retry-After.
	RateLimit RateLimit
	Handler   Handler
}

// RateLimit bounds how often one client may call an action.
type RateLimit struct {
	Per RateKey
	// PerSecond is how many calls a second; fractions are minutes and more: 30.0/60.
	PerSecond float64
	// Burst is how many at once; 0 is 1.
	Burst int
}

// RateKey says what one client is.
type RateKey uint8

// The keys.
const (
	// PerClientIP counts by address; an IPv6 network of 64 bits is one.
	PerClientIP RateKey = iota
	// PerUser counts by user, and anonymous by address.
	PerUser
)

// Refusal is how raw routes answer what the node refuses before the plugin sees it, and errors that come without a result.
// In Body and in the values of Header, $message is the message as a JSON text with its quotes, $status the HTTP status as a
// number, $requestId the id of the request as a JSON text.
type Refusal struct {
	// Status is what the node gives: 400 (no JSON, unreadable), 401 and 403 (token and right, with AuthHost and AuthRequired),
	// 403 (origin; a node that serves its own machine alone), 404 (below the mount), 405, 413, 415, 429, 500,
	// 503 (plugin down, overload), 504; 0 is each one that has no Refusal of its own.
	Status int
	Body   string
	// ContentType is application/json when "".
	ContentType string
	// AnswerStatus is sent instead of Status when not 0.
	AnswerStatus int
	Header       http.Header
}

// Collection is one of the plugin's own.
type Collection struct {
	// Index is the plugin's ID when "".
	Index string
	// Name is lower case.
	Name string
	// Mapping is {"dynamic": ..., "properties": ...}; nil stores any object and indexes nothing. What a later version of the
	// plugin adds is added; what contradicts keeps the plugin out.
	Mapping []byte
}

// Handler does the work of an action. ctx ends when the client's time is over. The result is a value that encodes to JSON,
// or protocol.Absent for none at all, or bytes or text when it set r.Reply.Raw.
//
// Of the profile protocol.Raw, the result is the body over the action's routes, with r.Reply's Status, Header and
// ContentType. Result and error together are an error there whose body is the result: routes send both, envelopes the error
// alone; see ServiceError. An error alone has the body that Plugin.Refusals gives for its status.
//
// A *kerror.Error reaches the client as it is. Any other error, and a panic, becomes plugin.runtime.unexpected_error with
// its text, and is logged. Result and error together are a partial failure, unless the profile is raw.
type Handler func(ctx context.Context, r *Request) (any, error)

// Request is what an action is called with. Its token stays with the node; Request.User is who it belongs to.
type Request struct{ protocol.Request }

// RawQuery is the query of the URL as it came, without "?".
func (r *Request) RawQuery() string {
	_, query, _ := strings.Cut(r.Connection.URL, "?")
	return query
}

// ServiceError is an error of a service with codes of its own: id "<plugin>.<code>" in envelopes, with the code as its prop.
func ServiceError(plugin, code string, number uint32, status int, message string) *kerror.Error {
	return &kerror.Error{
		ID: plugin + "." + code, Code: number, Class: kerror.PluginImplementationError, Status: status, Message: message,
		Props: []string{code},
	}
}

// Route is an HTTP way to an action. Path is absolute; segments that begin with ":" are arguments.
type Route struct {
	// Verb is upper case. With the profile protocol.Raw, HEAD on a route of GET is answered by the node with 204 and Allow, and
	// the action is not called, since it may change or cost something. An action that does neither may have a second route with
	// the verb HEAD: then it is called, and its answer is sent without the body.
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
	// AuthPlugin leaves it to the plugin: the node verifies nothing and decides no rights. Headers (Authorization: Bearer
	// among them) and arguments (jwt among them) come untouched; the user is anonymous. Listeners of other plugins see
	// neither what such a request carries nor its result.
	AuthPlugin
	// AuthNone is AuthPlugin where there is nobody to look for: Request.User is nil.
	AuthNone
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
