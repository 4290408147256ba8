package security_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

const (
	aRole    = `"body":{"controllers":{"auth":{"actions":{"login":true,"logout":false}}}}`
	aProfile = `"body":{"policies":[{"roleId":"default"}],"rateLimit":7}`
)

func TestMoreOfRoles(t *testing.T) {
	newNode(t, true).run(t, []scenario{
		{"create", "createRole", `,"_id":"r",` + aRole, 200, "", `{"_id":"r","_source":{"controllers":{"auth"`},
		{"create again", "createRole", `,"_id":"r",` + aRole, 400, "services.storage.document_already_exists", ""},
		{"create a built-in one", "createRole", `,"_id":"admin",` + aRole, 400, "services.storage.document_already_exists", ""},
		{"create without an id", "createRole", `,` + aRole, 400, "api.assert.missing_argument", ""},
		{"create nonsense", "createRole", `,"_id":"s","body":{"controllers":{"x":{"actions":{"y":true}}}}`, 400, "security.role.unknown_controller", ""},
		{"many", "mGetRoles", `,"body":{"ids":["admin","r"]}`, 200, "", `{"hits":[{"_id":"admin","_source":{"controllers":{"*"`},
		{"many, one unknown", "mGetRoles", `,"body":{"ids":["r","x"]}`, 404, "security.role.not_found", ""},
		{"many, no ids", "mGetRoles", `,"body":{}`, 400, "api.assert.missing_argument", ""},
		{"too many", "mGetRoles", `,"body":{"ids":["` + strings.Repeat(`r","`, 20) + `r"]}`, 413, "services.storage.get_limit_exceeded", ""},

		{"a profile uses it", "createProfile", `,"_id":"p","body":{"policies":[{"roleId":"r"}]}`, 200, "", `{"_id":"p"`},
		{"delete in use", "deleteRole", `,"_id":"r"`, 412, "security.role.in_use", ""},
		{"delete built-in", "deleteRole", `,"_id":"default"`, 400, "security.role.cannot_delete", ""},
		{"delete none", "deleteRole", `,"_id":"x"`, 404, "security.role.not_found", ""},
		{"delete without an id", "deleteRole", ``, 400, "api.assert.missing_argument", ""},
		{"another", "createRole", `,"_id":"s",` + aRole, 200, "", ""},
		{"delete some", "mDeleteRoles", `,"body":{"ids":["x","s","r"]}`, 206, "services.storage.incomplete_delete", `["s"]`},
		{"too many to delete", "mDeleteRoles", `,"body":{"ids":["1","2","3","4","5","6"]}`, 413, "services.storage.write_limit_exceeded", ""},
		{"nothing refers to it", "deleteProfile", `,"_id":"p"`, 200, "", `{"_id":"p"}`},
		{"delete", "deleteRole", `,"_id":"r"`, 200, "", `{"_id":"r"}`},
		{"delete again", "mDeleteRoles", `,"body":{"ids":["r"]}`, 206, "services.storage.incomplete_delete", `[]`},

		{"restrict", "restrictDefaultRights", ``, 200, "", ``},
		{"anonymous may do no more", "getRole", `,"_id":"admin"`, 401, "security.rights.unauthorized", ""},
	})
}

