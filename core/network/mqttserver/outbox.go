package mqttserver

import (
	"net"
	"sync"
	"time"

	"github.com/sluicehq/sluice/core/network"
)

const (
	// flushBytes is how much is gathered for one write; a single packet may be larger.
	flushBytes = 64 << 10
	// closeTime is how long a client has to take what waits when its connection ends.
	closeTime = time.Second
	// maxKeptFrames is the capacity that the queue of an idle connection keeps.
	maxKeptFrames = 8
)

// frame is one packet waiting to be sent.
type frame struct {
	// head is the packet up to its payload, body the payload, which many frames may share.
	head, body []byte
	// loan is the buffer that body lies in, given back once it was sent; nil when body is nobody's.
	loan *network.Buffer
}

func (f frame) size() int { return len(f.head) + len(f.body) }

// outbox holds what waits for the client. The first frame starts the goroutine that writes, which ends when nothing is
// left; several frames go out in one system call.
type outbox struct {
	socket      net.Conn
	metrics     *network.Metrics
	timeout     time.Duration
	maxMessages int
	maxBytes    int
	writers     sync.WaitGroup

	mu sync.Mutex
	// frames wait; count and bytes are those of frames and of what is being written.
	frames  []frame
	count   int
	bytes   int
	writing bool
	// closed says that nothing more is taken; what waits is sent until last.
	closed bool
	last   time.Time
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
	if o.count > 0 && (o.count >= o.maxMessages || o.bytes+f.size() > o.maxBytes) {
		f.loan.Release()
		o.metrics.Dropped.Add(float64(1 + len(o.frames)))
		o.closed = true
		o.dropLocked()
		return overflowed
	}
	o.frames = append(o.frames, f)
	o.count++
	o.bytes += f.size()
	if !o.writing {
		o.writing = true
		o.writers.Add(1)
		go o.write()
	}
	return queued
}

// isClosed reports whether nothing more is taken.
func (o *outbox) isClosed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed
}

// end takes nothing more, and gives the client closeTime for what waits.
func (o *outbox) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if o.last.IsZero() {
		o.last = time.Now().Add(closeTime)
		_ = o.socket.SetWriteDeadline(o.last) // fails on a closed connection, which has ended
	}
}

func (o *outbox) dropLocked() {
	for _, f := range o.frames {
		o.count--
		o.bytes -= f.size()
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
		if batch = o.next(batch); batch == nil {
			return
		}
		if err := o.send(batch); err != nil {
			o.fail()
			return
		}
	}
}

// next takes all that waits, after done was sent. It gives nil, and the writer ends, when nothing waits.
func (o *outbox) next(done []frame) []frame {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, f := range done {
		o.count--
		o.bytes -= f.size()
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
	for len(batch) > 0 {
		var chunk net.Buffers
		bytes, n := 0, 0
		for n < len(batch) && (n == 0 || bytes+batch[n].size() <= flushBytes) {
			chunk = append(chunk, batch[n].head, batch[n].body)
			bytes += batch[n].size()
			n++
		}
		o.allowTime()
		if _, err := chunk.WriteTo(o.socket); err != nil {
			return err
		}
		o.metrics.MQTT.Sent.Add(float64(bytes))
		batch = batch[n:]
	}
	return nil
}

// allowTime gives the client the time to take the next chunk.
func (o *outbox) allowTime() {
	o.mu.Lock()
	defer o.mu.Unlock()
	until := time.Now().Add(o.timeout)
	if !o.last.IsZero() && o.last.Before(until) {
		until = o.last
	}
	_ = o.socket.SetWriteDeadline(until) // fails on a closed connection, and so does the write
}

// fail gives up: the connection is closed, which also ends its reader. What was being sent is left to the collector: the
// connection may still refer to it.
func (o *outbox) fail() {
	network.Abort(o.socket)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed, o.writing = true, false
	o.metrics.Dropped.Add(float64(len(o.frames)))
	o.dropLocked()
}
