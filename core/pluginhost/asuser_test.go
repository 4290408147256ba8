package pluginhost_test

import (
	"fmt"
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

// What a plugin asks of auth and security as the user of the request it works on: as him, by his rights, and no more. As
// itself it is nobody.
func TestCallsOfAuthAndSecurityAsTheUser(t *testing.T) {
	n := serveOpen(t, nil, "badge")
	admin := "Authorization: Bearer " + root(n)
	n.Must("POST", "/roles/caller/_create", `{"controllers":{"badge":{"actions":{"*":true}},"auth":{"actions":{"*":true}}}}`, admin)
	n.Must("POST", "/profiles/callers/_create", `{"policies":[{"roleId":"caller"}]}`, admin)
	n.CreateUser("ann", `{"profileIds":["callers"]}`, "ann", "a-Secret-1", admin)
	ann := "Authorization: Bearer " + n.Login("ann", "a-Secret-1", "")
	call := func(who, as, action, rest string) nodetest.Answer {
		asUser := as == "user"
		return n.HTTP("POST", "/_query", fmt.Sprintf(`{"controller":"badge","action":"call","of":%s,"asUser":%v%s}`, action, asUser, rest), who)
	}
	security := func(action string) string { return `"security","what":"` + action + `"` }
	auth := func(action string) string { return `"auth","what":"` + action + `"` }
	const newUser = `,"_id":"eve","body":{"content":{"profileIds":["admin"]}}`
	for _, c := range []struct{ name, who, as, action, rest, id, text string }{
		{"who she is", ann, "user", auth("getCurrentUser"), "", "", `"_id":"ann"`},
		{"who he is", admin, "user", auth("getCurrentUser"), "", "", `"_id":"root"`},
		{"who the plugin is", ann, "plugin", auth("getCurrentUser"), "", "api.process.forbidden_embedded_sdk_action", "Call it as the user"},
		{"her rights", ann, "user", auth("getMyRights"), "", "", `"controller":"badge"`},
		{"the rights of the plugin", admin, "plugin", auth("getMyRights"), "", "api.process.forbidden_embedded_sdk_action", ""},
		{"what she may", ann, "user", auth("checkRights"), `,"body":{"controller":"security","action":"createUser"}`, "", `"allowed":false`},
		{"what he may", admin, "user", auth("checkRights"), `,"body":{"controller":"security","action":"createUser"}`, "", `"allowed":true`},
		{"a change of herself", ann, "user", auth("updateSelf"), `,"body":{"nick":"a"}`, "", `"nick":"a"`},
		{"a change of her rights", ann, "user", auth("updateSelf"), `,"body":{"profileIds":["admin"]}`, "api.assert.forbidden_argument", ""},
		{"a change of nobody", ann, "plugin", auth("updateSelf"), `,"body":{"nick":"b"}`, "api.process.forbidden_embedded_sdk_action", ""},
		{"a badge for herself", ann, "user", auth("createMyCredentials"), `,"strategy":"badge","body":{"number":"7","pin":"1234"}`, "", `"kuid":"ann"`},
		{"her badge", ann, "user", auth("getMyCredentials"), `,"strategy":"badge"`, "", `"number":"7"`},
		{"another token of hers", ann, "user", auth("refreshToken"), "", "api.process.forbidden_embedded_sdk_action", "Leave it to the client"},
		{"a second token", ann, "user", auth("createToken"), `,"singleUse":true`, "api.process.forbidden_embedded_sdk_action", ""},
		{"a key of hers", ann, "user", auth("createApiKey"), `,"body":{"description":"x"}`, "api.process.forbidden_embedded_sdk_action", ""},
		{"the end of all her tokens", ann, "user", auth("logout"), `,"global":true`, "api.process.forbidden_embedded_sdk_action", ""},
		{"a token of the plugin", ann, "plugin", auth("createToken"), "", "api.process.forbidden_embedded_sdk_action", "Leave it to the client"},
		{"she is still there", ann, "user", auth("getCurrentUser"), "", "", `"_id":"ann"`},
		{"another user", ann, "user", security("getUser"), `,"_id":"root"`, "security.rights.forbidden", ""},
		{"another user, for the plugin", ann, "plugin", security("getUser"), `,"_id":"root"`, "", `"_id":"root"`},
		{"another admin", ann, "user", security("createUser"), newUser, "security.rights.forbidden", ""},
		{"more rights", ann, "user", security("createOrReplaceRole"), `,"_id":"caller","body":{"controllers":{"*":{"actions":{"*":true}}}}`, "security.rights.forbidden", ""},
		{"another password", ann, "user", security("updateCredentials"), `,"_id":"root","strategy":"local","body":{"password":"b-Secret-1"}`, "security.rights.forbidden", ""},
		{"another admin, by one", admin, "user", security("createUser"), newUser, "", `"author":"root"`},
		{"a user by the plugin", ann, "plugin", security("createUser"), `,"_id":"joe","body":{"content":{"profileIds":["default"]}}`, "", `"author":null`},
	} {
		expect(t, c.name, call(c.who, c.as, c.action, c.rest), c.id, c.text)
	}

	// Rights that are taken away are gone at once, also for calls of plugins.
	n.Must("PUT", "/users/ann/_update", `{"profileIds":["default"]}`, admin)
	expect(t, "demoted", call(ann, "user", auth("getMyCredentials"), `,"strategy":"badge"`), "security.rights.forbidden", "badge:call")
	n.Must("DELETE", "/users/ann", "", admin)
	expect(t, "deleted", call(ann, "user", auth("getCurrentUser"), ""), "security.token.invalid", "")
}
