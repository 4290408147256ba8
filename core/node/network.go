package node

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/metrics"
	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/network/httpserver"
	"github.com/sluicehq/sluice/core/network/wsserver"
	"github.com/sluicehq/sluice/protocol"
)

// serve opens the door: HTTP, and WebSocket and streams of events through it.
func (n *Node) serve(context.Context) error {
	c := n.options.Config
	base, err := n.networkBase()
	if err != nil {
		return err
	}
	o := httpserver.Options{
		Base: base, Cookies: n.cookies(base), Events: n.eventStreams(base),
		Routes: n.registry.Current, Hosts: hosts(c.Plugins.Hosts), MetricsHandler: metrics.Handler(n.metrics),
		PublicKeys:   n.tokens.PublicKeys,
		Unsent:       network.NewUnsent(int64(c.Server.MaxUnsentSize)),
		AllowMethods: c.HTTP.AccessControlAllowMethods, AllowHeaders: c.HTTP.AccessControlAllowHeaders,
		AllowCompression: c.HTTP.AllowCompression, MaxEncodingLayers: c.HTTP.MaxEncodingLayers,
		AdditionalContentTypes: c.HTTP.AdditionalContentTypes,
		TLS:                    n.tls.config, HSTSMaxAge: c.Server.TLS.HSTSMaxAge, MaxStreams: c.Server.MaxStreams,
		MaxConnections: c.Server.MaxConnections, MaxHeaderBytes: int(c.Server.MaxHeaderSize),
		ReadHeaderTimeout: c.Server.ReadHeaderTimeout, ReadTimeout: c.Server.ReadTimeout,
		WriteTimeout: c.Server.WriteTimeout, IdleTimeout: c.Server.HTTPIdleTimeout,
	}
	if c.WebSocket.Enabled {
		ws := n.webSocket(base)
		n.webSockets.Store(ws)
		o.WebSocket = ws
	}
	n.http = httpserver.New(o)
	n.endStarting()
	go func() { n.served <- n.http.Serve(n.listener) }()
	for id, l := range n.sites {
		go func() { n.served <- n.http.ServeSite(l, id) }()
	}
	n.serveMQTT(base)
	n.serveACME()
	n.onStop(n.stopServing)
	return nil
}

// hosts turns the setting around: from host name to plugin.
func hosts(byPlugin map[string][]string) map[string]string {
	owners := map[string]string{}
	for id, names := range byPlugin {
		for _, name := range names {
			owners[strings.ToLower(name)] = id
		}
	}
	return owners
}

// stopServing refuses new requests, lets those that run end, and closes the door. Clients that only begin to send a
// request do not hold it up for long, and are no failure.
func (n *Node) stopServing(ctx context.Context) error {
	drained := n.funnel.Drain(ctx)
	closed := errors.Join(n.http.Shutdown(ctx), n.stopMQTT(ctx))
	if err := errors.Join(drained, closed); err != nil {
		return fmt.Errorf("requests that still ran were cut off: %w", err)
	}
	return nil
}

func (n *Node) networkBase() (network.Base, error) {
	c := n.options.Config
	origins, err := network.NewOrigins(c.HTTP.AccessControlAllowOrigin, c.HTTP.AccessControlAllowOriginUseRegExp)
	if err != nil {
		return network.Base{}, err
	}
	return network.Base{
		Executor: n.funnel, Gate: n, Logger: n.options.Logger, Metrics: n.counters, Connections: &n.connections,
		Origins: origins, Proxies: c.Server.TrustedProxies, NodeID: n.id, Dev: c.Dev,
		RequestTimeout: c.Limits.RequestTimeout, MaxRequestBytes: int64(c.Server.MaxRequestSize),
		MessageTimeout: c.Server.ReadTimeout, Unfinished: network.NewUnfinished(int64(c.Server.MaxUnfinishedSize)),
	}, nil
}

// cookies decides about the tokens that browsers keep.
func (n *Node) cookies(base network.Base) network.Cookies {
	return network.Cookies{
		On: n.options.Config.HTTP.CookieAuthentication, Origins: base.Origins, Proxies: base.Proxies,
		Own: func(controller, action string) bool {
			entry, _ := n.registry.Current().Action(controller, action)
			return entry != nil && entry.Auth.Own()
		},
	}
}

func (n *Node) webSocket(base network.Base) *wsserver.Server {
	c := n.options.Config.WebSocket
	return wsserver.New(wsserver.Options{
		Base: base, Cookies: n.cookies(base), IdleTimeout: c.IdleTimeout, SendPings: c.SendPingsAutomatically, Compression: c.Compression,
		RateLimit: c.RateLimit, MaxInFlight: c.MaxInFlight, OutboxMessages: c.OutboxMessages, OutboxBytes: int(c.OutboxBytes),
		DropWhenSlow: c.SlowClients == "drop", WriteTimeout: c.WriteTimeout,
		OnOpen: n.opened, OnClose: n.closed,
	})
}

// opened and closed are told of every connection that messages can be sent to.
func (n *Node) opened(conn *protocol.Connection) { n.tell("connection:new", conn) }

func (n *Node) closed(conn *protocol.Connection) {
	n.tokens.Unlink(conn.ID)
	n.realtime.Leave(context.Background(), conn.ID)
	n.tell("connection:remove", conn)
}

// connectionEvent is what hooks learn of a connection.
type connectionEvent struct {
	ID       string   `json:"id"`
	Protocol string   `json:"protocol"`
	IPs      []string `json:"ips"`
}

func (n *Node) tell(event string, conn *protocol.Connection) {
	data := connectionEvent{conn.ID, conn.Protocol, conn.IPs}
	if err := n.bus.Fire(context.Background(), n.registry.Current().Events, event, &events.Payload{Data: data}); err != nil {
		n.options.Logger.Warn("event failed", "event", event, "error", err)
	}
}
