package httpserver

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/network/wsserver"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// withCookies serves the actions that set the cookie, and one that looks at credentials itself. Pages of app.example are named.
func withCookies(t *testing.T) Options {
	t.Helper()
	o := options(t)
	nothing := func(context.Context, *protocol.Request) (any, error) { return nil, nil }
	registry := router.NewRegistry()
	if err := registry.Set(router.Contribution{Owner: "test", Actions: []router.Action{
		{Controller: "server", Name: "now", Handler: nothing, Routes: []router.Route{{Verb: "GET", Path: "/_now"}, {Verb: "POST", Path: "/_now"}}},
		{Controller: "auth", Name: "login", Handler: nothing, Routes: []router.Route{{Verb: "GET", Path: "/_login"}, {Verb: "POST", Path: "/_login"}}},
		{Controller: "auth", Name: "logout", Handler: nothing, Routes: []router.Route{{Verb: "POST", Path: "/_logout"}}},
		{Controller: "own", Name: "get", Handler: nothing, Auth: router.AuthPlugin, Routes: []router.Route{{Verb: "GET", Path: "/_own"}}},
	}}); err != nil {
		t.Fatal(err)
	}
	o.Routes = registry.Current
	var err error
	if o.Origins, err = network.NewOrigins([]string{"*", "https://app.example"}, false); err != nil {
		t.Fatal(err)
	}
	o.Cookies = network.Cookies{
		On: true, Origins: o.Origins, Proxies: o.Proxies, Own: func(controller, _ string) bool { return controller == "own" },
	}
	o.Executor = executor{do: func(ctx context.Context, req *protocol.Request) (any, error) {
		switch {
		case req.Action == "logout" && req.Token == "ended":
			return nil, kerror.SecurityTokenInvalid.New()
		case req.Action == "logout" && req.Token == "forbidden":
			return nil, kerror.SecurityRightsForbidden.New("auth", "logout", "joe")
		case req.Action == "login":
			req.Reply.Header = http.Header{"Set-Cookie": {"authToken=t; HttpOnly", "other=o"}}
		}
		return echo(ctx, req)
	}}
	return o
}

func TestTokensInCookies(t *testing.T) {
	address, _ := serve(t, withCookies(t))
	const cookie, evil, cross = "Cookie: a=b; authToken=t", "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"
	for name, c := range map[string]struct {
		raw     string
		status  int
		errorID string
		token   string
		set     string
	}{
		"GET":                {request("GET /_now", "", cookie), 200, "", "t", ""},
		"POST":               {request("POST /_now", "{}", cookie, "Origin: http://localhost"), 200, "", "t", ""},
		"query":              {request("POST /_query", `{"controller":"server","action":"now"}`, cookie), 200, "", "t", ""},
		"null":               {request("GET /_now", "", "Cookie: authToken=null"), 200, "", "", ""},
		"none from evil":     {request("GET /_now", "", evil, cross), 200, "", "", ""},
		"GET from evil":      {request("GET /_now", "", cookie, cross), 401, "api.process.unauthorized_origin", "", ""},
		"POST from evil":     {request("POST /_now", "{}", cookie, evil), 401, "api.process.unauthorized_origin", "", ""},
		"query from evil":    {request("POST /_query", `{"controller":"server","action":"now"}`, cookie, evil), 401, "api.process.unauthorized_origin", "", ""},
		"from a named":       {request("POST /_now", "{}", cookie, "Origin: https://app.example", cross), 200, "", "t", ""},
		"bearer":             {request("GET /_now", "", cookie, "Authorization: Bearer u"), 500, "security.token.verification_error", "", ""},
		"parameter":          {request("GET /_now?jwt=u", "", cookie), 500, "security.token.verification_error", "", ""},
		"envelope":           {request("POST /_query", `{"controller":"server","action":"now","jwt":"u"}`, cookie), 500, "security.token.verification_error", "", ""},
		"unreadable":         {request("GET /_now", "", "Cookie: authToken=é"), 401, "security.cookie.invalid", "", ""},
		"two headers":        {request("GET /_now", "", "Cookie: authToken=a", "Cookie: authToken=b"), 401, "security.cookie.invalid", "", ""},
		"own credentials":    {request("GET /_own", "", cookie, cross), 200, "", "", ""},
		"own in an envelope": {request("POST /_query", `{"controller":"own","action":"get"}`, cookie, evil), 200, "", "", ""},
		"preflight":          {request("OPTIONS /_now", "", cookie, evil), 200, "", "", ""},
		"probe":              {request("GET /_healthcheck", "", cookie, evil), 200, "", "", ""},
		"nowhere":            {request("GET /nowhere", "", cookie, evil), 404, "network.http.url_not_found", "", ""},

		"login":                   {request("POST /_login?cookieAuth", "{}"), 200, "", "", "authToken=t; HttpOnly|other=o"},
		"login behind TLS":        {request("POST /_login?cookieAuth", "{}", "X-Forwarded-Proto: https"), 200, "", "", "authToken=t; HttpOnly; Secure|other=o"},
		"login from evil":         {request("POST /_login?cookieAuth", "{}", evil), 401, "api.process.unauthorized_origin", "", ""},
		"login by a link":         {request("GET /_login?cookieAuth", "", cross), 401, "api.process.unauthorized_origin", "", ""},
		"login by a link in mail": {request("GET /_login?cookieAuth", "", "Sec-Fetch-Site: none"), 401, "api.process.unauthorized_origin", "", ""},
		"login by GET":            {request("GET /_login?cookieAuth", ""), 400, "api.assert.forbidden_argument", "", ""},
		"login with a token":      {request("POST /_login?cookieAuth", "{}", "Authorization: Bearer u"), 400, "api.assert.forbidden_argument", "", ""},
		"login over a broken one": {request("POST /_login", "{}", "Cookie: authToken=é"), 200, "", "", "authToken=t; HttpOnly|other=o"},

		"logout":             {request("POST /_logout?cookieAuth", "", cookie), 200, "", "t", gone},
		"logout by presence": {request("POST /_logout", "", cookie, "X-Forwarded-Proto: https"), 200, "", "t", gone + "; Secure"},
		"logout without":     {request("POST /_logout?cookieAuth", ""), 200, "", "", gone},
		"logout, ended":      {request("POST /_logout", "", "Cookie: authToken=ended"), 401, "security.token.invalid", "", gone},
		"logout, forbidden":  {request("POST /_logout", "", "Cookie: authToken=forbidden"), 403, "security.rights.forbidden", "", ""},
		"logout from evil":   {request("POST /_logout", "", cookie, evil), 401, "api.process.unauthorized_origin", "", ""},
		"logout of a token":  {request("POST /_logout", "", "Authorization: Bearer u"), 200, "", "u", ""},
	} {
		a := do(t, address, c.raw)
		token := ""
		if a.status == http.StatusOK {
			token = a.field(t, "result", "token")
		}
		if a.status != c.status || a.field(t, "error", "id") != c.errorID || token != c.token || strings.Join(a.header["Set-Cookie"], "|") != c.set {
			t.Errorf("%s: %d %s %q", name, a.status, a.body, a.header["Set-Cookie"])
		}
	}
}

