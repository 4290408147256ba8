package e2e

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

// named is the origin of a front end that the operator named.
const named = "http://app.localhost:8080"

// browser keeps cookies as a browser does.
type browser struct {
	t      *testing.T
	node   *nodetest.Node
	client http.Client
}

// withCookies starts a node with the administrator root, who is not logged in, and a browser.
func withCookies(t *testing.T, configure func(*config.Config)) *browser {
	t.Helper()
	n := nodetest.Start(t, nodetest.Options{Configure: func(c *config.Config) {
		c.HTTP.AccessControlAllowOrigin = []string{"*", named}
		if configure != nil {
			configure(c)
		}
	}})
	n.Must("POST", "/_createFirstAdmin/root?reset", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, node: n, client: http.Client{Jar: jar}}
}

const credentials = `{"username":"root","password":"root-Secret-1"}`

// do sends a request with the cookies there are; headers are "Name: value".
func (b *browser) do(method, path, body string, headers ...string) nodetest.Answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, "http://"+b.node.Client.Address+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	a := nodetest.Answer{Status: resp.StatusCode, Header: resp.Header, Body: string(text)}
	if err := json.Unmarshal(text, &a.Envelope); err != nil {
		b.t.Fatalf("%s: %v", text, err)
	}
	return a
}

// want is do that compares status and, for an error, its id.
func (b *browser) want(status int, id, method, path, body string, headers ...string) nodetest.Answer {
	b.t.Helper()
	a := b.do(method, path, body, headers...)
	got, _ := a.Get("error.id").(string)
	if a.Status != status || got != id {
		b.t.Errorf("%s %s %q: %d %s", method, path, headers, a.Status, a.Body)
	}
	return a
}

// token gives the one in the jar, "" for none.
func (b *browser) token() string {
	for _, c := range b.client.Jar.Cookies(&url.URL{Scheme: "http", Host: b.node.Client.Address}) {
		if c.Name == "authToken" {
			return c.Value
		}
	}
	return ""
}

// logIn gives the token that is then in the jar.
func (b *browser) logIn() string {
	b.t.Helper()
	if a := b.want(200, "", "POST", "/_login/local?cookieAuth", credentials); a.Get("result._id") != "root" || a.Get("result.jwt") != nil {
		b.t.Error(a.Body)
	}
	if b.token() == "" {
		b.t.Fatal("no cookie was set")
	}
	return b.token()
}

func (b *browser) me() any { return b.want(200, "", "GET", "/_me", "").Get("result._id") }

func TestASessionInACookie(t *testing.T) {
	b := withCookies(t, nil)
	if b.me() != "-1" {
		t.Error("somebody is logged in")
	}
	first := b.logIn()
	if b.me() != "root" {
		t.Error("the cookie is not looked at")
	}
	if a := b.want(200, "", "POST", "/_checkToken?cookieAuth", `{"token":"other"}`); a.Get("result.valid") != true || a.Get("result.kuid") != "root" {
		t.Error(a.Body)
	}
	if a := b.want(200, "", "POST", "/_checkToken", `{"token":"other"}`); a.Get("result.valid") != false {
		t.Error(a.Body)
	}
	if a := b.want(200, "", "POST", "/_refreshToken?cookieAuth", ""); a.Get("result.jwt") != nil || b.token() == first || b.me() != "root" {
		t.Error(a.Body)
	}
	second := b.token()
	if a := b.want(200, "", "POST", "/_refreshToken", ""); a.Get("result.jwt") != nil || b.token() == second {
		t.Error("the session has left its cookie", a.Body)
	}
	last := b.token()
	b.want(500, "security.token.verification_error", "GET", "/_me", "", "Authorization: Bearer "+last)
	b.want(200, "", "POST", "/_logout?cookieAuth", "")
	if b.token() != "" || b.me() != "-1" {
		t.Errorf("after the logout: %q", b.token())
	}
	b.want(401, "security.token.invalid", "GET", "/_me", "", "Authorization: Bearer "+last)

	// A session that ended elsewhere: the browser gets rid of it by logging in, or out.
	for _, end := range []string{"/_login/local", "/_logout"} {
		stale := b.logIn()
		b.node.Must("POST", "/_logout", "", "Authorization: Bearer "+stale)
		b.want(401, "security.token.invalid", "GET", "/_me", "")
		if a := b.want(200, "", "POST", "/_checkToken?cookieAuth", ""); a.Get("result.valid") != false {
			t.Error(a.Body)
		}
		b.want(200, "", "POST", end, credentials)
		if b.token() == stale {
			t.Errorf("%s leaves the stale cookie", end)
		}
	}
	for _, secret := range []string{first, second, last} {
		if strings.Contains(b.node.Log.String(), secret) {
			t.Error("a token is in the log")
		}
	}
}

