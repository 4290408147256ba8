package throttle

// maxWaiting is how many may wait for the attempts under way on one account, and how many from one address.
const maxWaiting = 64

// busy is an account with attempts under way.
type busy struct {
	underWay, waiting int
	// settled is closed when an attempt is settled; nil when nobody waits for that.
	settled chan struct{}
}

// full reports whether the attempts under way would be all that may fail.
func (b *busy) full(failed account, l Limits) bool {
	return l.FailuresInARow > 0 && b.underWay >= max(1, l.FailuresInARow-failed.inARow) ||
		l.FailuresPerHour > 0 && failed.inHour+b.underWay >= l.FailuresPerHour
}

func (t *Throttle) busyLocked(on name) *busy {
	b := t.busy[on]
	if b == nil {
		b = new(busy)
		t.busy[on] = b
	}
	return b
}

// waitLocked gives what is closed when asking again makes sense, or nil when too many wait already. Who gets it calls leave.
func (t *Throttle) waitLocked(a *Attempt, b *busy) <-chan struct{} {
	if b.waiting >= maxWaiting || t.waiting[a.from] >= maxWaiting {
		return nil
	}
	b.waiting++
	if a.byIP {
		t.waiting[a.from]++
	}
	if b.settled == nil {
		b.settled = make(chan struct{})
	}
	return b.settled
}

func (t *Throttle) leave(a *Attempt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.busy[a.on].waiting--
	t.tidyLocked(a.on)
	if !a.byIP {
		return
	}
	if t.waiting[a.from]--; t.waiting[a.from] == 0 {
		delete(t.waiting, a.from)
	}
}

// endLocked counts an attempt as no longer under way, and wakes who waits for that.
func (t *Throttle) endLocked(on name) {
	b := t.busy[on]
	b.underWay--
	if b.settled != nil {
		close(b.settled)
		b.settled = nil
	}
	t.tidyLocked(on)
}

func (t *Throttle) tidyLocked(on name) {
	if b := t.busy[on]; b.underWay == 0 && b.waiting == 0 {
		delete(t.busy, on)
	}
}
