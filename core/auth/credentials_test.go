package auth

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestCredentialsAreOfUsersWhoExist(t *testing.T) {
	s := open(t, newEngine(t), nil)
	f := newFake()
	add(t, s, "first", f)
	for _, nobody := range []string{"x", "-1", "anonymous", ""} {
		if _, err := s.CreateCredentials(t.Context(), nil, nobody, "first", jsontext.Value(`{}`)); !errors.Is(err, kerror.SecurityUserNotFound) {
			t.Errorf("create for %q: %v", nobody, err)
		}
		if err := s.DeleteCredentials(t.Context(), nil, nobody, "first"); !errors.Is(err, kerror.SecurityUserNotFound) {
			t.Errorf("delete for %q: %v", nobody, err)
		}
	}
	if len(f.users) != 0 {
		t.Errorf("credentials of %v", f.users)
	}
}

// What a user is remembered to have follows every change at once.
func TestChangedCredentialsAreNotRemembered(t *testing.T) {
	s := open(t, newEngine(t), nil)
	add(t, s, "first", newFake())
	for _, want := range []int{0, 1, 0} {
		names, err := s.StrategiesOf(t.Context(), nil, "u")
		if err != nil || len(names) != want {
			t.Fatalf("%v %v, want %d", names, err, want)
		}
		if want == 0 {
			_, err = s.CreateCredentials(t.Context(), nil, "u", "first", jsontext.Value(`{}`))
		} else {
			err = s.DeleteCredentials(t.Context(), nil, "u", "first")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Credentials that are made while their user is deleted must not be a way into a new user of that name.
func TestNoCredentialsOutliveTheirUser(t *testing.T) {
	s := open(t, newEngine(t), nil)
	f := newFake()
	add(t, s, "first", f)
	for range 50 {
		var all sync.WaitGroup
		all.Go(func() {
			_, _ = s.CreateCredentials(context.Background(), nil, "u", "first", jsontext.Value(`{}`)) // either way is fine
		})
		if err := s.DeleteUser(t.Context(), nil, "u", NewUser{}.Write); err != nil {
			t.Fatal(err)
		}
		all.Wait()
		if has, err := s.HasCredentials(t.Context(), nil, "u", "first"); err != nil || has {
			t.Fatalf("credentials of a deleted user: %v %v", has, err)
		}
		if _, err := s.CreateUser(t.Context(), nil, newUser("u")); err != nil {
			t.Fatal(err)
		}
	}
}
