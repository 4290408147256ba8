package node

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// starting answers who calls while the node starts: it may wait long for its storage, and nobody should wait with it. Probes of
// readiness and all requests get 503; /_healthcheck says that the process answers, as always.
type starting struct {
	nodeID string
	http   http.Server
	doors  []*lent
	// calls are the connections that are open.
	calls atomic.Int64
	ended sync.WaitGroup
}

// answerMeanwhile lets the listeners answer until the node serves.
func (n *Node) answerMeanwhile(context.Context) error {
	var err error
	if n.counters, err = network.NewMetrics(n.metrics); err != nil {
		return err
	}
	c := n.options.Config.Server
	s := &starting{nodeID: n.id}
	s.http = http.Server{
		Handler: s, ConnState: s.count, ReadHeaderTimeout: c.ReadHeaderTimeout, ReadTimeout: c.ReadTimeout, WriteTimeout: c.WriteTimeout,
		MaxHeaderBytes: int(c.MaxHeaderSize), ErrorLog: slog.NewLogLogger(n.options.Logger.Handler(), slog.LevelDebug),
	}
	s.http.SetKeepAlivesEnabled(false) // the next request is for the node itself
	n.starting = s
	n.onStop(func(context.Context) error { n.endStarting(); return nil })
	for _, l := range n.doors() {
		door := &lent{TCPListener: l, parked: make(chan struct{}), closed: make(chan struct{})}
		s.doors = append(s.doors, door)
		limited := network.Limit(door, c.MaxConnections, n.counters)
		if n.tls.config != nil {
			limited = tls.NewListener(limited, n.tls.config)
		}
		s.ended.Go(func() {
			if err := s.http.Serve(limited); !errors.Is(err, http.ErrServerClosed) {
				n.options.Logger.Warn("requests are not answered while the node starts", "error", err)
			}
		})
	}
	return nil
}

// count follows the connections.
func (s *starting) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.calls.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.calls.Add(-1)
	}
}

// doors are the listeners of HTTP.
func (n *Node) doors() []*net.TCPListener {
	var list []*net.TCPListener
	if l, ok := n.listener.(*net.TCPListener); ok {
		list = append(list, l)
	}
	for _, l := range n.sites {
		if l, ok := l.(*net.TCPListener); ok {
			list = append(list, l)
		}
	}
	return list
}

const (
	// startingGrace is what callers get that have not had their answer when the node begins to serve.
	startingGrace = time.Second
	// startingPoll is how often is looked whether there are such.
	startingPoll = 5 * time.Millisecond
)

// endStarting gives the listeners back. Who calls now is answered by what serves next, and who called before gets an answer first.
func (n *Node) endStarting() {
	s := n.starting
	if s == nil {
		return
	}
	n.starting = nil
	ctx, cancel := context.WithTimeout(context.Background(), startingGrace)
	defer cancel()
	for _, door := range s.doors {
		door.park(ctx)
	}
	for s.calls.Load() > 0 && ctx.Err() == nil {
		time.Sleep(startingPoll)
	}
	_ = s.http.Close() // who is that slow asks again
	s.ended.Wait()
	for _, door := range s.doors {
		_ = door.SetDeadline(time.Time{}) // it fails only for one that is closed
	}
}

// ServeHTTP implements http.Handler.
func (s *starting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var wrong error
	if r.URL.Path != "/_healthcheck" {
		wrong = kerror.APIProcessStarting.New()
		w.Header().Set("Retry-After", "1")
	}
	a := protocol.NewResponse(&protocol.Request{RequestID: network.NewID()}, nil, wrong)
	a.Node = s.nodeID
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Append(nil, "")) // who asked is gone then
}

// lent is a listener that somebody serves for a time: closing it ends that, and leaves it open.
type lent struct {
	*net.TCPListener
	// parked is closed when no more connections are accepted, closed by Close.
	parked, closed chan struct{}
	once           sync.Once
}

// park ends the accepting of connections, without the error that would end who serves them.
func (l *lent) park(ctx context.Context) {
	_ = l.SetDeadline(time.Unix(1, 0)) // it fails only for one that is closed
	select {
	case <-l.parked:
	case <-ctx.Done():
	}
}

// Accept implements net.Listener.
func (l *lent) Accept() (net.Conn, error) {
	conn, err := l.TCPListener.Accept()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		close(l.parked)
		<-l.closed
		return nil, net.ErrClosed
	}
	return conn, err
}

// Close implements net.Listener.
func (l *lent) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}
