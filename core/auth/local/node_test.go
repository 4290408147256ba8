package local_test

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

const (
	ids   = "plugin.kuzzle-plugin-auth-passport-local."
	reset = "/_plugin/kuzzle-plugin-auth-passport-local/password/reset"
)

// site is a node with an administrator and the standard rights.
type site struct {
	*nodetest.Node
	admin string // the header of the administrator
	audit string // the file of the audit log
}

func startSite(t testing.TB, configure func(*config.Local)) site {
	t.Helper()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	var file string
	n := nodetest.Start(t, nodetest.Options{Configure: func(c *config.Config) {
		c.Security.PasswordHash = config.PasswordHash{MemoryKiB: 64, Iterations: 1, Parallelism: 1}
		c.Audit.Sync, file = true, c.Audit.File(c.Server.DataDir)
		configure(&c.Security.Local)
	}})
	n.Must("POST", "/_createFirstAdmin/root?reset=true", `{"credentials":{"local":{"username":"root","password":"admin-Secret-1"}}}`)
	return site{n, "Authorization: Bearer " + n.Login("root", "admin-Secret-1", ""), file}
}

func wants(t testing.TB, a nodetest.Answer, status int, id string) {
	t.Helper()
	if got, _ := a.Get("error.id").(string); a.Status != status || got != id {
		t.Errorf("want %d %s: %s", status, id, a.Body)
	}
}

func body(password string, token any) string {
	return fmt.Sprintf(`{"password":%q,"token":%q}`, password, token)
}

// TestPasswordThatAnAdministratorSet goes the way of the Admin Console: a refused login, its token, a new password.
func TestPasswordThatAnAdministratorSet(t *testing.T) {
	s := startSite(t, func(l *config.Local) {
		l.Policies = map[string]config.PasswordPolicy{
			"all":   {ExpiresAfter: config.Infinite, MustChangePasswordIfSetByAdmin: true, ForbidLoginInPassword: true},
			"staff": {ExpiresAfter: config.Infinite, Profiles: []string{"default"}, PasswordRegex: `/^[a-z0-9-]{8,}$/i`, ForbidReusedPasswordCount: 2},
		}
	})
	weak := s.HTTP("POST", "/users/ann/_create", `{"content":{"profileIds":["default"]},"credentials":{"local":{"username":"ann","password":"weak"}}}`, s.admin)
	wants(t, weak, 400, ids+"weak_password")
	wants(t, s.HTTP("GET", "/users/ann", "", s.admin), 404, "security.user.not_found")
	s.CreateUser("ann", `{"profileIds":["default"]}`, "ann", "first-Secret", s.admin)
	socket := s.WebSocket()
	refused := socket.Call(`{"controller":"auth","action":"login","strategy":"local","body":{"username":"ann","password":"first-Secret"}}`)
	wants(t, refused, 401, ids+"must_change_password")
	wants(t, s.HTTP("POST", "/_login/local", `{"username":"ann","password":"x"}`), 401, "plugin.strategy.missing_user")
	token := refused.Get("error.resetToken")
	if token == nil {
		t.Fatal(refused.Body)
	}
	wants(t, s.HTTP("POST", reset, body("first-Secret", token)), 400, ids+"reused_password")
	wants(t, s.HTTP("POST", reset, body("is-ANN-right", token)), 400, ids+"login_in_password")
	wants(t, s.HTTP("POST", reset, body("weak", token)), 400, ids+"weak_password")
	wants(t, s.HTTP("POST", reset, body("second-Secret", "x"+token.(string))), 400, ids+"invalid_token")
	wants(t, s.HTTP("POST", reset, `{"password":"second-Secret"}`), 400, "api.assert.missing_argument")
	done := s.Must("POST", reset+"?expiresIn=1h", body("second-Secret", token))
	jwt, _ := done.Get("result.jwt").(string)
	if done.Get("result._id") != "ann" || done.Get("result.ttl") != 3_600_000.0 {
		t.Error(done.Body)
	}
	if me := s.Must("GET", "/_me", "", "Authorization: Bearer "+jwt); me.Get("result._id") != "ann" {
		t.Error(me.Body)
	}
	wants(t, s.HTTP("POST", reset, body("third-Secret", token)), 400, ids+"invalid_token")
	s.Login("ann", "second-Secret", "")
	if log := s.Log.String(); strings.Contains(log, "Secret") || strings.Contains(log, token.(string)) {
		t.Error("a secret is in the log")
	}
}

