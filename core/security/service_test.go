package security_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/storagetest"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestNothingStored(t *testing.T) {
	e := newEngine(t)
	dev := open(t, e, true)
	if !dev.WideOpen() || !allowed(dev, user(t, dev, "-1"), "security", "deleteUser") {
		t.Error("development mode is not open")
	}

	s := open(t, e, false) // the same data without --dev
	if s.WideOpen() {
		t.Error("a data folder of development mode is open in production")
	}
	anonymous := user(t, s, "anonymous")
	for _, test := range []struct {
		action string
		want   bool
	}{
		{"auth:login", true},
		{"auth:checkToken", true},
		{"auth:getCurrentUser", true},
		{"auth:getMyRights", true},
		{"auth:logout", false},
		{"server:publicApi", true},
		{"server:openapi", true},
		{"server:now", true},
		{"server:adminExists", true},
		{"server:healthCheck", true},
		{"server:info", false},
		{"security:createFirstAdmin", true},
		{"security:createUser", false},
		{"document:get", false},
	} {
		controller, action, _ := strings.Cut(test.action, ":")
		if got := allowed(s, anonymous, controller, action); got != test.want {
			t.Errorf("anonymous %s: %v, want %v", test.action, got, test.want)
		}
	}
	if got := s.RateLimit(anonymous); got != 200 {
		t.Errorf("rate limit of anonymous: %d", got)
	}
}

func TestStandard(t *testing.T) {
	for _, dev := range []bool{true, false} {
		s := open(t, newEngine(t), dev)
		if err := s.WriteStandard(t.Context(), security.Write{}); err != nil {
			t.Fatal(err)
		}
		if s.WideOpen() {
			t.Errorf("dev %v: still open after the standard was written", dev)
		}
		anonymous := user(t, s, "-1")
		if allowed(s, anonymous, "security", "createFirstAdmin") || allowed(s, anonymous, "server", "now") {
			t.Errorf("dev %v: the stored standard has additions", dev)
		}
		if !allowed(s, anonymous, "auth", "login") {
			t.Errorf("dev %v: nobody can log in", dev)
		}
	}
}

func TestWideOpenFollowsStoredRoles(t *testing.T) {
	s := open(t, newEngine(t), false)
	everything := jsontext.Value(`{"controllers":{"*":{"actions":{"*":true}}}}`)
	if _, err := s.PutRole(t.Context(), "anonymous", everything, security.Write{}); err != nil {
		t.Fatal(err)
	}
	if !s.WideOpen() {
		t.Error("an open stored role does not count")
	}
}

