package announce

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/sluicehq/sluice/core/storage"
)

// maxLine bounds the writes to one document that wait for their turn, or for the engine. One more waits for room, but not for
// longer than maxWait: it may be a pipe of one of them that writes.
const (
	maxLine = 128
	maxWait = time.Second
)

// turns puts word of writes to one document in the order of the writes. Each takes its turn before it is done, learns its
// place from the version that it made, and ends when its word may go out:
//
//	take → the engine writes → made → events → end
//
// Nobody waits in end: who comes too early leaves the word to those he is behind. So a pipe of one write may do another write to
// the same document.
type turns struct {
	mu    sync.Mutex
	lines map[document]*line
}

type document struct {
	collection storage.Collection
	id         string
}

// line are the writes to one document that subscribers have not heard of.
type line struct {
	document document
	turns    []*turn
	// latest is the highest rank of all that were in the line.
	latest int64
	// telling says that somebody tells, and goes on as long as there is something to tell.
	telling bool
	// room is closed when a turn of a full line has ended; nil while nobody waits for it.
	room chan struct{}
}

// turn is one write.
type turn struct {
	line *line
	// after was the highest rank that was known when the turn was taken; its own is higher.
	after int64
	// rank is its place among the writes of the document, 0 until it is done.
	rank int64
	// tell gives word of it, nil until it may.
	tell func()
}

// rankOf orders the writes of a document: a deletion comes after the write whose version it found.
func rankOf(op storage.OpKind, version int64) int64 {
	if op == storage.OpDelete {
		return 2*version + 1
	}
	return 2 * version
}

// take gives a turn to each op, nil where too many wait.
func (q *turns) take(ctx context.Context, where storage.Collection, ops []storage.Op) []*turn {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waitForRoomLocked(ctx, where, ops)
	mine := make([]*turn, len(ops))
	for i, op := range ops {
		d := document{where, op.ID}
		l := q.lines[d]
		if l == nil {
			l = &line{document: d}
			q.lines[d] = l
		}
		if len(l.turns) < maxLine {
			mine[i] = &turn{line: l, after: l.latest}
			l.turns = append(l.turns, mine[i])
		}
	}
	return mine
}

// waitForRoomLocked waits while a line is full that an op has to stand in.
func (q *turns) waitForRoomLocked(ctx context.Context, where storage.Collection, ops []storage.Op) {
	full := q.fullLocked(where, ops)
	if full == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	for ; full != nil && ctx.Err() == nil; full = q.fullLocked(where, ops) {
		if full.room == nil {
			full.room = make(chan struct{})
		}
		room := full.room
		q.unlocked(func() {
			select {
			case <-room:
			case <-ctx.Done():
			}
		})
	}
}

// fullLocked finds a full line that an op has to stand in, nil when there is none.
func (q *turns) fullLocked(where storage.Collection, ops []storage.Op) *line {
	for _, op := range ops {
		if l := q.lines[document{where, op.ID}]; l != nil && len(l.turns) >= maxLine {
			return l
		}
	}
	return nil
}

// made says what became of the ops; those that failed, or all when there are no results, give their
// turn back.
func (q *turns) made(mine []*turn, ops []storage.Op, results []storage.OpResult) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, r := range results {
		if t := mine[i]; t != nil && r.Err == nil {
			t.rank = rankOf(ops[i].Kind, r.Document.Version)
			t.line.latest = max(t.line.latest, t.rank)
		}
	}
	for _, t := range mine {
		if t == nil {
			continue
		}
		if t.rank == 0 {
			t.line.remove(t)
		}
		q.proceedLocked(t.line)
	}
}

// end lets word of a write go out, now or by whoever ends its turn last of those before.
func (q *turns) end(t *turn, tell func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	t.tell = tell
	q.proceedLocked(t.line)
}

// proceedLocked tells what may be told. After a while it leaves the rest to somebody whose turn has yet to end: else one request
// could tell for all others as long as they come.
func (q *turns) proceedLocked(l *line) {
	if l.telling {
		return
	}
	l.telling = true
	defer func() {
		l.telling = false
		if len(l.turns) == 0 && q.lines[l.document] == l {
			delete(q.lines, l.document)
		}
	}()
	for told := 0; told < maxLine || !l.working(); told++ {
		t := l.next()
		if t == nil {
			return
		}
		l.remove(t)
		q.unlocked(t.tell)
	}
}

func (q *turns) unlocked(tell func()) {
	q.mu.Unlock()
	defer q.mu.Lock()
	tell()
}

// next gives the first turn of the line if it may be told: no other can be, or come, before it.
func (l *line) next() *turn {
	var first *turn
	for _, t := range l.turns {
		if t.tell != nil && (first == nil || t.rank < first.rank) {
			first = t
		}
	}
	for _, t := range l.turns {
		if first != nil && t.before(first) {
			return nil
		}
	}
	return first
}

// before reports whether a turn is, or may be found to be, before another one.
func (t *turn) before(other *turn) bool {
	if t.rank == 0 {
		return t.after < other.rank
	}
	return t.rank < other.rank
}

// working reports whether a turn of the line has yet to end.
func (l *line) working() bool {
	return slices.ContainsFunc(l.turns, func(t *turn) bool { return t.tell == nil })
}

func (l *line) remove(t *turn) {
	i := slices.Index(l.turns, t)
	l.turns = slices.Delete(l.turns, i, i+1)
	if l.room != nil {
		close(l.room)
		l.room = nil
	}
}
