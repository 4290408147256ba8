package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/plugins/sdk/sealed"
)

// Tokens begin with what tells logged from anonymous ones (AN_), which this plugin does not issue.
const loggedPrefix = "AU_"

const (
	minTokenChars = 20
	maxTokenChars = 4096
	tokenPurpose  = "gvp-token|" + loggedPrefix
)

// claims are what a token carries, sealed.
type claims struct {
	// ID is that of the row. It may have been an earlier token's.
	ID         string `json:"jti"`
	UserID     string `json:"u"`
	InstanceID int64  `json:"i"`
	DeviceType int64  `json:"t"`
	DeviceID   string `json:"d"`
	// Trusted says that DeviceID is a trusted device of the user's, and not made up (see instance.TrustedDeviceCheck).
	Trusted   bool   `json:"r"`
	SessionID string `json:"s"`
	ExpiresAt int64  `json:"e"`
}

// newClaims leaves ID to where the token will be stored.
func newClaims(u user, d device, trusted bool, lifetime time.Duration, now time.Time) claims {
	return claims{
		UserID: u.ID, InstanceID: u.InstanceID, DeviceType: d.DeviceType, DeviceID: d.DeviceID,
		Trusted: trusted, SessionID: randomHex(16), ExpiresAt: millis(now.Add(lifetime).Truncate(time.Second)),
	}
}

func seal(ring *sealed.Ring, c claims) (string, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return loggedPrefix + ring.Seal(tokenPurpose, text), nil
}

// open gives the claims of a token that this plugin has made, whatever has become of it since.
func open(ring *sealed.Ring, token string) (claims, bool) {
	if len(token) < minTokenChars || len(token) > maxTokenChars {
		return claims{}, false
	}
	blob, logged := strings.CutPrefix(token, loggedPrefix)
	if !logged {
		return claims{}, false
	}
	text, err := ring.Open(tokenPurpose, blob)
	if err != nil {
		return claims{}, false
	}
	var c claims
	return c, json.Unmarshal(text, &c) == nil
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func (r tokenRow) isFor(token string) bool {
	return subtle.ConstantTimeCompare([]byte(r.TokenHash), []byte(hashToken(token))) == 1
}
