package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
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
	"github.com/sluicehq/sluice/plugins/sdk/sealed"
)

const tokenPath = "/uniapi/GetAuraToken"

func (c connected) ask(token string, headers ...string) nodetest.Answer {
	c.T.Helper()
	return c.HTTP("POST", tokenPath, `{"token":"`+token+`"}`, headers...)
}

// bound gives the Aura IDs that are stored.
func (c connected) bound() []string {
	c.T.Helper()
	var list []string
	for _, b := range stored[binding](c.service, auraIDs) {
		list = append(list, b.AuraID)
	}
	return list
}

func expectCalls(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("calls\n%q\nwant\n%q", got, want)
	}
}

var tokenShape = regexp.MustCompile(`^\{"StatusCode":0,"Severity":1,"StatusMessage":"OK","Content":\{"conversationId":"(conv-\d+)",` +
	`"token":"conversation-token-secret-\d+","expires_in":3600,` +
	`"streamUrl":"wss://directline\.botframework\.com/v3/directline/conversations/conv-\d+-a/stream\?watermark=&t=stream-secret",` +
	`"referenceGrammarId":("4fcf85f0-4838-b45f-8290-6619774f88a8"|null)\}\}$`)

func expectConversation(t *testing.T, a nodetest.Answer) string {
	t.Helper()
	shape := tokenShape.FindStringSubmatch(a.Body)
	if a.Status != 200 || shape == nil || a.Header != nil && a.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s %v", a.Status, a.Body, a.Header)
	}
	return shape[1]
}

// Rows 1 to 3, and row 2 of the login: its token is accepted.
func TestAConversation(t *testing.T) {
	c := connect(t, options{})
	first := expectConversation(t, c.ask(c.token, "x-correlator: my-correlator")) // 2
	expectCalls(t, c.asked(), callsAtAll)
	if got := c.bound(); !slices.Equal(got, []string{"aura-1"}) {
		t.Errorf("stored %q", got)
	}
	claims := c.assertions[0]
	for name, want := range map[string]string{"iss": "gvp", "sub": "4p-unique-ana", "scope": "aura", "purpose": "identify", "acr": "2", "aud": c.URL + "/auth"} {
		if claims[name] != want {
			t.Errorf("%s: %v", name, claims[name])
		}
	}
	if got := fmt.Sprint(claims["authentication_context"]); got != "[map[identifier:unique-ana type:uid]]" {
		t.Errorf("authentication_context %s", got)
	}
	second := expectConversation(t, c.ask(c.token)) // 1 and 3
	expectCalls(t, c.asked(), []string{"GET /aura/token/wss"})
	if first == second {
		t.Error("the same conversation")
	}
	a := c.HTTP("POST", "/uniapi/GetAuraId", `{"token":"`+c.token+`"}`)
	if a.Body != `{"StatusCode":0,"Severity":1,"StatusMessage":"OK","Content":{"auraId":"aura-1"}}` {
		t.Errorf("GetAuraId: %s", a.Body)
	}
	other := c.service.token("ana", 25) // another token of the same device
	expectConversation(t, c.ask(other))
	expectCalls(t, c.asked(), []string{"GET /aura/token/wss"})
}

func TestCorrelators(t *testing.T) {
	c := connect(t, options{})
	for given, echoed := range map[string]bool{"my-correlator-1": true, "no good": false, strings.Repeat("x", 65): false} {
		got := c.ask(c.token, "x-correlator: "+given).Header.Get("x-correlator")
		if (got == given) != echoed || got == "" {
			t.Errorf("%q became %q", given, got)
		}
		for _, passedOn := range c.correlatorsSeen() {
			if passedOn != got {
				t.Errorf("%q was passed on as %q", got, passedOn)
			}
		}
	}
}

