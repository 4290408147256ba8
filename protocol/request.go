package protocol

import (
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// TokenCookie is the cookie in which a browser keeps the token after a login with cookieAuth.
const TokenCookie = "authToken"

// Request is one call of an action, however it arrived. The network fills in what came over the wire, the funnel the
// user; actions, pipes and hooks read it. One goroutine at a time may change it.
type Request struct {
	// RequestID correlates the answer: the client's own, or a fresh UUID.
	RequestID  string
	Controller string
	Action     string
	// Index, Collection and ID (`_id`) are "" when they were not given.
	Index      string
	Collection string
	ID         string
	// Args holds every other argument: the keys at the root of an envelope, or path and query of an HTTP route.
	Args Args
	// Body is the JSON body as it came, nil when there was none or it was null. An envelope's body is an object or an array.
	Body jsontext.Value
	// RawBody is the body as it came, of ContentType, of an action that asked for it; Body is then nil over HTTP routes.
	RawBody     []byte
	ContentType string
	// Volatile is a JSON object that is echoed, nil when absent.
	Volatile jsontext.Value
	// Token is the text of the token presented, "" for none.
	Token string
	// Connection is where the request came from, never nil.
	Connection *Connection
	// Internal is set for calls made inside the node; such a call carries no token.
	Internal *Internal
	// User is whom the funnel found behind the token: set after the token stage, before pipes and actions see the request.
	// It stays nil where the action wants nobody looked for.
	User *User
	// Private is the id of the plugin that looks at the credentials of this request itself, "" for the usual way. What the
	// request carries and its result are then for that plugin alone. The funnel sets it.
	Private string
	// Deprecations are what the client used and should not; it is told in development mode.
	Deprecations []Deprecation
	// Reply lets an action shape the answer beyond its result.
	Reply Reply
}

// Connection is the client's side of a request.
type Connection struct {
	// ID is chosen by the node and is the same for all requests of one socket.
	ID string
	// Protocol is "http", "websocket", "sse", "mqtt" or "internal".
	Protocol string
	// IPs begins with the socket's address; over HTTP the entries of X-Forwarded-For follow.
	IPs []string
	// ClientIP is the address that throttling counts by: the socket's, or the one a trusted proxy vouches for.
	ClientIP string
	// Verb and URL are those of the HTTP request; over WebSocket, of the upgrade.
	Verb string
	URL  string
	// Header holds the headers of the HTTP request; over WebSocket, of the upgrade.
	Header http.Header
}

// Internal describes a call made by a plugin or by the node itself.
type Internal struct {
	// Plugin is the id of the plugin that calls, "" for the node.
	Plugin string
	// CheckRights asks for the rights decision on User, as for a client.
	CheckRights bool
	// TriggerEvents fires the events that a client's request would fire.
	TriggerEvents bool
	// Hops counts how many calls inside the node led here.
	Hops int
	// Storage is the internal index that the call works on instead of a public one, "" for none. Request.Index is then
	// StorageMark and this name, which no public index can have: an action that does not know of Storage finds nothing.
	Storage string
}

// StorageMark begins Request.Index of calls that work on a plugin's own storage.
const StorageMark = "%"

// OwnStorage reports whether the request works on storage that belongs to the plugin that calls. Nobody but the plugin is
// told of what it does there.
func (r *Request) OwnStorage() bool { return r.Internal != nil && r.Internal.Storage != "" }

// User is the part of a user that travels with a request.
type User struct {
	// ID is the kuid; AnonymousID for everybody without a token.
	ID         string
	ProfileIDs []string
	// Source is the stored user content, a JSON object; nil when nobody has read it.
	Source jsontext.Value
}

// AnonymousID is the kuid of a request without a token.
const AnonymousID = "-1"

// Anonymous reports whether nobody is logged in.
func (u *User) Anonymous() bool { return u == nil || u.ID == AnonymousID }

// KUID is who asks: AnonymousID when there is no user.
func (u *User) KUID() string {
	if u == nil {
		return AnonymousID
	}
	return u.ID
}

// Reply is what an action says about its answer beside the result.
type Reply struct {
	// Status replaces 200 when not 0.
	Status int
	// Header is sent over HTTP and, without set-cookie, repeated in the envelope; nil for none.
	Header http.Header
	// Raw sends the result itself instead of an envelope.
	Raw bool
	// ContentType is the media type of a raw answer or a Stream; "" is application/json.
	ContentType string
	// Answered, when not nil, is called once when the answer is queued for the client, ahead of everything that comes later;
	// ok says that the answer is no error and could be queued. Only protocols that send messages without a request call it.
	Answered func(ok bool)
}

// SetHeader sets a header of the answer.
func (r *Reply) SetHeader(name, value string) {
	if r.Header == nil {
		r.Header = make(http.Header, 1)
	}
	r.Header.Set(name, value)
}

// Absent is the result of an action that returns nothing: the key `result` is left out of the envelope. A nil result is
// sent as null.
var Absent = absent{}

type absent struct{}
