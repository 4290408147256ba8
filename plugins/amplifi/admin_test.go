package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

func TestAdministratorsOnly(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	s.CreateUser("ann", `{"profileIds":["default"]}`, "ann", "ann-Secret-1", s.root)
	ann := "Authorization: Bearer " + s.Login("ann", "ann-Secret-1", "")
	token := "token: " + s.ok(s.put(ali))
	for _, c := range []struct{ verb, path, body string }{
		{"POST", "/amplifi/admin/users", `{"userName":"eve","password":"eve-Secret-1"}`},
		{"POST", "/amplifi/admin/devices", `{"AFiUserId":"aaaaaaaaaaaaaaaa","kind":"deviceId"}`},
		{"POST", "/amplifi/admin/users/aaaaaaaaaaaaaaaa/_disable", ``},
		{"GET", "/amplifi/admin/metrics", ``},
	} {
		if a := s.HTTP(c.verb, c.path, c.body, token); a.Status != 401 {
			t.Errorf("%s: anonymous got %d %s", c.path, a.Status, a.Body)
		}
		if a := s.HTTP(c.verb, c.path, c.body, ann); a.Status != 403 {
			t.Errorf("%s: ann got %d %s", c.path, a.Status, a.Body)
		}
	}
	refused(t, s.put(`{"channel":"internet","userName":"eve","password":"eve-Secret-1"}`), 401, "invalidCredentials")
}