// Where the token may stand.
func TestWaysToGiveTheToken(t *testing.T) {
	c := connect(t, options{})
	other := c.service.token("listed", 25)
	bearer := "Authorization: Bearer "
	for _, x := range []struct {
		name, method, path, body string
		headers                  []string
		outcome                  outcome
	}{
		{"query", "GET", tokenPath + "?token=" + c.token, "", nil, okay},
		{"header", "GET", tokenPath, "", []string{bearer + c.token}, okay},
		{"header of a POST", "POST", tokenPath, "", []string{bearer + c.token}, okay},
		{"everywhere", "POST", tokenPath + "?token=" + c.token, `{"token":"` + c.token + `"}`, []string{bearer + c.token}, okay},
		{"twice in the query", "GET", tokenPath + "?token=" + c.token + "&token=" + c.token, "", nil, okay},
		{"different in the query", "GET", tokenPath + "?token=" + c.token + "&token=" + other, "", nil, invalidParameter},
		{"different in the header", "POST", tokenPath, `{"token":"` + c.token + `"}`, []string{bearer + other}, invalidParameter},
		{"a token of the node beside it", "POST", tokenPath, `{"token":"` + c.token + `"}`, []string{c.root}, okay},
	} {
		t.Run(x.name, func(t *testing.T) {
			a := c.HTTP(x.method, x.path, x.body, x.headers...)
			switch {
			case x.outcome != okay:
				failed(t, a, 200, x.outcome, "token")
			default:
				expectConversation(t, a)
			}
		})
	}
	failed(t, c.HTTP("DELETE", tokenPath, ""), 405, invalidParameter, "method")
}

// HEAD opens no conversation.
func TestHead(t *testing.T) {
	c := connect(t, options{})
	if a := c.HTTP("HEAD", tokenPath+"?token="+c.token, ""); a.Status != 204 || a.Body != "" || a.Header.Get("Allow") != "GET, POST, HEAD, OPTIONS" {
		t.Errorf("%d %s %v", a.Status, a.Body, a.Header)
	}
	if got := c.bound(); len(got) != 0 {
		t.Errorf("stored %q", got)
	}
}

// Neither a login nor other parameters help a page that the operator has not let in; the text says what does.
func TestOriginsThatAreNotLetIn(t *testing.T) {
	s := start(t, options{configure: func(c *config.Config) { c.HTTP.AccessControlAllowOrigin = []string{"https://ok.example"} }})
	a := s.HTTP("POST", tokenPath, `{"token":"AU_x"}`, "Origin: http://x")
	if a.Status != 403 || a.Get("StatusCode") != 1.0 || a.Get("Severity") != 3.0 || !strings.Contains(fmt.Sprint(a.Get("StatusMessage")), "http.accessControlAllowOrigin") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	failed(t, s.HTTP("POST", tokenPath, `{"token":"AU_x"}`, "Origin: https://ok.example"), 200, authRequired, "")
}

