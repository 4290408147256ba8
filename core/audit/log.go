package audit

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Options are what a Log is made of.
type Options struct {
	File FileOptions
	// Refusals records requests for actions outside Audited that are refused.
	Refusals bool
	// Required refuses audited actions while the file cannot be written.
	Required bool
	Logger   *slog.Logger
	Metrics  prometheus.Registerer
}

// Log records events, in the background: whoever records waits for the disk only when File.Sync says so. It is safe for
// concurrent use; a nil Log records nothing.
//
// Events wait in a bounded queue. While the file cannot be written as many again wait beside it, nobody waits for them to be
// written, and it is tried again every second; what finds no place is dropped, counted, and a later line says how many. Where
// the log is required nothing that was done is dropped: audited actions are refused before they run, and the few that run
// already wait for a place.
//
// Life: Open, Close once. Close writes what waits.
type Log struct {
	o       Options
	queue   chan entry
	closing chan struct{}
	closed  sync.WaitGroup
	failing atomic.Bool
	dropped atomic.Int64
	metrics metrics

	// ending guards ended: nobody is at the queue once it is set.
	ending sync.RWMutex
	ended  bool

	// What follows belongs to the writer.
	file    *file
	pending []entry
	repeats repeats
	// told counts the dropped events that a line speaks of.
	told int64
	// tidied is when old files were last looked after.
	tidied time.Time
}

// entry is an event on its way to the file.
type entry struct {
	Event
	budget budget
	// written, when not nil, is called when the event is in the file, or could not be written.
	written func()
}

const (
	queueSize = 4096
	// batch is how many events are written at once.
	batch = 256
	// retry is how often a file that could not be written is tried again.
	retry = time.Second
	// patience is how long a request whose client may be gone waits for its line.
	patience = 30 * time.Second
	// tidyEvery is how often old files are looked after when nothing is rotated.
	tidyEvery = time.Hour
)

// Open opens the file, or makes it, and starts to write.
func Open(o Options) (*Log, error) {
	l := &Log{o: o, queue: make(chan entry, queueSize), closing: make(chan struct{}), tidied: time.Now()}
	o.File.Logger = o.Logger
	var err error
	if l.metrics, err = newMetrics(o.Metrics, l); err != nil {
		return nil, err
	}
	if l.file, err = openFile(o.File); err != nil {
		return nil, err
	}
	l.closed.Go(l.write)
	return l, nil
}

// Admit refuses an audited action that could not be recorded, where that is required: core.fatal.service_unavailable.
func (l *Log) Admit(controller, action string) error {
	if l == nil || !l.Blocking() || !Audited(controller, action) {
		return nil
	}
	return kerror.CoreFatalServiceUnavailable.New("the audit log cannot be written, and the setting audit.required is on")
}

// Blocking reports whether audited actions are refused now.
func (l *Log) Blocking() bool {
	return l != nil && l.o.Required && (l.failing.Load() || len(l.queue) > queueSize*3/4)
}

// Request records a request with its answer, where it matters. known is whether there is such an action.
func (l *Log) Request(ctx context.Context, req *protocol.Request, a *protocol.Response, known bool) {
	if l == nil {
		return
	}
	x, ok := ofRequest(req, a, known)
	if !ok || x.Event.Event == Refusal && !l.o.Refusals {
		return
	}
	// A client that leaves does not take the line along.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	l.record(ctx, x)
}

// Record writes an event of the node itself with the time of now, soon.
func (l *Log) Record(ctx context.Context, e Event) {
	if l != nil {
		l.record(ctx, entry{Event: e})
	}
}

func (l *Log) record(ctx context.Context, x entry) {
	targets := maxTargets
	if x.budget != noBudget {
		targets = maxUndone
	}
	x.Event = x.bounded(targets)
	x.Time = time.Now().UTC()
	l.metrics.events.WithLabelValues(x.Event.Event, string(x.Outcome)).Inc()
	var written chan struct{}
	if l.o.File.Sync && x.budget == noBudget && !l.failing.Load() {
		written = make(chan struct{})
		x.written = sync.OnceFunc(func() { close(written) })
	}
	if !l.put(ctx, x) {
		l.dropped.Add(1)
		return
	}
	if written != nil {
		select {
		case <-written:
		case <-ctx.Done():
		}
	}
}

