package local

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/storagetest"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// governed is a strategy with policies and a clock.
type governed struct {
	*Strategy
	t       testing.TB
	clock   time.Time
	members map[string]Member
}

func govern(t testing.TB, configure func(*Options)) *governed {
	t.Helper()
	g := &governed{t: t, clock: time.UnixMilli(1_800_000_000_000), members: map[string]Member{}}
	o := Options{
		Engine: newEngine(t), Cost: cheap, Logger: quiet, ResetExpiresIn: time.Hour, Now: func() time.Time { return g.clock },
		Member: func(_ context.Context, kuid string) (Member, error) { return g.members[kuid], nil },
	}
	configure(&o)
	var err error
	if g.Strategy, err = Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return g
}

// by is a request of a user.
func by(kuid string) *protocol.Request {
	return &protocol.Request{User: &protocol.User{ID: kuid}, Connection: &protocol.Connection{}}
}

func (g *governed) create(by *protocol.Request, kuid, credentials string) error {
	_, err := g.Create(g.t.Context(), by, kuid, jsontext.Value(credentials))
	return err
}

func (g *governed) update(by *protocol.Request, kuid, credentials string) error {
	_, err := g.Update(g.t.Context(), by, kuid, jsontext.Value(credentials))
	return err
}

func (g *governed) login(username, password string) error {
	g.t.Helper()
	got, err := g.Verify(g.t.Context(), loginOf(g.t, `{"username":"`+username+`","password":"`+password+`"}`, `{}`))
	if err == nil && got.KUID == "" {
		return errors.New(got.Message)
	}
	return err
}

// resetToken is what an error tells of how to go on.
func resetToken(t testing.TB, err error) string {
	t.Helper()
	var ke *kerror.Error
	if !errors.As(err, &ke) || ke.More["resetToken"] == "" {
		t.Fatalf("no token in %v", err)
	}
	return ke.More["resetToken"]
}

func TestWhomPoliciesAreFor(t *testing.T) {
	long := regexp.MustCompile(`^.{8,}$`)
	g := govern(t, func(o *Options) {
		o.Policies = []Policy{
			{Users: []string{"named"}, Pattern: long},
			{Profiles: []string{"staff"}, Pattern: long},
			{Roles: []string{"editor"}, Pattern: long},
			{Pattern: regexp.MustCompile(`\d`)},
		}
	})
	g.members = map[string]Member{"ann": {ProfileIDs: []string{"x", "staff"}}, "bob": {RoleIDs: []string{"editor"}}}
	for _, kuid := range []string{"named", "ann", "bob"} {
		if err := g.create(nil, kuid, `{"username":"`+kuid+`","password":"short1"}`); !errors.Is(err, kerror.PluginLocalWeakPassword) {
			t.Errorf("%s: %v", kuid, err)
		}
		if _, err := g.Validate(t.Context(), nil, kuid, jsontext.Value(`{"username":"x","password":"short1"}`), false); !errors.Is(err, kerror.PluginLocalWeakPassword) {
			t.Errorf("%s, validated: %v", kuid, err)
		}
		if err := g.create(nil, kuid, `{"username":"`+kuid+`","password":"longer-1"}`); err != nil {
			t.Errorf("%s: %v", kuid, err)
		}
	}
	if err := g.create(nil, "other", `{"username":"other","password":"short1"}`); err != nil {
		t.Error(err)
	}
	if err := g.update(nil, "other", `{"password":"short"}`); !errors.Is(err, kerror.PluginLocalWeakPassword) {
		t.Error(err)
	}
}

