package wsserver

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluicehq/sluice/core/network"
)

// flushBytes is how much is gathered before it is written in any case.
const flushBytes = 32 << 10

// socket is the connection below the frames. Between cork and flush it gathers what is written, so that several frames
// cost one system call; its buffer comes from a pool and goes back with every flush. Write deadlines are its own: set for
// every system call, whatever the layer above asks for.
type socket struct {
	net.Conn
	timeout time.Duration
	hurried atomic.Bool

	mu     sync.Mutex
	corked bool
	buf    *network.Buffer
}

// cork starts gathering.
func (s *socket) cork() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.corked = true
}

// flush writes what was gathered and stops gathering.
func (s *socket) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.corked = false
	return s.flushLocked()
}

func (s *socket) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.corked {
		return s.writeLocked(p)
	}
	if s.buf == nil {
		s.buf = network.GetBuffer()
	}
	if len(s.buf.B)+len(p) > flushBytes {
		if err := s.flushLocked(); err != nil {
			return 0, err
		}
		if len(p) > flushBytes {
			return s.writeLocked(p)
		}
		s.buf = network.GetBuffer()
	}
	s.buf.B = append(s.buf.B, p...)
	return len(p), nil
}

func (s *socket) flushLocked() error {
	if s.buf == nil {
		return nil
	}
	_, err := s.writeLocked(s.buf.B)
	s.buf.Release()
	s.buf = nil
	return err
}

func (s *socket) writeLocked(p []byte) (int, error) {
	timeout := s.timeout
	if s.hurried.Load() {
		timeout = min(timeout, closeTime)
	}
	_ = s.Conn.SetWriteDeadline(time.Now().Add(timeout)) // fails on a closed connection, and so does the write
	return s.Conn.Write(p)
}

// hurry gives the client closeTime to take what is being written, and every later write.
func (s *socket) hurry() {
	s.hurried.Store(true)
	_ = s.Conn.SetWriteDeadline(time.Now().Add(closeTime)) // fails on a closed connection, which needs no hurry
}

// abort closes without waiting for the client to take what was written. After an ordinary close the system would keep
// that for a client that does not read, for minutes.
func (s *socket) abort() {
	if l, ok := s.Conn.(interface{ SetLinger(seconds int) error }); ok {
		_ = l.SetLinger(0) // fails on a closed connection only
	}
	_ = s.Close() // it ends either way
}

// discard reads what the client still sends, for closeTime at most: closing before would destroy what it was sent last.
func (s *socket) discard(limit int64) {
	if c, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite() // fails on a closed connection, and so does reading
	}
	_ = s.SetReadDeadline(time.Now().Add(closeTime))
	_, _ = io.CopyN(io.Discard, s.Conn, limit) // ends in an error or at the limit
}

// SetWriteDeadline does nothing: see the type.
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

// hijacker puts a socket around the connection that it takes over.
type hijacker struct {
	http.ResponseWriter
	timeout time.Duration
	socket  *socket
}

// Hijack makes hijacker an http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.socket = &socket{Conn: c, timeout: h.timeout}
	return h.socket, rw, nil
}

var _ http.Hijacker = (*hijacker)(nil)