func TestWhoMayReadWithCredentials(t *testing.T) {
	on := withCookies(t)
	off := on
	off.Cookies = network.Cookies{}
	for _, c := range []struct {
		o            Options
		origin, want string
	}{
		{on, "https://app.example", "true"},
		{on, "https://evil.example", ""},
		{on, "null", ""},
		{on, "", ""},
		{off, "https://app.example", ""},
	} {
		address, _ := serve(t, c.o)
		for _, verb := range []string{"GET", "OPTIONS"} {
			a := do(t, address, request(verb+" /_now", "", "Origin: "+c.origin))
			if got := a.header.Get("Access-Control-Allow-Credentials"); a.status != 200 || got != c.want {
				t.Errorf("%s by %q: %d %q", verb, c.origin, a.status, got)
			}
		}
	}
}

func TestCookiesOff(t *testing.T) {
	o := withCookies(t)
	o.Cookies = network.Cookies{}
	address, _ := serve(t, o)
	for _, raw := range []string{
		request("GET /_now", "", "Cookie: authToken=t"), request("POST /_login?cookieAuth", "{}"),
	} {
		if a := do(t, address, raw); a.status != 500 || a.field(t, "error", "id") != "security.cookie.unsupported" || a.header["Set-Cookie"] != nil {
			t.Errorf("%q: %d %s", raw, a.status, a.body)
		}
	}
}

func TestTheCookieOfAnUpgrade(t *testing.T) {
	o := withCookies(t)
	o.WebSocket = wsserver.New(wsserver.Options{
		Base: o.Base, Cookies: o.Cookies,
		IdleTimeout: 10 * time.Second, MaxInFlight: 4, OutboxMessages: 16, OutboxBytes: 1 << 20, WriteTimeout: 5 * time.Second,
	})
	address, _ := serve(t, o)
	for _, c := range []struct {
		name   string
		header http.Header
		status int
	}{
		{"own", http.Header{"Origin": {"http://" + address}}, 101},
		{"named", http.Header{"Origin": {"https://app.example"}}, 101},
		{"evil", http.Header{"Origin": {"https://evil.example"}}, 401},
		{"no origin", http.Header{"Origin": {"null"}}, 401},
		{"cross-site", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 401},
	} {
		for _, cookie := range []string{"authToken=t", "authToken=null"} {
			want := c.status
			if cookie == "authToken=null" {
				want = 101
			}
			c.header["Cookie"] = []string{cookie}
			ws, resp, err := websocket.DefaultDialer.Dial("ws://"+address, c.header)
			if err == nil {
				_ = ws.Close()
			}
			if resp == nil || resp.StatusCode != want {
				t.Errorf("%s with %s: %v %v", c.name, cookie, resp, err)
			}
		}
	}
}