func TestUsernameInPassword(t *testing.T) {
	g := govern(t, func(o *Options) { o.Policies = []Policy{{ForbidUsername: true}} })
	if err := g.create(nil, "u", `{"username":"Joe","password":"xJOEx"}`); !errors.Is(err, kerror.PluginLocalLoginInPassword) {
		t.Error(err)
	}
	if err := g.create(nil, "u", `{"username":"Joe","password":"else"}`); err != nil {
		t.Fatal(err)
	}
	for raw, refused := range map[string]bool{
		`{"password":"joe1"}`: true, `{"username":"ann","password":"my-ann"}`: true, `{"username":"ann","password":"joe1"}`: false,
	} {
		if _, err := g.Validate(t.Context(), nil, "u", jsontext.Value(raw), true); errors.Is(err, kerror.PluginLocalLoginInPassword) != refused {
			t.Errorf("validate %s: %v", raw, err)
		}
	}
	if err := g.update(nil, "u", `{"password":"joe1"}`); !errors.Is(err, kerror.PluginLocalLoginInPassword) {
		t.Error(err)
	}
}

func TestReusedPasswords(t *testing.T) {
	g := govern(t, func(o *Options) { o.Policies = []Policy{{Unlike: 3}} })
	if err := g.create(nil, "u", `{"username":"joe","password":"p0"}`); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		password string
		reused   bool
	}{{"p0", true}, {"p1", false}, {"p0", true}, {"p2", false}, {"p0", true}, {"p1", true}, {"p2", true}, {"p3", false}, {"p0", false}} {
		err := g.update(nil, "u", `{"password":"`+step.password+`"}`)
		if errors.Is(err, kerror.PluginLocalReusedPassword) != step.reused || !step.reused && err != nil {
			t.Fatalf("%s: %v", step.password, err)
		}
	}
	if r, _, err := g.read(t.Context(), "joe"); err != nil || len(r.Earlier) != 2 {
		t.Errorf("%d hashes are kept: %v", len(r.Earlier), err)
	}
	if err := g.update(nil, "u", `{"username":"joseph"}`); err != nil {
		t.Fatal(err)
	}
	if err := g.update(nil, "u", `{"password":"p3"}`); !errors.Is(err, kerror.PluginLocalReusedPassword) {
		t.Errorf("after another name: %v", err)
	}
}

func TestExpiredPassword(t *testing.T) {
	g := govern(t, func(o *Options) {
		o.Policies = []Policy{{ExpiresAfter: 48 * time.Hour}, {Users: []string{"u"}, ExpiresAfter: 24 * time.Hour, Unlike: 1}}
	})
	if err := g.create(nil, "u", `{"username":"joe","password":"one"}`); err != nil {
		t.Fatal(err)
	}
	g.clock = g.clock.Add(24*time.Hour - time.Second)
	if err := g.login("joe", "one"); err != nil {
		t.Fatal(err)
	}
	g.clock = g.clock.Add(time.Second)
	err := g.login("joe", "one")
	if !errors.Is(err, kerror.PluginLocalExpiredPassword) {
		t.Fatal(err)
	}
	if err := g.login("joe", "two"); errors.Is(err, kerror.PluginLocalExpiredPassword) || err == nil {
		t.Errorf("a wrong password: %v", err)
	}
	token := resetToken(t, err)
	if _, err := g.Reset(t.Context(), by("-1"), token, "one"); !errors.Is(err, kerror.PluginLocalReusedPassword) {
		t.Error(err)
	}
	if kuid, err := g.Reset(t.Context(), by("-1"), token, "two"); kuid != "u" || err != nil {
		t.Fatal(kuid, err)
	}
	if err := g.login("joe", "two"); err != nil {
		t.Error(err)
	}
}

// A record from before passwords had an age is expired: nobody knows how old it is.
func TestPasswordOfUnknownAge(t *testing.T) {
	g := govern(t, func(o *Options) { o.Policies = []Policy{{ExpiresAfter: 1000 * time.Hour}} })
	h := newHash("one", cheap)
	if _, err := g.Strategy.create(t.Context(), "joe", record{KUID: "u", Hash: h.String()}); err != nil {
		t.Fatal(err)
	}
	if err := g.login("joe", "one"); !errors.Is(err, kerror.PluginLocalExpiredPassword) {
		t.Error(err)
	}
}

