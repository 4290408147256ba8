package auth_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	tokens "github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/protocol"
)

// mine is a request about the caller's own credentials.
func mine(action, strategy, body string) string {
	return `{"controller":"auth","action":"` + action + `","strategy":"` + strategy + `","jwt":"TOKEN"` + body + `}`
}

func TestMyCredentials(t *testing.T) {
	const body = `,"body":{"username":"joseph","password":"other"}`
	newNode(t, tokens.ThrottleOptions{}, events.Listeners{}).run(t, []scenario{
		{"there are some", mine("credentialsExist", "local", ""), 200, "", `true`},
		{"they are shown without the secret", mine("getMyCredentials", "local", ""), 200, "", `{"username":"joe","kuid":"u"}`},
		{"a second set", mine("createMyCredentials", "local", body), 412, "", ""},
		{"a valid set", mine("validateMyCredentials", "local", body), 200, "", `true`},
		{"half a set", mine("validateMyCredentials", "local", `,"body":{"username":"joseph"}`), 400, "", ""},
		{"a name that is taken", mine("validateMyCredentials", "local", `,"body":{"username":"jane","password":"x"}`), 412, "", ""},
		{"another's name", mine("updateMyCredentials", "local", `,"body":{"username":"jane"}`), 412, "", ""},
		{"for another user", mine("updateMyCredentials", "local", `,"_id":"v","body":{"kuid":"v","password":"x"}`), 400, "", ""},
		{"no body", mine("updateMyCredentials", "local", ""), 400, "api.assert.body_required", ""},
		{"a body that is a list", mine("createMyCredentials", "local", `,"body":[]`), 400, "api.assert.invalid_type", ""},
		{"a new name and password", mine("updateMyCredentials", "local", body), 200, "", `{"username":"joseph","kuid":"u"}`},
		{"the old ones are gone", `{"controller":"auth","action":"login","strategy":"local","body":{"username":"joe","password":"right"}}`, 401, "plugin.strategy.missing_user", ""},
		{"the new ones work", `{"controller":"auth","action":"login","strategy":"local","body":{"username":"joseph","password":"other"}}`, 200, "", `{"_id":"u"`},
		{"an unknown strategy", mine("createMyCredentials", "ldap", body), 400, "security.credentials.unknown_strategy", ""},
		{"no strategy", `{"controller":"auth","action":"credentialsExist","jwt":"TOKEN"}`, 400, "api.assert.missing_argument", ""},
		{"delete", mine("deleteMyCredentials", "local", `,"_id":"v"`), 200, "", `{"acknowledged":true}`},
		{"delete again", mine("deleteMyCredentials", "local", ""), 412, "", ""},
		{"there are none", mine("credentialsExist", "local", ""), 200, "", `false`},
		{"none are shown", mine("getMyCredentials", "local", ""), 412, "", ""},
		{"none to change", mine("updateMyCredentials", "local", body), 412, "", ""},
		{"the session goes on, and knows", `{"controller":"auth","action":"getCurrentUser","jwt":"TOKEN"}`, 200, "", `{"_id":"u"`},
		{"nobody else lost any", `{"controller":"auth","action":"login","strategy":"local","body":{"username":"jane","password":"right"}}`, 200, "", `{"_id":"v"`},
		{"create", mine("createMyCredentials", "local", body), 200, "", `{"username":"joseph","kuid":"u"}`},
		{"they work", `{"controller":"auth","action":"login","strategy":"local","body":{"username":"joseph","password":"other"}}`, 200, "", `{"_id":"u"`},
	})
}

// Anonymous has no credentials even where he may do everything.
func TestAnonymousHasNoCredentials(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	n.putRole(t, "anonymous", `{"auth":{"actions":{"*":true}}}`)
	for _, action := range []string{
		"createMyCredentials", "updateMyCredentials", "deleteMyCredentials", "getMyCredentials", "credentialsExist", "validateMyCredentials",
	} {
		request := `{"controller":"auth","action":"` + action + `","strategy":"local","body":{"username":"x","password":"y"}}`
		scenario{action, request, 401, "security.rights.unauthorized", ""}.check(t, n.ask(t, request, nil))
	}
}

// words is a strategy that refuses in words, and shows nothing of what it keeps.
type words struct{ oauth }

func (words) Validate(context.Context, *protocol.Request, string, jsontext.Value, bool) (any, error) {
	return nil, tokens.Rejection("too short")
}

func TestStrategiesRefuseInWords(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	if err := n.Tokens.Strategies().Add(tokens.Named{Name: "words", Strategy: words{}}); err != nil {
		t.Fatal(err)
	}
	n.run(t, []scenario{
		{"create", mine("createMyCredentials", "words", `,"body":{}`), http.StatusBadRequest, "security.credentials.rejected", ""},
		{"update", mine("updateMyCredentials", "words", `,"body":{}`), http.StatusBadRequest, "security.credentials.rejected", ""},
		{"validate", mine("validateMyCredentials", "words", `,"body":{}`), http.StatusBadRequest, "security.credentials.rejected", ""},
		{"nothing is shown", mine("getMyCredentials", "words", ""), http.StatusOK, "", `{}`},
	})
}

func TestCheckRights(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	ask := func(payload string) string {
		return `{"controller":"auth","action":"checkRights","jwt":"TOKEN","body":` + payload + `}`
	}
	n.putRole(t, "default", `{"auth":{"actions":{"*":true,"logout":false}},"document":{"actions":{"get":true}}}`)
	n.run(t, []scenario{
		{"allowed", ask(`{"controller":"document","action":"get","index":"i","collection":"c","_id":"d","body":{},"jwt":"x"}`), 200, "", `{"allowed":true}`},
		{"denied", ask(`{"controller":"document","action":"delete","index":"i","collection":"c"}`), 200, "", `{"allowed":false}`},
		{"denied by name", ask(`{"controller":"auth","action":"logout"}`), 200, "", `{"allowed":false}`},
		{"targets that nobody may name", ask(`{"controller":"document","action":"get","targets":[{"index":"*","collections":["c"]}]}`), 200, "", `{"allowed":false}`},
		{"an action there is not", ask(`{"controller":"nothing","action":"at-all"}`), 200, "", `{"allowed":false}`},
		{"no controller", ask(`{"action":"get"}`), 400, "api.assert.missing_argument", ""},
		{"no action", ask(`{"controller":"document"}`), 400, "api.assert.missing_argument", ""},
		{"a controller that is a number", ask(`{"controller":1,"action":"get"}`), 400, "api.assert.invalid_type", ""},
		{"an index that is a number", ask(`{"controller":"document","action":"get","index":1}`), 400, "api.assert.invalid_type", ""},
		{"no body", `{"controller":"auth","action":"checkRights","jwt":"TOKEN"}`, 400, "api.assert.body_required", ""},
	})
	n.putRole(t, "anonymous", `{"auth":{"actions":{"login":true,"checkRights":true}}}`)
	n.run(t, []scenario{
		{"anonymous may", `{"controller":"auth","action":"checkRights","body":{"controller":"auth","action":"login"}}`, 200, "", `{"allowed":true}`},
		{"anonymous may not", `{"controller":"auth","action":"checkRights","body":{"controller":"document","action":"get"}}`, 200, "", `{"allowed":false}`},
	})
}
