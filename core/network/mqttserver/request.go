package mqttserver

import (
	"errors"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// stallTime is how long a connection with too many requests is not read; see the package.
const stallTime = time.Second

var (
	errUnauthorised = errors.New("it published on a topic that is not for clients")
	errUnreleased   = errors.New("it has too many messages of QoS 2 that are not finished")
)

// publish handles a message of the client; with an error the connection ends.
func (c *conn) publish(pk packets.Packet) error {
	if code := pk.PublishValidate(0); code != packets.CodeSuccess {
		return code
	}
	if pk.TopicName != c.server.o.RequestTopic && !c.server.mayPublish(pk.TopicName) {
		return errUnauthorised
	}
	if pk.FixedHeader.Qos == 2 {
		if _, again := c.unreleased[pk.PacketID]; again {
			c.push(acknowledgement(packets.Pubrec, pk.PacketID))
			return nil
		}
		if len(c.unreleased) >= c.server.o.MaxInFlight {
			return errUnreleased
		}
		c.unreleased[pk.PacketID] = struct{}{}
	}
	if err := c.dispatch(pk); err != nil {
		return err
	}
	switch pk.FixedHeader.Qos {
	case 1:
		c.push(acknowledgement(packets.Puback, pk.PacketID))
	case 2:
		c.push(acknowledgement(packets.Pubrec, pk.PacketID))
	}
	return nil
}

// dispatch hands a message to whom it is for.
func (c *conn) dispatch(pk packets.Packet) error {
	metrics := &c.server.o.Metrics.MQTT
	metrics.Received.Add(float64(len(pk.Payload)))
	if pk.TopicName != c.server.o.RequestTopic {
		return c.share(pk.TopicName, pk.Payload)
	}
	metrics.Requests.Inc()
	if !c.takeSlot() {
		c.refuseMessage(pk.Payload, kerror.APIProcessOverloaded.New())
		return nil
	}
	c.requests.Go(func() {
		defer func() { <-c.slots }()
		c.handle(pk.Payload)
	})
	return nil
}

// share sends a message to the other clients.
func (c *conn) share(topic string, payload []byte) error {
	if err := c.server.o.AdmitMessage(c.local, c.info); err != nil {
		return err
	}
	c.server.topics.publish(topic, payload)
	return nil
}

// takeSlot waits for room for one more request, once for stallTime.
func (c *conn) takeSlot() bool {
	select {
	case c.slots <- struct{}{}:
		c.refusing = false
		return true
	default:
	}
	if c.refusing {
		return false
	}
	patience := time.NewTimer(stallTime)
	defer patience.Stop()
	select {
	case c.slots <- struct{}{}:
		return true
	case <-patience.C:
	case <-c.ctx.Done():
	}
	c.refusing = true
	return false
}

// handle executes one message; many run at a time.
func (c *conn) handle(message []byte) {
	req, err := c.decode(message)
	if err == nil {
		err = c.server.o.AdmitMessage(c.local, c.info)
	}
	if err != nil {
		c.refuse(req, err)
		return
	}
	c.answer(c.server.o.Run(c.ctx, req))
}

// decode reads an envelope. Whatever is wrong with it is one error over MQTT.
func (c *conn) decode(message []byte) (*protocol.Request, error) {
	broken := kerror.NetworkMQTTUnexpectedError
	req, err := network.DecodeMessage(message, c.info, broken)
	if err != nil && !errors.Is(err, broken) {
		err = broken.Wrap(err, err.Error())
	}
	return req, err
}

// refuseMessage answers a message without executing it.
func (c *conn) refuseMessage(message []byte, err error) {
	req, decodeErr := c.decode(message)
	if decodeErr != nil {
		err = decodeErr
	}
	c.refuse(req, err)
}

func (c *conn) refuse(req *protocol.Request, err error) {
	if req.RequestID == "" {
		req.RequestID = network.NewID()
	}
	c.answer(c.server.o.Fail(req, err))
}

// answer sends an answer to a client that wants to hear it. For one that does not it counts as sent all the same.
func (c *conn) answer(resp *protocol.Response) {
	topic := c.server.o.ResponseTopic
	buf := network.GetBuffer()
	buf.B = resp.Append(buf.B, "")
	if len(buf.B) > maxPayloadBytes { // no packet can carry it
		buf.Release()
		resp.Answered(false)
		c.stop()
		return
	}
	switch {
	case c.server.o.Broadcast:
		c.server.topics.publish(topic, append([]byte(nil), buf.B...))
		buf.Release()
		resp.Answered(!c.out.isClosed())
	case c.hears(topic):
		resp.Answered(c.push(publication(topic, buf.B, buf)))
	default:
		buf.Release()
		resp.Answered(!c.out.isClosed())
	}
}
