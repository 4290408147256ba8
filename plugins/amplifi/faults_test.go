package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/storagetest"
	"github.com/sluicehq/sluice/plugins/sdk/passwords"
)

// own is one of the plugin's collections, as the engine has it.
func own(name string) storage.Collection {
	return storage.Collection{Scope: storage.Internal, Index: storage.PluginIndex(id, id), Name: name}
}

// broken is a store that fails where the test says. Documents are read with Get and, whatever becomes of them, written with
// Write.
type broken struct {
	engine storage.Engine
	fails  atomic.Value // func(op, collection string) bool
}

func (b *broken) wrap(e storage.Engine) storage.Engine {
	b.engine = e
	b.fails.Store(func(string, string) bool { return false })
	return &storagetest.Faulty{Engine: e, Fail: func(op string, c storage.Collection, _ string) error {
		if strings.HasPrefix(c.Index, "plugin-amplifi") && b.fails.Load().(func(string, string) bool)(op, c.Name) {
			return errors.New("the disk is on fire")
		}
		return nil
	}}
}

func (b *broken) when(fails func(op, collection string) bool) { b.fails.Store(fails) }

func TestTheStoreIsDown(t *testing.T) {
	var b broken
	s := start(t, nil, nodetest.Options{WrapEngine: b.wrap})
	key := s.phone()
	token := "token: " + s.ok(s.put(ali))
	at := now()
	mobile := sealedBody(t, key, "mobile", "mobile", at, at)
	unavailable := func(what string, a nodetest.Answer) {
		t.Helper()
		refused(t, a, 503, "serviceUnavailable")
		if a.Header.Get("Retry-After") == "" || strings.Contains(a.Body, "fire") {
			t.Errorf("%s: %s %v", what, a.Body, a.Header)
		}
	}
	b.when(func(string, string) bool { return true })
	unavailable("internet", s.put(ali))
	unavailable("test", s.put(seedBody))
	unavailable("mobile", s.put(mobile))
	unavailable("user", s.HTTP("GET", "/amplifi/user", "", token))
	unavailable("revoke", s.HTTP("DELETE", "/amplifi/token", "", token))
	// What cannot be written is not given: neither a token without its document, nor one that is in nobody's list.
	b.when(func(op, c string) bool { return op == "Write" && c == tokensCollection })
	unavailable("no token", s.put(ali))
	b.when(func(op, c string) bool { return op == "Write" && c == usersCollection })
	unavailable("no list", s.put(ali))
	// A proof that cannot be used up proves nothing.
	b.when(func(op, c string) bool { return op == "Write" && c == devicesCollection })
	unavailable("replay", s.put(mobile))
	b.when(func(string, string) bool { return false })
	s.ok(s.put(mobile))
	s.ok(s.put(ali))
	if a := s.HTTP("GET", "/amplifi/user", "", token); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

// together calls n times at once.
func together(n int, call func(i int) nodetest.Answer) (statuses []int) {
	statuses = make([]int, n)
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() { statuses[i] = call(i).Status })
	}
	wait.Wait()
	return statuses
}

func count(statuses []int, status int) (n int) {
	for _, s := range statuses {
		if s == status {
			n++
		}
	}
	return n
}

func TestAReplayedProofIsTakenOnceHoweverManyComeAtOnce(t *testing.T) {
	s := start(t, settingsOf{"throttle": map[string]any{"failuresInARow": 0, "failuresPerMinute": 0}}, nodetest.Options{})
	key := s.phone()
	at := now()
	body := sealedBody(t, key, "mobile", "mobile", at, at)
	statuses := together(40, func(int) nodetest.Answer { return s.put(body) })
	if count(statuses, 200) != 1 || count(statuses, 401) != 39 {
		t.Errorf("%v", statuses)
	}
	// Of a signature the time is what counts: each of these has another.
	public, sign := ecdsaKey(t)
	s.device(object(map[string]any{"AFiUserId": s.aliID(), "kind": "uuid", "id": uuid, "publicKey": publicKey(t, public)}))
	bodies := make([]string, 40)
	for i := range bodies {
		bodies[i] = androidBody("tag", at, sign)
	}
	statuses = together(len(bodies), func(i int) nodetest.Answer { return s.put(bodies[i]) })
	if count(statuses, 200) != 1 || count(statuses, 401) != 39 {
		t.Errorf("signatures: %v", statuses)
	}
	// Nor is another way another time.
	envelope := `{"controller":"amplifi/token","action":"create","body":` + body + `}`
	if a := s.Query(envelope); a.Status != 401 {
		t.Errorf("POST /_query: %d %s", a.Status, a.Body)
	}
	if a := s.WebSocket().Call(envelope); a.Status != 401 {
		t.Errorf("WebSocket: %d %s", a.Status, a.Body)
	}
}

// A replay is a failed attempt like any other: it cannot be told from a guess with a text that somebody has seen.
func TestReplaysAreThrottled(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	key := s.phone()
	at := now()
	body := sealedBody(t, key, "mobile", "mobile", at, at)
	s.ok(s.put(body))
	for range 5 {
		refused(t, s.put(body), 401, "invalidCredentials")
	}
	at = now()
	refused(t, s.put(sealedBody(t, key, "mobile", "mobile", at, at)), 429, "tooManyAttempts")
	s.ok(s.put(ali))
}

