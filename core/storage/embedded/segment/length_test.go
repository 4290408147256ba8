package segment

import "testing"

func TestLengthCoding(t *testing.T) {
	for n := range uint32(40) {
		if got := DecodeLength(EncodeLength(n)); got != n {
			t.Errorf("length %d becomes %d", n, got)
		}
	}
	// What Lucene's SmallFloat.intToByte4 and byte4ToInt give.
	for n, want := range map[uint32]struct {
		code    byte
		decoded uint32
	}{
		0: {0, 0}, 23: {23, 23}, 24: {24, 24}, 39: {39, 39}, 40: {40, 40}, 41: {40, 40}, 42: {41, 42}, 56: {48, 56}, 100: {57, 96},
		1000: {87, 984}, 1 << 20: {167, 983064}, 1<<31 - 1: {255, 2013265944},
	} {
		if code := EncodeLength(n); code != want.code || DecodeLength(code) != want.decoded {
			t.Errorf("EncodeLength(%d) = %d (%d), want %d (%d)", n, code, DecodeLength(code), want.code, want.decoded)
		}
	}
	for code := range 256 {
		if got := EncodeLength(DecodeLength(byte(code))); got != byte(code) {
			t.Errorf("code %d becomes %d", code, got)
		}
	}
}
