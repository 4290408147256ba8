package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
)

const (
	letters          = "abcdefghijklmnopqrstuvwxyz"
	lettersAndDigits = letters + "0123456789"
)

const tokenLength = 64

// newToken gives 64 letters, each as likely as any other: 300 bits.
func newToken() string { return pick(letters, tokenLength) }

// newUserID gives 16 letters and digits, the first a letter.
func newUserID() string { return pick(letters, 1) + pick(lettersAndDigits, 15) }

// pick takes n characters of the alphabet. Bytes that would favour its beginning are thrown away.
func pick(alphabet string, n int) string {
	out := make([]byte, 0, n)
	limit := 256 - 256%len(alphabet)
	var random [96]byte
	for len(out) < n {
		_, _ = rand.Read(random[:]) // never fails: the runtime ends the process instead
		for _, b := range random {
			if int(b) < limit && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}

// demoUserID is the one user of a device tag of the channel test.
func demoUserID(deviceTag string) string {
	sum := sha256.Sum256([]byte("afi-demo-user\x00" + deviceTag))
	out := make([]byte, 16)
	out[0] = letters[int(sum[0])%len(letters)]
	for i := 1; i < len(out); i++ {
		out[i] = lettersAndDigits[int(sum[i])%len(lettersAndDigits)]
	}
	return string(out)
}

func digest(text string) [sha256.Size]byte { return sha256.Sum256([]byte(text)) }

// keyOf names a document after what must not stand in the store, or not as it is: the SHA-256 of its parts.
func keyOf(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		h.Write([]byte(part))
		h.Write([]byte{0}) // no text that is read holds it
	}
	return hex.EncodeToString(h.Sum(nil))
}