// Rows 4 to 9, and all other reasons for which a token is not good: one answer for all of them, and no call to anybody.
func TestWhichTokensAreRefused(t *testing.T) {
	c := connect(t, options{})
	suspendedLater, demoted, moved := c.service.token("listed", 25), c.service.token("new", 25), c.service.token("anywhere", 30)
	short := c.service.token("short", 27)
	id := c.user("listed", 25).ID
	c.admin("setUserStatus", `{"userId":"`+id+`","status":3}`)
	c.admin("setUserStatus", `{"userId":"`+c.user("new", 25).ID+`","status":3}`)
	c.admin("setUserStatus", `{"userId":"`+c.user("new", 25).ID+`","status":1}`)
	c.admin("setDeviceEnabled", `{"deviceId":"anywhere-1","enabled":false}`)
	foreign, err := sealed.Parse("1:" + randomHex(32))
	if err != nil {
		t.Fatal(err)
	}
	forged, err := seal(foreign, claims{ID: "x", UserID: id, ExpiresAt: 1 << 50})
	if err != nil {
		t.Fatal(err)
	}
	quoted := func(token string) string { return `{"token":"` + token + `"}` }
	bodies := map[string]string{
		"4 none": `{}`, "4 nothing": ``, "5 empty": quoted(""), "5 a number": `{"token":123}`, "5 null": `{"token":null}`, "a list": `{"token":[1]}`,
		"6 anonymous": quoted("AN_" + strings.TrimPrefix(c.token, "AU_")), "9 suspended": quoted(suspendedLater),
		"suspended and back again": quoted(demoted), "device disabled": quoted(moved), "forged": quoted(forged),
		"short": quoted("AU_x"), "long": quoted("AU_" + strings.Repeat("A", 4000)), "no prefix": quoted(strings.TrimPrefix(c.token, "AU_")),
		"longer": quoted(c.token + "A"), "padded": quoted(c.token + "="), "blank": quoted(c.token + " "),
	}
	for i := 3; i < len(c.token); i += 7 { // 7: a character changed, everywhere
		changed := []byte(c.token)
		if changed[i]++; changed[i] == '{' || changed[i] == '[' || changed[i] == ':' || changed[i] == '`' || changed[i] == '.' {
			changed[i] = 'A'
		}
		bodies[fmt.Sprintf("7 changed at %d", i)] = quoted(string(changed))
	}
	c.asked()
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) { failed(t, c.HTTP("POST", tokenPath, body), 200, authRequired, "") })
	}
	eventually(t, "expired", func() bool { return c.ask(short).Get("StatusCode") == 30.0 }) // 8, and 17 of the login
	c.asked()
	failed(t, c.ask(short), 200, authRequired, "")
	if calls := c.asked(); len(calls) != 0 {
		t.Errorf("calls %q", calls)
	}
	expectConversation(t, c.ask(c.token))
	c.admin("setDeviceEnabled", `{"deviceId":"anywhere-1","enabled":true}`)
	if a := c.ask(moved); a.Get("StatusCode") == 30.0 { // a device is not a user: what was off may be on again
		t.Error(a.Body)
	}
}

// Replayed tokens are refused once they are revoked, however many come at the same time.
func TestReplaysAfterRevocation(t *testing.T) {
	c := connect(t, options{})
	expectConversation(t, c.ask(c.token))
	var revoked atomic.Bool
	var wait sync.WaitGroup
	var good atomic.Int32
	for range 8 {
		wait.Go(func() {
			for range 20 {
				after := revoked.Load()
				switch code := c.ask(c.token).Get("StatusCode"); {
				case code == 0.0 && after:
					t.Error("accepted after revocation")
				case code == 0.0:
					good.Add(1)
				case code != 30.0:
					t.Errorf("StatusCode %v", code)
				}
			}
		})
	}
	for good.Load() < 10 {
		time.Sleep(time.Millisecond)
	}
	c.admin("setUserStatus", `{"userId":"`+c.user("ana", 25).ID+`","status":3}`)
	revoked.Store(true)
	wait.Wait()
	c.admin("setUserStatus", `{"userId":"`+c.user("ana", 25).ID+`","status":1}`)
	failed(t, c.ask(c.token), 200, authRequired, "")
	if a := c.ask(c.service.token("ana", 25)); a.Get("StatusCode") == 30.0 {
		t.Errorf("a fresh token: %s", a.Body)
	}
}

