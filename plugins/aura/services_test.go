package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/storagetest"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// What the plugin asks of services outside, and what it says about itself.

const directLineSecret = "direct.line.secret-of-the-bot"

const tokenAnswer = `{"conversationId":"conv-1","token":"tok.e&n","expires_in":1800,"extra":1}`

const conversationAnswer = `{"conversationId":"AXCifkJXwYkEjDkxWgA4gw","token":"tok.e&n","expires_in":3600,` +
	`"streamUrl":"wss://dl.example/v3/directline/conversations/AX-a/stream?watermark=&t=str.e&m","eTag":"x"%s}`

// directLineServer is a Direct Line whose answer the test sets.
type directLineServer struct {
	*httptest.Server
	status atomic.Int32
	body   atomic.Pointer[string]
	header http.Header
	hang   chan struct{}
	calls  atomic.Int32
	// correlator is that of the last call.
	correlator atomic.Pointer[string]
}

func newDirectLineServer(t *testing.T) *directLineServer {
	t.Helper()
	d := &directLineServer{hang: make(chan struct{})}
	d.answer(200, tokenAnswer)
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.calls.Add(1)
		d.correlator.Store(new(r.Header.Get("X-Correlator")))
		b, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || len(b) != 0 || r.Header.Get("Authorization") != "Bearer "+directLineSecret ||
			r.URL.Path != "/v3/directline/tokens/generate" && r.URL.Path != "/v3/directline/conversations" || r.URL.RawQuery != "" {
			t.Errorf("Direct Line got %s %s %q %v", r.Method, r.URL, b, r.Header)
		}
		if d.status.Load() == 0 {
			<-d.hang
			return
		}
		for name, values := range d.header {
			w.Header()[name] = values
		}
		w.WriteHeader(int(d.status.Load()))
		_, _ = io.WriteString(w, *d.body.Load())
	}))
	t.Cleanup(func() { close(d.hang); d.Close() })
	return d
}

func (d *directLineServer) answer(status int, body string) {
	d.body.Store(&body)
	d.status.Store(int32(status))
}

func withDirectLine(t *testing.T, d *directLineServer, more map[string]any) service {
	t.Helper()
	c := map[string]any{"baseUrl": d.URL, "breaker": map[string]any{"failures": 1000}}
	for name, value := range more {
		c[name] = value
	}
	s := start(t, options{config: map[string]any{"directLine": c}, secrets: map[string]string{"directLineSecret": directLineSecret}})
	s.secrets.add("tok.e", "str.e", directLineSecret)
	return s
}

func TestDirectLine(t *testing.T) { // rows 14 to 16
	d := newDirectLineServer(t)
	s := withDirectLine(t, d, nil)
	a := s.get("/token", s.anybody, "X-Correlator: from-the-client")
	if a.Status != 200 || a.Body != `{"token":"tok.e&n","expires_in":1800}` || a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("X-Correlator") != "from-the-client" {
		t.Errorf("14: %d %s %v", a.Status, a.Body, a.Header)
	}
	if got := *d.correlator.Load(); got != "from-the-client" {
		t.Errorf("14: Direct Line got the correlator %q", got)
	}
	if a := s.get("/token", s.anybody, "X-Correlator: a b"); !uuidForm.MatchString(a.Header.Get("X-Correlator")) || *d.correlator.Load() != a.Header.Get("X-Correlator") {
		t.Errorf("14: %v, Direct Line got %q", a.Header, *d.correlator.Load())
	}
	for extra, grammar := range map[string]string{`,"referenceGrammarId":"g-1"`: `"g-1"`, "": "null", `,"referenceGrammarId":null`: "null"} {
		d.answer(201, fmt.Sprintf(conversationAnswer, extra))
		want := `{"conversationId":"AXCifkJXwYkEjDkxWgA4gw","token":"tok.e&n","expires_in":3600,` +
			`"streamUrl":"wss://dl.example/v3/directline/conversations/AX-a/stream?watermark=&t=str.e&m","referenceGrammarId":` + grammar + `}`
		if a := s.get("/token/wss", s.bot); a.Status != 200 || a.Body != want {
			t.Errorf("15: %d %s", a.Status, a.Body)
		}
	}
	for _, c := range []struct {
		status int
		body   string
		want   int
		code   string
	}{
		{401, `{"error":{"code":"BadArgument","message":"x"}}`, 502, "BAD_GATEWAY"},
		{403, `{"error":{"code":"TokenExpired","message":"x"}}`, 502, "BAD_GATEWAY"},
		{500, "x", 502, "BAD_GATEWAY"},
		{503, "x", 502, "BAD_GATEWAY"},
		{200, "no JSON", 502, "BAD_GATEWAY"},
		{200, `{"token":"","expires_in":1}`, 502, "BAD_GATEWAY"},
		{200, `{"token":"tok.e","expires_in":"1"}`, 502, "BAD_GATEWAY"},
		{302, `{}`, 502, "BAD_GATEWAY"},
		{200, strings.Repeat(" ", 2<<20), 502, "BAD_GATEWAY"},
	} {
		d.answer(c.status, c.body)
		expect(t, s.get("/token", s.anybody), c.want, c.code)
	}
	d.answer(201, tokenAnswer) // no streamUrl
	expect(t, s.get("/token/wss", s.anybody), 502, "BAD_GATEWAY")
	d.header = http.Header{"Retry-After": {"7"}}
	d.answer(429, "x")
	if a := s.get("/token", s.anybody); a.Status != 503 || a.Get("code") != "UNAVAILABLE" || a.Header.Get("Retry-After") != "7" {
		t.Errorf("429: %d %s %v", a.Status, a.Body, a.Header)
	}
	d.CloseClientConnections()
	_ = d.Listener.Close()
	expect(t, s.get("/token", s.anybody), 503, "UNAVAILABLE")
}

