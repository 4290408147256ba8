package security_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/controllers/controllertest"
	"github.com/sluicehq/sluice/controllers/security"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type node struct{ *controllertest.Node }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newNode(t testing.TB, dev bool) *node {
	t.Helper()
	n := &node{controllertest.Start(t, controllertest.Options{Dev: dev, Local: true})}
	nothing := func(context.Context, *protocol.Request) (any, error) { return protocol.Absent, nil }
	n.Contribute(t, "auth", []router.Action{
		{Controller: "auth", Name: "login", Handler: nothing}, {Controller: "auth", Name: "logout", Handler: nothing},
	})
	n.Contribute(t, "security", security.Actions(security.Options{
		Accounts: n.Tokens, Users: n.Users, Snapshot: n.Routes.Current, MaxWrite: 5, RestrictedProfiles: []string{"default"},
		Paging: target.Paging{MaxFetch: 20, MaxScroll: time.Minute},
	}))
	return n
}

// scenario is action and arguments of a request, with its answer. result is compared as a prefix.
type scenario struct {
	name, action, arguments string
	status                  int
	id, result              string
}

func (n *node) run(t *testing.T, scenarios []scenario) {
	t.Helper()
	for _, s := range scenarios {
		a := n.Ask(t, `{"controller":"security","action":"`+s.action+`"`+s.arguments+`}`)
		id := ""
		if a.Error != nil {
			id = a.Error.ID
		}
		if a.Status != s.status || id != s.id || !strings.HasPrefix(string(a.Result), s.result) {
			t.Errorf("%s: %d %s %s (%v)", s.name, a.Status, id, a.Result, a.Error)
		}
	}
}

func TestUsers(t *testing.T) {
	newNode(t, true).run(t, []scenario{
		{"create", "createUser", `,"_id":"u","body":{"content":{"profileIds":["default"],"name":"U"},"credentials":{"local":{"username":"joe","password":"x"}}}`, 200, "", `{"_id":"u","_source":{"profileIds":["default"],"name":"U","_kuzzle_info":{"author":"-1","createdAt":`},
		{"create again", "createUser", `,"_id":"u","body":{"content":{"profileIds":["default"]}}`, 412, "security.user.already_exists", ""},
		{"create anonymous", "createUser", `,"_id":"-1","body":{"content":{"profileIds":["default"]}}`, 412, "security.user.already_exists", ""},
		{"generated id", "createUser", `,"body":{"content":{"profileIds":["default"]}}`, 200, "", `{"_id":"kuid-`},
		{"uuid", "createUser", `,"kuid":"uuid","body":{"content":{"profileIds":["default"]}}`, 200, "", `{"_id":"kuid-`},
		{"unknown kind of id", "createUser", `,"kuid":"x","body":{"content":{"profileIds":["default"]}}`, 400, "api.assert.invalid_argument", ""},
		{"no body", "createUser", ``, 400, "api.assert.body_required", ""},
		{"no content", "createUser", `,"body":{}`, 400, "api.assert.missing_argument", ""},
		{"no profiles", "createUser", `,"body":{"content":{}}`, 400, "api.assert.missing_argument", ""},
		{"profiles are no list", "createUser", `,"body":{"content":{"profileIds":"default"}}`, 400, "api.assert.invalid_type", ""},
		{"empty profiles", "createUser", `,"body":{"content":{"profileIds":[]}}`, 400, "api.assert.empty_argument", ""},
		{"unknown profile", "createUser", `,"body":{"content":{"profileIds":["x"]}}`, 404, "security.profile.not_found", ""},
		{"unknown strategy", "createUser", `,"_id":"v","body":{"content":{"profileIds":["default"]},"credentials":{"ldap":{}}}`, 400, "security.credentials.unknown_strategy", ""},
		{"credentials are no object", "createUser", `,"_id":"v","body":{"content":{"profileIds":["default"]},"credentials":{"local":5}}`, 400, "api.assert.invalid_type", ""},
		{"name is taken", "createUser", `,"_id":"v","body":{"content":{"profileIds":["default"]},"credentials":{"local":{"username":"joe","password":"x"}}}`, 412, "", ""},
		{"kuid in credentials", "createUser", `,"_id":"v","body":{"content":{"profileIds":["default"]},"credentials":{"local":{"username":"v","password":"x","kuid":"u"}}}`, 400, "", ""},
		{"nothing stayed of it", "getUser", `,"_id":"v"`, 404, "security.user.not_found", ""},

		{"get", "getUser", `,"_id":"u"`, 200, "", `{"_id":"u","_source":{"profileIds":["default"],"name":"U"`},
		{"get anonymous", "getUser", `,"_id":"-1"`, 200, "", `{"_id":"-1","_source":{"profileIds":["anonymous"]`},
		{"get anonymous by name", "getUser", `,"_id":"anonymous"`, 200, "", `{"_id":"-1"`},
		{"get nobody", "getUser", ``, 400, "api.assert.missing_argument", ""},

		{"credentials", "getCredentials", `,"strategy":"local","_id":"u"`, 200, "", `{"username":"joe","kuid":"u"}`},
		{"no credentials", "getCredentials", `,"strategy":"local","_id":"x"`, 412, "", ""},
		{"credentials of an unknown strategy", "getCredentials", `,"strategy":"x","_id":"u"`, 400, "security.credentials.unknown_strategy", ""},
		{"credentials of no strategy", "getCredentials", `,"_id":"u"`, 400, "api.assert.missing_argument", ""},

		{"revoke", "revokeTokens", `,"_id":"u"`, 200, "", `null`},
		{"revoke nobody's", "revokeTokens", ``, 400, "api.assert.missing_argument", ""},

		{"delete", "deleteUser", `,"_id":"u"`, 200, "", `{"_id":"u"}`},
		{"delete again", "deleteUser", `,"_id":"u"`, 404, "security.user.not_found", ""},
		{"delete anonymous", "deleteUser", `,"_id":"-1"`, 404, "security.user.not_found", ""},
		{"the name is free", "createUser", `,"_id":"v","body":{"content":{"profileIds":["default"]},"credentials":{"local":{"username":"joe","password":"x"}}}`, 200, "", `{"_id":"v"`},
	})
}

