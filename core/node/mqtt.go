package node

import (
	"context"
	"fmt"
	"net"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/network/mqttserver"
)

// mqtt is MQTT on a port of its own; the zero value is a node without it.
type mqtt struct {
	listener net.Listener
	server   *mqttserver.Server
}

// MQTTAddress is where MQTT clients connect, host and port; "" when the node speaks no MQTT.
func (n *Node) MQTTAddress() string {
	if n.mqtt.listener == nil {
		return ""
	}
	return n.mqtt.listener.Addr().String()
}

func (n *Node) listenMQTT(ctx context.Context) error {
	c := n.options.Config
	if !c.MQTT.Enabled {
		return nil
	}
	var err error
	if n.mqtt.listener, err = n.listenOn(ctx, c.MQTT.Address(c.Server.Host)); err != nil {
		return fmt.Errorf("listen for MQTT: %w (%s)", err, listenAdvice(err, "the setting mqtt.port"))
	}
	return nil
}

func (n *Node) serveMQTT(base network.Base) {
	if n.mqtt.listener == nil {
		return
	}
	c := n.options.Config.MQTT
	n.mqtt.server = mqttserver.New(mqttserver.Options{
		Base: base, TLS: n.tls.config, RequestTopic: c.RequestTopic, ResponseTopic: c.ResponseTopic, AllowPubSub: c.AllowPubSub,
		Broadcast: c.DevelopmentMode && n.options.Config.Dev, Notifications: c.RealtimeNotifications,
		DisconnectDelay: c.DisconnectDelay, MaxConnections: c.MaxConnections, MaxSubscriptions: c.MaxSubscriptions,
		MaxInFlight: c.MaxInFlight, OutboxMessages: c.OutboxMessages, OutboxBytes: int(c.OutboxBytes),
		WriteTimeout: c.WriteTimeout, ConnectTimeout: c.ConnectTimeout, IdleTimeout: c.IdleTimeout,
		OnOpen: n.opened, OnClose: n.closed,
	})
	go func() { n.served <- n.mqtt.server.Serve(n.mqtt.listener) }()
}

func (n *Node) stopMQTT(ctx context.Context) error {
	if n.mqtt.server == nil {
		return nil
	}
	return n.mqtt.server.Shutdown(ctx)
}
