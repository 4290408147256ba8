package auth_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// No user is made under an id of which a strategy may still hold credentials.
func TestUsersAreMadeOnlyWhenTheirIDIsForgotten(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	e, err := embedded.Open(t.Context(), embedded.Options{Dir: "data", FS: vfs.NewMem(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	users, err := security.Open(t.Context(), security.Options{Engine: e, Dev: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	var answers error
	var forgotten []string
	forget := func(_ context.Context, engine storage.Engine, kuid string) error {
		if engine != storage.Engine(e) {
			t.Error("another engine")
		}
		forgotten = append(forgotten, kuid)
		return answers
	}
	accounts, err := auth.Open(t.Context(), auth.Options{Engine: e, Users: users, Secret: strings.Repeat("s", 32), Logger: quiet, Forget: []auth.Forget{forget, forget}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(accounts.Close)
	user := account("ann", "", "", "default")
	user.Credentials = nil
	create := func() error { _, err := accounts.CreateUser(t.Context(), nil, user); return err }

	answers = errors.New("the disk is gone")
	if err := create(); !errors.Is(err, kerror.CoreFatalServiceUnavailable) || len(forgotten) != 1 {
		t.Errorf("%v after %v", err, forgotten)
	}
	if _, err := users.ReadUser(t.Context(), "ann"); !errors.Is(err, kerror.SecurityUserNotFound) {
		t.Errorf("she was made all the same: %v", err)
	}
	for _, nothing := range []error{kerror.ServicesStorageUnknownIndex.New("i"), kerror.ServicesStorageUnknownCollection.New("i", "c"), nil} {
		answers, forgotten = nothing, nil
		if err := create(); err != nil || strings.Join(forgotten, " ") != "ann ann" {
			t.Errorf("%v: %v after %v", nothing, err, forgotten)
		}
		if err := accounts.DeleteUser(t.Context(), nil, "ann", security.Write{}); err != nil {
			t.Fatal(err)
		}
	}
}
