package attacks

import (
	"net/http"
	"strings"
	"testing"
)

// sam may do all of the controller auth, which is about oneself.
func TestOneselfIsNobodyElse(t *testing.T) {
	n := newTarget(t)
	sam := n.user("sam", `"auth":{"actions":{"*":true}}`, "")
	key, ok := n.call(n.root, "auth", "createApiKey", `,"body":{"description":"of root"}`).Get("result._id").(string)
	if !ok {
		t.Fatal("no API key")
	}
	for name, a := range map[string]struct{ action, more, id string }{
		"profiles":             {"updateSelf", `,"body":{"profileIds":["admin"]}`, "api.assert.forbidden_argument"},
		"escaped profiles":     {"updateSelf", `,"body":{"profile\u0049ds":["admin"]}`, "api.assert.forbidden_argument"},
		"one profile":          {"updateSelf", `,"body":{"profileIds.0":"admin"}`, ""},
		"id in the body":       {"updateSelf", `,"body":{"_id":"root"}`, "api.assert.forbidden_argument"},
		"source":               {"updateSelf", `,"body":{"_source":{"profileIds":["admin"]}}`, ""},
		"body twice":           {"updateSelf", `,"body":{"a":1},"body":{"profileIds":["admin"]}`, "network.http.body_parse_failed"},
		"user in credentials":  {"updateMyCredentials", `,"strategy":"local","body":{"kuid":"root","password":"b-Secret-2"}`, ""},
		"name of another":      {"updateMyCredentials", `,"strategy":"local","body":{"username":"root"}`, ""},
		"more of one strategy": {"createMyCredentials", `,"strategy":"local","body":{"username":"sam2","password":"` + password + `"}`, ""},
		"key of another":       {"deleteApiKey", `,"_id":"` + key + `"`, "services.storage.not_found"},
		"id of another's key":  {"createApiKey", `,"_id":"` + key + `","body":{"description":"mine"}`, "services.storage.document_already_exists"},
		"right of another":     {"getCurrentUser", `,"controller":"security"`, "network.http.body_parse_failed"},
	} {
		t.Run(name, func(t *testing.T) { wantRefused(t, n.call(sam, "auth", a.action, a.more), a.id) })
	}
	for name, more := range map[string]string{
		"arguments": `,"_id":"root","kuid":"root","userId":"root","as":"root","user":{"_id":"root"},"context":{"user":{"_id":"root"}}`,
		"volatile":  `,"volatile":{"user":"root","kuid":"root"}`,
	} {
		for action, body := range map[string]string{
			"getCurrentUser": `{}`, "updateSelf": `{"x":1,"content":{"profileIds":["admin"]},"__proto__":{"profileIds":["admin"]},"ProfileIds":["admin"]}`,
		} {
			if a := n.call(sam, "auth", action, more+`,"body":`+body); a.Get("result._id") != "sam" {
				t.Errorf("%s of %s: %s", name, action, a.Body)
			}
		}
		if a := n.call(sam, "auth", "createApiKey", more+`,"body":{"description":"x","userId":"root","kuid":"root"}`); a.Get("result._source.userId") != "sam" &&
			a.Status != http.StatusBadRequest { // the id is sam's to choose once
			t.Errorf("%s: a key %s", name, a.Body)
		}
	}
	for name, search := range map[string]string{
		"everybody":  `"body":{}`,
		"either":     `"body":{"bool":{"should":[{"match_all":{}},{"term":{"userId":"root"}}]}}`,
		"all others": `"body":{"bool":{"must_not":[{"term":{"userId":"sam"}}]}}`,
		"koncorde":   `"lang":"koncorde","body":{"not":{"equals":{"userId":"sam"}}}`,
	} {
		if a := n.call(sam, "auth", "searchApiKeys", `,`+search); a.Status != http.StatusOK || strings.Contains(a.Body, key) {
			t.Errorf("keys of %s: %s", name, a.Body)
		}
	}
	n.wantProfiles("sam", `["sam"]`)
	n.wantProfiles("root", `["admin"]`)
	if a := n.call(sam, "security", "getUser", `,"_id":"root"`); a.Status != http.StatusForbidden {
		t.Errorf("what sam became: %s", a.Body)
	}
}

