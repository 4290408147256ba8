package auth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/controllers/auth"
	"github.com/sluicehq/sluice/controllers/controllertest"
	"github.com/sluicehq/sluice/controllers/target"
	tokens "github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is everything around the controller. Storage fails while broken is set; reads counts what it is asked.
type node struct {
	*controllertest.Node
	broken atomic.Bool
	reads  atomic.Int64
	// later is how far the clock is ahead.
	later atomic.Int64
}

func (n *node) now() time.Time { return time.Now().Add(time.Duration(n.later.Load())) }

func newNode(t testing.TB, throttle tokens.ThrottleOptions, listeners events.Listeners) *node {
	t.Helper()
	n := &node{}
	n.Node = controllertest.Start(t, controllertest.Options{
		Local: true, Tokens: tokens.Options{GracePeriod: time.Second, MaxTTL: 48 * time.Hour, MaxKeyTTL: 24 * time.Hour, Now: n.now},
	})
	n.FailEngine(func(string, storage.Collection) error {
		n.reads.Add(1)
		if n.broken.Load() {
			return kerror.ServicesStorageUnknownIndex.New("kuzzle")
		}
		return nil
	})
	throttle.Now = n.now
	slow, err := tokens.NewThrottle(throttle)
	must(t, err)
	must(t, n.Routes.Set(router.Contribution{Owner: "auth", Listeners: listeners, Actions: auth.Actions(auth.Options{
		Tokens: n.Tokens, Users: n.Users, Throttle: slow, Bus: n.Announcer.Bus, Snapshot: n.Routes.Current,
		Paging: target.Paging{MaxFetch: 100, MaxScroll: time.Minute},
	})}))
	n.putRole(t, "default", `{"auth":{"actions":{"*":true}}}`)
	n.liftRateLimit(t)
	n.addUser(t, "u", "joe")
	n.addUser(t, "v", "jane")
	return n
}

// liftRateLimit lets a test send as much as it likes.
func (n *node) liftRateLimit(t testing.TB) {
	t.Helper()
	profiles := storage.Collection{Scope: storage.Internal, Index: "kuzzle", Name: "profiles"}
	_, _, err := n.Engine.Put(t.Context(), profiles, "default", jsontext.Value(`{"policies":[{"roleId":"default"}]}`), storage.WriteOptions{})
	must(t, err)
	n.Users.ForgetAll()
}

func (n *node) putRole(t testing.TB, id, controllers string) {
	t.Helper()
	_, err := n.Users.PutRole(t.Context(), id, jsontext.Value(`{"controllers":`+controllers+`}`), security.Write{})
	must(t, err)
}