func TestProfiles(t *testing.T) {
	n := newNode(t, true)
	must(t, n.Engine.Ensure(t.Context(), storage.Collection{Index: "city", Name: "taxis"}, storage.Spec{}))
	n.run(t, []scenario{
		{"create", "createProfile", `,"_id":"p",` + aProfile, 200, "", `{"_id":"p","_source":{"policies":[{"roleId":"default"}],"rateLimit":7,"_kuzzle_info":{"author":"-1"`},
		{"create again", "createProfile", `,"_id":"p",` + aProfile, 400, "services.storage.document_already_exists", ""},
		{"create a built-in one", "createProfile", `,"_id":"anonymous",` + aProfile, 400, "security.profile.missing_anonymous_role", ""},
		{"no body", "createProfile", `,"_id":"q"`, 400, "api.assert.body_required", ""},
		{"no policies", "createProfile", `,"_id":"q","body":{}`, 400, "api.assert.missing_argument", ""},
		{"unknown role", "createOrReplaceProfile", `,"_id":"p","body":{"policies":[{"roleId":"x"}]}`, 404, "security.role.not_found", ""},
		{"odd policy", "createOrReplaceProfile", `,"_id":"p","body":{"policies":[{"roleId":"default","x":1}]}`, 400, "api.assert.unexpected_argument", ""},
		{"a place that is not there", "createOrReplaceProfile", `,"_id":"p","body":{"policies":[{"roleId":"default","restrictedTo":[{"index":"x"}]}]}`, 200, "", ""},
		{"strictly", "createOrReplaceProfile", `,"_id":"p","strict":true,"body":{"policies":[{"roleId":"default","restrictedTo":[{"index":"x"}]}]}`, 412, "services.storage.unknown_index", ""},
		{"strictly, collection", "updateProfile", `,"_id":"p","strict":true,"body":{"policies":[{"roleId":"default","restrictedTo":[{"index":"city","collections":["x"]}]}]}`, 412, "services.storage.unknown_collection", ""},
		{"update", "updateProfile", `,"_id":"p","strict":true,"body":{"policies":[{"roleId":"default","restrictedTo":[{"index":"city","collections":["taxis"]}]}]}`, 200, "", `{"_id":"p","_source":{"policies":[{"roleId":"default","restrictedTo":[{"index":"city","collections":["taxis"]}]}]`},
		{"update a part", "updateProfile", `,"_id":"p","body":{"tags":["t"]}`, 200, "", `{"_id":"p","_source":{"policies":[{"roleId":"default","restrictedTo"`},
		{"update none", "updateProfile", `,"_id":"x",` + aProfile, 404, "security.profile.not_found", ""},
		{"odd retries", "updateProfile", `,"_id":"p","retryOnConflict":"x",` + aProfile, 400, "api.assert.invalid_type", ""},
		{"rights", "getProfileRights", `,"_id":"p"`, 200, "", `{"hits":[{"controller":"*","action":"*","index":"city","collection":"taxis","value":"allowed"}],"total":1}`},
		{"rights of none", "getProfileRights", `,"_id":"x"`, 404, "security.profile.not_found", ""},
		{"many", "mGetProfiles", `,"body":{"ids":["p","admin"]}`, 200, "", `{"hits":[{"_id":"p"`},
		{"many, one unknown", "mGetProfiles", `,"body":{"ids":["p","x"]}`, 404, "security.profile.not_found", ""},

		{"a user has it", "createUser", `,"_id":"u","body":{"content":{"profileIds":["p"]}}`, 200, "", ""},
		{"delete in use", "deleteProfile", `,"_id":"p"`, 412, "security.profile.in_use", ""},
		{"delete in use, said", "deleteProfile", `,"_id":"p","onAssignedUsers":"fail"`, 412, "security.profile.in_use", ""},
		{"delete somehow", "deleteProfile", `,"_id":"p","onAssignedUsers":"x"`, 400, "api.assert.invalid_argument", ""},
		{"many do not take it away", "mDeleteProfiles", `,"onAssignedUsers":"remove","body":{"ids":["p","admin"]}`, 206, "services.storage.incomplete_delete", `[]`},
		{"delete and take away", "deleteProfile", `,"_id":"p","onAssignedUsers":"remove"`, 200, "", `{"_id":"p"}`},
		{"somebody is left", "getUser", `,"_id":"u"`, 200, "", `{"_id":"u","_source":{"profileIds":["anonymous"]`},
		{"delete built-in", "deleteProfile", `,"_id":"admin","onAssignedUsers":"remove"`, 400, "security.profile.cannot_delete", ""},
		{"delete none", "deleteProfile", `,"_id":"p"`, 404, "security.profile.not_found", ""},
	})
}

