package passkey_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

// site is a node whose users have passkeys on https://example.com.
type site struct {
	t testing.TB
	*nodetest.Node
}

func startSite(t testing.TB, configure ...func(*config.Passkey)) site {
	t.Helper()
	n := nodetest.Start(t, nodetest.Options{Dev: true, Configure: func(c *config.Config) {
		c.Security.Passkey.Enabled, c.Security.Passkey.RPID = true, "example.com"
		c.Limits.FailedLoginsPerMinute = 0 // what is refused here is refused for what it is
		for _, configure := range configure {
			configure(&c.Security.Passkey)
		}
	}})
	return site{t, n}
}

// device is a browser on a page of a site, with the passkey of one user.
type device struct {
	site
	page          virtualwebauthn.RelyingParty
	authenticator virtualwebauthn.Authenticator
	credential    virtualwebauthn.Credential
}

func (s site) newDevice() *device {
	d := &device{
		site: s, page: virtualwebauthn.RelyingParty{ID: "example.com", Origin: "https://example.com"},
		authenticator: virtualwebauthn.NewAuthenticator(), credential: virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2),
	}
	for len(d.credential.Key.AttestationData()) != 77 { // the authenticator leaves zeros in front of coordinates out
		d.credential = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	return d
}

func (d *device) id() string { return base64.RawURLEncoding.EncodeToString(d.credential.ID) }

// call is one action of auth with the strategy passkey.
func (s site) call(action, token, body string) nodetest.Answer {
	s.t.Helper()
	return s.Query(fmt.Sprintf(`{"controller":"auth","action":%q,"strategy":"passkey","jwt":%q,"body":%s}`, action, token, body))
}

// login is one step of a login.
func (s site) login(body string) nodetest.Answer {
	s.t.Helper()
	return s.Query(`{"controller":"auth","action":"login","strategy":"passkey","body":` + body + `}`)
}

// register makes a passkey for the user of the token, as a page does.
func (d *device) register(token string) nodetest.Answer {
	d.t.Helper()
	begun := d.call("validateMyCredentials", token, `{"displayName":"Ann"}`)
	options, err := virtualwebauthn.ParseAttestationOptions(text(d.t, begun.Get("result")))
	if err != nil || begun.Status != 200 {
		d.t.Fatalf("%v: %s", err, begun.Body)
	}
	d.authenticator.Options.UserHandle = []byte(options.UserID)
	response := virtualwebauthn.CreateAttestationResponse(d.page, d.authenticator, d.credential, *options)
	return d.call("createMyCredentials", token, `{"name":"phone","response":`+response+`}`)
}

// begin gives the options of a login.
func (d *device) begin(body string) string {
	d.t.Helper()
	begun := d.login(body)
	options := begun.Get("result.options")
	if options == nil || begun.Status != 200 || begun.Get("result.statusCode") != 200.0 {
		d.t.Fatalf("no options: %s", begun.Body)
	}
	return text(d.t, options)
}

// answer is the body with which a login ends.
func (d *device) answer(options string) string {
	d.t.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(options)
	if err != nil {
		d.t.Fatal(err)
	}
	return `{"response":` + virtualwebauthn.CreateAssertionResponse(d.page, d.authenticator, d.credential, *o) + `}`
}

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// withPasskey makes a user who logs in with local, and has a passkey too.
func (s site) withPasskey(id string) (*device, string) {
	s.t.Helper()
	s.CreateUser(id, `{"profileIds":["default"]}`, id+"-name", id+"-Secret-1")
	token := s.Login(id+"-name", id+"-Secret-1", "")
	d := s.newDevice()
	if made := d.register(token); made.Status != 200 || made.Get("result.kuid") != id {
		s.t.Fatal(made.Body)
	}
	return d, token
}

