package throttle

import "time"

// address counts the failures from one address as a bucket that leaks.
type address struct {
	failures float64 // as of at
	at       time.Time
}

// wait is how long until the next attempt may begin.
func (a *address) wait(now time.Time, l Limits) time.Duration {
	a.leak(now, l)
	most := float64(l.FailuresPerMinute)
	over := a.failures + 1 - most
	if over <= 0 {
		return 0
	}
	return time.Duration(over/most*float64(time.Minute)) + time.Millisecond
}

func (a *address) harmless(now time.Time, l Limits) bool {
	a.leak(now, l)
	return a.failures == 0
}

func (a *address) fail(now time.Time, l Limits) {
	a.leak(now, l)
	a.failures++
}

func (a *address) leak(now time.Time, l Limits) {
	if since := now.Sub(a.at); since > 0 {
		a.failures = max(0, a.failures-since.Minutes()*float64(l.FailuresPerMinute))
	}
	a.at = now
}

// account counts the failures on one account.
type account struct {
	inARow       int
	lastFailure  time.Time
	blockedUntil time.Time
	// inHour are those of the hour that began at hour.
	inHour int
	hour   time.Time
}

const forgetAfter = time.Hour

// wait is how long until the next attempt may begin, whatever is under way.
func (a *account) wait(now time.Time, l Limits) (wait time.Duration) {
	a.forget(now)
	if now.Before(a.blockedUntil) {
		wait = a.blockedUntil.Sub(now)
	}
	if l.FailuresPerHour > 0 && a.inHour >= l.FailuresPerHour {
		wait = max(wait, a.hour.Add(time.Hour).Sub(now))
	}
	return wait
}

func (a *account) harmless(now time.Time, l Limits) bool {
	return a.wait(now, l) == 0 && a.inARow == 0 && a.inHour == 0
}

func (a *account) fail(now time.Time, l Limits) {
	a.forget(now)
	a.inARow++
	a.inHour++
	a.lastFailure = now
	if l.FailuresInARow > 0 && a.inARow >= l.FailuresInARow {
		a.blockedUntil = now.Add(l.block(a.inARow - l.FailuresInARow))
	}
}

func (a *account) forget(now time.Time) {
	if now.Sub(a.lastFailure) >= forgetAfter {
		a.inARow = 0
	}
	if now.Sub(a.hour) >= time.Hour {
		a.hour, a.inHour = now, 0
	}
}

// block is how long the failure lasts that is the nth beyond those that are borne.
func (l Limits) block(n int) time.Duration {
	d, longest := l.FirstBlock.Duration, l.LongestBlock.Duration
	for range n {
		if d >= longest {
			break
		}
		d *= 2
	}
	return min(d, longest)
}
