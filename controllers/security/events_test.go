package security_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/sdktest"
)

// heard is a plugin that keeps all it is told of auth and security, by request.
type heard struct {
	mu     sync.Mutex
	events map[string][]*sdk.Event
}

func (h *heard) pipe(_ context.Context, e *sdk.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := e.Request.RequestID
	h.events[id] = append(h.events[id], e)
	return nil
}

func (h *heard) of(request string) []*sdk.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.events[request]
}

func listen() (*heard, sdk.Plugin) {
	h := &heard{events: map[string][]*sdk.Event{}}
	return h, sdk.Plugin{ID: "ear", Version: "1", Pipes: map[string]sdk.PipeFunc{"auth:*": h.pipe, "security:*": h.pipe, "request:*": h.pipe}}
}

// asked is one request of TestEventsOfAuthAndSecurity; $scroll is the scroll id of the last answer that had one.
type asked struct{ action, rest string }

// everyAction calls each action of auth and security with what makes it succeed, in an order that does.
var everyAction = []asked{
	{"security:createFirstAdmin", `"_id":"root","reset":true,"body":{"content":{},"credentials":{"local":{"username":"root","password":"a-Secret-1"}}}`},
	{"auth:login", `"strategy":"local","body":{"username":"root","password":"a-Secret-1"}`},
	{"auth:getCurrentUser", ``},
	{"auth:getMyRights", ``},
	{"auth:getMyCredentials", `"strategy":"local"`},
	{"auth:credentialsExist", `"strategy":"local"`},
	{"auth:getStrategies", ``},
	{"auth:checkToken", `"body":{"token":"none"}`},
	{"auth:createToken", ``},
	{"auth:validateMyCredentials", `"strategy":"local","body":{"username":"new","password":"b-Secret-1"}`},
	{"auth:updateMyCredentials", `"strategy":"local","body":{"password":"b-Secret-1"}`},
	{"auth:deleteMyCredentials", `"strategy":"local"`},
	{"auth:createMyCredentials", `"strategy":"local","body":{"username":"root","password":"a-Secret-1"}`},
	{"auth:checkRights", `"body":{"controller":"document","action":"get"}`},
	{"auth:createApiKey", `"_id":"k","body":{"description":"mine"}`},
	{"auth:searchApiKeys", ``},
	{"auth:deleteApiKey", `"_id":"k"`},
	{"auth:updateSelf", `"body":{"nick":"r"}`},
	{"security:createRole", `"_id":"r","body":{"controllers":{"server":{"actions":{"now":true}}}}`},
	{"security:createOrReplaceRole", `"_id":"r2","body":{"controllers":{"server":{"actions":{"now":true}}}}`},
	{"security:updateRole", `"_id":"r","body":{"controllers":{"server":{"actions":{"now":false}}}}`},
	{"security:getRole", `"_id":"r"`},
	{"security:mGetRoles", `"body":{"ids":["r"]}`},
	{"security:searchRoles", ``},
	{"security:getRoleMapping", ``},
	{"security:updateRoleMapping", `"body":{"properties":{"note":{"type":"text"}}}`},
	{"security:createProfile", `"_id":"p","body":{"policies":[{"roleId":"r"}]}`},
	{"security:createOrReplaceProfile", `"_id":"p2","body":{"policies":[{"roleId":"r"}]}`},
	{"security:updateProfile", `"_id":"p","body":{"note":"n"}`},
	{"security:getProfile", `"_id":"p"`},
	{"security:mGetProfiles", `"body":{"ids":["p"]}`},
	{"security:getProfileRights", `"_id":"p"`},
	{"security:searchProfiles", `"size":1,"scroll":"30s"`},
	{"security:scrollProfiles", `"scrollId":"$scroll"`},
	{"security:getProfileMapping", ``},
	{"security:updateProfileMapping", `"body":{"properties":{"note":{"type":"text"}}}`},
	{"security:createUser", `"_id":"ann","body":{"content":{"profileIds":["p"]},"credentials":{"local":{"username":"ann","password":"a-Secret-1"}}}`},
	{"security:createRestrictedUser", `"_id":"bob","body":{"content":{}}`},
	{"security:upsertUser", `"_id":"eve","body":{"content":{"profileIds":["p"]}}`},
	{"security:updateUser", `"_id":"ann","body":{"nick":"a"}`},
	{"security:replaceUser", `"_id":"eve","body":{"profileIds":["p2"]}`},
	{"security:getUser", `"_id":"ann"`},
	{"security:mGetUsers", `"body":{"ids":["ann"]}`},
	{"security:getUserRights", `"_id":"ann"`},
	{"security:getUserStrategies", `"_id":"ann"`},
	{"security:searchUsers", `"size":1,"scroll":"30s"`},
	{"security:scrollUsers", `"scrollId":"$scroll"`},
	{"security:getUserMapping", ``},
	{"security:updateUserMapping", `"body":{"properties":{"nick":{"type":"keyword"}}}`},
	{"security:checkRights", `"userId":"ann","body":{"controller":"server","action":"now"}`},
	{"security:refresh", `"collection":"users"`},
	{"security:getCredentials", `"_id":"ann","strategy":"local"`},
	{"security:getCredentialsById", `"_id":"ann","strategy":"local"`},
	{"security:hasCredentials", `"_id":"ann","strategy":"local"`},
	{"security:getCredentialFields", `"strategy":"local"`},
	{"security:getAllCredentialFields", ``},
	{"security:searchUsersByCredentials", `"strategy":"local","body":{"query":{"term":{"username":"ann"}}}`},
	{"security:validateCredentials", `"_id":"ann","strategy":"local","body":{"username":"new","password":"b-Secret-1"}`},
	{"security:updateCredentials", `"_id":"ann","strategy":"local","body":{"password":"b-Secret-1"}`},
	{"security:deleteCredentials", `"_id":"ann","strategy":"local"`},
	{"security:createCredentials", `"_id":"ann","strategy":"local","body":{"username":"ann","password":"a-Secret-1"}`},
	{"security:createApiKey", `"userId":"ann","_id":"k","body":{"description":"hers"}`},
	{"security:searchApiKeys", `"userId":"ann"`},
	{"security:deleteApiKey", `"userId":"ann","_id":"k"`},
	{"security:revokeTokens", `"_id":"ann"`},
	{"security:deleteUser", `"_id":"bob"`},
	{"security:mDeleteUsers", `"body":{"ids":["ann","eve"]}`},
	{"security:deleteProfile", `"_id":"p"`},
	{"security:mDeleteProfiles", `"body":{"ids":["p2"]}`},
	{"security:deleteRole", `"_id":"r"`},
	{"security:mDeleteRoles", `"body":{"ids":["r2"]}`},
	{"security:restrictDefaultRights", ``},
	{"auth:refreshToken", ``},
	{"auth:logout", ``},
}

