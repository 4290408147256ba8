package auth_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	tokens "github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/events"
)

// with is a request of whom a token or API key speaks for.
func with(token, action, rest string) string {
	return `{"controller":"auth","action":"` + action + `","jwt":"` + token + `"` + rest + `}`
}

func (n *node) createKey(t testing.TB, token, id string) tokens.Key {
	t.Helper()
	a := n.ask(t, with(token, "createApiKey", `,"_id":"`+id+`","expiresIn":"1h","body":{"description":"key of `+id+`"}`), nil)
	var key tokens.Key
	if a.Error != nil || json.Unmarshal(a.Result, &key) != nil || key.ID != id {
		t.Fatalf("create %s: %v %s", id, a.Error, a.Result)
	}
	return key
}

func TestAPIKeys(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	joe, jane := n.login(t, "joe"), n.login(t, "jane")
	key := n.createKey(t, joe, "k")
	secret := key.Source.Token
	if !strings.HasPrefix(secret, "kapikey-") || key.Source.UserID != "u" || key.Source.TTL != time.Hour.Milliseconds() {
		t.Errorf("%+v", key.Source)
	}
	const described = `,"expiresIn":"1h","body":{"description":"d"}`
	for _, s := range []scenario{
		{"an id of its own", with(joe, "createApiKey", described), 200, "", `{"_id":"`},
		{"an id that is taken", with(jane, "createApiKey", `,"_id":"k"`+described), 400, "services.storage.document_already_exists", ""},
		{"no description", with(joe, "createApiKey", `,"expiresIn":"1h","body":{}`), 400, "api.assert.missing_argument", ""},
		{"no body", with(joe, "createApiKey", `,"expiresIn":"1h"`), 400, "api.assert.body_required", ""},
		{"longer than allowed", with(joe, "createApiKey", `,"expiresIn":"2d","body":{"description":"d"}`), 400, "security.token.ttl_exceeded", ""},
		{"for ever, as if nothing is said", with(joe, "createApiKey", `,"body":{"description":"d"}`), 400, "security.token.ttl_exceeded", ""},
		{"a lifetime of nothing", with(joe, "createApiKey", `,"expiresIn":0,"body":{"description":"d"}`), 400, "api.assert.invalid_argument", ""},

		{"it speaks for its user", with(secret, "getCurrentUser", ""), 200, "", `{"_id":"u","_source":{"profileIds":["default"]`},
		{"it is good", `{"controller":"auth","action":"checkToken","body":{"token":"` + secret + `"}}`, 200, "", `{"valid":true,"kuid":"u","expiresAt":1`},
		{"it is not refreshed", with(secret, "refreshToken", ""), 401, "security.token.refresh_forbidden", ""},
		{"logged out with it", with(secret, "logout", ""), 200, "", `{"acknowledged":true}`},
		{"logged out everywhere", with(secret, "logout", `,"global":true`), 200, "", `{"acknowledged":true}`},
		{"sessions are over", with(joe, "getCurrentUser", ""), 401, "security.token.invalid", ""},
		{"it stays", with(secret, "getCurrentUser", ""), 200, "", `{"_id":"u"`},

		{"delete another's", with(jane, "deleteApiKey", `,"_id":"k"`), 404, "services.storage.not_found", ""},
		{"delete none", with(secret, "deleteApiKey", `,"_id":"x"`), 404, "services.storage.not_found", ""},
		{"delete without an id", with(secret, "deleteApiKey", ""), 400, "api.assert.missing_argument", ""},
		{"delete itself", with(secret, "deleteApiKey", `,"_id":"k"`), 200, "", `{"_id":"k"}`},
		{"it is over", with(secret, "getCurrentUser", ""), 401, "security.token.invalid", ""},
	} {
		s.check(t, n.ask(t, s.request, nil))
	}
}

