package audit

import (
	"time"

	"github.com/sluicehq/sluice/protocol"
)

// What did not succeed can be sent by anybody, as often as he likes. The first of its kind is written at once; what repeats
// within a window is counted and written as one line at its end. A window has a bounded number of kinds, so a flood writes
// some tens of KB a minute and does not push what matters out of the files.
const (
	window   = time.Minute
	maxKinds = 64
)

// kind is what makes two events the same.
type kind struct {
	event, user, ip, plugin, controller, action, err string
	outcome                                          Outcome
}

func kindOf(e Event) kind {
	k := kind{event: e.Event, ip: e.IP, plugin: e.Plugin, controller: e.Controller, action: e.Action, err: e.Error, outcome: e.Outcome}
	if e.User != protocol.AnonymousID {
		k.user = e.User
	}
	return k
}

// repeats counts what did not succeed. It has one owner at a time.
type repeats struct {
	since time.Time
	kinds map[kind]*Event
	// others counts those beyond maxKinds.
	others int
}

// admit reports whether an event is written now.
func (r *repeats) admit(e Event) bool {
	if r.kinds == nil {
		r.kinds, r.since = map[kind]*Event{}, e.Time
	}
	k := kindOf(e)
	if seen := r.kinds[k]; seen != nil {
		if seen.Count++; seen.Count == 1 {
			seen.Since = e.Time
		}
		seen.Time = e.Time
		return false
	}
	if len(r.kinds) == maxKinds {
		r.others++
		return false
	}
	// What differs between repeats is of the first alone.
	e.Request, e.Connection, e.Token, e.Targets, e.Owner = "", "", "", nil, ""
	r.kinds[k] = &e
	return true
}

// over reports whether the window has ended.
func (r *repeats) over(now time.Time) bool { return r.kinds != nil && now.Sub(r.since) >= window }

// end gives what was counted, and begins anew.
func (r *repeats) end(now time.Time) []Event {
	var all []Event
	for _, e := range r.kinds {
		if e.Count > 0 {
			all = append(all, *e)
		}
	}
	if r.others > 0 {
		all = append(all, Event{
			Time: now, Event: Lost, Outcome: Refused, Count: r.others, Since: r.since,
			Facts: map[string]string{"reason": "requests of too many kinds did not succeed: only counted"},
		})
	}
	*r = repeats{}
	return all
}
