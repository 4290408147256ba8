package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/plugins/sdk/passwords"
	"github.com/sluicehq/sluice/plugins/sdk/sdktest"
)

var loginShape = regexp.MustCompile(`^\{"StatusCode":0,"Severity":1,"StatusMessage":"OK","Content":` +
	`\{"Token":"(AU_[A-Za-z0-9_-]+)","Expiration":(\d{10}),"Hashcode":null,"SessionId":"([0-9a-f]{32})"\}\}$`)

// Row 1, and the row of the log that 19 wants for it.
func TestALogin(t *testing.T) {
	s := start(t, options{})
	var a nodetest.Answer
	began := time.Now()
	row := s.one(func() { a = s.login(body("ana", 25, password), fromES) })
	shape := loginShape.FindStringSubmatch(a.Body)
	if a.Status != 200 || shape == nil {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if late := int64(a.Get("Content.Expiration").(float64)) - began.Unix() - 86400; late < -2 || late > 2 {
		t.Errorf("expires %d s off", late)
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if len(a.Header.Get("x-correlator")) != 36 {
		t.Errorf("correlator %q", a.Header.Get("x-correlator"))
	}
	u := s.user("ana", 25)
	want := loginRow{
		ID: row.ID, At: row.At, Method: "LoginUserPassword", InstanceID: 25, DeviceType: 1, DeviceID: "ana-1", UserID: u.ID,
		UserNameHMAC: row.UserNameHMAC, IP: "2a02:d5c0::1", Country: "ES", Success: true, SessionID: shape[3], DurationMS: row.DurationMS,
	}
	if row != want || len(row.UserNameHMAC) != 32 || row.At < millis(began) || row.DurationMS < 1 {
		t.Errorf("row %+v", row)
	}
	kept := stored[tokenRow](s, tokens)
	if len(kept) != 1 || kept[0].TokenHash != hashToken(shape[1]) || kept[0].DeviceID != "ana-1" || kept[0].Country != "ES" || kept[0].RevokedAt != 0 {
		t.Errorf("tokens %+v", kept)
	}
	for _, d := range stored[device](s, devices) {
		if used := d.LastUsedAt >= millis(began); used != (d.DeviceID == "ana-1") {
			t.Errorf("%s was used at %d", d.DeviceID, d.LastUsedAt)
		}
	}
}

// Rows 3 to 15, each of which leaves a row of the log (19) unless the node refuses it.
func TestWhoMayLogIn(t *testing.T) {
	s := start(t, options{})
	login := func(changes ...string) string {
		b := body("ana", 25, password)
		for i := 0; i < len(changes); i += 2 {
			b = strings.Replace(b, changes[i], changes[i+1], 1)
		}
		return b
	}
	for _, c := range []struct {
		name, body, from string
		outcome          outcome
		detail           string
	}{
		{"3 wrong password", body("ana", 25, "wrong"), fromES, invalidUser, ""},
		{"3 unknown e-mail", body("nobody", 25, password), fromES, invalidUser, ""},
		{"3 known at another instance", body("ana", 26, password), fromES, invalidUser, ""},
		{"4 upper case, blanks", login(`"ana@example.org"`, `"  Ana@EXAMPLE.org "`), fromES, okay, ""},
		{"a password with blanks around is another", login(`Secret 1"`, `Secret 1 "`), fromES, invalidUser, ""},
		{"7 activated from abroad", body("new", 25, password), fromGB, roaming, ""},
		{"5 activated", body("new", 25, password), fromES, okay, ""},
		{"6 not to be activated", body("new", 26, password), fromES, notYetActivated, ""},
		{"8 suspended", body("suspended", 25, password), fromES, userSuspended, ""},
		{"8 suspended, wrong password", body("suspended", 25, "wrong"), fromES, invalidUser, ""},
		{"8 excluded", body("excluded", 25, password), fromES, userExcluded, ""},
		{"8 excluded, wrong password", body("excluded", 25, "wrong"), fromES, invalidUser, ""},
		{"status 0", body("unfinished", 25, password), fromES, invalidUser, ""},
		{"9 from abroad", login(), fromGB, roaming, ""},
		{"9 from abroad, wrong password", body("ana", 25, "wrong"), fromGB, invalidUser, ""},
		{"9 from abroad, on the list", body("listed", 25, password), fromGB, okay, ""},
		{"no geoblocking", body("anywhere", 30, password), fromGB, okay, ""},
		{"10 from nowhere", login(), fromPrivate, roaming, ""},
		{"registered, in no country", login(), fromUnknown, roaming, ""},
		{"12 without a device", body("bare", 25, password), fromES, deviceUnknown, ""},
		{"12 without a device of the type", login(`:1,"inst`, `:2,"inst`), fromES, deviceUnknown, ""},
		{"12 the device is disabled", body("off", 25, password), fromES, deviceDisabled, ""},
		{"12 and is named", strings.Replace(body("off", 25, password), `{`, `{"deviceId":"off-1",`, 1), fromES, deviceDisabled, ""},
		{"named", login(`{`, `{"deviceId":"ana-1",`), fromES, okay, ""},
		{"13 somebody else's", login(`{`, `{"deviceId":"l-1",`), fromES, deviceUnknown, ""},
		{"named, nobody's", login(`{`, `{"deviceId":"nobody's",`), fromES, deviceUnknown, ""},
		{"named, of another type", login(`{`, `{"deviceId":"ana-1",`, `:1,"inst`, `:2,"inst`), fromES, deviceUnknown, ""},
		{"a check if given, not given", body("given", 28, password), fromES, okay, ""},
		{"a check if given, given", strings.Replace(body("given", 28, password), `{`, `{"deviceId":"ana-1",`, 1), fromES, deviceUnknown, ""},
		{"no check of devices", body("none", 29, password), fromES, okay, ""},
		{"14 no password", `{"deviceType":1,"instanceId":25,"userName":"ana@example.org"}`, fromES, invalidParameter, "password"},
		{"an empty password", body("ana", 25, ""), fromES, invalidParameter, "password"},
		{"a long password", body("ana", 25, strings.Repeat("x", maxPasswordChars+1)), fromES, invalidParameter, "password"},
		{"14 a number in quotes", login(`:1,"inst`, `:"1","inst`), fromES, invalidParameter, "deviceType"},
		{"a number with a fraction", login(`:25`, `:25.5`), fromES, invalidParameter, "instanceId"},
		{"no instance", `{"deviceType":1,"userName":"a","password":"b"}`, fromES, invalidParameter, "instanceId"},
		{"a blank name", login(`"ana@example.org"`, `" "`), fromES, invalidParameter, "userName"},
		{"a long name", login(`"ana@`, `"`+strings.Repeat("a", 254)+`@`), fromES, invalidParameter, "userName"},
		{"a name that is none", login(`"ana@example.org"`, `["ana@example.org"]`), fromES, invalidParameter, "userName"},
		{"an empty device", login(`{`, `{"deviceId":"",`), fromES, invalidParameter, "deviceId"},
		{"nothing", `{}`, fromES, invalidParameter, "deviceType"},
		{"unknown members", login(`{`, `{"other":[1],`), fromES, okay, ""},
		{"14 no such instance", body("ana", 999, password), fromES, invalidInstance, ""},
		{"an instance that is closed", body("ana", 31, password), fromES, invalidInstance, ""},
		{"no such device type", login(`:1,"inst`, `:9,"inst`), fromES, invalidDeviceType, ""},
		{"a device type that is closed", login(`:1,"inst`, `:3,"inst`), fromES, invalidDeviceType, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var a nodetest.Answer
			row := s.one(func() { a = s.login(c.body, c.from) })
			if c.outcome == okay {
				succeeded(t, a)
			} else {
				failed(t, a, 200, c.outcome, c.detail)
			}
			if row.Success != (c.outcome == okay) || row.StatusCode != c.outcome.code || (row.SessionID != "") != row.Success {
				t.Errorf("row %+v", row)
			}
			wantCountry := map[string]string{fromES: "ES", fromGB: "GB"}[c.from]
			if row.Country != wantCountry || row.IP != strings.TrimPrefix(c.from, "X-Forwarded-For: ") {
				t.Errorf("from %s in %q", row.IP, row.Country)
			}
		})
	}
	for instance, want := range map[int64]status{25: active, 26: awaitingEmailConfirmation} {
		if got := s.user("new", instance).Status; got != want { // rows 5 to 7
			t.Errorf("instance %d: status %d", instance, got)
		}
	}
	if !slices.ContainsFunc(stored[tokenRow](s, tokens), func(r tokenRow) bool { return r.DeviceID == "dt1-"+s.user("none", 29).ID }) {
		t.Error("no token for a made-up device")
	}
}

// Row 7 once more: a login that fails after the check of the status activates nobody.
func TestActivationNeedsTheRest(t *testing.T) {
	s := start(t, options{})
	failed(t, s.login(body("new", 25, password), fromGB), 200, roaming, "")
	if got := s.user("new", 25).Status; got != awaitingEmailConfirmation {
		t.Errorf("status %d", got)
	}
}

// Bodies that are none are 400; the attempt is in the log all the same.
func TestLoginBodies(t *testing.T) {
	s := start(t, options{})
	form := url.Values{"deviceType": {"1"}, "instanceId": {"25"}, "userName": {"ana@example.org"}, "password": {password}}.Encode()
	const asForm = "Content-Type: application/x-www-form-urlencoded"
	for _, c := range []struct {
		name, body, contentType string
		status                  int
		outcome                 outcome
		detail                  string
	}{
		{"a form", form, asForm, 200, okay, ""},
		{"a form with a charset", form, asForm + "; charset=utf-8", 200, okay, ""},
		{"a form with a number that is none", strings.Replace(form, "=25", "=2x", 1), asForm, 200, invalidParameter, "instanceId"},
		{"a form with a field twice", form + "&password=x", asForm, 400, invalidParameter, "body"},
		{"a form that is none", "%zz", asForm, 400, invalidParameter, "body"},
		{"a form with a field that is no text", form + "&x=%ff", asForm, 400, invalidParameter, "body"},
		{"nothing", "", "", 200, invalidParameter, "deviceType"},
		{"cut off", `{"deviceType":1`, "", 400, invalidParameter, "body"},
		{"an array", `[]`, "", 400, invalidParameter, "body"},
		{"a member twice", `{"password":"a","password":"b"}`, "", 400, invalidParameter, "body"},
		{"NUL", `{"userName":"\u0000"}`, "", 400, invalidParameter, "body"},
		{"too deep", strings.Repeat(`{"a":`, 20) + `1` + strings.Repeat(`}`, 20), "", 400, invalidParameter, "body"},
	} {
		t.Run(c.name, func(t *testing.T) {
			headers := []string{fromES}
			if c.contentType != "" {
				headers = append(headers, c.contentType)
			}
			var a nodetest.Answer
			row := s.one(func() { a = s.login(c.body, headers...) })
			if c.outcome == okay {
				succeeded(t, a)
			} else {
				failed(t, a, c.status, c.outcome, c.detail)
			}
			if row.StatusCode != c.outcome.code {
				t.Errorf("row %+v", row)
			}
		})
	}
}

// Row 15, and what else the node refuses; there is no attempt then.
func TestWhatTheNodeRefuses(t *testing.T) {
	s := start(t, options{})
	for _, c := range []struct {
		name, method, path, body, contentType string
		status                                int
		detail                                string
	}{
		{"15 GET", "GET", loginPath + "?deviceType=1&instanceId=25&userName=ana@example.org&password=x", "", "", 405, "method"},
		{"PUT", "PUT", loginPath, `{}`, "", 405, "method"},
		{"a form, where there is none", "POST", "/uniapi/GetAuraToken", `a=b`, "Content-Type: application/x-www-form-urlencoded", 400, "body"},
		{"too large", "POST", "/uniapi/GetAuraToken", `{"a":"` + strings.Repeat("x", maxBodyBytes) + `"}`, "", 413, "body"},
		{"no such method", "POST", "/uniapi/LoginAnonymous", `{}`, "", 404, "path"},
	} {
		t.Run(c.name, func(t *testing.T) {
			headers := []string{fromES}
			if c.contentType != "" {
				headers = append(headers, c.contentType)
			}
			a := s.HTTP(c.method, c.path, c.body, headers...)
			failed(t, a, c.status, invalidParameter, c.detail)
			if c.status == 405 && a.Header.Get("Allow") != "POST, OPTIONS" {
				t.Errorf("Allow: %q", a.Header.Get("Allow"))
			}
		})
	}
	if rows := s.rows(); len(rows) != 0 {
		t.Errorf("%d rows", len(rows))
	}
}

// Bodies that nobody reads are attempts too.
func TestRefusedBodiesAreLogged(t *testing.T) {
	s := start(t, options{})
	for _, c := range []struct {
		name, body, contentType string
		status                  int
	}{
		{"another type", `{}`, "text/plain", 400},
		{"another charset", `{}`, "application/json; charset=latin1", 400},
		{"no type", `{}`, "a/b/c", 400},
		{"too large", `{"a":"` + strings.Repeat("x", maxBodyBytes) + `"}`, "application/json", 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			row := s.one(func() {
				failed(t, s.login(c.body, fromES, "Content-Type: "+c.contentType), c.status, invalidParameter, "body")
			})
			if row.Success || row.StatusCode != invalidParameter.code || row.Country != "ES" {
				t.Errorf("row %+v", row)
			}
		})
	}
	succeeded(t, s.login(body("ana", 25, password), fromES, "Content-Type: application/json;charset=UTF-8"))
}

