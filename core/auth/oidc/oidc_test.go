package oidc

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/storage/embedded"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func open(t testing.TB, o Options) *Strategy {
	t.Helper()
	e, err := embedded.Open(t.Context(), embedded.Options{Dir: "data", FS: vfs.NewMem(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	o.Name, o.ClientID, o.Engine = "op", "me", e
	if o.Issuer == "" {
		o.Issuer = "https://127.0.0.1:1"
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// clock is a time that the test sets.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func newTestLogins(t testing.TB) (*logins, *clock) {
	t.Helper()
	l, err := newLogins(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	l.now = c.now
	return l, c
}

func begun(t testing.TB, l *logins, client string) pending {
	t.Helper()
	p, err := l.begin(client)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLoginsAreFinishedOnceInTimeByTheirClient(t *testing.T) {
	l, c := newTestLogins(t)
	p := begun(t, l, "ann")
	if _, err := l.take(p.state, "bob", home); !errors.Is(err, notBegun) {
		t.Error("another client:", err)
	}
	got, err := l.take(p.state, "ann", home)
	if err != nil || got != p {
		t.Errorf("%+v, %v; want %+v", got, err, p)
	}
	if _, err := l.take(p.state, "ann", home); !errors.Is(err, notBegun) {
		t.Error("twice:", err)
	}
	late := begun(t, l, "ann")
	c.Time = c.Add(time.Minute)
	if _, err := l.take(late.state, "ann", home); !errors.Is(err, notBegun) {
		t.Error("late:", err)
	}
	other, _ := newTestLogins(t)
	if _, err := other.take(begun(t, l, "ann").state, "ann", home); !errors.Is(err, notBegun) {
		t.Error("of another provider or start:", err)
	}
}

// home is a client network.
const home = "192.0.2.1"

// What one network finishes takes no room from the others, and what comes to nothing takes none.
func TestFinishedLoginsOfANetworkAreBounded(t *testing.T) {
	l, c := newTestLogins(t)
	finish := func(network string) (pending, error) { return l.take(begun(t, l, "ann").state, "ann", network) }
	for range maxOfNetwork {
		if _, err := finish(home); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := finish(home); !errors.Is(err, kerror.APIProcessTooManyLoginsRequests) {
		t.Error("one too many:", err)
	}
	for range maxOfNetwork + 1 {
		p, err := finish("192.0.2.2")
		if err != nil {
			t.Fatal("of another network:", err)
		}
		l.drop(p)
	}
	c.Time = c.Add(time.Minute)
	if _, err := finish(home); err != nil || len(l.finished) != 1 || len(l.networks) != 1 || l.networks[home] != 1 {
		t.Errorf("%v, %d are remembered of %v", err, len(l.finished), l.networks)
	}
}

func TestFinishedLoginsAreBounded(t *testing.T) {
	l, c := newTestLogins(t)
	for i := range maxFinished - 1 {
		network := fmt.Sprint(i % 64)
		l.finished[loginID(fmt.Appendf(nil, "%016d", i))] = finished{c.Add(time.Minute), network}
		l.networks[network]++
	}
	if _, err := l.take(begun(t, l, "ann").state, "ann", home); err != nil {
		t.Error("the last:", err)
	}
	if _, err := l.take(begun(t, l, "ann").state, "ann", home); !errors.Is(err, kerror.APIProcessOverloaded) {
		t.Error("one too many:", err)
	}
	c.Time = c.Add(time.Minute)
	if _, err := l.take(begun(t, l, "ann").state, "ann", home); err != nil || len(l.finished) != 1 || len(l.networks) != 1 {
		t.Errorf("%v, %d are remembered of %v", err, len(l.finished), l.networks)
	}
}

func FuzzState(f *testing.F) {
	l, _ := newTestLogins(f)
	right := begun(f, l, "ann").state
	f.Add(right[:74])
	f.Add(right + "A")
	f.Add(strings.Repeat("A", len(right)))
	f.Add(right[:73] + "-_")
	f.Fuzz(func(t *testing.T, state string) {
		if _, err := l.take(state, "ann", home); !errors.Is(err, notBegun) {
			t.Errorf("%q: %v", state, err)
		}
	})
}

// httpLogin is a login over HTTP with these fields in the URL.
func httpLogin(cookie string, fields map[string]string) auth.Login {
	args := protocol.TextArgs()
	for name, value := range fields {
		args.AddText(name, value)
	}
	return auth.Login{Args: args, Request: &protocol.Request{
		Controller: "auth", Action: "login", Connection: &protocol.Connection{Protocol: "http", Header: http.Header{"Cookie": {cookie}}},
	}}
}

func FuzzCallback(f *testing.F) {
	s := open(f, Options{})
	f.Add("sluice-login-op=x", "code", "state", "access_denied", "text", "https://127.0.0.1:1")
	f.Add("", "", "\x00", "\r\n", "\xff", "")
	f.Fuzz(func(t *testing.T, cookie, code, state, failure, description, iss string) {
		l := httpLogin(cookie, map[string]string{"code": code, "state": state, "error": failure, "error_description": description, "iss": iss})
		outcome, err := s.Verify(t.Context(), l)
		if err != nil || outcome.KUID != "" || outcome.Redirect != nil || outcome.Message != string(notBegun) {
			t.Errorf("%+v, %v", outcome, err)
		}
		// The same from the client that began.
		own, err := s.logins.begin("cookie x")
		if err != nil {
			t.Fatal(err)
		}
		l = httpLogin("sluice-login-op=x", map[string]string{"error": "e" + failure, "error_description": description, "state": own.state})
		if outcome, err = s.Verify(t.Context(), l); err != nil || outcome.KUID != "" || len(outcome.Message) > 512 ||
			strings.ContainsFunc(outcome.Message, func(c rune) bool { return c < ' ' || c > '~' }) {
			t.Errorf("%+v, %v", outcome, err)
		}
	})
}

func TestWhereNothingCanBeBound(t *testing.T) {
	s := open(t, Options{})
	for name, req := range map[string]*protocol.Request{
		"no request":     nil,
		"no connection":  {},
		"from a plugin":  {Connection: &protocol.Connection{Protocol: "internal", ID: "x"}},
		"socket, no id":  {Connection: &protocol.Connection{Protocol: "websocket"}},
		"another scheme": {Connection: &protocol.Connection{Protocol: "sse", ID: "x"}},
	} {
		if _, err := s.bind(req); !errors.Is(err, noWayToBind) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.bound(req); !errors.Is(err, noWayToBind) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCookieOverTLS(t *testing.T) {
	s := open(t, Options{RedirectURL: "https://api.example.com/_login/op"})
	req := httpLogin("", nil).Request
	if _, err := s.bind(req); err != nil {
		t.Fatal(err)
	}
	cookie := req.Reply.Header.Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "__Host-sluice-login-op=") || !strings.HasSuffix(cookie, "; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax") {
		t.Error(cookie)
	}
}

// issuer serves a discovery document over TLS, which change may spoil.
func issuer(t *testing.T, change func(document map[string]any)) (address, caFile string, asked *int) {
	t.Helper()
	asked = new(int)
	var server *httptest.Server
	server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		*asked++
		document := map[string]any{
			"issuer": server.URL, "authorization_endpoint": server.URL + "/auth",
			"token_endpoint": server.URL + "/token", "jwks_uri": server.URL + "/keys",
		}
		change(document)
		_ = json.NewEncoder(w).Encode(document)
	}))
	t.Cleanup(server.Close)
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, certificate(server), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL, caFile, asked
}

func TestDiscovery(t *testing.T) {
	for name, c := range map[string]struct {
		change func(map[string]any)
		fails  bool
	}{
		"right":           {func(map[string]any) {}, false},
		"another issuer":  {func(d map[string]any) { d["issuer"] = "https://other.example.com" }, true},
		"token in clear":  {func(d map[string]any) { d["token_endpoint"] = "http://127.0.0.1/token" }, true},
		"no keys":         {func(d map[string]any) { delete(d, "jwks_uri") }, true},
		"keys in clear":   {func(d map[string]any) { d["jwks_uri"] = "http://127.0.0.1/keys" }, true},
		"user in clear":   {func(d map[string]any) { d["userinfo_endpoint"] = "http://127.0.0.1/me" }, true},
		"too large":       {func(d map[string]any) { d["x"] = strings.Repeat("x", maxAnswerBytes) }, true},
		"with a user URL": {func(d map[string]any) { d["userinfo_endpoint"] = "https://127.0.0.1/me" }, false},
	} {
		address, caFile, _ := issuer(t, c.change)
		s := open(t, Options{Issuer: address, CAFile: caFile, Logger: slog.New(slog.DiscardHandler)})
		_, err := s.provider.get(t.Context())
		if (err != nil) != c.fails || err != nil && !errors.Is(err, kerror.CoreFatalServiceUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAProviderWithAnUnknownCertificate(t *testing.T) {
	address, _, asked := issuer(t, func(map[string]any) {})
	s := open(t, Options{Issuer: address, Logger: slog.New(slog.DiscardHandler)})
	if _, err := s.provider.get(t.Context()); !errors.Is(err, kerror.CoreFatalServiceUnavailable) || *asked != 0 {
		t.Errorf("%v, asked %d times", err, *asked)
	}
}

func TestAProviderThatIsDownIsLeftAlone(t *testing.T) {
	down := false
	address, caFile, asked := issuer(t, func(d map[string]any) {
		if down {
			d["issuer"] = ""
		}
	})
	s := open(t, Options{Issuer: address, CAFile: caFile, Logger: slog.New(slog.DiscardHandler)})
	p, c := s.provider, &clock{time.Now()}
	p.now = c.now
	step := func(name string, wait time.Duration, wantAsked int, wantErr bool) {
		t.Helper()
		c.Time = c.Add(wait)
		if _, err := p.get(t.Context()); (err != nil) != wantErr || *asked != wantAsked {
			t.Errorf("%s: %v, asked %d times, want %d", name, err, *asked, wantAsked)
		}
	}
	down = true
	step("down", 0, 1, true)
	step("at once", 0, 1, true)
	step("after the first pause", firstPause, 2, true)
	step("after the same pause", firstPause, 2, true)
	step("after twice the pause", firstPause, 3, true)
	down = false
	step("up", longestPause, 4, false)
	step("known", time.Minute, 4, false)
	down = true
	step("down after an hour, as it was found", rediscoverAfter, 5, false)
	step("left alone", 0, 5, false)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.asking <- struct{}{}
	c.Time = c.Add(rediscoverAfter)
	if _, err := p.get(ctx); !errors.Is(err, context.Canceled) {
		t.Error("whoever waits and goes away:", err)
	}
}

func TestCertificatesThatCannotBeRead(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, empty + ".none"} {
		if _, err := Open(t.Context(), Options{Name: "op", CAFile: file}); err == nil || !strings.Contains(err.Error(), "caFile") {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// administrator is whoever ties users to subjects.
var administrator = &protocol.Request{Controller: "security", Action: "createCredentials"}

func TestCredentials(t *testing.T) {
	s := open(t, Options{})
	ctx := t.Context()
	for text, status := range map[string]int{
		`[]`: 400, `{}`: 400, `{"subject":""}`: 400, `{"subject":5}`: 400, `{"subject":"a","kuid":"b"}`: 400,
		fmt.Sprintf(`{"subject":%q}`, strings.Repeat("x", 256)): 400,
	} {
		_, err := s.Validate(ctx, administrator, "ann", jsontext.Value(text), false)
		var ke *kerror.Error
		if !errors.As(err, &ke) || ke.Status != status {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := s.Create(ctx, administrator, "ann", jsontext.Value(text)); err == nil {
			t.Errorf("%s was created", text)
		}
	}
	one, two := jsontext.Value(`{"subject":"one"}`), jsontext.Value(`{"subject":"two"}`)
	if _, err := s.Update(ctx, administrator, "ann", one); err == nil {
		t.Error("what is not there was updated")
	}
	if _, err := s.Create(ctx, administrator, "ann", one); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(ctx, administrator, "ann", two); err == nil {
		t.Error("a second subject was created")
	}
	if _, err := s.Create(ctx, administrator, "bob", one); !errors.Is(err, errTaken) {
		t.Error(err)
	}
	if _, err := s.Create(ctx, administrator, "bob", two); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(ctx, administrator, "bob", one); !errors.Is(err, errTaken) {
		t.Error(err)
	}
	if got, err := s.Update(ctx, administrator, "ann", one); err != nil || got != (record{s.options.Issuer, "one", "ann"}) {
		t.Error(got, err)
	}
	if kuid, err := s.Holder(ctx, administrator, two); err != nil || kuid != "bob" {
		t.Error(kuid, err)
	}
	if got, err := s.Info(ctx, nil, "bob"); err != nil || got != (record{s.options.Issuer, "two", "bob"}) {
		t.Error(got, err)
	}
	if err := s.Delete(ctx, nil, "ann"); err != nil {
		t.Error(err)
	}
	if exists, err := s.Exists(ctx, nil, "ann"); err != nil || exists {
		t.Error(exists, err)
	}
	if err := s.Delete(ctx, nil, "ann"); err == nil {
		t.Error("deleted twice")
	}
}

// Two providers keep their subjects apart.
func TestSubjectsBelongToIssuers(t *testing.T) {
	s := open(t, Options{})
	other, err := Open(t.Context(), Options{Name: "other", Issuer: s.options.Issuer + "2", ClientID: "me", Engine: s.engine})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	subject := jsontext.Value(`{"subject":"one"}`)
	if _, err := s.Create(t.Context(), administrator, "ann", subject); err != nil {
		t.Fatal(err)
	}
	if exists, err := other.Exists(t.Context(), nil, "ann"); err != nil || exists {
		t.Error(exists, err)
	}
	if _, err := other.Create(t.Context(), administrator, "bob", subject); err != nil {
		t.Error(err)
	}
}

// Credentials whose user was never stored, or died with the node, lead nowhere.
func TestLeftoverCredentials(t *testing.T) {
	s := open(t, Options{})
	if _, err := s.Create(t.Context(), administrator, "ghost", jsontext.Value(`{"subject":"one"}`)); err != nil {
		t.Fatal(err)
	}
	nobody := func(context.Context, string) (bool, error) { return false, nil }
	if kuid, err := s.account(t.Context(), auth.Login{Known: nobody}, identity{subject: "one"}); !errors.Is(err, noAccount) {
		t.Errorf("%q, %v", kuid, err)
	}
	broken := func(context.Context, string) (bool, error) { return false, errors.New("storage is down") }
	if kuid, err := s.account(t.Context(), auth.Login{Known: broken}, identity{subject: "one"}); kuid != "" || err == nil {
		t.Errorf("%q, %v", kuid, err)
	}
}

func TestAllowedWantsAVerifiedAddress(t *testing.T) {
	s := open(t, Options{AllowedDomains: []string{"example.com"}})
	for claims, want := range map[string]bool{
		`{"email":"a@example.com","email_verified":true}`:                true,
		`{"email":"a@Example.COM","email_verified":"true"}`:              true,
		`{"email":"a@example.com","email_verified":false}`:               false,
		`{"email":"a@example.com"}`:                                      false,
		`{"email_verified":true}`:                                        false,
		`{"email":"a@example.com@evil.com","email_verified":true}`:       false,
		`{"email":"a@sub.example.com","email_verified":true}`:            false,
		`{"email":"@example.com","email_verified":true}`:                 false,
		`{"email":["a@example.com"],"email_verified":true}`:              false,
		`{"email":"example.com","email_verified":true}`:                  false,
		`{"email":"a@example.com\u0000.evil.com","email_verified":true}`: false,
	} {
		var all map[string]jsontext.Value
		if err := json.Unmarshal([]byte(claims), &all); err != nil {
			t.Fatal(err)
		}
		if got := s.allowed(all); got != want {
			t.Errorf("%s: %v", claims, got)
		}
	}
}

func certificate(server *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}
