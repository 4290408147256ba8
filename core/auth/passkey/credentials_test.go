package passkey

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/storagetest"
	"github.com/sluicehq/sluice/protocol"
)

func TestRegistration(t *testing.T) {
	s := open(t, newEngine(t))
	joe := register(t, s, "joe")
	for name, test := range map[string]struct {
		kuid   string
		change func(*browser)
		status int
	}{
		"a second passkey":   {"joe", func(*browser) {}, 0},
		"another user's":     {"jane", func(b *browser) { b.credential.ID = joe.credential.ID }, 412},
		"the same once more": {"joe", func(b *browser) { b.credential = joe.credential }, 412},
		"a foreign origin":   {"jane", func(b *browser) { b.page.Origin = "https://evil.org" }, 400},
		"a foreign domain":   {"jane", func(b *browser) { b.page.ID = "evil.org" }, 400},
		"nobody verified":    {"jane", func(b *browser) { b.authenticator.Options.UserNotVerified = true }, 400},
		"the longest id":     {"jane", func(b *browser) { b.credential.ID = []byte(strings.Repeat("x", 1023)) }, 0},
		"too long an id":     {"jane", func(b *browser) { b.credential.ID = []byte(strings.Repeat("x", 1024)) }, 400},
	} {
		b := newBrowser(t)
		test.change(b)
		response := b.create(registrationOptions(t, s, test.kuid))
		_, invalid := s.Validate(t.Context(), nil, test.kuid, jsontext.Value(finish(response)), false)
		err := create(t, s, test.kuid, response)
		if status(err) != test.status || status(invalid) != test.status || (err == nil) != (test.status == 0) {
			t.Errorf("%s: %v, validated %v", name, err, invalid)
		}
		if test.status == 0 && login(t, s, b, "").KUID != test.kuid {
			t.Errorf("%s: no login with it", name)
		}
	}
	if got := login(t, s, joe, ""); got.KUID != "joe" {
		t.Errorf("the first passkey: %+v", got)
	}
}

func TestRegistrationIsForOneUserAndOnce(t *testing.T) {
	s := open(t, newEngine(t))
	b := newBrowser(t)
	options := registrationOptions(t, s, "joe")
	response := b.create(options)
	if err := create(t, s, "jane", response); status(err) != 400 {
		t.Errorf("options of another user: %v", err)
	}
	if err := create(t, s, "joe", b.create(jsontext.Value(strings.Replace(string(options), `"challenge":"`, `"challenge":"AAAA`, 1)))); status(err) != 400 {
		t.Errorf("another challenge: %v", err)
	}
	if err := create(t, s, "joe", response); err != nil {
		t.Fatal(err)
	}
	register(t, s, "joe")
	if _, err := s.Update(t.Context(), nil, "joe", jsontext.Value(`{"id":"`+b.id()+`","remove":true}`)); err != nil {
		t.Fatal(err)
	}
	if err := create(t, s, "joe", response); status(err) != 400 {
		t.Errorf("removed and replayed: %v", err)
	}
	if got := login(t, s, b, ""); got.KUID != "" {
		t.Errorf("a removed passkey: %+v", got)
	}
}

func TestCredentials(t *testing.T) {
	s := open(t, newEngine(t))
	a, b := register(t, s, "joe"), register(t, s, "joe")
	long := strings.Repeat("x", maxNameBytes+1)
	for _, test := range []struct {
		op, kuid, raw string
		status        int
	}{
		{"validate", "joe", `[]`, 400},
		{"validate", "joe", `{"kuid":"jane"}`, 400},
		{"validate", "joe", `{"displayName":5}`, 400},
		{"validate", "joe", `{"displayName":"` + long + `"}`, 400},
		{"validate", "joe", `{"displayName":"Joe"}`, 0},
		{"create", "joe", `{}`, 400},
		{"create", "joe", `{"response":null}`, 400},
		{"create", "joe", `{"response":"x"}`, 400},
		{"create", "joe", `{"response":{},"name":"` + long + `"}`, 400},
		{"create", "joe", `{"response":"` + strings.Repeat("x", maxAttestationBytes) + `"}`, 400},
		{"update", "joe", `{}`, 400},
		{"update", "joe", `{"id":5,"name":"x"}`, 400},
		{"update", "joe", `{"id":"` + a.id() + `"}`, 400},
		{"update", "joe", `{"id":"` + a.id() + `","name":"x","remove":true}`, 400},
		{"update", "joe", `{"id":"` + a.id() + `","remove":"yes"}`, 400},
		{"update", "joe", `{"id":"` + a.id() + `","name":"` + long + `"}`, 400},
		{"update", "joe", `{"id":"nothing","name":"x"}`, 412},
		{"update", "jane", `{"id":"` + a.id() + `","name":"x"}`, 412},
		{"validate update", "jane", `{"id":"` + a.id() + `","remove":true}`, 412},
		{"validate update", "joe", `{"id":"` + a.id() + `","remove":true}`, 0},
		{"info", "jane", ``, 412},
		{"byID", "nothing", ``, 412},
		{"delete", "jane", ``, 412},
		{"update", "joe", `{"id":"` + a.id() + `","name":"key"}`, 0},
		{"update", "joe", `{"id":"` + a.id() + `","remove":true}`, 0},
		{"update", "joe", `{"id":"` + b.id() + `","remove":true}`, 412}, // the last one
		{"byID", b.id(), ``, 0},
		{"info", "joe", ``, 0},
		{"delete", "joe", ``, 0},
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
		if status(err) != test.status || test.status == 0 && err != nil {
			t.Errorf("%s %s %.80s: %v", test.op, test.kuid, test.raw, err)
		}
	}
	if ok, err := s.Exists(t.Context(), nil, "joe"); ok || err != nil {
		t.Error(ok, err)
	}
	if got := login(t, s, b, ""); got.KUID != "" {
		t.Errorf("deleted credentials: %+v", got)
	}
}