func TestTheCookieEndsWithTheToken(t *testing.T) {
	b := withCookies(t, nil)
	for expiresIn, want := range map[string]time.Duration{"1h": time.Hour, "-1": 400 * 24 * time.Hour} {
		a := b.want(200, "", "POST", "/_login/local?cookieAuth&expiresIn="+expiresIn, credentials)
		c, err := http.ParseSetCookie(a.Header.Get("Set-Cookie"))
		if err != nil {
			t.Fatal(err)
		}
		if left := time.Until(c.Expires); left > want || left < want-time.Minute {
			t.Errorf("%s: %s", expiresIn, left)
		}
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Secure {
			t.Errorf("%+v", c)
		}
	}
}

// TestPagesThatMayNot: whatever they ask, with the cookie of the user whose browser they run in.
func TestPagesThatMayNot(t *testing.T) {
	b := withCookies(t, nil)
	token := b.logIn()
	for _, page := range [][]string{
		{"Origin: https://evil.example"},
		{"Origin: null"},
		{"Sec-Fetch-Site: cross-site"},
		{"Sec-Fetch-Site: same-site", "Origin: http://127.0.0.1:1"},
		{"Referer: http://evil.example/"},
	} {
		for _, r := range []struct{ method, path, body string }{
			{"GET", "/_me", ""},
			{"DELETE", "/users/root", ""},
			{"POST", "/_query", `{"controller":"security","action":"deleteUser","_id":"root"}`},
			{"POST", "/_logout", ""},
			{"POST", "/_refreshToken", ""},
			{"POST", "/_login/local", credentials},
			{"GET", "/_sse?index=i&collection=c", ""},
		} {
			a := b.want(401, "api.process.unauthorized_origin", r.method, r.path, r.body, page...)
			if a.Header.Get("Set-Cookie") != "" || a.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s %q: %v", r.path, page, a.Header)
			}
		}
	}
	if b.token() != token || b.me() != "root" {
		t.Error("somebody has got through")
	}
	b.client.Jar, _ = cookiejar.New(nil)
	b.want(401, "api.process.unauthorized_origin", "POST", "/_login/local?cookieAuth", credentials, "Origin: https://evil.example")
	b.want(200, "", "POST", "/_login/local", credentials, "Origin: https://evil.example")
	if b.token() != "" {
		t.Error("a page has logged its visitor in")
	}
}

func TestPagesThatMay(t *testing.T) {
	b := withCookies(t, nil)
	own := "Origin: http://" + b.node.Client.Address
	b.want(200, "", "POST", "/_login/local?cookieAuth", credentials, own)
	for _, page := range [][]string{
		{own},
		{own, "Sec-Fetch-Site: same-origin"},
		{"Sec-Fetch-Site: none"},
		{"Referer: http://" + b.node.Client.Address + "/page"},
		{"Origin: " + named, "Sec-Fetch-Site: same-site"},
	} {
		a := b.want(200, "", "GET", "/_me", "", page...)
		if a.Get("result._id") != "root" || (a.Header.Get("Access-Control-Allow-Credentials") == "true") != strings.Contains(page[0], named) {
			t.Errorf("%q: %v %s", page, a.Header, a.Body)
		}
	}
}

