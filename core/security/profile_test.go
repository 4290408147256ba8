package security_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func putProfile(t testing.TB, s *security.Service, id, body string) {
	t.Helper()
	if _, err := s.PutProfile(t.Context(), id, jsontext.Value(body), false, security.Write{}); err != nil {
		t.Fatal(err)
	}
}

func putRole(t testing.TB, s *security.Service, id string) {
	t.Helper()
	body := jsontext.Value(`{"controllers":{"document":{"actions":{"get":true}}}}`)
	if _, err := s.PutRole(t.Context(), id, body, security.Write{}); err != nil {
		t.Fatal(err)
	}
}

func addUser(t testing.TB, s *security.Service, id, content string) {
	t.Helper()
	if _, err := s.CreateUser(t.Context(), id, nil, jsontext.Value(content), security.Write{}); err != nil {
		t.Fatal(err)
	}
}

func TestProfilesAreChecked(t *testing.T) {
	e := newEngine(t)
	s := open(t, e, false)
	if err := e.Ensure(t.Context(), storage.Collection{Index: "city", Name: "taxis"}, storage.Spec{}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		id, body string
		strict   bool
		want     error
	}{
		{"p", `{"policies":[{"roleId":"default","restrictedTo":[{"index":"x"},{"index":"y","collections":["z"]}]}],"rateLimit":5,"tags":["t"],"free":1}`, false, nil},
		{"p", `{"policies":[{"roleId":"default","restrictedTo":[{"index":"city","collections":["taxis"]}]}]}`, true, nil},
		{"p", `{"policies":[{"roleId":"default","restrictedTo":null}],"rateLimit":null}`, true, nil},
		{"p", `{"policies":[{"roleId":"default","restrictedTo":[{"index":"x"}]}]}`, true, kerror.ServicesStorageUnknownIndex},
		{"p", `{"policies":[{"roleId":"default","restrictedTo":[{"index":"city","collections":["x"]}]}]}`, true, kerror.ServicesStorageUnknownCollection},
		{"p", `{}`, false, kerror.APIAssertMissingArgument},
		{"p", `{"policies":null}`, false, kerror.APIAssertMissingArgument},
		{"p", `{"policies":[]}`, false, kerror.APIAssertEmptyArgument},
		{"p", `{"policies":{"roleId":"default"}}`, false, kerror.APIAssertInvalidType},
		{"p", `{"policies":["default"]}`, false, kerror.APIAssertInvalidType},
		{"p", `{"policies":[{}]}`, false, kerror.APIAssertMissingArgument},
		{"p", `{"policies":[{"roleId":5}]}`, false, kerror.APIAssertInvalidType},
		{"p", `{"policies":[{"roleId":"x"}]}`, false, kerror.SecurityRoleNotFound},
		{"p", `{"policies":[{"roleId":""}]}`, false, kerror.SecurityRoleNotFound},
		{"p", `{"policies":[{"roleId":"default","restrictedto":[]}]}`, false, kerror.APIAssertUnexpectedArgument},
		{"p", `{"policies":[{"roleId":"default","restrictedTo":{"index":"x"}}]}`, false, kerror.APIAssertInvalidType},
		{"p", `{"policies":[{"roleId":"default","restrictedTo":["x"]}]}`, false, kerror.APIAssertInvalidType},
		{"p", `{"policies":[{"roleId":"default","restrictedTo":[{}]}]}`, false, kerror.APIAssertMissingArgument},
		{"p", `{"policies":[{"roleId":"default","restrictedTo":[{"index":""}]}]}`, false, kerror.APIAssertEmptyArgument},
		{"p", `{"policies":[{"roleId":"default","restrictedTo":[{"index":"x","collections":"z"}]}]}`, false, kerror.APIAssertInvalidType},
		{"p", `{"policies":[{"roleId":"default","restrictedTo":[{"index":"x","collection":["z"]}]}]}`, false, kerror.APIAssertUnexpectedArgument},
		{"p", `{"policies":[{"roleId":"default"}],"rateLimit":"5"}`, false, kerror.APIAssertInvalidType},
		{"p", `{"policies":[{"roleId":"default"}],"rateLimit":1.5}`, false, kerror.APIAssertInvalidType},
		{"p", `{"policies":[{"roleId":"default"}],"rateLimit":-1}`, false, kerror.APIAssertInvalidType},
		{"anonymous", `{"policies":[{"roleId":"default"}]}`, false, kerror.SecurityProfileMissingAnonymousRole},
		{"anonymous", `{"policies":[{"roleId":"default"},{"roleId":"anonymous"}]}`, false, nil},
	} {
		if _, err := s.PutProfile(t.Context(), test.id, jsontext.Value(test.body), test.strict, security.Write{}); !errors.Is(err, test.want) {
			t.Errorf("%s %s: %v, want %v", test.id, test.body, err, test.want)
		}
	}
}

