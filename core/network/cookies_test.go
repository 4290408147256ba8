package network

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// cookies are those of a node at api.example that trusts pages of app.example and proxies in 10.0.0.0/8.
func cookies(t testing.TB) *Cookies {
	t.Helper()
	origins, err := NewOrigins([]string{"*", "https://app.example"}, false)
	if err != nil {
		t.Fatal(err)
	}
	return &Cookies{
		On: true, Origins: origins, Proxies: Proxies{netip.MustParsePrefix("10.0.0.0/8")},
		Own: func(controller, _ string) bool { return controller == "own" },
	}
}

// from makes a POST to api.example; each header is "Name: value".
func from(headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Host, r.RemoteAddr = "api.example", "192.0.2.1:4711"
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func TestPagesThatMayUseTheCookie(t *testing.T) {
	for _, c := range []struct {
		name         string
		headers      []string
		counts, sets bool
	}{
		{"no browser", nil, true, true},
		{"same origin", []string{"Sec-Fetch-Site: same-origin"}, true, true},
		{"same origin behind a proxy that changes the host", []string{"Sec-Fetch-Site: same-origin", "Origin: https://www.example"}, true, true},
		{"opened by hand", []string{"Sec-Fetch-Site: none"}, true, false},
		{"opened by hand, and yet a page", []string{"Sec-Fetch-Site: none", "Origin: https://evil.example"}, false, false},
		{"another site", []string{"Sec-Fetch-Site: cross-site"}, false, false},
		{"a neighbour", []string{"Sec-Fetch-Site: same-site", "Origin: https://other.example"}, false, false},
		{"a value to come", []string{"Sec-Fetch-Site: same-planet"}, false, false},
		{"two values", []string{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"}, false, false},
		{"empty", []string{"Sec-Fetch-Site: "}, false, false},
		{"another site, with the own origin", []string{"Sec-Fetch-Site: cross-site", "Origin: https://api.example"}, false, false},
		{"named", []string{"Sec-Fetch-Site: cross-site", "Origin: https://app.example"}, true, true},
		{"named, old browser", []string{"Origin: https://app.example"}, true, true},
		{"two origins, one named", []string{"Origin: https://app.example", "Origin: https://evil.example"}, false, false},
		{"own origin, old browser", []string{"Origin: https://api.example"}, true, true},
		{"own origin in capitals", []string{"Origin: https://API.example"}, true, true},
		{"own origin, not encrypted", []string{"Origin: http://api.example"}, true, true},
		{"another port", []string{"Origin: https://api.example:8443"}, false, false},
		{"another origin, which * allows", []string{"Origin: https://evil.example"}, false, false},
		{"a longer host", []string{"Origin: https://api.example.evil"}, false, false},
		{"a user in front of the host", []string{"Origin: https://api.example@evil.example"}, false, false},
		{"no origin", []string{"Origin: null"}, false, false},
		{"another scheme", []string{"Origin: file://api.example"}, false, false},
		{"nonsense", []string{"Origin: %zz"}, false, false},
		{"own page named", []string{"Referer: http://api.example/page"}, true, true},
		{"another page named", []string{"Referer: http://evil.example/api.example"}, false, false},
	} {
		r := from(append(c.headers, "Cookie: authToken=x")...)
		foreign, refused := cookies(t).Read(r).Foreign(), cookies(t).MaySet(r)
		if (foreign == nil) != c.counts || (refused == nil) != c.sets {
			t.Errorf("%s: %v, set: %v", c.name, foreign, refused)
		}
		for _, err := range []error{foreign, refused} {
			if err != nil && (!errors.Is(err, kerror.APIProcessUnauthorizedOrigin) || !strings.Contains(err.Error(), "http.accessControlAllowOrigin")) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
}

// A link can make a browser send GET, and what it says of the page depends on the page and the connection.
func TestGetSetsNoCookie(t *testing.T) {
	for _, header := range []string{"X: no browser", "Sec-Fetch-Site: same-origin", "Origin: https://app.example", "Referer: http://api.example/page"} {
		r := from(header)
		r.Method = http.MethodGet
		if err := cookies(t).MaySet(r); !errors.Is(err, kerror.APIAssertForbiddenArgument) || !strings.Contains(err.Error(), "POST") {
			t.Errorf("%s: %v", header, err)
		}
	}
}

func TestAnEncryptedHostHasNoUnencryptedPages(t *testing.T) {
	r := from("Origin: http://api.example", "Cookie: authToken=x")
	r.TLS = &tls.ConnectionState{}
	if cookies(t).Read(r).Foreign() == nil {
		t.Error("anybody on the way to an unencrypted page can use the cookie")
	}
}

func TestSecure(t *testing.T) {
	for _, c := range []struct {
		peer, proto string
		tls, want   bool
	}{
		{"192.0.2.1", "", false, false},
		{"192.0.2.1", "", true, true},
		{"192.0.2.1", "https", false, false},
		{"10.0.0.1", "https", false, true},
		{"10.0.0.1", "HTTPS , http", false, true},
		{"10.0.0.1", "http, https", false, false},
		{"10.0.0.1", "", false, false},
	} {
		r := from("X-Forwarded-Proto: " + c.proto)
		if r.RemoteAddr = c.peer + ":1"; c.tls {
			r.TLS = &tls.ConnectionState{}
		}
		if got := cookies(t).Secure(r); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestTake(t *testing.T) {
	flag := jsontext.Value("true")
	for _, c := range []struct {
		name, cookie, action string
		asked                bool
		token                string
		err                  *kerror.Def
		want                 string
		mode                 bool
	}{
		{"none", "", "document:get", false, "", nil, "", false},
		{"others", "a=b; xauthToken=t; authTokenx=t; AUTHTOKEN=t", "document:get", false, "", nil, "", false},
		{"a token", "a=b;\tauthToken=kauth-t.e_-", "document:get", false, "", nil, "kauth-t.e_-", false},
		{"null", "authToken=null", "document:get", false, "jwt", nil, "jwt", false},
		{"empty", "authToken=", "document:get", false, "jwt", nil, "jwt", false},
		{"and a token", "authToken=t", "document:get", false, "jwt", kerror.SecurityTokenVerificationError, "jwt", false},
		{"and a token at login", "authToken=t", "auth:login", false, "jwt", kerror.SecurityTokenVerificationError, "jwt", false},
		{"without a value", "authToken", "document:get", false, "", kerror.SecurityCookieInvalid, "", false},
		{"quoted", `authToken="t"`, "document:get", false, "", kerror.SecurityCookieInvalid, "", false},
		{"no token", "authToken=a b", "document:get", false, "", kerror.SecurityCookieInvalid, "", false},
		{"two", "authToken=t; authToken=t", "document:get", false, "", kerror.SecurityCookieInvalid, "", false},
		{"one after null", "authToken=null; authToken=t", "document:get", false, "", nil, "t", false},
		{"login replaces it", "authToken", "auth:login", false, "", nil, "", true},
		{"logout removes it", "authToken=a b", "auth:logout", false, "", nil, "", true},
		{"but is not refreshed", "authToken", "auth:refreshToken", true, "", kerror.SecurityCookieInvalid, "", true},
		{"nor checked", "authToken", "auth:checkToken", true, "", kerror.SecurityCookieInvalid, "", true},
		{"login", "authToken=t", "auth:login", false, "", nil, "t", true},
		{"logout", "authToken=t", "auth:logout", false, "", nil, "t", true},
		{"refresh", "authToken=t", "auth:refreshToken", false, "", nil, "t", true},
		{"check", "authToken=t", "auth:checkToken", false, "", nil, "t", false},
		{"first login", "", "auth:login", true, "", nil, "", true},
		{"first login with a token", "", "auth:login", true, "jwt", kerror.APIAssertForbiddenArgument, "jwt", true},
		{"an argument of others", "", "other:login", true, "jwt", nil, "jwt", true},
		{"credentials of a plugin", "authToken=t", "own:get", false, "jwt", nil, "jwt", false},
	} {
		controller, action, _ := strings.Cut(c.action, ":")
		req := &protocol.Request{Controller: controller, Action: action, Token: c.token}
		if c.asked {
			req.Args.Set("cookieAuth", flag)
		}
		jar := cookies(t)
		err := jar.Take(jar.Read(from("Cookie: "+c.cookie)), req)
		if c.err == nil && err != nil || c.err != nil && !errors.Is(err, c.err) || req.Token != c.want || req.Args.Has("cookieAuth") != c.mode {
			t.Errorf("%s: %v, token %q, %v", c.name, err, req.Token, req.Args.All())
		}
	}
}

func TestCookiesThatAreOff(t *testing.T) {
	var off Cookies
	for _, c := range []struct {
		name, cookie, action, args string
		err                        *kerror.Def
	}{
		{"a token", "authToken=t", "document:get", "{}", kerror.SecurityCookieUnsupported},
		{"null", "authToken=null", "document:get", "{}", nil},
		{"asked for", "", "auth:login", `{"cookieAuth":true}`, kerror.SecurityCookieUnsupported},
		{"not asked for", "", "auth:login", `{"cookieAuth":false}`, nil},
		{"asked about", "", "auth:checkToken", `{"cookieAuth":true}`, kerror.SecurityCookieUnsupported},
	} {
		controller, action, _ := strings.Cut(c.action, ":")
		args, err := protocol.ParseArgs(jsontext.Value(c.args), "")
		if err != nil {
			t.Fatal(err)
		}
		req := &protocol.Request{Controller: controller, Action: action, Args: args}
		k := off.Read(from("Origin: https://evil.example", "Cookie: "+c.cookie))
		if err := off.Take(k, req); c.err == nil && err != nil || c.err != nil && !errors.Is(err, c.err) || req.Token != "" {
			t.Errorf("%s: %v, token %q", c.name, err, req.Token)
		}
	}
}

// FuzzCookie: what is taken for a token is one, stands there under its name, and is what other servers would read.
func FuzzCookie(f *testing.F) {
	for _, line := range []string{"", "authToken", "a=b; authToken=t.x-_", "authToken=t;authToken=u", `authToken="t"`, "authToken=null", "=authToken;; authToken = t ="} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		token, sent := tokenIn([]string{line})
		if token != "" && (!sent || !strings.Contains(line, token) || strings.IndexFunc(token, foreignToTokens) >= 0) {
			t.Fatalf("%q, %v", token, sent)
		}
		var others []string
		parsed, err := http.ParseCookie(line)
		for _, c := range parsed {
			if c.Name == protocol.TokenCookie && !c.Quoted && c.Value != "" && c.Value != "null" {
				others = append(others, c.Value)
			}
		}
		if err == nil && token != "" && (len(others) != 1 || strings.TrimSpace(others[0]) != token) {
			t.Fatalf("%q, others read %q", token, others)
		}
	})
}
