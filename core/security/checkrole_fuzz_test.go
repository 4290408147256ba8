package security

import (
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A role that is accepted allows what its text says, and nothing that it does not name.
func FuzzCheckRole(f *testing.F) {
	for _, seed := range []string{
		`{"controllers":{"document":{"actions":{"get":true,"*":false}},"*":{"actions":{"*":true}}}}`,
		`{"controllers":{"ms":{"actions":{"get":true}},"memoryStorage":{"actions":{"get":false}}}}`,
		`{"controllers":{"a":{"actions":{"b":true},"Actions":{"c":true}}},"Controllers":{}}`,
		`{"controllers":{"a":{"actions":{"b":true}},"\u0061":{"actions":{"b":false}}}}`,
		`{"controllers":{"a":{"actions":{"b":"true"}}}}`,
		`{"controllers":{"__proto__":{"actions":{"\ud800":true}}},"tags":[1]}`,
		`{"controllers":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := CheckRole("r", jsontext.Value(data), nil); err != nil {
			return
		}
		r, err := parseRole("r", data)
		if err != nil {
			t.Fatalf("accepted, but not readable: %v", err)
		}
		var text struct {
			Controllers map[string]struct {
				Actions map[string]bool `json:"actions"`
			} `json:"controllers"`
		}
		if err := json.Unmarshal(data, &text); err != nil {
			t.Fatal(err)
		}
		_, both := text.Controllers["ms"]
		for controller, c := range text.Controllers {
			for action, want := range c.Actions {
				if got := r.allows(controller, action, Grants{}); got != want && (!both || controller != "memoryStorage") {
					t.Errorf("%s:%s is allowed: %t", controller, action, got)
				}
			}
			if named := c.Actions["*"]; r.allows(controller, "of no name", Grants{}) && !named && !both {
				t.Errorf("%s allows what it does not name", controller)
			}
		}
		if all := text.Controllers["*"].Actions["*"]; r.allows("of no name", "of no name", Grants{}) && !all {
			t.Error("allows a controller that it does not name")
		}
	})
}