func TestDirectLineThatHangs(t *testing.T) { // row 16
	d := newDirectLineServer(t)
	d.answer(0, "")
	s := withDirectLine(t, d, map[string]any{"timeout": "300ms"})
	expect(t, s.get("/token", s.anybody), 504, "TIMEOUT")
	expect(t, s.get("/token/wss", s.anybody), 504, "TIMEOUT")
}

func TestDirectLineBreaker(t *testing.T) {
	d := newDirectLineServer(t)
	d.answer(500, "x")
	s := withDirectLine(t, d, map[string]any{"breaker": map[string]any{"failures": 2, "delay": "30s"}})
	for range 2 {
		expect(t, s.get("/token", s.anybody), 502, "BAD_GATEWAY")
	}
	if a := s.get("/token", s.anybody); a.Status != 503 || a.Header.Get("Retry-After") != "30" || d.calls.Load() != 2 {
		t.Errorf("%d %s %v, %d calls", a.Status, a.Body, a.Header, d.calls.Load())
	}
}

// After a while one call may try; when it gets on, all may.
func TestDirectLineComesBack(t *testing.T) {
	d := newDirectLineServer(t)
	d.answer(500, "x")
	s := withDirectLine(t, d, map[string]any{"breaker": map[string]any{"failures": 1, "delay": "50ms"}})
	expect(t, s.get("/token", s.anybody), 502, "BAD_GATEWAY")
	trial := func(before int32) nodetest.Answer {
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			a := s.get("/token", s.anybody)
			if d.calls.Load() > before {
				return a
			}
			expect(t, a, 503, "UNAVAILABLE")
		}
		t.Fatal("nobody is let through")
		return nodetest.Answer{}
	}
	expect(t, trial(1), 502, "BAD_GATEWAY")
	d.answer(200, tokenAnswer)
	if a := trial(2); a.Status != 200 {
		t.Errorf("the trial: %d %s", a.Status, a.Body)
	}
	if a := s.get("/token", s.anybody); a.Status != 200 || d.calls.Load() != 4 {
		t.Errorf("after it: %d %s, %d calls", a.Status, a.Body, d.calls.Load())
	}
}

// A service outside is trusted when an authority that the operator names has signed its certificate, else it is not called.
func TestDirectLineOverTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, tokenAnswer) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that fails
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for caFile, want := range map[string]int{file: 200, "": 503} {
		direct := map[string]any{"baseUrl": server.URL}
		if caFile != "" {
			direct["caFile"] = caFile
		}
		s := start(t, options{config: map[string]any{"directLine": direct}, secrets: map[string]string{"directLineSecret": directLineSecret}})
		if a := s.get("/token", s.anybody); a.Status != want {
			t.Errorf("%q: %d %s", caFile, a.Status, a.Body)
		}
	}
}

func TestWithoutDirectLine(t *testing.T) {
	s := start(t, options{})
	expect(t, s.get("/token", s.anybody), 503, "UNAVAILABLE")
}

