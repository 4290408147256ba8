package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/sluicehq/sluice/plugins/sdk"
)

// handler is an action of the service; its errors are failures, or faults that asFailure reads.
type handler func(ctx context.Context, r *sdk.Request) (any, error)

// serve makes h an action: it forbids that answers are kept, counts, and gives errors their form.
func (p *plugin) serve(route string, h handler) sdk.Handler {
	return func(ctx context.Context, r *sdk.Request) (any, error) {
		began := time.Now()
		r.Reply.SetHeader("Cache-Control", "no-store")
		result, err := h(ctx, r)
		code := "ok"
		var failed *failure
		if err != nil {
			var known bool
			failed, known = asFailure(err)
			code = failed.code
			if !known {
				p.host.Logger().LogAttrs(ctx, slog.LevelError, "request failed",
					slog.String("action", r.Controller+":"+r.Action), slog.String("route", route), slog.String("code", code), slog.String("error", err.Error()))
			}
		}
		took := time.Since(began)
		p.metrics.served(route, code, took)
		p.host.Logger().LogAttrs(ctx, slog.LevelDebug, "request served",
			slog.String("action", r.Controller+":"+r.Action), slog.String("route", route), slog.String("code", code), slog.Duration("took", took))
		if failed != nil {
			return failed.answer(r)
		}
		return result, nil
	}
}

// argument gives what clients over HTTP routes send as a header, and others as an argument, which decides when it is there.
// Over WebSocket there are no headers but those of the upgrade, which may be somebody else's. A query never holds it, because
// queries are written down on the way.
func argument(r *sdk.Request, header, name string) string {
	if !r.Args.FromText() && r.Args.Has(name) {
		text, _ := r.Args.String(name) // what is no text is none
		return text
	}
	if r.Connection.Protocol == "websocket" {
		return ""
	}
	return r.Connection.Header.Get(header)
}