// Row 10 with an override, and row 11: who is not trusted says nothing about where he is.
func TestWhereSomebodyIs(t *testing.T) {
	overrides := func(country string) map[string]any {
		return map[string]any{"geo": map[string]any{"overrides": map[string]string{"10.0.0.0/8": country, "127.0.0.0/8": "GB"}}}
	}
	t.Run("an override", func(t *testing.T) {
		s := start(t, options{settings: overrides("ES")})
		succeeded(t, s.login(body("ana", 25, password), fromPrivate))
		failed(t, s.login(body("ana", 25, password), fromES), 500, internalError, "") // there is no database
		succeeded(t, s.login(body("listed", 25, password), fromES))
	})
	t.Run("a peer that is not trusted", func(t *testing.T) {
		s := start(t, options{settings: overrides("ES"), configure: func(c *config.Config) {
			c.Server.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		}})
		failed(t, s.login(body("ana", 25, password), fromES), 200, roaming, "")
		if row := s.rows()[0]; row.IP != "127.0.0.1" || row.Country != "GB" {
			t.Errorf("row %+v", row)
		}
	})
}

// Row 16: without its database the plugin refuses, says so, and goes on when it is back.
func TestTheDatabaseOfCountries(t *testing.T) {
	s := start(t, options{})
	good, err := os.ReadFile(s.database)
	if err != nil {
		t.Fatal(err)
	}
	succeeded(t, s.login(body("ana", 25, password), fromES))
	for _, damage := range []func(){
		func() { _ = os.Remove(s.database) },
		func() { writeFile(t, s.database, []byte("no database")) },
		func() { writeFile(t, s.database, good[:len(good)/2]) },
	} {
		damage()
		eventually(t, "refused", func() bool { return s.login(body("ana", 25, password), fromES).Get("StatusCode") == 1.0 })
		row := s.one(func() { failed(t, s.login(body("ana", 25, password), fromES), 500, internalError, "") })
		if row.StatusCode != 1 || row.Country != "" {
			t.Errorf("row %+v", row)
		}
		eventually(t, "degraded", func() bool { return strings.Contains(s.health(), `"gvp":{"status":"degraded"`) })
		succeeded(t, s.login(body("anywhere", 30, password), fromES)) // it does not matter there
		writeFile(t, s.database, good)
		eventually(t, "accepted", func() bool { return s.login(body("ana", 25, password), fromES).Get("StatusCode") == 0.0 })
		eventually(t, "healthy", func() bool { return !strings.Contains(s.health(), "degraded") })
	}
}

