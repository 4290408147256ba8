package bridge

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/pluginv1"
)

const (
	hookBatch      = 64
	hookBatchBytes = 1 << 20
)

// hookQueue forwards events to a plugin as they come, several at once, so that a slow plugin keeps nobody else's hooks waiting.
// It holds a bounded number of events; what finds it full, or the plugin down, is dropped and counted.
type hookQueue struct {
	bridge  *Bridge
	queue   chan told
	dropped atomic.Int64
	cancel  context.CancelFunc
	done    chan struct{}

	mu     sync.RWMutex
	closed bool
}

type told struct {
	event, listener string
	payload         *events.Payload
}

func newHookQueue(b *Bridge, size int) *hookQueue {
	ctx, cancel := context.WithCancel(context.Background())
	q := &hookQueue{bridge: b, queue: make(chan told, size), cancel: cancel, done: make(chan struct{})}
	go q.run(ctx)
	return q
}

func (q *hookQueue) put(t told) {
	q.mu.RLock()
	defer q.mu.RUnlock()
	if q.closed {
		q.dropped.Add(1)
		return
	}
	select {
	case q.queue <- t:
	default:
		q.drop(1, "the queue is full; see plugins.hookQueueSize")
	}
}

// close accepts nothing more and waits until what waits is sent, or ctx ends.
func (q *hookQueue) close(ctx context.Context) error {
	q.shut()
	select {
	case <-q.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// abandon drops what waits.
func (q *hookQueue) abandon() {
	q.shut()
	q.cancel()
	<-q.done
}

func (q *hookQueue) shut() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		close(q.queue)
	}
}

func (q *hookQueue) run(ctx context.Context) {
	defer close(q.done)
	for first := range q.queue {
		if ctx.Err() != nil {
			q.dropped.Add(1)
			continue
		}
		q.send(ctx, first)
	}
}

// send tells the plugin of first and of what waits behind it.
func (q *hookQueue) send(ctx context.Context, first told) {
	in, size, hops := &pluginv1.HooksRequest{}, 0, 0
	for t, more := first, true; more; {
		m, err := toEvent(q.bridge.Plugin, t.event, t.listener, t.payload)
		switch bytes := proto.Size(m); {
		case err != nil:
			q.drop(1, err.Error())
		case bytes+64 > q.bridge.MaxMessageBytes: // 64 for the message around it
			q.drop(1, "it is larger than plugins.maxMessageSize")
		default:
			if len(in.GetEvents()) > 0 && size+bytes > min(hookBatchBytes, q.bridge.MaxMessageBytes-64) {
				q.forward(ctx, in, hops)
				in, size, hops = &pluginv1.HooksRequest{}, 0, 0
			}
			in.Events = append(in.Events, m)
			size += bytes + 8
			if t.payload.Request != nil && t.payload.Request.Internal != nil {
				hops = max(hops, t.payload.Request.Internal.Hops)
			}
		}
		more = false
		if len(in.GetEvents()) < hookBatch {
			select {
			case t, more = <-q.queue:
			default:
			}
		}
	}
	q.forward(ctx, in, hops)
}

func (q *hookQueue) forward(ctx context.Context, in *pluginv1.HooksRequest, hops int) {
	n := len(in.GetEvents())
	if n == 0 {
		return
	}
	b := q.bridge
	ctx, cancel := context.WithTimeout(ctx, time.Duration(n)*b.CallTimeout) // they run one after the other
	defer cancel()
	// Several requests at once: the plugin may call the host because of them, but as nobody's user.
	served := &protocol.Request{Internal: &protocol.Internal{Hops: hops}}
	err := b.call(ctx, call{kind: "hooks", what: in.GetEvents()[0].GetName(), request: served}, func(t Transport, id uint64) error {
		in.CallId = id
		_, err := t.Hooks(ctx, in)
		return err
	}, func() bool { return false })
	if err != nil {
		q.drop(n, err.Error())
	}
}

func (q *hookQueue) drop(n int, why string) {
	q.dropped.Add(int64(n))
	q.bridge.Logger.Warn("hooks dropped", "events", n, "reason", why)
}

// hook is what the plugin listens to under one name.
type hook struct {
	queue    *hookQueue
	listener string
}

// Hook implements events.Hook. It does not wait.
func (h hook) Hook(_ context.Context, event string, p *events.Payload) {
	h.queue.put(told{event, h.listener, p})
}

var _ events.Hook = hook{}