func (s site) refuses(what string, a nodetest.Answer) {
	s.t.Helper()
	if a.Status != 401 || a.Get("error.id") != "plugin.strategy.missing_user" || strings.Contains(a.Body, "jwt") {
		s.t.Errorf("%s: %s", what, a.Body)
	}
}

func TestPasskeysOnANode(t *testing.T) {
	s := startSite(t)
	ann, token := s.withPasskey("ann")
	bob, _ := s.withPasskey("bob")

	for _, body := range []string{`{}`, `{"username":"ann-name"}`, `{"username":"ann"}`} {
		in := s.login(ann.answer(ann.begin(body)))
		jwt, _ := in.Get("result.jwt").(string)
		if in.Status != 200 || in.Get("result._id") != "ann" {
			t.Fatalf("%s: %s", body, in.Body)
		}
		if me := s.call("getCurrentUser", jwt, `{}`); me.Get("result._id") != "ann" {
			t.Errorf("%s: %s", body, me.Body)
		}
	}
	if options := ann.begin(`{"username":"ann-name"}`); !strings.Contains(options, ann.id()) {
		t.Errorf("her passkey is not listed: %s", options)
	}
	if begun := s.HTTP("GET", "/_login/passkey?username=ann-name", ""); begun.Get("result.options.challenge") == nil {
		t.Errorf("GET: %s", begun.Body)
	}

	used := ann.answer(ann.begin(`{}`))
	if in := s.login(used); in.Status != 200 {
		t.Fatal(in.Body)
	}
	s.refuses("replayed", s.login(used))
	s.refuses("another user's passkey", s.login(bob.answer(bob.begin(`{"username":"ann-name"}`))))
	s.refuses("nobody's name", s.login(ann.answer(ann.begin(`{"username":"nobody"}`))))
	foreign := *ann
	foreign.page.Origin = "https://example.com.evil.org"
	s.refuses("a foreign origin", s.login(foreign.answer(ann.begin(`{}`))))
	foreign = *ann
	foreign.page.ID = "evil.org"
	s.refuses("a foreign domain", s.login(foreign.answer(ann.begin(`{}`))))
	s.refuses("no answer at all", s.login(`{"response":"x"}`))

	ann.credential.Counter = 5
	if in := s.login(ann.answer(ann.begin(`{}`))); in.Status != 200 {
		t.Fatal(in.Body)
	}
	ann.credential.Counter = 4
	s.refuses("a counter that went back", s.login(ann.answer(ann.begin(`{}`))))
	s.Log.Await(t, "the counter of a passkey went back")
	mine := s.call("getMyCredentials", token, `{}`)
	if shown := mine.Get("result.passkeys").([]any)[0].(map[string]any); shown["cloneSeenAt"] == nil || shown["id"] != ann.id() {
		t.Error(mine.Body)
	}
}

func TestPasskeysOfOneself(t *testing.T) {
	s := startSite(t)
	ann, token := s.withPasskey("ann")
	second := s.newDevice()
	if made := second.register(token); made.Status != 200 {
		t.Fatal(made.Body)
	}
	if renamed := s.call("updateMyCredentials", token, `{"id":"`+second.id()+`","name":"key"}`); !strings.Contains(renamed.Body, `"name":"key"`) {
		t.Error(renamed.Body)
	}
	if removed := s.call("updateMyCredentials", token, `{"id":"`+ann.id()+`","remove":true}`); removed.Status != 200 {
		t.Error(removed.Body)
	}
	s.refuses("a removed passkey", s.login(ann.answer(ann.begin(`{}`))))
	if in := s.login(second.answer(second.begin(`{"username":"ann-name"}`))); in.Status != 200 {
		t.Error(in.Body)
	}
	if gone := s.call("deleteMyCredentials", token, `{}`); gone.Status != 200 {
		t.Error(gone.Body)
	}
	s.refuses("deleted credentials", s.login(second.answer(second.begin(`{}`))))
	if anonymous := s.Query(`{"controller":"auth","action":"validateMyCredentials","strategy":"passkey","body":{}}`); anonymous.Status != 401 {
		t.Error(anonymous.Body)
	}
}