// A database that is missing from the start does not keep the plugin out.
func TestADatabaseThatNeverWas(t *testing.T) {
	s := start(t, options{settings: map[string]any{"geo": map[string]any{"database": t.TempDir() + "/later.mmdb"}}})
	eventually(t, "degraded", func() bool { return strings.Contains(s.health(), `"gvp":{"status":"degraded"`) })
	failed(t, s.login(body("ana", 25, password), fromES), 500, internalError, "")
	succeeded(t, s.login(body("listed", 25, password), fromES))
}

func (s *service) health() string {
	s.T.Helper()
	return s.HTTP("GET", "/_healthCheck", "", s.root).Body
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not %s in time", what)
		}
	}
}

// Row 18.
func TestTooManyWrongPasswords(t *testing.T) {
	for name, account := range map[string]string{"known": "ana", "unknown": "nobody"} {
		t.Run(name, func(t *testing.T) {
			s := start(t, options{settings: map[string]any{"login": map[string]any{"throttle": map[string]any{"firstBlock": "3s"}}}})
			for range 5 {
				failed(t, s.login(body(account, 25, "wrong"), fromES), 200, invalidUser, "")
			}
			blocked := time.Now()
			for range 3 {
				failed(t, s.login(body(account, 25, "wrong"), fromES), 200, tooManyRequests, "")
			}
			for time.Since(blocked) < 700*time.Millisecond {
				failed(t, s.login(body(account, 25, password), fromES), 200, tooManyRequests, "")
				time.Sleep(50 * time.Millisecond)
			}
			if account == "ana" {
				eventually(t, "let in", func() bool { return s.login(body(account, 25, password), fromES).Get("StatusCode") == 0.0 })
			} else {
				eventually(t, "tried again", func() bool { return s.login(body(account, 25, password), fromES).Get("StatusCode") == 31.0 })
			}
			succeeded(t, s.login(body("listed", 25, password), fromES))
		})
	}
}

