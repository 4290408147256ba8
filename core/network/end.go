package network

import (
	"crypto/tls"
	"io"
	"net"
	"time"
)

// Abort closes a connection without waiting for the client to take what was written. After an ordinary close the system would
// keep that for a client that does not read, for minutes.
func Abort(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn() // TLS would wait to say goodbye
	}
	if l, ok := c.(interface{ SetLinger(seconds int) error }); ok {
		_ = l.SetLinger(0) // fails on a closed connection only
	}
	_ = c.Close() // it ends either way
}

// Discard ends writing and reads what the client still sends, until the limit or the time is reached: closing before would
// destroy what the client was sent last.
func Discard(c net.Conn, limit int64, within time.Duration) {
	if w, ok := c.(interface{ CloseWrite() error }); ok {
		_ = w.CloseWrite() // fails on a closed connection, and so does reading
	}
	_ = c.SetReadDeadline(time.Now().Add(within))
	_, _ = io.CopyN(io.Discard, c, limit) // ends in an error or at the limit
}