func TestPasskeysGoWithTheirUser(t *testing.T) {
	s := startSite(t)
	ann, _ := s.withPasskey("ann")
	body := ann.answer(ann.begin(`{}`))
	s.Must("DELETE", "/users/ann", "")
	s.refuses("a deleted user", s.login(body))
	s.CreateUser("ann", `{"profileIds":["default"]}`, "ann-name", "ann-Secret-2")
	s.refuses("another user of the same id", s.login(ann.answer(ann.begin(`{}`))))
	if made := s.Query(`{"controller":"security","action":"createUser","_id":"eve","body":{"content":{"profileIds":["default"]},"credentials":{"passkey":{}}}}`); made.Status != 400 {
		t.Errorf("a user without a passkey: %s", made.Body)
	}
	if there := s.Query(`{"controller":"security","action":"getUser","_id":"eve"}`); there.Status != 404 {
		t.Errorf("it is there: %s", there.Body)
	}
}

func TestLateAnswers(t *testing.T) {
	s := startSite(t, func(c *config.Passkey) { c.Timeout = time.Nanosecond })
	s.CreateUser("ann", `{"profileIds":["default"]}`, "ann", "ann-Secret-1")
	if late := s.newDevice().register(s.Login("ann", "ann-Secret-1", "")); late.Status != 400 || !strings.Contains(late.Body, "too old") {
		t.Error(late.Body)
	}
}

func TestLoginsAtOnce(t *testing.T) {
	s := startSite(t)
	ann, _ := s.withPasskey("ann")
	same := ann.answer(ann.begin(`{}`))
	var in, again atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		own := ann.answer(ann.begin(`{}`))
		all.Go(func() {
			if s.login(own).Status == 200 {
				in.Add(1)
			}
		})
		all.Go(func() {
			if s.login(same).Status == 200 {
				again.Add(1)
			}
		})
	}
	all.Wait()
	if in.Load() != 8 || again.Load() != 1 {
		t.Errorf("%d of 8 got in, and %d with the same answer", in.Load(), again.Load())
	}
}

func TestWithoutPasskeys(t *testing.T) {
	n := nodetest.Start(t, nodetest.Options{})
	if a := n.Query(`{"controller":"auth","action":"login","strategy":"passkey","body":{}}`); a.Get("error.id") != "security.credentials.unknown_strategy" {
		t.Error(a.Body)
	}
}

// Whoever gets the id of a user that was deleted while the strategy was off does not get its passkeys.
func TestAUserDeletedWithoutTheStrategy(t *testing.T) {
	dir := t.TempDir()
	start := func(t *testing.T, enabled bool) site {
		n := nodetest.Start(t, nodetest.Options{Dev: true, Configure: func(c *config.Config) {
			c.Server.DataDir = dir
			c.Security.Passkey.Enabled, c.Security.Passkey.RPID = enabled, "example.com"
		}})
		return site{t, n}
	}
	var eve *device
	t.Run("on", func(t *testing.T) {
		eve, _ = start(t, true).withPasskey("eve")
		if in := eve.login(eve.answer(eve.begin(`{}`))); in.Get("result._id") != "eve" {
			t.Error(in.Body)
		}
	})
	t.Run("off", func(t *testing.T) {
		s := start(t, false)
		s.Must("DELETE", "/users/eve", "")
		s.CreateUser("eve", `{"profileIds":["admin"]}`, "another", "another-Secret-1")
	})
	t.Run("on again", func(t *testing.T) {
		eve.site = start(t, true)
		eve.refuses("a passkey of the one before", eve.login(eve.answer(eve.begin(`{}`))))
		if a := eve.HTTP("GET", "/credentials/passkey/eve", ""); a.Status != 412 {
			t.Errorf("her passkeys: %s", a.Body)
		}
	})
}
