package httpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/router"
)

// Options is what the server is made of. Base, Routes and the times and sizes are required.
type Options struct {
	network.Base
	// Routes gives the snapshot in force, once for each request.
	Routes func() *router.Snapshot
	// WebSocket takes over connections that ask for it; nil for none. The server has checked the origin then.
	WebSocket Upgrader
	// Events serves GET /_sse; nil for none.
	Events Events
	// MetricsHandler answers GET /metrics; nil for none.
	MetricsHandler http.Handler
	// MetricsAllowed decides who may read them; nil lets this machine alone.
	MetricsAllowed func(*http.Request) bool
	// PublicKeys gives the JSON Web Key Set that /.well-known/jwks.json answers; nil for none.
	PublicKeys func() []byte
	// Hosts are host names in small letters that belong to one plugin each, by its id: under such a name its routes are all
	// there is. Listeners of that kind are served with ServeSite.
	Hosts map[string]string
	// Mount adds entries of the node, which win over the API; nil for none. No handler may be added later.
	Mount func(*mux.Router)

	// AllowMethods and AllowHeaders are the values of the Access-Control headers.
	AllowMethods string
	AllowHeaders string
	// Unsent has the room for answers that clients have not taken; required.
	Unsent *network.Unsent
	// Cookies decides about tokens in cookies.
	Cookies network.Cookies
	// AllowCompression accepts compressed bodies, MaxEncodingLayers of them around each other, and compresses answers.
	AllowCompression  bool
	MaxEncodingLayers int
	// AdditionalContentTypes are media types whose bodies are read as JSON too.
	AdditionalContentTypes []string
	// MaxFormFileBytes bounds one file of a form; 0 leaves Base.MaxRequestBytes as the only bound.
	MaxFormFileBytes int64

	// TLS, when it is not nil, is spoken on all listeners, with HTTP/1.1 or HTTP/2 as the client chooses.
	TLS *tls.Config
	// HSTSMaxAge makes browsers that came over TLS stay there; 0 says nothing about it.
	HSTSMaxAge time.Duration
	// MaxStreams is how many requests one connection of HTTP/2 may have open at once, 100 at most; required with TLS.
	MaxStreams int
	// MaxConnections bounds the open connections, those of WebSocket included. See network.Limit.
	MaxConnections int
	// MaxHeaderBytes bounds the request line with its headers; more is answered 431 by net/http, without an envelope.
	MaxHeaderBytes int
	// ReadHeaderTimeout, ReadTimeout, WriteTimeout and IdleTimeout are those of net/http.Server.
	ReadHeaderTimeout time.Duration
	ReadTimeout       time.Duration
	WriteTimeout      time.Duration
	IdleTimeout       time.Duration
}

// Upgrader takes over connections: wsserver.
type Upgrader interface {
	http.Handler
	// Shutdown ends the connections it took over and waits for them.
	Shutdown(ctx context.Context) error
}

// Server serves HTTP.
//
// Life: New, Serve once, Shutdown from another goroutine.
type Server struct {
	o     Options
	http  http.Server
	own   entries
	fixed fixedHeaders
	// busy counts the requests that run or are being answered, without those whose body is still on its way.
	busy atomic.Int64
	// ownListeners is set once ServeSite was called.
	ownListeners atomic.Bool
}

// New makes a server that does not listen yet.
func New(o Options) *Server {
	if o.MetricsAllowed == nil {
		o.MetricsAllowed = network.FromThisMachine
	}
	if o.MaxFormFileBytes <= 0 {
		o.MaxFormFileBytes = o.MaxRequestBytes
	}
	s := &Server{o: o, fixed: newFixedHeaders(o)}
	s.own = s.newEntries()
	s.http = http.Server{
		Handler:           http.HandlerFunc(s.ServeHTTP),
		ReadHeaderTimeout: o.ReadHeaderTimeout,
		ReadTimeout:       o.ReadTimeout,
		WriteTimeout:      o.WriteTimeout,
		IdleTimeout:       o.IdleTimeout,
		MaxHeaderBytes:    o.MaxHeaderBytes,
		// OPTIONS * is answered like every OPTIONS.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(newErrorLog(o.Logger), slog.LevelDebug),
		BaseContext:                  baseContext,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			k := newSocket(c.RemoteAddr().String())
			k.transport = transportOf(c)
			k.site, _ = ctx.Value(siteKey{}).(string)
			if o.TLS != nil {
				k.unfinished, k.answers = network.NewUnfinished(o.MaxRequestBytes), newAnswers()
			}
			return context.WithValue(ctx, socketKey{}, k)
		},
	}
	if o.TLS != nil {
		s.encrypt()
	}
	return s
}