func TestCreateUser(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	create := func(body string) nodetest.Answer { return s.HTTP("POST", "/amplifi/admin/users", body, s.root) }
	a := create(`{"userName":" Zoé ","password":"pässword","segment":"gold","postOnboardingStepsRequired":"postonboardingadultstep2","isLocalSavingAllowed":false,"isIdleUser":true}`)
	if a.Status != 200 || a.Get("result.userName") != "zoé" || strings.Contains(a.Body, "ssword") || strings.Contains(a.Body, "argon2") {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	token := s.put(`{"channel":"internet","userName":"ZOE\u0301","password":"pässword"}`) // decomposed
	s.ok(token)
	want := fmt.Sprintf(`"userId":%q,"AFiUserId":%q,`, a.Get("result.AFiUserId"), a.Get("result.AFiUserId"))
	if !strings.Contains(token.Body, want) || !strings.Contains(token.Body, `"segment":"gold","postOnboardingStepsRequired":"postonboardingadultstep2"`) ||
		!strings.HasSuffix(token.Body, `"isLocalSavingAllowed":false}`) {
		t.Error(token.Body)
	}
	for _, c := range []struct {
		body   string
		status int
	}{
		{`{"userName":"zoé","password":"x"}`, 412},
		{`{"AFiUserId":"` + fmt.Sprint(a.Get("result.AFiUserId")) + `"}`, 412},
		{`{"userName":"x"}`, 400},
		{`{"password":"x"}`, 400},
		{`{"userName":"` + strings.Repeat("x", 255) + `","password":"x"}`, 400},
		{`{"userName":"y","password":"` + strings.Repeat("x", 1025) + `"}`, 400},
		{`{"AFiUserId":"A"}`, 400},
		{`{"ssn":"078-05-1120"}`, 400},
		{`{"userName":5}`, 400},
		{`[]`, 400},
		{`{}`, 200}, // nobody's name
	} {
		if a := create(c.body); a.Status != c.status {
			t.Errorf("%.60s: %d %s", c.body, a.Status, a.Body)
		}
	}
	// Who is a prospect may not log in.
	if a := create(`{"userName":"pro","password":"x","isFullyRegistered":false}`); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	refused(t, s.put(`{"channel":"internet","userName":"pro","password":"x"}`), 403, "userDisabled")
	refused(t, s.put(`{"channel":"internet","userName":"pro","password":"y"}`), 401, "invalidCredentials")
}

func TestRegisterDevice(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	user := s.aliID()
	for _, c := range []struct {
		body   string
		status int
	}{
		{`{"AFiUserId":"` + user + `","kind":"deviceTag","id":"phone"}`, 200},
		{`{"AFiUserId":"` + user + `","kind":"deviceTag","id":"phone"}`, 412},
		{`{"AFiUserId":"` + user + `","kind":"deviceTag","id":"other","deviceKey":"short"}`, 400},
		{`{"AFiUserId":"` + user + `","kind":"deviceTag"}`, 400},
		{`{"AFiUserId":"aaaaaaaaaaaaaaaa","kind":"deviceTag","id":"other"}`, 404},
		{`{"AFiUserId":"` + user + `","kind":"uuid","id":"short"}`, 400},
		{`{"AFiUserId":"` + user + `","kind":"uuid","id":"` + uuid + `","publicKey":"AAAA"}`, 400},
		{`{"AFiUserId":"` + user + `","kind":"chat","transport":"pigeon","id":"1"}`, 400},
		{`{"AFiUserId":"` + user + `","kind":"test","id":"my_deviceTag"}`, 400},
		{`{"AFiUserId":"` + user + `","kind":"deviceId","deviceData":[]}`, 400},
		{`{"AFiUserId":"` + user + `","kind":"deviceId","deviceData":{"a":1}}`, 200},
	} {
		if a := s.HTTP("POST", "/amplifi/admin/devices", c.body, s.root); a.Status != c.status {
			t.Errorf("%s: %d %s", c.body, a.Status, a.Body)
		}
	}
}

func TestDisablingEndsTokens(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	token := "token: " + s.ok(s.put(ali))
	user := s.aliID()
	a := s.Must("POST", "/amplifi/admin/users/"+user+"/_disable", "", s.root)
	if a.Get("result.revokedTokens") != 2.0 {
		t.Error(a.Body)
	}
	refused(t, s.HTTP("GET", "/amplifi/user", "", token), 401, "invalidToken")
	refused(t, s.put(ali), 403, "userDisabled")
	refused(t, s.put(`{"userName":"ali","password":"qb","channel":"internet"}`), 401, "invalidCredentials")
	refused(t, s.put(`{"channel":"browser","deviceId":"demo-browser-of-ali"}`), 403, "userDisabled")
	again := s.Must("POST", "/amplifi/admin/users/"+user+"/_disable", "", s.root)
	if again.Get("result.disabledAt") != a.Get("result.disabledAt") || again.Get("result.revokedTokens") != 0.0 {
		t.Error(again.Body)
	}
	if a := s.HTTP("POST", "/amplifi/admin/users/aaaaaaaaaaaaaaaa/_disable", "", s.root); a.Status != 404 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	// Without the route the user stands in the body, as in the other actions, or beside it.
	for more, want := range map[string]string{
		`"body":{"AFiUserId":"` + user + `"}`: `"revokedTokens":0`,
		`"userId":"` + user + `"`:             `"revokedTokens":0`,
		`"body":{"userId":"` + user + `"}`:    `"id":"api.assert.forbidden_argument"`,
		`"body":{}`:                           `"message":"Missing argument \"body.AFiUserId\"."`,
		`"userId":5`:                          `"id":"api.assert.invalid_type"`,
	} {
		if a := s.HTTP("POST", "/_query", `{"controller":"amplifi/admin","action":"disableUser",`+more+`}`, s.root); !strings.Contains(a.Body, want) {
			t.Errorf("%s: %d %s", more, a.Status, a.Body)
		}
	}
}

// Errors of administrators say what is wrong by id and code, and name the member.
func TestErrorsOfAdministrators(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	for _, c := range []struct{ path, body, want string }{
		{"users", `{"ssn":"078-05-1120"}`, `"id":"api.assert.forbidden_argument","code":33619979,"message":"The argument \"body.ssn\"`},
		{"users", `{"name":{"firstName":5}}`, `"id":"api.assert.invalid_type","code":33619969,"message":"Wrong type for argument \"body.name.firstName\"; expected: string."`},
		{"users", `{"userName":"x"}`, `"id":"amplifi.invalidField","code":3,"message":"userName`},
		{"users", `{"userName":"ali","password":"x"}`, `"id":"amplifi.userExists","code":13,`},
		{"devices", `{"AFiUserId":"` + s.aliID() + `","kind":"deviceId","id":"demo-browser-of-ali"}`, `"id":"amplifi.deviceExists","code":14,`},
		{"devices", `{"AFiUserId":"aaaaaaaaaaaaaaaa","kind":"deviceId"}`, `"id":"amplifi.userNotFound","code":15,`},
	} {
		if a := s.HTTP("POST", "/amplifi/admin/"+c.path, c.body, s.root); !strings.Contains(a.Body, c.want) || strings.Contains(a.Body, "078-05") {
			t.Errorf("%s: %d %s", c.body, a.Status, a.Body)
		}
	}
}

// A page that the operator has not let in is told so, and not that something is broken.
func TestOriginsThatAreNotLetIn(t *testing.T) {
	s := start(t, nil, nodetest.Options{Configure: func(c *config.Config) { c.HTTP.AccessControlAllowOrigin = []string{"https://ok.example"} }})
	a := s.put(seedBody, "Origin: http://x")
	refused(t, a, 403, "forbidden")
	if !strings.Contains(a.Body, "http.accessControlAllowOrigin") {
		t.Error(a.Body)
	}
	s.ok(s.put(seedBody, "Origin: https://ok.example"))
}

// In production the channel test is off, and channels are off that lack their keys.
func TestWhatIsOffByDefault(t *testing.T) {
	s := start(t, settingsOf{"testChannel": map[string]any{}, "disabledChannels": []any{"browser"}}, nodetest.Options{Configure: func(c *config.Config) {
		c.Plugins.Secrets = nil
	}})
	for _, body := range []string{
		seedBody, `{"channel":"browser","deviceId":"demo-browser-of-ali"}`, `{"channel":"dicBuilder","userId":"aaaaaaaaaaaaaaaa"}`,
		`{"channel":"mobile","deviceTag":"t","cryptotext":"AAAA","dtsValueString":"` + now() + `"}`,
		`{"channel":"chat","transport":"web","transportUserId":"1"}`,
	} {
		refused(t, s.put(body, "x-service-key: "), 403, "channelDisabled")
	}
	if a := s.HTTP("POST", "/amplifi/admin/devices", `{"AFiUserId":"`+s.aliID()+`","kind":"deviceTag","id":"phone"}`, s.root); a.Status != 400 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if strings.Contains(s.Log.String(), "whoever asks") {
		t.Error("the log warns of the channel test")
	}
}

func TestLocalSavingByChannel(t *testing.T) {
	s := start(t, settingsOf{"localSavingForbidden": []any{"internet"}}, nodetest.Options{})
	if a := s.put(ali); a.Get("isLocalSavingAllowed") != false {
		t.Error(a.Body)
	}
	if a := s.put(seedBody); a.Get("isLocalSavingAllowed") != true {
		t.Error(a.Body)
	}
}

// On a listener and on a host of its own the service stands at the document's bare paths; another mount moves it.
func TestPlaces(t *testing.T) {
	s := start(t, nil, nodetest.Options{Configure: func(c *config.Config) {
		c.Plugins.Listen = map[string]string{id: "127.0.0.1:0"}
		c.Plugins.Hosts = map[string][]string{id: {"localhost"}}
		c.Plugins.Mounts = map[string]string{id: "/afi"}
	}})
	_, port, err := net.SplitHostPort(s.Client.Address)
	if err != nil {
		t.Fatal(err)
	}
	for site, address := range map[string]string{"listener": s.SiteAddress(id), "host": "localhost:" + port} {
		t.Run(site, func(t *testing.T) {
			own := service{Node: &nodetest.Node{Client: nodetest.Client{T: t, Address: address}}}
			if a := own.HTTP("PUT", "/token", seedBody); a.Status != 200 || !tokenShape.MatchString(a.Body) {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			token := "token: " + own.ok(own.HTTP("POST", "/token", seedBody))
			if a := own.HTTP("GET", "/user", "", token); a.Status != 200 {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			refused(t, own.HTTP("PUT", "/token", `{//x`), 400, "invalidJson")
			refused(t, own.HTTP("GET", "/token", ""), 405, "methodNotAllowed")
			refused(t, own.HTTP("PUT", "/amplifi/token", seedBody), 404, "notFound")
			refused(t, own.HTTP("POST", "/_query", `{"controller":"amplifi/token","action":"create"}`), 404, "notFound")
			if a := own.HTTP("DELETE", "/token", "", token); a.Status != 200 {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			refused(t, own.HTTP("GET", "/user", "", token), 401, "invalidToken")
			if a := own.HTTP("POST", "/admin/users", `{"userName":"eve","password":"eve-Secret-1"}`); a.Status != 401 {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
	s.ok(s.HTTP("PUT", "/afi/token", seedBody))
	if a := s.put(seedBody); a.Get("success") != nil {
		t.Errorf("at the mount that is no more: %d %s", a.Status, a.Body)
	}
}

func TestFixturesAreLoadedOnce(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) string {
		file := filepath.Join(dir, "fixture.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	const bob = `{"users":[{"AFiUserId":"bob0000000000000","userName":"bob","password":"bob-Secret-1","segment":"gold"}],` +
		`"devices":[{"userName":"bob","kind":"deviceTag","id":"phone","deviceKey":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]}`
	data := t.TempDir()
	options := nodetest.Options{Configure: func(c *config.Config) { c.Server.DataDir = data }}
	body := `{"channel":"internet","userName":"bob","password":"bob-Secret-1"}`
	t.Run("first", func(t *testing.T) {
		s := start(t, settingsOf{"fixture": write(bob)}, options)
		s.Log.Await(t, "made=2")
		if a := s.put(body); a.Get("userId") != "bob0000000000000" || a.Get("segment") != "gold" {
			t.Error(a.Body)
		}
		at := now()
		key := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31}
		s.ok(s.put(sealedBody(t, key, "mobile", "mobile", at, at)))
	})
	t.Run("again", func(t *testing.T) {
		n := nodetest.Start(t, nodetest.Options{PluginDir: binaries.Plugins, Configure: func(c *config.Config) {
			c.Server.DataDir = data
			c.Plugins.Config = map[string]map[string]any{id: {"fixture": write(strings.Replace(bob, "gold", "lead", 1))}}
			c.Plugins.Secrets = map[string]map[string]config.Secret{id: {"keyRing": config.NewSecret(keyRing)}}
		}})
		n.Log.Await(t, "made=0")
		if a := n.HTTP("PUT", "/amplifi/token", body); a.Get("userId") != "bob0000000000000" || a.Get("segment") != "gold" {
			t.Error(a.Body)
		}
	})
	for name, file := range map[string]string{
		"none": filepath.Join(dir, "absent.json"), "malformed": write(`{"users":[{"userName":"eve","password":5}]}`),
	} {
		n := nodetest.Start(t, nodetest.Options{PluginDir: binaries.Plugins, Configure: func(c *config.Config) {
			c.Plugins.Config = map[string]map[string]any{id: {"fixture": file}}
		}})
		n.Log.Await(t, "plugin down")
		if a := n.HTTP("PUT", "/amplifi/token", ali); a.Status != http.StatusServiceUnavailable || a.Get("success") != false {
			t.Errorf("%s: the plugin serves: %d %s", name, a.Status, a.Body)
		}
	}
}

func TestSecretsThatAreWrongKeepThePluginOut(t *testing.T) {
	for _, secrets := range []map[string]string{
		{"keyRing": "1:short"}, {"serviceKeys": `{"chat":["too-short"]}`}, {"serviceKeys": `{"internet":["` + serviceKey + `"]}`}, {"serviceKeys": `x`},
	} {
		n := nodetest.Start(t, nodetest.Options{PluginDir: binaries.Plugins, Configure: func(c *config.Config) {
			c.Plugins.Secrets = map[string]map[string]config.Secret{id: {}}
			for name, text := range secrets {
				c.Plugins.Secrets[id][name] = config.NewSecret(text)
			}
		}})
		n.Log.Await(t, "plugin down")
		if a := n.HTTP("PUT", "/amplifi/token", ali); a.Status != http.StatusServiceUnavailable || a.Get("success") != false {
			t.Errorf("the plugin serves: %d %s", a.Status, a.Body)
		}
		if strings.Contains(n.Log.String(), "too-short") || strings.Contains(n.Log.String(), serviceKey) {
			t.Error("the log holds a secret")
		}
	}
}
