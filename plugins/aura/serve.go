package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/throttle"
	"github.com/sluicehq/sluice/plugins/sdk/upstream"
)

// call is a request that may come through.
type call struct {
	*sdk.Request
	correlator string
	// key is nil where none is needed.
	key *apiKey
	// bearer is an access token of Kernel in place of a key, "" for none.
	bearer string
}

// actor names who asks, in what is kept.
func (c *call) actor() string {
	if c.key != nil {
		return "key:" + c.key.KID
	}
	return "callback"
}

// handler is an endpoint. Its errors are problems, or faults that asProblem reads.
type handler func(ctx context.Context, c *call) (any, error)

// serve makes h an action: it looks at the key, counts, logs, and gives errors their form.
func (p *plugin) serve(route string, a access, h handler) sdk.Handler {
	a.route = route
	return func(ctx context.Context, r *sdk.Request) (any, error) {
		began := time.Now()
		c := &call{Request: r, correlator: upstream.Correlator(r.Connection.Header.Get(upstream.CorrelatorHeader))}
		r.Reply.SetHeader("X-Correlator", c.correlator)
		r.Reply.SetHeader("Cache-Control", "no-store")
		result, err := p.admit(ctx, c, a, h)
		if err != nil {
			failed := asProblem(err)
			p.done(ctx, c, route, failed.status, began, failed)
			if r.Reply.Raw { // a body of its own kind was on its way
				r.Reply.Raw, r.Reply.ContentType = false, ""
			}
			return failed.answer(r)
		}
		p.done(ctx, c, route, max(r.Reply.Status, http.StatusOK), began, nil)
		return result, nil
	}
}

// admit calls h when the credentials allow it. Wrong ones count against the address they come from; a good key is good
// wherever it comes from, and callbacks, which have none, count apart.
func (p *plugin) admit(ctx context.Context, c *call, a access, h handler) (any, error) {
	switch {
	case a.state:
		return p.counted(ctx, c, p.callbacks, h)
	case a.keyless || a.address && p.fromAllowedAddress(c):
		return h(ctx, c)
	}
	if err := p.authenticate(ctx, c, a); err != nil {
		return p.counted(ctx, c, p.failures, func(context.Context, *call) (any, error) { return nil, err })
	}
	if c.bearer != "" { // what it is good for shows in h
		return p.counted(ctx, c, p.failures, h)
	}
	return h(ctx, c)
}

// counted calls h unless too much from the same address was refused.
func (p *plugin) counted(ctx context.Context, c *call, by *throttle.Throttle, h handler) (any, error) {
	attempt, wait, err := by.Begin(ctx, c.Connection.ClientIP, "")
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		p.metrics.throttled.Inc()
		return nil, &problem{kind: tooManyRequests, message: "too many refused requests", retryAfter: wait}
	}
	defer attempt.Drop()
	result, err := h(ctx, c)
	if err != nil && asProblem(err).kind == unauthenticated {
		attempt.Fail()
		if by == p.failures {
			c.Reply.SetHeader("WWW-Authenticate", `APIKEY realm="aura-services"`)
		}
	}
	return result, err
}

// done counts and logs a request, by the template of its route: values in paths stay out of both.
func (p *plugin) done(ctx context.Context, c *call, route string, status int, began time.Time, failed *problem) {
	took := time.Since(began)
	code, level := "OK", slog.LevelDebug
	if failed != nil {
		code, level = failed.code, slog.LevelInfo
	}
	p.metrics.served(route, code, took)
	attributes := []slog.Attr{
		slog.String("correlator", c.correlator), slog.String("route", route), slog.String("code", code),
		slog.Int("status", status), slog.Duration("took", took),
	}
	if c.key != nil {
		attributes = append(attributes, slog.String("kid", c.key.KID))
	}
	if failed != nil && failed.status >= http.StatusInternalServerError {
		level = slog.LevelWarn
		if failed.kind == internalError {
			level = slog.LevelError
		}
		attributes = append(attributes, slog.String("error", failed.Error()))
	}
	p.host.Logger().LogAttrs(ctx, level, "request", attributes...)
}