// Rows 11, 12 and 14, and what else can go wrong outside.
func TestFailuresOutside(t *testing.T) {
	for _, code := range []int{320, 318} {
		c := connect(t, options{settings: map[string]any{"auraEndpointErrorCode": code}})
		aura := fourthPlatform
		if code == 318 {
			aura = auraEndpoint
		}
		const profile, wss, id = "GET /api/userprofile/v3/users/unique-ana", "GET /aura/token/wss", "GET /kernel/aura-services/v1/users/aura-id"
		for _, x := range []struct {
			name, call string
			reply      reply
			outcome    outcome
		}{
			{"invalid_client", "POST /auth/token client_credentials", reply{status: 401, body: `{"error":"invalid_client"}`}, fourthPlatform},
			{"a token answer that is none", "POST /auth/token client_credentials", reply{status: 200, body: `<html>`}, fourthPlatform},
			{"11 invalid_grant", "POST /auth/token " + grantBearer, reply{status: 400, body: `{"error":"invalid_grant"}`}, fourthPlatform},
			{"12 no such user", profile, reply{status: 404, body: `{}`}, userNotFoundIn4P},
			{"12 an empty list", profile, reply{status: 200, body: ` []`}, userNotFoundIn4P},
			{"a profile without id", profile, reply{status: 200, body: `{"id":7}`}, fourthPlatform},
			{"too many", profile, reply{status: 429, body: `{}`}, fourthPlatform},
			{"profiles fail", profile, reply{status: 503, body: `{}`}, fourthPlatform},
			{"a redirect", profile, reply{status: 302, body: `{}`}, fourthPlatform},
			{"no Aura ID", id, reply{status: 200, body: `{}`}, aura},
			{"Aura IDs fail", id, reply{status: 500, body: `{}`}, aura},
			{"14 conversations fail", wss, reply{status: 500, body: `{}`}, aura},
			{"conversations are forbidden", wss, reply{status: 403, body: `{}`}, aura},
			{"a conversation without a stream", wss, reply{status: 200, body: `{"conversationId":"a","token":"b","expires_in":1}`}, aura},
			{"an endless answer", wss, reply{status: 200, body: strings.Repeat(" ", 1<<20) + `{}`}, aura},
		} {
			t.Run(fmt.Sprint(code, x.name), func(t *testing.T) {
				c.instead(x.call, x.reply)
				failed(t, c.ask(c.token), 200, x.outcome, "")
				c.instead(x.call, reply{})
			})
		}
		expectConversation(t, c.ask(c.token))
	}
}

// A list of profiles is taken by its first; a service token that was revoked, or ends within a minute, is asked for again.
func TestOtherAnswersOfThePlatform(t *testing.T) {
	c := connect(t, options{})
	c.instead(callsFor4P[0], reply{status: 200, body: `[{"id":"4p-unique-ana"},{"id":"other"}]`})
	expectConversation(t, c.ask(c.token))
	other := c.service.token("none", 29)
	const grant = "POST /auth/token client_credentials"
	c.instead(grant, reply{status: 200, body: `{"access_token":"` + serviceToken + `","expires_in":60}`})
	c.instead("GET /api/userprofile/v3/users/unique-none", reply{status: 401, body: `{}`})
	c.asked()
	failed(t, c.ask(other), 200, fourthPlatform, "")
	again := []string{"GET /api/userprofile/v3/users/unique-none", grant, "GET /api/userprofile/v3/users/unique-none"}
	expectCalls(t, c.asked(), again)
	c.instead(again[0], reply{})
	for range 2 {
		c.admin("forget", `{"auraId":"`+strings.Join(c.bound(), "")+`"}`)
		expectConversation(t, c.ask(c.token))
		if calls := c.asked(); len(calls) == 0 || calls[0] != grant {
			t.Errorf("calls %q", calls)
		}
	}
}