func TestTheCookieOfAWebSocket(t *testing.T) {
	b := withCookies(t, nil)
	token := b.logIn()
	socket := func(origin string) (*websocket.Conn, int) {
		t.Helper()
		dialer := websocket.Dialer{Jar: b.client.Jar}
		ws, resp, err := dialer.DialContext(t.Context(), "ws://"+b.node.Client.Address, http.Header{"Origin": {origin}})
		if resp == nil {
			t.Fatal(err)
		}
		if err == nil {
			t.Cleanup(func() { _ = ws.Close() })
			_ = ws.SetReadDeadline(time.Now().Add(20 * time.Second))
		}
		return ws, resp.StatusCode
	}
	for _, origin := range []string{"https://evil.example", "http://127.0.0.1:1", "null"} {
		if _, status := socket(origin); status != 401 {
			t.Errorf("%s: %d", origin, status)
		}
	}
	ws, _ := socket(named)
	call := func(envelope, want string) {
		t.Helper()
		if err := ws.WriteMessage(websocket.TextMessage, []byte(envelope)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := ws.ReadMessage(); err != nil || !bytes.Contains(got, []byte(want)) {
			t.Errorf("%s: %s %v", envelope, got, err)
		}
	}
	const me = `{"controller":"auth","action":"getCurrentUser"}`
	call(me, `"_id":"root"`)
	call(`{"controller":"auth","action":"checkToken","cookieAuth":true}`, `"valid":true,"kuid":"root"`)
	call(`{"controller":"auth","action":"getCurrentUser","jwt":"`+token+`"}`, "security.token.verification_error")
	for _, action := range []string{"login", "refreshToken", "logout"} {
		call(`{"controller":"auth","action":"`+action+`","strategy":"local","body":`+credentials+`}`, "api.assert.unsupported_protocol")
	}
	call(me, `"_id":"root"`)
	b.node.Must("POST", "/_logout", "", "Authorization: Bearer "+token)
	call(me, "security.token.invalid")
	call(`{"controller":"auth","action":"checkToken","cookieAuth":true}`, `"valid":false`)
}

func TestTheCookieOfAStream(t *testing.T) {
	b := withCookies(t, nil)
	cookie := "Cookie: authToken=" + b.logIn()
	s := b.node.Events(everything, cookie, "Sec-Fetch-Site: same-origin")
	if e := s.Next(); e.Name != "subscribed" {
		t.Errorf("%+v", e)
	}
	if r := b.node.Events(everything+"&jwt="+b.token(), cookie).Refusal; r.Get("error.id") != "security.token.verification_error" {
		t.Error(r.Body)
	}
	b.want(200, "", "POST", "/_logout", "")
	if rest, err := s.Rest(); err != nil {
		t.Errorf("%v, then %v", rest, err)
	}
	if r := b.node.Events(everything, cookie).Refusal; r.Status != 401 {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}

func TestCookiesThatTheOperatorDoesNotWant(t *testing.T) {
	b := withCookies(t, func(c *config.Config) { c.HTTP.CookieAuthentication = false })
	b.want(500, "security.cookie.unsupported", "POST", "/_login/local?cookieAuth", credentials)
	a := b.want(200, "", "GET", "/_me", "", "Origin: "+named)
	if a.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Error(a.Header)
	}
	b.want(500, "security.cookie.unsupported", "GET", "/_me", "", "Cookie: authToken=t")
}

// TestOfficialSDKWithCookies runs sdk-cookies.mjs: Kuzzle's own SDK in a page of the node's host, and in one of an origin that the
// operator named.
func TestOfficialSDKWithCookies(t *testing.T) {
	t.Setenv("SLUICE_HTTP_ACCESS_CONTROL_ALLOW_ORIGIN", "*,http://127.0.0.1:8080")
	n, port := startForSDK(t)
	n.CreateUser("ann", `{"profileIds":["default"]}`, "ann", "ann-Secret-1")
	for _, origin := range []string{"http://" + net.JoinHostPort("127.0.0.1", port), "http://127.0.0.1:8080"} {
		run(t, "node", "sdk-cookies.mjs", port, origin)
	}
}