// kim makes users of a kind that is chosen by the administrator, and reads them.
func TestMakersOfUsersMakeNoAdministrators(t *testing.T) {
	n := newTarget(t)
	kim := n.user("kim", `"security":{"actions":{"createRestrictedUser":true,"searchUsers":true,"searchUsersByCredentials":true,`+
		`"getCredentials":true,"getCredentialsById":true,"createCredentials":true,"updateCredentials":true}}`, "")
	for name, a := range map[string]struct{ action, more, id string }{
		"profiles":          {"createRestrictedUser", `,"body":{"content":{"profileIds":["admin"]}}`, "api.assert.forbidden_argument"},
		"profiles, twice":   {"createRestrictedUser", `,"body":{"content":{"profileIds":["default"],"profileIds":["admin"]}}`, "network.http.body_parse_failed"},
		"taken":             {"createRestrictedUser", `,"_id":"root","body":{"content":{}}`, "security.user.already_exists"},
		"anonymous":         {"createRestrictedUser", `,"_id":"-1","body":{"content":{}}`, "security.user.already_exists"},
		"credentials of":    {"createRestrictedUser", `,"_id":"z","body":{"content":{},"credentials":{"local":{"username":"z","password":"` + password + `","kuid":"root"}}}`, ""},
		"more for root":     {"createCredentials", `,"_id":"root","strategy":"local","body":{"username":"r2","password":"` + password + `"}`, ""},
		"kuid":              {"updateCredentials", `,"_id":"kim","strategy":"local","body":{"kuid":"root","username":"x"}`, ""},
		"unrestricted":      {"createUser", `,"body":{"content":{"profileIds":["admin"]}}`, "security.rights.forbidden"},
		"update":            {"updateUser", `,"_id":"kim","body":{"profileIds":["admin"]}`, "security.rights.forbidden"},
		"role":              {"createOrReplaceRole", `,"_id":"kim","body":{"controllers":{"*":{"actions":{"*":true}}}}`, "security.rights.forbidden"},
		"profile":           {"updateProfile", `,"_id":"kim","body":{"policies":[{"roleId":"admin"}]}`, "security.rights.forbidden"},
		"first admin":       {"createFirstAdmin", `,"body":{"credentials":{}}`, "security.rights.forbidden"},
		"hash by prefix":    {"searchUsersByCredentials", `,"strategy":"local","body":{"query":{"prefix":{"hash":"$argon2id"}}}`, ""},
		"hash by existence": {"searchUsersByCredentials", `,"strategy":"local","body":{"query":{"bool":{"must":[{"exists":{"field":"hash"}}]}}}`, ""},
		"hash by order":     {"searchUsersByCredentials", `,"strategy":"local","body":{"query":{"match_all":{}},"sort":[{"hash":"asc"}]}`, ""},
		"every field":       {"searchUsersByCredentials", `,"strategy":"local","body":{"query":{"multi_match":{"fields":["*"],"query":"argon2id"}}}`, ""},
		"query string":      {"searchUsersByCredentials", `,"strategy":"local","body":{"query":{"query_string":{"query":"hash:*"}}}`, ""},
		"script":            {"searchUsers", `,"body":{"query":{"script":{"script":"true"}}}`, ""},
		"script fields":     {"searchUsers", `,"body":{"script_fields":{"a":{"script":"1"}}}`, ""},
	} {
		t.Run(name, func(t *testing.T) { wantRefused(t, n.call(kim, "security", a.action, a.more), a.id) })
	}
	for name, more := range map[string]string{
		"users":              `,"body":{}`,
		"with aggregations":  `,"body":{"aggs":{"a":{"terms":{"field":"hash"}}}}`,
		"by credentials":     `,"strategy":"local","body":{"query":{"match_all":{}},"_source":["*"],"aggs":{"a":{"terms":{"field":"hash"}}}}`,
		"credentials of one": `,"_id":"root","strategy":"local"`,
	} {
		for _, action := range []string{"searchUsers", "searchUsersByCredentials", "getCredentials", "getCredentialsById"} {
			if a := n.call(kim, "security", action, more); strings.Contains(a.Body, "argon2") || strings.Contains(a.Body, "$") {
				t.Errorf("%s, %s tells a hash: %s", name, action, a.Body)
			}
		}
	}
	n.wantProfiles("kim", `["kim"]`)
	n.wantProfiles("root", `["admin"]`)
	n.Login("root", password, "")
}