func TestPasswordsThatOthersSet(t *testing.T) {
	g := govern(t, func(o *Options) { o.Policies = []Policy{{MustChange: true}} })
	g.members["root2"] = Member{RoleIDs: []string{"admin"}}
	for kuid, setter := range map[string]*protocol.Request{"own": by("own"), "signup": by("-1"), "node": nil, "given": by("root"), "root2": by("root")} {
		if err := g.create(setter, kuid, `{"username":"`+kuid+`","password":"one"}`); err != nil {
			t.Fatal(err)
		}
		if err := g.login(kuid, "one"); errors.Is(err, kerror.PluginLocalMustChangePassword) != (kuid == "given") || kuid != "given" && err != nil {
			t.Errorf("%s: %v", kuid, err)
		}
	}
	token := resetToken(t, g.login("given", "one"))
	if _, err := g.Reset(t.Context(), by("root"), token, "two"); err != nil { // whoever has the token is taken for the user
		t.Fatal(err)
	}
	if err := g.login("given", "two"); err != nil {
		t.Error(err)
	}
	if err := g.update(by("root"), "given", `{"username":"renamed"}`); err != nil {
		t.Fatal(err)
	}
	if err := g.login("renamed", "two"); err != nil {
		t.Errorf("after another name: %v", err)
	}
	if err := g.update(by("root"), "given", `{"password":"three"}`); err != nil {
		t.Fatal(err)
	}
	if err := g.login("renamed", "three"); !errors.Is(err, kerror.PluginLocalMustChangePassword) {
		t.Error(err)
	}
}

func TestPoliciesFailClosed(t *testing.T) {
	unknown := errors.New("nobody knows")
	g := govern(t, func(o *Options) { o.Policies = []Policy{{Unlike: 1}} })
	if err := g.create(nil, "u", `{"username":"joe","password":"one"}`); err != nil {
		t.Fatal(err)
	}
	g.member = func(context.Context, string) (Member, error) { return Member{}, unknown }
	if err := g.login("joe", "one"); !errors.Is(err, unknown) {
		t.Errorf("login: %v", err)
	}
	if err := g.update(nil, "u", `{"password":"two"}`); !errors.Is(err, unknown) {
		t.Errorf("update: %v", err)
	}
}

