package pluginhost_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/core/pluginhost"
	"github.com/sluicehq/sluice/core/pluginhost/catalog"
)

// badge gives user a badge with the PIN 1234 beside a password.
func badge(user, number string) string {
	return fmt.Sprintf(`{"content":{"profileIds":["default"]},"credentials":{"local":{"username":%q,"password":"a-Secret-1"},"badge":{"number":%q,"pin":"1234"}}}`, user, number)
}

// serveOpen is serve where anonymous may do everything, until an administrator closes the door.
func serveOpen(t *testing.T, change func(*config.Config), ids ...string) *nodetest.Node {
	t.Helper()
	return serve(t, func(c *config.Config) {
		c.Dev = true
		if change != nil {
			change(c)
		}
	}, ids...)
}

func loginBadge(n *nodetest.Node, number, pin string) nodetest.Answer {
	n.T.Helper()
	return n.HTTP("POST", "/_login/badge", fmt.Sprintf(`{"number":%q,"pin":%q}`, number, pin))
}

func TestLoginWithAStrategyOfAPlugin(t *testing.T) {
	n := serveOpen(t, nil, "badge")
	expect(t, "nobody", loginBadge(n, "7", "1234"), "plugin.strategy.missing_user", "Wrong badge or PIN.")
	n.Must("POST", "/users/ann/_create", badge("ann", "7"))
	expect(t, "a login", loginBadge(n, "7", "1234"), "", `"_id":"ann"`)
	expect(t, "a login in the query", n.HTTP("GET", "/_login/badge?number=7&pin=1234", ""), "", `"_id":"ann"`)
	expect(t, "a login with the password", n.HTTP("POST", "/_login/local", `{"username":"ann","password":"a-Secret-1"}`), "", `"_id":"ann"`)
	wrong := loginBadge(n, "7", "4321")
	expect(t, "a wrong PIN", wrong, "plugin.strategy.missing_user", "Wrong badge or PIN.")
	if wrong.Status != http.StatusUnauthorized {
		t.Errorf("status %d", wrong.Status)
	}
	for number, id := range map[string]string{
		"ghost":        "plugin.strategy.unknown_kuid",
		"fail":         "plugin.runtime.unexpected_error",
		"panic":        "plugin.runtime.unexpected_error",
		"unauthorized": "plugin.strategy.missing_user",
	} {
		a := loginBadge(n, number, "")
		expect(t, number, a, id, "")
		if strings.Contains(a.Body, "kauth-") {
			t.Errorf("%s: there is a token in %s", number, a.Body)
		}
	}
}