func (n *node) addUser(t testing.TB, kuid, name string) {
	t.Helper()
	_, err := n.Tokens.CreateUser(t.Context(), nil, tokens.NewUser{
		ID: kuid, Content: jsontext.Value(`{"profileIds":["default"],"name":"` + name + `"}`),
		Credentials: []protocol.Arg{{Name: "local", Value: jsontext.Value(`{"username":"` + name + `","password":"right"}`)}},
	})
	must(t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ask sends an envelope over a connection; nil is one of HTTP.
func (n *node) ask(t testing.TB, envelope string, c *protocol.Connection) *protocol.Response {
	t.Helper()
	if c == nil {
		c = &protocol.Connection{ID: "c", Protocol: "http", ClientIP: "192.0.2.1"}
	}
	return n.AskOver(t, c, envelope)
}

// login gives the token of a user.
func (n *node) login(t testing.TB, name string) string {
	t.Helper()
	a := n.ask(t, `{"controller":"auth","action":"login","strategy":"local","body":{"username":"`+name+`","password":"right"}}`, nil)
	var result tokens.Issued
	if a.Error != nil || json.Unmarshal(a.Result, &result) != nil || result.Text == "" {
		t.Fatalf("login of %s: %v %s", name, a.Error, a.Result)
	}
	return result.Text
}

// scenario is a request with its answer. TOKEN in request stands for a token of joe. result is compared as a prefix.
type scenario struct {
	name, request string
	status        int
	id, result    string
}

func (n *node) run(t *testing.T, scenarios []scenario) {
	t.Helper()
	token := n.login(t, "joe")
	for _, s := range scenarios {
		s.request = strings.ReplaceAll(s.request, "TOKEN", token)
		s.check(t, n.ask(t, s.request, nil))
	}
}

func (s scenario) check(t *testing.T, a *protocol.Response) {
	t.Helper()
	id := ""
	if a.Error != nil {
		id = a.Error.ID
	}
	if a.Status != s.status || id != s.id || !strings.HasPrefix(string(a.Result), s.result) {
		t.Errorf("%s: %d %s %s (%v)", s.name, a.Status, id, a.Result, a.Error)
	}
}

func TestLogin(t *testing.T) {
	newNode(t, tokens.ThrottleOptions{}, events.Listeners{}).run(t, []scenario{
		{"right", `{"controller":"auth","action":"login","strategy":"local","body":{"username":"joe","password":"right"}}`, 200, "", `{"_id":"u","jwt":"kauth-`},
		{"without a body", `{"controller":"auth","action":"login","strategy":"local","username":"joe","password":"right"}`, 200, "", `{"_id":"u","jwt":"kauth-`},
		{"with stray arguments", `{"controller":"auth","action":"login","strategy":"local","verb":"POST","cookieAuth":false,"body":{"username":"joe","password":"right"}}`, 200, "", `{"_id":"u"`},
		{"with a dead token", `{"controller":"auth","action":"login","strategy":"local","jwt":"kauth-x","body":{"username":"joe","password":"right"}}`, 200, "", `{"_id":"u"`},
		{"lifetime", `{"controller":"auth","action":"login","strategy":"local","expiresIn":"2h","body":{"username":"joe","password":"right"}}`, 200, "", `{"_id":"u"`},
		{"lifetime too long", `{"controller":"auth","action":"login","strategy":"local","expiresIn":"3d","body":{"username":"joe","password":"right"}}`, 400, "security.token.ttl_exceeded", ""},
		{"endless", `{"controller":"auth","action":"login","strategy":"local","expiresIn":-1,"body":{"username":"joe","password":"right"}}`, 400, "security.token.ttl_exceeded", ""},
		{"no lifetime", `{"controller":"auth","action":"login","strategy":"local","expiresIn":"x","body":{"username":"joe","password":"right"}}`, 400, "api.assert.invalid_argument", ""},
		{"wrong password", `{"controller":"auth","action":"login","strategy":"local","body":{"username":"joe","password":"wrong"}}`, 401, "plugin.strategy.missing_user", ""},
		{"unknown user", `{"controller":"auth","action":"login","strategy":"local","body":{"username":"nobody","password":"wrong"}}`, 401, "plugin.strategy.missing_user", ""},
		{"no fields", `{"controller":"auth","action":"login","strategy":"local"}`, 401, "plugin.strategy.missing_user", ""},
		{"unknown strategy", `{"controller":"auth","action":"login","strategy":"ldap","body":{}}`, 400, "security.credentials.unknown_strategy", ""},
		{"no strategy", `{"controller":"auth","action":"login","body":{}}`, 400, "api.assert.missing_argument", ""},
		{"body is a list", `{"controller":"auth","action":"login","strategy":"local","body":[]}`, 400, "api.assert.invalid_type", ""},
	})
}

func TestRefusedLoginsAreAlike(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	wrong := n.ask(t, `{"requestId":"r","controller":"auth","action":"login","strategy":"local","body":{"username":"joe","password":"wrong"}}`, nil)
	unknown := n.ask(t, `{"requestId":"r","controller":"auth","action":"login","strategy":"local","body":{"username":"who","password":"wrong"}}`, nil)
	if a, b := string(wrong.Append(nil, "")), string(unknown.Append(nil, "")); a != b {
		t.Errorf("%s\n%s", a, b)
	}
}

func TestTokenActions(t *testing.T) {
	newNode(t, tokens.ThrottleOptions{}, events.Listeners{}).run(t, []scenario{
		{"check", `{"controller":"auth","action":"checkToken","body":{"token":"TOKEN"}}`, 200, "", `{"valid":true,"kuid":"u","expiresAt":1`},
		{"check a bad one", `{"controller":"auth","action":"checkToken","body":{"token":"x"}}`, 200, "", `{"valid":false,"state":"Invalid token."}`},
		{"check none", `{"controller":"auth","action":"checkToken"}`, 200, "", `{"valid":true,"kuid":"-1","expiresAt":null}`},
		{"check none, with a body", `{"controller":"auth","action":"checkToken","body":{}}`, 200, "", `{"valid":true,"kuid":"-1"`},
		{"the envelope's token is not what is checked", `{"controller":"auth","action":"checkToken","jwt":"kauth-x"}`, 200, "", `{"valid":true,"kuid":"-1"`},
		{"check a number", `{"controller":"auth","action":"checkToken","body":{"token":5}}`, 400, "api.assert.invalid_type", ""},

		{"who am I", `{"controller":"auth","action":"getCurrentUser","jwt":"TOKEN"}`, 200, "", `{"_id":"u","_source":{"profileIds":["default"],"name":"joe","_kuzzle_info":`},
		{"who is anonymous", `{"controller":"auth","action":"getCurrentUser"}`, 200, "", `{"_id":"-1","_source":{"profileIds":["anonymous"],"name":"Anonymous"},"strategies":[]}`},
		{"bad token", `{"controller":"auth","action":"getCurrentUser","jwt":"kauth-x"}`, 401, "security.token.invalid", ""},

		{"rights", `{"controller":"auth","action":"getMyRights","jwt":"TOKEN"}`, 200, "", `{"hits":[{"controller":"auth","action":"*","index":"*","collection":"*","value":"allowed"}],"total":1}`},
		{"rights of anonymous", `{"controller":"auth","action":"getMyRights"}`, 200, "", `{"hits":[{"controller":"auth","action":"checkToken",`},
		{"strategies", `{"controller":"auth","action":"getStrategies","jwt":"TOKEN"}`, 200, "", `["local"]`},
		{"strategies without the right", `{"controller":"auth","action":"getStrategies"}`, 401, "security.rights.unauthorized", ""},

		{"refresh of anonymous", `{"controller":"auth","action":"refreshToken"}`, 401, "security.rights.unauthorized", ""},
		{"refresh with a bad lifetime", `{"controller":"auth","action":"refreshToken","jwt":"TOKEN","expiresIn":0}`, 400, "api.assert.invalid_argument", ""},
		{"refresh", `{"controller":"auth","action":"refreshToken","jwt":"TOKEN"}`, 200, "", `{"_id":"u","jwt":"kauth-`},
		{"refresh again", `{"controller":"auth","action":"refreshToken","jwt":"TOKEN"}`, 401, "security.token.invalid", ""},

		{"logout of anonymous", `{"controller":"auth","action":"logout"}`, 401, "security.rights.unauthorized", ""},
		{"logout", `{"controller":"auth","action":"logout","jwt":"TOKEN"}`, 200, "", `{"acknowledged":true}`},
		{"afterwards", `{"controller":"auth","action":"getCurrentUser","jwt":"TOKEN"}`, 401, "security.token.invalid", ""},
		{"logout again", `{"controller":"auth","action":"logout","jwt":"TOKEN"}`, 401, "security.token.invalid", ""},
		{"check afterwards", `{"controller":"auth","action":"checkToken","body":{"token":"TOKEN"}}`, 200, "", `{"valid":false,"state":`},
	})
}

func TestCurrentUserNamesItsStrategies(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	a := n.ask(t, `{"controller":"auth","action":"getCurrentUser","jwt":"`+n.login(t, "joe")+`"}`, nil)
	if !strings.HasSuffix(string(a.Result), `,"strategies":["local"]}`) || !a.Result.IsValid() {
		t.Errorf("%s", a.Result)
	}
}

func TestGlobalLogout(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	one, two, other := n.login(t, "joe"), n.login(t, "joe"), n.login(t, "jane")
	if a := n.ask(t, `{"controller":"auth","action":"logout","global":true,"jwt":"`+one+`"}`, nil); a.Error != nil {
		t.Fatal(a.Error)
	}
	for token, want := range map[string]int{one: 401, two: 401, other: 200} {
		if a := n.ask(t, `{"controller":"auth","action":"getCurrentUser","jwt":"`+token+`"}`, nil); a.Status != want {
			t.Errorf("%d, want %d", a.Status, want)
		}
	}
}

func TestDeletedUser(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	token := n.login(t, "joe")
	must(t, n.Users.DeleteUser(t.Context(), "u", security.Write{})) // behind the back of everybody else
	for _, s := range []scenario{
		{"token", `{"controller":"auth","action":"getCurrentUser","jwt":"` + token + `"}`, 401, "security.token.invalid", ""},
		{"check", `{"controller":"auth","action":"checkToken","body":{"token":"` + token + `"}}`, 200, "", `{"valid":false`},
		{"login", `{"controller":"auth","action":"login","strategy":"local","body":{"username":"joe","password":"right"}}`, 401, "plugin.strategy.missing_user", ""},
	} {
		s.check(t, n.ask(t, s.request, nil))
	}
}

func TestStorageFailure(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	token := n.login(t, "joe")
	n.broken.Store(true)
	for _, request := range []string{
		`{"controller":"auth","action":"login","strategy":"local","body":{"username":"joe","password":"right"}}`,
		`{"controller":"auth","action":"checkToken","body":{"token":"` + token + `"}}`,
		`{"controller":"auth","action":"getCurrentUser","jwt":"` + token + `"}`,
		`{"controller":"auth","action":"logout","jwt":"` + token + `"}`,
	} {
		if a := n.ask(t, request, nil); a.Status != 500 {
			t.Errorf("%s: %d %v", request, a.Status, a.Error)
		}
	}
}

func TestThrottle(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{LoginsPerSecond: 1, FailedLoginsPerMinute: 7}, events.Listeners{})
	wrong := func(name string) string {
		return `{"controller":"auth","action":"login","strategy":"local","body":{"username":"` + name + `","password":"wrong"}}`
	}
	right := `{"controller":"auth","action":"login","strategy":"local","body":{"username":"joe","password":"right"}}`
	from := func(ip string) *protocol.Connection {
		return &protocol.Connection{ID: "c", Protocol: "http", ClientIP: ip}
	}
	status := func(request string, c *protocol.Connection) int { return n.ask(t, request, c).Status }
	for i, name := range []string{"joe", "nobody"} { // known and unknown alike
		guesser := from(fmt.Sprint("192.0.2.1", i))
		for i := range 5 {
			if got := status(wrong(name), guesser); got != 401 {
				t.Fatalf("%s, try %d: %d", name, i, got)
			}
		}
		if a := n.ask(t, wrong(name), guesser); a.Status != 429 || a.Error.ID != "api.process.too_many_logins_requests" {
			t.Errorf("%s: %d", name, a.Status)
		}
	}
	if got := status(right, from("192.0.2.10")); got != 429 {
		t.Errorf("the right password during the pause: %d", got)
	}
	if got := status(right, from("192.0.2.20")); got != 200 {
		t.Errorf("the right password from elsewhere: %d", got)
	}
	n.later.Add(int64(31 * time.Second))
	if got := status(right, from("192.0.2.10")); got != 200 {
		t.Errorf("after the pause: %d", got)
	}
	for i := range 7 {
		if got := status(wrong(fmt.Sprint("a", i)), nil); got != 401 {
			t.Fatal(got)
		}
	}
	if got := status(right, nil); got != 429 {
		t.Errorf("from an address with seven failures: %d", got)
	}
	socket := &protocol.Connection{ID: "s", Protocol: "websocket"}
	if a, b := status(right, socket), status(right, socket); a != 200 || b != 429 {
		t.Errorf("two logins a second on one socket: %d, %d", a, b)
	}
}

func TestStrategyAuthenticated(t *testing.T) {
	var mu sync.Mutex
	var pipe events.PipeFunc
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{Pipes: map[string]events.Pipe{
		"auth:strategyAuthenticated": events.PipeFunc(func(ctx context.Context, event string, p *events.Payload) error {
			mu.Lock()
			defer mu.Unlock()
			if pipe == nil {
				return nil
			}
			return pipe(ctx, event, p)
		}),
	}})
	login := `{"controller":"auth","action":"login","strategy":"local","body":{"username":"joe","password":"right"}}`
	for _, test := range []struct {
		name       string
		data       string // what a plugin makes of the data; "" leaves it
		err        error
		status     int
		id, result string
	}{
		{"left alone", "", nil, 200, "", `{"_id":"u","jwt"`},
		{"another user", `{"content":{"_id":"v","_source":{}},"strategy":"local"}`, nil, 200, "", `{"_id":"v","jwt"`},
		{"a user who does not exist", `{"content":{"_id":"x","_source":{}}}`, nil, 500, "plugin.strategy.unknown_kuid", ""},
		{"anonymous", `{"content":{"_id":"-1","_source":{}}}`, nil, 500, "plugin.strategy.unknown_kuid", ""},
		{"another step", `{"content":{"next":"code"}}`, nil, 200, "", `{"next":"code"}`},
		{"refused", "", kerror.SecurityRightsForbidden.New("auth", "login", "u"), 403, "security.rights.forbidden", ""},
		{"nonsense", `{}`, nil, 500, "plugin.runtime.unexpected_error", ""},
	} {
		mu.Lock()
		pipe = func(_ context.Context, _ string, p *events.Payload) error {
			seen, err := json.Marshal(p.Data)
			if err != nil || !strings.HasPrefix(string(seen), `{"content":{"_id":"u","_source":{`) || !strings.HasSuffix(string(seen), `"strategy":"local"}`) {
				t.Errorf("data: %s %v", seen, err)
			}
			if test.data != "" {
				p.Data = jsontext.Value(test.data)
			}
			return test.err
		}
		mu.Unlock()
		scenario{test.name, login, test.status, test.id, test.result}.check(t, n.ask(t, login, nil))
	}
}

