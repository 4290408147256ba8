package config

import (
	"cmp"
	"net"
	"strconv"
	"strings"
	"time"
)

// MQTT is the section mqtt.
type MQTT struct {
	Enabled               bool          `config:"enabled" doc:"Offer MQTT 3.1.1 on a port of its own."`
	Host                  string        `config:"host" doc:"Address to listen on; empty = server.host."`
	Port                  int           `config:"port" doc:"Port of MQTT; 0 lets the system choose one." min:"0" max:"65535"`
	RequestTopic          string        `config:"requestTopic" doc:"Topic on which clients publish requests."`
	ResponseTopic         string        `config:"responseTopic" doc:"Topic on which a client gets the answers to its own requests."`
	AllowPubSub           bool          `config:"allowPubSub" doc:"Let clients publish to each other on all other topics, without rights and past every plugin."`
	DevelopmentMode       bool          `config:"developmentMode" doc:"Send answers to every client that subscribed to mqtt.responseTopic; has no effect without dev."`
	RealtimeNotifications bool          `config:"realtimeNotifications" doc:"Deliver notifications of subscriptions over MQTT."`
	DisconnectDelay       time.Duration `config:"disconnectDelay" doc:"How long the last requests of a client that left may still run." min:"0s"`
	MaxConnections        int           `config:"maxConnections" doc:"Clients connected at once; one more is closed at once." min:"1"`
	MaxSubscriptions      int           `config:"maxSubscriptions" doc:"Topics that one client may subscribe to." min:"1"`
	MaxInFlight           int           `config:"maxInFlight" doc:"Requests of one client executed at once, and its messages of QoS 2 that are not finished." min:"1"`
	OutboxMessages        int           `config:"outboxMessages" doc:"Messages waiting for one slow client; one more closes its connection." min:"1"`
	OutboxBytes           Size          `config:"outboxBytes" doc:"The same bound in bytes." min:"64KB"`
	WriteTimeout          time.Duration `config:"writeTimeout" doc:"Time for a client to take one message." min:"1ms"`
	ConnectTimeout        time.Duration `config:"connectTimeout" doc:"Time for a client to say who it is." min:"1ms"`
	IdleTimeout           time.Duration `config:"idleTimeout" doc:"Silence after which a connection is closed, whatever its client asked for with keep alive." min:"1s"`
}

func defaultMQTT() MQTT {
	return MQTT{
		Port:                  1883,
		RequestTopic:          "Kuzzle/request",
		ResponseTopic:         "Kuzzle/response",
		RealtimeNotifications: true,
		DisconnectDelay:       250 * time.Millisecond,
		MaxConnections:        10000,
		MaxSubscriptions:      256,
		MaxInFlight:           64,
		OutboxMessages:        4096,
		OutboxBytes:           4 * MB,
		WriteTimeout:          10 * time.Second,
		ConnectTimeout:        10 * time.Second,
		IdleTimeout:           30 * time.Minute,
	}
}

// Address is host and port in the form that net.Listen takes; otherwise is the host when the section names none.
func (m MQTT) Address(otherwise string) string {
	return net.JoinHostPort(cmp.Or(m.Host, otherwise), strconv.Itoa(m.Port))
}

// mqtt checks the topics, which clients must be able to name and tell apart.
func (v *validation) mqtt() {
	m := v.config.MQTT
	for _, topic := range []struct{ path, value string }{
		{"mqtt.requestTopic", m.RequestTopic},
		{"mqtt.responseTopic", m.ResponseTopic},
	} {
		const longest = 256
		if topic.value == "" || len(topic.value) > longest || strings.ContainsAny(topic.value, "+#\x00") || topic.value[0] == '$' {
			v.mistake(topic.path, "give a topic of at most 256 bytes such as Kuzzle/request, without + and #, which does not begin with $", "%q is none", topic.value)
		}
	}
	if m.RequestTopic == m.ResponseTopic {
		v.mistake("mqtt.responseTopic", "give another topic than mqtt.requestTopic", "%q is both", m.ResponseTopic)
	}
}