func TestChangesOfUsers(t *testing.T) {
	n := newNode(t, true)
	const credentials = `"credentials":{"local":{"username":"joe","password":"x"}}`
	n.run(t, []scenario{
		{"restricted", "createRestrictedUser", `,"_id":"u","body":{"content":{"name":"U"},` + credentials + `}`, 200, "", `{"_id":"u","_source":{"name":"U","profileIds":["default"]`},
		{"restricted without a body", "createRestrictedUser", ``, 200, "", `{"_id":"kuid-`},
		{"no profiles for restricted ones", "createRestrictedUser", `,"body":{"content":{"profileIds":["admin"]}}`, 400, "api.assert.forbidden_argument", ""},
		{"not even none", "createRestrictedUser", `,"body":{"content":{"profileIds":null}}`, 400, "api.assert.forbidden_argument", ""},
		{"nor twice", "createRestrictedUser", `,"body":{"content":{},"profileIds":["admin"]}`, 200, "", `{"_id":"kuid-`},

		{"update", "updateUser", `,"_id":"u","body":{"age":5}`, 200, "", `{"_id":"u","_source":{"name":"U","profileIds":["default"],"_kuzzle_info":{"author":"-1"`},
		{"update profiles", "updateUser", `,"_id":"u","body":{"profileIds":["admin"]}`, 200, "", `{"_id":"u","_source":{"name":"U","profileIds":["admin"]`},
		{"update to no profiles", "updateUser", `,"_id":"u","body":{"profileIds":[]}`, 400, "api.assert.empty_argument", ""},
		{"update to unknown ones", "updateUser", `,"_id":"u","body":{"profileIds":["x"]}`, 404, "security.profile.not_found", ""},
		{"update nobody", "updateUser", `,"_id":"x","body":{"age":5}`, 404, "security.user.not_found", ""},
		{"update anonymous", "updateUser", `,"_id":"-1","body":{"profileIds":["admin"]}`, 404, "security.user.not_found", ""},
		{"update without a body", "updateUser", `,"_id":"u"`, 400, "api.assert.body_required", ""},

		{"replace", "replaceUser", `,"_id":"u","body":{"profileIds":["default"]}`, 200, "", `{"_id":"u","_source":{"profileIds":["default"],"_kuzzle_info"`},
		{"replace without profiles", "replaceUser", `,"_id":"u","body":{"name":"U"}`, 400, "api.assert.missing_argument", ""},
		{"replace nobody", "replaceUser", `,"_id":"x","body":{"profileIds":["default"]}`, 404, "security.user.not_found", ""},
		{"replace anonymous", "replaceUser", `,"_id":"anonymous","body":{"profileIds":["admin"]}`, 404, "security.user.not_found", ""},

		{"upsert who is there", "upsertUser", `,"_id":"u","body":{"content":{"profileIds":["default"],"a":1},"default":{"b":2},"credentials":{"local":{"username":"eve","password":"x"}}}`, 200, "", `{"_id":"u","_source":{"profileIds":["default"],"_kuzzle_info"`},
		{"his credentials stay", "getCredentials", `,"strategy":"local","_id":"u"`, 200, "", `{"username":"joe","kuid":"u"}`},
		{"upsert a new one", "upsertUser", `,"_id":"v","body":{"content":{"profileIds":["default"],"a":1},"default":{"a":0,"b":2},"credentials":{"local":{"username":"eve","password":"x"}}}`, 200, "", `{"_id":"v","_source":{"a":1,"b":2,"profileIds":["default"]`},
		{"upsert without profiles", "upsertUser", `,"_id":"w","body":{"content":{},"default":{"profileIds":["admin"]}}`, 400, "api.assert.missing_argument", ""},
		{"upsert without content", "upsertUser", `,"_id":"w","body":{}`, 400, "api.assert.missing_argument", ""},
		{"upsert, unknown strategy", "upsertUser", `,"_id":"w","body":{"content":{"profileIds":["default"]},"credentials":{"x":{}}}`, 400, "security.credentials.unknown_strategy", ""},
		{"upsert anonymous", "upsertUser", `,"_id":"-1","body":{"content":{"profileIds":["admin"]}}`, 404, "security.user.not_found", ""},

		{"many", "mGetUsers", `,"ids":["v","x","-1","u"]`, 200, "", `{"hits":[{"_id":"v"`},
		{"many, in the body", "mGetUsers", `,"body":{"ids":["x"]}`, 200, "", `{"hits":[]}`},
		{"many, no ids", "mGetUsers", ``, 400, "api.assert.missing_argument", ""},

		{"strategies", "getUserStrategies", `,"_id":"u"`, 200, "", `{"strategies":["local"],"total":1}`},
		{"strategies of anonymous", "getUserStrategies", `,"_id":"-1"`, 200, "", `{"strategies":[],"total":0}`},
		{"strategies of nobody", "getUserStrategies", `,"_id":"x"`, 404, "security.user.not_found", ""},
		{"rights", "getUserRights", `,"_id":"u"`, 200, "", `{"hits":[{"controller":"*","action":"*","index":"*","collection":"*","value":"allowed"}],"total":1}`},
		{"rights of nobody", "getUserRights", `,"_id":"x"`, 404, "security.user.not_found", ""},

		{"close a door", "updateRole", `,"_id":"default","body":{"controllers":{"auth":{"actions":{"login":true}}}}`, 200, "", ""},
		{"may", "checkRights", `,"userId":"u","body":{"controller":"auth","action":"login"}`, 200, "", `{"allowed":true}`},
		{"may not", "checkRights", `,"userId":"u","body":{"controller":"auth","action":"logout"}`, 200, "", `{"allowed":false}`},
		{"may not, anything", "checkRights", `,"userId":"u","body":{"controller":"x","action":"y"}`, 200, "", `{"allowed":false}`},
		{"may, nobody", "checkRights", `,"userId":"x","body":{"controller":"auth","action":"login"}`, 404, "security.user.not_found", ""},
		{"may, who", "checkRights", `,"body":{"controller":"auth","action":"login"}`, 400, "api.assert.missing_argument", ""},
		{"may, what", "checkRights", `,"userId":"u","body":{"controller":"auth"}`, 400, "api.assert.missing_argument", ""},

		{"delete some", "mDeleteUsers", `,"body":{"ids":["u","x","v","-1"]}`, 206, "services.storage.incomplete_delete", `["u","v"]`},
		{"credentials went too", "getCredentialsById", `,"strategy":"local","_id":"joe"`, 412, "", ""},
	})
}

