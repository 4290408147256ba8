package httpserver

import (
	"context"
	"net/http"

	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/protocol"
)

// Events makes streams of events out of subscriptions: sseserver.
type Events interface {
	// Open makes req the subscription of a connection of its own and executes it. The stream writes the rest of the answer,
	// which has the usual headers by then, and must be served; it is nil when the client is refused.
	Open(r *http.Request, req *protocol.Request) (stream http.Handler, resp *protocol.Response)
	// Shutdown ends the streams and waits for them.
	Shutdown(ctx context.Context) error
}

// subscription is the route of serveEvents.
var subscription = router.Match{Entry: &router.Entry{Action: router.Action{Controller: "realtime", Name: "subscribe"}}}

// serveEvents answers GET with a stream of events.
func (s *Server) serveEvents(x *exchange) {
	if x.r.Method != http.MethodGet {
		x.answer(x.notAllowed("GET, OPTIONS"))
		return
	}
	stream, resp := x.openEvents()
	if stream == nil {
		x.answer(resp)
		return
	}
	x.answered = true
	x.commonHeaders(x.w.Header(), resp)
	stream.ServeHTTP(x.w, x.r)
}

func (x *exchange) openEvents() (http.Handler, *protocol.Response) {
	if err := x.admit(); err != nil {
		return nil, x.fail(err)
	}
	if err := x.readParameters(subscription); err != nil {
		return nil, x.fail(err)
	}
	if err := x.readVolatile(); err != nil {
		return nil, x.fail(err)
	}
	if err := x.takeCookie(); err != nil {
		return nil, x.fail(err)
	}
	return x.server.o.Events.Open(x.r, x.req)
}
