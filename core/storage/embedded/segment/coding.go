package segment

import "encoding/binary"

// appendPair codes a distance between documents, and how often a term is in one of them: mostly once.
func appendPair(b []byte, distance, freq uint32) []byte {
	if freq == 1 {
		return binary.AppendUvarint(b, uint64(distance)<<1)
	}
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(distance)<<1|1), uint64(freq))
}

// pair reads what appendPair wrote; n is how many bytes that is.
func pair(b []byte) (distance, freq uint32, n int) {
	v := uint64(b[0])
	if n = 1; v >= 0x80 {
		v, n = binary.Uvarint(b)
	}
	if v&1 == 0 {
		return uint32(v >> 1), 1, n //nolint:gosec // appendPair wrote 32 bits
	}
	f, m := binary.Uvarint(b[n:])
	return uint32(v >> 1), uint32(f), n + m //nolint:gosec // appendPair wrote 32 bits
}

// skipNumbers gives how many bytes the first n variable-length numbers of b have.
func skipNumbers(b []byte, n uint32) int {
	i := 0
	for ; n > 0; n-- {
		for b[i] >= 0x80 {
			i++
		}
		i++
	}
	return i
}

// appendPositions reads n positions, each coded as the difference to the one before.
func appendPositions(dst []uint32, b []byte, n uint32) []uint32 {
	var position uint32
	for ; n > 0; n-- {
		d, size := binary.Uvarint(b)
		b = b[size:]
		position += uint32(d) //nolint:gosec // an Entry coded 32 bits
		dst = append(dst, position)
	}
	return dst
}