func TestCredentials(t *testing.T) {
	newNode(t, true).run(t, []scenario{
		{"user", "createUser", `,"_id":"u","body":{"content":{"profileIds":["default"]}}`, 200, "", ""},
		{"none yet", "hasCredentials", `,"strategy":"local","_id":"u"`, 200, "", `false`},
		{"good", "validateCredentials", `,"strategy":"local","_id":"u","body":{"username":"joe","password":"x"}`, 200, "", `true`},
		{"bad", "validateCredentials", `,"strategy":"local","_id":"u","body":{"username":"joe"}`, 400, "", ""},
		{"nothing was made", "hasCredentials", `,"strategy":"local","_id":"u"`, 200, "", `false`},
		{"create", "createCredentials", `,"strategy":"local","_id":"u","body":{"username":"joe","password":"x"}`, 200, "", `{"username":"joe","kuid":"u"}`},
		{"create again", "createCredentials", `,"strategy":"local","_id":"u","body":{"username":"jim","password":"x"}`, 412, "", ""},
		{"create for nobody", "createCredentials", `,"strategy":"local","_id":"x","body":{"username":"eve","password":"x"}`, 404, "security.user.not_found", ""},
		{"create for anonymous", "createCredentials", `,"strategy":"local","_id":"-1","body":{"username":"eve","password":"x"}`, 404, "security.user.not_found", ""},
		{"create without a body", "createCredentials", `,"strategy":"local","_id":"u"`, 400, "api.assert.body_required", ""},
		{"has", "hasCredentials", `,"strategy":"local","_id":"u"`, 200, "", `true`},
		{"by name", "getCredentialsById", `,"strategy":"local","_id":"joe"`, 200, "", `{"username":"joe","kuid":"u"}`},
		{"update", "updateCredentials", `,"strategy":"local","_id":"u","body":{"username":"jim"}`, 200, "", `{"username":"jim","kuid":"u"}`},
		{"update of somebody else", "updateCredentials", `,"strategy":"local","_id":"u","body":{"kuid":"v","username":"jim"}`, 400, "", ""},
		{"update of nobody", "updateCredentials", `,"strategy":"local","_id":"x","body":{"username":"jim"}`, 404, "security.user.not_found", ""},
		{"fields", "getCredentialFields", `,"strategy":"local"`, 200, "", `["username","password"]`},
		{"fields of all", "getAllCredentialFields", ``, 200, "", `{"local":["username","password"]}`},
		{"delete", "deleteCredentials", `,"strategy":"local","_id":"u"`, 200, "", `{"acknowledged":true}`},
		{"delete again", "deleteCredentials", `,"strategy":"local","_id":"u"`, 412, "", ""},
		{"unknown strategy", "createCredentials", `,"strategy":"x","_id":"u","body":{}`, 400, "security.credentials.unknown_strategy", ""},
		{"unknown strategy, delete", "deleteCredentials", `,"strategy":"x","_id":"u"`, 400, "security.credentials.unknown_strategy", ""},
		{"unknown strategy, fields", "getCredentialFields", `,"strategy":"x"`, 400, "security.credentials.unknown_strategy", ""},
		{"unknown strategy, has", "hasCredentials", `,"strategy":"x","_id":"u"`, 400, "security.credentials.unknown_strategy", ""},
		{"unknown strategy, by name", "getCredentialsById", `,"strategy":"x","_id":"u"`, 400, "security.credentials.unknown_strategy", ""},
		{"no strategy", "hasCredentials", `,"_id":"u"`, 400, "api.assert.missing_argument", ""},
		{"no user", "hasCredentials", `,"strategy":"local"`, 400, "api.assert.missing_argument", ""},
	})
}

