package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// emails compares e-mail addresses without telling by its timing how much of them agrees: it compares HMACs under a key
// that lives as long as the process.
type emails struct{ key []byte }

func newEmails() emails {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the process instead
	return emails{key}
}

// same reports whether a and b are one address: after NFC, without outer blanks, in lower case, the domain in its ASCII
// form. Texts that are no address are equal to nothing.
func (e emails) same(a, b string) bool {
	normalA, okA := normalize(a)
	normalB, okB := normalize(b)
	return hmac.Equal(e.hmac(normalA), e.hmac(normalB)) && okA && okB
}

// hmac is also how an address is named in the log.
func (e emails) hmac(s string) []byte {
	h := hmac.New(sha256.New, e.key)
	h.Write([]byte(s))
	return h.Sum(nil)
}

func normalize(email string) (string, bool) {
	email = strings.ToLower(strings.TrimSpace(norm.NFC.String(email)))
	at := strings.LastIndexByte(email, '@')
	if at <= 0 || at == len(email)-1 || strings.ContainsAny(email, " \t\r\n\x00") {
		return email, false
	}
	domain, err := idna.Lookup.ToASCII(email[at+1:])
	if err != nil {
		return email, false
	}
	return email[:at+1] + domain, true
}