// eve may read and write documents, of i/c alone.
func TestRestrictedUserStaysWithin(t *testing.T) {
	n := newTarget(t)
	n.collections()
	eve := n.user("eve", `"document":{"actions":{"*":true}},"bulk":{"actions":{"*":true}},"collection":{"actions":{"*":true}},"realtime":{"actions":{"*":true}}`,
		`,"restrictedTo":[{"index":"i","collections":["c"]}]`)
	for name, a := range map[string]struct{ method, path, body, id string }{
		"another collection":   {"GET", "/i/d/secret", "", "security.rights.forbidden"},
		"another index":        {"GET", "/other/c/secret", "", "security.rights.forbidden"},
		"index in the body":    {"POST", "/i/c/_search", `{"index":"other","collection":"c"}`, ""},
		"targets in the body":  {"POST", "/i/c/_search", `{"targets":[{"index":"other","collections":["c"]}]}`, ""},
		"targets in the query": {"POST", "/i/c/_search?targets=%5B%7B%22index%22:%22other%22,%22collections%22:%5B%22c%22%5D%7D%5D", `{}`, ""},
		"indices":              {"POST", "/i/c/_search", `{"query":{"indices":{"indices":["&other.c"],"query":{"match_all":{}}}}}`, ""},
		"terms lookup":         {"POST", "/i/c/_search", `{"query":{"terms":{"name":{"index":"%kuzzle.users","id":"root","path":"profileIds"}}}}`, ""},
		"like another":         {"POST", "/i/c/_search", `{"query":{"more_like_this":{"like":[{"_index":"&other.c","_id":"secret"}]}}}`, ""},
		"script":               {"POST", "/i/c/_search", `{"query":{"script":{"script":"true"}}}`, ""},
		"runtime field":        {"POST", "/i/c/_search", `{"runtime_mappings":{"a":{"type":"keyword"}}}`, ""},
		"global":               {"POST", "/i/c/_search", `{"aggs":{"a":{"global":{},"aggs":{"b":{"terms":{"field":"name"}}}}}}`, ""},
		"list":                 {"POST", "/i/c,d/_search", `{}`, "security.rights.forbidden"},
		"escaped list":         {"POST", "/i/c%2Cd/_search", `{}`, "security.rights.forbidden"},
		"wildcard":             {"POST", "/i/*/_search", `{}`, "security.rights.forbidden"},
		"indexes":              {"POST", "/*/c/_search", `{}`, "security.rights.forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			wantRefused(t, n.HTTP(a.method, a.path, a.body, "Authorization: Bearer "+eve), a.id)
		})
	}
	for name, more := range map[string]string{
		"some allowed":   `,"targets":[{"index":"i","collections":["c","d"]}]`,
		"one of two":     `,"targets":[{"index":"i","collections":["c"]},{"index":"other","collections":["c"]}]`,
		"every":          `,"targets":[{"index":"i","collections":["*"]}]`,
		"none named":     `,"targets":[{"index":"i"}]`,
		"empty":          `,"targets":[{"index":"i","collections":[]}]`,
		"list":           `,"targets":[{"index":"i","collections":["c,d"]}]`,
		"index and":      `,"targets":[{"index":"i","collections":["c"]}],"index":"other","collection":"c"`,
		"no list":        `,"targets":{"index":"i","collections":["c"]}`,
		"list as index":  `,"index":["i","other"],"collection":"c"`,
		"index twice":    `,"index":"i","collection":"c","index":"other"`,
		"other internal": `,"index":"%kuzzle","collection":"users"`,
	} {
		t.Run("targets: "+name, func(t *testing.T) { wantRefused(t, n.call(eve, "document", "search", more+`,"body":{}`), "") })
	}
	for _, path := range []string{
		"/i/c/secret?index=other&collection=d", "/i/c/secret?index=other&index=i", "/i/c/secret?_id=x&controller=server&action=info",
		"/i/c/secret?targets=%5B%5D&index=other",
	} {
		if a := n.HTTP("GET", path, "", "Authorization: Bearer "+eve); a.Status == http.StatusOK && a.Get("result._source.name") != "/i/c" {
			t.Errorf("%s is answered %s", path, a.Body)
		}
	}
	if a := n.call(eve, "document", "search", `,"index":"i","collection":"c","body":{"query":{"terms":{"_index":["%kuzzle.users","&other.c"]}}}`); a.Get("error.id") != "services.storage.unexpected_bad_request" {
		t.Errorf("by _index: %s", a.Body)
	}
	n.call(eve, "bulk", "import", `,"index":"i","collection":"c","body":{"bulkData":[{"create":{"_id":"planted","_index":"&other.c","_type":"c"}},{"a":1}]}`)
	if a := n.call(n.root, "document", "exists", `,"index":"other","collection":"c","_id":"planted"`); a.Get("result") != false {
		t.Errorf("an import left its index: %s", a.Body)
	}
	n.followers(eve)
}

