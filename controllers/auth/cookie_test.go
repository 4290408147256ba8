package auth_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	tokens "github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/protocol"
)

const cookieLogin = `{"controller":"auth","action":"login","strategy":"local","cookieAuth":true,"body":{"username":"joe","password":"right"}`

// cookieOf reads the cookie that an answer sets.
func cookieOf(t *testing.T, a *protocol.Response) *http.Cookie {
	t.Helper()
	c, err := http.ParseSetCookie(a.Header.Get("Set-Cookie"))
	if err != nil {
		t.Fatalf("%v %s: %v", a.Error, a.Result, err)
	}
	if c.Name != "authToken" || c.Path != "/" || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Domain != "" {
		t.Errorf("%+v", c)
	}
	if strings.Contains(string(a.Append(nil, "")), c.Value) {
		t.Errorf("a script can read the token: %s", a.Append(nil, ""))
	}
	return c
}

func TestCookieAuth(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	a := n.ask(t, cookieLogin+`,"expiresIn":"1h"}`, nil)
	first := cookieOf(t, a)
	var answer tokens.Issued
	if err := json.Unmarshal(a.Result, &answer); err != nil || answer.KUID != "u" || answer.TTL != time.Hour.Milliseconds() || answer.Text != "" {
		t.Errorf("%s %v", a.Result, err)
	}
	if ends := time.UnixMilli(answer.ExpiresAt).Sub(first.Expires); ends < 0 || ends >= time.Second { // the cookie knows whole seconds
		t.Errorf("the token ends %s after the cookie", ends)
	}
	n.run(t, []scenario{
		{"check", `{"controller":"auth","action":"checkToken","cookieAuth":true,"jwt":"` + first.Value + `","body":{"token":"x"}}`, 200, "", `{"valid":true,"kuid":"u","expiresAt":1`},
		{"check a bad one", `{"controller":"auth","action":"checkToken","cookieAuth":true,"jwt":"x"}`, 200, "", `{"valid":false,`},
		{"check none", `{"controller":"auth","action":"checkToken","cookieAuth":true}`, 200, "", `{"valid":true,"kuid":"-1","expiresAt":null}`},
		{"wrong password", strings.Replace(cookieLogin, "right", "wrong", 1) + `}`, 401, "plugin.strategy.missing_user", ""},
		{"refresh of nobody", `{"controller":"auth","action":"refreshToken","cookieAuth":true}`, 401, "security.rights.unauthorized", ""},
		{"no flag", `{"controller":"auth","action":"login","strategy":"local","cookieAuth":"yes"}`, 400, "api.assert.invalid_type", ""},
	})

	second := cookieOf(t, n.ask(t, `{"controller":"auth","action":"refreshToken","cookieAuth":true,"jwt":"`+first.Value+`"}`, nil))
	if second.Value == first.Value {
		t.Error("the token was not refreshed")
	}
	if a := n.ask(t, `{"controller":"auth","action":"logout","cookieAuth":true,"jwt":"`+second.Value+`"}`, nil); a.Status != 200 {
		t.Errorf("%d %v", a.Status, a.Error)
	}
	if a := n.ask(t, `{"controller":"auth","action":"getCurrentUser","jwt":"`+second.Value+`"}`, nil); a.Status != 401 {
		t.Errorf("after the logout: %d %s", a.Status, a.Result)
	}
}

func TestLogoutWithACookieOfNobody(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	ended := n.login(t, "joe")
	if a := n.ask(t, `{"controller":"auth","action":"logout","jwt":"`+ended+`"}`, nil); a.Status != 200 {
		t.Fatal(a.Error)
	}
	held := n.login(t, "joe")
	n.run(t, []scenario{
		{"none", `{"controller":"auth","action":"logout","cookieAuth":true,"global":true}`, 200, "", `{"acknowledged":true}`},
		{"ended", `{"controller":"auth","action":"logout","cookieAuth":true,"global":true,"jwt":"` + ended + `"}`, 200, "", `{"acknowledged":true}`},
		{"forged", `{"controller":"auth","action":"logout","cookieAuth":true,"global":true,"jwt":"` + held + `x"}`, 200, "", `{"acknowledged":true}`},
		{"it ended nothing", `{"controller":"auth","action":"getMyRights","jwt":"` + held + `"}`, 200, "", ""},
		{"without a cookie", `{"controller":"auth","action":"logout"}`, 401, "security.rights.unauthorized", ""},
		{"ended, without a cookie", `{"controller":"auth","action":"logout","jwt":"` + ended + `"}`, 401, "security.token.invalid", ""},
		{"no flag", `{"controller":"auth","action":"logout","cookieAuth":"yes","jwt":"` + ended + `"}`, 401, "security.token.invalid", ""},
		{"another action", `{"controller":"auth","action":"refreshToken","cookieAuth":true,"jwt":"` + ended + `"}`, 401, "security.token.invalid", ""},
	})
	n.putRole(t, "anonymous", `{"auth":{"actions":{"*":true}}}`)
	n.run(t, []scenario{
		{"with all rights", `{"controller":"auth","action":"logout"}`, 401, "security.rights.unauthorized", ""},
	})
}

func TestCookiesAreForHTTP(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	for protocolName, checks := range map[string]int{"websocket": 200, "mqtt": 500, "internal": 500} {
		c := &protocol.Connection{ID: protocolName, Protocol: protocolName, ClientIP: "192.0.2.1"}
		token := n.login(t, "joe")
		for action, status := range map[string]int{"login": 500, "refreshToken": 500, "logout": 500, "checkToken": checks} {
			request := strings.Replace(cookieLogin, `"action":"login"`, `"action":"`+action+`","jwt":"`+token+`"`, 1) + `}`
			a := n.ask(t, request, c)
			if a.Status != status || status != 200 && (a.Error == nil || a.Error.ID != "api.assert.unsupported_protocol") || a.Header.Get("Set-Cookie") != "" {
				t.Errorf("%s over %s: %d %v", action, protocolName, a.Status, a.Error)
			}
		}
		if a := n.ask(t, `{"controller":"auth","action":"getCurrentUser","jwt":"`+token+`"}`, nil); a.Status != 200 {
			t.Errorf("a refused logout ended the session: %d", a.Status)
		}
	}
}
