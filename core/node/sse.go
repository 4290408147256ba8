package node

import (
	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/network/sseserver"
)

// heartbeats is how many comments a stream of events gets in the silence after which a WebSocket would be closed: proxies in
// front of a node are set to be more patient than that.
const heartbeats = 4

// eventStreams are bound as WebSocket is: to clients it is the same, seen from one side.
func (n *Node) eventStreams(base network.Base) *sseserver.Server {
	c := n.options.Config.WebSocket
	return sseserver.New(sseserver.Options{
		Base: base, Heartbeat: c.IdleTimeout / heartbeats,
		OutboxMessages: c.OutboxMessages, OutboxBytes: int(c.OutboxBytes), WriteTimeout: c.WriteTimeout,
		Subscribed: n.realtime.Subscribed, OnOpen: n.opened, OnClose: n.closed,
	})
}
