package httpserver

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// exchange is one HTTP request on its way to an answer.
type exchange struct {
	server  *Server
	w       http.ResponseWriter
	r       *http.Request
	req     *protocol.Request
	profile protocol.Profile
	// service is whose answers are given, nil for the API's.
	service *router.Service
	// limit bounds the body.
	limit  int64
	pretty bool
	// headOfGet says that the route is one of GET, and the request HEAD.
	headOfGet bool
	// allow is the header Allow of the answer.
	allow string
	// answered says that the answer has begun.
	answered bool
	room     room
}

// newExchange reads what the headers say about every request.
func (s *Server) newExchange(w http.ResponseWriter, r *http.Request) *exchange {
	k := socketOf(r)
	x := &struct {
		exchange
		req  protocol.Request
		conn protocol.Connection
	}{}
	x.conn = protocol.Connection{
		ID: k.id, Protocol: "http", IPs: k.ips, ClientIP: k.ip,
		Verb: r.Method, URL: network.WithoutToken(r.RequestURI), Header: r.Header,
	}
	if forwarded := r.Header["X-Forwarded-For"]; len(forwarded) > 0 {
		x.conn.ClientIP, x.conn.IPs = s.o.Proxies.Client(k.addr, forwarded)
	}
	x.req.Connection = &x.conn
	x.req.Token = bearer(r.Header["Authorization"])
	if ids := r.Header["X-Kuzzle-Request-Id"]; len(ids) > 0 && ids[0] != "" {
		x.req.RequestID = ids[0]
	} else {
		x.req.RequestID = network.NewID()
	}
	if r.ProtoMajor == 1 && len(r.TransferEncoding) > 0 {
		// net/http does not say whether a length was declared too. RFC 9112, section 6.1: whoever sent both is not read any further.
		w.Header().Set("Connection", "close")
	}
	x.exchange = exchange{server: s, w: w, r: r, req: &x.req, limit: s.o.MaxRequestBytes}
	s.o.Metrics.HTTP.Requests.Inc()
	return &x.exchange
}

