package sseserver

import (
	"context"
	"errors"
	"net/http"
	"sync"
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
	o Options

	streams sync.WaitGroup
	mu      sync.Mutex
	open    map[*conn]struct{}
	closing bool
}

// New makes a server without streams.
func New(o Options) *Server { return &Server{o: o, open: map[*conn]struct{}{}} }

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
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return false
	}
	s.open[c] = struct{}{}
	s.streams.Add(1)
	s.mu.Unlock()
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
	s.mu.Lock()
	delete(s.open, c)
	s.mu.Unlock()
	s.streams.Done()
}

// Shutdown refuses new streams, sends what waits, ends the streams, so that clients come back, and waits. When ctx ends first
// the rest is cut off and the error of ctx returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	all := make([]*conn, 0, len(s.open))
	for c := range s.open {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		c.end()
	}
	done := make(chan struct{})
	go func() {
		s.streams.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	for _, c := range all {
		c.cut()
	}
	select {
	case <-done:
		return ctx.Err()
	case <-time.After(abortTime):
		return errors.Join(ctx.Err(), errors.New("subscriptions ignore that they were cancelled"))
	}
}

// abortTime is how long subscriptions that were cancelled may take to end.
const abortTime = time.Second

var _ httpserver.Events = (*Server)(nil)