// ids asks a search or a scroll and gives what it found.
func (n *node) ids(t *testing.T, action, arguments string) (ids []string, total int, scroll string) {
	t.Helper()
	a := n.Ask(t, `{"controller":"security","action":"`+action+`"`+arguments+`}`)
	if a.Error != nil {
		t.Fatalf("%s %s: %v", action, arguments, a.Error)
	}
	var page struct {
		Hits []struct {
			ID     string         `json:"_id"`
			Source jsontext.Value `json:"_source"`
		} `json:"hits"`
		Total    int    `json:"total"`
		ScrollID string `json:"scrollId"`
	}
	must(t, json.Unmarshal(a.Result, &page, json.RejectUnknownMembers(true)))
	for _, h := range page.Hits {
		if h.Source == nil {
			t.Errorf("%s: a hit without source", action)
		}
		ids = append(ids, h.ID)
	}
	return ids, page.Total, page.ScrollID
}

func TestSearches(t *testing.T) {
	n := newNode(t, true)
	for i := range 30 {
		n.run(t, []scenario{{"user", "createUser", fmt.Sprintf(`,"_id":"u%02d","refresh":"false","body":{"content":{"profileIds":["%s"]}}`, i, []string{"default", "admin"}[i%2]), 200, "", ""}})
	}
	n.run(t, []scenario{
		{"refresh", "refresh", `,"collection":"users"`, 200, "", `null`},
		{"refresh of anything else", "refresh", `,"collection":"config"`, 400, "api.assert.unexpected_argument", ""},
		{"refresh of nothing", "refresh", ``, 400, "api.assert.missing_argument", ""},
		{"role", "createRole", `,"_id":"r",` + aRole, 200, "", ""},
		{"another role", "createRole", `,"_id":"s","body":{"controllers":{"*":{"actions":{"*":true}}}}`, 200, "", ""},
		{"and one more", "createRole", `,"_id":"t","force":true,"body":{"controllers":{"x":{"actions":{"*":true}}}}`, 200, "", ""},
		{"profile", "createProfile", `,"_id":"p","body":{"policies":[{"roleId":"r"},{"roleId":"s"}],"tags":["a"]}`, 200, "", ""},
		{"another profile", "createProfile", `,"_id":"q","body":{"policies":[{"roleId":"s"}]}`, 200, "", ""},
	})
	for _, test := range []struct {
		action, arguments string
		want              string
		total             int
	}{
		{"searchUsers", `,"size":2,"body":{"sort":["profileIds"],"query":{"term":{"profileIds":"admin"}}}`, "u01 u03", 15},
		{"searchUsers", `,"size":2,"from":14,"body":{"sort":["profileIds"],"query":{"term":{"profileIds":"admin"}}}`, "u29", 15},
		{"searchUsers", `,"size":2,"lang":"koncorde","body":{"query":{"equals":{"profileIds":"default"}}}`, "u00 u02", 15},
		{"searchUsers", `,"body":{"query":{"ids":{"values":["u07"]}}}`, "u07", 1},
		{"searchUsers", `,"size":0`, "", 30},
		{"searchProfiles", ``, "p q", 2},
		{"searchProfiles", `,"body":{"roles":["r"]}`, "p", 1},
		{"searchProfiles", `,"lang":"koncorde","body":{"roles":["r","s"]}`, "p q", 2},
		{"searchProfiles", `,"body":{"roles":[]}`, "", 0},
		{"searchProfiles", `,"body":{"query":{"term":{"tags":"a"}}}`, "p", 1},
		{"searchRoles", ``, "r s t", 3},
		{"searchRoles", `,"scroll":"10s"`, "r s t", 3},
		{"searchRoles", `,"body":{"controllers":["auth"]}`, "r s", 2},
		{"searchRoles", `,"size":1,"from":1,"body":{"controllers":["auth"]}`, "s", 2},
		{"searchRoles", `,"from":9,"body":{"controllers":["auth"]}`, "", 2},
		{"searchRoles", `,"body":{"controllers":[]}`, "r s t", 3},
	} {
		ids, total, scroll := n.ids(t, test.action, test.arguments)
		if got := strings.Join(ids, " "); got != test.want || total != test.total || scroll != "" {
			t.Errorf("%s %s: %s of %d, want %s of %d (%s)", test.action, test.arguments, got, total, test.want, test.total, scroll)
		}
	}
	n.run(t, []scenario{
		{"too much", "searchUsers", `,"size":21`, 413, "services.storage.get_limit_exceeded", ""},
		{"unknown key", "searchUsers", `,"body":{"term":{"a":1}}`, 400, "services.storage.invalid_search_query", ""},
		{"script", "searchUsers", `,"body":{"query":{"script":{"script":"1"}}}`, 400, "services.storage.invalid_query_keyword", ""},
		{"lookup elsewhere", "searchUsers", `,"body":{"query":{"terms":{"profileIds":{"index":"x","id":"y","path":"z"}}}}`, 400, "services.storage.unexpected_bad_request", ""},
		{"unknown language", "searchUsers", `,"lang":"sql"`, 400, "api.assert.invalid_argument", ""},
		{"roles and query", "searchProfiles", `,"body":{"roles":["r"],"query":{}}`, 400, "api.assert.mutually_exclusive", ""},
		{"controllers and query", "searchRoles", `,"body":{"controllers":["r"],"query":{}}`, 400, "api.assert.mutually_exclusive", ""},
		{"roles are no list", "searchProfiles", `,"body":{"roles":{"index":"x"}}`, 400, "api.assert.invalid_type", ""},
		{"odd scroll", "searchUsers", `,"scroll":"2h"`, 400, "services.storage.scroll_duration_too_great", ""},
	})
}

