package wsserver

import "sync"

// gatherBytes is how much is gathered before it is written in any case.
const gatherBytes = 64 << 10

// gathering puts frames together, so that several cost one system call.
type gathering struct{ buf []byte }

var gatherings = sync.Pool{New: func() any { return &gathering{make([]byte, 0, 4<<10)} }}

// write writes frames without waiting. It gives how many of them the socket has, written or kept for later; it stops at the
// first that has to wait.
func (g *gathering) write(s *socket, frames []frame) (done int, err error) {
	g.buf = g.buf[:0]
	for i, f := range frames {
		g.buf = f.append(g.buf)
		if len(g.buf) < gatherBytes && i < len(frames)-1 {
			continue
		}
		if err := s.tryWrite(g.buf); err != nil {
			return i, err
		}
		if g.buf = g.buf[:0]; s.hasRest() {
			return i + 1, nil
		}
	}
	if cap(g.buf) > 2*gatherBytes { // one huge message
		g.buf = nil
	}
	return len(frames), nil
}
