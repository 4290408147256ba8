package node

import (
	"context"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/realtime"
)

func (n *Node) openRealtime(context.Context) error {
	c := n.options.Config
	var err error
	n.realtime, err = realtime.New(realtime.Config{
		Outbox: n.outbox, Confirm: sessions{n}.confirm, Pace: n.pace, NodeID: n.id,
		Bus: n.bus, Events: func() *events.Table { return n.registry.Current().Events },
		MaxRooms: c.Limits.SubscriptionRooms, MaxConditions: c.Limits.SubscriptionConditionsCount,
		MaxSubscriptions: c.Limits.SubscriptionsPerConnection, MaxFilterBytes: int64(c.Limits.SubscriptionBytes),
		History: realtime.HistoryLimits{
			Window: c.Realtime.ResumeWindow, Messages: c.Realtime.HistoryMessages, Bytes: int64(c.Realtime.HistoryBytes),
			Rooms: c.Realtime.IdleRooms, Replay: int64(c.WebSocket.OutboxBytes) / 2,
		},
		Logger: n.options.Logger, Metrics: n.metrics,
	})
	if err != nil {
		return err
	}
	n.onStop(func(context.Context) error { n.realtime.Close(); return nil })
	n.recheckSubscriptions()
	return nil
}

// outbox finds the way to an open connection.
func (n *Node) outbox(connection string) realtime.Outbox {
	if c := n.connections.Get(connection); c != nil {
		return c
	}
	return nil
}

// pace waits while WebSocket clients have more waiting for them than can be written soon.
func (n *Node) pace(ctx context.Context) {
	if ws := n.webSockets.Load(); ws != nil {
		ws.Pace(ctx)
	}
}
