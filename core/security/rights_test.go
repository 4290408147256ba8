package security_test

import (
	"errors"
	"testing"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestRoleDecision(t *testing.T) {
	granted := security.NewGrants([]security.Grant{{Role: "r", Controller: "p/c", Action: "go"}})
	for _, test := range []struct {
		name, controllers, controller, action string
		want                                  bool
	}{
		{"named action", `{"document":{"actions":{"get":true}}}`, "document", "get", true},
		{"other action", `{"document":{"actions":{"get":true}}}`, "document", "create", false},
		{"other controller", `{"document":{"actions":{"*":true}}}`, "index", "list", false},
		{"star controller", `{"*":{"actions":{"*":true}}}`, "document", "get", true},
		{"star controller, named action", `{"*":{"actions":{"get":true}}}`, "document", "get", true},
		{"a named controller hides the star, even without the action", `{"*":{"actions":{"*":true}},"document":{"actions":{"get":true}}}`, "document", "create", false},
		{"a denied action hides the star action", `{"document":{"actions":{"*":true,"delete":false}}}`, "document", "delete", false},
		{"star action", `{"document":{"actions":{"*":true,"delete":false}}}`, "document", "get", true},
		{"ms is memoryStorage", `{"ms":{"actions":{"get":true}}}`, "memoryStorage", "get", true},
		{"memoryStorage is ms", `{"memoryStorage":{"actions":{"get":true}}}`, "ms", "get", true},
		{"a grant stands where the role does not name the controller", `{"document":{"actions":{"get":true}}}`, "p/c", "go", true},
		{"a grant is for one action", `{"document":{"actions":{"get":true}}}`, "p/c", "stay", false},
		{"a grant comes before the star", `{"*":{"actions":{"*":false}}}`, "p/c", "go", true},
		{"the role takes a grant away", `{"p/c":{"actions":{"*":false}}}`, "p/c", "go", false},
		{"the role takes a grant away by naming another action", `{"p/c":{"actions":{"stay":true}}}`, "p/c", "go", false},
		{"nothing", `{}`, "document", "get", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := newEngine(t)
			s := open(t, e, false)
			store(t, e, "roles", "r", `{"controllers":`+test.controllers+`}`)
			store(t, e, "profiles", "p", `{"policies":[{"roleId":"r"}]}`)
			store(t, e, "users", "u", `{"profileIds":["p"]}`)
			got := s.Allowed(user(t, s, "u"), request(test.controller, test.action, "", "", ""), granted)
			if got != test.want {
				t.Errorf("%s:%s = %v, want %v", test.controller, test.action, got, test.want)
			}
		})
	}
}

