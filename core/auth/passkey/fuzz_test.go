package passkey

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/protocol"
)

// Whatever comes as the answer to options, nobody is logged in by it.
func FuzzAssertion(f *testing.F) {
	s := open(f, newEngine(f))
	b := register(f, s, "joe")
	foreign := open(f, newEngine(f)) // the right shape, with a challenge that is not of s
	f.Add([]byte(finish(b.get(loginOptions(f, foreign, "")))))
	f.Add([]byte(`{"response":{"id":"AA","rawId":"AA","type":"public-key","response":{}}}`))
	f.Add([]byte(`{"username":"joe"}`))
	f.Add([]byte(`{"response":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		args, err := protocol.ParseArgs(jsontext.Value(body), "body.")
		if err != nil {
			return
		}
		got, err := s.Verify(t.Context(), auth.Login{Body: args})
		if err != nil || got.KUID != "" || (got.Message == "") == (got.Redirect == nil) {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// Whatever comes as a new passkey, it is not stored: no response in it is to a challenge for its user. What is wrong is the
// client's mistake.
func FuzzAttestation(f *testing.F) {
	s := open(f, newEngine(f))
	f.Add([]byte(`{"response":` + newBrowser(f).create(registrationOptions(f, open(f, newEngine(f)), "joe")) + `}`))
	f.Add([]byte(`{"response":{"id":"AA","rawId":"AA","type":"public-key","response":{"attestationObject":"oA","clientDataJSON":"e30"}}}`))
	f.Add([]byte(`{"id":"AA","remove":true}`))
	f.Add([]byte(`{"displayName":"joe"}`))
	f.Fuzz(func(t *testing.T, credentials []byte) {
		raw := jsontext.Value(credentials)
		for name, do := range map[string]func() error{
			"create":          func() error { _, err := s.Create(t.Context(), nil, "joe", raw); return err },
			"update":          func() error { _, err := s.Update(t.Context(), nil, "joe", raw); return err },
			"validate update": func() error { _, err := s.Validate(t.Context(), nil, "joe", raw, true); return err },
		} {
			if got := status(do()); got != 400 && got != 412 {
				t.Errorf("%s: %v", name, do())
			}
		}
		if _, err := s.Validate(t.Context(), nil, "joe", raw, false); err != nil && status(err) != 400 {
			t.Error(err)
		}
		if _, err := s.Holder(t.Context(), nil, raw); err != nil {
			t.Error(err)
		}
	})
}
