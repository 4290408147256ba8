package wsserver

import (
	"bufio"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// socket is the connection below the frames. What the client did not take at once is kept, and precedes everything written
// later. Write deadlines are its own: set for every write that waits, whatever the layer above asks for.
type socket struct {
	net.Conn
	// raw is for writing without waiting, nil where that is not possible.
	raw     syscall.RawConn
	timeout time.Duration
	hurried atomic.Bool
	// impatient makes Write keep what the client does not take at once.
	impatient atomic.Bool
	// waits is called before each Read, nil for nobody.
	waits func()

	mu   sync.Mutex
	rest []byte
}

// tryWrite writes as much of p as the client takes at once, and keeps the rest.
func (s *socket) tryWrite(p []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tryWriteLocked(p)
}

func (s *socket) tryWriteLocked(p []byte) error {
	n := 0
	if len(s.rest) == 0 && s.raw != nil {
		var err error
		if n, err = writeNow(s.raw, p); err != nil {
			return err
		}
	}
	s.rest = append(s.rest, p[n:]...)
	return nil
}

// hasRest reports whether the client keeps us waiting.
func (s *socket) hasRest() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rest) > 0
}

// writeFrames writes frames, and what was kept before them, and waits until the client took all.
func (s *socket) writeFrames(frames []frame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	buf := s.rest
	s.rest = nil
	for _, f := range frames {
		if buf = f.append(buf); len(buf) > gatherBytes {
			if err := s.writeLocked(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	return s.writeLocked(buf)
}

// Read reads what the client sends.
func (s *socket) Read(p []byte) (int, error) {
	if s.waits != nil {
		s.waits()
	}
	return s.Conn.Read(p)
}

// Write waits until the client took p, unless impatient. The library writes whole frames with it.
func (s *socket) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.impatient.Load() {
		if err := s.tryWriteLocked(p); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	rest := s.rest
	s.rest = nil
	if err := s.writeLocked(rest); err != nil {
		return 0, err
	}
	if err := s.writeLocked(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (s *socket) writeLocked(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	timeout := s.timeout
	if s.hurried.Load() {
		timeout = min(timeout, closeTime)
	}
	_ = s.Conn.SetWriteDeadline(time.Now().Add(timeout)) // fails on a closed connection, and so does the write
	_, err := s.Conn.Write(p)
	if !s.hurried.Load() {
		_ = s.Conn.SetWriteDeadline(time.Time{}) // tryWrite would fail once it has passed
	}
	return err
}

// hurry gives the client closeTime to take what is being written, and every later write.
func (s *socket) hurry() {
	s.hurried.Store(true)
	_ = s.Conn.SetWriteDeadline(time.Now().Add(closeTime)) // fails on a closed connection, which needs no hurry
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
	h.socket = &socket{Conn: c, raw: rawOf(c), timeout: h.timeout}
	return h.socket, rw, nil
}

// rawOf gives the way to write without waiting, nil when there is none, as below TLS.
func rawOf(c net.Conn) syscall.RawConn {
	if s, ok := c.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			return raw
		}
	}
	return nil
}

var _ http.Hijacker = (*hijacker)(nil)
