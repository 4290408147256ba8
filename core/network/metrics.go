package network

import (
	"fmt"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the counters of the edge.
type Metrics struct {
	HTTP      Traffic
	WebSocket Traffic
	MQTT      Traffic
	// Refused counts connections closed because there were too many.
	Refused prometheus.Counter
	// SlowClients counts connections closed because the client did not read.
	SlowClients prometheus.Counter
	// Dropped counts messages that were waiting for such a client, or came after its connection was closed.
	Dropped prometheus.Counter

	sockets    atomic.Int64 // all, those that became WebSocket included
	webSockets atomic.Int64
	mqtt       atomic.Int64
}

// Traffic counts what one protocol carries.
type Traffic struct {
	// Requests counts what reached the node, answered by an action or not.
	Requests prometheus.Counter
	// Received and Sent count bytes of bodies and messages, without headers and frames.
	Received prometheus.Counter
	Sent     prometheus.Counter
}

// NewMetrics registers the counters.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{}
	requests := counters("requests_total", "Requests that reached the node.")
	received := counters("received_bytes_total", "Bytes of bodies and messages received.")
	sent := counters("sent_bytes_total", "Bytes of bodies and messages sent.")
	m.HTTP = Traffic{requests.WithLabelValues("http"), received.WithLabelValues("http"), sent.WithLabelValues("http")}
	m.WebSocket = Traffic{requests.WithLabelValues("websocket"), received.WithLabelValues("websocket"), sent.WithLabelValues("websocket")}
	m.MQTT = Traffic{requests.WithLabelValues("mqtt"), received.WithLabelValues("mqtt"), sent.WithLabelValues("mqtt")}
	m.Refused = counter("refused_connections_total", "Connections closed because server.maxConnections or mqtt.maxConnections was reached.")
	m.SlowClients = counter("slow_clients_total", "Connections and event streams closed because the client did not read.")
	m.Dropped = counter("dropped_messages_total", "Messages dropped because their client did not read them, or was gone.")
	for _, c := range []prometheus.Collector{
		requests, received, sent, m.Refused, m.SlowClients, m.Dropped,
		connections("http", func() float64 { return float64(m.sockets.Load() - m.webSockets.Load()) }),
		connections("websocket", func() float64 { return float64(m.webSockets.Load()) }),
		connections("mqtt", func() float64 { return float64(m.mqtt.Load()) }),
	} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register network metrics: %w", err)
		}
	}
	return m, nil
}

// WebSocketOpened and WebSocketClosed count the connections that left HTTP.
func (m *Metrics) WebSocketOpened() { m.webSockets.Add(1) }

// WebSocketClosed is the opposite of WebSocketOpened.
func (m *Metrics) WebSocketClosed() { m.webSockets.Add(-1) }

// MQTTOpened and MQTTClosed count MQTT clients.
func (m *Metrics) MQTTOpened() { m.mqtt.Add(1) }

// MQTTClosed is the opposite of MQTTOpened.
func (m *Metrics) MQTTClosed() { m.mqtt.Add(-1) }

func counters(name, help string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "sluice", Subsystem: "network", Name: name, Help: help}, []string{"protocol"})
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "sluice", Subsystem: "network", Name: name, Help: help})
}

func connections(protocol string, count func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "sluice", Subsystem: "network", Name: "connections", Help: "Connections open.",
		ConstLabels: prometheus.Labels{"protocol": protocol},
	}, count)
}