// eared is a node whose plugin hears, and a client that keeps what it was given.
type eared struct {
	*nodetest.Node
	*heard
	last          int
	token, scroll string
}

// ask calls an action and gives the answer with the names of what was fired for it.
func (n *eared) ask(a asked, token string) (nodetest.Answer, []*sdk.Event) {
	n.T.Helper()
	n.last++
	id := fmt.Sprintf("r%d", n.last)
	controller, action, _ := strings.Cut(a.action, ":")
	rest := strings.ReplaceAll(a.rest, "$scroll", n.scroll)
	if rest != "" {
		rest = "," + rest
	}
	var headers []string
	if token != "" {
		headers = append(headers, "Authorization: Bearer "+token)
	}
	answer := n.HTTP("POST", "/_query", fmt.Sprintf(`{"controller":%q,"action":%q,"requestId":%q%s}`, controller, action, id, rest), headers...)
	if scroll, ok := answer.Get("result.scrollId").(string); ok {
		n.scroll = scroll
	}
	if jwt, ok := answer.Get("result.jwt").(string); ok {
		n.token = jwt
	}
	return answer, n.of(id)
}

func names(list []*sdk.Event) []string {
	var all []string
	for _, e := range list {
		all = append(all, e.Name)
	}
	return all
}

// around gives the events of an action: moment is "after" or "error".
func around(action, moment string) []string {
	controller, name, _ := strings.Cut(action, ":")
	name = strings.ToUpper(name[:1]) + name[1:]
	end := map[string]string{"after": "request:onSuccess", "error": "request:onError"}[moment]
	fired := []string{"request:beforeExecution", "request:onAuthorized", controller + ":before" + name}
	if action == "auth:login" && moment == "after" {
		fired = append(fired, "auth:strategyAuthenticated")
	}
	return append(fired, controller+":"+moment+name, end, "request:afterExecution")
}

func startEared(t *testing.T) *eared {
	t.Helper()
	h, plugin := listen()
	return &eared{Node: nodetest.Start(t, nodetest.Options{InProcess: sdktest.InProcess(t, plugin)}), heard: h}
}

