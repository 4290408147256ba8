package network

import (
	"errors"
	"net"
	"sync"
	"syscall"
)

// Limit gives a listener that holds at most max connections open at once. One more is accepted and closed at once, and
// counted: the client sees a dropped connection and tries again, and the node spends neither memory nor time on it.
func Limit(l net.Listener, max int, m *Metrics) net.Listener {
	return &limitedListener{Listener: l, max: int64(max), metrics: m}
}

type limitedListener struct {
	net.Listener
	max     int64
	metrics *Metrics
}

func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.metrics.sockets.Add(1) <= l.max {
			return &countedConn{Conn: conn, metrics: l.metrics}, nil
		}
		l.metrics.sockets.Add(-1)
		l.metrics.Refused.Inc()
		_ = conn.Close() // the client is told nothing more
	}
}

// countedConn leaves the count when it is closed.
type countedConn struct {
	net.Conn
	metrics *Metrics
	closed  sync.Once
}

func (c *countedConn) Close() error {
	c.closed.Do(func() { c.metrics.sockets.Add(-1) })
	return c.Conn.Close()
}

// SetLinger is that of a TCP connection; others have nothing to linger for.
func (c *countedConn) SetLinger(seconds int) error {
	if l, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		return l.SetLinger(seconds)
	}
	return nil
}

// SyscallConn is that of a TCP connection, for those who write without waiting.
func (c *countedConn) SyscallConn() (syscall.RawConn, error) {
	if s, ok := c.Conn.(syscall.Conn); ok {
		return s.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// CloseWrite is that of a TCP connection. net/http uses it to let a client read why it is refused.
func (c *countedConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}