func TestSearchesByCredentials(t *testing.T) {
	n := newNode(t, true)
	for _, name := range []string{"joe", "jim", "eve"} {
		n.run(t, []scenario{{"user", "createUser", `,"_id":"u-` + name + `","body":{"content":{"profileIds":["default"]},"credentials":{"local":{"username":"` + name + `","password":"x"}}}`, 200, "", ""}})
	}
	n.run(t, []scenario{
		{"renamed", "updateCredentials", `,"strategy":"local","_id":"u-eve","body":{"username":"jan"}`, 200, "", ""},
		{"new password", "updateCredentials", `,"strategy":"local","_id":"u-joe","body":{"password":"y"}`, 200, "", ""},
	})
	must(t, n.Engine.Refresh(t.Context(), storage.Collection{Scope: storage.Internal, Index: "plugin-kuzzle-plugin-auth-passport-local", Name: "users"}))
	const local = `,"strategy":"local"`
	n.run(t, []scenario{
		{"all", "searchUsersByCredentials", local + `,"body":{"sort":[{"username":"desc"}]}`, 200, "", `{"hits":[{"username":"joe","kuid":"u-joe"},{"username":"jim","kuid":"u-jim"},{"username":"jan","kuid":"u-eve"}],"total":3}`},
		{"some", "searchUsersByCredentials", local + `,"from":1,"size":1,"body":{"query":{"prefix":{"username":"j"}},"sort":["username"]}`, 200, "", `{"hits":[{"username":"jim","kuid":"u-jim"}],"total":3}`},
		{"one", "searchUsersByCredentials", local + `,"body":{"query":{"bool":{"must":[{"term":{"username":"joe"}}],"must_not":[{"term":{"kuid":"x"}}]}}}`, 200, "", `{"hits":[{"username":"joe","kuid":"u-joe"}],"total":1}`},
		{"in koncorde", "searchUsersByCredentials", local + `,"lang":"koncorde","body":{"query":{"equals":{"kuid":"u-eve"}}}`, 200, "", `{"hits":[{"username":"jan","kuid":"u-eve"}],"total":1}`},
		{"the old name", "searchUsersByCredentials", local + `,"body":{"query":{"term":{"username":"eve"}}}`, 200, "", `{"hits":[],"total":0}`},
		{"what else is in the body", "searchUsersByCredentials", local + `,"body":{"_source":["hash"],"aggs":{"a":{"terms":{"field":"hash"}}},"query":{"term":{"username":"joe"}}}`, 200, "", `{"hits":[{"username":"joe","kuid":"u-joe"}],"total":1}`},
		{"by the hash", "searchUsersByCredentials", local + `,"body":{"query":{"prefix":{"hash":"a"}}}`, 403, "", ""},
		{"by the hash, inside", "searchUsersByCredentials", local + `,"body":{"query":{"bool":{"should":[{"exists":{"field":"ha*"}}]}}}`, 403, "", ""},
		{"in the order of hashes", "searchUsersByCredentials", local + `,"body":{"sort":["hash"]}`, 403, "", ""},
		{"many fields", "searchUsersByCredentials", local + `,"body":{"query":{"multi_match":{"query":"x","fields":["*"]}}}`, 400, "", ""},
		{"expressions", "searchUsersByCredentials", local + `,"body":{"query":{"regexp":{"username":"(a+)+"}}}`, 400, "", ""},
		{"too many", "searchUsersByCredentials", local + `,"size":21`, 413, "services.storage.get_limit_exceeded", ""},
		{"unknown strategy", "searchUsersByCredentials", `,"strategy":"x"`, 400, "security.credentials.unknown_strategy", ""},
		{"no strategy", "searchUsersByCredentials", ``, 400, "api.assert.missing_argument", ""},
	})
	must(t, n.Tokens.Strategies().Add(auth.Named{Name: "plain", Strategy: plain{}}))
	n.run(t, []scenario{
		{"cannot search", "searchUsersByCredentials", `,"strategy":"plain"`, 500, "plugin.strategy.missing_optional_method", ""},
		{"shows nothing", "getCredentials", `,"strategy":"plain","_id":"u-joe"`, 200, "", `{}`},
		{"shows nothing by name", "getCredentialsById", `,"strategy":"plain","_id":"u-joe"`, 200, "", `{}`},
	})
}