func TestFailsClosed(t *testing.T) {
	for _, test := range []struct{ name, role, profile string }{
		{"role is not what it should be", `{"controllers":{"document":{"actions":{"get":"true"}}}}`, `{"policies":[{"roleId":"r"}]}`},
		{"role is partly not what it should be", `{"controllers":{"document":{"actions":{"get":true}},"index":5}}`, `{"policies":[{"roleId":"r"}]}`},
		{"role is missing", `{"controllers":{"document":{"actions":{"get":true}}}}`, `{"policies":[{"roleId":"other"}]}`},
		{"profile is not what it should be", `{"controllers":{"document":{"actions":{"get":true}}}}`, `{"policies":[{"roleId":"r"}],"rateLimit":"many"}`},
		{"restriction is not what it should be", `{"controllers":{"document":{"actions":{"get":true}}}}`, `{"policies":[{"roleId":"r","restrictedTo":{"index":"a"}}]}`},
		{"restriction is misspelt", `{"controllers":{"document":{"actions":{"get":true}}}}`, `{"policies":[{"roleId":"r","restrictedto":[{"index":"a"}]}]}`},
		{"place is misspelt", `{"controllers":{"document":{"actions":{"get":true}}}}`, `{"policies":[{"roleId":"r","restrictedTo":[{"index":"a","collection":["x"]}]}]}`},
		{"profile has no policy", `{"controllers":{"document":{"actions":{"get":true}}}}`, `{}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := newEngine(t)
			s := open(t, e, true)
			store(t, e, "roles", "r", test.role)
			store(t, e, "profiles", "p", test.profile)
			store(t, e, "users", "u", `{"profileIds":["p","missing"]}`)
			if allowed(s, user(t, s, "u"), "document", "get") {
				t.Error("allowed")
			}
		})
	}
	e := newEngine(t)
	s := open(t, e, true)
	store(t, e, "users", "none", `{"profileIds":[]}`)
	store(t, e, "users", "odd", `{"profileIds":"admin"}`)
	for id, want := range map[string]error{
		"none": kerror.SecurityUserNoProfile, "odd": kerror.SecurityUserCannotHydrate, "missing": kerror.SecurityUserNotFound, "": kerror.SecurityUserNotFound,
	} {
		if _, err := s.User(t.Context(), id); !errors.Is(err, want) {
			t.Errorf("user %q: %v, want %v", id, err, want)
		}
	}
}

func TestStorageFailureIsInternal(t *testing.T) {
	e := newEngine(t)
	store0 := open(t, e, true)
	_ = store0
	store(t, e, "users", "u", `{"profileIds":["admin"]}`)
	for _, collection := range []string{"users", "profiles", "roles"} {
		var broken atomic.Bool
		s := open(t, storagetest.Faulty{Engine: e, Fail: func(_ string, c storage.Collection, _ string) error {
			if broken.Load() && c.Name == collection {
				return kerror.ServicesStorageUnknownIndex.New("kuzzle")
			}
			return nil
		}}, true)
		s.ForgetAll()
		broken.Store(true)
		_, err := s.User(t.Context(), "u")
		var ke *kerror.Error
		if !errors.As(err, &ke) || ke.Status < 500 {
			t.Errorf("%s: %v", collection, err)
		}
		broken.Store(false)
		if !allowed(s, user(t, s, "u"), "document", "get") {
			t.Errorf("%s: the failure was kept", collection)
		}
	}
}

func TestWritesAreInForceAtOnce(t *testing.T) {
	e := newEngine(t)
	s := open(t, e, false)
	ctx := t.Context()
	if _, err := s.CreateUser(ctx, "u", nil, jsontext.Value(`{"profileIds":["default"]}`), security.Write{By: "me"}); err != nil {
		t.Fatal(err)
	}
	if allowed(s, user(t, s, "u"), "document", "get") {
		t.Fatal("allowed too early")
	}
	if _, err := s.PutRole(ctx, "default", jsontext.Value(`{"controllers":{"document":{"actions":{"get":true}}}}`), security.Write{}); err != nil {
		t.Fatal(err)
	}
	if !allowed(s, user(t, s, "u"), "document", "get") {
		t.Error("the new role is not in force")
	}
	if err := s.DeleteUser(ctx, "u", security.Write{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.User(ctx, "u"); !errors.Is(err, kerror.SecurityUserNotFound) {
		t.Errorf("deleted user: %v", err)
	}
}

// A reader that began before a role was taken away must not put the old one back into memory.
func TestReadersDoNotKeepWhatWasReplaced(t *testing.T) {
	s := open(t, newEngine(t), false)
	ctx := context.Background()
	if _, err := s.CreateUser(ctx, "u", nil, jsontext.Value(`{"profileIds":["default"]}`), security.Write{}); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for !stop.Load() {
				if _, err := s.User(ctx, "u"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 200 {
		text := `{"controllers":{"document":{"actions":{"get":true}}}}`
		if i%2 == 1 {
			text = `{"controllers":{"document":{"actions":{"get":false}}}}`
		}
		if _, err := s.PutRole(ctx, "default", jsontext.Value(text), security.Write{}); err != nil {
			t.Fatal(err)
		}
		if got := allowed(s, user(t, s, "u"), "document", "get"); got != (i%2 == 0) {
			t.Fatalf("round %d: the role of before is in force", i)
		}
	}
	stop.Store(true)
	readers.Wait()
}

func TestCreateUser(t *testing.T) {
	s := open(t, newEngine(t), false)
	human, err := security.NewID("human")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		id, content string
		want        error
	}{
		{"a", `{"profileIds":["default"],"name":"A","_kuzzle_info":{"author":"forged"}}`, nil},
		{"a", `{"profileIds":["default"]}`, kerror.SecurityUserAlreadyExists},
		{"-1", `{"profileIds":["default"]}`, kerror.SecurityUserAlreadyExists},
		{"anonymous", `{"profileIds":["default"]}`, kerror.SecurityUserAlreadyExists},
		{"", `{"profileIds":["default"]}`, nil},
		{"b", `{"profileIds":["missing"]}`, kerror.SecurityProfileNotFound},
		{"b", `{"profileIds":[]}`, kerror.APIAssertEmptyArgument},
		{"b", `{"profileIds":"default"}`, kerror.APIAssertInvalidType},
		{"b", `{}`, kerror.APIAssertMissingArgument},
		{strings.Repeat("x", 513), `{"profileIds":["default"]}`, kerror.ServicesStorageInvalidArgument},
	} {
		stored, err := s.CreateUser(t.Context(), test.id, human, jsontext.Value(test.content), security.Write{By: "me"})
		if test.want != nil || err != nil {
			if !errors.Is(err, test.want) {
				t.Errorf("%.20s %s: %v, want %v", test.id, test.content, err, test.want)
			}
			continue
		}
		if test.id == "" && !regexp.MustCompile(`^kuid-[a-z]+-[a-z]+-\d+$`).MatchString(stored.ID) {
			t.Errorf("generated id %q", stored.ID)
		}
		if source := string(stored.Source); strings.Contains(source, "forged") || !strings.Contains(source, `"author":"me"`) || !strings.Contains(source, `"updater":null`) {
			t.Errorf("metadata: %s", source)
		}
	}
	uuid, err := security.NewID("uuid")
	if err != nil {
		t.Fatal(err)
	}
	if id, err := uuid(); err != nil || !regexp.MustCompile(`^kuid-[0-9a-f-]{36}$`).MatchString(id) {
		t.Errorf("%q, %v", id, err)
	}
	if _, err := security.NewID("robot"); !errors.Is(err, kerror.APIAssertInvalidArgument) {
		t.Errorf("robot: %v", err)
	}
}

func TestCheckRole(t *testing.T) {
	known := security.Known{"auth": {"login", "logout"}, "ms": {"get"}, "document": {"create"}, "server": {"now"}}
	for _, test := range []struct {
		id, body string
		want     error
	}{
		{"r", `{"controllers":{"auth":{"actions":{"login":true,"*":false}},"*":{"actions":{"anything":true}}},"tags":["x"]}`, nil},
		{"r", `{"controllers":{"memoryStorage":{"actions":{"get":true}}}}`, nil},
		{"anonymous", `{"controllers":{"auth":{"actions":{"login":true}},"server":{"actions":{"openapi":true}}}}`, nil}, // as it is built in
		{"r", `{}`, kerror.APIAssertMissingArgument},
		{"r", `{"controllers":null}`, kerror.APIAssertMissingArgument},
		{"r", `{"controllers":[]}`, kerror.APIAssertInvalidType},
		{"r", `{"controllers":{}}`, kerror.APIAssertEmptyArgument},
		{"r", `{"controllers":{"auth":true}}`, kerror.APIAssertInvalidType},
		{"r", `{"controllers":{"auth":{}}}`, kerror.APIAssertMissingArgument},
		{"r", `{"controllers":{"auth":{"actions":{}}}}`, kerror.APIAssertEmptyArgument},
		{"r", `{"controllers":{"auth":{"actions":[]}}}`, kerror.APIAssertInvalidType},
		{"r", `{"controllers":{"auth":{"actions":{"login":1}}}}`, kerror.APIAssertInvalidType},
		{"r", `{"controllers":{"atuh":{"actions":{"login":true}}}}`, kerror.SecurityRoleUnknownController},
		{"r", `{"controllers":{"auth":{"actions":{"loign":true}}}}`, kerror.SecurityRoleUnknownAction},
		{"anonymous", `{"controllers":{"auth":{"actions":{"logout":true}}}}`, kerror.SecurityRoleLoginRequired},
		{"anonymous", `{"controllers":{"*":{"actions":{"*":true}},"auth":{"actions":{"login":false}}}}`, kerror.SecurityRoleLoginRequired},
		{"anonymous", `{"controllers":{"*":{"actions":{"*":true}}}}`, nil},
	} {
		if err := security.CheckRole(test.id, jsontext.Value(test.body), known); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.body, err, test.want)
		}
	}
	err := security.CheckRole("r", jsontext.Value(`{"controllers":{"documnet":{"actions":{"create":true}}}}`), known)
	var ke *kerror.Error
	if !errors.As(err, &ke) || !strings.Contains(ke.Message, `Did you mean "document"?`) {
		t.Errorf("no hint: %v", err)
	}
	if err := security.CheckRole("r", jsontext.Value(`{"controllers":{"atuh":{"actions":{"x":true}}}}`), nil); err != nil {
		t.Errorf("forced: %v", err)
	}
}

func TestRolesKeepTheirAuthor(t *testing.T) {
	s := open(t, newEngine(t), false)
	body := jsontext.Value(`{"controllers":{"auth":{"actions":{"login":true}}}}`)
	if _, err := s.ReplaceRole(t.Context(), "r", body, security.Write{By: "a"}); !errors.Is(err, kerror.ServicesStorageNotFound) {
		t.Errorf("replace of nothing: %v", err)
	}
	if _, err := s.PutRole(t.Context(), "r", body, security.Write{By: "a"}); err != nil {
		t.Fatal(err)
	}
	stored, err := s.ReplaceRole(t.Context(), "r", body, security.Write{By: "b"})
	if err != nil || !strings.Contains(string(stored.Source), `"author":"a"`) || !strings.Contains(string(stored.Source), `"updater":"b"`) {
		t.Errorf("%s %v", stored.Source, err)
	}
	if _, err := s.ReplaceRole(t.Context(), "default", body, security.Write{}); err != nil {
		t.Errorf("a built-in role that is not stored: %v", err)
	}
	if _, err := s.ReadRole(t.Context(), "nobody"); !errors.Is(err, kerror.SecurityRoleNotFound) {
		t.Errorf("unknown role: %v", err)
	}
	if _, err := s.ReadProfile(t.Context(), "nobody"); !errors.Is(err, kerror.SecurityProfileNotFound) {
		t.Errorf("unknown profile: %v", err)
	}
}

// Whoever watches hears of every change of rights when it is in force already.
func TestWatch(t *testing.T) {
	s := open(t, newEngine(t), false)
	var heard []string
	s.Watch(func(kuid string) {
		role, err := s.ReadRole(t.Context(), "reader")
		heard = append(heard, fmt.Sprintf("%s %t", cmp.Or(kuid, "everybody"), err == nil && role.ID != ""))
	})
	if _, err := s.CreateUser(t.Context(), "ann", nil, jsontext.Value(`{"profileIds":["default"]}`), security.Write{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutRole(t.Context(), "reader", jsontext.Value(`{"controllers":{"server":{"actions":{"now":true}}}}`), security.Write{}); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteUser(t.Context(), "ann", security.Write{}); err != nil {
		t.Fatal(err)
	}
	s.ForgetAll()
	if want := []string{"everybody true", "ann true", "everybody true"}; !slices.Equal(heard, want) {
		t.Errorf("heard %q, want %q", heard, want)
	}
}
