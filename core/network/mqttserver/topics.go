package mqttserver

import (
	"strings"
	"sync"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/sluicehq/sluice/core/realtime"
)

// refused is the code in SUBACK of a subscription that is not granted.
const refused = 0x80

// topics are who subscribed to what, for messages that go to everybody who did.
type topics struct {
	mu          sync.RWMutex
	subscribers map[string]map[*conn]struct{}
}

func (t *topics) add(topic string, c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.subscribers[topic] == nil {
		t.subscribers[topic] = map[*conn]struct{}{}
	}
	t.subscribers[topic][c] = struct{}{}
}

func (t *topics) remove(topic string, c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.subscribers[topic], c)
	if len(t.subscribers[topic]) == 0 {
		delete(t.subscribers, topic)
	}
}

// publish sends a message to everybody who subscribed to the topic.
func (t *topics) publish(topic string, payload []byte) {
	t.mu.RLock()
	all := make([]*conn, 0, len(t.subscribers[topic]))
	for c := range t.subscribers[topic] {
		all = append(all, c)
	}
	t.mu.RUnlock()
	f := publication(topic, payload, nil)
	for _, c := range all {
		c.push(f)
	}
}

// isTopic reports whether a topic can be named here at all.
func isTopic(topic string) bool {
	return topic != "" && len(topic) <= maxNameBytes && !strings.ContainsAny(topic, "+#")
}

// mayPublish reports whether clients may publish to each other on a topic.
func (s *Server) mayPublish(topic string) bool {
	return s.o.AllowPubSub && isTopic(topic) && topic[0] != '$' &&
		topic != s.o.RequestTopic && topic != s.o.ResponseTopic && !realtime.IsChannel(topic)
}

// subscribe answers SUBSCRIBE.
func (c *conn) subscribe(pk packets.Packet) {
	codes := make([]byte, len(pk.Filters))
	for i, filter := range pk.Filters {
		if !c.hear(filter.Filter) {
			codes[i] = refused
		}
	}
	c.push(acknowledgement(packets.Suback, pk.PacketID, codes...))
}

// hear subscribes to one topic.
func (c *conn) hear(topic string) bool {
	if !isTopic(topic) || topic == c.server.o.RequestTopic {
		return false
	}
	topic = strings.Clone(topic) // it refers to the whole packet
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, already := c.heard[topic]; already {
		return true
	}
	if len(c.heard) >= c.server.o.MaxSubscriptions {
		return false
	}
	c.heard[topic] = struct{}{}
	c.server.topics.add(topic, c)
	return true
}

// unsubscribe answers UNSUBSCRIBE.
func (c *conn) unsubscribe(pk packets.Packet) {
	c.mu.Lock()
	for _, filter := range pk.Filters {
		delete(c.heard, filter.Filter)
		c.server.topics.remove(filter.Filter, c)
	}
	c.mu.Unlock()
	c.push(acknowledgement(packets.Unsuback, pk.PacketID))
}

// hearNothing ends all subscriptions.
func (c *conn) hearNothing() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for topic := range c.heard {
		c.server.topics.remove(topic, c)
	}
	clear(c.heard)
}

// hears reports whether the client subscribed to a topic.
func (c *conn) hears(topic string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	_, ok := c.heard[topic]
	return ok
}
