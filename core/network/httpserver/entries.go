package httpserver

import (
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gorilla/mux"
	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// entries are the node's own routes; what none of them takes is the API's.
func (s *Server) entries() *mux.Router {
	m := mux.NewRouter().SkipClean(true).UseEncodedPath()
	if s.o.WebSocket != nil {
		m.MatcherFunc(func(r *http.Request, _ *mux.RouteMatch) bool { return isUpgrade(r) }).HandlerFunc(s.serveUpgrade)
	}
	m.Path("/_healthcheck").HandlerFunc(s.own1(s.serveHealth, "GET", "HEAD"))
	m.Path("/_ready").HandlerFunc(s.own1(s.serveReady, "GET", "HEAD"))
	m.Path("/_query").HandlerFunc(s.own1(s.serveQuery, "POST"))
	if s.o.MetricsHandler != nil {
		m.Path("/metrics").HandlerFunc(s.own1(s.serveMetrics, "GET", "HEAD"))
	}
	if s.o.Mount != nil {
		s.o.Mount(m)
	}
	m.NotFoundHandler = http.HandlerFunc(s.serveAPI)
	m.MethodNotAllowedHandler = m.NotFoundHandler
	return m
}

// own1 serves the verbs of an own entry, and answers OPTIONS and other verbs as the API does.
func (s *Server) own1(serve func(*exchange), verbs ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := s.newExchange(w, r)
		defer x.recover()
		switch {
		case r.Method == http.MethodOptions:
			x.answerPreflight()
		case !slices.Contains(verbs, r.Method):
			x.answerNotFound(verbs)
		default:
			serve(x)
		}
	}
}

// ServeHTTP serves one request, on whatever connection it came.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.own.ServeHTTP(w, r) }

func isUpgrade(r *http.Request) bool {
	return len(r.Header["Upgrade"]) > 0 && websocket.IsWebSocketUpgrade(r)
}

func (s *Server) serveUpgrade(w http.ResponseWriter, r *http.Request) {
	if err := s.o.Admit(r); err != nil {
		x := s.newExchange(w, r)
		x.answer(x.fail(err))
		return
	}
	s.o.WebSocket.ServeHTTP(w, r)
}

// serveHealth says that the process answers, and nothing else. Probes are asked for no origin: they tell nothing.
func (s *Server) serveHealth(x *exchange) { x.answerProbe(http.StatusOK) }

func (s *Server) serveReady(x *exchange) {
	if s.o.Gate.Ready() {
		x.answerProbe(http.StatusOK)
		return
	}
	x.answerProbe(http.StatusServiceUnavailable)
}

func (x *exchange) answerProbe(status int) {
	resp := protocol.NewResponse(x.req, nil, nil)
	resp.Status, resp.Node = status, x.server.o.NodeID
	x.answer(resp)
}

func (s *Server) serveMetrics(x *exchange) {
	if !s.o.MetricsAllowed(x.r) {
		x.answer(x.fail(kerror.Bare(kerror.ForbiddenError, "The metrics are not served to this address.")))
		return
	}
	s.o.MetricsHandler.ServeHTTP(x.w, x.r)
}

// serveQuery runs the request envelope in the body. What the envelope leaves out may come with the headers.
func (s *Server) serveQuery(x *exchange) { x.answer(x.executeQuery()) }

func (x *exchange) executeQuery() *protocol.Response {
	if err := x.admit(); err != nil {
		return x.fail(err)
	}
	x.pretty = hasParameter(x.r.URL.RawQuery, "pretty")
	if err := x.readVolatile(); err != nil {
		return x.fail(err)
	}
	body, err := x.readJSON()
	if err != nil {
		return x.fail(err)
	}
	header := *x.req
	if err := decodeEnvelope(body, x.req); err != nil {
		return x.fail(err)
	}
	if x.req.Token == "" {
		x.req.Token = header.Token
	}
	if x.req.RequestID == "" {
		x.req.RequestID = header.RequestID
	}
	if x.req.Volatile == nil {
		x.req.Volatile = header.Volatile
	}
	return x.server.o.Run(x.r.Context(), x.req)
}

func decodeEnvelope(body jsontext.Value, req *protocol.Request) error {
	if body.Kind() != '{' {
		return bodyParseFailed(body, protocol.ErrNotJSON)
	}
	return protocol.DecodeRequest(body, req)
}