func TestFirstAdmin(t *testing.T) {
	n := newNode(t, false)
	n.run(t, []scenario{
		{"anonymous may do nothing else", "createUser", `,"body":{"content":{"profileIds":["admin"]}}`, 401, "security.rights.unauthorized", ""},
		{"profiles are not the client's", "createFirstAdmin", `,"body":{"content":{"profileIds":["admin"]}}`, 400, "api.assert.forbidden_argument", ""},
		{"bad credentials", "createFirstAdmin", `,"_id":"boss","reset":true,"body":{"credentials":{"local":{"username":"boss"}}}`, 400, "", ""},
		{"good", "createFirstAdmin", `,"_id":"boss","reset":true,"body":{"content":{"name":"B"},"credentials":{"local":{"username":"boss","password":"x"}}}`, 200, "", `{"_id":"boss","_source":{"name":"B","profileIds":["admin"]`},
		{"again", "createFirstAdmin", `,"_id":"other","body":{}`, 401, "security.rights.unauthorized", ""},
	})
	token, err := n.Tokens.Issue(t.Context(), "boss", time.Hour)
	must(t, err)
	n.run(t, []scenario{
		{"again, by the administrator", "createFirstAdmin", `,"jwt":"` + token.Text + `","_id":"other","body":{}`, 412, "api.process.admin_exists", ""},
		{"the standard is stored", "getRole", `,"jwt":"` + token.Text + `","_id":"anonymous"`, 200, "", `{"_id":"anonymous","_source":{"controllers":{"auth":{"actions":{"checkToken":true,"getCurrentUser":true,"getMyRights":true,"login":true}},"server":{"actions":{"publicApi":true,"openapi":true}}},"_kuzzle_info":{"author":"-1"`},
		{"so are the profiles", "getProfile", `,"jwt":"` + token.Text + `","_id":"default"`, 200, "", `{"_id":"default","_source":{"policies":[{"roleId":"default"}],"rateLimit":10,`},
	})
}

func TestFirstAdminInDevelopment(t *testing.T) {
	n := newNode(t, true)
	n.run(t, []scenario{
		{"nobody could log in", "createFirstAdmin", ``, 400, "api.assert.missing_argument", ""},
		{"nor with nothing", "createFirstAdmin", `,"reset":true,"body":{"credentials":{}}`, 400, "api.assert.missing_argument", ""},
		{"without reset", "createFirstAdmin", `,"body":{"credentials":{"local":{"username":"boss","password":"x"}}}`, 200, "", `{"_id":"kuid-`},
	})
	if !n.Users.WideOpen() {
		t.Error("rights changed without reset")
	}
	n.run(t, []scenario{{"again", "createFirstAdmin", `,"reset":true`, 412, "api.process.admin_exists", ""}})
	if !n.Users.WideOpen() {
		t.Error("a refused call changed the rights")
	}
}

