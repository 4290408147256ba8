package mqttserver

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// Codes of CONNACK.
const (
	accepted       = 0
	wrongVersion   = 1
	badClientID    = 2
	notAuthorised  = 5
	wrongVersionV5 = 0x84 // what clients of version 5 are told
)

// protocolName is how CONNECT begins; the version follows.
const protocolName = "\x00\x04MQTT"

// connect reads CONNECT and answers it; false ends the connection.
func (c *conn) connect() bool {
	if !c.await(c.server.o.ConnectTimeout) {
		return false
	}
	fixed, body, err := c.packet(0, 0)
	if err != nil || fixed.Type != packets.Connect {
		return false // it speaks something else
	}
	if code, supported := checkVersion(body); !supported {
		c.acknowledge(code)
		return false
	}
	code, err := c.accept(fixed, body)
	if err != nil {
		c.logEnd(err)
		return false
	}
	if code == accepted && !c.server.register(c) {
		code = badClientID
	}
	c.acknowledge(code)
	return code == accepted
}

// checkVersion gives the code for who speaks another version.
func checkVersion(body []byte) (code byte, supported bool) {
	after, ok := bytes.CutPrefix(body, []byte(protocolName))
	switch {
	case !ok || len(after) == 0:
		return wrongVersion, false
	case after[0] == 5:
		return wrongVersionV5, false
	default:
		return wrongVersion, after[0] == version
	}
}

// acknowledge answers CONNECT; there is never a session that is continued.
func (c *conn) acknowledge(code byte) {
	head := []byte{packets.Connack << 4, 2, 0, code}
	if code == wrongVersionV5 {
		head = []byte{packets.Connack << 4, 3, 0, code, 0}
	}
	c.push(frame{head: head})
}

// accept looks at CONNECT and gives the code of its answer. With an error there is none.
func (c *conn) accept(fixed packets.FixedHeader, body []byte) (code byte, err error) {
	pk := packets.Packet{FixedHeader: fixed}
	if err := pk.ConnectDecode(body); err != nil {
		if errors.Is(err, packets.ErrClientIdentifierNotValid) {
			return badClientID, nil
		}
		return 0, err
	}
	if code := pk.ConnectValidate(); code != packets.CodeSuccess {
		return 0, code
	}
	if id := pk.Connect.ClientIdentifier; id == "" && !pk.Connect.Clean || len(id) > maxNameBytes {
		return badClientID, nil
	}
	if err := c.server.o.AdmitMessage(c.local, c.info); err != nil {
		c.server.o.Logger.Debug("mqtt client refused", "client", c.info.ClientIP, "error", err)
		return notAuthorised, nil
	}
	if pk.Connect.WillFlag {
		if !c.server.mayPublish(pk.Connect.WillTopic) {
			return notAuthorised, nil
		}
		c.will = &will{topic: pk.Connect.WillTopic, payload: pk.Connect.WillPayload}
	}
	c.clientID = strings.Clone(pk.Connect.ClientIdentifier) // it refers to the whole packet
	c.silence = c.server.o.IdleTimeout
	if keepAlive := time.Duration(pk.Connect.Keepalive) * time.Second; keepAlive > 0 {
		c.silence = min(c.silence, keepAlive+keepAlive/2)
	}
	return accepted, nil
}
