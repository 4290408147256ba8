package segment

import "math/bits"

// freeLengths is how many lengths have a code of their own before the coding with four bits of precision begins.
const freeLengths = 24

// EncodeLength gives the byte that stands for the length of a text, as Lucene's SmallFloat.intToByte4 does: lengths below 40
// exactly, longer ones rounded down to four significant bits.
func EncodeLength(n uint32) byte {
	n = min(n, 1<<31-1)
	if n < freeLengths {
		return byte(n)
	}
	n -= freeLengths
	width := bits.Len32(n)
	if width < 4 {
		return byte(freeLengths + n) //nolint:gosec // below 32
	}
	shift := width - 4
	return byte(freeLengths + (shift+1)<<3 + int(n>>shift)&7) //nolint:gosec // at most 255: n is below 1<<31
}

// DecodeLength gives the length that a byte stands for.
func DecodeLength(code byte) uint32 {
	if code < freeLengths {
		return uint32(code)
	}
	code -= freeLengths
	if code < 8 {
		return freeLengths + uint32(code)
	}
	return freeLengths + uint32(code&7|8)<<(code>>3-1)
}