// Row 10, and a platform that says nothing.
func TestAPlatformThatIsNotThere(t *testing.T) {
	t.Run("refuses connections", func(t *testing.T) {
		c := connect(t, options{})
		c.Close()
		began := time.Now()
		failed(t, c.ask(c.token), 200, fourthPlatform, "")
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("took %s", took)
		}
	})
	t.Run("hangs", func(t *testing.T) {
		c := connect(t, options{settings: map[string]any{"upstream": map[string]any{"timeout": "300ms"}}})
		c.instead("POST /auth/token client_credentials", reply{hang: true})
		failed(t, c.ask(c.token), 200, fourthPlatform, "")
		c.instead("POST /auth/token client_credentials", reply{})
		// The call that hung is shared: whoever comes before it has ended too fails with it.
		eventually(t, "it answers again", func() bool { return c.ask(c.token).Get("StatusCode") == 0.0 })
		c.instead("GET /aura/token/wss", reply{hang: true})
		failed(t, c.ask(c.token), 200, fourthPlatform, "")
	})
	t.Run("breaker", func(t *testing.T) {
		c := connect(t, options{settings: map[string]any{"upstream": map[string]any{"breakerFailures": 2, "breakerDelay": "200ms"}}})
		c.instead("GET /aura/token/wss", reply{status: 500, body: `{}`})
		for range 4 {
			failed(t, c.ask(c.token), 200, fourthPlatform, "")
		}
		if n := len(slices.DeleteFunc(c.asked(), func(s string) bool { return s != "GET /aura/token/wss" })); n != 2 {
			t.Errorf("%d calls went through", n)
		}
		c.instead("GET /aura/token/wss", reply{})
		eventually(t, "closed", func() bool { return c.ask(c.token).Get("StatusCode") == 0.0 })
	})
	t.Run("is not set", func(t *testing.T) {
		s := start(t, options{})
		failed(t, s.HTTP("POST", tokenPath, `{"token":"`+s.token("ana", 25)+`"}`), 200, fourthPlatform, "")
	})
}

// Row 13: a bad key is an outcome of its own, told after a user that is not there, and mended without a restart.
func TestAKeyThatIsNotGood(t *testing.T) {
	c := connect(t, options{})
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"garbage": []byte("garbage"), "elliptic": keyPEM(t, curve), "1024 bits": keyPEM(t, small), "missing": nil,
	} {
		t.Run(name, func(t *testing.T) {
			if content == nil {
				_ = os.Remove(c.keyFile)
			} else {
				writeFile(t, c.keyFile, content)
			}
			eventually(t, "degraded", func() bool { return strings.Contains(c.health(), `"gvp":{"status":"degraded"`) })
			failed(t, c.ask(c.token), 200, bearerGeneration, "")
			c.instead(callsFor4P[0], reply{status: 404, body: `{}`})
			failed(t, c.ask(c.token), 200, userNotFoundIn4P, "")
			c.instead(callsFor4P[0], reply{})
			writeFile(t, c.keyFile, keyPEM(t, c.key))
			eventually(t, "healthy", func() bool { return !strings.Contains(c.health(), "degraded") })
		})
	}
	expectConversation(t, c.ask(c.token))
}

// Row 15: an Aura ID that is dead is replaced once; one that is erased is cleared.
func TestDeadAndErasedAuraIDs(t *testing.T) {
	c := connect(t, options{})
	expectConversation(t, c.ask(c.token))
	a := c.admin("forget", `{"auraId":"aura-1","phoneHmac":"00"}`)
	if a.Get("result.cleared") != 1.0 || len(c.bound()) != 0 {
		t.Errorf("%s, still stored: %q", a.Body, c.bound())
	}
	if again := c.admin("forget", `{"auraId":"aura-1","phoneHmac":"00"}`); again.Get("result.cleared") != 0.0 {
		t.Error(again.Body)
	}
	c.admin("forget", `{"auraId":"nobody's"}`)
	expectConversation(t, c.ask(c.token))
	if got := c.bound(); !slices.Equal(got, []string{"aura-2"}) {
		t.Errorf("stored %q", got)
	}
	for _, row := range stored[auditRow](c.service, audit) {
		if strings.Contains(fmt.Sprintf("%+v", row), "aura-1") {
			t.Errorf("audit %+v", row)
		}
	}
	for _, o := range stored[owners](c.service, auraOwners) {
		if strings.Contains(fmt.Sprintf("%+v", o), "aura-1") {
			t.Errorf("owners %+v", o)
		}
	}
}

