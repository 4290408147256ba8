package wsserver

import (
	"sync"

	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/core/network"
)

// frame is one message or control frame waiting to be sent.
type frame struct {
	op   int
	data []byte
	// loan is the buffer that data lies in, given back once it was sent; nil when data is nobody's.
	loan *network.Buffer
}

// outbox holds what waits for the client. The first frame starts the goroutine that writes, which ends when nothing is
// left; several frames go out in one system call.
type outbox struct {
	ws          *websocket.Conn
	socket      *socket
	metrics     *network.Metrics
	maxMessages int
	maxBytes    int
	writers     sync.WaitGroup

	mu sync.Mutex
	// frames wait; count and bytes are those of frames and of what is being written.
	frames  []frame
	count   int
	bytes   int
	writing bool
	// closed says that nothing more is taken.
	closed bool
}

// verdict is what became of a frame.
type verdict uint8

const (
	queued     verdict = iota
	gone               // the connection is closed or closing
	overflowed         // the client is too slow: the caller must close the connection
)

// push queues a frame and never waits.
func (o *outbox) push(f frame) verdict {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		f.loan.Release()
		o.metrics.Dropped.Inc()
		return gone
	}
	if o.count > 0 && (o.count >= o.maxMessages || o.bytes+len(f.data) > o.maxBytes) {
		f.loan.Release()
		o.metrics.Dropped.Add(float64(1 + len(o.frames)))
		o.dropLocked()
		return overflowed
	}
	o.pushLocked(f)
	return queued
}

// end queues the close frame as the last one; an empty one closes without. It reports whether it was the first to do so.
func (o *outbox) end(last []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	o.closed = true
	if last != nil {
		o.pushLocked(frame{op: websocket.CloseMessage, data: last})
	}
	return true
}

func (o *outbox) pushLocked(f frame) {
	o.frames = append(o.frames, f)
	o.count++
	o.bytes += len(f.data)
	if !o.writing {
		o.writing = true
		o.writers.Add(1)
		go o.write()
	}
}

// dropLocked forgets what waits.
func (o *outbox) dropLocked() {
	for _, f := range o.frames {
		o.count--
		o.bytes -= len(f.data)
		f.loan.Release()
	}
	clear(o.frames)
	o.frames = o.frames[:0]
}

// write sends until nothing waits or the connection fails.
func (o *outbox) write() {
	defer o.writers.Done()
	var batch []frame
	for {
		o.mu.Lock()
		batch = o.nextLocked(batch)
		o.mu.Unlock()
		if batch == nil {
			return
		}
		if err := o.send(batch); err != nil {
			o.fail()
			return
		}
	}
}

// maxKeptFrames is the capacity that the queue of an idle connection keeps.
const maxKeptFrames = 8

// nextLocked takes all that waits, after done was sent. It gives nil, and the writer ends, when nothing waits.
func (o *outbox) nextLocked(done []frame) []frame {
	for _, f := range done {
		o.count--
		o.bytes -= len(f.data)
		f.loan.Release()
	}
	clear(done)
	if len(o.frames) == 0 {
		o.writing = false
		if cap(o.frames) > maxKeptFrames {
			o.frames = nil
		}
		return nil
	}
	batch := o.frames
	o.frames = done[:0]
	return batch
}

func (o *outbox) send(batch []frame) error {
	o.socket.cork()
	sent := 0
	for _, f := range batch {
		if err := o.ws.WriteMessage(f.op, f.data); err != nil {
			return err
		}
		sent += len(f.data)
	}
	if err := o.socket.flush(); err != nil {
		return err
	}
	o.metrics.WebSocket.Sent.Add(float64(sent))
	return nil
}

// fail gives up: the connection is closed, which also ends its reader. What was being sent is left to the collector: the
// connection may still refer to it.
func (o *outbox) fail() {
	o.socket.abort()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed, o.writing = true, false
	o.metrics.Dropped.Add(float64(len(o.frames)))
	o.dropLocked()
}