func TestTimesInTheLogHaveAUnit(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	s.ok(s.put(seedBody))
	s.Log.Await(t, "request served")
	if log := s.Log.String(); !regexp.MustCompile(`fields\.took=[0-9.]+(µs|ms|s)`).MatchString(log) {
		t.Error("there is no time with a unit")
	}
}

// What was proven before the plugin went down is not good again when it is back.
func TestAReplayAfterARestart(t *testing.T) {
	data := t.TempDir()
	options := nodetest.Options{Configure: func(c *config.Config) { c.Server.DataDir = data }}
	at := now()
	var body string
	t.Run("first", func(t *testing.T) {
		s := start(t, nil, options)
		body = sealedBody(t, s.phone(), "mobile", "mobile", at, at)
		s.ok(s.put(body))
	})
	t.Run("again", func(t *testing.T) {
		n := nodetest.Start(t, nodetest.Options{PluginDir: binaries.Plugins, Configure: func(c *config.Config) {
			c.Server.DataDir = data
			c.Plugins.Secrets = map[string]map[string]config.Secret{id: {"keyRing": config.NewSecret(keyRing)}}
		}})
		refused(t, n.HTTP("PUT", "/amplifi/token", body), 401, "invalidCredentials")
	})
}

func TestLoginsAtOnceAllSucceedAndTenTokensStay(t *testing.T) {
	var b broken
	s := start(t, nil, nodetest.Options{WrapEngine: b.wrap})
	user := s.put(seedBody).Get("userId")
	var mu sync.Mutex
	var tokens []string
	statuses := together(60, func(int) nodetest.Answer {
		a := s.put(seedBody)
		mu.Lock()
		defer mu.Unlock()
		tokens = append(tokens, fmt.Sprint(a.Get("token")))
		return a
	})
	if count(statuses, 200) != 60 {
		t.Fatalf("%v", statuses)
	}
	live := together(60, func(i int) nodetest.Answer { return s.HTTP("GET", "/amplifi/user", "", "token: "+tokens[i]) })
	if count(live, 200) != 10 {
		t.Errorf("%d tokens are live", count(live, 200))
	}
	s.ok(s.put(seedBody))
	// Nor do the others lie about for ever.
	documents := 0
	err := b.engine.Scan(t.Context(), own(tokensCollection), "", func(d storage.Document) bool {
		if strings.Contains(string(d.Source), fmt.Sprint(user)) {
			documents++
		}
		return true
	})
	if err != nil || documents > 11 {
		t.Errorf("%d documents: %v", documents, err)
	}
}

func TestGuessesAtOnceGetNoFurther(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	statuses := together(30, func(i int) nodetest.Answer {
		return s.put(fmt.Sprintf(`{"userName":"ali","password":"guess%d","channel":"internet"}`, i))
	})
	if count(statuses, 401) != 5 || count(statuses, 429) != 25 {
		t.Errorf("%v", statuses)
	}
}

func TestFirstLoginsOfADeviceTagAtOnceAreOneUser(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	var mu sync.Mutex
	users := map[any]bool{}
	statuses := together(20, func(int) nodetest.Answer {
		a := s.put(`{"channel":"test","deviceTag":"fresh","deviceData":{"platform":"test"}}`)
		mu.Lock()
		defer mu.Unlock()
		users[a.Get("userId")] = true
		return a
	})
	if count(statuses, 200) != 20 || len(users) != 1 {
		t.Errorf("%v %v", statuses, users)
	}
}

func TestDemoUsersDoNotComeWithoutEnd(t *testing.T) {
	s := start(t, settingsOf{"testChannel": map[string]any{"enabled": true, "newUsersPerMinute": 3}}, nodetest.Options{})
	var statuses []int
	for i := range 4 {
		statuses = append(statuses, s.put(fmt.Sprintf(`{"channel":"test","deviceTag":"tag%d"}`, i)).Status)
	}
	if !slices.Equal(statuses, []int{200, 200, 200, 429}) {
		t.Errorf("%v", statuses)
	}
	s.ok(s.put(`{"channel":"test","deviceTag":"tag0"}`))
}