func TestManyFirstAdmins(t *testing.T) {
	n := newNode(t, true)
	var made atomic.Int32
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			a := n.Ask(t, fmt.Sprintf(`{"controller":"security","action":"createFirstAdmin","_id":"a%d","body":{"credentials":{"local":{"username":"n%d","password":"x"}}}}`, i, i))
			if a.Status == 200 {
				made.Add(1)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 {
		t.Errorf("%d first administrators", made.Load())
	}
}

func TestRoles(t *testing.T) {
	const good = `,"body":{"controllers":{"auth":{"actions":{"login":true,"logout":false}}}}`
	newNode(t, true).run(t, []scenario{
		{"create", "createOrReplaceRole", `,"_id":"r"` + good, 200, "", `{"_id":"r","_source":{"controllers":{"auth":{"actions":{"login":true,"logout":false}}},"_kuzzle_info":`},
		{"get", "getRole", `,"_id":"r"`, 200, "", `{"_id":"r","_source":{"controllers":{"auth"`},
		{"get a built-in one", "getRole", `,"_id":"admin"`, 200, "", `{"_id":"admin","_source":{"controllers":{"*"`},
		{"get none", "getRole", `,"_id":"x"`, 404, "security.role.not_found", ""},
		{"get without an id", "getRole", ``, 400, "api.assert.missing_argument", ""},
		{"update", "updateRole", `,"_id":"r","body":{"controllers":{"*":{"actions":{"*":true}}}}`, 200, "", `{"_id":"r","_source":{"controllers":{"*"`},
		{"update none", "updateRole", `,"_id":"x"` + good, 404, "services.storage.not_found", ""},
		{"update a built-in one", "updateRole", `,"_id":"default"` + good, 200, "", `{"_id":"default"`},
		{"no body", "updateRole", `,"_id":"r"`, 400, "api.assert.body_required", ""},
		{"no controllers", "updateRole", `,"_id":"r","body":{}`, 400, "api.assert.missing_argument", ""},
		{"no actions", "updateRole", `,"_id":"r","body":{"controllers":{"auth":{"actions":{}}}}`, 400, "api.assert.empty_argument", ""},
		{"not a flag", "updateRole", `,"_id":"r","body":{"controllers":{"auth":{"actions":{"login":"true"}}}}`, 400, "api.assert.invalid_type", ""},
		{"unknown controller", "updateRole", `,"_id":"r","body":{"controllers":{"x":{"actions":{"login":true}}}}`, 400, "security.role.unknown_controller", ""},
		{"unknown action", "updateRole", `,"_id":"r","body":{"controllers":{"auth":{"actions":{"x":true}}}}`, 400, "security.role.unknown_action", ""},
		{"unknown, by force", "updateRole", `,"_id":"r","force":true,"body":{"controllers":{"x":{"actions":{"y":true}}}}`, 200, "", `{"_id":"r"`},
		{"nobody could log in", "updateRole", `,"_id":"anonymous","body":{"controllers":{"auth":{"actions":{"logout":true}}}}`, 400, "security.role.login_required", ""},
		{"get profile", "getProfile", `,"_id":"anonymous"`, 200, "", `{"_id":"anonymous","_source":{"policies":[{"roleId":"anonymous"}],"rateLimit":0}}`},
		{"get no profile", "getProfile", `,"_id":"x"`, 404, "security.profile.not_found", ""},
		{"get profile without an id", "getProfile", ``, 400, "api.assert.missing_argument", ""},
		{"close the door", "updateRole", `,"_id":"anonymous"` + good, 200, "", `{"_id":"anonymous"`},
		{"and it is closed", "getRole", `,"_id":"r"`, 401, "security.rights.unauthorized", ""},
	})
}

func TestStorageFailure(t *testing.T) {
	n := newNode(t, true)
	n.FailEngine(func(string, storage.Collection) error { return kerror.ServicesStorageUnknownIndex.New("kuzzle") })
	n.run(t, []scenario{
		{"getUser", "getUser", `,"_id":"u"`, 500, "core.fatal.service_unavailable", ""},
		{"getRole", "getRole", `,"_id":"u"`, 500, "core.fatal.service_unavailable", ""},
		{"getProfile", "getProfile", `,"_id":"u"`, 500, "core.fatal.service_unavailable", ""},
		{"getCredentials", "getCredentials", `,"strategy":"local","_id":"u"`, 500, "core.fatal.service_unavailable", ""},
		{"createUser", "createUser", `,"_id":"u","body":{"content":{"profileIds":["default"]}}`, 500, "core.fatal.service_unavailable", ""},
		{"createFirstAdmin", "createFirstAdmin", `,"_id":"u"`, 500, "core.fatal.service_unavailable", ""},
		{"deleteUser", "deleteUser", `,"_id":"u"`, 500, "core.fatal.service_unavailable", ""},
		{"revokeTokens", "revokeTokens", `,"_id":"u"`, 500, "core.fatal.service_unavailable", ""},
	})
}

func TestRoutes(t *testing.T) {
	n := newNode(t, true)
	var got []string
	for _, a := range n.Routes.Current().Actions() {
		for _, r := range a.Routes {
			got = append(got, r.Verb+" "+r.Path+" "+a.Name)
		}
	}
	slices.Sort(got)
	want := `DELETE /credentials/:strategy/:_id deleteCredentials
DELETE /profiles/:_id deleteProfile
DELETE /roles/:_id deleteRole
DELETE /users/:_id deleteUser
DELETE /users/:_id/tokens revokeTokens
DELETE /users/:userId/api-keys/:_id deleteApiKey
GET /credentials/:strategy/:_id getCredentials
GET /credentials/:strategy/:_id/_byId getCredentialsById
GET /credentials/:strategy/:_id/_exists hasCredentials
GET /credentials/:strategy/_fields getCredentialFields
GET /credentials/_fields getAllCredentialFields
GET /profiles/:_id getProfile
GET /profiles/:_id/_rights getProfileRights
GET /profiles/_mapping getProfileMapping
GET /profiles/_scroll/:scrollId scrollProfiles
GET /roles/:_id getRole
GET /roles/_mapping getRoleMapping
GET /users/:_id getUser
GET /users/:_id/_rights getUserRights
GET /users/:_id/_strategies getUserStrategies
GET /users/_mGet mGetUsers
GET /users/_mapping getUserMapping
GET /users/_scroll/:scrollId scrollUsers
POST /_checkRights/:userId checkRights
POST /_createFirstAdmin createFirstAdmin
POST /_createFirstAdmin/:_id createFirstAdmin
POST /_restrictDefaultRights restrictDefaultRights
POST /_security/:collection/_refresh refresh
POST /credentials/:strategy/:_id/_create createCredentials
POST /credentials/:strategy/:_id/_validate validateCredentials
POST /credentials/:strategy/users/_search searchUsersByCredentials
POST /profiles/:_id/_create createProfile
POST /profiles/_mDelete mDeleteProfiles
POST /profiles/_mGet mGetProfiles
POST /profiles/_search searchProfiles
POST /roles/:_id/_create createRole
POST /roles/_mDelete mDeleteRoles
POST /roles/_mGet mGetRoles
POST /roles/_search searchRoles
POST /users/:_id/_create createUser
POST /users/:_id/_createRestricted createRestrictedUser
POST /users/:_id/_upsert upsertUser
POST /users/:userId/api-keys/_create createApiKey
POST /users/:userId/api-keys/_search searchApiKeys
POST /users/_create createUser
POST /users/_createRestricted createRestrictedUser
POST /users/_mDelete mDeleteUsers
POST /users/_mGet mGetUsers
POST /users/_search searchUsers
PUT /credentials/:strategy/:_id/_update updateCredentials
PUT /profiles/:_id createOrReplaceProfile
PUT /profiles/:_id/_update updateProfile
PUT /profiles/_mapping updateProfileMapping
PUT /roles/:_id createOrReplaceRole
PUT /roles/:_id/_update updateRole
PUT /roles/_mapping updateRoleMapping
PUT /users/:_id/_replace replaceUser
PUT /users/:_id/_update updateUser
PUT /users/_mapping updateUserMapping`
	if text := strings.Join(got, "\n"); text != want {
		t.Error(text)
	}
}