func TestEnvelopes(t *testing.T) {
	d := newDirectLineServer(t)
	s := withDirectLine(t, d, nil)
	ws := s.WebSocket()
	key, bot := strings.TrimPrefix(s.kernel, "Authorization: APIKEY "), strings.TrimPrefix(s.bot, "Authorization: APIKEY ")
	ask := func(action, rest string) string {
		return fmt.Sprintf(`{"requestId":"r","controller":"aura-authentication-api/%s","action":%q%s}`, action[:strings.Index(action, ":")], action[strings.Index(action, ":")+1:], rest)
	}
	for _, c := range []struct{ name, envelope, want string }{
		{"a token", ask("token:get", `,"apiKey":"`+key+`"`), `"status":200,"error":null,`},
		{"its result", ask("token:get", `,"apiKey":"`+key+`"`), `"result":{"token":"tok.e&n","expires_in":1800}`},
		{"no key", ask("token:get", ""), `"error":{"id":"aura.UNAUTHENTICATED","code":2,"message":"a valid API key is required","status":401,"props":["UNAUTHENTICATED"]}`},
		{"no key, no result", ask("token:get", ""), `"result":null`},
		{"a key that is no text", ask("token:get", `,"apiKey":5`), `"status":401`},
		{"a user", ask("users:getOrCreate", `,"apiKey":"`+key+`","userId":"u1","authorizationId":"a1","channelId":"`+c1+`"`), `"channelId":"` + c1 + `"}`},
		{"a number for a text", ask("users:getOrCreate", `,"apiKey":"`+key+`","userId":1,"authorizationId":"a1","channelId":"`+c1+`"`), `"aura.INVALID_ARGUMENT"`},
		{"a keyless one", ask("monitoring:healthz", ""), `"result":{"status":"ok"}`},
		{"deletion of nobody", ask("users:delete", `,"apiKey":"`+key+`","auraId":"nobody"`), `"aura.NOT_FOUND"`},
		{"no such user by phone", ask("users:eraseByPhone", `,"apiKey":"`+key+`","phone_number":"+34600111222"`), `"aura.NOT_FOUND"`},
		{"an external user", ask("users:createExternal", `,"apiKey":"`+bot+`","auraId":"wa-1","channelId":"`+c1+`"`), `"result":{"auraId":"wa-1",`},
		{"his record", ask("users:get", `,"apiKey":"`+bot+`","auraId":"wa-1"`), `"phoneNumber":null,"type":"external",`},
		{"a reserved id", ask("users:get", `,"apiKey":"`+bot+`","auraId":"auraid"`), `"aura.NOT_FOUND"`},
		{"no id", ask("users:get", `,"apiKey":"`+bot+`"`), `"message":"auraId is missing","status":400`},
		{"a class too few", ask("users:get", `,"apiKey":"`+key+`","auraId":"wa-1"`), `"aura.PERMISSION_DENIED","code":3`},
		{"a global id", ask("users:lastForGlobal", `,"apiKey":"`+key+`","aura_id_global":"`+c1+`","channelId":"`+c1+`"`), `"aura.NOT_FOUND"`},
		{"no state", ask("users:linkCallback", `,"authorization_id":"a1","state":"x"`), `"message":"the state is not valid","status":401`},
		{"nor that", ask("users:unlinkCallback", `,"state":"x"`), `"message":"the state is not valid","status":401`},
		{"no conversation", ask("token:wss", `,"apiKey":"`+key+`"`), `"aura.BAD_GATEWAY"`}, // the answer has no streamUrl
		{"where keys are", ask("openid:configuration", ""), `"result":{"issuer":`},
		{"keys", ask("openid:jwk", ""), `"result":{"keys":[]}`},
		{"a ping", ask("monitoring:ping", `,"apiKey":"`+key+`"`), `"result":{"status":"ok"}`},
		{"no subdomain", ask("monitoring:config", `,"apiKey":"`+key+`"`), `"aura.NOT_FOUND"`},
		{"metrics", ask("monitoring:metrics", ""), `# TYPE aura_requests_total counter`},
	} {
		for way, a := range map[string]nodetest.Answer{"websocket": ws.Call(c.envelope), "query": s.Query(c.envelope)} {
			if !strings.Contains(a.Body, c.want) || !strings.Contains(a.Body, `"requestId":"r"`) {
				t.Errorf("%s over %s: %s", c.name, way, a.Body)
			}
			if way == "websocket" && a.Get("room") != "r" {
				t.Errorf("%s: no room in %s", c.name, a.Body)
			}
		}
	}
	if a := ws.Call(ask("users:delete", `,"apiKey":"`+bot+`","auraId":"wa-1"`)); a.Status != 204 || !strings.Contains(a.Body, `"result":null`) {
		t.Errorf("a deletion: %s", a.Body)
	}
	a := s.HTTP("POST", "/_query", ask("token:get", ""), s.anybody)
	if a.Status != 200 {
		t.Errorf("a header beside an envelope: %d %s", a.Status, a.Body)
	}
}

func TestWhatTheNodeRefuses(t *testing.T) {
	s := start(t, options{})
	a := s.HTTP("POST", mount+"/token", "{}", s.anybody)
	if a.Status != 405 || a.Get("code") != "METHOD_NOT_ALLOWED" || a.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("%d %s %v", a.Status, a.Body, a.Header)
	}
	a = s.HTTP("PUT", mount+"/users/u1", "{}", s.bot)
	if allow := a.Header.Get("Allow"); a.Status != 405 || !strings.Contains(allow, "GET") || !strings.Contains(allow, "DELETE") {
		t.Errorf("%d %s %v", a.Status, a.Body, a.Header)
	}
	expect(t, s.HTTP("DELETE", mount+"/users/u1", `{"a"`, s.bot), 400, "INVALID_ARGUMENT")
	expect(t, s.HTTP("DELETE", mount+"/users/u1", `a=b`, s.bot, "Content-Type: text/csv"), 400, "INVALID_ARGUMENT")
	expect(t, s.HTTP("DELETE", mount+"/users/u1", `{"a":"`+strings.Repeat("x", 70<<10)+`"}`, s.bot), 413, "TOO_LARGE")
	expect(t, s.get("/nowhere", s.bot), 404, "NOT_FOUND")
	if a := s.HTTP("HEAD", mount+"/openid/jwk", ""); a.Status != 200 || a.Body != "" {
		t.Errorf("HEAD: %d %s", a.Status, a.Body)
	}
	if a := s.HTTP("POST", mount+"/admin/api-keys", `{"consumer":"x","classes":["kernel"],"mode":"rw"}`); a.Status != 401 && a.Status != 403 {
		t.Errorf("an admin action of anybody: %d %s", a.Status, a.Body)
	}
	s.CreateUser("ann", `{"profileIds":["default"]}`, "ann", "ann-Secret-1", s.root)
	if a := s.HTTP("POST", mount+"/admin/api-keys", `{"consumer":"x","classes":["kernel"],"mode":"rw"}`, "Authorization: Bearer "+s.Login("ann", "ann-Secret-1", "")); a.Status != 403 {
		t.Errorf("an admin action of a user: %d %s", a.Status, a.Body)
	}
}

