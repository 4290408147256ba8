package auth

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"time"
	"unicode/utf16"

	"github.com/golang-jwt/jwt/v5"
)

// payload is what a token says. Clients decode it themselves, with decoders that know neither the URL alphabet of base64
// nor anything beyond ASCII; so its JSON is written in a way that base64url gives neither '-' nor '_'. Those two stand
// for the six bits 62 and 63, which in ASCII only come from the last bits of > ? ~ and DEL; all of them, and whatever is
// not ASCII, are escaped.
type payload struct {
	KUID string `json:"_id"`
	// IssuedAt and Expires are seconds since 1970; Expires is 0 for never.
	IssuedAt int64 `json:"iat"`
	Expires  int64 `json:"exp"`
	// Nonce makes two tokens of one second differ.
	Nonce string `json:"jti"`
}

// newPayload speaks of a token issued now; expires is zero for never.
func newPayload(kuid string, now, expires time.Time) payload {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails: the runtime ends the process instead
	p := payload{KUID: kuid, IssuedAt: now.Unix(), Nonce: hex.EncodeToString(nonce)}
	if !expires.IsZero() {
		p.Expires = expires.Unix()
	}
	return p
}

// MarshalJSON writes the payload as described above.
func (p payload) MarshalJSON() ([]byte, error) {
	b := appendASCII([]byte(`{"_id":`), p.KUID)
	b = strconv.AppendInt(append(b, `,"iat":`...), p.IssuedAt, 10)
	if p.Expires != 0 {
		b = strconv.AppendInt(append(b, `,"exp":`...), p.Expires, 10)
	}
	return append(appendASCII(append(b, `,"jti":`...), p.Nonce), '}'), nil
}

// appendASCII writes a JSON text of the characters that payload allows. Invalid UTF-8 becomes U+FFFD.
func appendASCII(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < ' ' || r == '>' || r == '?' || r == '~' || r == 0x7f || r == '<' || r == '&': // encoding/json escapes < and & too
			dst = appendEscape(dst, r)
		case r < 0x7f:
			dst = append(dst, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			dst = appendEscape(appendEscape(dst, high), low)
		default:
			dst = appendEscape(dst, r)
		}
	}
	return append(dst, '"')
}

func appendEscape(dst []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

// The claims that jwt knows; nothing asks for them.

// GetExpirationTime gives exp.
func (p payload) GetExpirationTime() (*jwt.NumericDate, error) {
	if p.Expires == 0 {
		return nil, nil
	}
	return jwt.NewNumericDate(time.Unix(p.Expires, 0)), nil
}

// GetIssuedAt gives iat.
func (p payload) GetIssuedAt() (*jwt.NumericDate, error) {
	return jwt.NewNumericDate(time.Unix(p.IssuedAt, 0)), nil
}

// GetNotBefore gives nothing.
func (p payload) GetNotBefore() (*jwt.NumericDate, error) { return nil, nil }

// GetIssuer gives nothing.
func (p payload) GetIssuer() (string, error) { return "", nil }

// GetSubject gives nothing.
func (p payload) GetSubject() (string, error) { return "", nil }

// GetAudience gives nothing.
func (p payload) GetAudience() (jwt.ClaimStrings, error) { return nil, nil }

var _ jwt.Claims = payload{}
