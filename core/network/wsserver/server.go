package wsserver

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/protocol"
)

// Close codes that the server sends. None is 1000: official clients stay away after it.
const (
	closeGoingAway = websocket.CloseServiceRestart    // 1012: the node stops, come back
	closeFailed    = websocket.CloseInternalServerErr // 1011: slow or silent
	closeTooBig    = websocket.CloseMessageTooBig     // 1009
)

// Options is what the server is made of; every number is required.
type Options struct {
	network.Base
	// Cookies decides about the token in the cookie of an upgrade.
	Cookies network.Cookies
	// IdleTimeout is the silence of a client after which its connection is closed.
	IdleTimeout time.Duration
	// SendPings pings clients at half of IdleTimeout, so that those that answer stay.
	SendPings bool
	// Compression offers permessage-deflate.
	Compression bool
	// RateLimit is how many messages a connection may send in a second; 0 is unlimited.
	RateLimit int
	// MaxInFlight, OutboxMessages and OutboxBytes: see the package.
	MaxInFlight    int
	OutboxMessages int
	OutboxBytes    int
	// DropWhenSlow keeps a client whose outbox is full: it loses notifications and is told how many.
	DropWhenSlow bool
	WriteTimeout time.Duration
	// OnOpen and OnClose are told of every connection, OnClose after its last request; nil for nobody. They must not wait.
	OnOpen  func(*protocol.Connection)
	OnClose func(*protocol.Connection)
}

// Server takes over connections from an HTTP server.
//
// Life: New, ServeHTTP for each connection, Shutdown.
type Server struct {
	o           Options
	upgrader    websocket.Upgrader
	broadcaster broadcaster
	open        network.Open[*conn]
}

// New makes a server without connections.
func New(o Options) *Server {
	return &Server{
		o: o,
		upgrader: websocket.Upgrader{
			HandshakeTimeout:  o.WriteTimeout,
			ReadBufferSize:    1 << 10,
			WriteBufferSize:   4 << 10,
			WriteBufferPool:   &sync.Pool{},
			EnableCompression: o.Compression,
			CheckOrigin:       func(r *http.Request) bool { return o.Admit(r) == nil },
		},
	}
}

// ServeHTTP upgrades the request and returns; the connection lives on. A stopping server answers 503.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := newConn(s, r)
	if err := s.open.Enter(c); err != nil {
		c.cancel()
		w.Header().Set("Connection", "close")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	var header http.Header
	if offered := websocket.Subprotocols(r); len(offered) > 0 {
		header = http.Header{"Sec-Websocket-Protocol": {offered[0]}}
	}
	hijacker := &hijacker{ResponseWriter: w, timeout: s.o.WriteTimeout}
	ws, err := s.upgrader.Upgrade(hijacker, r, header)
	if err != nil { // the client was told
		c.cancel()
		s.open.Leave(c)
		return
	}
	s.o.Metrics.WebSocketOpened()
	c.start(ws, hijacker.socket, s.o.Compression && offersCompression(r.Header))
}

// offersCompression reports whether the client may have been promised that messages are deflated.
func offersCompression(h http.Header) bool {
	return slices.ContainsFunc(h["Sec-Websocket-Extensions"], func(line string) bool {
		return strings.Contains(strings.ToLower(line), "permessage-deflate")
	})
}

// Pace waits while so many notifications wait to be written that whoever makes more should be held back, until ctx ends or for
// a second at most. What waits for clients that do not take it holds nobody back.
func (s *Server) Pace(ctx context.Context) { s.broadcaster.pace(ctx) }

// Shutdown refuses new connections and new requests, lets the running ones end, sends what waits, closes with 1012 and
// waits. When ctx ends first the rest is cut off: requests are cancelled, sockets closed, and the error of ctx returned.
func (s *Server) Shutdown(ctx context.Context) error { return s.open.Shutdown(ctx) }