func TestValidation(t *testing.T) {
	c := connect(t, options{outside: func(url string) map[string]any {
		return map[string]any{"auraId": map[string]any{"url": url + "/kernel", "validate": true}}
	}})
	expectConversation(t, c.ask(c.token))
	c.asked()
	expectConversation(t, c.ask(c.token))
	expectCalls(t, c.asked(), []string{"GET /aura/users/aura-1", "GET /aura/token/wss"})
	c.kill("aura-1")
	expectConversation(t, c.ask(c.token))
	expectCalls(t, c.asked(), slices.Concat([]string{"GET /aura/users/aura-1"}, callsFor4P, []string{"GET /aura/token/wss"}))
	if got := c.bound(); !slices.Equal(got, []string{"aura-2"}) {
		t.Errorf("stored %q", got)
	}
	c.instead("GET /aura/users/aura-2", reply{status: 500, body: `{}`})
	failed(t, c.ask(c.token), 200, fourthPlatform, "")
	if len(c.bound()) != 1 {
		t.Error("cleared without a reason")
	}
}

func TestOtherWaysToAura(t *testing.T) {
	t.Run("Direct Line itself", func(t *testing.T) {
		c := connect(t, options{outside: func(url string) map[string]any {
			return map[string]any{"auraToken": map[string]any{"mode": "directline", "url": url + "/line"}}
		}})
		a := c.ask(c.token)
		expectConversation(t, a)
		if !strings.HasSuffix(a.Body, `"referenceGrammarId":null}}`) {
			t.Errorf("%s", a.Body)
		}
	})
	t.Run("an API key for the Aura ID", func(t *testing.T) {
		c := connect(t, options{outside: func(url string) map[string]any {
			return map[string]any{"auraId": map[string]any{"auth": "apikey", "channelId": "c-1", "url": url + "/kernel"}}
		}})
		expectConversation(t, c.ask(c.token))
	})
	t.Run("no key for the device type", func(t *testing.T) {
		c := connect(t, options{})
		c.admin("registerTrustedDevice", `{"userId":"`+c.user("ana", 25).ID+`","deviceType":2,"deviceId":"ana-2"}`)
		a := c.login(strings.Replace(body("ana", 25, password), `:1,"inst`, `:2,"inst`, 1), fromES)
		failed(t, c.ask(a.Get("Content.Token").(string)), 200, fourthPlatform, "")
	})
}

// Requests of one device that come together ask the platform once.
func TestOneFlightADevice(t *testing.T) {
	c := connect(t, options{})
	var wait sync.WaitGroup
	for range 30 {
		wait.Go(func() { expectSuccess(t, c.ask(c.token)) })
	}
	wait.Wait()
	if n := len(c.assertions); n != 1 {
		t.Errorf("%d assertions", n)
	}
	if got := c.bound(); !slices.Equal(got, []string{"aura-1"}) {
		t.Errorf("stored %q", got)
	}
	calls := c.asked()
	slices.Sort(calls)
	if n := len(calls); n != 30+4 {
		t.Errorf("%d calls", n)
	}
}

