package segment

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// footer ends a file. Its last 8 bytes are the magic number, in the byte order of all numbers.
type footer struct {
	directory, sums section
	sumsCheck       uint32
}

const (
	pageSize   = 64 << 10
	footerSize = 56
	version    = 1
	magic      = uint64(0x746e656d67655353) // "SSegment" on a little-endian machine
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (f footer) append(b []byte) []byte {
	start := len(b)
	for _, v := range [...]uint64{f.directory.Offset, f.directory.Size, f.sums.Offset, f.sums.Size, uint64(f.sumsCheck)<<32 | version} {
		b = binary.NativeEndian.AppendUint64(b, v)
	}
	b = binary.NativeEndian.AppendUint64(b, uint64(crc32.Checksum(b[start:], castagnoli)))
	return binary.NativeEndian.AppendUint64(b, magic)
}

// readFooter reads the footer of a file with this many bytes.
func readFooter(b []byte, size uint64) (footer, error) {
	n := func(i int) uint64 { return binary.NativeEndian.Uint64(b[i*8:]) }
	switch {
	case n(6) != magic:
		return footer{}, damaged("it does not end as a segment does")
	case n(5) != uint64(crc32.Checksum(b[:40], castagnoli)):
		return footer{}, damaged("its footer has changed")
	case uint32(n(4)) != version: //nolint:gosec // the lower half
		return footer{}, fmt.Errorf("version %d of the format, this program knows %d", uint32(n(4)), version) //nolint:gosec // the lower half
	}
	f := footer{section{n(0), n(1)}, section{n(2), n(3)}, uint32(n(4) >> 32)}
	pages := (f.sums.Offset + pageSize - 1) / pageSize
	if f.sums.Offset > size || f.sums.Size != pages*4 || f.sums.Offset+f.sums.Size+footerSize != size ||
		f.directory.Offset > f.sums.Offset || f.directory.Size > f.sums.Offset-f.directory.Offset {
		return footer{}, damaged("its parts do not fit its size")
	}
	return f, nil
}

func damaged(what string) error { return fmt.Errorf("%w: %s", ErrDamaged, what) }
