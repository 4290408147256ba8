package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/storagetest"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// fake is a strategy in memory. Its errors are what its methods answer.
type fake struct {
	mu                         sync.Mutex
	users                      map[string]bool
	validate, create, deleting error
	keeps                      bool
	asked                      atomic.Int32
}

func newFake(users ...string) *fake {
	f := &fake{users: map[string]bool{}}
	for _, u := range users {
		f.users[u] = true
	}
	return f
}

func (f *fake) Fields() []string { return []string{"secret"} }

func (f *fake) Verify(context.Context, Login) (Outcome, error) { return Outcome{}, nil }

func (f *fake) Exists(_ context.Context, _ *protocol.Request, kuid string) (bool, error) {
	f.asked.Add(1)
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.users[kuid], nil
}

func (f *fake) Validate(context.Context, *protocol.Request, string, jsontext.Value, bool) (any, error) {
	return true, f.validate
}

func (f *fake) Create(_ context.Context, _ *protocol.Request, kuid string, _ jsontext.Value) (any, error) {
	if f.create != nil {
		return nil, f.create
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.users[kuid] = true
	return true, nil
}

func (f *fake) Update(context.Context, *protocol.Request, string, jsontext.Value) (any, error) {
	return true, nil
}

func (f *fake) Delete(_ context.Context, _ *protocol.Request, kuid string) error {
	if f.deleting != nil {
		return f.deleting
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.keeps {
		delete(f.users, kuid)
	}
	return nil
}

func add(t *testing.T, s *Service, name string, f *fake) {
	t.Helper()
	if err := s.Strategies().Add(Named{Name: name, Strategy: f}); err != nil {
		t.Fatal(err)
	}
}

func newUser(id string, strategies ...string) NewUser {
	n := NewUser{ID: id, Content: jsontext.Value(`{"profileIds":["default"]}`)}
	for _, name := range strategies {
		n.Credentials = append(n.Credentials, protocol.Arg{Name: name, Value: jsontext.Value(`{}`)})
	}
	return n
}

func TestCreateUserIsAllOrNothing(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct {
		name  string
		spoil func(*fake)
		want  error
	}{
		{"nothing is wrong", func(*fake) {}, nil},
		{"validation says so in words", func(f *fake) { f.validate = fmt.Errorf("no: %w", Rejection("too weak")) }, kerror.SecurityCredentialsRejected},
		{"validation says so with an error of its own", func(f *fake) { f.validate = kerror.APIAssertEmptyArgument.New("x") }, kerror.APIAssertEmptyArgument},
		{"validation breaks", func(f *fake) { f.validate = broken }, broken},
		{"creation breaks", func(f *fake) { f.create = broken }, broken},
		{"credentials are left over", func(f *fake) { f.users["new"] = true }, nil},
		{"leftovers cannot be deleted", func(f *fake) { f.users["new"], f.deleting = true, broken }, broken},
		{"a strategy does not let go of leftovers", func(f *fake) { f.users["new"], f.keeps = true, true }, kerror.SecurityCredentialsDatabaseInconsistency},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t, newEngine(t), nil)
			first, second := newFake(), newFake()
			test.spoil(second)
			add(t, s, "first", first)
			add(t, s, "second", second)
			_, err := s.CreateUser(t.Context(), nil, newUser("new", "first", "second"))
			if !errors.Is(err, test.want) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			_, err = s.users.ReadUser(t.Context(), "new")
			stayed := err == nil
			if stayed != (test.want == nil) || first.users["new"] != stayed {
				t.Errorf("user stored: %v, first credentials: %v", stayed, first.users["new"])
			}
		})
	}
	s := open(t, newEngine(t), nil)
	if _, err := s.CreateUser(t.Context(), nil, newUser("new", "unknown")); !errors.Is(err, kerror.SecurityCredentialsUnknownStrategy) {
		t.Error(err)
	}
	n := newUser("new", "first")
	n.Credentials[0].Value = jsontext.Value(`[]`)
	add(t, s, "first", newFake())
	if _, err := s.CreateUser(t.Context(), nil, n); !errors.Is(err, kerror.APIAssertInvalidType) {
		t.Error(err)
	}
	if _, err := s.CreateUser(t.Context(), nil, newUser("u", "first")); !errors.Is(err, kerror.SecurityUserAlreadyExists) {
		t.Error(err)
	}
}

