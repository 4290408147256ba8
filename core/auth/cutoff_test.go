package auth_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/auth/local"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded"
	"github.com/sluicehq/sluice/core/storage/storagetest"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// machine is a storage whose n-th call from now on fails, and every later one too if the node dies there.
type machine struct {
	disk  storage.Engine
	calls atomic.Int64
	fails atomic.Int64 // 0 fails nothing
	dies  bool
}

var errCut = errors.New("cut off")

func newMachine(t *testing.T, dies bool) *machine {
	t.Helper()
	e, err := embedded.Open(t.Context(), embedded.Options{Dir: "data", FS: vfs.NewMem(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return &machine{disk: e, dies: dies}
}

func (m *machine) fail(string, storage.Collection, string) error {
	n, call := m.fails.Load(), m.calls.Add(1)
	if n > 0 && (call == n || m.dies && call > n) {
		return errCut
	}
	return nil
}

// failAt makes call n from now on fail.
func (m *machine) failAt(n int64) {
	m.calls.Store(0)
	m.fails.Store(n)
}

// node is what runs on a machine from one start to the next.
type node struct {
	users    *security.Service
	accounts *auth.Service
	local    *local.Strategy
}

func (m *machine) start(t *testing.T) *node {
	t.Helper()
	m.failAt(0)
	quiet := slog.New(slog.DiscardHandler)
	e := storagetest.Faulty{Engine: m.disk, Fail: m.fail}
	n := &node{}
	var err error
	if n.users, err = security.Open(t.Context(), security.Options{Engine: e, Dev: true, Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	if n.accounts, err = auth.Open(t.Context(), auth.Options{Engine: e, Users: n.users, Secret: strings.Repeat("s", 32), Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.accounts.Close)
	n.local, err = local.Open(t.Context(), local.Options{Engine: e, Cost: local.Cost{MemoryKiB: 64, Iterations: 1, Parallelism: 1}, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.accounts.Strategies().Add(auth.Named{Name: local.Name, Strategy: n.local}); err != nil {
		t.Fatal(err)
	}
	return n
}

// account is a user in the making.
func account(id, username, password, profile string) auth.NewUser {
	human, _ := security.NewID("human")
	return auth.NewUser{
		ID: id, NewID: human, Content: jsontext.Value(`{"profileIds":["` + profile + `"]}`),
		Credentials: []protocol.Arg{{Name: "local", Value: jsontext.Value(`{"username":"` + username + `","password":"` + password + `"}`)}},
	}
}

// login gives the user, "" when it is refused as somebody unknown is.
func (n *node) login(t *testing.T, username, password string) string {
	t.Helper()
	login := auth.Login{Known: func(ctx context.Context, kuid string) (bool, error) {
		_, err := n.users.User(ctx, kuid)
		if errors.Is(err, kerror.SecurityUserNotFound) {
			return false, nil
		}
		return err == nil, err
	}}
	ask := func(username string) auth.Outcome {
		login.Body.Set("username", jsontext.Value(`"`+username+`"`))
		login.Body.Set("password", jsontext.Value(`"`+password+`"`))
		outcome, err := n.local.Verify(t.Context(), login)
		if err != nil {
			t.Fatal(err)
		}
		return outcome
	}
	got, unknown := ask(username), ask("nobody at all")
	if got.KUID == "" && got != unknown {
		t.Errorf("%+v, but for an unknown user %+v", got, unknown)
	}
	return got.KUID
}

// TestAccountsCutOffAnywhere cuts the making of an account off at every call of the storage, by a failure and by death.
// Afterwards there is the whole account, or none and the same call makes it.
func TestAccountsCutOffAnywhere(t *testing.T) {
	for _, dies := range []bool{false, true} {
		for _, action := range []struct {
			name   string
			create func(n *node, a auth.NewUser) (security.Stored, error)
			exists error
		}{
			{"createUser", func(n *node, a auth.NewUser) (security.Stored, error) {
				return n.accounts.CreateUser(context.Background(), nil, a)
			}, kerror.SecurityUserAlreadyExists},
			{"createFirstAdmin", func(n *node, a auth.NewUser) (security.Stored, error) {
				return n.accounts.CreateFirstAdmin(context.Background(), nil, a, false)
			}, kerror.APIProcessAdminExists},
			{"createFirstAdmin with reset", func(n *node, a auth.NewUser) (security.Stored, error) {
				return n.accounts.CreateFirstAdmin(context.Background(), nil, a, true)
			}, kerror.APIProcessAdminExists},
		} {
			t.Run(fmt.Sprintf("%s, dies %v", action.name, dies), func(t *testing.T) {
				for step, cut := int64(1), true; cut; step++ {
					m := newMachine(t, dies)
					n := m.start(t)
					a := account("boss", "joe", "secret", "admin")
					m.failAt(step)
					_, err := action.create(n, a)
					cut = m.calls.Load() >= step
					if err == nil && !cut && step < 5 {
						t.Fatal("the storage is not used")
					}
					if n = m.start(t); dies || err == nil {
						if (n.login(t, "joe", "secret") == "boss") != stored(t, n, "boss") {
							t.Fatalf("step %d: half an account", step)
						}
					}
					if _, again := action.create(n, a); again != nil && !errors.Is(again, action.exists) {
						t.Fatalf("step %d, again: %v", step, again)
					}
					if got := n.login(t, "joe", "secret"); got != "boss" {
						t.Fatalf("step %d: cannot log in after %v", step, err)
					}
					if n.users.WideOpen() == strings.HasSuffix(action.name, "reset") {
						t.Fatalf("step %d: open to everybody: %v", step, n.users.WideOpen())
					}
				}
			})
		}
	}
}

func stored(t *testing.T, n *node, kuid string) bool {
	t.Helper()
	_, err := n.users.ReadUser(t.Context(), kuid)
	if err != nil && !errors.Is(err, kerror.SecurityUserNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

// orphan leaves the credentials of a user that was never stored.
func orphan(t *testing.T, n *node, kuid, username, password string) {
	t.Helper()
	if _, err := n.local.Create(t.Context(), nil, kuid, account("", username, password, "").Credentials[0].Value); err != nil {
		t.Fatal(err)
	}
}

func TestLeftoverCredentials(t *testing.T) {
	n := newMachine(t, false).start(t)
	create := func(a auth.NewUser) string {
		t.Helper()
		stored, err := n.accounts.CreateUser(t.Context(), nil, a)
		if err != nil {
			t.Fatal(err)
		}
		return stored.ID
	}
	orphan(t, n, "kuid-lost", "joe", "old")
	if got := n.login(t, "joe", "old"); got != "" {
		t.Errorf("logged in as %q, who does not exist", got)
	}
	if id := create(account("", "joe", "new", "default")); n.login(t, "joe", "new") != id || n.login(t, "joe", "old") != "" {
		t.Error("the name of leftovers was not taken over")
	}

	orphan(t, n, "ann", "ann", "old")
	bare := account("ann", "", "", "default")
	bare.Credentials = nil
	if create(bare); n.login(t, "ann", "old") != "" {
		t.Error("leftovers are a way into a new account")
	}

	if _, err := n.accounts.CreateUser(t.Context(), nil, account("thief", "joe", "mine", "default")); err == nil {
		t.Error("the name of a user was taken over")
	}
	if stored(t, n, "thief") || n.login(t, "joe", "new") == "" {
		t.Error("a refused creation changed something")
	}
}