// plain is a strategy with nothing that it may leave out.
type plain struct{ auth.Strategy }

func TestScrolls(t *testing.T) {
	n := newNode(t, true)
	for i := range 5 {
		n.run(t, []scenario{{"user", "createUser", fmt.Sprintf(`,"_id":"u%d","body":{"content":{"profileIds":["default"]}}`, i), 200, "", ""}})
	}
	ids, total, scroll := n.ids(t, "searchUsers", `,"size":2,"scroll":"10s"`)
	for scroll != "" && len(ids) < 5 {
		more, again, next := n.ids(t, "scrollUsers", `,"scrollId":"`+scroll+`"`)
		if again != total || len(more) == 0 {
			t.Fatalf("%d of %d, then %d", len(more), total, again)
		}
		ids, scroll = append(ids, more...), next
	}
	if got := strings.Join(ids, " "); got != "u0 u1 u2 u3 u4" || total != 5 {
		t.Errorf("%s of %d", got, total)
	}
	_, _, scroll = n.ids(t, "searchUsers", `,"size":2,"scroll":"10s"`)
	n.run(t, []scenario{
		{"profiles by a scroll over users", "scrollProfiles", `,"scrollId":"` + scroll + `"`, 404, "services.storage.unknown_scroll_id", ""},
		{"unknown", "scrollUsers", `,"scrollId":"x"`, 404, "services.storage.unknown_scroll_id", ""},
		{"none", "scrollUsers", ``, 400, "api.assert.missing_argument", ""},
	})
}

func TestMappings(t *testing.T) {
	newNode(t, true).run(t, []scenario{
		{"users", "getUserMapping", ``, 200, "", `{"mapping":{"profileIds":{"type":"keyword"}}}`},
		{"profiles", "getProfileMapping", ``, 200, "", `{"mapping":{`},
		{"roles", "getRoleMapping", ``, 200, "", `{"mapping":{`},
		{"add", "updateUserMapping", `,"body":{"dynamic":"true","properties":{"age":{"type":"integer"}}}`, 200, "", `{"dynamic":"false","properties":{`},
		{"it is there", "getUserMapping", ``, 200, "", `{"mapping":{"age":{"type":"integer"},"profileIds":{"type":"keyword"}}}`},
		{"take away", "updateUserMapping", `,"body":{"properties":{"profileIds":{"type":"text"}}}`, 400, "services.storage.cannot_change_mapping", ""},
		{"nonsense", "updateRoleMapping", `,"body":{"properties":{"x":{"type":"y"}}}`, 400, "services.storage.invalid_mapping_type", ""},
		{"nothing", "updateProfileMapping", `,"body":{}`, 400, "api.assert.missing_argument", ""},
		{"no body", "updateProfileMapping", ``, 400, "api.assert.body_required", ""},
		{"found by it", "createUser", `,"_id":"u","body":{"content":{"profileIds":["default"],"age":5}}`, 200, "", ""},
		{"found by it", "searchUsers", `,"body":{"query":{"range":{"age":{"gt":4}}}}`, 200, "", `{"hits":[{"_id":"u"`},
	})
}

