package mqttserver

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/protocol"
)

// acceptPause is how long nobody is accepted after accepting failed, as when no file descriptor is left.
const acceptPause = 100 * time.Millisecond

// Options is what the server is made of; every number and topic is required.
type Options struct {
	network.Base
	RequestTopic  string
	ResponseTopic string
	// TLS, when it is not nil, is what the listener speaks.
	TLS *tls.Config
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
	open   network.Open[*conn]

	mu       sync.Mutex
	listener net.Listener
	// clients are those that connected, by the identifier that they chose.
	clients map[string]*conn
}

// New makes a server without connections.
func New(o Options) *Server {
	return &Server{
		o: o, topics: topics{subscribers: map[string]map[*conn]struct{}{}},
		open: network.Open[*conn]{Max: o.MaxConnections}, clients: map[string]*conn{},
	}
}

// Serve takes over the listener and accepts clients until Shutdown, which ends it without an error.
func (s *Server) Serve(l net.Listener) error {
	if s.o.TLS != nil {
		l = tls.NewListener(l, withProtocol(s.o.TLS))
	}
	s.mu.Lock()
	s.listener = l
	s.mu.Unlock()
	if s.open.Stopping() {
		return l.Close()
	}
	for {
		socket, err := l.Accept()
		switch {
		case err == nil:
			s.take(socket)
		case s.open.Stopping():
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			s.o.Logger.Warn("accepting an mqtt client failed", "error", err)
			time.Sleep(acceptPause)
		}
	}
}

// withProtocol lets clients in that say by ALPN that they speak MQTT, and those that say nothing.
func withProtocol(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.NextProtos = []string{"mqtt"}
	return c
}

// take serves a connection, unless there are too many or the server stops.
func (s *Server) take(socket net.Conn) {
	c := newConn(s, socket)
	if err := s.open.Enter(c); err != nil {
		if errors.Is(err, network.ErrFull) {
			s.o.Metrics.Refused.Inc()
		}
		c.cancel()
		_ = socket.Close() // the client is told nothing more
		return
	}
	go c.serve()
}

// register makes c the client of its identifier, and ends the one that was. False says that the identifier belongs to somebody
// at another address, who is still there: identifiers are no secret, and nobody has shown who he is.
func (s *Server) register(c *conn) bool {
	if c.clientID == "" {
		return true
	}
	s.mu.Lock()
	before := s.clients[c.clientID]
	if before != nil && before.info.ClientIP != c.info.ClientIP && !before.stopping.Load() {
		s.mu.Unlock()
		return false
	}
	s.clients[c.clientID] = c
	s.mu.Unlock()
	if before != nil {
		before.stop()
	}
	return true
}

func (s *Server) leave(c *conn) {
	s.mu.Lock()
	if s.clients[c.clientID] == c {
		delete(s.clients, c.clientID)
	}
	s.mu.Unlock()
	s.open.Leave(c)
}

// Shutdown accepts nobody any more, reads no further requests, lets the running ones end, sends what waits, closes and
// waits. When ctx ends first the rest is cut off: requests are cancelled, sockets closed, and the error of ctx returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.open.Stop()
	s.stopListening()
	return s.open.Shutdown(ctx)
}

func (s *Server) stopListening() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		_ = s.listener.Close() // it ends either way
	}
}