func TestInfoShowsNoKeys(t *testing.T) {
	s := open(t, newEngine(t))
	b := register(t, s, "joe")
	login(t, s, b, "")
	got, err := s.Info(t.Context(), nil, "joe")
	if err != nil {
		t.Fatal(err)
	}
	i, ok := got.(info)
	if !ok || i.KUID != "joe" || len(i.Passkeys) != 1 {
		t.Fatalf("%+v", got)
	}
	if p := i.Passkeys[0]; p.ID != b.id() || p.Name != "phone" || p.CreatedAt == 0 || p.LastUsedAt == nil || p.CloneSeenAt != nil {
		t.Errorf("%+v", p)
	}
}

func TestHolder(t *testing.T) {
	s := open(t, newEngine(t))
	joe := register(t, s, "joe")
	for raw, want := range map[string]string{
		finish(joe.create(registrationOptions(t, s, "jane"))):           "joe",
		finish(newBrowser(t).create(registrationOptions(t, s, "jane"))): "",
		`{}`: "", `{"response":{}}`: "", `[]`: "",
	} {
		if kuid, err := s.Holder(t.Context(), nil, jsontext.Value(raw)); kuid != want || err != nil {
			t.Errorf("%.60s: %q, %v", raw, kuid, err)
		}
	}
}

func TestAtMostTenPasskeys(t *testing.T) {
	s := open(t, newEngine(t))
	options := registrationOptions(t, s, "joe")
	for range maxPasskeys {
		register(t, s, "joe")
	}
	if err := create(t, s, "joe", newBrowser(t).create(options)); status(err) != 412 {
		t.Error(err)
	}
	if _, err := s.Validate(t.Context(), nil, "joe", jsontext.Value(`{}`), false); status(err) != 412 {
		t.Error(err)
	}
	if options := loginOptions(t, s, "joe"); strings.Count(options, `"public-key"`) != maxPasskeys {
		t.Errorf("not every passkey is in %s", options)
	}
}

func TestOnePasskeyOneUser(t *testing.T) {
	s := open(t, newEngine(t))
	b := newBrowser(t)
	var stored atomic.Int32
	var all sync.WaitGroup
	for _, kuid := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		response := b.create(registrationOptions(t, s, kuid))
		all.Go(func() {
			switch err := create(t, s, kuid, response); {
			case err == nil:
				stored.Add(1)
			case status(err) != 412:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if stored.Load() != 1 {
		t.Errorf("%d users have it", stored.Load())
	}
}

func TestParallelLogins(t *testing.T) {
	s := open(t, newEngine(t))
	joe := register(t, s, "joe")
	same := finish(joe.get(loginOptions(t, s, "")))
	var in, again atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		own := finish(joe.get(loginOptions(t, s, "")))
		all.Go(func() {
			if verify(t, s, own).KUID == "joe" {
				in.Add(1)
			}
		})
		all.Go(func() {
			if verify(t, s, same).KUID == "joe" {
				again.Add(1)
			}
		})
	}
	all.Wait()
	if in.Load() != 8 || again.Load() != 1 {
		t.Errorf("%d of 8 got in, and %d with the same answer", in.Load(), again.Load())
	}
}

// Another node accepts the same answer while this one is about to write down that it did.
func TestAnswerUsedElsewhereMeanwhile(t *testing.T) {
	e := newEngine(t)
	elsewhere := open(t, e)
	joe := register(t, elsewhere, "joe")
	body := finish(joe.get(loginOptions(t, elsewhere, "")))
	first := true
	s := open(t, storagetest.Faulty{Engine: e, Fail: func(op string, c storage.Collection, _ string) error {
		if op == "Replace" && c == usersCollection && first {
			first = false
			if got := verify(t, elsewhere, body); got.KUID != "joe" {
				t.Errorf("elsewhere: %+v", got)
			}
		}
		return nil
	}})
	if got := verify(t, s, body); got.KUID != "" || got.Message != over || first {
		t.Errorf("%+v", got)
	}
}

// Whatever storage cannot do, nobody gets in, and it is not the client who is told to be wrong.
func TestStorageFails(t *testing.T) {
	e := newEngine(t)
	joe := register(t, open(t, e), "joe")
	broken := errors.New("disk")
	failing := false
	s := open(t, storagetest.Faulty{Engine: e, Fail: func(string, storage.Collection, string) error {
		if failing {
			return broken
		}
		return nil
	}})
	body := finish(joe.get(loginOptions(t, s, "joe")))
	failing = true
	for _, raw := range []string{body, `{"username":"joe"}`} {
		args, err := protocol.ParseArgs(jsontext.Value(raw), "")
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Verify(t.Context(), auth.Login{Body: args})
		if !errors.Is(err, broken) || got != (auth.Outcome{}) {
			t.Errorf("%.40s: %+v, %v", raw, got, err)
		}
	}
	if err := s.Delete(t.Context(), nil, "joe"); !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, err := s.Exists(t.Context(), nil, "joe"); !errors.Is(err, broken) {
		t.Error(err)
	}
}
