package attacks

import (
	"encoding/json"
	"net/http"
	"testing"

	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

const password = "a-Secret-1"

// target is a node with an administrator, where everybody else may do nothing.
type target struct {
	*nodetest.Node
	t    *testing.T
	root string // token of the administrator
}

func newTarget(t *testing.T, configure ...func(*config.Config)) *target {
	t.Helper()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		goleak.VerifyNone(t)
	})
	n := &target{t: t, Node: nodetest.Start(t, nodetest.Options{Configure: func(c *config.Config) {
		for _, change := range configure {
			change(c)
		}
	}})}
	n.Must("POST", "/_createFirstAdmin/root?reset=true", `{"credentials":{"local":{"username":"root","password":"`+password+`"}}}`)
	n.root = n.Login("root", password, "")
	return n
}

// collections makes i/c, i/d and other/c, each with a document "secret".
func (n *target) collections() {
	n.t.Helper()
	for _, index := range []string{"i", "other"} {
		n.mustAsRoot("POST", "/"+index+"/_create", "")
	}
	for _, path := range []string{"/i/c", "/i/d", "/other/c"} {
		n.mustAsRoot("PUT", path, `{"mappings":{"properties":{"name":{"type":"keyword"}}}}`)
		n.mustAsRoot("PUT", path+"/secret?refresh=wait_for", `{"name":"`+path+`"}`)
	}
}

func (n *target) mustAsRoot(method, path, body string) nodetest.Answer {
	n.t.Helper()
	return n.Must(method, path, body, "Authorization: Bearer "+n.root)
}

// user makes a user with a role and a profile of the same name, and gives a token. restrictions is a member restrictedTo of the
// policy, or "".
func (n *target) user(name, controllers, restrictions string) string {
	n.t.Helper()
	n.mustAsRoot("PUT", "/roles/"+name, `{"controllers":{`+controllers+`}}`)
	n.mustAsRoot("PUT", "/profiles/"+name, `{"policies":[{"roleId":"`+name+`"`+restrictions+`}]}`)
	n.CreateUser(name, `{"profileIds":["`+name+`"]}`, name, password, "Authorization: Bearer "+n.root)
	return n.Login(name, password, "")
}

// call is an action over HTTP, with more members of the envelope.
func (n *target) call(token, controller, action, more string) nodetest.Answer {
	n.t.Helper()
	return n.Query(envelope(token, controller, action, more))
}

func envelope(token, controller, action, more string) string {
	if token != "" {
		more += `,"jwt":"` + token + `"`
	}
	return `{"controller":"` + controller + `","action":"` + action + `"` + more + `}`
}

// wantProfiles checks that a user still has the profiles that the administrator gave.
func (n *target) wantProfiles(user, profiles string) {
	n.t.Helper()
	a := n.call(n.root, "security", "getUser", `,"_id":"`+user+`"`)
	if got, err := json.Marshal(a.Get("result._source.profileIds")); err != nil || string(got) != profiles {
		n.t.Errorf("%s has the profiles %s: %v", user, got, err)
	}
}

// answers checks that another client is answered.
func (n *target) answers() {
	n.t.Helper()
	if a := n.call(n.root, "server", "now", ""); a.Status != http.StatusOK {
		n.t.Errorf("another client is answered %s", a.Body)
	}
}

// wantRefused checks that an attack came to nothing, and was the client's fault. id is the error's, "" for any.
func wantRefused(t *testing.T, a nodetest.Answer, id string) {
	t.Helper()
	if a.Status < 400 || a.Status > 499 || id != "" && a.Get("error.id") != id {
		t.Errorf("want %s, answered %d %.400s", id, a.Status, a.Body)
	}
}