func TestResetForAnotherUser(t *testing.T) {
	s := startSite(t, func(*config.Local) {})
	s.CreateUser("ann", `{"profileIds":["default"]}`, "ann", "ann-Secret-1", s.admin)
	ann := "Authorization: Bearer " + s.Login("ann", "ann-Secret-1", "")
	const get = "/_/kuzzle-plugin-auth-passport-local/password/resetToken/"
	wants(t, s.HTTP("GET", get+"ann", ""), 401, "security.rights.unauthorized")
	wants(t, s.HTTP("GET", get+"ann", "", ann), 403, "security.rights.forbidden")
	wants(t, s.HTTP("GET", get+"nobody", "", s.admin), 404, "security.user.not_found")
	s.Must("POST", "/users/bob/_create", `{"content":{"profileIds":["default"]},"credentials":{}}`, s.admin)
	wants(t, s.HTTP("GET", get+"bob", "", s.admin), 412, "")
	token := s.Must("GET", get+"ann", "", s.admin).Get("result.resetToken")
	socket := s.WebSocket()
	done := socket.Call(`{"controller":"kuzzle-plugin-auth-passport-local/password","action":"reset","body":` + body("ann-Secret-2", token) + `}`)
	if done.Status != 200 || done.Get("result._id") != "ann" || done.Get("result.jwt") == nil {
		t.Fatal(done.Body)
	}
	s.Login("ann", "ann-Secret-2", "")
	lines, err := os.ReadFile(s.audit)
	if err != nil {
		t.Fatal(err)
	}
	for _, done := range []string{
		`"event":"passwordReset","outcome":"success","user":"root".*"action":"getResetPasswordToken","targets":\["ann"\]`,
		`"event":"passwordReset","outcome":"success","user":"ann".*"action":"reset"`,
	} {
		if !regexp.MustCompile(done).Match(lines) {
			t.Errorf("%s is not in the audit log:\n%s", done, lines)
		}
	}
	if strings.Contains(string(lines), token.(string)) || strings.Contains(string(lines), "Secret") {
		t.Error("a secret is in the audit log")
	}
	wants(t, s.HTTP("POST", "/_login/local", `{"username":"ann","password":"ann-Secret-1"}`), 401, "plugin.strategy.missing_user")
}

// A policy for a role is for its holders alone, also while they are being made.
func TestPolicyOfARole(t *testing.T) {
	s := startSite(t, func(l *config.Local) {
		l.Policies = map[string]config.PasswordPolicy{"users": {ExpiresAfter: config.Infinite, Roles: []string{"default"}, PasswordRegex: "-"}}
	})
	const path = "/credentials/local/"
	for _, create := range []string{
		`{"content":{"profileIds":["admin","default"]},"credentials":{"local":{"username":"ann","password":"weak"}}}`,
		`{"content":{"profileIds":["default"]},"credentials":{"local":{"username":"ann","password":"weak"}}}`,
	} {
		wants(t, s.HTTP("POST", "/users/ann/_create", create, s.admin), 400, ids+"weak_password")
	}
	s.CreateUser("ann", `{"profileIds":["admin"]}`, "ann", "weak", s.admin)
	s.Must("PUT", path+"ann/_update", `{"password":"plain"}`, s.admin)
	s.Must("PUT", "/users/ann/_update", `{"profileIds":["default"]}`, s.admin)
	wants(t, s.HTTP("PUT", path+"ann/_update", `{"password":"plain"}`, s.admin), 400, ids+"weak_password")
	s.Login("ann", "plain", "") // the password that is there stays good
}

// Nobody tries out tokens for ever.
func TestResetsAreThrottled(t *testing.T) {
	s := startSite(t, func(*config.Local) {})
	for range 1000 {
		if a := s.HTTP("POST", reset, body("new-Secret-1", "AAAAAAAAAAAAAAAA.AAAA")); a.Status == 429 {
			wants(t, a, 429, "api.process.too_many_logins_requests")
			return
		}
	}
	t.Error("1000 tokens were looked at")
}

func TestRequirePassword(t *testing.T) {
	s := startSite(t, func(l *config.Local) { l.RequirePassword = true })
	s.Must("PUT", "/roles/default", `{"controllers":{"auth":{"actions":{"*":true}}}}`, s.admin)
	s.CreateUser("ann", `{"profileIds":["default"]}`, "ann", "ann-Secret-1", s.admin)
	ann := "Authorization: Bearer " + s.Login("ann", "ann-Secret-1", "")
	const path = "/_me/credentials/local"
	wants(t, s.HTTP("PUT", path+"/_update", `{"password":"ann-Secret-2"}`, ann), 400, "api.assert.missing_argument")
	wants(t, s.HTTP("PUT", path+"/_update", `{"password":"ann-Secret-2","currentPassword":"ann-Secret-2"}`, ann), 403, "")
	wants(t, s.HTTP("PUT", path+"/_update", `{"username":"anna","currentPassword":5}`, ann), 400, "api.assert.missing_argument")
	s.Must("PUT", path+"/_update", `{"password":"ann-Secret-2","currentPassword":"ann-Secret-1"}`, ann)
	s.Must("PUT", path+"/_update?password=ann-Secret-2", `{"username":"anna"}`, ann)
	s.Must("PUT", "/credentials/local/ann/_update", `{"password":"ann-Secret-3"}`, s.admin)
	wants(t, s.HTTP("DELETE", path, "", ann), 400, "api.assert.missing_argument")
	wants(t, s.HTTP("DELETE", path+"?password=ann-Secret-2", "", ann), 403, "")
	for range 100 { // guesses end as those of logins do
		if s.HTTP("DELETE", path+"?password=guess", "", ann).Status == 429 {
			s.Must("DELETE", "/credentials/local/ann", "", s.admin)
			return
		}
	}
	t.Error("guesses of the current password are not throttled")
}

func TestConfirmedDelete(t *testing.T) {
	s := startSite(t, func(l *config.Local) { l.RequirePassword = true })
	s.Must("PUT", "/roles/default", `{"controllers":{"auth":{"actions":{"*":true}}}}`, s.admin)
	s.CreateUser("ann", `{"profileIds":["default"]}`, "ann", "ann-Secret-1", s.admin)
	ann := "Authorization: Bearer " + s.Login("ann", "ann-Secret-1", "")
	s.Must("DELETE", "/_me/credentials/local?password=ann-Secret-1", "", ann)
	if has := s.Must("GET", "/_me/credentials/local/_exists", "", ann); has.Get("result") != false {
		t.Error(has.Body)
	}
}