// oauth sends its logins elsewhere.
type oauth struct{ tokens.Credentials }

func (oauth) Fields() []string { return nil }

func (oauth) Verify(context.Context, tokens.Login) (tokens.Outcome, error) {
	return tokens.Outcome{Redirect: &tokens.Redirect{StatusCode: 302, Headers: map[string]string{"Location": "https://id.example"}, More: map[string]jsontext.Value{"state": jsontext.Value(`"s1"`)}}}, nil
}

func TestRedirect(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	must(t, n.Tokens.Strategies().Add(tokens.Named{Name: "oauth", Strategy: oauth{}}))
	a := n.ask(t, `{"controller":"auth","action":"login","strategy":"oauth"}`, nil)
	if a.Status != 302 || a.Header.Get("Location") != "https://id.example" || string(a.Result) != `{"statusCode":302,"headers":{"Location":"https://id.example"},"state":"s1"}` {
		t.Errorf("%d %v %s", a.Status, a.Header, a.Result)
	}
}

func TestRoutes(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	var got []string
	for _, a := range n.Routes.Current().Actions() {
		for _, r := range a.Routes {
			got = append(got, strings.TrimSpace(r.Verb+" "+r.Path+" "+r.Deprecated)+" "+a.Name)
		}
	}
	want := `GET /_me getCurrentUser
GET /users/_me 2.4.0 getCurrentUser
GET /_me/_rights getMyRights
GET /users/_me/_rights 2.4.0 getMyRights
GET /_me/credentials/:strategy getMyCredentials
GET /credentials/:strategy/_me 2.4.0 getMyCredentials
GET /_me/credentials/:strategy/_exists credentialsExist
GET /credentials/:strategy/_me/_exists 2.4.0 credentialsExist
GET /strategies getStrategies
GET /_login/:strategy login
POST /_login/:strategy login
POST /_logout logout
POST /_checkToken checkToken
POST /_refreshToken refreshToken
POST /_createToken createToken
POST /_me/credentials/:strategy/_create createMyCredentials
POST /credentials/:strategy/_me/_create 2.4.0 createMyCredentials
POST /_me/credentials/:strategy/_validate validateMyCredentials
POST /credentials/:strategy/_me/_validate 2.4.0 validateMyCredentials
POST /_checkRights checkRights
POST /api-keys/_create createApiKey
POST /api-keys/_search searchApiKeys
DELETE /_me/credentials/:strategy deleteMyCredentials
DELETE /credentials/:strategy/_me 2.4.0 deleteMyCredentials
DELETE /api-keys/:_id deleteApiKey
PUT /_me updateSelf
PUT /_updateSelf 2.4.0 updateSelf
PUT /_me/credentials/:strategy/_update updateMyCredentials
PUT /credentials/:strategy/_me/_update 2.4.0 updateMyCredentials`
	if text := strings.Join(got, "\n"); text != want {
		t.Error(text)
	}
}

