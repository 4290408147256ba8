package security_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/auth"
)

func TestKeysOfUsers(t *testing.T) {
	n := newNode(t, true)
	n.run(t, []scenario{
		{"a user", "createUser", `,"_id":"u","body":{"content":{"profileIds":["default"]}}`, 200, "", `{"_id":"u"`},
		{"another", "createUser", `,"_id":"v","body":{"content":{"profileIds":["default"]}}`, 200, "", `{"_id":"v"`},
	})
	a := n.Ask(t, `{"controller":"security","action":"createApiKey","userId":"u","_id":"k","body":{"description":"d"}}`)
	var key auth.Key
	if a.Error != nil || json.Unmarshal(a.Result, &key) != nil || !strings.HasPrefix(key.Source.Token, "kapikey-") || key.Source.TTL != -1 {
		t.Fatalf("%v %s", a.Error, a.Result)
	}
	n.run(t, []scenario{
		{"it speaks for its user", "getUser", `,"_id":"u","jwt":"` + key.Source.Token + `"`, 200, "", `{"_id":"u"`},
		{"for nobody", "createApiKey", `,"userId":"x","body":{"description":"d"}`, 404, "security.user.not_found", ""},
		{"for anonymous", "createApiKey", `,"userId":"-1","body":{"description":"d"}`, 404, "security.user.not_found", ""},
		{"without a user", "createApiKey", `,"body":{"description":"d"}`, 400, "api.assert.missing_argument", ""},
		{"without a description", "createApiKey", `,"userId":"u","body":{}`, 400, "api.assert.missing_argument", ""},
		{"an id that is taken", "createApiKey", `,"userId":"v","_id":"k","body":{"description":"d"}`, 400, "services.storage.document_already_exists", ""},
		{"search", "searchApiKeys", `,"userId":"u","scroll":"1s"`, 200, "", `{"hits":[{"_id":"k","_source":{"userId":"u","description":"d","expiresAt":-1,"ttl":-1,"fingerprint":"` + key.Source.Fingerprint + `"}}],"total":1}`},
		{"search another's", "searchApiKeys", `,"userId":"v","body":{"match_all":{}}`, 200, "", `{"hits":[],"total":0}`},
		{"sessions are over, keys are not", "revokeTokens", `,"_id":"u"`, 200, "", `null`},
		{"it stays", "getUser", `,"_id":"u","jwt":"` + key.Source.Token + `"`, 200, "", `{"_id":"u"`},
		{"delete as another's", "deleteApiKey", `,"userId":"v","_id":"k"`, 404, "services.storage.not_found", ""},
		{"delete without an id", "deleteApiKey", `,"userId":"u"`, 400, "api.assert.missing_argument", ""},
		{"delete", "deleteApiKey", `,"userId":"u","_id":"k"`, 200, "", `{"_id":"k"}`},
		{"it is over", "getUser", `,"_id":"u","jwt":"` + key.Source.Token + `"`, 401, "security.token.invalid", ""},
	})
}
