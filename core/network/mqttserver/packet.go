package mqttserver

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/sluicehq/sluice/core/network"
)

const (
	version = 4 // of the protocol: 3.1.1
	// maxNameBytes bounds topics and client identifiers.
	maxNameBytes = 1024
	// maxControlBytes bounds every packet that carries no message.
	maxControlBytes = 64 << 10
	// maxPayloadBytes is what a packet with any topic can carry.
	maxPayloadBytes = 1<<28 - 1 - 2 - maxNameBytes
	// readAtOnce is how much is allocated for a packet before its bytes are there.
	readAtOnce = 16 << 10
)

var (
	errTooBig     = errors.New("the packet is too big")
	errUnexpected = errors.New("no client may send this packet here")
)

// readFixed reads the fixed header of a packet, and checks its length. maxPayload is for PUBLISH.
func readFixed(r *bufio.Reader, maxPayload int64) (packets.FixedHeader, error) {
	var fixed packets.FixedHeader
	first, err := r.ReadByte()
	if err != nil {
		return fixed, err
	}
	if err := fixed.Decode(first); err != nil {
		return fixed, err
	}
	if fixed.Remaining, err = readLength(r); err != nil {
		return fixed, err
	}
	limit := int64(maxControlBytes)
	if fixed.Type == packets.Publish {
		limit = maxPayload + maxNameBytes + 4 // the length of the topic, the packet id
	}
	if int64(fixed.Remaining) > limit {
		return fixed, errTooBig
	}
	return fixed, nil
}

// readLength reads a number of at most four bytes, seven bits in each.
func readLength(r io.ByteReader) (int, error) {
	n := 0
	for shift := 0; shift < 28; shift += 7 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		n |= int(b&0x7f) << shift
		if b&0x80 == 0 {
			return n, nil
		}
	}
	return 0, packets.ErrMalformedVariableByteInteger
}

// readBody reads n bytes into memory of their own, which grows as they come.
func readBody(r io.Reader, n int) ([]byte, error) {
	if n <= readAtOnce {
		body := make([]byte, n)
		_, err := io.ReadFull(r, body)
		return body, err
	}
	var body bytes.Buffer
	_, err := io.CopyN(&body, r, int64(n))
	return body.Bytes(), err
}

// decode reads the packets that a connected client may send. The packet refers to body.
func decode(fixed packets.FixedHeader, body []byte) (pk packets.Packet, err error) {
	defer func() {
		if v := recover(); v != nil { // the library reads what strangers made up
			err = fmt.Errorf("decode: %v", v)
		}
	}()
	pk = packets.Packet{FixedHeader: fixed, ProtocolVersion: version}
	switch fixed.Type {
	case packets.Publish:
		err = pk.PublishDecode(body)
	case packets.Pubrel:
		err = pk.PubrelDecode(body)
	case packets.Subscribe:
		err = pk.SubscribeDecode(body)
	case packets.Unsubscribe:
		err = pk.UnsubscribeDecode(body)
	case packets.Pingreq, packets.Disconnect:
		if len(body) > 0 {
			err = errUnexpected
		}
	default: // what only a server sends; and no client has to acknowledge QoS 0
		err = errUnexpected
	}
	return pk, err
}

// publication is the frame of a message of QoS 0.
func publication(topic string, payload []byte, loan *network.Buffer) frame {
	fixed := packets.FixedHeader{Type: packets.Publish, Remaining: 2 + len(topic) + len(payload)}
	var head bytes.Buffer
	fixed.Encode(&head)
	head.Write(binary.BigEndian.AppendUint16(nil, uint16(len(topic)))) //nolint:gosec // topics are at most maxNameBytes long
	head.WriteString(topic)
	return frame{head: head.Bytes(), body: payload, loan: loan}
}

// acknowledgement is the frame of a packet that holds nothing but the id of another.
func acknowledgement(kind byte, id uint16, codes ...byte) frame {
	var head bytes.Buffer
	fixed := packets.FixedHeader{Type: kind, Remaining: 2 + len(codes)}
	fixed.Encode(&head)
	head.Write(binary.BigEndian.AppendUint16(nil, id))
	head.Write(codes)
	return frame{head: head.Bytes()}
}