// Row 20, and envelopes over HTTP.
func TestLoginInEnvelopes(t *testing.T) {
	s := start(t, options{configure: func(c *config.Config) { c.Server.TrustedProxies = nil }, settings: map[string]any{
		"geo": map[string]any{"overrides": map[string]string{"127.0.0.0/8": "ES"}}, "uniapi": map[string]any{"httpStatus": "mapped"},
	}})
	envelope := func(body string) string {
		return `{"requestId":"r1","controller":"gvp-uniapi/authentication","action":"LoginUserPassword","body":` + body + `}`
	}
	ws := s.WebSocket()
	for way, call := range map[string]func(string) nodetest.Answer{"WebSocket": ws.Call, "query": s.Query} {
		t.Run(way, func(t *testing.T) {
			a := call(envelope(body("ana", 25, password)))
			token, _ := a.Get("result.Content.Token").(string)
			if a.Status != 200 || a.Get("status") != 200.0 || !strings.HasPrefix(token, "AU_") ||
				!strings.Contains(a.Body, `"result":{"StatusCode":0,"Severity":1,"StatusMessage":"OK","Content":{"Token":"AU_`) {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			for body, want := range map[string]string{
				body("ana", 25, "wrong"):             `"result":{"StatusCode":31,"Severity":2,"StatusMessage":"InvalidUserException","Content":null}`,
				`{"userName":"\u0000"}`:              `"result":{"StatusCode":2,"Severity":2,"StatusMessage":"InvalidParameter: body","Content":null}`,
				`{"userName":"a","instanceId":true}`: `"result":{"StatusCode":2,"Severity":2,"StatusMessage":"InvalidParameter: deviceType","Content":null}`,
			} {
				if a := call(envelope(body)); a.Status != 200 || a.Get("status") != 200.0 || a.Get("error") != nil || !strings.Contains(a.Body, want) {
					t.Errorf("%d %s\nwant %s", a.Status, a.Body, want)
				}
			}
		})
	}
}

func TestMappedStatusesAndOtherNumbers(t *testing.T) {
	s := start(t, options{settings: map[string]any{
		"uniapi": map[string]any{"httpStatus": "mapped", "statusCodes": map[string]int{"InvalidUserException": 1031}}, "login": map[string]any{"bare": true},
	}})
	renumbered := invalidUser
	renumbered.code = 1031
	failed(t, s.login(body("ana", 25, "wrong"), fromES), 401, renumbered, "")
	failed(t, s.login(body("ana", 25, password), fromGB), 403, roaming, "")
	failed(t, s.login(body("ana", 999, password), fromES), 400, invalidInstance, "")
	failed(t, s.login(`{}`, fromES), 400, invalidParameter, "deviceType")
	if a := s.login(body("ana", 25, password), fromES); a.Status != 200 || !strings.HasPrefix(a.Body, `{"Token":"AU_`) || a.Get("Hashcode") != nil {
		t.Errorf("bare: %d %s", a.Status, a.Body)
	}
	if row := s.rows()[0]; row.StatusCode != 1031 {
		t.Errorf("row %+v", row)
	}
}

func TestOnItsOwnHostAndListener(t *testing.T) {
	s := start(t, options{configure: func(c *config.Config) {
		c.Plugins.Listen = map[string]string{"gvp": "127.0.0.1:0"}
		c.Plugins.Hosts = map[string][]string{"gvp": {"uniapi.localhost"}}
	}})
	bare := nodetest.Client{T: t, Address: s.SiteAddress("gvp")}
	succeeded(t, bare.HTTP("POST", "/LoginUserPassword", body("ana", 25, password), fromES))
	failed(t, bare.HTTP("POST", "/GetAuraToken", `{}`), 200, authRequired, "")
	failed(t, bare.HTTP("POST", "/_query", `{}`), 404, invalidParameter, "path")
	for host, want := range map[string]int{"uniapi.localhost": http.StatusOK, "other.localhost": http.StatusNotFound} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+s.Client.Address+"/GetAuraId", strings.NewReader(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		r.Header.Set("Content-Type", typeJSON)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if _ = answer.Body.Close(); answer.StatusCode != want {
			t.Errorf("%s: %d", host, answer.StatusCode)
		}
	}
}

// The store fails at each write of a login in turn: no token is given out that is not in the log, and each attempt gets its
// row as soon as that is possible.
func TestStorageFaultsDuringALogin(t *testing.T) {
	var broken atomic.Pointer[string]
	broken.Store(new(string))
	s := start(t, options{fail: func(op string, c storage.Collection, _ string) error {
		if op+" "+c.Name == *broken.Load() {
			return errors.New("the disk is on fire")
		}
		return nil
	}})
	breaks := func(what string) { broken.Store(&what) }
	for _, what := range []string{"Get " + users, "Get " + instances, "MGet " + devices, "Write " + tokens} {
		t.Run(what, func(t *testing.T) {
			row := s.one(func() {
				breaks(what)
				failed(t, s.login(body("ana", 25, password), fromES), 500, internalError, "")
				breaks("")
			})
			if row.Success || row.StatusCode != 1 {
				t.Errorf("row %+v", row)
			}
		})
	}
	for _, c := range []struct {
		name, body string
		outcome    outcome
		status     int
	}{
		{"the row of a success", body("ana", 25, password), internalError, 500},
		{"the row of a failure", body("ana", 25, "wrong"), invalidUser, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, tokensBefore := len(s.rows()), len(stored[tokenRow](s, tokens))
			breaks("Write " + loginLog)
			failed(t, s.login(c.body, fromES), c.status, c.outcome, "")
			if len(s.rows()) != before {
				t.Fatal("the row was written")
			}
			if !strings.Contains(s.HTTP("GET", "/uniapi/metrics", "", s.root).Body, "gvp_log_login_waiting 1") {
				t.Error("no metric")
			}
			breaks("")
			eventually(t, "written", func() bool { return len(s.rows()) == before+1 })
			if row := s.rows()[before]; row.Success || row.StatusCode != c.outcome.code || row.SessionID != "" {
				t.Errorf("row %+v", row)
			}
			if got := len(stored[tokenRow](s, tokens)); got != tokensBefore {
				t.Errorf("%d tokens more", got-tokensBefore)
			}
		})
	}
}

