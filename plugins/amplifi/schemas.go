package main

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// field is a member that the schema of a channel names. All are texts.
type field struct {
	name     string
	optional bool
	// check says what else the text must be; nil takes every one.
	check func(*settings, string) bool
}

var dts = field{name: "dtsValueString", check: func(_ *settings, s string) bool { return isTime(s) }}

// schemas are the credentials by channel: the seven schemas of the service's document, with bounds of our own.
var schemas = map[string][]field{
	"internet": {{name: "userName", check: chars(1, 254)}, {name: "password", check: chars(1, 1024)}},
	"android": {
		{name: "uuid", check: matching(`^[A-Za-z0-9-]{36}$`)},
		{name: "deviceTagOpen", check: matching(`^[^\x00-\x1f\x7f]{1,256}$`)},
		{name: "signature", check: isSignature},
		optional(dts),
	},
	"browser":            {{name: "deviceId", check: chars(16, 256)}},
	"statementGenerator": ofService,
	"dicBuilder":         ofService,
	"chat":               {{name: "transportUserId", check: chars(1, 256)}, {name: "transport", check: (*settings).takesTransport}},
	"android_v1":         ofSealedTime,
	"mobile":             ofSealedTime,
	"ios_v1":             ofSealedTime,
	// The document's schema demands dtsValueString, but the one request that it shows the answer of has none.
	"test": {{name: "deviceTag", check: chars(1, 256)}, optional(dts)},
}

var (
	ofService    = []field{{name: "userId", check: matching(userIDPattern)}}
	ofSealedTime = []field{{name: "deviceTag", check: chars(1, 256)}, dts, {name: "cryptotext", check: isCryptotext}}
)

const userIDPattern = `^[a-z0-9]{16}$`

// channelNames are in the order of the document.
var channelNames = []string{
	"internet", "android", "browser", "statementGenerator", "dicBuilder", "chat", "android_v1", "mobile", "ios_v1", "test",
}

func optional(f field) field {
	f.optional = true
	return f
}

func chars(least, most int) func(*settings, string) bool {
	return func(_ *settings, s string) bool {
		n := utf8.RuneCountInString(s)
		return n >= least && n <= most
	}
}

func matching(pattern string) func(*settings, string) bool {
	r := regexp.MustCompile(pattern)
	return func(_ *settings, s string) bool { return r.MatchString(s) }
}

func isTime(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

const maxSignature = 1024

func isSignature(_ *settings, s string) bool {
	_, ok := decode64(s)
	return ok && len(s) <= maxSignature
}

const maxCryptotext = 4096

func isCryptotext(_ *settings, s string) bool {
	_, ok := decode64(s)
	return ok && len(s) <= maxCryptotext && !strings.ContainsAny(s, "+/")
}

// decode64 reads base64 of either alphabet, padded or not. One value has one text but for that.
func decode64(s string) ([]byte, bool) {
	if s == "" || strings.ContainsAny(s, "\r\n") { // which the decoder would skip
		return nil, false
	}
	s = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(s, "="))
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return b, err == nil
}

func (s *settings) takesTransport(transport string) bool {
	return slices.Contains(s.Transports, transport)
}