// Serve accepts connections until Shutdown, and closes the listener. It returns nil after Shutdown, at once: wait for
// Shutdown itself to know that everything ended.
func (s *Server) Serve(l net.Listener) error { return s.ServeSite(l, "") }

// ServeSite is Serve for a listener that belongs to a plugin: its routes are all there is. It may be called several times,
// beside Serve.
func (s *Server) ServeSite(l net.Listener, plugin string) error {
	if plugin != "" {
		s.ownListeners.Store(true)
	}
	l = network.Limit(l, s.o.MaxConnections, s.o.Metrics)
	if s.o.TLS != nil {
		l = tls.NewListener(l, s.http.TLSConfig)
	}
	err := s.http.Serve(siteListener{l, plugin})
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Shutdown stops listening, lets running requests end, closes the WebSocket connections with 1012, ends the streams of events
// and waits for all of them. Clients that are still sending a request have arrivalTime to be done with it; then they are cut
// off, which is no error, as nobody has begun to serve them. When ctx ends first, the rest is cut off, and when a request, a
// WebSocket connection or a stream was among it, the error of ctx is returned.
func (s *Server) Shutdown(ctx context.Context) error {
	var lasting []func(context.Context) error
	if s.o.WebSocket != nil {
		lasting = append(lasting, s.o.WebSocket.Shutdown)
	}
	if s.o.Events != nil {
		lasting = append(lasting, s.o.Events.Shutdown)
	}
	ended := make(chan error, len(lasting))
	for _, shutdown := range lasting {
		go func() { ended <- shutdown(ctx) }()
	}
	err := s.shutdownHTTP(ctx)
	for range lasting {
		err = errors.Join(err, <-ended)
	}
	return err
}

const (
	// arrivalTime is how long a request that has begun to arrive holds up Shutdown.
	arrivalTime = 2 * time.Second
	// busyPoll is how often Shutdown then looks whether requests still run.
	busyPoll = 20 * time.Millisecond
)

func (s *Server) shutdownHTTP(ctx context.Context) error {
	patience, giveUp := context.WithCancel(ctx)
	defer giveUp()
	watcher := make(chan struct{})
	go func() {
		defer close(watcher)
		s.waitUntilIdle(patience)
		giveUp()
	}()
	err := s.http.Shutdown(patience)
	giveUp()
	<-watcher
	if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var cutOff error
	if s.busy.Load() > 0 {
		cutOff = ctx.Err() // nil for a request that arrived in the last moment: nobody waited for it
	}
	return errors.Join(cutOff, s.http.Close())
}

// waitUntilIdle waits for arrivalTime, and on until no request is busy or ctx ends. It believes that only when it sees it
// twice: the last bytes of an answer are sent just after its request has ended.
func (s *Server) waitUntilIdle(ctx context.Context) {
	wait := time.NewTimer(arrivalTime)
	defer wait.Stop()
	for idle := 0; idle < 2; {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		if wait.Reset(busyPoll); s.busy.Load() > 0 {
			idle = 0
		} else {
			idle++
		}
	}
}

// socket is what all requests of one connection share.
type socket struct {
	id   string
	addr netip.Addr
	ip   string
	ips  []string
	// site is the plugin that the listener belongs to, "" for the node's own.
	site string
	// unfinished has the bodies of the requests of HTTP/2 that it carries at once, see makeRoom; nil without TLS.
	unfinished *network.Unfinished
	// answers has the answers of HTTP/2 that its client has not taken, see awaitRoom; nil without TLS.
	answers *answers
	// transport is below TLS; nil where there is none.
	transport net.Conn
	dropped   sync.Once
}

// transportOf gives what can be closed without a word to the client, who may not listen.
func transportOf(c net.Conn) net.Conn {
	if encrypted, ok := c.(*tls.Conn); ok {
		return encrypted.NetConn()
	}
	return c
}

// drop cuts the connection and counts that, once.
func (k *socket) drop(counter prometheus.Counter) {
	if k.transport == nil {
		return
	}
	k.dropped.Do(func() {
		counter.Inc()
		_ = k.transport.Close() // whatever it says, nobody writes to it any more
	})
}

type socketKey struct{}

func newSocket(remote string) *socket {
	addr := network.PeerAddr(remote)
	return &socket{id: network.NewID(), addr: addr, ip: addr.String(), ips: []string{addr.String()}}
}

// socketOf finds the connection of a request; one that came through no server of ours, as in a test, gets its own.
func socketOf(r *http.Request) *socket {
	if k, ok := r.Context().Value(socketKey{}).(*socket); ok {
		return k
	}
	return newSocket(r.RemoteAddr)
}