// An operator who excludes a user while he logs in for the first time has the last word, whichever is first.
func TestAnExclusionBeatsActivation(t *testing.T) {
	var armed atomic.Bool
	var s *service
	var id string
	s = start(t, options{fail: func(op string, c storage.Collection, _ string) error {
		if c.Name == users && op == "Write" && armed.CompareAndSwap(true, false) { // the login is about to activate him
			s.admin("setUserStatus", `{"userId":"`+id+`","status":4}`)
		}
		return nil
	}})
	id = s.user("new", 25).ID
	armed.Store(true)
	row := s.one(func() { failed(t, s.login(body("new", 25, password), fromES), 200, userExcluded, "") })
	if got := s.user("new", 25).Status; got != excluded || armed.Load() || row.Success {
		t.Errorf("status %d, row %+v", got, row)
	}
	if n := len(stored[tokenRow](s, tokens)); n != 0 {
		t.Errorf("%d tokens", n)
	}
}

// Twenty logins at once on one account: all succeed, each with a token, a session and a row of its own.
func TestManyLoginsAtOnce(t *testing.T) {
	s := start(t, options{})
	const n = 20
	answers := make([]nodetest.Answer, n)
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() { answers[i] = s.login(body("new", 25, password), fromES) })
	}
	wait.Wait()
	seen := map[string]bool{}
	for _, a := range answers {
		succeeded(t, a)
		seen[fmt.Sprint(a.Get("Content.SessionId"))] = true
	}
	if rows := s.rows(); len(seen) != n || len(rows) != n || len(stored[tokenRow](s, tokens)) != n {
		t.Errorf("%d sessions, %d rows", len(seen), len(rows))
	}
}

