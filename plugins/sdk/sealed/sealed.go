// Package sealed makes texts that only their maker can read and nobody can change: tokens that carry their own content,
// API keys, state parameters. Plugins import it.
//
// A sealed text is base64url, without padding, of key id (one byte), nonce (12 bytes) and AES-256-GCM ciphertext. What it is
// for is bound to it as additional data, so that one made for one purpose does not open for another.
package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrInvalid is why a text does not open. It never says more: whoever guesses must not learn.
var ErrInvalid = errors.New("sealed: invalid")

// KeyBytes is the length of a key.
const KeyBytes = 32

const nonceBytes = 12

// Key is one of a Ring.
type Key struct {
	ID     byte
	Secret [KeyBytes]byte
}

// Ring seals with its first key and opens with all of them: to rotate, a new key is put first, and an old one is left out
// when nothing sealed with it lives any more. It is safe for concurrent use.
//
// Nonces are random, so one key is good for 2^32 texts.
type Ring struct {
	active byte
	keys   map[byte]cipher.AEAD
}

// New makes a ring of at least one key, the active one first.
func New(keys ...Key) (*Ring, error) {
	if len(keys) == 0 {
		return nil, errors.New("sealed: a key ring needs a key")
	}
	r := &Ring{active: keys[0].ID, keys: make(map[byte]cipher.AEAD, len(keys))}
	for _, k := range keys {
		if _, twice := r.keys[k.ID]; twice {
			return nil, fmt.Errorf("sealed: two keys have the id %d", k.ID)
		}
		block, err := aes.NewCipher(k.Secret[:])
		if err != nil {
			return nil, fmt.Errorf("sealed: key %d: %w", k.ID, err)
		}
		if r.keys[k.ID], err = cipher.NewGCM(block); err != nil {
			return nil, fmt.Errorf("sealed: key %d: %w", k.ID, err)
		}
	}
	return r, nil
}

// Parse reads the text of a ring: keys divided by blanks, line ends or commas, each "id:secret", id 0 to 255, secret 32 bytes
// in hex or in base64, the active one first. Errors do not show what was read.
func Parse(text string) (*Ring, error) {
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n,", r) })
	keys := make([]Key, 0, len(words))
	for i, word := range words {
		id, secret, ok := strings.Cut(word, ":")
		number, err := strconv.ParseUint(id, 10, 8)
		if !ok || err != nil {
			return nil, fmt.Errorf("sealed: entry %d of the key ring does not begin with an id of 0 to 255 and a colon", i+1)
		}
		key, err := Secret(secret)
		if err != nil {
			return nil, fmt.Errorf("sealed: key %d of the key ring: %w", number, err)
		}
		keys = append(keys, Key{byte(number), key})
	}
	return New(keys...)
}

// Secret reads 32 bytes in hex or in base64 of either alphabet, padded or not.
func Secret(text string) (secret [KeyBytes]byte, err error) {
	b, err := hex.DecodeString(text)
	if err != nil {
		text = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "="))
		b, err = base64.RawURLEncoding.DecodeString(text)
	}
	if err != nil || len(b) != KeyBytes {
		return secret, fmt.Errorf("a secret is %d bytes in hex or base64", KeyBytes)
	}
	return [KeyBytes]byte(b), nil
}

// Seal makes a text of plaintext that opens for purpose only.
func (r *Ring) Seal(purpose string, plaintext []byte) string {
	aead := r.keys[r.active]
	out := make([]byte, 1+nonceBytes, 1+nonceBytes+len(plaintext)+aead.Overhead())
	out[0] = r.active
	_, _ = rand.Read(out[1:]) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(aead.Seal(out, out[1:], plaintext, []byte(purpose)))
}

// strict refuses texts that differ from what Seal wrote in bits that carry nothing.
var strict = base64.RawURLEncoding.Strict()

// Open gives what was sealed for purpose, or ErrInvalid.
func (r *Ring) Open(purpose, text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") { // which the decoder would skip
		return nil, ErrInvalid
	}
	b, err := strict.DecodeString(text)
	if err != nil {
		return nil, ErrInvalid
	}
	return r.OpenBytes(purpose, b)
}

// OpenBytes is Open for a text that is decoded already.
func (r *Ring) OpenBytes(purpose string, b []byte) ([]byte, error) {
	if len(b) < 1+nonceBytes {
		return nil, ErrInvalid
	}
	aead, ok := r.keys[b[0]]
	if !ok {
		return nil, ErrInvalid
	}
	plaintext, err := aead.Open(nil, b[1:1+nonceBytes], b[1+nonceBytes:], []byte(purpose))
	if err != nil {
		return nil, ErrInvalid
	}
	return plaintext, nil
}
