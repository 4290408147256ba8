package throttle

import (
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// counts are the failures of one address or account.
type counts interface {
	// wait is how long until the next attempt may begin.
	wait(now time.Time, l Limits) time.Duration
	fail(now time.Time, l Limits)
	// harmless reports whether nothing changes when they are forgotten.
	harmless(now time.Time, l Limits) bool
}

// memory holds a bounded number of counts, of failures only: asking adds none. Those that block or have blocked are kept apart,
// so that others, of which anybody can make as many as he likes, do not push them out. Both are in the order of their last
// failure, so that the first is harmless if any is.
type memory[C counts] struct {
	limits       Limits
	few, blocked *simplelru.LRU[name, C]
	empty        func() C
}

func newMemory[C counts](l Limits, empty func() C) (m memory[C], err error) {
	m = memory[C]{limits: l, empty: empty}
	if m.few, err = simplelru.NewLRU[name, C](l.MaxEntries, nil); err != nil {
		return m, err
	}
	m.blocked, err = simplelru.NewLRU[name, C](l.MaxEntries, nil)
	return m, err
}

// find leaves the order as it is.
func (m *memory[C]) find(n name) (c C, known bool) {
	if c, known = m.blocked.Peek(n); known {
		return c, true
	}
	return m.few.Peek(n)
}

func (m *memory[C]) fail(n name, now time.Time) {
	c, known := m.find(n)
	if !known {
		m.makeRoom(now)
		c = m.empty()
	}
	c.fail(now, m.limits)
	if !m.blocked.Contains(n) && c.wait(now, m.limits) == 0 {
		m.few.Add(n, c)
		return
	}
	m.few.Remove(n)
	m.blocked.Add(n, c)
}

// makeRoom forgets one where there are as many as there may be.
func (m *memory[C]) makeRoom(now time.Time) {
	if m.len() < m.limits.MaxEntries {
		return
	}
	_, longest, found := m.blocked.GetOldest()
	if found && longest.harmless(now, m.limits) || m.few.Len() == 0 {
		m.blocked.RemoveOldest()
		return
	}
	m.few.RemoveOldest()
}

func (m *memory[C]) len() int { return m.few.Len() + m.blocked.Len() }
