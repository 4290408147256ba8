package passkey

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/descope/virtualwebauthn"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

func newEngine(t testing.TB) storage.Engine {
	t.Helper()
	e, err := embedded.Open(t.Context(), embedded.Options{Dir: "data", FS: vfs.NewMem(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// clock is a time that the test sets.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func open(t testing.TB, e storage.Engine, configure ...func(*Options)) *Strategy {
	t.Helper()
	o := Options{Engine: e, RPID: "example.com", UserVerification: "required", Timeout: time.Minute, Logger: quiet}
	for _, c := range configure {
		c(&o)
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// browser is a browser on a page, with an authenticator that holds one passkey.
type browser struct {
	t             testing.TB
	page          virtualwebauthn.RelyingParty
	authenticator virtualwebauthn.Authenticator
	credential    virtualwebauthn.Credential
}

func newBrowser(t testing.TB) *browser {
	return &browser{
		t,
		virtualwebauthn.RelyingParty{ID: "example.com", Name: "example.com", Origin: "https://example.com"},
		virtualwebauthn.NewAuthenticator(), newCredential(),
	}
}

// newCredential makes a key whose coordinates need all of their bytes: the authenticator leaves zeros in front out.
func newCredential() virtualwebauthn.Credential {
	for {
		c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		if len(c.Key.AttestationData()) == 77 {
			return c
		}
	}
}

func (b *browser) id() string { return encode(b.credential.ID) }

// create answers options for a registration.
func (b *browser) create(options jsontext.Value) string {
	b.t.Helper()
	o, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		b.t.Fatal(err)
	}
	b.authenticator.Options.UserHandle = []byte(o.UserID)
	return virtualwebauthn.CreateAttestationResponse(b.page, b.authenticator, b.credential, *o)
}

// get answers options for a login.
func (b *browser) get(options string) string {
	b.t.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(options)
	if err != nil {
		b.t.Fatal(err)
	}
	return virtualwebauthn.CreateAssertionResponse(b.page, b.authenticator, b.credential, *o)
}

func registrationOptions(t testing.TB, s *Strategy, kuid string) jsontext.Value {
	t.Helper()
	options, err := s.Validate(t.Context(), nil, kuid, jsontext.Value(`{}`), false)
	if err != nil {
		t.Fatal(err)
	}
	return options.(jsontext.Value)
}

func create(t testing.TB, s *Strategy, kuid, response string) error {
	t.Helper()
	_, err := s.Create(t.Context(), nil, kuid, jsontext.Value(`{"name":"phone","response":`+response+`}`))
	return err
}

// register gives the user the passkey of a new browser.
func register(t testing.TB, s *Strategy, kuid string) *browser {
	t.Helper()
	b := newBrowser(t)
	if err := create(t, s, kuid, b.create(registrationOptions(t, s, kuid))); err != nil {
		t.Fatal(err)
	}
	return b
}

func verify(t testing.TB, s *Strategy, body string) auth.Outcome {
	t.Helper()
	return verifyKnown(t, s, body, nil)
}

func verifyKnown(t testing.TB, s *Strategy, body string, known func(context.Context, string) (bool, error)) auth.Outcome {
	t.Helper()
	args, err := protocol.ParseArgs(jsontext.Value(body), "body.")
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Verify(t.Context(), auth.Login{Body: args, Known: known})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// loginOptions begins a login, for a name when it is not "".
func loginOptions(t testing.TB, s *Strategy, username string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"username": username})
	if err != nil {
		t.Fatal(err)
	}
	got := verify(t, s, string(body))
	if got.Redirect == nil || got.KUID != "" {
		t.Fatalf("%+v", got)
	}
	return string(got.Redirect.More["options"])
}

func finish(response string) string { return `{"response":` + response + `}` }

func login(t testing.TB, s *Strategy, b *browser, username string) auth.Outcome {
	t.Helper()
	return verify(t, s, finish(b.get(loginOptions(t, s, username))))
}

func status(err error) int {
	var ke *kerror.Error
	if errors.As(err, &ke) {
		return ke.Status
	}
	return 0
}

func TestLogin(t *testing.T) {
	s := open(t, newEngine(t), func(o *Options) {
		o.Named = func(_ context.Context, name string) (string, error) {
			return map[string]string{"Joe": "joe"}[name], nil
		}
	})
	joe, jane := register(t, s, "joe"), register(t, s, "jane")
	for name, test := range map[string]struct {
		browser  *browser
		username string
		change   func(*browser)
		want     string
	}{
		"without a name":                {joe, "", nil, "joe"},
		"with the name":                 {joe, "Joe", nil, "joe"},
		"with the id":                   {joe, "joe", nil, "joe"},
		"another user's passkey":        {jane, "joe", nil, ""},
		"nobody's name":                 {joe, "jim", nil, ""},
		"a foreign origin":              {joe, "", func(b *browser) { b.page.Origin = "https://example.com.evil.org" }, ""},
		"a foreign domain":              {joe, "", func(b *browser) { b.page.ID = "example.org" }, ""},
		"nobody verified":               {joe, "", func(b *browser) { b.authenticator.Options.UserNotVerified = true }, ""},
		"nobody present":                {joe, "", func(b *browser) { b.authenticator.Options.UserNotPresent = true }, ""},
		"another key":                   {joe, "", func(b *browser) { b.credential.Key = newCredential().Key }, ""},
		"another user's handle":         {joe, "", func(b *browser) { b.authenticator.Options.UserHandle = jane.authenticator.Options.UserHandle }, ""},
		"no handle, without a name":     {joe, "", func(b *browser) { b.authenticator.Options.UserHandle = nil }, ""},
		"no handle, with the name":      {joe, "Joe", func(b *browser) { b.authenticator.Options.UserHandle = nil }, "joe"},
		"an unknown passkey":            {joe, "", func(b *browser) { b.credential = newCredential() }, ""},
		"eligible for backups, all new": {joe, "", func(b *browser) { b.authenticator.Options.BackupEligible = true }, ""},
	} {
		b := *test.browser
		if test.change != nil {
			test.change(&b)
		}
		got := login(t, s, &b, test.username)
		if got.KUID != test.want || (got.Message == "") != (test.want != "") || got.Redirect != nil {
			t.Errorf("%s: %+v", name, got)
		}
		if hint := strings.Contains(got.Message, "rpOrigins"); hint != (name == "a foreign origin") {
			t.Errorf("%s: %s", name, got.Message)
		}
	}
}

func TestChallengeIsForOneCeremony(t *testing.T) {
	e, c := newEngine(t), &clock{time.Now()}
	s := open(t, e, func(o *Options) { o.Now = c.now })
	joe := register(t, s, "joe")

	answer := finish(joe.get(loginOptions(t, s, "")))
	if got := verify(t, s, answer); got.KUID != "joe" {
		t.Fatalf("%+v", got)
	}
	if got := verify(t, s, answer); got.KUID != "" || got.Message != over {
		t.Errorf("replayed: %+v", got)
	}
	other := open(t, e, func(o *Options) { o.Now = c.now }) // a restart, or another node
	if got := verify(t, other, answer); got.KUID != "" {
		t.Errorf("replayed elsewhere: %+v", got)
	}
	if got := verify(t, other, finish(joe.get(loginOptions(t, s, "")))); got.KUID != "joe" {
		t.Errorf("begun elsewhere: %+v", got)
	}

	late := finish(joe.get(loginOptions(t, s, "")))
	c.at = c.at.Add(time.Minute)
	if got := verify(t, s, late); got.KUID != "" || got.Message != over {
		t.Errorf("too late: %+v", got)
	}

	options := registrationOptions(t, s, "joe")
	if got := verify(t, s, finish(joe.get(string(options)))); got.KUID != "" {
		t.Errorf("a challenge of a registration: %+v", got)
	}
	if got := verify(t, s, finish(joe.get(`{"challenge":"`+encode([]byte(strings.Repeat("x", challengeBytes)))+`"}`))); got.KUID != "" {
		t.Errorf("a challenge of the client's own: %+v", got)
	}
	foreign := open(t, newEngine(t))
	if got := verify(t, s, finish(joe.get(loginOptions(t, foreign, "")))); got.KUID != "" {
		t.Errorf("a challenge of another server: %+v", got)
	}
}

func TestSpentChallengesAreBounded(t *testing.T) {
	c := &clock{time.Now()}
	s := open(t, newEngine(t), func(o *Options) { o.Now = c.now })
	var a account
	for range maxSpent {
		if err := a.spend(genuine(t, s), c.at); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.spend(genuine(t, s), c.at); !errors.Is(err, kerror.APIProcessTooManyLoginsRequests) {
		t.Errorf("one more: %v", err)
	}
	c.at = c.at.Add(time.Minute)
	if err := a.spend(genuine(t, s), c.at); err != nil || len(a.Spent) != 1 {
		t.Errorf("%d kept, %v", len(a.Spent), err)
	}
}

func genuine(t *testing.T, s *Strategy) challenge {
	t.Helper()
	b, err := s.seal.newChallenge(ceremony{kind: freeLogin}, s.now().Add(s.timeout))
	if err != nil {
		t.Fatal(err)
	}
	c, ok := s.seal.open(ceremony{kind: freeLogin}, encode(b))
	if !ok {
		t.Fatal("not genuine")
	}
	return c
}

func TestCounterThatWentBack(t *testing.T) {
	s := open(t, newEngine(t))
	joe := register(t, s, "joe")
	joe.credential.Counter = 7
	if got := login(t, s, joe, ""); got.KUID != "joe" {
		t.Fatalf("%+v", got)
	}
	for _, counter := range []uint32{7, 6, 0} {
		joe.credential.Counter = counter
		if got := login(t, s, joe, ""); got.KUID != "" || got.Message != wentBack {
			t.Errorf("counter %d after 7: %+v", counter, got)
		}
	}
	a, _, err := s.read(t.Context(), "joe")
	if err != nil || a.Passkeys[0].CloneSeenAt == 0 || a.Passkeys[0].SignCount != 7 {
		t.Errorf("%+v, %v", a, err)
	}
	joe.credential.Counter = 8
	if got := login(t, s, joe, ""); got.KUID != "joe" {
		t.Errorf("the owner is locked out: %+v", got)
	}
}

func TestUnknownNames(t *testing.T) {
	e := newEngine(t)
	s := open(t, e)
	register(t, s, "joe")
	ids := func(s *Strategy, name string) string {
		o, err := virtualwebauthn.ParseAssertionOptions(loginOptions(t, s, name))
		if err != nil {
			t.Fatal(err)
		}
		if len(o.AllowCredentials) == 0 {
			t.Errorf("%s: no passkeys listed", name)
		}
		return strings.Join(o.AllowCredentials, " ")
	}
	for _, name := range []string{"jim", "jack", "jill"} {
		if ids(s, name) != ids(open(t, e), name) {
			t.Errorf("%s: another list after a restart", name)
		}
		if ids(s, name) == ids(s, name+"1") || ids(s, name) == ids(open(t, newEngine(t)), name) {
			t.Errorf("%s: a list that others have", name)
		}
	}
	if got := verify(t, s, `{"username":"`+strings.Repeat("x", maxUsernameBytes+1)+`"}`); got.Redirect != nil || got.Message == "" {
		t.Errorf("a long name: %+v", got)
	}
}

func TestLeftoversLetNobodyIn(t *testing.T) {
	s := open(t, newEngine(t))
	joe := register(t, s, "joe")
	body := finish(joe.get(loginOptions(t, s, "")))
	nobody := func(context.Context, string) (bool, error) { return false, nil }
	if got := verifyKnown(t, s, body, nobody); got.KUID != "" || got.Message != refused {
		t.Errorf("%+v", got)
	}
	args, err := protocol.ParseArgs(jsontext.Value(body), "")
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("no storage")
	got, err := s.Verify(t.Context(), auth.Login{Body: args, Known: func(context.Context, string) (bool, error) { return false, broken }})
	if !errors.Is(err, broken) || got != (auth.Outcome{}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestDamagedKey(t *testing.T) {
	e := newEngine(t)
	open(t, e)
	if _, _, err := e.Put(t.Context(), keysCollection, secretID, jsontext.Value(`{"secret":""}`), storage.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	o := Options{Engine: e, RPID: "example.com", UserVerification: "required", Timeout: time.Minute}
	if _, err := Open(t.Context(), o); err == nil {
		t.Error("challenges would be sealed with nothing")
	}
}
