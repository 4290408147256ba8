package local

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json/jsontext"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded"
	"github.com/sluicehq/sluice/core/storage/storagetest"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	quiet = slog.New(slog.DiscardHandler)
	cheap = Cost{MemoryKiB: 64, Iterations: 1, Parallelism: 1}
)

func newEngine(t testing.TB) storage.Engine {
	t.Helper()
	e, err := embedded.Open(t.Context(), embedded.Options{Dir: "data", FS: vfs.NewMem(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func open(t testing.TB, e storage.Engine, cost Cost) *Strategy {
	t.Helper()
	s, err := Open(t.Context(), Options{Engine: e, Cost: cost, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func create(t testing.TB, s *Strategy, kuid, credentials string) {
	t.Helper()
	if _, err := s.Create(t.Context(), nil, kuid, jsontext.Value(credentials)); err != nil {
		t.Fatal(err)
	}
}

// loginOf is a login with fields in body and in URL.
func loginOf(t testing.TB, body, url string) auth.Login {
	t.Helper()
	var l auth.Login
	var err error
	if l.Body, err = protocol.ParseArgs(jsontext.Value(body), "body."); err != nil {
		t.Fatal(err)
	}
	if l.Args, err = protocol.ParseArgs(jsontext.Value(url), ""); err != nil {
		t.Fatal(err)
	}
	return l
}

func verify(t testing.TB, s *Strategy, body string) auth.Outcome {
	t.Helper()
	got, err := s.Verify(t.Context(), loginOf(t, body, `{}`))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestVerify(t *testing.T) {
	s := open(t, newEngine(t), cheap)
	create(t, s, "u", `{"username":"joe","password":"right"}`)
	long := strings.Repeat("x", maxPasswordBytes+1)
	for _, test := range []struct {
		name, body, url string
		want            auth.Outcome
		runs            int64
	}{
		{"right", `{"username":"joe","password":"right"}`, `{}`, auth.Outcome{KUID: "u"}, 1},
		{"right, in the URL", `{}`, `{"username":"joe","password":"right"}`, auth.Outcome{KUID: "u"}, 1},
		{"the body wins", `{"password":"wrong"}`, `{"username":"joe","password":"right"}`, auth.Outcome{Message: refused}, 1},
		{"wrong password", `{"username":"joe","password":"wrong"}`, `{}`, auth.Outcome{Message: refused}, 1},
		{"unknown user", `{"username":"jane","password":"right"}`, `{}`, auth.Outcome{Message: refused}, 1},
		{"case matters", `{"username":"Joe","password":"right"}`, `{}`, auth.Outcome{Message: refused}, 1},
		{"too long", `{"username":"joe","password":"` + long + `"}`, `{}`, auth.Outcome{Message: refused}, 0},
		{"no password", `{"username":"joe"}`, `{}`, auth.Outcome{Message: missing}, 0},
		{"no username", `{"password":"right"}`, `{}`, auth.Outcome{Message: missing}, 0},
		{"not texts", `{"username":1,"password":{}}`, `{}`, auth.Outcome{Message: missing}, 0},
	} {
		before := s.hasher.runs.Load()
		got, err := s.Verify(t.Context(), loginOf(t, test.body, test.url))
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v", test.name, got, err)
		}
		if n := s.hasher.runs.Load() - before; n != test.runs {
			t.Errorf("%s: %d hashes", test.name, n)
		}
	}
	if got := s.Account(loginOf(t, `{"username":"joe"}`, `{}`)); got != "joe" {
		t.Errorf("account %q", got)
	}
}

func TestDecoyMatchesNothing(t *testing.T) {
	h := newHasher(cheap)
	h.decoy = newHash("secret", cheap) // even when its password is known
	if ok, err := h.matches(t.Context(), "", nil, "secret"); ok || err != nil {
		t.Error(ok, err)
	}
}

func TestDamagedHash(t *testing.T) {
	e := newEngine(t)
	s := open(t, e, cheap)
	for _, source := range []string{`{"kuid":"u","hash":""}`, `{"kuid":"u","hash":"$argon2id$v=19$m=64,t=1,p=1$$"}`} {
		if _, _, err := e.Put(t.Context(), usersCollection, "joe", jsontext.Value(source), storage.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := verify(t, s, `{"username":"joe","password":"x"}`); got.KUID != "" {
			t.Errorf("%s let somebody in", source)
		}
	}
}

func TestHashIsRenewed(t *testing.T) {
	e := newEngine(t)
	weak := open(t, e, cheap)
	create(t, weak, "u", `{"username":"joe","password":"right"}`)
	strong := open(t, e, Cost{MemoryKiB: 128, Iterations: 2, Parallelism: 1})
	verify(t, strong, `{"username":"joe","password":"wrong"}`)
	if r, _, err := strong.read(t.Context(), "joe"); err != nil || !strings.Contains(r.Hash, "m=64,t=1") {
		t.Errorf("a wrong password renewed it: %s, %v", r.Hash, err)
	}
	for range 2 {
		if got := verify(t, strong, `{"username":"joe","password":"right"}`); got.KUID != "u" {
			t.Fatal("refused")
		}
		if r, _, err := strong.read(t.Context(), "joe"); err != nil || !strings.Contains(r.Hash, "m=128,t=2") {
			t.Errorf("not renewed: %s, %v", r.Hash, err)
		}
	}
	before := strong.hasher.runs.Load()
	verify(t, strong, `{"username":"joe","password":"right"}`)
	if n := strong.hasher.runs.Load() - before; n != 1 {
		t.Errorf("%d hashes", n)
	}
	if got := verify(t, weak, `{"username":"joe","password":"right"}`); got.KUID != "u" {
		t.Error("a stronger hash is not read")
	}
	if r, _, _ := strong.read(t.Context(), "joe"); !strings.Contains(r.Hash, "m=128") {
		t.Error("weakened")
	}
}

func TestCredentials(t *testing.T) {
	s := open(t, newEngine(t), cheap)
	create(t, s, "u", `{"username":"joe","password":"right"}`)
	create(t, s, "v", `{"username":"jane","password":"right"}`)
	long := strings.Repeat("x", maxPasswordBytes+1)
	before := s.hasher.runs.Load()
	for _, test := range []struct {
		op, kuid, raw string
		status        int
	}{
		{"create", "w", `{"username":"w"}`, 400},
		{"create", "w", `{"password":"w"}`, 400},
		{"create", "w", `{"username":"","password":"w"}`, 400},
		{"create", "w", `{"username":"w","password":""}`, 400},
		{"create", "w", `{"username":5,"password":"w"}`, 400},
		{"create", "w", `{"username":"w","password":"w","kuid":"u"}`, 400},
		{"create", "w", `{"username":"w","password":"w","kuid":null}`, 400},
		{"create", "w", `{"username":"w","password":"` + long + `"}`, 400},
		{"create", "w", `{"username":"` + long + `","password":"w"}`, 400},
		{"create", "w", `[]`, 400},
		{"update", "u", `{}`, 400},
		{"update", "u", `{"kuid":"v","password":"w"}`, 400},
		{"validate", "w", `{"username":"joe","password":"w"}`, 412},
		{"validate", "u", `{"username":"joe","password":"w"}`, 412},
		{"validate", "w", `{"username":"w","password":"w"}`, 0},
		{"validate", "w", `{"username":"w"}`, 400},
		{"validate update", "u", `{"username":"joe"}`, 0},
		{"validate update", "u", `{"username":"jane"}`, 412},
		{"validate update", "u", `{"password":"x"}`, 0},
		{"delete", "w", ``, 412},
		{"info", "w", ``, 412},
		{"byID", "w", ``, 412},
		{"byID", "joe", ``, 0},
		{"info", "u", ``, 0},
	} {
		var err error
		raw := jsontext.Value(test.raw)
		switch test.op {
		case "create":
			_, err = s.Create(t.Context(), nil, test.kuid, raw)
		case "update":
			_, err = s.Update(t.Context(), nil, test.kuid, raw)
		case "validate":
			_, err = s.Validate(t.Context(), nil, test.kuid, raw, false)
		case "validate update":
			_, err = s.Validate(t.Context(), nil, test.kuid, raw, true)
		case "delete":
			err = s.Delete(t.Context(), nil, test.kuid)
		case "info":
			_, err = s.Info(t.Context(), nil, test.kuid)
		case "byID":
			_, err = s.ByID(t.Context(), nil, test.kuid)
		}
		status := 0
		var ke *kerror.Error
		if errors.As(err, &ke) {
			status = ke.Status
		}
		if status != test.status || status == 0 && err != nil || ke != nil && ke.ID != "" {
			t.Errorf("%s %s %.60s: %v", test.op, test.kuid, test.raw, err)
		}
	}
	if n := s.hasher.runs.Load() - before; n != 0 {
		t.Errorf("%d hashes for credentials that were refused", n)
	}
	for _, raw := range []string{`{"username":"joe","password":"w"}`, `{"username":"other","password":"w"}`} {
		_, err := s.Create(t.Context(), nil, "u", jsontext.Value(raw))
		var ke *kerror.Error
		if !errors.As(err, &ke) || ke.Status != 412 || ke.ID != "" {
			t.Errorf("second credentials %s: %v", raw, err)
		}
	}
}

func TestUpdate(t *testing.T) {
	s := open(t, newEngine(t), cheap)
	create(t, s, "u", `{"username":"joe","password":"one"}`)
	create(t, s, "v", `{"username":"jane","password":"one"}`)
	update := func(kuid, raw string) (any, error) { return s.Update(t.Context(), nil, kuid, jsontext.Value(raw)) }
	if got, err := update("u", `{"password":"two"}`); err != nil || got != (info{"joe", "u"}) {
		t.Fatal(got, err)
	}
	if verify(t, s, `{"username":"joe","password":"one"}`).KUID != "" || verify(t, s, `{"username":"joe","password":"two"}`).KUID != "u" {
		t.Error("the password did not change")
	}
	if got, err := update("u", `{"username":"joseph"}`); err != nil || got != (info{"joseph", "u"}) {
		t.Fatal(got, err)
	}
	if verify(t, s, `{"username":"joe","password":"two"}`).KUID != "" || verify(t, s, `{"username":"joseph","password":"two"}`).KUID != "u" {
		t.Error("the name did not change")
	}
	if got, err := update("u", `{"username":"joseph","password":"three"}`); err != nil || got != (info{"joseph", "u"}) {
		t.Fatal(got, err)
	}
	var ke *kerror.Error
	if _, err := update("u", `{"username":"jane"}`); !errors.As(err, &ke) || ke.Status != 412 {
		t.Error(err)
	}
	if _, err := update("w", `{"password":"x"}`); !errors.As(err, &ke) || ke.Status != 412 {
		t.Error(err)
	}
	if err := s.Delete(t.Context(), nil, "u"); err != nil {
		t.Fatal(err)
	}
	if ok, err := s.Exists(t.Context(), nil, "u"); ok || err != nil {
		t.Error(ok, err)
	}
	if verify(t, s, `{"username":"joseph","password":"three"}`).KUID != "" {
		t.Error("deleted credentials let somebody in")
	}
}

func TestOneNameAtATime(t *testing.T) {
	s := open(t, newEngine(t), cheap)
	var sameName, sameUser atomic.Int32
	var all sync.WaitGroup
	for i := range 8 {
		id := string(rune('a' + i))
		all.Go(func() {
			if _, err := s.Create(context.Background(), nil, "user-"+id, jsontext.Value(`{"username":"joe","password":"x"}`)); err == nil {
				sameName.Add(1)
			}
		})
		all.Go(func() {
			if _, err := s.Create(context.Background(), nil, "one", jsontext.Value(`{"username":"name-`+id+`","password":"x"}`)); err == nil {
				sameUser.Add(1)
			}
		})
	}
	all.Wait()
	if sameName.Load() != 1 || sameUser.Load() != 1 {
		t.Errorf("%d users of one name, %d names of one user", sameName.Load(), sameUser.Load())
	}
}

func TestStorageFailureIsNoRefusal(t *testing.T) {
	var broken atomic.Bool
	s := open(t, storagetest.Faulty{Engine: newEngine(t), Fail: func(string, storage.Collection, string) error {
		if broken.Load() {
			return kerror.ServicesStorageUnknownIndex.New("x")
		}
		return nil
	}}, cheap)
	create(t, s, "u", `{"username":"joe","password":"right"}`)
	broken.Store(true)
	_, err := s.Verify(t.Context(), loginOf(t, `{"username":"joe","password":"right"}`, `{}`))
	var ke *kerror.Error
	if !errors.As(err, &ke) || ke.Status < 500 {
		t.Error(err)
	}
	if _, err := s.Exists(t.Context(), nil, "u"); !errors.As(err, &ke) || ke.Status < 500 {
		t.Error(err)
	}
}

func TestHasherIsBounded(t *testing.T) {
	h := newHasher(cheap)
	for range cap(h.slots) {
		if err := h.enter(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
	}
	most := cap(h.slots) * waitersPerSlot
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	wait := func(network string, n, total int) {
		for range n {
			all.Go(func() {
				if err := h.enter(ctx, network); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		for waiting := 0; waiting < total; runtime.Gosched() {
			h.mu.Lock()
			waiting = h.waiting
			h.mu.Unlock()
		}
	}
	wait("192.0.2.1", most/waitersShare, most/waitersShare)
	if err := h.enter(t.Context(), "192.0.2.1"); !errors.Is(err, kerror.APIProcessOverloaded) {
		t.Errorf("one network takes more than its share: %v", err)
	}
	wait("192.0.2.2", 1, most/waitersShare+1)
	wait("", most-most/waitersShare-1, most)
	if err := h.enter(t.Context(), "192.0.2.3"); !errors.Is(err, kerror.APIProcessOverloaded) {
		t.Errorf("one too many: %v", err)
	}
	cancel()
	all.Wait()
	for range cap(h.slots) {
		h.leave()
	}
	if _, err := h.hash(t.Context(), "192.0.2.1", "x"); err != nil || h.waiting != 0 || len(h.from) != 0 {
		t.Errorf("afterwards: %v, %d waiting for %v", err, h.waiting, h.from)
	}
}

func TestPHC(t *testing.T) {
	h := newHash("secret", cheap)
	back, err := parseHash(h.String())
	if err != nil || !back.matches("secret") || back.matches("Secret") || back.weakerThan(cheap) {
		t.Errorf("%s: %v", h, err)
	}
	// Made with the reference implementation: echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1 (RFC 9106 tools).
	known, err := parseHash("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	if err != nil || !known.matches("password") {
		t.Errorf("reference hash: %v", err)
	}
	sum := strings.Repeat("A", 43)
	for _, bad := range []string{
		"", "$", "plain", "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$" + sum, "$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$" + sum,
		"$argon2id$v=19$m=64,t=1$c29tZXNhbHQ$" + sum, "$argon2id$v=19$m=0,t=1,p=1$c29tZXNhbHQ$" + sum,
		"$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$" + sum, "$argon2id$v=19$m=64,t=1,p=0$c29tZXNhbHQ$" + sum,
		"$argon2id$v=19$m=64,t=1,p=256$c29tZXNhbHQ$" + sum, "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$" + sum,
		"$argon2id$v=19$m=64,t=99999,p=1$c29tZXNhbHQ$" + sum, "$argon2id$v=19$m=64,t=1,p=1$c29t$" + sum,
		"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$" + sum + "!", "$argon2id$v=19$m=-1,t=1,p=1$c29tZXNhbHQ$" + sum,
	} {
		if _, err := parseHash(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add(newHash("x", cheap).String())
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseHash(text)
		if err != nil {
			return
		}
		if again, err := parseHash(h.String()); err != nil || again.String() != h.String() {
			t.Errorf("%q became %q", text, h)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	s := open(b, newEngine(b), Cost{MemoryKiB: 19456, Iterations: 2, Parallelism: 1})
	create(b, s, "u", `{"username":"joe","password":"right"}`)
	for b.Loop() {
		verify(b, s, `{"username":"joe","password":"right"}`)
	}
}
