package httpserver

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gorilla/mux"
	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// entries are the node's own routes; what none of them takes is the API's.
//
// Asking mux costs 1 µs and 800 bytes, a twentieth of a whole request, so it is asked only about paths that begin with a
// segment that one of its routes begins with.
type entries struct {
	mux *mux.Router
	// first holds those segments; every says that a route begins with none, such as one of a virtual host.
	first map[string]struct{}
	every bool
}

func (s *Server) newEntries() entries {
	m := mux.NewRouter().SkipClean(true).UseEncodedPath()
	m.Path("/_healthcheck").HandlerFunc(s.entry(s.serveHealth, "GET", "HEAD"))
	m.Path("/_ready").HandlerFunc(s.entry(s.serveReady, "GET", "HEAD"))
	m.Path("/_query").HandlerFunc(s.entry(s.serveQuery, "POST"))
	if s.o.Events != nil {
		m.Path("/_sse").HandlerFunc(s.entry(s.serveEvents))
	}
	if s.o.PublicKeys != nil {
		m.Path("/.well-known/jwks.json").HandlerFunc(s.entry(s.servePublicKeys, "GET", "HEAD"))
	}
	if s.o.MetricsHandler != nil {
		m.Path("/metrics").HandlerFunc(s.entry(s.serveMetrics, "GET", "HEAD"))
	}
	if s.o.Mount != nil {
		s.o.Mount(m)
	}
	m.NotFoundHandler = http.HandlerFunc(s.serveAPI)
	m.MethodNotAllowedHandler = m.NotFoundHandler
	e := entries{mux: m, first: map[string]struct{}{}}
	_ = m.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error { // never fails
		path, err := route.GetPathTemplate()
		segment := firstSegment(path)
		if err != nil || segment == "" || strings.Contains(segment, "{") {
			e.every = true
		}
		e.first[segment] = struct{}{}
		return nil
	})
	return e
}

// take reports whether mux is to be asked.
func (e *entries) take(r *http.Request) bool {
	if e.every {
		return true
	}
	_, own := e.first[firstSegment(r.URL.Path)]
	return own
}

func firstSegment(path string) string {
	segment, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return segment
}

// entry serves the verbs of an own entry, all when none is named, and answers OPTIONS and other verbs as the API does.
func (s *Server) entry(serve func(*exchange), verbs ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := s.newExchange(w, r)
		defer x.room.release()
		defer x.recover()
		switch {
		case r.Method == http.MethodOptions:
			x.answerPreflight()
		case len(verbs) > 0 && !slices.Contains(verbs, r.Method):
			x.answerNotFound(verbs)
		default:
			serve(x)
		}
	}
}

// ServeHTTP serves one request, on whatever connection it came.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.busy.Add(1)
	defer s.busy.Add(-1)
	if s.fixed.strictTransport != nil {
		w.Header()["Strict-Transport-Security"] = s.fixed.strictTransport
	}
	site := s.siteOf(r)
	switch {
	case site != "":
		s.serveRoutes(w, r, site)
	case s.o.WebSocket != nil && isUpgrade(r):
		s.serveUpgrade(w, r)
	case s.own.take(r):
		s.own.mux.ServeHTTP(w, r)
	default:
		s.serveAPI(w, r)
	}
}

func isUpgrade(r *http.Request) bool {
	return len(r.Header["Upgrade"]) > 0 && websocket.IsWebSocketUpgrade(r)
}

func (s *Server) serveUpgrade(w http.ResponseWriter, r *http.Request) {
	err := s.o.Admit(r)
	if err == nil {
		err = s.o.Cookies.Read(r).Foreign()
	}
	if err != nil {
		x := s.newExchange(w, r)
		x.answer(x.fail(err))
		return
	}
	s.o.WebSocket.ServeHTTP(w, r)
}

// serveHealth says that the process answers, and nothing else. Probes are asked for no origin: they tell nothing.
func (s *Server) serveHealth(x *exchange) { x.answerProbe(nil) }

func (s *Server) serveReady(x *exchange) { x.answerProbe(s.o.Gate.Ready()) }

// answerProbe answers 503 when something is wrong, whatever it is.
func (x *exchange) answerProbe(wrong error) {
	resp := protocol.NewResponse(x.req, nil, wrong)
	resp.Node = x.server.o.NodeID
	if wrong != nil {
		resp.Status = http.StatusServiceUnavailable
	}
	x.answer(resp)
}

// keysCached is how long others may keep the public keys: a new one is looked for when it is missed, a removed one is gone
// then.
const keysCached = "public, max-age=300"

// servePublicKeys answers with the keys themselves, as whoever verifies tokens elsewhere expects it. They are nobody's secret, so
// that nobody is asked for an origin.
func (s *Server) servePublicKeys(x *exchange) {
	resp := protocol.NewResponse(x.req, nil, nil)
	resp.Raw, resp.ContentType, resp.Content = true, "application/jwk-set+json", s.o.PublicKeys()
	resp.Header = http.Header{"Cache-Control": {keysCached}}
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
	if err := x.awaitRoom(); err != nil {
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
	return x.run()
}

func decodeEnvelope(body jsontext.Value, req *protocol.Request) error {
	if body.Kind() != '{' {
		return bodyParseFailed(body, protocol.ErrNotJSON)
	}
	return protocol.DecodeRequest(body, req)
}
