package wsserver

import (
	"encoding/binary"

	"github.com/sluicehq/sluice/core/network"
)

// frame is one message or control frame waiting to be sent.
type frame struct {
	// op is one of the message types of the library, which are the opcodes of RFC 6455.
	op   int
	data []byte
	// loan is the buffer that data lies in, given back once it was sent; nil when data is nobody's.
	loan *network.Buffer
}

// append writes the frame as a server sends it without compression: whole, unmasked (RFC 6455, section 5.2).
func (f frame) append(dst []byte) []byte {
	const (
		final  = 0x80
		length = 126 // from here on the length has two bytes
		huge   = 127 // or eight
	)
	dst = append(dst, final|byte(f.op)) //nolint:gosec // an opcode has four bits
	switch n := len(f.data); {
	case n < length:
		dst = append(dst, byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, length), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, huge), uint64(n))
	}
	return append(dst, f.data...)
}