// An id that no engine takes is refused before anything is written.
func TestCreateUserWithALongID(t *testing.T) {
	s := open(t, newEngine(t), nil)
	strategy := newFake()
	add(t, s, "first", strategy)
	longest := strings.Repeat("é", 256)
	if _, err := s.CreateUser(t.Context(), nil, newUser(longest+"x", "first")); !errors.Is(err, kerror.ServicesStorageInvalidArgument) {
		t.Error(err)
	}
	if asked := strategy.asked.Load(); asked != 0 || len(strategy.users) != 0 {
		t.Errorf("the strategy was asked %d times and has %v", asked, strategy.users)
	}
	if stored, err := s.CreateUser(t.Context(), nil, newUser(longest, "first")); err != nil || stored.ID != longest {
		t.Errorf("%q, %v", stored.ID, err)
	}
}

func TestOneFirstAdmin(t *testing.T) {
	s := open(t, newEngine(t), nil)
	add(t, s, "first", newFake())
	var made atomic.Int32
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			n := newUser(fmt.Sprint("admin", i), "first")
			n.Content = jsontext.Value(`{"profileIds":["admin"]}`)
			switch _, err := s.CreateFirstAdmin(context.Background(), nil, n, i%2 == 0); {
			case err == nil:
				made.Add(1)
			case !errors.Is(err, kerror.APIProcessAdminExists):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 {
		t.Errorf("%d first administrators", made.Load())
	}
}

// Two nodes over one storage: never two administrators, whoever wins.
func TestOneFirstAdminOfACluster(t *testing.T) {
	for range 20 {
		e := newEngine(t)
		nodes := []*Service{open(t, e, nil), open(t, e, nil)}
		for _, node := range nodes {
			add(t, node, "first", newFake())
		}
		var all sync.WaitGroup
		for i, node := range nodes {
			all.Go(func() {
				n := newUser(fmt.Sprint("admin", i), "first")
				n.Content = jsontext.Value(`{"profileIds":["admin"]}`)
				if _, err := node.CreateFirstAdmin(context.Background(), nil, n, false); err != nil && !errors.Is(err, kerror.APIProcessAdminExists) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		docs, err := e.Find(t.Context(), storage.Collection{Scope: storage.Internal, Index: "kuzzle", Name: "users"}, "profileIds", "admin", 5)
		if err != nil || len(docs) > 1 {
			t.Fatalf("%d administrators, %v", len(docs), err)
		}
	}
}

func TestFirstAdminThatFailsLeavesNothing(t *testing.T) {
	s := open(t, newEngine(t), nil)
	f := newFake()
	f.create = errors.New("broken")
	add(t, s, "first", f)
	n := newUser("boss", "first")
	n.Content = jsontext.Value(`{"profileIds":["admin"]}`)
	if _, err := s.CreateFirstAdmin(t.Context(), nil, n, true); !errors.Is(err, f.create) {
		t.Fatal(err)
	}
	if exists, err := s.users.AdminExists(t.Context()); exists || err != nil {
		t.Error("there is an administrator", err)
	}
	if role, err := s.users.ReadRole(t.Context(), "anonymous"); err != nil || !strings.Contains(string(role.Source), "createFirstAdmin") {
		t.Errorf("the way to the first administrator is closed: %s", role.Source)
	}
	f.create = nil
	if _, err := s.CreateFirstAdmin(t.Context(), nil, n, true); err != nil {
		t.Error(err)
	}
}

func TestDeleteUser(t *testing.T) {
	s := open(t, newEngine(t), nil)
	f, other := newFake("u"), newFake()
	add(t, s, "first", f)
	add(t, s, "other", other)
	token := issue(t, s, time.Hour)
	f.deleting = errors.New("broken")
	if err := s.DeleteUser(t.Context(), nil, "u", NewUser{}.Write); !errors.Is(err, f.deleting) {
		t.Fatal(err)
	}
	f.deleting = nil // and once more
	if err := s.DeleteUser(t.Context(), nil, "u", NewUser{}.Write); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify(t.Context(), token.Text, VerifyOptions{}); !errors.Is(err, kerror.SecurityTokenInvalid) {
		t.Errorf("token: %v", err)
	}
	if f.users["u"] {
		t.Error("credentials stayed")
	}
	for _, id := range []string{"u", "-1", "anonymous"} {
		if err := s.DeleteUser(t.Context(), nil, id, NewUser{}.Write); !errors.Is(err, kerror.SecurityUserNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// leaving is a strategy whose client leaves during the first thing that it does, which looks at its context as storage does.
type leaving struct {
	*fake
	leave func()
}

func (l leaving) Create(ctx context.Context, req *protocol.Request, kuid string, credentials jsontext.Value) (any, error) {
	l.leave()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return l.fake.Create(ctx, req, kuid, credentials)
}

func (l leaving) Delete(ctx context.Context, req *protocol.Request, kuid string) error {
	l.leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	return l.fake.Delete(ctx, req, kuid)
}

// What has begun goes on when the client leaves; after that nothing begins.
func TestAccountsAreNotLeftHalfDone(t *testing.T) {
	s := open(t, newEngine(t), nil)
	ctx, leave := context.WithCancel(t.Context())
	f := newFake("u")
	if err := s.Strategies().Add(Named{Name: "first", Strategy: leaving{f, leave}}); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteUser(ctx, nil, "u", NewUser{}.Write); err != nil || f.users["u"] {
		t.Errorf("deleted: %v, credentials: %v", err, f.users["u"])
	}
	if _, err := s.users.ReadUser(t.Context(), "u"); !errors.Is(err, kerror.SecurityUserNotFound) {
		t.Errorf("the user stayed: %v", err)
	}
	if _, err := s.CreateUser(ctx, nil, newUser("late", "first")); !errors.Is(err, context.Canceled) || f.users["late"] {
		t.Errorf("a user was begun for a client that is gone: %v", err)
	}
	ctx, leave = context.WithCancel(t.Context())
	if err := s.Strategies().Add(Named{Name: "second", Strategy: leaving{f, leave}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateUser(ctx, nil, newUser("new", "second")); err != nil || !f.users["new"] || ctx.Err() == nil {
		t.Errorf("made: %v, credentials: %v, left: %v", err, f.users["new"], ctx.Err())
	}
	if err := s.DeleteUser(ctx, nil, "new", NewUser{}.Write); !errors.Is(err, context.Canceled) || !f.users["new"] {
		t.Errorf("a deletion was begun for a client that is gone: %v", err)
	}
}

// A token that is being issued while its user is deleted must not come back with a new user of that name.
func TestNoTokenOutlivesItsUser(t *testing.T) {
	s := open(t, newEngine(t), nil)
	for range 50 {
		var all sync.WaitGroup
		var issued Issued
		all.Go(func() { issued, _ = s.Issue(context.Background(), "u", time.Hour) })
		if err := s.DeleteUser(t.Context(), nil, "u", NewUser{}.Write); err != nil {
			t.Fatal(err)
		}
		all.Wait()
		if _, err := s.CreateUser(t.Context(), nil, newUser("u")); err != nil {
			t.Fatal(err)
		}
		if issued.Text == "" {
			continue
		}
		if _, err := s.Verify(t.Context(), issued.Text, VerifyOptions{}); !errors.Is(err, kerror.SecurityTokenInvalid) {
			t.Fatal("the token of a deleted user is good again")
		}
	}
}

func TestStrategiesOf(t *testing.T) {
	c := newClock()
	s := open(t, newEngine(t), func(o *Options) { o.Now = c.Now })
	a, b := newFake(), newFake()
	add(t, s, "a", a)
	of := func(kuid string) []string {
		names, err := s.StrategiesOf(t.Context(), nil, kuid)
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	if got := of("new"); got == nil || len(got) != 0 {
		t.Errorf("%v", got)
	}
	if _, err := s.CreateUser(t.Context(), nil, newUser("new", "a")); err != nil {
		t.Fatal(err)
	}
	if got := of("new"); !slices.Equal(got, []string{"a"}) {
		t.Errorf("after creation: %v", got)
	}
	asked := a.asked.Load()
	of("new")
	if a.asked.Load() != asked {
		t.Error("the strategy was asked again")
	}
	b.users["new"] = true
	add(t, s, "b", b)
	if got := of("new"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("with another strategy: %v", got)
	}
	delete(b.users, "new") // by itself
	c.add(heldFor)
	if got := of("new"); !slices.Equal(got, []string{"a"}) {
		t.Errorf("after a while: %v", got)
	}
	if err := s.DeleteUser(t.Context(), nil, "new", NewUser{}.Write); err != nil {
		t.Fatal(err)
	}
	if got := of("new"); len(got) != 0 {
		t.Errorf("after deletion: %v", got)
	}
}

func TestStrategies(t *testing.T) {
	s := NewStrategies()
	before := s.All()
	if err := s.Add(Named{Name: "x", Owner: "p", Strategy: newFake()}); err != nil {
		t.Fatal(err)
	}
	if len(before) != 0 || len(s.All()) != 1 {
		t.Error("a snapshot changed")
	}
	if err := s.Add(Named{Name: "x", Owner: "q", Strategy: newFake()}); !errors.Is(err, kerror.PluginStrategyFailedRegistration) {
		t.Error(err)
	}
	if err := s.Add(Named{Name: "y"}); err == nil {
		t.Error("nothing was added")
	}
	if _, err := s.Get("y"); !errors.Is(err, kerror.SecurityCredentialsUnknownStrategy) {
		t.Error(err)
	}
	if err := s.Remove("x", "q"); !errors.Is(err, kerror.PluginStrategyUnauthorizedRemoval) {
		t.Error(err)
	}
	if err := s.Remove("y", "q"); !errors.Is(err, kerror.PluginStrategyStrategyNotFound) {
		t.Error(err)
	}
	if err := s.Remove("x", "p"); err != nil || len(s.All()) != 0 {
		t.Error(err)
	}
}

// The first administrator is there even when the standard cannot be stored; the client is told, and the next call or the
// next start stores it.
func TestResetThatFails(t *testing.T) {
	for _, restart := range []bool{false, true} {
		var full atomic.Bool
		full.Store(true)
		e := storagetest.Faulty{Engine: newEngine(t), Fail: func(op string, c storage.Collection, _ string) error {
			if full.Load() && op == "Put" && c.Name == "profiles" {
				return errors.New("disk full")
			}
			return nil
		}}
		s := openDev(t, e)
		add(t, s, "first", newFake())
		n := newUser("boss", "first")
		n.Content = jsontext.Value(`{"profileIds":["admin"]}`)
		if _, err := s.CreateFirstAdmin(t.Context(), nil, n, true); !errors.Is(err, kerror.CoreFatalServiceUnavailable) {
			t.Fatal(err)
		}
		if exists, err := s.users.AdminExists(t.Context()); !exists || err != nil {
			t.Error("no administrator", err)
		}
		anonymous, err := s.users.Anonymous(t.Context())
		if err != nil || !s.users.Allowed(anonymous, &protocol.Request{Controller: "auth", Action: "login"}, security.Grants{}) {
			t.Error("nobody can log in", err)
		}
		full.Store(false)
		if restart {
			s = openDev(t, e)
		} else if _, err := s.CreateFirstAdmin(t.Context(), nil, n, true); !errors.Is(err, kerror.APIProcessAdminExists) {
			t.Error(err)
		}
		if s.users.WideOpen() {
			t.Errorf("restart %v: open to everybody", restart)
		}
	}
}

// Who stored roles himself after a reset that failed finds them after the next start.
func TestResetThatFailedIsNotFinishedOverOtherRoles(t *testing.T) {
	e := newEngine(t)
	s := openDev(t, e)
	if err := s.users.PlanReset(t.Context(), "u"); err != nil {
		t.Fatal(err)
	}
	const body = `{"controllers":{"auth":{"actions":{"login":true}},"mine":{"actions":{"*":true}}}}`
	if _, err := s.users.PutRole(t.Context(), "anonymous", jsontext.Value(body), security.Write{}); err != nil {
		t.Fatal(err)
	}
	s = openDev(t, e)
	if role, err := s.users.ReadRole(t.Context(), "anonymous"); err != nil || !strings.Contains(string(role.Source), "mine") {
		t.Errorf("%s %v", role.Source, err)
	}
}

// A reset that was planned by a call which failed, or was cut off, is not done for somebody else.
func TestPlansOfOtherCallsAreForgotten(t *testing.T) {
	e := newEngine(t)
	s := openDev(t, e)
	f := newFake()
	f.create = errors.New("broken")
	add(t, s, "first", f)
	n := newUser("boss", "first")
	n.Content = jsontext.Value(`{"profileIds":["admin"]}`)
	if _, err := s.CreateFirstAdmin(t.Context(), nil, n, true); !errors.Is(err, f.create) {
		t.Fatal(err)
	}
	if s = openDev(t, e); !s.users.WideOpen() {
		t.Error("reset without an administrator")
	}
	if err := s.users.PlanReset(t.Context(), "boss"); err != nil { // cut off after that
		t.Fatal(err)
	}
	add(t, s, "first", newFake())
	if _, err := s.CreateFirstAdmin(t.Context(), nil, n, false); err != nil {
		t.Fatal(err)
	}
	if s = openDev(t, e); !s.users.WideOpen() {
		t.Error("reset for who asked for none")
	}
}

func TestFirstAdminNeedsCredentials(t *testing.T) {
	s := open(t, newEngine(t), nil)
	n := newUser("boss")
	n.Content = jsontext.Value(`{"profileIds":["admin"]}`)
	if _, err := s.CreateFirstAdmin(t.Context(), nil, n, true); !errors.Is(err, kerror.APIAssertMissingArgument) || !strings.Contains(err.Error(), `"body.credentials"`) {
		t.Error(err)
	}
	if exists, err := s.users.AdminExists(t.Context()); exists || err != nil {
		t.Error("there is an administrator", err)
	}
}

// While a user is made its credentials look like leftovers; they must not be taken for such.
func TestUsersInTheMakingAreNoLeftovers(t *testing.T) {
	s := open(t, newEngine(t), nil)
	f := newFake()
	add(t, s, "first", f)
	var made atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			switch _, err := s.CreateUser(context.Background(), nil, newUser("new", "first")); {
			case err == nil:
				made.Add(1)
			case !errors.Is(err, kerror.SecurityUserAlreadyExists):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 || !f.users["new"] {
		t.Errorf("%d users, credentials %v", made.Load(), f.users["new"])
	}
	if err := s.changing.enter(t.Context(), "busy"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.CreateUser(ctx, nil, newUser("busy")); err == nil {
		t.Error("did not wait")
	}
	s.changing.leave("busy")
	if _, err := s.CreateUser(t.Context(), nil, newUser("busy")); err != nil || len(s.changing.ids) != 0 {
		t.Error(err, s.changing.ids)
	}
}
