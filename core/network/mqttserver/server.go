package mqttserver

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/protocol"
)

const (
	// abortTime is how long cancelled requests may take to end.
	abortTime = time.Second
	// acceptPause is how long nobody is accepted after accepting failed, as when no file descriptor is left.
	acceptPause = 100 * time.Millisecond
)

// Options is what the server is made of; every number and topic is required.
type Options struct {
	network.Base
	RequestTopic  string
	ResponseTopic string
	// AllowPubSub lets clients publish to each other.
	AllowPubSub bool
	// Broadcast sends answers to all who subscribed to ResponseTopic. Only for development: they see each other's data.
	Broadcast bool
	// Notifications says whether subscriptions are heard over MQTT.
	Notifications bool
	// DisconnectDelay is how long requests may run on when their client has left.
	DisconnectDelay time.Duration
	// MaxConnections are open at once; one more is closed at once. MaxSubscriptions are the topics of one client.
	MaxConnections   int
	MaxSubscriptions int
	// MaxInFlight, OutboxMessages, OutboxBytes and the times: see the package.
	MaxInFlight    int
	OutboxMessages int
	OutboxBytes    int
	WriteTimeout   time.Duration
	ConnectTimeout time.Duration
	IdleTimeout    time.Duration
	// OnOpen and OnClose are told of every client that connected, OnClose after its last request; nil for nobody. They must
	// not wait.
	OnOpen  func(*protocol.Connection)
	OnClose func(*protocol.Connection)
}

// Server serves the clients of one listener.
//
// Life: New, Serve once, Shutdown.
type Server struct {
	o      Options
	topics topics

	connections sync.WaitGroup
	mu          sync.Mutex
	listener    net.Listener
	open        map[*conn]struct{}
	// clients are those that connected, by the identifier that they chose.
	clients map[string]*conn
	closing bool
}

// New makes a server without connections.
func New(o Options) *Server {
	return &Server{
		o: o, topics: topics{subscribers: map[string]map[*conn]struct{}{}},
		open: map[*conn]struct{}{}, clients: map[string]*conn{},
	}
}

// Serve takes over the listener and accepts clients until Shutdown, which ends it without an error.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	s.listener = l
	closing := s.closing
	s.mu.Unlock()
	if closing {
		return l.Close()
	}
	for {
		socket, err := l.Accept()
		switch {
		case err == nil:
			s.take(socket)
		case s.isClosing():
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			s.o.Logger.Warn("accepting an mqtt client failed", "error", err)
			time.Sleep(acceptPause)
		}
	}
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// take serves a connection, unless there are too many or the server stops.
func (s *Server) take(socket net.Conn) {
	c := newConn(s, socket)
	s.mu.Lock()
	full := len(s.open) >= s.o.MaxConnections
	if full || s.closing {
		s.mu.Unlock()
		if full {
			s.o.Metrics.Refused.Inc()
		}
		c.cancel()
		_ = socket.Close() // the client is told nothing more
		return
	}
	s.open[c] = struct{}{}
	s.connections.Add(1)
	s.mu.Unlock()
	go c.serve()
}

// register makes c the client of its identifier, and ends the one that was.
func (s *Server) register(c *conn) {
	if c.clientID == "" {
		return
	}
	s.mu.Lock()
	before := s.clients[c.clientID]
	s.clients[c.clientID] = c
	s.mu.Unlock()
	if before != nil {
		before.stop()
	}
}

func (s *Server) leave(c *conn) {
	s.mu.Lock()
	delete(s.open, c)
	if s.clients[c.clientID] == c {
		delete(s.clients, c.clientID)
	}
	s.mu.Unlock()
	s.connections.Done()
}

// Shutdown accepts nobody any more, reads no further requests, lets the running ones end, sends what waits, closes and
// waits. When ctx ends first the rest is cut off: requests are cancelled, sockets closed, and the error of ctx returned.
func (s *Server) Shutdown(ctx context.Context) error {
	all := s.close()
	for _, c := range all {
		c.drain()
	}
	done := make(chan struct{})
	go func() {
		s.connections.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	for _, c := range all {
		c.abort()
	}
	select {
	case <-done:
		return ctx.Err()
	case <-time.After(abortTime):
		return errors.Join(ctx.Err(), errors.New("mqtt requests ignore that they were cancelled"))
	}
}

// close ends accepting and gives the open connections.
func (s *Server) close() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	if s.listener != nil {
		_ = s.listener.Close() // it ends either way
	}
	all := make([]*conn, 0, len(s.open))
	for c := range s.open {
		all = append(all, c)
	}
	return all
}