func TestCredentialsOfAPlugin(t *testing.T) {
	n := serveOpen(t, nil, "badge")
	n.Must("POST", "/users/ann/_create", badge("ann", "7"))
	get := func(path string) nodetest.Answer { return n.HTTP("GET", path, "") }
	expect(t, "strategies", get("/strategies"), "", `"result":["local","badge","door"]`)
	expect(t, "all fields", get("/credentials/_fields"), "", `"badge":["number","pin"]`)
	expect(t, "fields", get("/credentials/badge/_fields"), "", `"result":["number","pin"]`)
	expect(t, "hers", get("/credentials/badge/ann"), "", `"result":{"kuid":"ann","number":"7"}`)
	expect(t, "she has some", get("/credentials/badge/ann/_exists"), "", `"result":true`)
	expect(t, "her strategies", get("/users/ann/_strategies"), "", `"strategies":["local","badge"],"total":2`)
	expect(t, "by id, which this release has not", get("/credentials/badge/7/_byId"), "", `"result":{}`)
	expect(t, "a search, too", n.HTTP("POST", "/credentials/badge/users/_search", `{"query":{"term":{"number":"7"}}}`), "plugin.strategy.missing_optional_method", "search")
	expect(t, "good ones", n.HTTP("POST", "/credentials/badge/ann/_validate", `{"number":"8","pin":"1234"}`), "", `"result":true`)
	expect(t, "bad ones", n.HTTP("POST", "/credentials/badge/ann/_validate", `{"number":"8","pin":"1"}`), "security.credentials.rejected", "a PIN has 4 digits")
	expect(t, "a change", n.HTTP("PUT", "/credentials/badge/ann/_update", `{"number":"8","pin":"5678"}`), "", `"result":{"kuid":"ann","number":"8"}`)
	expect(t, "which holds", loginBadge(n, "8", "5678"), "", `"_id":"ann"`)
	expect(t, "and took the old ones away", loginBadge(n, "7", "1234"), "plugin.strategy.missing_user", "")
	expect(t, "one that others have", n.HTTP("POST", "/users/bob/_create", badge("bob", "8")), "", "somebody else's")
	token := "Authorization: Bearer " + loginBadge(n, "8", "5678").Get("result.jwt").(string)
	expect(t, "of herself", n.HTTP("GET", "/_me/credentials/badge", "", token), "", `"number":"8"`)
	expect(t, "her strategies, of herself", n.HTTP("GET", "/_me", "", token), "", `"strategies":["local","badge"]`)
	expect(t, "a change by herself", n.HTTP("PUT", "/_me/credentials/badge/_update", `{"number":"9","pin":"5678"}`, token), "", `"number":"9"`)
	expect(t, "an end", n.HTTP("DELETE", "/_me/credentials/badge", "", token), "", `"acknowledged":true`)
	expect(t, "it is one", loginBadge(n, "9", "5678"), "plugin.strategy.missing_user", "")
	expect(t, "a beginning", n.HTTP("POST", "/_me/credentials/badge/_create", `{"number":"7","pin":"1234"}`, token), "", `"number":"7"`)
	n.Must("DELETE", "/users/ann", "")
	expect(t, "her end", get("/credentials/badge/ann/_exists"), "", `"result":false`)
}

// Either all credentials of a new user are there, or none and no user.
func TestCredentialsAreCreatedTogether(t *testing.T) {
	n := serveOpen(t, nil, "badge")
	n.Must("POST", "/users/ann/_create", badge("ann", "7"))
	both := `{"content":{"profileIds":["default"]},"credentials":{%s,%s}}`
	mine, taken := `"badge":{"number":"8","pin":"1234"}`, `"local":{"username":"ann","password":"a-Secret-1"}`
	bob, late := `"local":{"username":"bob","password":"a-Secret-1"}`, `"badge":{"number":"late","pin":"1234"}`
	for name, c := range map[string]struct{ credentials, id string }{
		"the second of the node refuses":          {fmt.Sprintf(both, mine, taken), ""},
		"the second of the plugin refuses late":   {fmt.Sprintf(both, bob, late), ""},
		"the plugin finds something wrong":        {fmt.Sprintf(both, bob, `"badge":{"number":"8","pin":"1"}`), "security.credentials.rejected"},
		"the second is unknown":                   {fmt.Sprintf(both, mine, `"face":{}`), "security.credentials.unknown_strategy"},
		"credentials that are no object":          {fmt.Sprintf(both, bob, `"badge":7`), "api.assert.invalid_type"},
		"the plugin refuses a first admin's late": {fmt.Sprintf(`{"credentials":{%s,%s}}`, bob, late), ""},
	} {
		path := "/users/bob/_create"
		if strings.Contains(name, "admin") {
			path = "/_createFirstAdmin/bob"
		}
		a := n.HTTP("POST", path, c.credentials)
		if a.Status < 400 {
			t.Errorf("%s: %s", name, a.Body)
		}
		if id, _ := a.Get("error.id").(string); id != c.id {
			t.Errorf("%s: %s, want %q", name, a.Body, c.id)
		}
		expect(t, name+": no user", n.HTTP("GET", "/users/bob", ""), "security.user.not_found", "")
		expect(t, name+": no badge", n.HTTP("GET", "/credentials/badge/bob/_exists", ""), "", `"result":false`)
		expect(t, name+": no password", n.HTTP("GET", "/credentials/local/bob/_exists", ""), "", `"result":false`)
	}
	n.Must("POST", "/users/bob/_create", badge("bob", "8"))
	expect(t, "bob after all", loginBadge(n, "8", "1234"), "", `"_id":"bob"`)
}