func expectSuccess(t *testing.T, a nodetest.Answer) {
	t.Helper()
	if !tokenShape.MatchString(a.Body) {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

// An erasure that comes while an Aura ID is on its way wins: nothing of it stays.
func TestForgettingWhileBinding(t *testing.T) {
	var armed atomic.Bool
	var c connected
	o := options{fail: func(op string, where storage.Collection, _ string) error {
		// The owners are written, the binding is not.
		if op == "Write" && where.Name == auraIDs && armed.CompareAndSwap(true, false) {
			c.admin("forget", `{"auraId":"aura-1"}`)
		}
		return nil
	}}
	c = connect(t, o)
	armed.Store(true)
	expectConversation(t, c.ask(c.token))
	if got := c.bound(); len(got) != 0 || armed.Load() {
		t.Errorf("stored %q", got)
	}
	expectConversation(t, c.ask(c.token))
	if got := c.bound(); !slices.Equal(got, []string{"aura-2"}) {
		t.Errorf("stored %q", got)
	}
}

func TestCallsPerMinute(t *testing.T) {
	c := connect(t, options{settings: map[string]any{"callsPerMinute": 2}})
	expectConversation(t, c.ask(c.token))
	expectConversation(t, c.ask(c.token))
	failed(t, c.ask(c.token), 200, tooManyRequests, "")
	failed(t, c.ask(c.service.token("ana", 25)), 200, tooManyRequests, "") // a fresh token changes nothing
	expectConversation(t, c.ask(c.service.token("listed", 25)))
}

// Row 16.
func TestABodyThatIsNoJSON(t *testing.T) {
	s := start(t, options{})
	failed(t, s.HTTP("POST", tokenPath, `{"token"`), 400, invalidParameter, "body")
	failed(t, s.HTTP("POST", tokenPath, `{"token":"a","token":"b"}`), 400, invalidParameter, "body")
}

// Row 17.
func TestConversationsInEnvelopes(t *testing.T) {
	c := connect(t, options{})
	ws := c.WebSocket()
	for way, call := range map[string]func(string) nodetest.Answer{"WebSocket": ws.Call, "query": c.Query} {
		t.Run(way, func(t *testing.T) {
			for place, where := range map[string]string{"body": `"body":{"token":"%s"}`, "argument": `"token":"%s"`} {
				envelope := func(token string) string {
					return `{"requestId":"r","controller":"gvp-uniapi/aura","action":"GetAuraToken",` + fmt.Sprintf(where, token) + `}`
				}
				a := call(envelope(c.token))
				_, result, _ := strings.Cut(a.Body, `"result":`)
				end := strings.Index(result, `}}`)
				if a.Get("status") != 200.0 || a.Get("error") != nil || end < 0 || !tokenShape.MatchString(result[:end+2]) {
					t.Errorf("%s: %s", place, a.Body)
				}
				if a := call(envelope("AU_x")); a.Get("status") != 200.0 || !strings.Contains(a.Body, `"result":{"StatusCode":30,"Severity":2,"StatusMessage":"AuthenticationRequired","Content":null}`) {
					t.Errorf("%s: %s", place, a.Body)
				}
			}
		})
	}
}

// Row 17 once more: the result of an envelope is, byte for byte, the body of the route.
func TestEnvelopesAndRoutesAnswerTheSame(t *testing.T) {
	c := connect(t, options{})
	c.instead("GET /aura/token/wss", reply{status: 200, body: `{"conversationId":"c","token":"t&<>é","expires_in":1,"streamUrl":"wss://x/?a=&t=b"}`})
	ws := c.WebSocket()
	for _, x := range []struct{ name, method, body string }{
		{"a conversation", "GetAuraToken", `{"token":"` + c.token + `"}`},
		{"an Aura ID", "GetAuraId", `{"token":"` + c.token + `"}`},
		{"no token", "GetAuraToken", `{}`},
		{"a token that is none", "GetAuraToken", `{"token":7}`},
		{"another token", "GetAuraToken", `{"token":"AU_aaaaaaaaaaaaaaaaaaaa"}`},
	} {
		t.Run(x.name, func(t *testing.T) {
			route := c.HTTP("POST", "/uniapi/"+x.method, x.body)
			envelope := `{"requestId":"r","controller":"gvp-uniapi/aura","action":"` + x.method + `","body":` + x.body + `}`
			for way, a := range map[string]nodetest.Answer{"WebSocket": ws.Call(envelope), "query": c.Query(envelope)} {
				if a.Get("status") != 200.0 || route.Status != 200 || !strings.Contains(a.Body, `"result":`+route.Body) {
					t.Errorf("%s: %s\nroute: %d %s", way, a.Body, route.Status, route.Body)
				}
			}
		})
	}
}

func TestMappedStatusesOfAura(t *testing.T) {
	mapped := map[string]any{"uniapi": map[string]any{"httpStatus": "mapped"}}
	c := connect(t, options{settings: mapped})
	failed(t, c.ask(""), 401, authRequired, "")
	failed(t, c.HTTP("GET", tokenPath+"?token=a&token=b", ""), 400, invalidParameter, "token")
	c.instead(callsFor4P[0], reply{status: 404, body: `{}`})
	failed(t, c.ask(c.token), 404, userNotFoundIn4P, "")
	c.instead(callsFor4P[0], reply{status: 500, body: `{}`})
	failed(t, c.ask(c.token), 503, fourthPlatform, "")
	c.instead(callsFor4P[0], reply{})
	writeFile(t, c.keyFile, []byte("garbage"))
	eventually(t, "degraded", func() bool { return strings.Contains(c.health(), `"gvp":{"status":"degraded"`) })
	failed(t, c.ask(c.token), 500, bearerGeneration, "")
	writeFile(t, c.keyFile, keyPEM(t, c.key))
	eventually(t, "healthy", func() bool { return !strings.Contains(c.health(), "degraded") })
	expectConversation(t, c.ask(c.token))
	mapped["callsPerMinute"] = 1
	c = connect(t, options{settings: mapped})
	expectConversation(t, c.ask(c.token))
	failed(t, c.ask(c.token), 429, tooManyRequests, "")
}

// Row 18 and row 19: with the log at its most talkative, no secret, name or address of a person stands in it, nor in GVP_LogLogin.
func TestNothingSecretIsLogged(t *testing.T) {
	c := connect(t, options{})
	expectConversation(t, c.ask(c.token))
	expectConversation(t, c.HTTP("GET", tokenPath+"?token="+c.token, ""))
	c.login(body("ana", 25, "a-wrong-secret"), fromES)
	c.login(`{"deviceType":1,"instanceId":25,"userName":"a-secret-in-the-wrong-field","password":"x"}`, fromES)
	c.login(`{"password":"a-secret-cut-off`, fromES)
	c.login("userName=ana&password=a-secret-in-a-form&password=b", fromES, "Content-Type: application/x-www-form-urlencoded")
	c.HTTP("GET", loginPath+"?password=a-secret-in-a-query", "")
	c.WebSocket().Call(`{"controller":"gvp-uniapi/aura","action":"GetAuraToken","token":"` + c.token + `"}`)
	for _, call := range []string{callsAtAll[0], callsFor4P[1], callsFor4P[2], "GET /aura/token/wss"} {
		c.admin("forget", `{"auraId":"aura-1"}`)
		c.instead(call, reply{status: 400, body: `{"error":"A-secret-in-an-answer"}`})
		c.ask(c.token)
		c.instead(call, reply{})
	}
	c.admin("createUser", `{"instanceId":25,"userName":"bob@example.org","password":"a-secret-of-bob"}`)
	c.HTTP("POST", "/_query", `{"controller":"gvp-uniapi/admin","action":"createUser","body":{"password":{"x":"a-secret-in-a-bad-body"}}}`, c.root)
	c.Log.Await(t, "fields.code=31")
	log := c.Log.String()
	rows := fmt.Sprintf("%+v", c.rows())
	secrets := []string{
		strings.TrimPrefix(c.token, "AU_"), password, "-secret", "ecret-in", "ana@example", "bob@example", "stream?watermark", clientSecret, "aura-1",
		"client%2Fsecret", wssKey,
	}
	secrets = append(secrets, c.texts...)
	for _, secret := range secrets {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log", secret)
		}
		if strings.Contains(rows, secret) {
			t.Errorf("%q is in GVP_LogLogin", secret)
		}
	}
}