func TestAPIKeysFollowRightsAndUser(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	secret := n.createKey(t, n.login(t, "joe"), "k").Source.Token
	request := with(secret, "getStrategies", "")
	scenario{"allowed", request, 200, "", `["local"]`}.check(t, n.ask(t, request, nil))
	n.putRole(t, "default", `{"auth":{"actions":{"login":true}}}`)
	scenario{"not any more", request, 403, "security.rights.forbidden", ""}.check(t, n.ask(t, request, nil))
	if err := n.Tokens.DeleteUser(t.Context(), nil, "u", tokens.NewUser{}.Write); err != nil {
		t.Fatal(err)
	}
	n.addUser(t, "u", "joe")
	scenario{"of a deleted user", request, 401, "security.token.invalid", ""}.check(t, n.ask(t, request, nil))
}

func TestExpiredAPIKey(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	request := with(n.createKey(t, n.login(t, "joe"), "k").Source.Token, "getCurrentUser", "")
	n.later.Store(int64(time.Hour))
	scenario{"expired", request, 401, "security.token.invalid", ""}.check(t, n.ask(t, request, nil))
}

func TestSearchAPIKeys(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	joe, jane := n.login(t, "joe"), n.login(t, "jane")
	n.createKey(t, joe, "one")
	n.createKey(t, joe, "two")
	other := n.createKey(t, jane, "other")
	for _, s := range []struct {
		name, rest string
		status     int
		id         string
		found      []string
	}{
		{"all", ``, 200, "", []string{"one", "two"}},
		{"all, with a body", `,"body":{}`, 200, "", []string{"one", "two"}},
		{"by description", `,"body":{"match":{"description":"two"}}`, 200, "", []string{"two"}},
		{"by description, in koncorde", `,"lang":"koncorde","body":{"exists":"description"}`, 200, "", []string{"one", "two"}},
		{"all, in koncorde", `,"lang":"koncorde","body":{}`, 200, "", []string{"one", "two"}},
		{"none of them", `,"from":2`, 200, "", nil},
		{"another's", `,"body":{"term":{"fingerprint":"` + other.Source.Fingerprint + `"}}`, 200, "", nil},
		{"everybody's", `,"body":{"bool":{"should":[{"match_all":{}},{"term":{"userId":"v"}}]}}`, 200, "", []string{"one", "two"}},
		{"too many", `,"size":101`, 413, "services.storage.get_limit_exceeded", nil},
		{"less than nothing", `,"from":-1`, 400, "api.assert.invalid_argument", nil},
		{"no query", `,"body":{"query":{}}`, 400, "services.storage.unknown_query_keyword", nil},
		{"no object", `,"body":[]`, 400, "api.assert.invalid_type", nil},
		{"another language", `,"lang":"sql"`, 400, "api.assert.invalid_argument", nil},
		{"a filter that is no koncorde", `,"lang":"koncorde","body":{"bool":{}}`, 400, "api.assert.koncorde_restricted_keyword", nil},
	} {
		a := n.ask(t, with(joe, "searchApiKeys", s.rest), nil)
		scenario{s.name, "", s.status, s.id, ""}.check(t, a)
		if s.id != "" {
			continue
		}
		text := string(a.Result)
		for _, id := range []string{"one", "two", "other"} {
			wanted := strings.Contains(strings.Join(s.found, ","), id)
			if strings.Contains(text, `"_id":"`+id+`"`) != wanted {
				t.Errorf("%s: %s", s.name, text)
			}
		}
		if strings.Contains(text, `"token"`) || !strings.Contains(text, `"total":`+string(rune('0'+len(s.found)))) {
			t.Errorf("%s: %s", s.name, text)
		}
	}
	one := n.ask(t, with(joe, "searchApiKeys", `,"size":1`), nil)
	if !strings.HasSuffix(string(one.Result), `"total":1}`) {
		t.Errorf("one: %s", one.Result)
	}
}

// Anonymous has no keys and no tokens even where he may do everything, and there is nothing of him to update.
func TestAnonymousHasNothingOfHisOwn(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	n.putRole(t, "anonymous", `{"auth":{"actions":{"*":true}}}`)
	for _, action := range []string{"createApiKey", "deleteApiKey", "searchApiKeys", "createToken", "updateSelf"} {
		request := `{"controller":"auth","action":"` + action + `","_id":"k","body":{"description":"d"}}`
		scenario{action, request, 401, "security.rights.unauthorized", ""}.check(t, n.ask(t, request, nil))
	}
}