func TestEventsOfAuthAndSecurity(t *testing.T) {
	n := startEared(t)
	for _, a := range everyAction {
		answer, fired := n.ask(a, n.token)
		if answer.Status != http.StatusOK {
			t.Errorf("%s: %s", a.action, answer.Body)
			continue
		}
		if want := around(a.action, "after"); !slices.Equal(names(fired), want) {
			t.Errorf("%s fired %v, want %v", a.action, names(fired), want)
			continue
		}
		checkPayload(t, a, answer, fired)
	}
	checkComplete(t, n)
}

// checkPayload compares what listeners got with what was asked and answered.
func checkPayload(t *testing.T, a asked, answer nodetest.Answer, fired []*sdk.Event) {
	t.Helper()
	controller, action, _ := strings.Cut(a.action, ":")
	var body struct {
		ID   string `json:"_id"`
		Body json.RawMessage
	}
	if err := json.Unmarshal([]byte("{"+a.rest+"}"), &body); err != nil {
		t.Fatal(err)
	}
	result, err := json.Marshal(answer.Get("result"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range fired {
		r := e.Request
		if r.Controller != controller || r.Action != action || r.ID != body.ID || string(r.Body) != string(body.Body) {
			t.Errorf("%s is about %s:%s of %q with %s", e.Name, r.Controller, r.Action, r.ID, r.Body)
		}
		after := strings.HasPrefix(e.Name, controller+":after") || e.Name == "request:onSuccess" || e.Name == "request:afterExecution"
		after = after && string(result) != "null" // an action without a result has none to tell
		if after != (e.Result != nil) || e.Err != nil {
			t.Errorf("%s: result %s, error %v", e.Name, e.Result, e.Err)
		}
		if after && !sameJSON(t, e.Result, result) {
			t.Errorf("%s: result %s, want %s", e.Name, e.Result, result)
		}
		if e.Name == "auth:strategyAuthenticated" && !strings.HasPrefix(string(e.Data), `{"content":{"_id":"root","_source":{`) {
			t.Errorf("%s about %s", e.Name, e.Data)
		}
	}
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal(a, &x); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &y); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(x) == fmt.Sprint(y)
}

// checkComplete looks for actions that nobody asked for.
func checkComplete(t *testing.T, n *eared) {
	t.Helper()
	a, _ := n.ask(asked{"auth:login", everyAction[1].rest}, "")
	if a.Status != http.StatusOK {
		t.Fatal(a.Body)
	}
	public := n.Must("GET", "/_publicApi", "", "Authorization: Bearer "+n.token)
	for _, controller := range []string{"auth", "security"} {
		actions, _ := public.Get("result." + controller).(map[string]any)
		if len(actions) == 0 {
			t.Fatalf("no actions of %s", controller)
		}
		for action := range actions {
			if !slices.ContainsFunc(everyAction, func(a asked) bool { return a.action == controller+":"+action }) {
				t.Errorf("%s:%s is not asked for", controller, action)
			}
		}
	}
}

// A failure is told with its error, and one of rights before the action is.
func TestEventsOfFailures(t *testing.T) {
	n := startEared(t)
	for _, a := range everyAction[:2] {
		if answer, _ := n.ask(a, ""); answer.Status != http.StatusOK {
			t.Fatal(answer.Body)
		}
	}
	token := n.token
	for _, a := range everyAction {
		answer, fired := n.ask(asked{action: a.action}, token)
		if answer.Status < 400 {
			continue
		}
		if want := around(a.action, "error"); !slices.Equal(names(fired), want) {
			t.Errorf("%s fired %v, want %v", a.action, names(fired), want)
			continue
		}
		for _, e := range fired[3:] {
			if id, _ := answer.Get("error.id").(string); e.Err == nil || e.Err.ID != id || e.Result != nil {
				t.Errorf("%s of %s: %v and %s, want %s", e.Name, a.action, e.Err, e.Result, id)
			}
		}
	}
	open := []string{"auth:checkToken", "auth:getCurrentUser", "auth:getMyRights", "auth:login"} // to anonymous
	want := []string{"request:beforeExecution", "request:onUnauthorized", "request:onError", "request:afterExecution"}
	for _, a := range everyAction {
		if slices.Contains(open, a.action) {
			continue
		}
		answer, fired := n.ask(a, "")
		if answer.Status != http.StatusUnauthorized || !slices.Equal(names(fired), want) {
			t.Errorf("%s: %d, fired %v", a.action, answer.Status, names(fired))
		}
	}
}
