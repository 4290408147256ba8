package audit

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// ofRequest makes the entry of a request and its answer; false for one that is of no interest. known is whether there is such
// an action: names that are none are the client's own words and are left out.
func ofRequest(req *protocol.Request, a *protocol.Response, known bool) (entry, bool) {
	r, listed := audited[req.Controller][req.Action]
	outcome := outcomeOf(a)
	if !listed && (outcome != Refused || a.Status == http.StatusTooManyRequests) {
		return entry{}, false
	}
	c := call{request: req, Event: Event{
		Event: Refusal, Outcome: outcome, User: req.User.KUID(), Token: Fingerprint(req.Token),
		IP: req.Connection.ClientIP, Protocol: req.Connection.Protocol, Connection: req.Connection.ID, Request: req.RequestID,
	}}
	if req.User != nil {
		c.Profiles = req.User.ProfileIDs
	}
	if req.Internal != nil {
		c.Plugin = req.Internal.Plugin
	}
	if a.Error != nil {
		c.Error = cmp.Or(a.Error.ID, string(a.Error.Class))
	}
	if known {
		c.Controller, c.Action = req.Controller, req.Action
	}
	if listed {
		c.fill(r, a)
	}
	return entry{Event: c.Event, budget: c.budget(listed, a)}, true
}

// budget says under which budget the event falls. What was done is written one by one, and so is what may have been, in part:
// whoever leaves in the middle of an action, or breaks it, is told that it failed.
func (c *call) budget(listed bool, a *protocol.Response) budget {
	anonymous := c.User == protocol.AnonymousID
	switch {
	case c.Outcome == Success && anonymous && (c.Event.Event == "login" || c.Event.Event == "logout"):
		return withoutUser
	case c.Outcome == Success:
		return noBudget
	case c.Event.Event == "login":
		return failedLogins
	case listed && c.mayHaveRun() && (!anonymous || undecided(a)):
		return noBudget
	case anonymous && c.Plugin == "":
		return byAnonymous
	default:
		return byUsers
	}
}

// beforeActions are the errors of requests whose user was looked at and whose action was not begun.
var beforeActions = []string{
	kerror.SecurityRightsUnauthorized.ID, kerror.SecurityRightsForbidden.ID, kerror.APIProcessTooManyRequests.ID,
	kerror.CoreFatalServiceUnavailable.ID, // Admit
}

// mayHaveRun reports whether the action of a request that failed was begun, as far as that can be told. A pipe may fail it
// before or after, so errors of pipes count.
func (c *call) mayHaveRun() bool {
	known := c.request.User != nil || c.request.Internal != nil // a plugin may call as nobody
	return known && !slices.Contains(beforeActions, c.Error)
}

// undecided reports whether an error says nothing about what was done. Anonymous has many others from the actions that are
// open to him: an account that is there already, a bad body.
func undecided(a *protocol.Response) bool {
	switch a.Status {
	case http.StatusInternalServerError, http.StatusGatewayTimeout:
		return true
	default:
		return a.Error.ID == kerror.APIProcessConnectionDropped.ID
	}
}

// fill adds what an audited action was about.
func (c *call) fill(r rule, a *protocol.Response) {
	c.Event.Event = r.event
	if result, err := protocol.ParseArgs(a.Result, ""); a.Result != nil && err == nil {
		c.result = result
	}
	if c.Outcome == Success {
		c.Issued = Fingerprint(cmp.Or(issued(c.result), issuedInCookie(c.request.Reply.Header)))
	}
	if (r.event == "login" || r.event == "credentials") && c.strategyKnown() {
		c.Strategy = optional(c.request.Args, "strategy")
	}
	r.targets(c)
}

// strategyKnown reports whether the node looked for the strategy and found it; otherwise its name is the client's own word.
func (c *call) strategyKnown() bool {
	return c.Outcome == Success || strings.HasPrefix(c.Error, "plugin.strategy.") || c.Error == kerror.APIProcessTooManyLoginsRequests.ID
}

// issued finds the token in the answer of an action that makes one.
func issued(result protocol.Args) string {
	for _, name := range []string{"jwt", "token"} {
		if text := optional(result, name); text != "" {
			return text
		}
	}
	if source, err := result.Fields("_source"); err == nil { // of an API key
		return optional(source, "token")
	}
	return ""
}

// issuedInCookie finds the token in the cookie that takes its place in the answer. Logging out sets it to null.
func issuedInCookie(h http.Header) string {
	for _, line := range h["Set-Cookie"] {
		if k, err := http.ParseSetCookie(line); err == nil && k.Name == protocol.TokenCookie && k.Value != "null" {
			return k.Value
		}
	}
	return ""
}

// outcomeOf reads the status; a part that failed is a success with an error.
func outcomeOf(a *protocol.Response) Outcome {
	switch {
	case a.Error == nil || a.Status < http.StatusBadRequest:
		return Success
	case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden || a.Status == http.StatusTooManyRequests:
		return Refused
	default:
		return Failed
	}
}
