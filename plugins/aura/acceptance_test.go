package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/storagetest"
	"github.com/sluicehq/sluice/plugins/sdk/sealed"
)

// The acceptance table of the service, over real sockets against the plugin's binary. The comments name its rows.

var binaries nodetest.Binaries

func TestMain(m *testing.M) { os.Exit(nodetest.Main(m, &binaries)) }

const (
	mount = "/aura-services/v1"
	c1    = "c0a80001-0000-4000-8000-000000000001"
	c2    = "c0a80001-0000-4000-8000-000000000002"

	ringText = "1:202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
)

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// service is a node with the plugin, and keys for it.
type service struct {
	*nodetest.Node
	root                             string // Authorization header
	kernel, kernelRead, bot, anybody string // Authorization headers
	secrets                          *secretsSeen
}

// secretsSeen are texts that must not stand in the log.
type secretsSeen struct {
	mu   sync.Mutex
	list []string
}

func (s *secretsSeen) add(texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range texts {
		if t != "" {
			s.list = append(s.list, t)
		}
	}
}

type options struct {
	config    map[string]any
	secrets   map[string]string
	configure func(*config.Config)
	inProcess nodetest.Options
}

func start(t *testing.T, o options) service {
	t.Helper()
	seen := &secretsSeen{}
	n := o.inProcess
	if n.PluginDir == "" {
		n.PluginDir = pluginDir(t, id)
	}
	n.Configure = func(c *config.Config) {
		c.Plugins.Required = append(c.Plugins.Required, id)
		c.Plugins.Config = map[string]map[string]any{id: {"limits": map[string]any{"failuresPerMinute": 0}}}
		for name, value := range o.config {
			c.Plugins.Config[id][name] = value
		}
		secrets := map[string]config.Secret{"keyRing": config.NewSecret(ringText)}
		seen.add(ringText[2:], "34600111") // and the telephone numbers of all tests
		for name, value := range o.secrets {
			secrets[name] = config.NewSecret(value)
			seen.add(strings.Split(value, "\n")[0])
		}
		if o.secrets["botKey"] != "" { // its first line is in every key
			seen.list = slices.DeleteFunc(seen.list, func(s string) bool { return strings.HasPrefix(s, "-----") })
			seen.add(strings.Split(o.secrets["botKey"], "\n")[3])
		}
		c.Plugins.Secrets = map[string]map[string]config.Secret{id: secrets}
		if o.configure != nil {
			o.configure(c)
		}
	}
	s := service{Node: nodetest.Start(t, n), secrets: seen}
	t.Cleanup(func() { s.nothingSecretIsLogged(t) })
	s.Must("POST", "/_createFirstAdmin/root?reset", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
	s.root = "Authorization: Bearer " + s.Login("root", "root-Secret-1", "")
	s.kernel = s.key(t, `{"consumer":"kernel","classes":["kernel"],"mode":"rw"}`)
	s.kernelRead = s.key(t, `{"consumer":"kernel","classes":["kernel"],"mode":"r"}`)
	s.bot = s.key(t, `{"consumer":"aura-bot","classes":["internal"],"mode":"rw"}`)
	s.anybody = s.key(t, `{"consumer":"channel","classes":["public"],"mode":"r","channelId":"`+c1+`"}`)
	return s
}

// pluginDir gives a plugin folder with these plugins alone: the start of others costs time.
func pluginDir(t *testing.T, ids ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, id := range ids {
		if err := os.Mkdir(filepath.Join(dir, id), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(filepath.Join(binaries.Plugins, id, id), filepath.Join(dir, id, id)); err != nil {
			t.Fatal(err)
		}
	}
	lock, err := os.ReadFile(filepath.Join(binaries.Plugins, "sluice.lock"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "sluice.lock"), lock, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// nothingSecretIsLogged is looked at after every test; the log is at its most talkative.
func (s service) nothingSecretIsLogged(t *testing.T) {
	log := s.Log.String()
	s.secrets.mu.Lock()
	defer s.secrets.mu.Unlock()
	for _, secret := range s.secrets.list {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

func (s service) key(t *testing.T, body string) string {
	t.Helper()
	a := s.Must("POST", mount+"/admin/api-keys", body, s.root)
	key, _ := a.Get("result.apiKey").(string)
	s.secrets.add(key)
	return "Authorization: APIKEY " + key
}

func (s service) state(t *testing.T, body string) string {
	t.Helper()
	a := s.Must("POST", mount+"/admin/states", body, s.root)
	text, _ := a.Get("result.state").(string)
	s.secrets.add(text)
	return text
}

func (s service) get(path string, headers ...string) nodetest.Answer {
	s.T.Helper()
	return s.HTTP("GET", mount+path, "", headers...)
}

func (s service) user(query string) nodetest.Answer {
	s.T.Helper()
	return s.get("/users/aura-id?"+query, s.kernel)
}

func (s service) auraID(t *testing.T, query string) string {
	t.Helper()
	a := s.user(query)
	auraID, _ := a.Get("auraId").(string)
	if a.Status != 200 || auraID == "" {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	return auraID
}

func expect(t *testing.T, a nodetest.Answer, status int, code string) {
	t.Helper()
	if a.Status != status || a.Get("code") != code {
		t.Errorf("got %d %s, want %d %s", a.Status, a.Body, status, code)
	}
}

func TestUsersOfKernel(t *testing.T) { // rows 1 to 4
	s := start(t, options{})
	a := s.user("userId=u1&authorizationId=a1&channelId=" + c1)
	auraID, _ := a.Get("auraId").(string)
	auraIDGlobal, _ := a.Get("auraIdGlobal").(string)
	if want := fmt.Sprintf(`{"auraId":%q,"auraIdGlobal":%q,"channelId":%q}`, auraID, auraIDGlobal, c1); a.Status != 200 || a.Body != want || !uuidForm.MatchString(auraID) || !uuidForm.MatchString(auraIDGlobal) {
		t.Errorf("1: %d %s", a.Status, a.Body)
	}
	if a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Cache-Control") != "no-store" || !uuidForm.MatchString(a.Header.Get("X-Correlator")) {
		t.Errorf("1: %v", a.Header)
	}
	if again := s.user("userId=u1&authorizationId=a1&channelId=" + strings.ToUpper(c1)); again.Body != a.Body {
		t.Errorf("2: %s", again.Body)
	}
	other := s.user("userId=u1&authorizationId=a1&channelId=" + c2)
	if other.Get("auraId") == auraID || other.Get("auraIdGlobal") != auraIDGlobal {
		t.Errorf("3: %s", other.Body)
	}
	if a := s.user("authorizationId=a1&channelId=" + c1); a.Body != `{"code":"INVALID_ARGUMENT","message":"userId is missing"}` ||
		a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Cache-Control") != "no-store" || !uuidForm.MatchString(a.Header.Get("X-Correlator")) {
		t.Errorf("4: %d %s %v", a.Status, a.Body, a.Header)
	}
	for parameter, query := range map[string]string{
		"userId":          "authorizationId=a1&channelId=" + c1,
		"authorizationId": "userId=u1&channelId=" + c1,
		"channelId":       "userId=u1&authorizationId=a1",
		"userId ":         "userId=&authorizationId=a1&channelId=" + c1,
		"userId  ":        "userId=a&userId=b&authorizationId=a1&channelId=" + c1,
		"userId   ":       "userId=a%00b&authorizationId=a1&channelId=" + c1,
		"userId    ":      "userId=" + strings.Repeat("x", 129) + "&authorizationId=a1&channelId=" + c1,
		"channelId ":      "userId=u1&authorizationId=a1&channelId=c1",
		"phoneNumber":     "userId=u1&authorizationId=a1&phoneNumber=12&channelId=" + c1,
	} {
		a := s.user(query)
		expect(t, a, 400, "INVALID_ARGUMENT")
		if message, _ := a.Get("message").(string); !strings.HasPrefix(message, strings.TrimSpace(parameter)+" ") {
			t.Errorf("4: %s: %s", parameter, a.Body)
		}
	}
}

func TestAtTheSameTime(t *testing.T) { // row 2
	e := &engine{}
	s := start(t, options{inProcess: e.kept()})
	var all sync.WaitGroup
	ids := make([]any, 20)
	for i := range ids {
		all.Go(func() {
			a := s.user("userId=u2&authorizationId=a1&phoneNumber=%2B34600111222&channelId=" + c1)
			if a.Status != 200 {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			ids[i] = a.Get("auraId")
		})
	}
	all.Wait()
	if len(slices.Compact(ids)) != 1 {
		t.Fatalf("several users: %v", ids)
	}
	for _, name := range []string{usersCollection, auraIDsCollection, globalsCollection, globalIDsCollection, phonesCollection} {
		if rows := e.rows(t, name); len(rows) != 1 {
			t.Errorf("%s holds %v", name, rows)
		}
	}
	if a := s.HTTP("DELETE", mount+"/admin/users/phone-numbers/%2B34600111222", "", s.kernel); a.Status != 204 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := s.get("/users/"+ids[0].(string), s.bot); a.Status != 404 {
		t.Errorf("erased: %d %s", a.Status, a.Body)
	}
}

func TestKeys(t *testing.T) { // rows 5 to 7
	s := start(t, options{})
	auraID := s.auraID(t, "userId=u1&authorizationId=a1&channelId="+c1)
	revoked := s.Must("POST", mount+"/admin/api-keys", `{"consumer":"x","classes":["kernel"],"mode":"rw"}`, s.root)
	kid, _ := revoked.Get("result.kid").(string)
	revokedKey, _ := revoked.Get("result.apiKey").(string)
	if a := s.get("/ping", "Authorization: APIKEY "+revokedKey); a.Status != 200 {
		t.Errorf("before it is revoked: %d %s", a.Status, a.Body)
	}
	s.Must("DELETE", mount+"/admin/api-keys/"+kid, "", s.root)
	good := strings.TrimPrefix(s.kernel, "Authorization: APIKEY ")
	alive := s.Must("POST", mount+"/admin/api-keys", `{"consumer":"x","classes":["kernel"],"mode":"rw","expiresIn":3600}`, s.root)
	aliveKid, _ := alive.Get("result.kid").(string)
	if a := s.get("/ping", "Authorization: APIKEY "+alive.Get("result.apiKey").(string)); a.Status != 200 {
		t.Errorf("before it expires: %d %s", a.Status, a.Body)
	}
	now := time.Now().Unix()
	if a := s.get("/ping", "Authorization: APIKEY "+sealKey(t, ringText, aliveKid, "local", now+60)); a.Status != 200 {
		t.Errorf("what the test seals: %d %s", a.Status, a.Body)
	}
	want := ""
	for row, header := range map[string]string{
		"no header":        "X-Nothing: 1",
		"rubbish":          "Authorization: APIKEY xyz",
		"nothing":          "Authorization: APIKEY ",
		"other scheme":     "Authorization: Basic " + good,
		"Bearer":           "Authorization: Bearer " + good,
		"two blanks":       "Authorization: APIKEY  " + good,
		"another ring":     "Authorization: APIKEY " + sealKey(t, "1:"+strings.Repeat("00", 32), aliveKid, "local", 0),
		"another env":      "Authorization: APIKEY " + sealKey(t, ringText, aliveKid, "production", 0),
		"unknown kid":      "Authorization: APIKEY " + sealKey(t, ringText, "somebody", "local", 0),
		"revoked":          "Authorization: APIKEY " + revokedKey,
		"expired":          "Authorization: APIKEY " + sealKey(t, ringText, aliveKid, "local", now),
		"one more letter":  "Authorization: APIKEY " + good + "A",
		"one letter other": "Authorization: APIKEY " + flip(good),
	} {
		a := s.get("/ping", header)
		if want == "" {
			want = a.Body
		}
		if a.Status != 401 || a.Body != want || a.Get("code") != "UNAUTHENTICATED" || a.Header.Get("WWW-Authenticate") != `APIKEY realm="aura-services"` {
			t.Errorf("5 %s: %d %s %v", row, a.Status, a.Body, a.Header)
		}
	}
	if a := s.get("/ping?apiKey="+good, s.kernel); a.Status != 401 || a.Body != want {
		t.Errorf("a key in the query: %d %s", a.Status, a.Body)
	}
	forPaths := s.key(t, `{"consumer":"x","classes":["kernel"],"mode":"r","paths":["/ping","/users/aura-id-global/:aura_id_global"]}`)
	if a := s.get("/ping", forPaths); a.Status != 200 {
		t.Errorf("a key for the path: %d %s", a.Status, a.Body)
	}
	expect(t, s.get("/users/aura-id-global/"+c1+"?channelId="+c1, forPaths), 404, "NOT_FOUND")
	raw := make([]byte, 0, len(good))
	raw = fmt.Appendf(raw, "%s", hexOf(t, good))
	for _, header := range []string{"Authorization: apikey " + good, "Authorization: APIKEY " + string(raw)} {
		if a := s.get("/ping", header); a.Status != 200 || a.Body != `{"status":"ok"}` {
			t.Errorf("scheme and hex: %d %s", a.Status, a.Body)
		}
	}
	botRead := s.key(t, `{"consumer":"aura-bot","classes":["internal"],"mode":"r"}`)
	for row, a := range map[string]nodetest.Answer{
		"6":             s.get("/users/"+auraID, s.anybody),
		"6 kernel":      s.get("/users/"+auraID, s.kernel),
		"7":             s.HTTP("DELETE", mount+"/users/"+auraID, "", s.kernelRead),
		"7 creating":    s.get("/users/aura-id?userId=u9&authorizationId=a&channelId="+c1, s.kernelRead),
		"7 bot":         s.HTTP("DELETE", mount+"/users/"+auraID, "", botRead),
		"7 bot's user":  s.get("/users/aura-id/wa-1?channelId="+c1, botRead),
		"7 phone":       s.HTTP("DELETE", mount+"/admin/users/phone-numbers/34600111222", "", s.kernelRead),
		"public delete": s.HTTP("DELETE", mount+"/users/"+auraID, "", s.anybody),
		"7 external":    s.get("/users/aura-id/wa-1?channelId="+c1, s.kernel),
		"another path":  s.get("/ping", s.key(t, `{"consumer":"x","classes":["kernel"],"mode":"rw","paths":["/users/aura-id"]}`)),
		"bot's ping":    s.get("/ping", s.bot),
		"phone, bot":    s.HTTP("DELETE", mount+"/admin/users/phone-numbers/34600111222", "", s.bot),
		"global, bot":   s.get("/users/aura-id-global/"+c1, s.bot),
		"public's ping": s.get("/ping", s.anybody),
	} {
		if a.Status != 403 || a.Get("code") != "PERMISSION_DENIED" || a.Header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: %d %s", row, a.Status, a.Body)
		}
	}
}

// What was wrong with a key does not show in the time: every text that could be one costs one look into the store.
func TestWrongKeysCostTheSame(t *testing.T) {
	var looks atomic.Int32
	s := start(t, options{inProcess: nodetest.Options{WrapEngine: func(e storage.Engine) storage.Engine {
		return storagetest.Faulty{Engine: e, Fail: func(_ string, c storage.Collection, _ string) error {
			if c.Name == apiKeysCollection {
				looks.Add(1)
			}
			return nil
		}}
	}}})
	made := s.Must("POST", mount+"/admin/api-keys", `{"consumer":"x","classes":["kernel"],"mode":"rw"}`, s.root)
	kid, _ := made.Get("result.kid").(string)
	expired := sealKey(t, ringText, kid, "local", time.Now().Unix())
	s.Must("DELETE", mount+"/admin/api-keys/"+kid, "", s.root)
	for name, key := range map[string]string{
		"rubbish": "xyz", "another ring": sealKey(t, "1:"+strings.Repeat("00", 32), kid, "local", 0), "another environment": sealKey(t, ringText, kid, "production", 0),
		"unknown": sealKey(t, ringText, "somebody", "local", 0), "expired": expired, "revoked": made.Get("result.apiKey").(string),
	} {
		before := looks.Load()
		expect(t, s.get("/ping", "Authorization: APIKEY "+key), 401, "UNAUTHENTICATED")
		if n := looks.Load() - before; n != 1 {
			t.Errorf("%s: %d looks", name, n)
		}
	}
}

// sealKey makes a key as the plugin does.
func sealKey(t *testing.T, ring, kid, env string, exp int64) string {
	t.Helper()
	return seal(t, ring, "aura-apikey|"+env, apiKey{
		V: 1, KID: kid, Env: env, Svc: auraServices, ExpiresAt: exp,
		grant: grant{Classes: []class{kernelClass}, Mode: "rw", Consumer: "x"},
	})
}

func seal(t *testing.T, ring, purpose string, content any) string {
	t.Helper()
	r, err := sealed.Parse(ring)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	return r.Seal(purpose, b)
}

func flip(text string) string {
	i := len(text) / 2
	c := byte('A')
	if text[i] == c {
		c = 'B'
	}
	return text[:i] + string(c) + text[i+1:]
}

func hexOf(t *testing.T, text string) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b)
}

func TestWholeRecord(t *testing.T) { // row 8
	s := start(t, options{})
	a := s.user("userId=u%201&authorizationId=a1&phoneNumber=34600111222&channelId=" + c1)
	auraID, _ := a.Get("auraId").(string)
	got := s.get("/users/"+auraID, s.bot)
	times := regexp.MustCompile(`"createdAt":"([^"]+)","updatedAt":"([^"]+)"}$`).FindStringSubmatch(got.Body)
	want := fmt.Sprintf(`{"auraId":%q,"auraIdGlobal":%q,"userId":"u 1","authorizationId":"a1","channelId":%q,"phoneNumber":"+34600111222","type":"authenticated",`,
		auraID, a.Get("auraIdGlobal"), c1)
	if got.Status != 200 || !strings.HasPrefix(got.Body, want) || times == nil || times[1] != times[2] {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if again := s.auraID(t, "userId=u%201&authorizationId=a2&channelId="+c1); again != auraID {
		t.Error("a new authorization makes a new user")
	}
	if got := s.get("/users/"+auraID, s.bot); got.Get("authorizationId") != "a2" || got.Get("phoneNumber") != "+34600111222" {
		t.Errorf("a new authorization: %s", got.Body)
	}
	for path, status := range map[string]int{
		"/users/3f1c3d52-7a43-4c68-9d0e-5b8f0c1a2e01": 404, "/users/nobody": 404,
		"/users/auraid": 404, "/users/aura-id-global": 404, "/users/aura%69d": 404, // parts of other paths, never ids of users
		"/users/-x": 400, "/users/a%20b": 400, "/users/" + strings.Repeat("x", 129): 400,
	} {
		if a := s.get(path, s.bot); a.Status != status {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	for _, id := range []string{"aura-id", "auraid", "aura-id-global"} {
		expect(t, s.HTTP("DELETE", mount+"/users/"+id, "", s.bot), 404, "NOT_FOUND")
		expect(t, s.get("/users/aura-id/"+id+"?channelId="+c1, s.bot), 400, "INVALID_ARGUMENT")
	}
	expect(t, s.get("/users/auraid", s.anybody), 403, "PERMISSION_DENIED")
}

func TestExternalUsers(t *testing.T) { // row 9
	s := start(t, options{})
	a := s.get("/users/aura-id/wa-34600?channelId="+c1, s.bot)
	if want := `{"auraId":"wa-34600","auraIdGlobal":"`; a.Status != 200 || !strings.HasPrefix(a.Body, want) {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if again := s.get("/users/aura-id/wa-34600?phoneNumber=%2B34600111333&channelId="+c1, s.bot); again.Body != a.Body {
		t.Errorf("again: %d %s", again.Status, again.Body)
	}
	expect(t, s.get("/users/aura-id/wa-34600?channelId="+c2, s.bot), 409, "ALREADY_EXISTS")
	expect(t, s.get("/users/aura-id/wa-1", s.bot), 400, "INVALID_ARGUMENT")
	if whole := s.get("/users/wa-34600", s.bot); whole.Get("type") != "external" || whole.Get("userId") != nil || whole.Get("phoneNumber") != "+34600111333" ||
		!strings.Contains(whole.Body, `"userId":null,"authorizationId":null,`) {
		t.Errorf("%d %s", whole.Status, whole.Body)
	}
	if a := s.HTTP("DELETE", mount+"/users/wa-34600", "", s.bot); a.Status != 204 || a.Body != "" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	expect(t, s.HTTP("DELETE", mount+"/users/wa-34600", "", s.bot), 404, "NOT_FOUND")
	if other := s.get("/users/aura-id/wa-34600?channelId="+c2, s.bot); other.Status != 200 || other.Get("auraIdGlobal") == a.Get("auraIdGlobal") {
		t.Errorf("after the erasure: %d %s", other.Status, other.Body)
	}
}

func TestExternalUsersAtTheSameTime(t *testing.T) {
	s := start(t, options{})
	var all sync.WaitGroup
	bodies := make([]string, 20)
	for i := range bodies {
		all.Go(func() { bodies[i] = s.get("/users/aura-id/wa-1?channelId="+c1, s.bot).Body })
	}
	all.Wait()
	if len(slices.Compact(bodies)) != 1 || !strings.HasPrefix(bodies[0], `{"auraId":"wa-1"`) {
		t.Errorf("%v", bodies)
	}
	if a := s.get("/users/wa-1", s.bot); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

const callback = "/users/auraid/integrated"

func TestLinking(t *testing.T) { // rows 10 and 11
	e := &engine{}
	s := start(t, options{config: map[string]any{"redirectUris": []string{"https://app.example/done?x=1"}}, inProcess: e.kept()})
	link := s.state(t, `{"purpose":"link","channelId":"`+c1+`","userId":"u1"}`)
	expect(t, s.get(callback+"?state="+link), 400, "INVALID_ARGUMENT") // which does not use the state up
	a := s.get(callback + "?authorization_id=a1&state=" + link)
	auraID, _ := a.Get("auraId").(string)
	if a.Status != 200 || a.Body != `{"auraId":"`+auraID+`"}` || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("10: %d %s", a.Status, a.Body)
	}
	if got := s.auraID(t, "userId=u1&authorizationId=a1&channelId="+c1); got != auraID {
		t.Errorf("10: the user is %s", got)
	}
	expect(t, s.get(callback+"?authorization_id=a1&state="+link), 401, "UNAUTHENTICATED")
	unlink := s.state(t, `{"purpose":"unlink","channelId":"`+c1+`","userId":"u5"}`)
	fresh := s.state(t, `{"purpose":"link","channelId":"`+c1+`","userId":"u5"}`)
	known := state{Purpose: linkPurpose, UserID: "u5", ChannelID: c1, Nonce: "n-1", ExpiresAt: time.Now().Unix()}
	for row, state := range map[string]string{
		"truncated": fresh[:len(fresh)-1], "expired": seal(t, ringText, "aura-state|link|local", known), "unlink": unlink, "flipped": flip(fresh), "rubbish": "x",
		"long": strings.Repeat("x", 2049), "foreign": seal(t, "1:"+strings.Repeat("00", 32), "aura-state|link|local", known), "another environment": seal(t, ringText, "aura-state|link|production", known),
		"a key": strings.TrimPrefix(s.kernel, "Authorization: APIKEY "),
	} {
		if a := s.get(callback + "?authorization_id=a1&state=" + state); a.Status != 401 || a.Get("code") != "UNAUTHENTICATED" {
			t.Errorf("11 %s: %d %s", row, a.Status, a.Body)
		}
	}
	if rows := e.rows(t, usersCollection); len(rows) != 1 { // that of 10
		t.Errorf("11: %v", rows)
	}
	known.ExpiresAt += 60
	if a := s.get(callback + "?authorization_id=a1&state=" + seal(t, ringText, "aura-state|link|local", known)); a.Status != 200 {
		t.Errorf("what the test seals: %d %s", a.Status, a.Body)
	}
	expect(t, s.get(callback+"?authorization_id=a1"), 400, "INVALID_ARGUMENT")

	redirected := s.state(t, `{"purpose":"link","channelId":"`+c1+`","redirectUri":"https://app.example/done?x=1"}`)
	a = s.noRedirect(t, callback+"?authorization_id=a7&user_id=u7&state="+redirected)
	if a.Status != 302 || a.Header.Get("Location") != "https://app.example/done?x=1" || a.Body != "" {
		t.Errorf("redirect: %d %v %s", a.Status, a.Header, a.Body)
	}
	redirected = s.state(t, `{"purpose":"link","channelId":"`+c1+`","redirectUri":"https://app.example/done?x=1"}`)
	a = s.noRedirect(t, callback+"?error=access_denied&error_description=a%0db&state="+redirected)
	if a.Status != 302 || a.Header.Get("Location") != "https://app.example/done?error=access_denied&x=1" {
		t.Errorf("error: %d %v", a.Status, a.Header)
	}
	expect(t, s.get(callback+"?error=access_denied&state="+fresh), 400, "INVALID_ARGUMENT")
	if rows := e.rows(t, usersCollection); len(rows) != 3 { // those of 10, of what the test sealed, and of the redirect
		t.Errorf("a failure of Kernel makes a record: %v", rows)
	}
	if a := s.HTTP("POST", mount+"/admin/states", `{"purpose":"link","channelId":"`+c1+`","redirectUri":"https://app.example/"}`, s.root); a.Status != 400 {
		t.Errorf("a URI that is not allowed: %d %s", a.Status, a.Body)
	}
}

// What is not sealed in a state leads to nobody's record.
func TestLinkingBindsNobodyElse(t *testing.T) {
	s := start(t, options{})
	ann := s.auraID(t, "userId=ann&authorizationId=a1&channelId="+c1)
	neutral := func() string { return s.state(t, `{"purpose":"link","channelId":"`+c1+`"}`) }
	a := s.get(callback + "?authorization_id=evil&user_id=ann&state=" + neutral())
	own, _ := a.Get("auraId").(string)
	if a.Status != 200 || own == ann {
		t.Errorf("by user_id: %d %s", a.Status, a.Body)
	}
	if a := s.get(callback + "?authorization_id=ann&state=" + neutral()); a.Status != 200 || a.Get("auraId") == ann {
		t.Errorf("an authorization with the name of a user: %d %s", a.Status, a.Body)
	}
	expect(t, s.get(callback+"?authorization_id=evil&state="+neutral()), 409, "ALREADY_EXISTS")
	byAuraID := func(id string) string {
		return s.state(t, `{"purpose":"link","channelId":"`+c1+`","auraId":"`+id+`"}`)
	}
	if a := s.get(callback + "?authorization_id=evil&state=" + byAuraID(own)); a.Get("auraId") != own {
		t.Errorf("the sealed auraId: %d %s", a.Status, a.Body)
	}
	expect(t, s.get(callback+"?authorization_id=ann&state="+byAuraID(own)), 409, "ALREADY_EXISTS")
	expect(t, s.get(callback+"?authorization_id=a2&user_id=bob&state="+byAuraID(ann)), 400, "INVALID_ARGUMENT")
	if whole := s.get("/users/"+ann, s.bot); whole.Get("authorizationId") != "a1" {
		t.Errorf("overwritten: %s", whole.Body)
	}
	if a := s.get(callback + "?authorization_id=a2&state=" + byAuraID(ann)); a.Get("auraId") != ann {
		t.Errorf("the sealed auraId: %d %s", a.Status, a.Body)
	}
	if whole := s.get("/users/"+ann, s.bot); whole.Get("authorizationId") != "a2" {
		t.Errorf("not renewed: %s", whole.Body)
	}
}

// A state is good once, also for those who come at the same time.
func TestReplaysAtTheSameTime(t *testing.T) {
	s := start(t, options{})
	link := s.state(t, `{"purpose":"link","channelId":"`+c1+`"}`)
	var all sync.WaitGroup
	var good atomic.Int32
	for i := range 20 {
		all.Go(func() {
			switch a := s.get(fmt.Sprintf("%s?authorization_id=a%d&state=%s", callback, i, link)); a.Status {
			case 200:
				good.Add(1)
			case 401:
			default:
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
	all.Wait()
	if good.Load() != 1 {
		t.Errorf("good %d times", good.Load())
	}
}

func TestLinkingAnExternalUser(t *testing.T) {
	s := start(t, options{})
	if a := s.get("/users/aura-id/wa-1?phoneNumber=34600111222&channelId="+c1, s.bot); a.Status != 200 {
		t.Fatal(a.Body)
	}
	link := s.state(t, `{"purpose":"link","channelId":"`+c1+`","userId":"u1","auraId":"wa-1"}`)
	if a := s.get(callback + "?authorization_id=a1&state=" + link); a.Get("auraId") != "wa-1" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := s.get("/users/wa-1", s.bot); a.Get("type") != "authenticated" || a.Get("userId") != "u1" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if got := s.auraID(t, "userId=u1&authorizationId=a1&channelId="+c1); got != "wa-1" {
		t.Errorf("the user is %s", got)
	}
	link = s.state(t, `{"purpose":"link","channelId":"`+c2+`","userId":"u1","auraId":"wa-1"}`)
	expect(t, s.get(callback+"?authorization_id=a1&state="+link), 409, "ALREADY_EXISTS")
}

func TestUnlinking(t *testing.T) { // row 12
	s := start(t, options{config: map[string]any{"redirectUris": []string{"https://app.example/bye"}}})
	auraID := s.auraID(t, "userId=u1&authorizationId=a1&channelId="+c1)
	for i := range 2 {
		state := s.state(t, `{"purpose":"unlink","channelId":"`+c1+`","userId":"u1"}`)
		if a := s.get(callback + "/logout?state=" + state); a.Status != 200 || a.Body != `{"status":"ok"}` {
			t.Errorf("%d: %d %s", i, a.Status, a.Body)
		}
		expect(t, s.get(callback+"/logout?state="+state), 401, "UNAUTHENTICATED")
	}
	expect(t, s.get("/users/"+auraID, s.bot), 404, "NOT_FOUND")
	auraID = s.auraID(t, "userId=u1&authorizationId=a1&channelId="+c1)
	state := s.state(t, `{"purpose":"unlink","channelId":"`+c2+`","auraId":"`+auraID+`"}`)
	if a := s.get(callback + "/logout?state=" + state); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := s.get("/users/"+auraID, s.bot); a.Status != 200 { // he is of another channel
		t.Errorf("%d %s", a.Status, a.Body)
	}
	for _, state := range []string{s.state(t, `{"purpose":"link","channelId":"`+c1+`","userId":"u1"}`), "x", state} {
		expect(t, s.get(callback+"/logout?state="+state), 401, "UNAUTHENTICATED")
	}
	expect(t, s.get(callback+"/logout"), 400, "INVALID_ARGUMENT")
	state = s.state(t, `{"purpose":"unlink","channelId":"`+c1+`","auraId":"`+auraID+`","redirectUri":"https://app.example/bye"}`)
	if a := s.noRedirect(t, callback+"/logout?state="+state); a.Status != 302 || a.Header.Get("Location") != "https://app.example/bye" {
		t.Errorf("redirect: %d %v", a.Status, a.Header)
	}
	expect(t, s.get("/users/"+auraID, s.bot), 404, "NOT_FOUND")
}

func TestErasingByPhone(t *testing.T) { // row 13
	s := start(t, options{})
	first := s.auraID(t, "userId=u1&authorizationId=a1&phoneNumber=%2B34600111222&channelId="+c1)
	second := s.auraID(t, "userId=u2&authorizationId=a1&phoneNumber=34600111222&channelId="+c2)
	third := s.auraID(t, "userId=u3&authorizationId=a1&phoneNumber=34600111444&channelId="+c2)
	path := mount + "/admin/users/phone-numbers/"
	if a := s.HTTP("DELETE", path+"%2B34600111222", "", s.kernel); a.Status != 204 || a.Body != "" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	for auraID, status := range map[string]int{first: 404, second: 404, third: 200} {
		if a := s.get("/users/"+auraID, s.bot); a.Status != status {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	}
	expect(t, s.HTTP("DELETE", path+"%2B34600111222", "", s.kernel), 404, "NOT_FOUND")
	expect(t, s.HTTP("DELETE", path+"abc", "", s.kernel), 400, "INVALID_ARGUMENT")
	if a := s.HTTP("DELETE", path+"34600111444", "", s.kernel); a.Status != 204 {
		t.Errorf("digits alone: %d %s", a.Status, a.Body)
	}
}

func TestLastForGlobal(t *testing.T) { // row 20
	s := start(t, options{})
	a := s.user("userId=u1&authorizationId=a1&channelId=" + c1)
	path := fmt.Sprintf("/users/aura-id-global/%s", a.Get("auraIdGlobal"))
	if got := s.get(path+"?channelId="+c1, s.kernelRead); got.Status != 200 || got.Body != a.Body {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	withChannel := s.key(t, `{"consumer":"x","classes":["kernel"],"mode":"r","channelId":"`+c1+`"}`)
	if got := s.get(path, withChannel); got.Body != a.Body {
		t.Errorf("by the key's channel: %d %s", got.Status, got.Body)
	}
	expect(t, s.get(path+"?channelId="+c2, s.kernel), 404, "NOT_FOUND")
	expect(t, s.get(path, s.kernel), 400, "INVALID_ARGUMENT")
	expect(t, s.get("/users/aura-id-global/xyz?channelId="+c2, s.kernel), 400, "INVALID_ARGUMENT")
	if a := s.HTTP("DELETE", mount+"/users/"+a.Get("auraId").(string), "", s.kernel); a.Status != 204 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	expect(t, s.get(path+"?channelId="+c1, s.kernel), 404, "NOT_FOUND")
	if again := s.user("userId=u1&authorizationId=a1&channelId=" + c1); again.Get("auraIdGlobal") == a.Get("auraIdGlobal") || again.Get("auraId") == a.Get("auraId") {
		t.Errorf("an erased id came back: %s", again.Body)
	}
}

// noRedirect is get that does not follow.
func (s service) noRedirect(t *testing.T, path string) nodetest.Answer {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get("http://" + s.Client.Address + mount + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return nodetest.Answer{Status: resp.StatusCode, Header: resp.Header}
}

// upstreamServer is a real server that checks what it receives.
func upstreamServer(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func rsaPEM(t *testing.T) (*rsa.PrivateKey, string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	b, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b}))
}