func TestWhatAdministratorsMayAsk(t *testing.T) {
	s := start(t, options{})
	for path, bodies := range map[string][]string{
		"/admin/api-keys": {
			`{}`, `{"consumer":"","classes":["kernel"],"mode":"rw"}`, `{"consumer":"x","classes":[],"mode":"rw"}`, `{"consumer":"x","classes":["all"],"mode":"rw"}`,
			`{"consumer":"x","classes":["kernel"],"mode":"w"}`, `{"consumer":"x","classes":["kernel"],"mode":"rw","paths":["/x"]}`,
			`{"consumer":"x","classes":["kernel"],"mode":"rw","channelId":"c1"}`, `{"consumer":"x","classes":["kernel"],"mode":"rw","expiresIn":-1}`,
			`{"consumer":"x","classes":["kernel"],"mode":"rw","expiresIn":9223372036854775807}`, `{"consumer":"x","classes":["kernel"],"mode":"rw","admin":true}`, `[]`,
		},
		"/admin/states": {
			`{}`, `{"purpose":"login","channelId":"` + c1 + `"}`, `{"purpose":"link","channelId":"x"}`, `{"purpose":"unlink","channelId":"` + c1 + `"}`,
			`{"purpose":"link","channelId":"` + c1 + `","expiresIn":601}`, `{"purpose":"link","channelId":"` + c1 + `","auraId":"auraid"}`,
		},
	} {
		for _, body := range bodies {
			if a := s.HTTP("POST", mount+path, body, s.root); a.Status != 400 {
				t.Errorf("%s %s: %d %s", path, body, a.Status, a.Body)
			}
		}
	}
	if a := s.HTTP("DELETE", mount+"/admin/api-keys/nobody", "", s.root); a.Status != 404 || a.Get("error.id") != "aura.NOT_FOUND" || a.Get("error.code") != 4.0 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	for body, want := range map[string]string{
		`{"consumer":"x","classes":["kernel"],"mode":"w"}`:         `"id":"aura.INVALID_ARGUMENT","code":1,"message":"mode`,
		`{"consumer":"x","classes":["kernel",5],"mode":"rw"}`:      `"id":"api.assert.invalid_type","code":33619969,"message":"Wrong type for argument \"body.classes.1\"`,
		`{"consumer":"x","classes":["kernel"],"mode":"rw","no":1}`: `"id":"api.assert.forbidden_argument","code":33619979,"message":"The argument \"body.no\"`,
	} {
		if a := s.HTTP("POST", mount+"/admin/api-keys", body, s.root); !strings.Contains(a.Body, want) {
			t.Errorf("%s: %s", body, a.Body)
		}
	}
}

// The key to revoke stands in the body, as in the other actions, or beside it, or in the path.
func TestWaysToNameTheKeyToRevoke(t *testing.T) {
	s := start(t, options{})
	revoke := func(more string) nodetest.Answer {
		return s.HTTP("POST", "/_query", `{"controller":"aura-authentication-api/admin","action":"revokeApiKey",`+more+`}`, s.root)
	}
	for _, form := range []string{`"body":{"kid":"%s"}`, `"kid":"%s"`} {
		made := s.Must("POST", mount+"/admin/api-keys", `{"consumer":"x","classes":["kernel"],"mode":"rw"}`, s.root)
		key := "Authorization: APIKEY " + fmt.Sprint(made.Get("result.apiKey"))
		s.secrets.add(fmt.Sprint(made.Get("result.apiKey")))
		if a := s.get("/ping", key); a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		if a := revoke(fmt.Sprintf(form, made.Get("result.kid"))); a.Status != 200 || a.Get("result.kid") != made.Get("result.kid") {
			t.Errorf("%s: %d %s", form, a.Status, a.Body)
		}
		expect(t, s.get("/ping", key), 401, "UNAUTHENTICATED")
	}
	for more, want := range map[string]string{`"body":{}`: "api.assert.missing_argument", `"volatile":{}`: "api.assert.body_required", `"kid":5`: "api.assert.invalid_type"} {
		if a := revoke(more); a.Status != 400 || a.Get("error.id") != want {
			t.Errorf("%s: %d %s", more, a.Status, a.Body)
		}
	}
}

