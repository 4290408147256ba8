package wsserver

import (
	"sync"

	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/core/network"
)

// outbox holds what waits for the client. Who queues the first frame sees to it that it is written: an answer by a goroutine
// of its own, a notification by the broadcaster. While somebody writes, others only queue, and what they queue goes out
// together. A client that does not take what is written at once gets a goroutine, so that nobody else waits for it.
type outbox struct {
	ws          *websocket.Conn
	socket      *socket
	metrics     *network.Metrics
	broadcaster *broadcaster
	// compressed says that frames go through ws, which deflates them.
	compressed  bool
	maxMessages int
	maxBytes    int
	// notice, when not nil, makes the message that tells a slow client how many notifications were dropped; without, it is
	// closed.
	notice  func(dropped int) []byte
	writers sync.WaitGroup

	mu sync.Mutex
	// frames wait; count and bytes are those of frames and of what is being written. spare is memory for frames.
	frames []frame
	spare  []frame
	count  int
	bytes  int
	// backlog is how many of frames the broadcaster counts.
	backlog int
	writing bool
	// slow says that a goroutine writes, because the client keeps us waiting.
	slow bool
	// missed counts the notifications that were dropped since the client was told last.
	missed int
	// closed says that nothing more is taken.
	closed bool
}

// verdict is what became of a frame.
type verdict uint8

const (
	queued     verdict = iota
	gone               // the connection is closed or closing
	missed             // the client is too slow: it will be told
	overflowed         // the client is too slow: the caller must close the connection
)

// push queues an answer or a control frame and never waits. A goroutine of its own writes it, behind the requests that run: so
// answers to requests sent together go out together.
func (o *outbox) push(f frame) verdict {
	v, first := o.queue(f, false)
	if first {
		go o.flushAll()
	}
	return v
}

// pushLater queues a notification and never waits.
func (o *outbox) pushLater(f frame) verdict {
	v, first := o.queue(f, true)
	if first {
		o.broadcaster.add(o)
	}
	return v
}

// queue takes a frame. first says that nobody writes yet: the caller must see to it.
func (o *outbox) queue(f frame, later bool) (v verdict, first bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		f.loan.Release()
		o.metrics.Dropped.Inc()
		return gone, false
	}
	switch full := o.count > 0 && (o.count >= o.maxMessages || o.bytes+len(f.data) > o.maxBytes); {
	case full && later && o.notice != nil:
		o.missed++
		o.metrics.Dropped.Inc()
		return missed, false
	case full:
		f.loan.Release()
		o.metrics.Dropped.Add(float64(1 + len(o.frames)))
		o.dropLocked()
		return overflowed, false
	}
	if later && !o.slow {
		o.backlog++
		o.broadcaster.backlog.Add(1)
	}
	return queued, o.queueLocked(f)
}

func (o *outbox) queueLocked(f frame) (first bool) {
	o.frames = append(o.frames, f)
	o.count++
	o.bytes += len(f.data)
	if o.writing {
		return false
	}
	o.writing = true
	o.writers.Add(1)
	return true
}

// end queues the close frame as the last one; an empty one closes without. It reports whether it was the first to do so.
func (o *outbox) end(last []byte) bool {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return false
	}
	o.closed = true
	first := last != nil && o.queueLocked(frame{op: websocket.CloseMessage, data: last})
	o.mu.Unlock()
	if first {
		go o.flushAll()
	}
	return true
}

// dropLocked forgets what waits.
func (o *outbox) dropLocked() {
	for _, f := range o.frames {
		o.count--
		o.bytes -= len(f.data)
		f.loan.Release()
	}
	o.countedLocked()
	clear(o.frames)
	o.frames = o.frames[:0]
}

// countedLocked tells the broadcaster that its frames wait no longer.
func (o *outbox) countedLocked() {
	if o.backlog > 0 {
		o.broadcaster.less(o.backlog)
		o.backlog = 0
	}
}

// flushAll writes until nothing waits or the client keeps us waiting.
func (o *outbox) flushAll() {
	g := gatherings.Get().(*gathering)
	for o.flush(g) {
	}
	gatherings.Put(g)
}

// flush writes what waits. It reports whether more was queued meanwhile: then the caller must see to it. When the client does
// not take all of it at once, a goroutine goes on.
func (o *outbox) flush(g *gathering) (again bool) {
	batch := o.take()
	done, err := o.try(g, batch)
	switch {
	case err != nil:
		o.fail()
	case done < len(batch) || o.socket.hasRest():
		o.slowDown()
		go o.writeOn(batch, done)
	default:
		return o.more(batch)
	}
	return false
}

// try writes frames without waiting. It gives how many of them the socket has, written or kept for later.
func (o *outbox) try(g *gathering, batch []frame) (done int, err error) {
	if !o.compressed {
		return g.write(o.socket, batch)
	}
	o.socket.impatient.Store(true)
	defer o.socket.impatient.Store(false)
	for i, f := range batch {
		if err := o.ws.WriteMessage(f.op, f.data); err != nil {
			return i, err
		}
		if o.socket.hasRest() {
			return i + 1, nil
		}
	}
	return len(batch), nil
}

// take gives all that waits.
func (o *outbox) take() []frame {
	o.mu.Lock()
	defer o.mu.Unlock()
	batch := o.frames
	o.frames, o.spare = o.spare[:0], nil
	o.countedLocked()
	return batch
}

// more puts away what was sent, and reports whether more waits; if not, nobody writes any more.
func (o *outbox) more(sent []frame) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	wrote := 0
	for _, f := range sent {
		wrote += len(f.data)
		f.loan.Release()
	}
	o.count -= len(sent)
	o.bytes -= wrote
	o.metrics.WebSocket.Sent.Add(float64(wrote))
	clear(sent)
	if o.spare = sent[:0]; cap(o.spare) > maxKeptFrames {
		o.spare = nil
	}
	if o.missed > 0 && len(o.frames) == 0 && !o.closed {
		o.queueLocked(frame{op: websocket.TextMessage, data: o.notice(o.missed)})
		o.missed = 0
	}
	if len(o.frames) > 0 {
		return true
	}
	o.writing, o.slow = false, false
	o.writers.Done()
	return false
}

// maxKeptFrames is the capacity that the queue of an idle connection keeps.
const maxKeptFrames = 8

// slowDown says that the client keeps us waiting. Nothing that waits for it holds anybody back from now on.
func (o *outbox) slowDown() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.slow = true
	o.countedLocked()
}

// writeOn writes a batch from the frame at on, and everything after it, waiting for the client.
func (o *outbox) writeOn(batch []frame, at int) {
	for {
		if err := o.send(batch[at:]); err != nil {
			o.fail()
			return
		}
		if !o.more(batch) {
			return
		}
		batch, at = o.take(), 0
	}
}

func (o *outbox) send(batch []frame) error {
	if !o.compressed {
		return o.socket.writeFrames(batch)
	}
	for _, f := range batch {
		if err := o.ws.WriteMessage(f.op, f.data); err != nil {
			return err
		}
	}
	return o.socket.writeFrames(nil) // what was kept, when there are no frames
}

// fail gives up: the connection is closed, which also ends its reader. What was being sent is left to the collector: the
// connection may still refer to it.
func (o *outbox) fail() {
	network.Abort(o.socket.Conn)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed, o.writing = true, false
	o.metrics.Dropped.Add(float64(len(o.frames)))
	o.dropLocked()
	o.writers.Done()
}