func TestWarmCurrentUserReadsNothing(t *testing.T) {
	n := newNode(t, tokens.ThrottleOptions{}, events.Listeners{})
	request := `{"controller":"auth","action":"getCurrentUser","jwt":"` + n.login(t, "joe") + `"}`
	n.ask(t, request, nil)
	before := n.reads.Load()
	n.ask(t, request, nil)
	if got := n.reads.Load() - before; got != 0 {
		t.Errorf("%d calls of the storage", got)
	}
}

func BenchmarkGetCurrentUser(b *testing.B) { benchmark(b, "auth", "getCurrentUser") }

// BenchmarkNothing is the same way to an action that does nothing: what getCurrentUser is compared with.
func BenchmarkNothing(b *testing.B) { benchmark(b, "test", "nothing") }

func benchmark(b *testing.B, controller, action string) {
	n := newNode(b, tokens.ThrottleOptions{}, events.Listeners{})
	must(b, n.Routes.Set(router.Contribution{Owner: "test", Actions: []router.Action{{
		Controller: "test", Name: "nothing", Handler: func(context.Context, *protocol.Request) (any, error) { return jsontext.Value(`{}`), nil },
	}}}))
	_, err := n.Tokens.CreateUser(b.Context(), nil, tokens.NewUser{ID: "boss", Content: jsontext.Value(`{"profileIds":["admin"]}`)})
	must(b, err)
	token, err := n.Tokens.Issue(b.Context(), "boss", time.Hour)
	must(b, err)
	request := []byte(`{"controller":"` + controller + `","action":"` + action + `","jwt":"` + token.Text + `"}`)
	c := &protocol.Connection{ID: "c", Protocol: "websocket"}
	b.ReportAllocs()
	for b.Loop() {
		r := &protocol.Request{Connection: c}
		must(b, protocol.DecodeRequest(request, r))
		if a := n.Funnel.Execute(b.Context(), r); a.Error != nil {
			b.Fatal(a.Error)
		}
	}
}
