package security

import (
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A profile that is accepted can be read again, with every policy: none is left out when rights are worked out.
func FuzzCheckProfile(f *testing.F) {
	for _, seed := range []string{
		`{"policies":[{"roleId":"r","restrictedTo":[{"index":"i","collections":["a","b"]},{"index":"j"}]}],"rateLimit":5}`,
		`{"policies":[{"roleId":"r","restrictedTo":null}],"rateLimit":null}`,
		`{"policies":[{"roleId":"r","restrictedTo":[{"index":"i","collections":null}]}],"rateLimit":1e3}`,
		`{"policies":[{"roleId":"r","RestrictedTo":[]}]}`,
		`{"policies":[{"roleId":"\ud800"}],"rateLimit":"5"}`,
		`{"policies":[{}],"policies":[]}`,
		`{"rateLimit":9223372036854775808,"policies":[{"roleId":""}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		checked, err := checkProfile("p", jsontext.Value(data))
		if err != nil {
			return
		}
		var body profileBody
		if err := json.Unmarshal(data, &body); err != nil {
			t.Fatalf("accepted, but not readable: %v", err)
		}
		if len(body.Policies) == 0 || len(body.Policies) != len(checked.roles) {
			t.Fatalf("%d policies, %d roles", len(body.Policies), len(checked.roles))
		}
		for _, raw := range body.Policies {
			var policy policyBody
			if err := json.Unmarshal(raw, &policy, json.RejectUnknownMembers(true)); err != nil {
				t.Fatalf("accepted, but a policy is left out: %v", err)
			}
		}
	})
}