func TestProfileWrites(t *testing.T) {
	s := open(t, newEngine(t), false)
	ctx, good := t.Context(), jsontext.Value(`{"policies":[{"roleId":"default"}],"_kuzzle_info":{"author":"forged"}}`)
	if _, err := s.CreateProfile(ctx, "p", good, false, security.Write{By: "a"}); err != nil {
		t.Fatal(err)
	}
	for _, taken := range []string{"p", "admin"} {
		if _, err := s.CreateProfile(ctx, taken, good, false, security.Write{}); !errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists) {
			t.Errorf("create %s again: %v", taken, err)
		}
	}
	stored, err := s.UpdateProfile(ctx, "p", jsontext.Value(`{"rateLimit":3,"_kuzzle_info":null}`), false, security.Change{Write: security.Write{By: "b"}})
	text := string(stored.Source)
	if err != nil || !strings.Contains(text, `"author":"a"`) || !strings.Contains(text, `"updater":"b"`) ||
		!strings.Contains(text, `"policies":[{"roleId":"default"}],`) || !strings.Contains(text, `"rateLimit":3`) {
		t.Errorf("updated: %s %v", text, err)
	}
	if stored, err = s.UpdateProfile(ctx, "default", jsontext.Value(`{"rateLimit":3}`), false, security.Change{}); err != nil || !strings.Contains(string(stored.Source), `"roleId":"default"`) {
		t.Errorf("built-in: %s %v", stored.Source, err)
	}
	for body, want := range map[string]error{
		`{"policies":null}`: kerror.APIAssertMissingArgument, `{"policies":[]}`: kerror.APIAssertEmptyArgument,
		`{"policies":[{"roleId":"x"}]}`: kerror.SecurityRoleNotFound,
	} {
		if _, err := s.UpdateProfile(ctx, "p", jsontext.Value(body), false, security.Change{}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", body, err, want)
		}
	}
	if _, err := s.UpdateProfile(ctx, "x", good, false, security.Change{}); !errors.Is(err, kerror.SecurityProfileNotFound) {
		t.Errorf("update of nothing: %v", err)
	}
}