func TestResetToken(t *testing.T) {
	g := govern(t, func(*Options) {})
	for _, kuid := range []string{"u", "v"} {
		if err := g.create(nil, kuid, `{"username":"name-`+kuid+`","password":"one"}`); err != nil {
			t.Fatal(err)
		}
	}
	token := func(kuid string) string {
		text, err := g.ResetToken(t.Context(), kuid)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	reset := func(token, password string) error {
		_, err := g.Reset(t.Context(), by("-1"), token, password)
		return err
	}
	ofU, ofV := token("u"), token("v")
	claims, _, _ := strings.Cut(ofU, ".")
	_, signature, _ := strings.Cut(ofV, ".")
	before := g.hasher.runs.Load()
	for _, bad := range []string{"", ".", "x", claims, claims + ".", claims + "." + signature, ofU + "A", "A" + ofU, strings.Repeat("A", 5000) + ".A"} {
		if err := reset(bad, "two"); !errors.Is(err, kerror.PluginLocalInvalidToken) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, bad := range []string{"", strings.Repeat("x", maxPasswordBytes+1)} {
		var ke *kerror.Error
		if err := reset(ofU, bad); !errors.As(err, &ke) || ke.Status != 400 {
			t.Errorf("password of %d bytes: %v", len(bad), err)
		}
	}
	if n := g.hasher.runs.Load() - before; n != 0 {
		t.Errorf("%d hashes for what was refused", n)
	}
	if err := reset(ofU, "two"); err != nil {
		t.Fatal(err)
	}
	if err := reset(ofU, "three"); !errors.Is(err, kerror.PluginLocalInvalidToken) {
		t.Errorf("a second time: %v", err)
	}
	if err := g.update(nil, "v", `{"password":"one"}`); err != nil { // the same one, but set anew
		t.Fatal(err)
	}
	if err := reset(ofV, "two"); !errors.Is(err, kerror.PluginLocalInvalidToken) {
		t.Errorf("after a change: %v", err)
	}
	renamed := token("v")
	if err := g.update(nil, "v", `{"username":"other"}`); err != nil {
		t.Fatal(err)
	}
	g.clock = g.clock.Add(time.Hour)
	if err := reset(renamed, "two"); !errors.Is(err, kerror.PluginLocalExpiredToken) {
		t.Errorf("too late: %v", err)
	}
	g.clock = g.clock.Add(-time.Second)
	if err := reset(renamed, "two"); err != nil {
		t.Errorf("after another name: %v", err)
	}
	deleted := token("u")
	if err := g.Delete(t.Context(), nil, "u"); err != nil {
		t.Fatal(err)
	}
	if err := reset(deleted, "three"); !errors.Is(err, kerror.PluginLocalInvalidToken) {
		t.Errorf("of a deleted user: %v", err)
	}
	var ke *kerror.Error
	if _, err := g.ResetToken(t.Context(), "u"); !errors.As(err, &ke) || ke.Status != 412 {
		t.Error(err)
	}
}

// One token that many use at once sets one password.
func TestResetTokenAtOnce(t *testing.T) {
	g := govern(t, func(*Options) {})
	if err := g.create(nil, "u", `{"username":"joe","password":"one"}`); err != nil {
		t.Fatal(err)
	}
	token, err := g.ResetToken(t.Context(), "u")
	if err != nil {
		t.Fatal(err)
	}
	results := make(chan error)
	const users = 8
	for i := range users {
		go func() {
			_, err := g.Reset(context.Background(), by("-1"), token, "new-"+string(rune('a'+i)))
			results <- err
		}()
	}
	set := 0
	for range users {
		if err := <-results; err == nil {
			set++
		}
	}
	if set != 1 {
		t.Errorf("it was good %d times", set)
	}
}

func TestResetKeyIsKept(t *testing.T) {
	e := newEngine(t)
	first := open(t, e, cheap)
	create(t, first, "u", `{"username":"joe","password":"one"}`)
	token, err := first.ResetToken(t.Context(), "u")
	if err != nil {
		t.Fatal(err)
	}
	second := open(t, e, cheap)
	if !slices.Equal(first.resetKey, second.resetKey) || slices.Equal(first.resetKey, make([]byte, resetKeyBytes)) {
		t.Error("another key")
	}
	if kuid, err := second.Reset(t.Context(), nil, token, "two"); kuid != "u" || err != nil { // without a lifetime
		t.Error(kuid, err)
	}
	if _, err := e.Replace(t.Context(), configCollection, resetKeyID, jsontext.Value(`{"secret":""}`), storage.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Engine: e, Cost: cheap, Logger: quiet}); err == nil {
		t.Error("a key of no bytes was taken")
	}
	broken := storagetest.Faulty{Engine: e, Fail: func(op string, c storage.Collection, _ string) error {
		if c == configCollection && op == "Get" {
			return kerror.ServicesStorageUnknownIndex.New("x")
		}
		return nil
	}}
	if _, err := Open(t.Context(), Options{Engine: broken, Cost: cheap, Logger: quiet}); err == nil {
		t.Error("it opened without its key")
	}
}

func FuzzParseResetToken(f *testing.F) {
	s := &Strategy{resetKey: []byte("key"), now: time.Now}
	f.Add(s.resetTokenFor(record{KUID: "joe"}))
	f.Add("AAAAAAAAAAAA.AA")
	f.Fuzz(func(t *testing.T, token string) {
		c, signature, err := parseResetToken(token)
		if err != nil {
			if !errors.Is(err, kerror.PluginLocalInvalidToken) {
				t.Errorf("%q: %v", token, err)
			}
			return
		}
		if c.kuid == "" || len(c.kuid) > maxResetToken || len(signature) > maxResetToken {
			t.Errorf("%q became %+v", token, c)
		}
	})
}