// A login with several steps: elsewhere, and back with what was given out, once.
func TestLoginInSeveralSteps(t *testing.T) {
	n := serveOpen(t, nil, "badge-steps")
	n.Must("POST", "/users/ann/_create", badge("ann", "7"))
	http.DefaultClient.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.Cleanup(func() { http.DefaultClient.CheckRedirect = nil })
	first := n.HTTP("GET", "/_login/door", "")
	if first.Status != http.StatusFound || first.Header.Get("Location") != "https://door.example/?state=s1" || first.Get("result.state") != "s1" {
		t.Errorf("%d %v %s", first.Status, first.Header, first.Body)
	}
	expect(t, "a state that nobody has", n.HTTP("GET", "/_login/door?state=s2&user=ann", ""), "plugin.strategy.missing_user", "does not know")
	expect(t, "back", n.HTTP("GET", "/_login/door?state=s1&user=ann", ""), "", `"_id":"ann"`)
	expect(t, "back again", n.HTTP("GET", "/_login/door?state=s1&user=ann", ""), "plugin.strategy.missing_user", "does not know")

	// A pipe on auth:strategyAuthenticated asks for more: there is an answer, and no token.
	n.Must("PUT", "/users/ann/_update", `{"twoSteps":true}`)
	a := loginBadge(n, "7", "1234")
	expect(t, "another step", a, "", `"result":{"next":"the code that was sent"}`)
	if strings.Contains(a.Body, "kauth-") {
		t.Errorf("there is a token in %s", a.Body)
	}
}

// While the plugin is down nobody logs in with it, and no account is made or deleted whose credentials there nobody can see.
func TestStrategyOfAPluginThatIsDown(t *testing.T) {
	n := serveOpen(t, func(c *config.Config) { c.Plugins.CallTimeout = 2 * time.Second }, "badge")
	n.Must("POST", "/users/ann/_create", badge("ann", "7"))
	expect(t, "it hangs", loginBadge(n, "slow", ""), "plugin.runtime.action_timeout", "badge:verify")
	crash := loginBadge(n, "crash", "")
	expect(t, "it dies under the call", crash, "plugin.runtime.interrupted", "badge:verify")
	if crash.Status != http.StatusServiceUnavailable {
		t.Errorf("status %d", crash.Status)
	}
	eventually(t, "the node sees it", func() bool { return n.Plugins()[0].State != pluginhost.Running })
	down := loginBadge(n, "7", "1234")
	expect(t, "a login", down, "plugin.runtime.unavailable", "")
	if down.Status != http.StatusServiceUnavailable {
		t.Errorf("status %d", down.Status)
	}
	expect(t, "another strategy goes on", n.HTTP("POST", "/_login/local", `{"username":"ann","password":"a-Secret-1"}`), "", `"_id":"ann"`)
	expect(t, "the strategies that can be asked", n.HTTP("GET", "/users/ann/_strategies", ""), "", `"strategies":["local"]`)
	expect(t, "a new user", n.HTTP("POST", "/users/bob/_create", badge("bob", "8")), "plugin.runtime.unavailable", "")
	expect(t, "an end", n.HTTP("DELETE", "/users/ann", ""), "plugin.runtime.unavailable", "")
	expect(t, "who was not made", n.HTTP("GET", "/users/bob", ""), "security.user.not_found", "")
	expect(t, "who was not deleted", n.HTTP("GET", "/users/ann", ""), "", `"_id":"ann"`)
	eventually(t, "it is back", func() bool { return n.Plugins()[0].State == pluginhost.Running })
	expect(t, "a login again", loginBadge(n, "7", "1234"), "", `"_id":"ann"`)
}

// Guesses against one account are slowed down as those of passwords are, whatever the error they are refused with.
func TestGuessesOfAPluginsCredentials(t *testing.T) {
	n := serveOpen(t, nil, "badge")
	n.Must("POST", "/users/ann/_create", badge("ann", "7"))
	for _, number := range []string{"7", "unauthorized"} {
		for range 5 {
			expect(t, "a guess", loginBadge(n, number, "0000"), "plugin.strategy.missing_user", "")
		}
		expect(t, "one too many", loginBadge(n, number, "1234"), "api.process.too_many_logins_requests", "")
	}
}