// bearer gives the token of the header Authorization; other schemes are none of the node's business.
func bearer(values []string) string {
	if len(values) == 0 {
		return ""
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) { s.serveRoutes(w, r, "") }

// serveRoutes serves the routes of the node's own port, or those of the hosts of a plugin.
func (s *Server) serveRoutes(w http.ResponseWriter, r *http.Request, plugin string) {
	x := s.newExchange(w, r)
	defer x.room.release()
	defer x.recover()
	site := s.o.Routes().Site(plugin)
	switch {
	case site == nil:
		x.answerNobody(plugin)
	case r.Method == http.MethodOptions:
		x.answerOptions(site)
	default:
		x.answer(x.execute(site))
	}
}

func (x *exchange) execute(site *router.Site) *protocol.Response {
	path := x.r.URL.EscapedPath()
	match, found := x.match(site, path)
	if found {
		x.take(match.Entry)
	}
	if err := x.admit(); err != nil {
		return x.fail(err)
	}
	switch {
	case !found:
		return x.unrouted(site, path)
	case x.headOfGet:
		return x.verbs(site.Allowed(path))
	}
	if err := x.awaitRoom(); err != nil {
		return x.fail(err)
	}
	if err := x.read(match); err != nil {
		return x.fail(err)
	}
	return x.run()
}

// read reads what the route leaves open: parameters and body.
func (x *exchange) read(match router.Match) error {
	x.req.Args = protocol.TextArgs()
	if match.Entry.Service != nil {
		return x.readService(match)
	}
	if err := x.readParameters(match); err != nil {
		return err
	}
	if err := x.readVolatile(); err != nil {
		return err
	}
	return x.readBody(&match.Entry.Action)
}

// run executes the request. It asks again who may call: the node may have become wide open while the body was on its way.
func (x *exchange) run() *protocol.Response {
	if err := x.admit(); err != nil {
		return x.fail(err)
	}
	if err := x.takeCookie(); err != nil {
		return x.fail(err)
	}
	leaving := x.leaves()
	resp := x.server.o.Run(x.r.Context(), x.handOver())
	if leaving {
		x.dropCookie(resp)
	}
	return x.shape(resp)
}

// handOver gives the request for others to keep. One with a large body is not kept here, as its answer may wait long for the client.
func (x *exchange) handOver() *protocol.Request {
	if len(x.req.Body)+len(x.req.RawBody) <= network.UncountedBytes {
		return x.req
	}
	req := *x.req
	x.req.Args, x.req.Body, x.req.RawBody = protocol.Args{}, nil, nil
	return &req
}

// unrouted answers what no route takes.
func (x *exchange) unrouted(site *router.Site, path string) *protocol.Response {
	miss := site.Miss(path)
	if miss.Service != nil {
		return x.missed(miss)
	}
	switch x.r.Method {
	case http.MethodHead:
		if path == "/" {
			return protocol.NewResponse(x.req, protocol.Absent, nil)
		}
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return x.fail(kerror.NetworkHTTPUnsupportedVerb.New(x.r.Method))
	}
	return x.notFound(miss.Verbs)
}

// notFound is 404 also when the path has routes of other verbs, as in the API; Allow then lists those.
func (x *exchange) notFound(verbs []string) *protocol.Response {
	x.allow = strings.Join(verbs, ", ")
	return x.fail(kerror.NetworkHTTPURLNotFound.New(x.r.URL.EscapedPath()))
}

// notAllowed is 405, where a verb that a path does not have is told from a path that is not there.
func (x *exchange) notAllowed(verbs string) *protocol.Response {
	x.allow = verbs
	refused := kerror.NetworkHTTPUnsupportedVerb.New(x.r.Method)
	refused.Status = http.StatusMethodNotAllowed
	return x.fail(refused)
}

func (x *exchange) answerNotFound(verbs []string) { x.answer(x.notFound(verbs)) }

// answerPreflight answers OPTIONS on any path.
func (x *exchange) answerPreflight() {
	resp := protocol.NewResponse(x.req, jsontext.Value("{}"), nil)
	resp.Node = x.server.o.NodeID
	x.answer(resp)
}

// admit says whether anybody listens to the request. Clients of a service are refused with 403: 401 is what they answer with
// other credentials, which do not help here.
func (x *exchange) admit() error { return x.refusal(x.server.o.Admit(x.r)) }

func (x *exchange) refusal(err error) error {
	var refused *kerror.Error
	if x.service != nil && errors.As(err, &refused) && errors.Is(err, kerror.APIProcessUnauthorizedOrigin) {
		refused.Status = http.StatusForbidden
	}
	return err
}

// fail makes the answer to a request that the Executor never saw.
func (x *exchange) fail(err error) *protocol.Response {
	resp := x.server.o.Fail(x.req, err)
	resp.Profile = x.profile
	return x.shape(resp)
}

// readVolatile reads the header X-Kuzzle-Volatile, which wins over the query.
func (x *exchange) readVolatile() error {
	values := x.r.Header["X-Kuzzle-Volatile"]
	if len(values) == 0 || values[0] == "" {
		return nil
	}
	return x.setVolatile(values[0])
}

func (x *exchange) setVolatile(text string) error {
	volatile := jsontext.Value(text)
	switch {
	case network.TooDeep(volatile) || !volatile.IsValid():
		return kerror.NetworkHTTPVolatileParseFailed.New("it is not JSON")
	case volatile.Kind() == 'n':
		return nil
	case volatile.Kind() != '{':
		return kerror.NetworkHTTPVolatileParseFailed.New("it is not an object")
	}
	x.req.Volatile = volatile
	return nil
}

// recover answers a request whose handling panicked. When the answer has begun already, the connection is cut.
func (x *exchange) recover() {
	v := recover()
	switch v {
	case nil:
		return
	case http.ErrAbortHandler: // said already
		panic(v)
	}
	x.server.o.Logger.Error("http request panicked", "requestId", x.req.RequestID, "panic", v, "stack", string(debug.Stack()))
	if x.answered {
		panic(http.ErrAbortHandler)
	}
	x.answer(x.fail(fmt.Errorf("panic: %v", v)))
}
