package auth

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// Whatever text a client sends, only what was issued is accepted, and everything else is a token to drop.
func FuzzVerify(f *testing.F) {
	s := open(f, newEngine(f), nil)
	issued := map[string]bool{issue(f, s, time.Hour).Text: true, createKey(f, s, Infinite).Source.Token: true}
	for text := range issued {
		f.Add(text)
		f.Add(text[:len(text)-1])
		f.Add(strings.Replace(text, ".", "..", 1))
		f.Add(text[strings.IndexByte(text, '-')+1:])
	}
	for _, text := range []string{"", "-", prefix, keyPrefix, keyPrefix + prefix, prefix + "..", keyPrefix + "e30.e30."} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, o := range []VerifyOptions{{}, {AcceptUnprefixed: true}} {
			token, err := s.Verify(t.Context(), text, o)
			good := issued[text] || o.AcceptUnprefixed && issued[prefix+text]
			switch {
			case err != nil && !errors.Is(err, kerror.SecurityTokenInvalid):
				t.Errorf("%q: %v", text, err)
			case err == nil && !good:
				t.Errorf("%q is a token of %s", text, token.KUID)
			case err != nil && good:
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}
