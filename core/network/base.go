package network

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/sluicehq/sluice/protocol"
)

// Executor runs requests: the funnel. It never returns nil, is called by many goroutines at once, and ends early when ctx
// does. The request and all it refers to belong to it; the network does not touch them again.
type Executor interface {
	Execute(ctx context.Context, req *protocol.Request) *protocol.Response
}

// Gate is what the network asks the node about itself. It is called for every request and must be cheap.
type Gate interface {
	// WideOpen says that anonymous may do everything, as on a new node. While it is true only loopback hosts and
	// origins are served, so that no web page can reach the node through the browser of its owner.
	WideOpen() bool
	// Ready is nil, or why /_ready answers 503.
	Ready() error
}

// Base is what every server of this package needs. Nothing in it may change once a server was made of it.
type Base struct {
	Executor Executor
	Gate     Gate
	Logger   *slog.Logger
	Metrics  *Metrics
	// Connections holds the sockets that messages can be sent to.
	Connections *Connections
	// Origins are the web origins that may call.
	Origins *Origins
	// Proxies are the networks whose X-Forwarded-For is believed.
	Proxies Proxies
	// NodeID goes into every answer.
	NodeID string
	// Dev adds the stack to errors that the network itself answers.
	Dev bool
	// RequestTimeout is the deadline of a request's context, counted from the moment when it was read.
	RequestTimeout time.Duration
	// MaxRequestBytes bounds an HTTP body and a WebSocket message, as sent and after decompression alike.
	MaxRequestBytes int64
	// MessageTimeout is the time for a client to send the whole of a message or packet that it began to send.
	MessageTimeout time.Duration
	// Unfinished has the room for messages and packets until they are complete.
	Unfinished *Unfinished
}

// Run executes req with the deadline. A panic below is logged and answered as an internal error.
func (b *Base) Run(parent context.Context, req *protocol.Request) (resp *protocol.Response) {
	ctx := &requestContext{parent: parent, deadline: time.Now().Add(b.RequestTimeout)}
	defer func() {
		ctx.release()
		if v := recover(); v != nil {
			b.Logger.Error("request panicked", "requestId", req.RequestID, "controller", req.Controller, "action", req.Action,
				"panic", v, "stack", string(debug.Stack()))
			resp = b.Fail(req, fmt.Errorf("panic: %v", v))
		}
	}()
	return b.Executor.Execute(ctx, req)
}

// Fail makes the answer to a request that never reached the Executor.
func (b *Base) Fail(req *protocol.Request, err error) *protocol.Response {
	resp := protocol.NewResponse(req, nil, err)
	resp.Node, resp.Dev, resp.Header = b.NodeID, b.Dev, nil
	return resp
}

// Admit says whether anybody listens to this HTTP request or WebSocket upgrade at all: nil, or
// api.process.unauthorized_origin. While the node is wide open only this machine is served, see AdmitFromThisMachine.
func (b *Base) Admit(r *http.Request) error {
	if b.Gate.WideOpen() {
		return AdmitFromThisMachine(r)
	}
	var origin string
	if values := r.Header["Origin"]; len(values) > 0 {
		origin = values[0]
	}
	return b.Origins.admit(origin)
}

// AdmitMessage is Admit for a message on an open connection, which may be older than the wide open node. local says
// whether AdmitFromThisMachine let its upgrade through.
func (b *Base) AdmitMessage(local bool, conn *protocol.Connection) error {
	if local || !b.Gate.WideOpen() {
		return nil
	}
	who := conn.ClientIP
	if origins := conn.Header["Origin"]; len(origins) > 0 {
		who = origins[0]
	}
	return wideOpen(who)
}