func TestNamesOfStrategiesAreUnique(t *testing.T) {
	n := serveOpen(t, func(c *config.Config) { c.Plugins.Required = nil }, "badge", "badge-other")
	all := n.Plugins()
	if all[0].State != pluginhost.Running || all[1].State != pluginhost.Failed ||
		!strings.Contains(all[1].LastError, `"badge" could not be registered: the name belongs to badge`) {
		t.Errorf("%+v", all)
	}
	expect(t, "both of the first", n.HTTP("GET", "/strategies", ""), "", `"result":["local","badge","door"]`)
}

// Those who listen learn of a strategy once, however often its plugin starts.
func TestStrategiesAreAnnounced(t *testing.T) {
	n := serveOpen(t, func(c *config.Config) { c.Plugins.Restart.InitialDelay = 10 * time.Millisecond }, "badge-steps")
	const added = `strategy added {\"name\":\"badge\",\"pluginName\":\"badge-steps\",\"strategy\":{\"fields\":[\"number\",\"pin\"]}}`
	n.Log.Await(t, added)
	n.Log.Await(t, `{\"name\":\"door\",\"pluginName\":\"badge-steps\"`)
	expect(t, "a crash", loginBadge(n, "crash", ""), "plugin.runtime.interrupted", "")
	eventually(t, "it is back", func() bool { s := n.Plugins()[0]; return s.State == pluginhost.Running && s.Restarts == 1 })
	n.Must("POST", "/users/ann/_create", badge("ann", "7")) // the queue of hooks is behind
	if got := strings.Count(n.Log.String(), added); got != 1 {
		t.Errorf("told %d times", got)
	}
}

// Another release of the plugin goes on with the credentials of the one before.
func TestUpgradeOfAPluginWithAStrategy(t *testing.T) {
	if testing.Short() {
		t.Skip("builds another release")
	}
	data, plugins := t.TempDir(), t.TempDir()
	next := filepath.Join(t.TempDir(), "badge")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w -X main.release=2.0.0", "-o", next, "./testdata/testplugin")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := func(file string, do func(*nodetest.Node)) {
		t.Run(filepath.Base(file), func(t *testing.T) { do(withBadge(t, file, plugins, data)) })
	}
	run(testPlugin, func(n *nodetest.Node) {
		n.Must("POST", "/users/ann/_create", badge("ann", "7"))
		expect(n.T.(*testing.T), "before", n.HTTP("GET", "/credentials/badge/7/_byId", ""), "", `"result":{}`)
	})
	run(next, func(n *nodetest.Node) {
		t := n.T.(*testing.T)
		expect(t, "a login", loginBadge(n, "7", "1234"), "", `"_id":"ann"`)
		expect(t, "what is new", n.HTTP("GET", "/credentials/badge/7/_byId", ""), "", `"kuid":"ann"`)
		expect(t, "a search", n.HTTP("POST", "/credentials/badge/users/_search", `{"query":{"term":{"number":"7"}}}`), "", `"hits":[{"number":"7","kuid":"ann"}],"total":1`)
		expect(t, "a search of PINs", n.HTTP("POST", "/credentials/badge/users/_search", `{"query":{"term":{"pin":"1234"}}}`), "", "found by their number")
	})
}

// withBadge runs a node on data with the file as its plugin badge.
func withBadge(t *testing.T, file, plugins, data string) *nodetest.Node {
	t.Helper()
	folder := filepath.Join(plugins, "badge")
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(file, filepath.Join(folder, "badge")); err != nil {
		t.Fatal(err)
	}
	sum, err := catalog.HashFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var lock catalog.Lock
	if err := lock.Pin("badge/badge", sum); err != nil {
		t.Fatal(err)
	}
	if err := catalog.WriteLock(filepath.Join(plugins, "sluice.lock"), lock); err != nil {
		t.Fatal(err)
	}
	return nodetest.Start(t, nodetest.Options{Dev: true, PluginDir: plugins, Configure: func(c *config.Config) {
		c.Plugins.Required, c.Server.DataDir = []string{"badge"}, data
	}})
}