// A hundred guesses at once get no further than five.
func TestManyGuessesAtOnce(t *testing.T) {
	s := start(t, options{})
	var wrong, refused atomic.Int32
	var wait sync.WaitGroup
	for range 100 {
		wait.Go(func() {
			switch s.login(body("ana", 25, "wrong"), fromES).Get("StatusCode") {
			case 31.0:
				wrong.Add(1)
			case 38.0:
				refused.Add(1)
			}
		})
	}
	wait.Wait()
	if wrong.Load() != 5 || refused.Load() != 95 || len(s.rows()) != 100 {
		t.Errorf("%d wrong, %d refused, %d rows", wrong.Load(), refused.Load(), len(s.rows()))
	}
}

// Nobody learns whether an account exists: the same answer, the same number of hashes, the same time.
func TestUnknownUsersCostAsMuch(t *testing.T) {
	p := newPlugin()
	s := start(t, inProcess(t, p, options{
		settings: map[string]any{"login": map[string]any{"throttle": map[string]int{"failuresPerMinute": 0, "failuresInARow": 0, "failuresPerHour": 0}}},
	}))
	known, unknown := body("ana", 25, "wrong"), body("nobody", 25, "wrong")
	runs := func(body string) int64 {
		before := p.passwords.Runs()
		failed(t, s.login(body, fromES), 200, invalidUser, "")
		return p.passwords.Runs() - before
	}
	if a, b := runs(known), runs(unknown); a != 1 || b != 1 {
		t.Errorf("%d hashes for a wrong password, %d for an unknown user", a, b)
	}
	sdktest.TakeTheSame(t, func() { s.login(known, fromES) }, func() { s.login(unknown, fromES) })
}

// A hash that was made cheaper than is usual now is made anew at the next login.
func TestWeakHashesAreStrengthened(t *testing.T) {
	p := newPlugin()
	p.passwords = passwords.New(passwords.Cost{MemoryKiB: 64, Iterations: 1, Parallelism: 1})
	s := start(t, inProcess(t, p, options{}))
	weak := s.user("ana", 25).PasswordHash
	p.passwords = passwords.New(passwords.Standard)
	s.token("ana", 25)
	strong := s.user("ana", 25).PasswordHash
	if strong == weak || !strings.HasPrefix(strong, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash %s", strong)
	}
	s.token("ana", 25)
	if again := s.user("ana", 25).PasswordHash; again != strong {
		t.Error("hashed anew without need")
	}
}