func TestRestrictions(t *testing.T) {
	e := newEngine(t)
	s := open(t, e, false)
	store(t, e, "roles", "doc", `{"controllers":{"document":{"actions":{"*":true}},"server":{"actions":{"now":true}}}}`)
	store(t, e, "roles", "read", `{"controllers":{"document":{"actions":{"get":true}}}}`)
	store(t, e, "profiles", "some", `{"policies":[
		{"roleId":"doc","restrictedTo":[{"index":"a"},{"index":"b","collections":["x"]},{"index":"c"},{"index":"c","collections":["x"]},{"index":"d","collections":[]}]},
		{"roleId":"read","restrictedTo":[{"index":"b","collections":["y"]}]}]}`)
	store(t, e, "profiles", "free", `{"policies":[{"roleId":"doc","restrictedTo":[]}]}`)
	store(t, e, "users", "u", `{"profileIds":["some"]}`)
	store(t, e, "users", "f", `{"profileIds":["free"]}`)
	for _, test := range []struct {
		kuid, action, index, collection, targets string
		want                                     bool
	}{
		{"u", "get", "", "", "", true},
		{"u", "get", "", "x", "", true},
		{"u", "get", "a", "any", "", true},
		{"u", "get", "a", "", "", true},
		{"u", "get", "z", "x", "", false},
		{"u", "get", "a*", "x", "", false},
		{"u", "create", "b", "x", "", true},
		{"u", "create", "b", "y", "", false},
		{"u", "get", "b", "y", "", true},
		{"u", "get", "b", "", "", false},
		{"u", "get", "c", "x", "", true},
		{"u", "get", "c", "y", "", false}, // listed twice: the collections win
		{"u", "get", "d", "y", "", true},
		{"f", "get", "z", "z", "", true},

		{"u", "get", "", "", `[{"index":"a","collections":["q"]},{"index":"b","collections":["x","y"]}]`, true},
		{"u", "create", "", "", `[{"index":"b","collections":["x","y"]}]`, false},
		{"u", "get", "", "", `[{"index":"a","collections":["q"]},{"index":"z","collections":["q"]}]`, false},
		{"u", "get", "", "", `[{"index":"a"}]`, false},
		{"u", "get", "", "", `[{"index":"a","collections":[]}]`, false},
		{"u", "get", "", "", `[{"collections":["q"]}]`, false},
		{"u", "get", "", "", `[{"index":"a","collections":["*"]}]`, false},
		{"f", "get", "", "", `[{"index":"a*","collections":["q"]}]`, false},
		{"f", "get", "", "", `[{"index":"a","collections":["q"]}]`, true},
		{"f", "list", "", "", `[]`, true},
		{"f", "get", "", "", `{"index":"a"}`, false},
		{"f", "get", "", "", `"[]"`, false}, // text is read only where values are text
		{"f", "get", "", "", `[{"index":"a","index":"b","collections":["q"]}]`, false},
		{"f", "get", "", "", `null`, true},
	} {
		r := request("document", test.action, test.index, test.collection, test.targets)
		if got := s.Allowed(user(t, s, test.kuid), r, security.Grants{}); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
	r := request("index", "list", "", "", `[]`)
	if s.Allowed(user(t, s, "f"), r, security.Grants{}) {
		t.Error("empty targets took the role's place")
	}
	r = &protocol.Request{Controller: "document", Action: "get", Args: protocol.TextArgs()}
	r.Args.AddText("targets", `[{"index":"z","collections":["q"]}]`)
	if s.Allowed(user(t, s, "u"), r, security.Grants{}) || !s.Allowed(user(t, s, "f"), r, security.Grants{}) {
		t.Error("targets out of a URL are read wrongly")
	}
}

func TestOneAllowIsEnough(t *testing.T) {
	e := newEngine(t)
	s := open(t, e, false)
	store(t, e, "roles", "no", `{"controllers":{"document":{"actions":{"get":false}}}}`)
	store(t, e, "roles", "yes", `{"controllers":{"document":{"actions":{"get":true}}}}`)
	store(t, e, "profiles", "p", `{"policies":[{"roleId":"no"},{"roleId":"yes"}],"rateLimit":7}`)
	store(t, e, "profiles", "q", `{"policies":[{"roleId":"no"}],"rateLimit":30}`)
	store(t, e, "profiles", "unlimited", `{"policies":[{"roleId":"no"}]}`)
	store(t, e, "users", "u", `{"profileIds":["q","p"]}`)
	store(t, e, "users", "free", `{"profileIds":["q","unlimited"]}`)
	u := user(t, s, "u")
	if !allowed(s, u, "document", "get") {
		t.Error("a deny of one role overrode the allow of another")
	}
	if got := s.RateLimit(u); got != 30 {
		t.Errorf("rate limit %d, want the highest", got)
	}
	if got := s.RateLimit(user(t, s, "free")); got != 0 {
		t.Errorf("rate limit %d, want unlimited", got)
	}
}

func TestDenied(t *testing.T) {
	s := open(t, newEngine(t), false)
	for targets, want := range map[string]*kerror.Def{
		`"x"`:                                 kerror.APIAssertInvalidType,
		`[{"index":"a"}]`:                     kerror.APIAssertMissingArgument,
		`[{"index":"a","collections":["*"]}]`: kerror.ServicesStorageInvalidTargetFormat,
		`[{"index":"a","collections":["b"]}]`: kerror.SecurityRightsUnauthorized,
	} {
		r := request("document", "get", "", "", targets)
		if err := s.Denied(user(t, s, "-1"), r); !errors.Is(err, want) {
			t.Errorf("targets %s: %v", targets, err)
		}
	}
	r := request("document", "get", "", "", "")
	if err := s.Denied(user(t, s, "-1"), r); !errors.Is(err, kerror.SecurityRightsUnauthorized) {
		t.Errorf("anonymous: %v", err)
	}
	if err := s.Denied(&security.User{User: protocol.User{ID: "u"}}, r); !errors.Is(err, kerror.SecurityRightsForbidden) {
		t.Errorf("user: %v", err)
	}
	if s.Allowed(nil, r, security.Grants{}) {
		t.Error("nobody was allowed something")
	}
}

func TestRights(t *testing.T) {
	e := newEngine(t)
	s := open(t, e, false)
	store(t, e, "roles", "r", `{"controllers":{"document":{"actions":{"*":true,"delete":false}}}}`)
	store(t, e, "profiles", "p", `{"policies":[{"roleId":"r","restrictedTo":[{"index":"a"},{"index":"b","collections":["x"]}]}]}`)
	store(t, e, "profiles", "q", `{"policies":[{"roleId":"r"},{"roleId":"r"}]}`)
	store(t, e, "users", "u", `{"profileIds":["p","q"]}`)
	grants := security.NewGrants([]security.Grant{{Role: "r", Controller: "plugin", Action: "go"}, {Role: "other", Controller: "plugin", Action: "no"}})
	got := s.Rights(user(t, s, "u"), grants)
	want := []security.Right{
		{"document", "*", "*", "*", "allowed"},
		{"document", "*", "a", "*", "allowed"},
		{"document", "*", "b", "x", "allowed"},
		{"document", "delete", "*", "*", "denied"},
		{"document", "delete", "a", "*", "denied"},
		{"document", "delete", "b", "x", "denied"},
		{"plugin", "go", "*", "*", "allowed"},
		{"plugin", "go", "a", "*", "allowed"},
		{"plugin", "go", "b", "x", "allowed"},
	}
	if len(got) != len(want) {
		t.Fatalf("%d lines: %v", len(got), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("line %d: %v, want %v", i, got[i], want[i])
		}
	}
}

func TestAllowedAllocatesNothing(t *testing.T) {
	s, u, r := typical(t)
	if n := testing.AllocsPerRun(100, func() { s.Allowed(u, r, security.Grants{}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAllowed(b *testing.B) {
	s, u, r := typical(b)
	b.ReportAllocs()
	for b.Loop() {
		s.Allowed(u, r, security.Grants{})
	}
}

func BenchmarkUser(b *testing.B) {
	s, u, _ := typical(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.User(b.Context(), u.ID); err != nil {
			b.Fatal(err)
		}
	}
}

func typical(t testing.TB) (*security.Service, *security.User, *protocol.Request) {
	e := newEngine(t)
	s := open(t, e, false)
	store(t, e, "roles", "r", `{"controllers":{"document":{"actions":{"get":true,"search":true}},"auth":{"actions":{"*":true}}}}`)
	store(t, e, "profiles", "p", `{"policies":[{"roleId":"default"},{"roleId":"r","restrictedTo":[{"index":"a","collections":["x","y"]}]}]}`)
	store(t, e, "users", "u", `{"profileIds":["default","p"]}`)
	return s, user(t, s, "u"), request("document", "get", "a", "y", "")
}
