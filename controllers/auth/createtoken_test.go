package auth_test

import (
	"encoding/json"
	"testing"

	tokens "github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/events"
)

func (n *node) createToken(t testing.TB, token, rest string) string {
	t.Helper()
	a := n.ask(t, with(token, "createToken", rest), nil)
	var made struct {
		Token          string
		ExpiresAt, TTL int64
	}
	if a.Error != nil || json.Unmarshal(a.Result, &made) != nil || made.TTL <= 0 || made.ExpiresAt <= made.TTL {
		t.Fatalf("%v %s", a.Error, a.Result)
	}
	return made.Token
}

func TestCreateToken(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	joe := n.login(t, "joe")
	session, once, checked := n.createToken(t, joe, ""), n.createToken(t, joe, `,"singleUse":true`), n.createToken(t, joe, `,"singleUse":true`)
	maker, revoked := n.createToken(t, joe, `,"singleUse":true`), n.createToken(t, joe, `,"singleUse":true`)
	for _, s := range []scenario{
		{"what it answers", with(joe, "createToken", `,"expiresIn":"2h","singleUse":true`), 200, "", `{"token":"kauth-`},
		{"for ever", with(joe, "createToken", `,"expiresIn":-1`), 400, "security.token.ttl_exceeded", ""},
		{"longer than allowed", with(joe, "createToken", `,"expiresIn":"3d"`), 400, "security.token.ttl_exceeded", ""},
		{"no flag", with(joe, "createToken", `,"singleUse":"yes"`), 400, "api.assert.invalid_type", ""},

		{"a session of its own", with(session, "getCurrentUser", ""), 200, "", `{"_id":"u"`},
		{"again", with(session, "getCurrentUser", ""), 200, "", `{"_id":"u"`},
		{"once", with(once, "getCurrentUser", ""), 200, "", `{"_id":"u"`},
		{"twice", with(once, "getCurrentUser", ""), 401, "security.token.invalid", ""},
		{"a check uses it up", `{"controller":"auth","action":"checkToken","body":{"token":"` + checked + `"}}`, 200, "", `{"valid":true,"kuid":"u"`},
		{"after the check", with(checked, "getCurrentUser", ""), 401, "security.token.invalid", ""},
		{"it makes no other", with(maker, "createToken", ""), 401, "security.token.invalid", ""},

		{"everywhere logged out", with(session, "logout", `,"global":true`), 200, "", `{"acknowledged":true}`},
		{"that one too", with(revoked, "getCurrentUser", ""), 401, "security.token.invalid", ""},
	} {
		s.check(t, n.ask(t, s.request, nil))
	}
}

func TestUpdateSelf(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	n.run(t, []scenario{
		{"members are added and replaced", with("TOKEN", "updateSelf", `,"_id":"v","body":{"name":"Joseph","age":5}`), 200, "", `{"_id":"u","_source":{"profileIds":["default"],"name":"Joseph",`},
		{"the next request sees it", with("TOKEN", "getCurrentUser", ""), 200, "", `{"_id":"u","_source":{"profileIds":["default"],"name":"Joseph",`},
		{"profiles", with("TOKEN", "updateSelf", `,"body":{"profileIds":["admin"]}`), 400, "api.assert.forbidden_argument", ""},
		{"no profiles", with("TOKEN", "updateSelf", `,"body":{"profileIds":null}`), 400, "api.assert.forbidden_argument", ""},
		{"an id", with("TOKEN", "updateSelf", `,"body":{"_id":"v"}`), 400, "api.assert.forbidden_argument", ""},
		{"no body", with("TOKEN", "updateSelf", ""), 400, "api.assert.body_required", ""},
		{"no number", with("TOKEN", "updateSelf", `,"retryOnConflict":"x","body":{}`), 400, "api.assert.invalid_type", ""},
		{"metadata is the node's", with("TOKEN", "updateSelf", `,"refresh":"false","body":{"_kuzzle_info":{"author":"x"}}`), 200, "", `{"_id":"u"`},
		{"and stays", with("TOKEN", "getCurrentUser", ""), 200, "", `{"_id":"u","_source":{"profileIds":["default"],"name":"Joseph",`},
	})
	u, err := n.Users.ReadUser(t.Context(), "u")
	must(t, err)
	var source struct {
		Info struct{ Author, Updater *string } `json:"_kuzzle_info"`
	}
	must(t, json.Unmarshal(u.Source, &source))
	if source.Info.Author != nil || source.Info.Updater == nil || *source.Info.Updater != "u" {
		t.Errorf("%s", u.Source)
	}
}