// What the plugin stores holds no secret as it is, and keeps what devices say about themselves.
func TestWhatIsStored(t *testing.T) {
	var b broken
	s := start(t, nil, nodetest.Options{WrapEngine: b.wrap})
	key := s.phone()
	at := now()
	body := strings.TrimSuffix(sealedBody(t, key, "mobile", "mobile", at, at), "}") + `,"deviceData":{"model":"SONY","b":{"c":[1]}}}`
	tokens := []string{s.ok(s.put(ali)), s.ok(s.put(body)), s.ok(s.put(`{"channel":"browser","deviceId":"demo-browser-of-ali"}`)), s.ok(s.put(seedBody))}
	s.put(`{"channel":"test","deviceTag":"my_deviceTag","deviceData":{"platform":"other"}}`)
	s.Must("POST", "/amplifi/admin/users/"+s.aliID()+"/_disable", "", s.root)
	var all strings.Builder
	for _, name := range []string{usersCollection, namesCollection, devicesCollection, tokensCollection, auditCollection} {
		err := b.engine.Scan(t.Context(), own(name), "", func(d storage.Document) bool {
			all.WriteString(d.ID + " " + string(d.Source) + "\n")
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, secret := range append(tokens, `"qa"`, "demo-browser-of-ali", "my_deviceTag", fmt.Sprintf("%x", key)) {
		if strings.Contains(all.String(), secret) {
			t.Errorf("%q is stored:\n%s", secret, all.String())
		}
	}
	for _, kept := range []string{`"deviceData":{"model":"SONY","b":{"c":[1]}}`, `"deviceData":{"platform":"other"}`, `"action":"disableUser"`, `"actor":"root"`, `"outcome":"ok"`} {
		if !strings.Contains(all.String(), kept) {
			t.Errorf("%s is not stored:\n%s", kept, all.String())
		}
	}
}

// A hash that costs less than new ones is replaced when its password is there.
func TestWeakHashesBecomeStrong(t *testing.T) {
	var b broken
	s := start(t, nil, nodetest.Options{WrapEngine: b.wrap})
	weak, err := passwords.New(passwords.Cost{MemoryKiB: 64, Iterations: 1, Parallelism: 1}).Hash(t.Context(), "qa")
	if err != nil {
		t.Fatal(err)
	}
	source, err := json.Marshal(login{s.aliID(), weak})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.engine.Replace(t.Context(), own(namesCollection), nameKey("ali"), source, storage.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	refused(t, s.put(`{"userName":"ali","password":"qb","channel":"internet"}`), 401, "invalidCredentials")
	s.ok(s.put(ali))
	doc, err := b.engine.Get(t.Context(), own(namesCollection), nameKey("ali"))
	if err != nil || !strings.Contains(string(doc.Source), "$m=19456,t=2,p=1$") {
		t.Errorf("%s %v", doc.Source, err)
	}
	s.ok(s.put(ali))
}

// Neither passwords, tokens, keys, ids that are secrets nor cryptotexts may stand in the log, which is at its most talkative
// here.
func TestNothingSecretIsLogged(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	key := s.phone()
	at := now()
	sealed := seal(t, key, "AFi-v1/mobile/phone", at)
	public, sign := ecdsaKey(t)
	signed := androidBody("Secret-tag-open", at, sign)
	signature := regexp.MustCompile(`"signature":"([^"]+)"`).FindStringSubmatch(signed)[1]
	s.device(object(map[string]any{"AFiUserId": s.aliID(), "kind": "uuid", "id": uuid, "publicKey": publicKey(t, public)}))
	s.ok(s.put(signed))
	s.put(signed)
	s.Query(`{"controller":"amplifi/token","action":"create","serviceKey":"Secret-service-key","body":` + signed + `}`)
	token := s.ok(s.put(`{"userName":"ali","password":"qa","channel":"internet","deviceData":{"x":"Secret-in-data"}}`))
	s.HTTP("GET", "/amplifi/user", "", "token: "+token)
	s.HTTP("GET", "/amplifi/user?token="+token, "")
	s.put(`{"userName":"ali","password":"Secret-wrong","channel":"internet"}`)
	s.put(`{"userName":"Secret-as-name","password":"x","channel":"internet"}`)
	s.put(`{"password":"Secret-cut-off","userName`)
	s.put(`password=Secret-form`, "Content-Type: text/plain")
	s.put(object(map[string]any{"channel": "mobile", "deviceTag": "phone", "dtsValueString": at, "cryptotext": sealed}))
	s.put(`{"channel":"browser","deviceId":"Secret-browser-id-of-eve"}`)
	s.put(`{"channel":"statementGenerator","userId":"aaaaaaaaaaaaaaaa"}`, "x-service-key: "+serviceKey)
	s.HTTP("POST", "/amplifi/admin/users", `{"userName":"eve","password":"Secret-of-eve"}`, s.root)
	socket := s.WebSocket()
	socket.Call(`{"controller":"amplifi/token","action":"create","body":{"channel":"internet","userName":"ali","password":"Secret-socket"}}`)
	socket.Call(`{"controller":"amplifi/user","action":"get","token":"` + token + `"}`)
	s.HTTP("DELETE", "/amplifi/token", "", "token: "+token)
	s.Log.Await(t, "msg=channels")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil { // everything is logged then
		t.Fatal(err)
	}
	for _, secret := range []string{"Secret-", token, sealed, signature, base64.RawURLEncoding.EncodeToString(key), serviceKey, "demo-browser-of-ali", keyRing[2:], "argon2id"} {
		if i := strings.Index(s.Log.String(), secret); i >= 0 {
			t.Errorf("%q is in the log: %s", secret, s.Log.String()[max(0, i-300):min(len(s.Log.String()), i+100)])
		}
	}
}
