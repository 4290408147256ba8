package audit

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// ofRequest makes the event of a request and its answer; false for one that is of no interest. known is whether there is such
// an action: names that are none are the client's own words and are left out.
func ofRequest(req *protocol.Request, a *protocol.Response, known bool) (Event, bool) {
	r, listed := audited[req.Controller][req.Action]
	outcome := outcomeOf(a)
	if !listed && (outcome != Refused || a.Status == http.StatusTooManyRequests) {
		return Event{}, false
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
	return c.Event, true
}

// fill adds what an audited action was about.
func (c *call) fill(r rule, a *protocol.Response) {
	c.Event.Event = r.event
	if result, err := protocol.ParseArgs(a.Result, ""); a.Result != nil && err == nil {
		c.result = result
	}
	if c.Outcome == Success {
		c.Issued = Fingerprint(issued(c.result))
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
