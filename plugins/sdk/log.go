package sdk

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluicehq/sluice/protocol/pluginv1"
)

const (
	logQueueSize   = 1024
	logBatch       = 128
	logSendTimeout = 2 * time.Second
)

// logQueue sends log entries to the node, several at once, in the background. What finds it full is dropped and counted.
type logQueue struct {
	client  pluginv1.HostClient
	entries chan *pluginv1.LogEntry
	dropped atomic.Uint64
	closing chan struct{}
	once    sync.Once
	done    chan struct{}
}

func newLogQueue(client pluginv1.HostClient) *logQueue {
	q := &logQueue{
		client: client, entries: make(chan *pluginv1.LogEntry, logQueueSize),
		closing: make(chan struct{}), done: make(chan struct{}),
	}
	go q.run()
	return q
}

func (q *logQueue) put(e *pluginv1.LogEntry) {
	select {
	case q.entries <- e:
	default:
		q.dropped.Add(1)
	}
}

// close sends what waits, and returns when that is done or ctx has ended. Entries put afterwards are lost.
func (q *logQueue) close(ctx context.Context) {
	q.once.Do(func() { close(q.closing) })
	select {
	case <-q.done:
	case <-ctx.Done():
	}
}

func (q *logQueue) run() {
	defer close(q.done)
	for {
		select {
		case e := <-q.entries:
			q.send(e)
		case <-q.closing:
			for len(q.entries) > 0 {
				q.send(<-q.entries)
			}
			return
		}
	}
}

func (q *logQueue) send(first *pluginv1.LogEntry) {
	in := &pluginv1.LogRequest{Entries: []*pluginv1.LogEntry{first}}
	for len(in.GetEntries()) < logBatch && len(q.entries) > 0 {
		in.Entries = append(in.Entries, <-q.entries)
	}
	in.Dropped = q.dropped.Swap(0)
	ctx, cancel := context.WithTimeout(context.Background(), logSendTimeout)
	defer cancel()
	if _, err := q.client.Log(ctx, in); err != nil {
		q.dropped.Add(in.GetDropped() + uint64(len(in.GetEntries())))
	}
}

// logHandler makes records entries of a logQueue. The attributes go through slog's own JSON.
type logHandler struct {
	queue *logQueue
	level slog.Level
	// encoder is where With and WithGroup accumulate; all handlers made from one share the buffer.
	encoder slog.Handler
	buffer  *lockedBuffer
}

type lockedBuffer struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

// Write is called under mu.
func (b *lockedBuffer) Write(p []byte) (int, error) { return b.bytes.Write(p) }

func newLogHandler(q *logQueue, level slog.Level) *logHandler {
	h := &logHandler{queue: q, level: level, buffer: &lockedBuffer{}}
	h.encoder = slog.NewJSONHandler(h.buffer, &slog.HandlerOptions{Level: level, ReplaceAttr: asField})
	return h
}

// asField drops what an entry says in fields of its own, and writes durations with their unit.
func asField(groups []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		return slog.String(a.Key, a.Value.Duration().String())
	}
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
		return slog.Attr{}
	}
	return a
}

// Enabled implements slog.Handler.
func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

// Handle implements slog.Handler.
func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	if s := servedBy(ctx); s.requestID != "" {
		r = r.Clone()
		r.AddAttrs(slog.String("requestId", s.requestID))
	}
	e := &pluginv1.LogEntry{Level: int32(r.Level), Message: r.Message, TimeUnixNano: r.Time.UnixNano()} //nolint:gosec // a level is small
	h.buffer.mu.Lock()
	h.buffer.bytes.Reset()
	err := h.encoder.Handle(ctx, r)
	if attributes := bytes.TrimSpace(h.buffer.bytes.Bytes()); len(attributes) > len("{}") {
		e.Attributes = bytes.Clone(attributes)
	}
	h.buffer.mu.Unlock()
	h.queue.put(e)
	return err
}

// WithAttrs implements slog.Handler.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.encoder = h.encoder.WithAttrs(attrs)
	return &next
}

// WithGroup implements slog.Handler.
func (h *logHandler) WithGroup(name string) slog.Handler {
	next := *h
	next.encoder = h.encoder.WithGroup(name)
	return &next
}

var _ slog.Handler = (*logHandler)(nil)
