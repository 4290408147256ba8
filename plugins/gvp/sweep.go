package main

import (
	"context"
	"time"

	"github.com/sluicehq/sluice/plugins/sdk"
)

const sweepEvery = time.Hour

// sweeper deletes what is over: tokens after their end, and rows of GVP_LogLogin after their time.
type sweeper struct {
	host      *sdk.Host
	retention time.Duration // 0: rows stay
}

func (s sweeper) run(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		s.sweep(ctx, time.Now())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s sweeper) sweep(ctx context.Context, now time.Time) {
	s.before(ctx, tokens, "expiresAt", now)
	if s.retention > 0 {
		s.before(ctx, loginLog, "at", now.Add(-s.retention))
	}
}

func (s sweeper) before(ctx context.Context, collection, field string, end time.Time) {
	query := map[string]any{"query": map[string]any{"range": map[string]any{field: map[string]any{"lt": millis(end)}}}}
	// That of document refuses to delete more than one request may write. A token that was stored in the meantime stays.
	call := sdk.Call{Controller: "bulk", Action: "deleteByQuery", Index: "gvp", Collection: collection, Body: query}
	if _, err := s.host.Call(ctx, call); err != nil && ctx.Err() == nil {
		s.host.Logger().WarnContext(ctx, "what is over was not deleted", "collection", collection, "error", err.Error())
	}
}