// put queues an event, unless there is no place.
func (l *Log) put(ctx context.Context, x entry) bool {
	l.ending.RLock()
	defer l.ending.RUnlock()
	if l.ended || x.budget != noBudget && len(l.queue) > queueSize/2 { // what anybody can send leaves room for the rest
		return false
	}
	select {
	case l.queue <- x:
		return true
	default:
	}
	if !l.o.Required || x.budget != noBudget {
		return false
	}
	select {
	case l.queue <- x:
		return true
	case <-ctx.Done():
		return false
	}
}

// Close writes what waits, and waits for old files that are being compressed. What cannot be written even now is lost, and
// the log for operators says how much.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	l.ending.Lock()
	l.ended = true
	l.ending.Unlock()
	close(l.closing)
	l.closed.Wait()
	return l.file.close()
}

// write is the writer: it alone uses the file.
func (l *Log) write() {
	tick := time.NewTicker(retry)
	defer tick.Stop()
	for {
		queue := l.queue
		if len(l.pending) >= queueSize {
			queue = nil // until the file takes what came before
		}
		select {
		case x := <-queue:
			l.take(x)
			if l.failing.Load() {
				x.done() // the next try is for the ticker
				continue
			}
			l.takeWaiting()
			l.flush()
		case <-tick.C:
			l.periodically(time.Now())
		case <-l.closing:
			l.finish()
			return
		}
	}
}

// take adds an event to what is written next, unless it only repeats. Nobody waits for those.
func (l *Log) take(x entry) {
	if l.repeats.admit(x.budget, x.Event) {
		l.pending = append(l.pending, x)
	}
}

// takeWaiting takes more of what waits, as much as is written at once.
func (l *Log) takeWaiting() {
	for len(l.pending) < batch {
		select {
		case x := <-l.queue:
			l.take(x)
		default:
			return
		}
	}
}

// flush writes what was taken, and then how much was dropped. What cannot be written stays.
func (l *Log) flush() {
	for len(l.pending) > 0 {
		events := make([]Event, len(l.pending))
		for i, x := range l.pending {
			events[i] = x.Event
		}
		err := l.file.append(events)
		for _, x := range l.pending {
			x.done()
		}
		l.report(err)
		if err != nil {
			return
		}
		l.pending = l.pending[:0]
		l.tellDropped()
	}
}

// tellDropped adds a line about what was dropped since the last one.
func (l *Log) tellDropped() {
	dropped := l.dropped.Load()
	if dropped == l.told {
		return
	}
	l.pending = append(l.pending, entry{Event: Event{
		Time: time.Now().UTC(), Event: Lost, Outcome: Failed, Count: int(dropped - l.told),
		Facts: map[string]string{"reason": "the audit log could not be written fast enough, or not at all"},
	}})
	l.told = dropped
}

// done lets whoever waits go on.
func (x entry) done() {
	if x.written != nil {
		x.written()
	}
}

// report tells operators when the file can be written no longer, and when it can again.
func (l *Log) report(err error) {
	failing := err != nil
	if l.failing.Swap(failing) == failing {
		return
	}
	if failing {
		l.o.Logger.Error("the audit log cannot be written; events wait and it is tried again every second",
			"error", err, "path", l.o.File.Path, "audit.required", l.o.Required)
	} else {
		l.o.Logger.Info("the audit log can be written again", "dropped", l.dropped.Load())
	}
}

// periodically does what no event brings about.
func (l *Log) periodically(now time.Time) {
	l.file.look()
	if len(l.pending) == 0 {
		l.tellDropped()
		if l.repeats.over(now) {
			l.endWindow(now)
		}
	}
	l.flush()
	if now.Sub(l.tidied) >= tidyEvery {
		l.tidied = now
		l.file.old.tidy()
	}
}

func (l *Log) endWindow(now time.Time) {
	for _, e := range l.repeats.end(now.UTC()) {
		l.pending = append(l.pending, entry{Event: e})
	}
}

// finish writes all that waits.
func (l *Log) finish() {
	l.flush()
	for len(l.queue) > 0 && !l.failing.Load() {
		l.takeWaiting()
		l.flush()
	}
	if !l.failing.Load() {
		l.endWindow(time.Now())
		l.flush()
	}
	if lost := len(l.pending) + len(l.queue); lost > 0 {
		l.o.Logger.Error("events of the audit log are lost", "events", lost, "path", l.o.File.Path)
	}
	for len(l.queue) > 0 { // whoever waits for them
		(<-l.queue).done()
	}
}
