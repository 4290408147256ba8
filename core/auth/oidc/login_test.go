package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

// site is a node with an administrator.
type site struct {
	*nodetest.Node
	address string
	admin   string // header
}

// asked calls an action as the administrator, and must wants it to succeed.
func (s site) asked(method, path, body string) nodetest.Answer {
	return s.HTTP(method, path, body, s.admin)
}

func (s site) must(method, path, body string) nodetest.Answer {
	s.T.Helper()
	return s.Must(method, path, body, s.admin)
}

// users counts all but the administrator.
func (s site) users() int {
	s.T.Helper()
	total, _ := s.must("POST", "/users/_search?refresh=wait_for", `{}`).Get("result.total").(float64)
	return int(total) - 1
}

// start runs a node that knows the provider; change, when not nil, changes the settings of it.
func start(t *testing.T, issuer string, change func(*config.OIDCProvider)) site {
	t.Helper()
	return startWith(t, issuer, func(c *config.Config) {
		c.Limits.FailedLoginsPerMinute = 0
		if change != nil {
			p := c.Security.OIDC[strategy]
			change(&p)
			c.Security.OIDC[strategy] = p
		}
	})
}

// startWith is start with any settings.
func startWith(t *testing.T, issuer string, configure func(*config.Config)) site {
	t.Helper()
	n := nodetest.Start(t, nodetest.Options{Configure: func(c *config.Config) {
		p := config.OIDCProvider{
			Issuer: issuer, ClientID: clientID, ClientSecret: config.NewSecret(clientSecret), RedirectURL: redirectURL,
			Scopes: []string{"profile", "email"}, CreateUser: true, ProfileIDs: []string{"default"},
			UserFields:   map[string]string{"name": "name", "mail": "email", "none": "no_such_claim"},
			LoginTimeout: 10 * time.Minute, Timeout: 10 * time.Second,
		}
		c.Security.OIDC = map[string]config.OIDCProvider{strategy: p}
		configure(c)
	}})
	n.Must("POST", "/_createFirstAdmin/root?reset=true", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
	return site{n, n.Client.Address, "Authorization: Bearer " + n.Login("root", "root-Secret-1", "")}
}

// serve runs a provider and a node.
func serve(t *testing.T, change func(*config.OIDCProvider)) (*openIDProvider, site) {
	t.Helper()
	p := newOP(t)
	return p, start(t, p.URL, change)
}

const again = "Begin it again."

func TestLogin(t *testing.T) {
	t.Parallel()
	p, n := serve(t, nil)
	b := newBrowser(t, n.address)

	sent := b.begin()
	to, err := url.Parse(sent.location())
	if err != nil || sent.status != http.StatusFound || sent.get("result.statusCode") != 302.0 || sent.get("result.headers.Location") != sent.location() {
		t.Fatalf("%d %s", sent.status, sent.body)
	}
	q := to.Query()
	if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || len(q.Get("nonce")) != 43 || q.Get("state") == "" ||
		q.Get("redirect_uri") != redirectURL || q.Get("scope") != "email openid profile" || q.Get("response_type") != "code" {
		t.Errorf("sent to %s", to)
	}
	cookie := sent.header.Get("Set-Cookie")
	if !strings.Contains(cookie, "; HttpOnly") || !strings.Contains(cookie, "; SameSite=Lax") || !strings.Contains(cookie, "; Max-Age=600") {
		t.Errorf("cookie %s", cookie)
	}
	value, _, _ := strings.Cut(strings.TrimPrefix(cookie, "sluice-login-op="), ";")
	if strings.Contains(sent.body, value) || strings.Contains(sent.location(), value) {
		t.Error("the cookie is not in the cookie alone")
	}

	back := b.authorize(sent.location(), user)
	in := b.get(back)
	kuid, _ := in.get("result._id").(string)
	token, _ := in.get("result.jwt").(string)
	if in.status != http.StatusOK || kuid == "" || token == "" || in.get("result.ttl") != 3600000.0 || in.get("result.expiresAt") == nil {
		t.Fatalf("%d %s", in.status, in.body)
	}
	me := n.Must("GET", "/_me", "", "Authorization: Bearer "+token)
	if me.Get("result._id") != kuid || me.Get("result._source.name") != "Test User" || me.Get("result._source.mail") != "test-user@zitadel.ch" ||
		fmt.Sprint(me.Get("result._source.profileIds")) != "[default]" || fmt.Sprint(me.Get("result.strategies")) != "[op]" {
		t.Error(me.Body)
	}
	if second := b.must(); second != kuid {
		t.Errorf("the second login gave %s, the first %s", second, kuid)
	}

	for _, secret := range []string{clientSecret, value, query(t, back, "code"), p.tokens[0]} {
		if strings.Contains(n.Log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

// A login that makes a user stands in the audit log as such, once.
func TestNewUsersAreRecorded(t *testing.T) {
	t.Parallel()
	var file string
	n := startWith(t, newOP(t).URL, func(c *config.Config) {
		c.Audit.Sync = true
		file = c.Audit.File(c.Server.DataDir)
	})
	b := newBrowser(t, n.address)
	kuid := b.must()
	b.must()
	log, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, `"event":"user"`) && strings.Contains(line, `"strategy":"op"`) && strings.Contains(line, `"targets":["`+kuid+`"]`) {
			made++
		}
	}
	if made != 1 {
		t.Errorf("%d lines of a new user in %s", made, log)
	}
}

func query(t *testing.T, address, name string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Query().Get(name) == "" {
		t.Fatalf("no %s in %s", name, address)
	}
	return u.Query().Get(name)
}

// A page that the provider sent the browser to passes code and state on in a body.
func TestLoginWithABody(t *testing.T) {
	t.Parallel()
	_, n := serve(t, nil)
	b := newBrowser(t, n.address)
	back := b.callback()
	body, _ := json.Marshal(map[string]string{"code": query(t, back, "code"), "state": query(t, back, "state")})
	p := b.do("POST", redirectURL+"?expiresIn=2h", "application/json", string(body))
	if p.status != http.StatusOK || p.get("result.ttl") != 7200000.0 {
		t.Errorf("%d %s", p.status, p.body)
	}
}

func TestLoginOverWebSocket(t *testing.T) {
	t.Parallel()
	_, n := serve(t, nil)
	socket, other := n.WebSocket(), n.WebSocket()
	sent := socket.Call(`{"controller":"auth","action":"login","strategy":"op"}`)
	location, _ := sent.Get("result.headers.Location").(string)
	back := newBrowser(t, n.address).authorize(location, user)
	finish := `{"controller":"auth","action":"login","strategy":"op","body":{"code":"` + query(t, back, "code") + `","state":"` + query(t, back, "state") + `"}}`
	if a := other.Call(finish); a.Status != http.StatusUnauthorized || !strings.Contains(a.Body, again) {
		t.Errorf("another connection: %s", a.Body)
	}
	if a := newBrowser(t, n.address).get(back); a.status != http.StatusUnauthorized {
		t.Errorf("a browser: %s", a.body)
	}
	if a := socket.Call(finish); a.Status != http.StatusOK {
		t.Errorf("the connection that began: %s", a.Body)
	}
}

func TestReplayedCallback(t *testing.T) {
	t.Parallel()
	_, n := serve(t, nil)
	b := newBrowser(t, n.address)
	sent := b.begin()
	back := b.authorize(sent.location(), user)
	home, _ := url.Parse(redirectURL)
	cookies := b.http.Jar.Cookies(home)
	if p := b.get(back); p.status != http.StatusOK {
		t.Fatal(p.body)
	}
	refused(t, b.get(back), again)
	b.http.Jar.SetCookies(home, cookies) // which the browser had to drop
	refused(t, b.get(back), again)
}

// Code and state of one browser are of no use in another: neither to have a victim log in as the attacker, nor to use a code
// that was stolen.
func TestForeignCallback(t *testing.T) {
	t.Parallel()
	_, n := serve(t, nil)
	attacker, victim, idle := newBrowser(t, n.address), newBrowser(t, n.address), newBrowser(t, n.address)
	attackers, victims := attacker.callback(), victim.callback()
	refused(t, idle.get(attackers), again)
	refused(t, victim.get(attackers), again)

	own := query(t, attacker.begin().location(), "state")
	stolen := redirectURL + "?code=" + query(t, victims, "code") + "&state=" + own
	refused(t, attacker.get(stolen), "does not accept the code") // PKCE: it is not the code of this login
}

func TestBadCallbacks(t *testing.T) {
	t.Parallel()
	_, n := serve(t, nil)
	b := newBrowser(t, n.address)
	state := func() string { return query(t, b.begin().location(), "state") }
	for name, c := range map[string]struct{ query, want string }{
		"no state":            {"code=x", again},
		"empty state":         {"code=x&state=", again},
		"invented state":      {"code=x&state=" + strings.Repeat("A", 75), again},
		"two codes":           {"code=a&code=b&state=x", again},
		"error, no state":     {"error=access_denied&error_description=SHOWN", again},
		"state of some bytes": {"code=x&state=%00%ff%fe", again},
	} {
		p := b.get(redirectURL + "?" + c.query)
		refused(t, p, c.want)
		if strings.Contains(p.body, "SHOWN") {
			t.Errorf("%s: a text that anybody can send is shown: %s", name, p.body)
		}
	}
	first, _ := state(), state()
	refused(t, b.get(redirectURL+"?state="+first), again) // another login was begun since
	refused(t, b.get(redirectURL+"?state="+state()), "does not accept the code")
	refused(t, b.get(redirectURL+"?code=invented&state="+state()), "does not accept the code")
	refused(t, b.get(redirectURL+"?code="+strings.Repeat("x", 8193)+"&state="+state()), "does not accept the code")
	refused(t, b.get(redirectURL+"?code=x&iss=https://other.example.com&state="+state()), again)
	denied := b.get(redirectURL + "?error=access_denied&error_description=not%20today%0A&state=" + state())
	refused(t, denied, "The OpenID provider refused the login: access_denied (not today).")
}

// Whatever is wrong with the ID token, nobody is logged in and no user is made.
func TestWrongIDTokens(t *testing.T) {
	t.Parallel()
	p, n := serve(t, nil)
	foreign, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(map[string]any)) func(map[string]any) string {
		return func(claims map[string]any) string { change(claims); return p.sign(claims) }
	}
	set := func(name string, value any) func(map[string]any) string {
		return with(func(claims map[string]any) { claims[name] = value })
	}
	for name, tamper := range map[string]func(map[string]any) string{
		"nonce":            set("nonce", "another"),
		"no nonce":         with(func(c map[string]any) { delete(c, "nonce") }),
		"audience":         set("aud", []string{"another"}),
		"second audience":  with(func(c map[string]any) { c["aud"] = []string{clientID, "another"}; delete(c, "azp") }),
		"authorized party": set("azp", "another"),
		"expired":          set("exp", time.Now().Add(-time.Minute).Unix()),
		"not yet":          set("nbf", time.Now().Add(time.Hour).Unix()),
		"issuer":           set("iss", "https://another.example.com"),
		"at_hash":          set("at_hash", "another"),
		"no subject":       set("sub", ""),
		"long subject":     set("sub", strings.Repeat("x", 256)),
		"subject a number": set("sub", 5),
		"foreign key":      func(c map[string]any) string { return signed(jose.RS256, foreign, p.storage.current.Load().id, c) },
		"HS256 with the client secret": func(c map[string]any) string {
			return signed(jose.HS256, []byte(strings.Repeat(clientSecret, 2)), "", c)
		},
		"none": func(c map[string]any) string {
			payload, _ := json.Marshal(c)
			return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
		},
		"no token": func(map[string]any) string { return "" },
		"garbage":  func(map[string]any) string { return "a.b.c" },
	} {
		p.tamper.Store(&tamper)
		got := newBrowser(t, n.address).login()
		if got.status != http.StatusUnauthorized || !strings.Contains(got.body, "could not be verified") {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if made := n.users(); made != 0 {
		t.Errorf("%d users were made", made)
	}
	right := p.sign
	p.tamper.Store(&right) // what the others did beside is right
	newBrowser(t, n.address).must()
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	p, n := serve(t, nil)
	kuid := newBrowser(t, n.address).must()
	p.storage.rotate(t)
	if got := newBrowser(t, n.address).must(); got != kuid {
		t.Errorf("%s, then %s", kuid, got)
	}
}

// The node starts while the provider is down, says so, and finds it when it is back.
func TestProviderDown(t *testing.T) {
	t.Parallel()
	p := newOP(t)
	p.down.Store(true)
	n := start(t, p.URL, nil)
	down := func(got page) {
		t.Helper()
		if got.status != http.StatusInternalServerError || got.get("error.id") != "core.fatal.service_unavailable" ||
			!strings.Contains(got.body, "the OpenID provider of the strategy op") {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	b := newBrowser(t, n.address)
	down(b.begin())
	n.must("GET", "/_now", "")
	p.down.Store(false)
	for deadline := time.Now().Add(30 * time.Second); b.begin().status != http.StatusFound; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the provider is back, but was not found")
		}
	}
	back := b.callback()
	p.down.Store(true)
	down(b.get(back))
	p.down.Store(false)
	b.must()
}

func TestFirstLoginsAtOnceMakeOneUser(t *testing.T) {
	t.Parallel()
	_, n := serve(t, nil)
	const logins = 20
	pages := make([]page, logins)
	var all sync.WaitGroup
	for i := range logins {
		b := newBrowser(t, n.address)
		back := b.callback()
		all.Go(func() { pages[i] = b.get(back) })
	}
	all.Wait()
	for _, p := range pages {
		if p.status != http.StatusOK || p.get("result._id") != pages[0].get("result._id") {
			t.Errorf("%d %s", p.status, p.body)
		}
	}
	if made := n.users(); made != 1 {
		t.Errorf("%d users were made", made)
	}
}

func TestAccountsByAdministrators(t *testing.T) {
	t.Parallel()
	_, n := serve(t, func(p *config.OIDCProvider) { p.CreateUser = false })
	b := newBrowser(t, n.address)
	refused(t, b.login(), "No user here belongs to this account")

	n.must("POST", "/users/ann/_create", `{"content":{"profileIds":["default"]},"credentials":{"op":{"subject":"id1"}}}`)
	if kuid := b.must(); kuid != "ann" {
		t.Errorf("logged in as %s", kuid)
	}
	if a := n.asked("POST", "/users/bob/_create", `{"content":{"profileIds":["default"]},"credentials":{"op":{"subject":"id1"}}}`); a.Status != http.StatusPreconditionFailed {
		t.Errorf("a subject that is taken: %s", a.Body)
	}
	n.must("PUT", "/credentials/op/ann/_update", `{"subject":"id2"}`)
	refused(t, b.login(), "No user here")
	if a := n.must("GET", "/credentials/op/id2/_byId", ""); a.Get("result.kuid") != "ann" || a.Get("result.subject") != "id2" {
		t.Error(a.Body)
	}
	n.must("PUT", "/credentials/op/ann/_update", `{"subject":"id1"}`)
	n.must("DELETE", "/users/ann", "")
	refused(t, b.login(), "No user here")
	if a := n.asked("GET", "/credentials/op/id1/_byId", ""); a.Status != http.StatusPreconditionFailed {
		t.Errorf("credentials of a deleted user: %s", a.Body)
	}
}

// Nobody can wait at the place of somebody who has not logged in yet.
func TestUsersCannotTakeSubjects(t *testing.T) {
	t.Parallel()
	_, n := serve(t, nil)
	n.CreateUser("mallory", `{"profileIds":["admin"]}`, "mallory", "mallory-Secret-1", n.admin)
	token := "Authorization: Bearer " + n.Login("mallory", "mallory-Secret-1", "")
	for _, path := range []string{"/_create", "/_update", "/_validate"} {
		verb := "POST"
		if path == "/_update" {
			verb = "PUT"
		}
		if a := n.HTTP(verb, "/_me/credentials/op"+path, `{"subject":"id1"}`, token); a.Status != http.StatusForbidden {
			t.Errorf("%s: %s", path, a.Body)
		}
	}
	n.must("PUT", "/roles/anonymous", `{"controllers":{"auth":{"actions":{"login":true}},"security":{"actions":{"createRestrictedUser":true}}}}`)
	self := n.HTTP("POST", "/users/eve/_createRestricted", `{"content":{},"credentials":{"local":{"username":"eve","password":"eve-Secret-1"},"op":{"subject":"id1"}}}`)
	if self.Status != http.StatusForbidden || !strings.Contains(self.Body, "security:createCredentials") {
		t.Errorf("who registers himself: %s", self.Body)
	}
	if a := n.asked("GET", "/users/eve", ""); a.Status != http.StatusNotFound {
		t.Errorf("he was made all the same: %s", a.Body)
	}
	if kuid := newBrowser(t, n.address).must(); kuid == "mallory" || kuid == "eve" {
		t.Error("the subject was taken")
	}
}

// Every action with which administrators make or change users ties them to subjects.
func TestAdministratorsGiveSubjects(t *testing.T) {
	t.Parallel()
	_, n := serve(t, func(p *config.OIDCProvider) { p.CreateUser = false })
	for i, c := range [][3]string{
		{"POST", "/users/ann/_create", `{"content":{"profileIds":["default"]},"credentials":{"op":{"subject":"id1"}}}`},
		{"POST", "/users/ann/_upsert", `{"content":{"profileIds":["default"]},"credentials":{"op":{"subject":"id1"}}}`},
		{"POST", "/credentials/op/ann/_create", `{"subject":"id1"}`},
		{"PUT", "/credentials/op/ann/_update", `{"subject":"id1"}`},
	} {
		if i > 1 {
			n.must("POST", "/users/ann/_create", `{"content":{"profileIds":["default"]},"credentials":{}}`)
		}
		if i == 3 {
			n.must("POST", "/credentials/op/ann/_create", `{"subject":"id2"}`)
		}
		n.must(c[0], c[1], c[2])
		if kuid := newBrowser(t, n.address).must(); kuid != "ann" {
			t.Errorf("%s: logged in as %s", c[1], kuid)
		}
		n.must("DELETE", "/users/ann", "")
	}
}

// Credentials outlive their user only when a node dies in between; they lead nowhere.
func TestAUserDeletedIsMadeAnew(t *testing.T) {
	t.Parallel()
	_, n := serve(t, nil)
	b := newBrowser(t, n.address)
	first := b.must()
	n.must("DELETE", "/users/"+first, "")
	if second := b.must(); second == first {
		t.Error("the account of a deleted user lives")
	}
}

func TestAllowedDomains(t *testing.T) {
	t.Parallel()
	_, n := serve(t, func(p *config.OIDCProvider) { p.AllowedDomains = []string{"example.com", "ZITADEL.ch"} })
	newBrowser(t, n.address).must()
	_, n = serve(t, func(p *config.OIDCProvider) { p.AllowedDomains = []string{"itadel.ch", "example.com"} })
	refused(t, newBrowser(t, n.address).login(), "may not log in here")
}

func TestAProfileThatIsNotThere(t *testing.T) {
	t.Parallel()
	_, n := serve(t, func(p *config.OIDCProvider) { p.ProfileIDs = []string{"nowhere"} })
	p := newBrowser(t, n.address).login()
	if p.status != http.StatusInternalServerError || !strings.Contains(p.body, "profileIds") {
		t.Errorf("%d %s", p.status, p.body)
	}
}

// A secret that the provider does not know is for the operator to see, not for clients.
func TestWrongClientSecret(t *testing.T) {
	t.Parallel()
	_, n := serve(t, func(p *config.OIDCProvider) { p.ClientSecret = config.NewSecret("wrong-secret") })
	refused(t, newBrowser(t, n.address).login(), "the log of the node says why")
	n.Log.Await(t, "look at clientId, clientSecret and redirectUrl")
	if strings.Contains(n.Log.String(), "wrong-secret") {
		t.Error("the secret is in the log")
	}
}

// Codes that the provider does not take slow a network down, whatever it says of them and whether or not anybody waits for it.
func TestBadCodesAreSlowedDown(t *testing.T) {
	t.Parallel()
	const limit = 3
	for name, c := range map[string]struct {
		secret  string
		stalled bool
	}{
		"invalid_grant":                {secret: clientSecret},
		"another error of the request": {secret: "wrong-secret"},
		"gone before the answer":       {secret: clientSecret, stalled: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newOP(t)
			n := startWith(t, p.URL, func(settings *config.Config) {
				settings.Limits.FailedLoginsPerMinute = limit
				settings.Server.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
				op := settings.Security.OIDC[strategy]
				op.ClientSecret, op.Timeout = config.NewSecret(c.secret), time.Minute
				settings.Security.OIDC[strategy] = op
			})
			p.stalled.Store(c.stalled)
			for range limit {
				b := newBrowser(t, n.address)
				back := redirectURL + "?code=invented&state=" + query(t, b.begin().location(), "state")
				if c.stalled {
					b.leave(back, p)
				} else if got := b.get(back); got.status != http.StatusUnauthorized {
					t.Fatalf("%d %s", got.status, got.body)
				}
			}
			for deadline := time.Now().Add(30 * time.Second); newBrowser(t, n.address).begin().status != http.StatusTooManyRequests; time.Sleep(20 * time.Millisecond) {
				if !c.stalled || time.Now().After(deadline) { // who left is counted once the node has noticed
					t.Fatal("the network is not slowed down")
				}
			}
			if a := n.HTTP("GET", "/_login/op", "", nodetest.ClientAddress(1)); !strings.Contains(a.Body, "<form") {
				t.Errorf("another network does not get to the provider: %d %s", a.Status, a.Body)
			}
		})
	}
}

// Whoever gets the id of a user that was deleted while the provider was out of the settings does not get its subject.
func TestAUserDeletedWithoutTheProvider(t *testing.T) {
	t.Parallel()
	p := newOP(t)
	dir := t.TempDir()
	with := func(name, issuer string, run func(t *testing.T, n site)) {
		t.Run(name, func(t *testing.T) {
			n := nodetest.Start(t, nodetest.Options{Configure: func(c *config.Config) {
				c.Server.DataDir = dir
				if issuer != "" {
					c.Security.OIDC = map[string]config.OIDCProvider{strategy: {
						Issuer: issuer, ClientID: clientID, ClientSecret: config.NewSecret(clientSecret), RedirectURL: redirectURL,
						LoginTimeout: time.Minute, Timeout: 10 * time.Second,
					}}
				}
			}})
			if n.HTTP("GET", "/_adminExists", "").Get("result.exists") == false {
				n.Must("POST", "/_createFirstAdmin/root?reset=true", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
			}
			run(t, site{n, n.Client.Address, "Authorization: Bearer " + n.Login("root", "root-Secret-1", "")})
		})
	}
	for _, between := range []struct{ name, issuer string }{{"none", ""}, {"another", "https://127.0.0.1:1"}} {
		with("on, then "+between.name, p.URL, func(t *testing.T, n site) {
			n.must("POST", "/users/eve/_create", `{"content":{"profileIds":["default"]},"credentials":{"op":{"subject":"id1"}}}`)
			if kuid := newBrowser(t, n.address).must(); kuid != "eve" {
				t.Errorf("logged in as %s", kuid)
			}
		})
		with(between.name, between.issuer, func(t *testing.T, n site) {
			n.must("DELETE", "/users/eve", "")
			n.must("POST", "/users/eve/_create", `{"content":{"profileIds":["admin"]},"credentials":{}}`)
		})
		with("on after "+between.name, p.URL, func(t *testing.T, n site) {
			refused(t, newBrowser(t, n.address).login(), "No user here belongs to this account")
			if a := n.asked("GET", "/credentials/op/eve", ""); a.Status != http.StatusPreconditionFailed {
				t.Errorf("her credentials: %s", a.Body)
			}
			n.must("DELETE", "/users/eve", "")
		})
	}
}