// followers wants that eve cannot go on with what root began in other/c.
func (n *target) followers(eve string) {
	n.t.Helper()
	n.mustAsRoot("PUT", "/other/c/second?refresh=wait_for", `{}`)
	scroll, _ := n.call(n.root, "document", "search", `,"index":"other","collection":"c","scroll":"1m","size":1,"body":{}`).Get("result.scrollId").(string)
	socket := n.WebSocket()
	room, _ := socket.Call(envelope(n.root, "realtime", "subscribe", `,"index":"other","collection":"c","body":{}`)).Get("result.roomId").(string)
	if scroll == "" || room == "" {
		n.t.Fatalf("scroll %q, room %q", scroll, room)
	}
	for _, within := range []string{"", `,"index":"i","collection":"c"`} {
		wantRefused(n.t, n.call(eve, "document", "scroll", `,"scrollId":"`+scroll+`"`+within), "services.storage.unknown_scroll_id")
		wantRefused(n.t, n.call(eve, "realtime", "join", `,"body":{"roomId":"`+room+`"}`+within), "core.realtime.room_not_found")
		wantRefused(n.t, n.call(n.root, "security", "scrollUsers", `,"scrollId":"`+scroll+`"`+within), "services.storage.unknown_scroll_id")
	}
	if a := n.call(eve, "realtime", "list", ""); a.Status != http.StatusOK || strings.Contains(a.Body, room) {
		n.t.Errorf("eve sees rooms of others: %s", a.Body)
	}
}

// What the node keeps for itself is no index of documents, not even for the administrator.
func TestInternalIndexesAreNoIndexes(t *testing.T) {
	n := newTarget(t)
	n.collections()
	for _, index := range []string{"%kuzzle", "%plugin-kuzzle-plugin-auth-passport-local", "&i.c", "../documents", "*", "i,%kuzzle", "_all"} {
		for action, more := range map[string]string{
			"document search": `,"body":{}`, "document get": `,"_id":"root"`, "bulk write": `,"_id":"z","body":{"profileIds":["admin"]}`,
			"document export": ``, "collection create": `,"body":{}`, "index delete": ``, "realtime subscribe": `,"body":{}`,
		} {
			controller, name, _ := strings.Cut(action, " ")
			a := n.call(n.root, controller, name, `,"index":"`+index+`","collection":"users"`+more)
			if a.Status < 400 && name != "subscribe" || strings.Contains(a.Body, "profileIds") {
				t.Errorf("%s of %s: %s", action, index, a.Body)
			}
		}
	}
	n.wantProfiles("root", `["admin"]`)
}
