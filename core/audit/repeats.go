package audit

import (
	"time"

	"github.com/sluicehq/sluice/protocol"
)

// What nothing came of can be sent by anybody, as often as he likes. The first of its kind is written at once; what repeats
// within a window is counted and written as one line at its end. A window has a bounded number of kinds, so a flood writes
// some hundred KB a minute at most and does not push what matters out of the files.
const (
	window   = time.Minute
	maxKinds = 64
)

// A budget is what events of one sort have for themselves of the kinds in a window: who uses up one hides nothing of another.
type budget string

// The budgets.
const (
	// noBudget is of what is written one by one: what was done, or may have been.
	noBudget budget = ""
	// byUsers, plugins among them, and byAnonymous are of requests that came to nothing.
	byUsers     budget = "requests of users and plugins"
	byAnonymous budget = "requests of anonymous"
	// failedLogins have their own, whoever asked.
	failedLogins budget = "failed logins"
	// withoutUser is of logins that only begin, and logouts of nobody.
	withoutUser budget = "logins and logouts without a user"
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

// repeats counts what repeats. It has one owner at a time.
type repeats struct {
	since   time.Time
	budgets map[budget]*counted
}

// counted is what was seen of a budget.
type counted struct {
	kinds map[kind]*Event
	// others counts those beyond maxKinds.
	others int
}

// admit reports whether an event is written now.
func (r *repeats) admit(b budget, e Event) bool {
	if b == noBudget {
		return true
	}
	if r.budgets == nil {
		r.budgets, r.since = map[budget]*counted{}, e.Time
	}
	c := r.budgets[b]
	if c == nil {
		c = &counted{kinds: map[kind]*Event{}}
		r.budgets[b] = c
	}
	return c.admit(e)
}

func (c *counted) admit(e Event) bool {
	k := kindOf(e)
	if seen := c.kinds[k]; seen != nil {
		if seen.Count++; seen.Count == 1 {
			seen.Since = e.Time
		}
		seen.Time = e.Time
		return false
	}
	if len(c.kinds) == maxKinds {
		c.others++
		return false
	}
	// What differs between repeats is of the first alone.
	e.Request, e.Connection, e.Token, e.Targets, e.Owner, e.Cut = "", "", "", nil, "", false
	c.kinds[k] = &e
	return true
}

// over reports whether the window has ended.
func (r *repeats) over(now time.Time) bool { return r.budgets != nil && now.Sub(r.since) >= window }

// end gives what was counted, and begins anew.
func (r *repeats) end(now time.Time) []Event {
	var all []Event
	for b, c := range r.budgets {
		for _, e := range c.kinds {
			if e.Count > 0 {
				all = append(all, *e)
			}
		}
		if c.others > 0 {
			all = append(all, Event{
				Time: now, Event: Lost, Outcome: Refused, Count: c.others, Since: r.since,
				Facts: map[string]string{"reason": "of too many kinds in a minute: only counted", "of": string(b)},
			})
		}
	}
	*r = repeats{}
	return all
}