// HEAD has none of the effects of GET: a state stays good, and no conversation is opened.
func TestHead(t *testing.T) {
	s := start(t, options{configure: func(c *config.Config) { c.HTTP.AccessControlAllowOrigin = []string{"https://ok.example"} }})
	link := callback + "?authorization_id=a1&state=" + s.state(t, `{"purpose":"link","channelId":"`+c1+`"}`)
	for _, path := range []string{link, "/token/wss", "/users/aura-id?userId=u9&authorizationId=a9&channelId=" + c1} {
		if a := s.HTTP("HEAD", mount+path, "", s.kernel); a.Status != 204 || a.Body != "" {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	if a := s.get(link); a.Status != 200 {
		t.Errorf("the state was used up: %d %s", a.Status, a.Body)
	}
	for path, want := range map[string]int{"/healthz": 200, "/openid/jwk": 200, "/ping": 401} { // these change nothing, and are asked
		if a := s.HTTP("HEAD", mount+path, ""); a.Status != want || a.Body != "" {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	a := s.get("/openid/jwk", "Origin: http://x")
	if a.Status != 403 || a.Get("code") != "PERMISSION_DENIED" || !strings.Contains(a.Body, "http.accessControlAllowOrigin") {
		t.Errorf("an origin that is not let in: %d %s", a.Status, a.Body)
	}
}

func TestPublicKeys(t *testing.T) { // row 17
	current, currentPEM := rsaPEM(t)
	next, nextPEM := rsaPEM(t)
	base := "https://aura.example.com" + mount
	s := start(t, options{
		secrets: map[string]string{"botKey": currentPEM, "botKeyNext": nextPEM},
		config:  map[string]any{"publicUrl": base},
	})
	a := s.get("/openid/issuer/.well-known/openid-configuration")
	want := `{"issuer":"` + base + `/openid/issuer","jwks_uri":"` + base + `/openid/jwk","authorization_endpoint":"https://invalid.aura.invalid/authorize",` +
		`"response_types_supported":["id_token"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256"],` +
		`"token_endpoint_auth_methods_supported":["private_key_jwt"]}`
	if a.Status != 200 || a.Body != want {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	u, err := url.Parse(a.Get("jwks_uri").(string))
	if err != nil {
		t.Fatal(err)
	}
	a = s.HTTP("GET", u.Path, "")
	if a.Status != 200 || a.Header.Get("Cache-Control") != "public, max-age=300" {
		t.Errorf("%d %v", a.Status, a.Header)
	}
	if !regexp.MustCompile(`^{"keys":\[({"kty":"RSA","use":"sig","alg":"RS256","kid":"[\w-]{43}","n":"[\w-]{342}","e":"AQAB"},?){2}\]}$`).MatchString(a.Body) {
		t.Errorf("%s", a.Body)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(a.Body), &set); err != nil {
		t.Fatal(err)
	}
	for i, private := range []any{current, next} {
		token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"sub": "x"})
		text, err := token.SignedString(private)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := jwt.Parse(text, func(*jwt.Token) (any, error) { return set.Keys[i].Key, nil }, jwt.WithValidMethods([]string{"RS256"})); err != nil {
			t.Errorf("key %d: %v", i, err)
		}
	}
}

// When the bot takes its next key, whoever relies on the answers of before finds the keys of both, for as long as he may rely
// on them; a restart alone changes nothing.
func TestRotationOfPublicKeys(t *testing.T) {
	var private [3]*rsa.PrivateKey
	var texts [3]string
	for i := range texts {
		private[i], texts[i] = rsaPEM(t)
	}
	data := t.TempDir()
	published := func(secrets map[string]string) map[string]jose.JSONWebKey {
		s := service{Node: nodetest.Start(t, nodetest.Options{PluginDir: pluginDir(t, id), Configure: func(c *config.Config) {
			c.Server.DataDir, c.Plugins.Required = data, []string{id}
			c.Plugins.Secrets = map[string]map[string]config.Secret{id: {}}
			for name, text := range secrets {
				c.Plugins.Secrets[id][name] = config.NewSecret(text)
			}
		}})}
		a := s.get("/openid/jwk")
		var set jose.JSONWebKeySet
		if err := json.Unmarshal([]byte(a.Body), &set); err != nil {
			t.Fatalf("%s: %v", a.Body, err)
		}
		byID := map[string]jose.JSONWebKey{}
		for _, k := range set.Keys {
			thumbprint, err := k.Thumbprint(crypto.SHA256)
			if err != nil || k.KeyID != base64.RawURLEncoding.EncodeToString(thumbprint) || !k.IsPublic() {
				t.Errorf("%s %v", k.KeyID, err)
			}
			byID[k.KeyID] = k
		}
		if len(byID) != len(set.Keys) {
			t.Errorf("a key twice: %s", a.Body)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		return byID
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&private[0].PublicKey)})
	before := published(map[string]string{"botKey": texts[0], "botKeyNext": texts[1]})
	again := published(map[string]string{"botKey": texts[0], "botKeyNext": texts[1], "botKeyPrevious": texts[0]})
	after := published(map[string]string{"botKey": texts[1], "botKeyNext": texts[2], "botKeyPrevious": string(public)})
	if len(before) != 2 || len(again) != 2 || len(after) != 3 {
		t.Errorf("%d, %d and %d keys", len(before), len(again), len(after))
	}
	for kid, k := range before {
		for _, set := range []map[string]jose.JSONWebKey{again, after} {
			if same, ok := set[kid].Key.(*rsa.PublicKey); !ok || !same.Equal(k.Key) {
				t.Errorf("%s is gone, or another key", kid)
			}
		}
	}
	for i, p := range private {
		if !slices.ContainsFunc(slices.Collect(maps.Values(after)), func(k jose.JSONWebKey) bool { return p.PublicKey.Equal(k.Key) }) {
			t.Errorf("key %d is not published", i)
		}
	}
}

func TestMonitoring(t *testing.T) { // rows 18 and 19
	s := start(t, options{config: map[string]any{"storageSubdomain": "auraprod1"}, configure: func(c *config.Config) {
		c.Server.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	}})
	if a := s.get("/healthz"); a.Status != 200 || a.Body != `{"status":"ok"}` {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	expect(t, s.get("/ping"), 401, "UNAUTHENTICATED")
	if a := s.get("/config", s.anybody); a.Status != 200 || a.Body != `{"storageSubdomain":"auraprod1"}` {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	expect(t, s.get("/config"), 401, "UNAUTHENTICATED")
	auraID := s.auraID(t, "userId=u1&authorizationId=a1&channelId="+c1)
	s.get("/users/"+auraID, s.bot)
	a := s.get("/metrics")
	if a.Status != 200 || a.Header.Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8; escaping=underscores" && !strings.HasPrefix(a.Header.Get("Content-Type"), "text/plain; version=0.0.4") ||
		!strings.Contains(a.Body, `aura_requests_total{code="OK",route="/users/:auraId"} 1`) || strings.Contains(a.Body, auraID) {
		t.Errorf("%d %v %s", a.Status, a.Header, a.Body)
	}
	a = s.get("/metrics", "Accept: application/openmetrics-text; version=1.0.0")
	if a.Status != 200 || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/openmetrics-text") || !strings.HasSuffix(a.Body, "# EOF\n") {
		t.Errorf("%d %v", a.Status, a.Header)
	}
	expect(t, s.get("/metrics", "X-Forwarded-For: 203.0.113.7"), 401, "UNAUTHENTICATED")
	if a := s.get("/metrics", "X-Forwarded-For: 203.0.113.7", s.anybody); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	expect(t, s.get("/metrics", "Authorization: APIKEY x"), 401, "UNAUTHENTICATED")
}

// Nobody but a proxy that the operator trusts says where a request comes from.
func TestMetricsByTheAddressOfTheSocket(t *testing.T) {
	s := start(t, options{config: map[string]any{"metrics": map[string]any{"allowCIDR": []string{"203.0.113.0/24"}}}})
	expect(t, s.get("/metrics", "X-Forwarded-For: 203.0.113.7"), 401, "UNAUTHENTICATED")
	expect(t, s.get("/metrics"), 401, "UNAUTHENTICATED")
	if a := s.get("/metrics", s.anybody); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

func TestWithoutStorageSubdomain(t *testing.T) {
	s := start(t, options{})
	expect(t, s.get("/config", s.anybody), 404, "NOT_FOUND")
	if a := s.get("/openid/jwk"); a.Body != `{"keys":[]}` {
		t.Errorf("%s", a.Body)
	}
}

func TestWithoutTheStore(t *testing.T) { // row 18
	var down atomic.Bool
	o := options{inProcess: nodetest.Options{WrapEngine: func(e storage.Engine) storage.Engine {
		return storagetest.Faulty{Engine: e, Fail: func(_ string, c storage.Collection, _ string) error {
			if down.Load() && strings.HasPrefix(c.Name, "aura_") {
				return kerror.ServicesStorageNotConnected.New()
			}
			return nil
		}}
	}}}
	s := start(t, o)
	link := s.state(t, `{"purpose":"link","channelId":"`+c1+`"}`)
	down.Store(true)
	a := s.get("/healthz")
	if a.Status != 503 || a.Body != `{"status":"unavailable"}` {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	expect(t, s.get("/ping"), 401, "UNAUTHENTICATED")
	expect(t, s.get("/ping", "Authorization: APIKEY xyz"), 401, "UNAUTHENTICATED")
	expect(t, s.get("/ping", s.kernel), 503, "UNAVAILABLE")
	expect(t, s.get(callback+"?authorization_id=a1&state="+link), 503, "UNAVAILABLE")
	if a := s.get("/openid/jwk"); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	down.Store(false)
	if a := s.get(callback + "?authorization_id=a1&state=" + link); a.Status != 200 {
		t.Errorf("the state was used up: %d %s", a.Status, a.Body)
	}
}

func TestThrottling(t *testing.T) {
	s := start(t, options{config: map[string]any{"limits": map[string]any{"failuresPerMinute": 5, "unknownUsersPerMinute": 3}}})
	for i := range 4 {
		if a := s.get("/users/nobody", s.bot); i < 3 && a.Status != 404 || i == 3 && (a.Status != 429 || a.Header.Get("Retry-After") == "") {
			t.Errorf("unknown user %d: %d %s", i, a.Status, a.Body)
		}
	}
	for i := range 6 {
		if a := s.get(callback + "?authorization_id=a1&state=x"); i < 5 && a.Status != 401 || i == 5 && a.Status != 429 || a.Header.Get("WWW-Authenticate") != "" {
			t.Errorf("wrong state %d: %d %s", i, a.Status, a.Body)
		}
	}
	for i := range 6 {
		if a := s.get("/ping", "Authorization: APIKEY xyz"); i < 5 && a.Status != 401 || i == 5 && (a.Status != 429 || a.Get("code") != "TOO_MANY_REQUESTS" || a.Header.Get("Retry-After") == "") {
			t.Errorf("wrong key %d: %d %s %v", i, a.Status, a.Body, a.Header)
		}
	}
	if a := s.get("/ping", s.kernel); a.Status != 200 {
		t.Errorf("a good key: %d %s", a.Status, a.Body)
	}
	if a := s.get("/healthz"); a.Status != 200 {
		t.Errorf("what needs no key: %d %s", a.Status, a.Body)
	}
	if a := s.get("/metrics"); a.Status != 200 {
		t.Errorf("the metrics: %d %s", a.Status, a.Body)
	}
}

func TestSites(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	own := l.Addr().String()
	_ = l.Close()
	s := start(t, options{config: map[string]any{"storageSubdomain": "auraprod1"}, configure: func(c *config.Config) {
		c.Plugins.Hosts = map[string][]string{id: {"aura.example.com"}}
		c.Plugins.Listen = map[string]string{id: own}
	}})
	for _, at := range []struct{ address, host, mount string }{{own, "", ""}, {s.Client.Address, "aura.example.com", ""}, {s.Client.Address, "", mount}} {
		for route, want := range map[string]int{
			"GET /users/aura-id": 400, "GET /users/aura-id/wa-1": 403, "GET /users/auraid/integrated": 400, "GET /users/auraid/integrated/logout": 400,
			"DELETE /admin/users/phone-numbers/abc": 400, "DELETE /users/nobody": 404, "GET /users/nobody": 403, "GET /users/aura-id-global/x": 400,
			"GET /token": 503, "GET /token/wss": 503, "GET /openid/issuer/.well-known/openid-configuration": 200, "GET /openid/jwk": 200,
			"GET /healthz": 200, "GET /ping": 200, "GET /config": 200, "GET /metrics": 200,
			"GET /users/auraid": 403, "DELETE /users/auraid": 404, "POST /ping": 405, "GET /users/auraid/integrated/x": 404, "GET /aura-services/v1/ping": 404, "GET /_now": 404,
		} {
			verb, path, _ := strings.Cut(route, " ")
			req, err := http.NewRequestWithContext(t.Context(), verb, "http://"+at.address+at.mount+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = at.host
			req.Header.Set("Authorization", strings.TrimPrefix(s.kernel, "Authorization: "))
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%v %s: %d", at, route, resp.StatusCode)
			}
		}
	}
}

func TestDemo(t *testing.T) {
	s := start(t, options{config: map[string]any{"fixture": "demo"}})
	f, err := readFixture("demo")
	if err != nil {
		t.Fatal(err)
	}
	a := s.get("/users/aura-id?userId=ann&authorizationId=demo-authorization", "Authorization: APIKEY "+f.APIKeys[0])
	if a.Status != 200 || a.Get("auraId") != f.Users[0].AuraID {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	a = s.get("/users/"+f.Users[0].AuraID, "Authorization: APIKEY "+f.APIKeys[1])
	if a.Status != 200 || a.Get("phoneNumber") != "+34600111222" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	plain := start(t, options{})
	expect(t, plain.get("/ping", "Authorization: APIKEY "+f.APIKeys[0]), 401, "UNAUTHENTICATED")
}

// A node without any setting for the plugin serves it; what is sealed then outlives a restart.
func TestWithoutSecrets(t *testing.T) {
	data := t.TempDir()
	run := func(f func(service)) {
		n := nodetest.Start(t, nodetest.Options{PluginDir: pluginDir(t, id), Configure: func(c *config.Config) {
			c.Server.DataDir, c.Plugins.Required = data, []string{id}
		}})
		f(service{Node: n, secrets: &secretsSeen{}})
		if err := n.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var key string
	run(func(s service) {
		s.Must("POST", "/_createFirstAdmin/root?reset", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
		s.root = "Authorization: Bearer " + s.Login("root", "root-Secret-1", "")
		key = s.key(t, `{"consumer":"x","classes":["kernel"],"mode":"rw"}`)
	})
	run(func(s service) {
		if a := s.get("/ping", key); a.Status != 200 {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
}

// kernelServer answers introspection and token requests of one user.
func kernelServer(t *testing.T, bot *rsa.PrivateKey, grants *atomic.Int32) string {
	return upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		form, err := url.ParseQuery(string(b))
		user, password, ok := r.BasicAuth()
		if err != nil || r.Method != "POST" || !ok || user != "aura" || password != "kernel-Secret-1" {
			t.Errorf("Kernel got %s %s %v", r.Method, r.URL, r.Header)
		}
		switch {
		case r.URL.Path == "/introspect" && form.Get("token") == "good-token":
			_, _ = io.WriteString(w, `{"active":true,"sub":"u1","authorization_id":"a1","channel_id":"`+c1+`","phone_number":"+34600111222"}`)
		case r.URL.Path == "/introspect" && form.Get("token") == "nobody":
			_, _ = io.WriteString(w, `{"active":true}`)
		case r.URL.Path == "/introspect":
			_, _ = io.WriteString(w, `{"active":false}`)
		case r.URL.Path == "/token" && form.Get("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer":
			claims := jwt.MapClaims{}
			if _, err := jwt.ParseWithClaims(form.Get("assertion"), claims, func(*jwt.Token) (any, error) { return &bot.PublicKey, nil },
				jwt.WithValidMethods([]string{"RS256"}), jwt.WithExpirationRequired(), jwt.WithIssuedAt()); err != nil || claims["sub"] != "u1" || claims["iss"] != "aura" ||
				!slices.Contains([]any{"a1", "a2"}, claims["authorization_id"]) || claims["jti"] == nil || claims["aud"] == "" {
				t.Errorf("assertion %v %v", claims, err)
			}
			switch status := int(grants.Load()); status {
			case 400:
				w.WriteHeader(400)
				_, _ = io.WriteString(w, `{"error":"invalid_grant"}`)
			case 401:
				w.WriteHeader(401)
				_, _ = io.WriteString(w, `{"error":"invalid_client"}`)
			default:
				w.WriteHeader(status)
				_, _ = io.WriteString(w, `{"access_token":"x"}`)
			}
		default:
			t.Errorf("Kernel got %s %q", r.URL, b)
		}
	})
}

func TestKernel(t *testing.T) {
	var grants atomic.Int32
	grants.Store(200)
	bot, key := rsaPEM(t)
	base := kernelServer(t, bot, &grants)
	s := start(t, options{
		config:  map[string]any{"kernel": map[string]any{"baseUrl": base, "clientId": "aura", "acceptBearer": true, "validateOnGet": true}},
		secrets: map[string]string{"kernelClientSecret": "kernel-Secret-1", "botKey": key},
	})
	s.secrets.add("good-token")
	a := s.get("/users/aura-id", "Authorization: Bearer good-token")
	if a.Status != 200 || a.Get("channelId") != c1 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if got := s.auraID(t, "userId=u1&authorizationId=a1&channelId="+c1); got != a.Get("auraId") {
		t.Error("another user")
	}
	expect(t, s.get("/users/aura-id", "Authorization: Bearer bad-token"), 401, "UNAUTHENTICATED")
	expect(t, s.get("/users/aura-id", "Authorization: Bearer nobody"), 502, "BAD_GATEWAY")
	expect(t, s.get("/ping", "Authorization: Bearer good-token"), 401, "UNAUTHENTICATED")
	path := "/users/" + a.Get("auraId").(string)
	for status, want := range map[int32]int{200: 200, 400: 401, 401: 502, 500: 502} {
		grants.Store(status)
		if a := s.get(path, s.bot); a.Status != want {
			t.Errorf("Kernel's %d: %d %s", status, a.Status, a.Body)
		}
	}
	if a := s.get(path, s.bot); a.Header.Get("WWW-Authenticate") != "" {
		t.Error("the key was good")
	}
}

func TestKernelThatIsAway(t *testing.T) {
	_, key := rsaPEM(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	hang := make(chan struct{})
	defer close(hang)
	hangs := upstreamServer(t, func(http.ResponseWriter, *http.Request) { <-hang })
	for _, c := range []struct {
		base    string
		timeout string
		status  int
		code    string
	}{{gone.URL, "4s", 503, "UNAVAILABLE"}, {hangs, "300ms", 504, "TIMEOUT"}} {
		s := start(t, options{
			config:  map[string]any{"kernel": map[string]any{"baseUrl": c.base, "timeout": c.timeout, "acceptBearer": true, "validateOnGet": true}},
			secrets: map[string]string{"botKey": key},
		})
		expect(t, s.get("/users/aura-id", "Authorization: Bearer x"), c.status, c.code)
		auraID := s.auraID(t, "userId=u1&authorizationId=a1&channelId="+c1)
		expect(t, s.get("/users/"+auraID, s.bot), c.status, c.code)
	}
}

func TestSettingsThatKeepThePluginOut(t *testing.T) {
	for name, c := range map[string]struct {
		config  map[string]any
		secrets map[string]string
	}{
		"a base without TLS":       {config: map[string]any{"directLine": map[string]any{"baseUrl": "http://example.org"}}},
		"a bad network":            {config: map[string]any{"metrics": map[string]any{"allowCIDR": []string{"x"}}}},
		"a fixture that is none":   {config: map[string]any{"fixture": "/nowhere/x.json"}},
		"the fixture elsewhere":    {config: map[string]any{"fixture": "demo", "environment": "production"}},
		"a key ring that is none":  {secrets: map[string]string{"keyRing": "secret-text-1"}},
		"a bot key that is none":   {secrets: map[string]string{"botKey": "secret-text-1"}},
		"validation without a key": {config: map[string]any{"kernel": map[string]any{"baseUrl": "https://example.org", "validateOnGet": true}}},
	} {
		t.Run(name, func(t *testing.T) {
			n := nodetest.Start(t, nodetest.Options{PluginDir: pluginDir(t, id), Configure: func(cfg *config.Config) {
				cfg.Plugins.Restart.MaxRestarts = 0
				cfg.Plugins.Config = map[string]map[string]any{id: c.config}
				secrets := map[string]config.Secret{}
				for name, value := range c.secrets {
					secrets[name] = config.NewSecret(value)
				}
				cfg.Plugins.Secrets = map[string]map[string]config.Secret{id: secrets}
			}})
			for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				if a := n.HTTP("GET", mount+"/openid/jwk", ""); a.Status != 200 {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("the plugin runs")
				}
			}
			if strings.Contains(n.Log.String(), "secret-text") {
				t.Error("the secret is in the log")
			}
		})
	}
}
