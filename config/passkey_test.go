package config_test

import (
	"testing"

	"github.com/sluicehq/sluice/config"
)

func TestPasskeys(t *testing.T) {
	const id, origins = "security.passkey.rpId", "security.passkey.rpOrigins"
	for name, test := range map[string]struct {
		rpID    string
		origins []string
		want    []string // the paths of the mistakes
	}{
		"a domain":         {"example.com", nil, nil},
		"below the domain": {"example.com", []string{"https://example.com", "https://a.example.com:8443"}, nil},
		"Android":          {"example.com", []string{"android:apk-key-hash:abc"}, nil},
		"localhost":        {"localhost", []string{"http://localhost:5173", "http://app.localhost"}, nil},
		"nothing":          {"", nil, []string{id}},
		"an address":       {"192.0.2.1", nil, []string{id}},
		"IPv6":             {"::1", nil, []string{id}},
		"a URL":            {"https://example.com", []string{"x"}, []string{id}},
		"a port":           {"example.com:443", nil, []string{id}},
		"capitals":         {"Example.com", nil, []string{id}},
		"an empty label":   {"example..com", nil, []string{id}},
		"plain http":       {"example.com", []string{"http://example.com"}, []string{origins}},
		"elsewhere":        {"example.com", []string{"https://badexample.com", "https://example.com.evil.org"}, []string{origins, origins}},
		"above":            {"a.example.com", []string{"https://example.com"}, []string{origins}},
		"a path":           {"example.com", []string{"https://example.com/"}, []string{origins}},
		"a user":           {"example.com", []string{"https://ann@example.com"}, []string{origins}},
		"no scheme":        {"example.com", []string{"example.com"}, []string{origins}},
		"twice wrong":      {"example.com", []string{"http://example.org"}, []string{origins, origins}},
	} {
		c := config.Defaults()
		c.Security.Passkey.Enabled, c.Security.Passkey.RPID, c.Security.Passkey.RPOrigins = true, test.rpID, test.origins
		mistakes := config.Mistakes(c.Validate())
		for i, m := range mistakes {
			if i >= len(test.want) || m.Path != test.want[i] || m.Problem == "" || m.Want == "" {
				t.Errorf("%s: unexpected %v", name, m)
			}
		}
		if len(mistakes) < len(test.want) {
			t.Errorf("%s: got %v, want %v", name, mistakes, test.want)
		}
		c.Security.Passkey.Enabled = false
		if err := c.Validate(); err != nil {
			t.Errorf("%s, off: %v", name, err)
		}
	}
}