// The rights of somebody who is demoted, or whose profile or role is, are gone with the next request.
func TestDemoted(t *testing.T) {
	n := newNode(t, true)
	n.run(t, []scenario{
		{"role", "createRole", `,"_id":"r","body":{"controllers":{"security":{"actions":{"getUser":true}}}}`, 200, "", ""},
		{"profile", "createProfile", `,"_id":"p","body":{"policies":[{"roleId":"r"}]}`, 200, "", ""},
		{"user", "createUser", `,"_id":"u","body":{"content":{"profileIds":["p"]}}`, 200, "", ""},
		{"no rights", "createRole", `,"_id":"none","body":{"controllers":{"auth":{"actions":{"logout":true}}}}`, 200, "", ""},
		{"no rights", "createProfile", `,"_id":"none","body":{"policies":[{"roleId":"none"}]}`, 200, "", ""},
	})
	token, err := n.Tokens.Issue(t.Context(), "u", time.Hour)
	must(t, err)
	as := `,"jwt":"` + token.Text + `","_id":"u"`
	for _, change := range [][2]scenario{
		{
			{"profile loses the role", "updateProfile", `,"_id":"p","body":{"policies":[{"roleId":"none"}]}`, 200, "", ""},
			{"profile gets it back", "updateProfile", `,"_id":"p","body":{"policies":[{"roleId":"r"}]}`, 200, "", ""},
		},
		{
			{"user loses the profile", "updateUser", `,"_id":"u","body":{"profileIds":["none"]}`, 200, "", ""},
			{"user gets it back", "replaceUser", `,"_id":"u","body":{"profileIds":["p"]}`, 200, "", ""},
		},
		{
			{"role loses the action", "updateRole", `,"_id":"r","body":{"controllers":{"auth":{"actions":{"logout":true}}}}`, 200, "", ""},
			{"role gets it back", "updateRole", `,"_id":"r","body":{"controllers":{"security":{"actions":{"getUser":true}}}}`, 200, "", ""},
		},
	} {
		n.run(t, []scenario{
			{"before", "getUser", as, 200, "", `{"_id":"u"`},
			change[0],
			{change[0].name, "getUser", as, 403, "security.rights.forbidden", ""},
			{"no way back", "updateUser", as + `,"body":{"profileIds":["admin"]}`, 403, "security.rights.forbidden", ""},
			change[1],
		})
	}
	n.run(t, []scenario{
		{"close the door", "restrictDefaultRights", ``, 200, "", ``},
		{"it stays open for others", "getUser", as, 200, "", `{"_id":"u"`},
	})
}

func TestMoreStorageFailures(t *testing.T) {
	n := newNode(t, true)
	n.run(t, []scenario{{"somebody", "createUser", `,"_id":"u","body":{"content":{"profileIds":["default"]}}`, 200, "", ""}})
	n.FailEngine(func(_ string, c storage.Collection) error {
		if c.Scope == storage.Internal {
			return kerror.ServicesStorageUnknownCollection.New(c.Index, c.Name)
		}
		return nil
	})
	for action, arguments := range map[string]string{
		"createRole": `,"_id":"r",` + aRole, "deleteRole": `,"_id":"r"`, "mDeleteRoles": `,"body":{"ids":["r"]}`,
		"createProfile": `,"_id":"p",` + aProfile, "createOrReplaceProfile": `,"_id":"p",` + aProfile,
		"updateProfile": `,"_id":"p",` + aProfile, "deleteProfile": `,"_id":"p"`, "getProfileRights": `,"_id":"p"`,
		"updateUser": `,"_id":"u","body":{"a":1}`, "replaceUser": `,"_id":"u","body":{"profileIds":["default"]}`,
		"upsertUser": `,"_id":"u","body":{"content":{"profileIds":["default"]}}`, "getUserRights": `,"_id":"x"`,
		"mGetUsers": `,"ids":["u"]`, "mGetProfiles": `,"body":{"ids":["u"]}`, "mGetRoles": `,"body":{"ids":["u"]}`,
		"searchUsers": ``, "searchProfiles": ``, "searchRoles": ``, "getUserMapping": ``, "updateUserMapping": `,"body":{"properties":{}}`,
		"refresh": `,"collection":"users"`, "createCredentials": `,"strategy":"local","_id":"u","body":{"username":"a","password":"b"}`,
		"hasCredentials": `,"strategy":"local","_id":"u"`, "restrictDefaultRights": ``,
	} {
		a := n.Ask(t, `{"controller":"security","action":"`+action+`"`+arguments+`}`)
		if a.Error == nil || a.Error.ID != "core.fatal.service_unavailable" || strings.Contains(a.Error.Message, "kuzzle") {
			t.Errorf("%s: %v %s", action, a.Error, a.Result)
		}
	}
}