func TestDeleteRoles(t *testing.T) {
	s := open(t, newEngine(t), false)
	putRole(t, s, "free")
	putRole(t, s, "used")
	putProfile(t, s, "p", `{"policies":[{"roleId":"default"},{"roleId":"used"}]}`)
	errs, err := s.DeleteRoles(t.Context(), []string{"free", "free", "used", "x", "admin", "anonymous", "default"}, security.Write{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{
		nil, kerror.SecurityRoleNotFound, kerror.SecurityRoleInUse, kerror.SecurityRoleNotFound,
		kerror.SecurityRoleCannotDelete, kerror.SecurityRoleCannotDelete, kerror.SecurityRoleCannotDelete,
	} {
		if !errors.Is(errs[i], want) {
			t.Errorf("%d: %v, want %v", i, errs[i], want)
		}
	}
}

// What cannot be read may refer to anything.
func TestUnreadableProfilesKeepRoles(t *testing.T) {
	e := newEngine(t)
	s := open(t, e, false)
	putRole(t, s, "r")
	store(t, e, "profiles", "odd", `{"policies":{"roleId":"r"}}`)
	if _, err := s.DeleteRoles(t.Context(), []string{"r"}, security.Write{}); !errors.Is(err, kerror.SecurityProfileCannotHydrate) {
		t.Error(err)
	}
}

func TestDeleteProfile(t *testing.T) {
	s := open(t, newEngine(t), false)
	ctx := t.Context()
	putRole(t, s, "r")
	putProfile(t, s, "p", `{"policies":[{"roleId":"r"}]}`)
	addUser(t, s, "both", `{"profileIds":["p","default"],"name":"B"}`)
	for i := range 150 {
		addUser(t, s, fmt.Sprint("one", i), `{"profileIds":["p"]}`)
	}
	for id, want := range map[string]error{
		"p": kerror.SecurityProfileInUse, "x": kerror.SecurityProfileNotFound, "admin": kerror.SecurityProfileCannotDelete,
	} {
		if err := s.DeleteProfile(ctx, id, false, security.Write{}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", id, err, want)
		}
	}
	if !allowed(s, user(t, s, "one7"), "document", "get") {
		t.Fatal("the profile allows nothing")
	}
	if err := s.DeleteProfile(ctx, "p", true, security.Write{By: "boss"}); err != nil {
		t.Fatal(err)
	}
	if allowed(s, user(t, s, "one7"), "document", "get") {
		t.Error("the profile still counts")
	}
	for id, want := range map[string]string{"both": `{"profileIds":["default"],"name":"B"`, "one149": `{"profileIds":["anonymous"]`} {
		stored, err := s.ReadUser(ctx, id)
		if err != nil || !strings.HasPrefix(string(stored.Source), want) || !strings.Contains(string(stored.Source), `"updater":"boss"`) {
			t.Errorf("%s: %s %v", id, stored.Source, err)
		}
	}
}

// No user or profile is left that refers to what was deleted while it was being stored.
func TestDeletionsMeetWrites(t *testing.T) {
	s := open(t, newEngine(t), false)
	ctx := context.Background()
	for round := range 40 {
		role, id := fmt.Sprint("r", round), fmt.Sprint("p", round)
		putRole(t, s, role)
		putProfile(t, s, id, `{"policies":[{"roleId":"default"}]}`)
		var all sync.WaitGroup
		var errs []error
		all.Go(func() {
			_, _ = s.UpdateProfile(ctx, "default", jsontext.Value(`{"policies":[{"roleId":"`+role+`"}]}`), false, security.Change{})
		})
		all.Go(func() {
			_, _ = s.CreateUser(ctx, id, nil, jsontext.Value(`{"profileIds":["`+id+`"]}`), security.Write{})
		})
		all.Go(func() { errs, _ = s.DeleteRoles(ctx, []string{role}, security.Write{}) })
		gone := s.DeleteProfile(ctx, id, false, security.Write{})
		all.Wait()
		profile, err := s.ReadProfile(ctx, "default")
		if err != nil || errs[0] == nil && strings.Contains(string(profile.Source), role+`"`) {
			t.Fatalf("round %d: %s names a deleted role (%v)", round, profile.Source, err)
		}
		if _, err := s.ReadUser(ctx, id); gone == nil && err == nil {
			t.Fatalf("round %d: a user has a deleted profile", round)
		}
	}
}

// A deletion that gave up lets others go on.
func TestDeletionGivesUp(t *testing.T) {
	s := open(t, newEngine(t), false)
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	for range 100 {
		if _, err := s.DeleteRoles(ctx, []string{"x"}, security.Write{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	addUser(t, s, "u", `{"profileIds":["default"]}`)
	if err := s.DeleteProfile(t.Context(), "x", false, security.Write{}); !errors.Is(err, kerror.SecurityProfileNotFound) {
		t.Error(err)
	}
}

func TestChangeUser(t *testing.T) {
	s := open(t, newEngine(t), false)
	ctx := t.Context()
	addUser(t, s, "u", `{"profileIds":["default"],"a":{"x":1},"b":1}`)
	stored, err := s.UpdateUser(ctx, "u", jsontext.Value(`{"a":{"y":2},"_kuzzle_info":{"author":"forged"}}`), security.Change{Write: security.Write{By: "me"}})
	if text := string(stored.Source); err != nil || !strings.HasPrefix(text, `{"profileIds":["default"],"a":{"y":2},"b":1,`) || strings.Contains(text, "forged") {
		t.Errorf("updated: %s %v", text, err)
	}
	for body, want := range map[string]error{
		`{"profileIds":null}`: kerror.APIAssertMissingArgument, `{"profileIds":[]}`: kerror.APIAssertEmptyArgument,
		`{"profileIds":"admin"}`: kerror.APIAssertInvalidType, `{"profileIds":["x"]}`: kerror.SecurityProfileNotFound,
	} {
		for name, change := range map[string]func(context.Context, string, jsontext.Value, security.Change) (security.Stored, error){
			"update": s.UpdateUser, "replace": s.ReplaceUser,
		} {
			if _, err := change(ctx, "u", jsontext.Value(body), security.Change{}); !errors.Is(err, want) {
				t.Errorf("%s %s: %v, want %v", name, body, err, want)
			}
		}
	}
	if stored, err = s.ReplaceUser(ctx, "u", jsontext.Value(`{"profileIds":["admin"]}`), security.Change{}); err != nil || strings.Contains(string(stored.Source), `"b"`) {
		t.Errorf("replaced: %s %v", stored.Source, err)
	}
	if !allowed(s, user(t, s, "u"), "document", "get") {
		t.Error("the new profile is not in force")
	}
	for _, id := range []string{"x", "-1", "anonymous", ""} {
		if _, err := s.UpdateUser(ctx, id, jsontext.Value(`{"a":1}`), security.Change{}); !errors.Is(err, kerror.SecurityUserNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestChangesMeet(t *testing.T) {
	s := open(t, newEngine(t), false)
	addUser(t, s, "u", `{"profileIds":["default"]}`)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			partial := jsontext.Value(fmt.Sprintf(`{"m%d":true}`, i))
			if _, err := s.UpdateUser(context.Background(), "u", partial, security.Change{Retries: 100}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	stored, err := s.ReadUser(t.Context(), "u")
	if n := strings.Count(string(stored.Source), `":true`); err != nil || n != 8 {
		t.Errorf("%d of 8 changes are left: %s %v", n, stored.Source, err)
	}
}

// Fields that operators added to the mapping bind what is stored from then on; what the node lives on cannot be changed.
func TestAddMapping(t *testing.T) {
	s := open(t, newEngine(t), false)
	ctx := t.Context()
	if err := s.AddMapping(ctx, security.Users, jsontext.Value(`{"age":{"type":"integer"}}`)); err != nil {
		t.Fatal(err)
	}
	mapping, err := s.Mapping(ctx, security.Users)
	if text := string(mapping); err != nil || !strings.Contains(text, `"age":{"type":"integer"}`) || !strings.Contains(text, `"profileIds":{"type":"keyword"}`) {
		t.Errorf("%s %v", text, err)
	}
	if err := s.AddMapping(ctx, security.Users, jsontext.Value(`{"profileIds":{"type":"text"}}`)); !errors.Is(err, kerror.ServicesStorageCannotChangeMapping) {
		t.Errorf("profileIds changed: %v", err)
	}
	for _, field := range []string{"_kuzzle_info", "_kuzzle_info.author"} {
		if err := s.AddMapping(ctx, security.Users, jsontext.Value(`{"`+field+`":{"type":"keyword"}}`)); !errors.Is(err, kerror.APIAssertForbiddenArgument) {
			t.Errorf("%s mapped: %v", field, err)
		}
	}
	addUser(t, s, "u", `{"profileIds":["default"],"age":5}`)
	if _, err := s.UpdateUser(ctx, "u", jsontext.Value(`{"age":"old"}`), security.Change{}); !errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) {
		t.Errorf("a text for a number: %v", err)
	}
}
