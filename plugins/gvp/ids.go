package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// ids makes document ids and names for logs out of what identifies people: HMACs, which nobody without the key can try.
// Because they are always the same, a document that must be unique is found and made by its id.
type ids struct{ key []byte }

func (i ids) of(kind string, parts ...string) string {
	h := hmac.New(sha256.New, i.key)
	for _, p := range append([]string{kind}, parts...) {
		h.Write(strconv.AppendInt(nil, int64(len(p)), 10))
		h.Write([]byte{':'})
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// user is the id of the account of an e-mail address, in its normal form, at an instance.
func (i ids) user(instance int64, email string) string {
	return i.of("user", strconv.FormatInt(instance, 10), email)
}

func (i ids) device(deviceID string) string { return i.of("device", deviceID) }

// token is the id of one of a user's places for tokens.
func (i ids) token(user string, place int) string { return i.of("token", user, strconv.Itoa(place)) }

// binding is the id of the Aura ID of a user on a device.
func (i ids) binding(user, deviceID string) string { return i.of("binding", user, deviceID) }

func (i ids) aura(auraID string) string { return i.of("aura", auraID) }

// userName is what the log keeps of a name that was typed in: people type passwords there.
func (i ids) userName(name string) string { return i.of("userName", name) }
