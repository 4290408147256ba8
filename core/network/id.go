package network

import "math/rand/v2"

// NewID gives a random UUID (version 4) for a request or a connection. It is unique, not secret: nothing may be allowed
// to somebody because he knows one.
func NewID() string {
	const digits = "0123456789abcdef"
	high, low := rand.Uint64(), rand.Uint64() //nolint:gosec // unique, not secret
	high = high&^(0xf<<12) | 4<<12
	low = low&^(3<<62) | 2<<62
	var id [36]byte
	for i, at := len(id)-1, 0; i >= 0; i-- {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			id[i] = '-'
			continue
		}
		if at < 16 {
			id[i] = digits[low&0xf]
			low >>= 4
		} else {
			id[i] = digits[high&0xf]
			high >>= 4
		}
		at++
	}
	return string(id[:])
}
