package httpserver

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/protocol/kerror"
)

const (
	// answersRoom is what the answers of one connection of HTTP/2 may hold before further requests of it wait. Twice as much is
	// the end: requests that ran already when the room went are answered that far.
	answersRoom = 8 << 20
	// firstExpected is how large the first answers of a connection are taken to be.
	firstExpected = answersRoom / 16
	// expectantTime is how long a request waits for others that have no answer yet, which may be small in the end.
	expectantTime = time.Second
)

// answers bounds the memory that the answers of one connection of HTTP/2 hold until its client takes them: it decides which stream
// gets on, and none may. How large an answer will be is known when it is there, so requests wait by what those before them got.
// One answer passes however large. The zero value is not ready; make it with newAnswers.
type answers struct {
	mu       sync.Mutex
	held     int64         // bytes of answers
	reserved int64         // bytes for requests that have none yet
	expected int64         // bytes of the next answer
	freed    chan struct{} // closed when there is more room; nil when nobody waits for it
}

func newAnswers() *answers { return &answers{expected: firstExpected} }

// reserve waits until there is room for an answer, for patience at most, and gives what it then reserved.
func (a *answers) reserve(ctx context.Context, patience time.Duration) (bytes int64, ok bool) {
	if bytes, _, ok = a.tryReserve(false); ok {
		return bytes, true
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	expectant := time.NewTimer(expectantTime)
	defer expectant.Stop()
	for alone := false; ; {
		bytes, freed, ok := a.tryReserve(alone)
		if ok {
			return bytes, true
		}
		select {
		case <-freed:
		case <-expectant.C:
			alone = true
		case <-ctx.Done():
			return 0, false
		}
	}
}

// tryReserve gives freed, to wait for, when there is no room. alone leaves out what others have reserved.
func (a *answers) tryReserve(alone bool) (bytes int64, freed <-chan struct{}, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	others := a.held
	if !alone {
		others += a.reserved
	}
	if others == 0 || others+a.expected <= answersRoom {
		a.reserved += a.expected
		return a.expected, nil, true
	}
	if a.freed == nil {
		a.freed = make(chan struct{})
	}
	return 0, a.freed, false
}

// hold exchanges what was reserved for what the answer has; false says that there is no room for it.
func (a *answers) hold(reserved, bytes int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expected = max(bytes, a.expected/2)
	if a.expected <= network.UncountedBytes {
		a.expected = 0
	}
	fits := a.held == 0 || a.held+bytes <= 2*answersRoom
	if fits && bytes > network.UncountedBytes {
		a.held += bytes
	}
	a.freeLocked(reserved, 0)
	return fits
}

// release gives back.
func (a *answers) release(reserved, held int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.freeLocked(reserved, held)
}

func (a *answers) freeLocked(reserved, held int64) {
	a.reserved -= reserved
	a.held -= held
	if a.freed != nil {
		close(a.freed)
		a.freed = nil
	}
}

// room is what an exchange takes for its answer.
type room struct {
	answers        *answers // of the connection; nil unless it is one of HTTP/2 and the request has waited for room
	reserved, held int64
	departure      *network.Departure
}

func (r *room) release() {
	if r.answers != nil {
		r.answers.release(r.reserved, r.held)
		r.answers, r.reserved, r.held = nil, 0, 0
	}
	if r.departure != nil {
		r.departure.End()
		r.departure = nil
	}
}

// awaitRoom lets a request of HTTP/2 wait while its client leaves too many answers of the same connection. It comes before the
// body, so that a request holds nothing while it waits.
func (x *exchange) awaitRoom() error {
	if x.r.ProtoMajor < 2 {
		return nil
	}
	k := socketOf(x.r)
	if k.answers == nil {
		return nil
	}
	reserved, ok := k.answers.reserve(x.r.Context(), x.server.o.ReadTimeout)
	if !ok {
		e := kerror.APIProcessOverloaded.New()
		e.Message = "Too many answers of this connection are not taken yet. Nothing was done: read them, and send the request again."
		return e
	}
	x.room.answers, x.room.reserved = k.answers, reserved
	return nil
}

// hold takes room for an answer until release.
func (x *exchange) hold(bytes int64) error {
	large := bytes > network.UncountedBytes
	if r := &x.room; r.answers != nil {
		fits := r.answers.hold(r.reserved, bytes)
		r.reserved = 0
		if !fits {
			return noRoom(bytes, "Take the other answers of this connection first, or open another")
		}
		if large {
			r.held = bytes
		}
	}
	if !large {
		return nil
	}
	departure, err := x.server.o.Unsent.Add(bytes, func() { socketOf(x.r).drop(x.server.o.Metrics.SlowClients) })
	if err != nil {
		return noRoom(bytes, "Ask for less, or again later; server.maxUnsentSize says how much room there is")
	}
	x.room.departure = departure
	return nil
}

// noRoom refuses an answer, and says what to do.
func noRoom(bytes int64, advice string) error {
	e := kerror.APIProcessOverloaded.New()
	e.Message = "The request was executed, and there is no room for its answer of " + strconv.FormatInt(bytes, 10) + " bytes. " + advice + "."
	return e
}
