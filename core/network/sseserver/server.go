package sseserver

import (
	"context"
	"net/http"
	"time"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/network/httpserver"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Options is what the server is made of; all is required but what says otherwise.
type Options struct {
	network.Base
	// Heartbeat is the time between two comments.
	Heartbeat time.Duration
	// OutboxMessages and OutboxBytes: see the package.
	OutboxMessages int
	OutboxBytes    int
	WriteTimeout   time.Duration
	// Subscribed reports whether a connection still has a subscription; it is asked with each heartbeat.
	Subscribed func(connection string) bool
	// OnOpen and OnClose are told of every connection, OnClose after it was forgotten; nil for nobody. They must not wait.
	OnOpen  func(*protocol.Connection)
	OnClose func(*protocol.Connection)
}

// Server makes streams for an HTTP server.
//
// Life: New, Open for each stream, Shutdown.
type Server struct {
	o    Options
	open network.Open[*conn]
}

// New makes a server without streams.
func New(o Options) *Server { return &Server{o: o} }

// Open executes the subscription of a new connection. A stopping server refuses it.
func (s *Server) Open(r *http.Request, req *protocol.Request) (http.Handler, *protocol.Response) {
	after, err := readSubscription(r, req)
	if err != nil {
		return nil, s.o.Fail(req, err)
	}
	c := newConn(s, req)
	if !s.enter(c) {
		return nil, s.o.Fail(req, kerror.NetworkEntrypointShuttingDown.New())
	}
	resp := s.o.Run(r.Context(), req)
	if resp.Error != nil {
		resp.Answered(false)
		s.leave(c)
		return nil, resp
	}
	resp.Answered(c.begin(resp, after))
	return c, resp
}

// enter makes a connection known, unless the server is stopping.
func (s *Server) enter(c *conn) bool {
	if s.open.Enter(c) != nil {
		return false
	}
	s.o.Connections.Add(c)
	if s.o.OnOpen != nil {
		s.o.OnOpen(c.info)
	}
	return true
}

// leave forgets a connection that ends.
func (s *Server) leave(c *conn) {
	c.forget()
	s.o.Connections.Remove(c.info.ID)
	if s.o.OnClose != nil {
		s.o.OnClose(c.info)
	}
	s.open.Leave(c)
}

// Shutdown refuses new streams, sends what waits, ends the streams, so that clients come back, and waits. When ctx ends first
// the rest is cut off and the error of ctx returned.
func (s *Server) Shutdown(ctx context.Context) error { return s.open.Shutdown(ctx) }

var _ httpserver.Events = (*Server)(nil)
