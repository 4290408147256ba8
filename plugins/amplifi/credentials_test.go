package main

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/plugins/sdk"
)

// Whatever arrives, it is credentials of a known channel whose fields satisfy their schema, or a failure of the request.
func FuzzReadCredentials(f *testing.F) {
	for _, body := range []string{
		seedBody, ali, `{"channel":"android","uuid":"` + uuid + `","deviceTagOpen":"x","signature":"AAAA"}`,
		`{"channel":"mobile","deviceTag":"t","cryptotext":"AAAA","dtsValueString":"2026-11-22T00:00:00Z"}`,
		`{"channel":"chat","transport":"web","transportUserId":"1"}`, `{"channel":"test","deviceTag":"t","x":[[[[[[[[[1]]]]]]]]]}`,
	} {
		f.Add([]byte(body))
	}
	s, err := readSettings(jsontext.Value(`{}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := &sdk.Request{}
		r.RawBody = body
		c, err := s.readCredentials(r)
		if err != nil {
			var failed *failure
			if !errors.As(err, &failed) || failed.status/100 != 4 {
				t.Fatalf("%q: %v", body, err)
			}
			if !utf8.ValidString(failed.message) || strings.ContainsAny(failed.message, "{}") {
				t.Fatalf("%q: message %q", body, failed.message)
			}
			return
		}
		schema, known := schemas[c.channel]
		if !known {
			t.Fatalf("%q: channel %q", body, c.channel)
		}
		for _, field := range schema {
			text, given := c.fields[field.name]
			if given && !field.check(&s, text) || !given && !field.optional {
				t.Fatalf("%q: %s is %q", body, field.name, text)
			}
		}
	})
}

func TestDepth(t *testing.T) {
	for text, want := range map[string]int{`1`: 0, `{}`: 1, `[[],[[1]]]`: 3, `{"a":{"b":{}}}`: 3} {
		if got := depth(jsontext.Value(text)); got != want {
			t.Errorf("%s: %d", text, got)
		}
	}
}

func TestEveryChannelHasASchemaAndAProof(t *testing.T) {
	for _, name := range channelNames {
		if schemas[name] == nil || proofs[name] == nil {
			t.Errorf("channel %s", name)
		}
	}
	if len(schemas) != len(channelNames) || len(proofs) != len(channelNames) {
		t.Error("a schema or a proof is of no channel")
	}
}
