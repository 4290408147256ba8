package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/plugins/sdk/passwords"
	"github.com/sluicehq/sluice/plugins/sdk/sdktest"
)

// The acceptance table of the service, over real sockets against the plugin's binary. The comments name its rows.

var binaries nodetest.Binaries

func TestMain(m *testing.M) { os.Exit(nodetest.Main(m, &binaries)) }

const (
	seedBody   = `{"channel":"test","deviceTag":"my_deviceTag","deviceData":{"platform":"test"}}`
	ali        = `{"userName":"ali","password":"qa","channel":"internet"}`
	serviceKey = "the-key-of-the-statement-generator"
	keyRing    = "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
)

// service is a node with the demo fixture, and the token of an administrator.
type service struct {
	*nodetest.Node
	root string
}

type settingsOf map[string]any

func start(t testing.TB, more settingsOf, o nodetest.Options) service {
	t.Helper()
	if o.InProcess == nil {
		o.PluginDir = binaries.Plugins
	}
	configure := o.Configure
	o.Configure = func(c *config.Config) {
		own := settingsOf{"fixture": "demo", "testChannel": map[string]any{"enabled": true}}
		for name, v := range more {
			own[name] = v
		}
		c.Plugins.Config = map[string]map[string]any{id: own}
		c.Plugins.Secrets = map[string]map[string]config.Secret{id: {
			"keyRing": config.NewSecret(keyRing), "serviceKeys": config.NewSecret(`{"statementGenerator":["` + serviceKey + `"],"chat":["` + serviceKey + `"]}`),
		}}
		c.Plugins.Required = []string{id}
		if configure != nil {
			configure(c)
		}
	}
	n := nodetest.Start(t, o)
	n.Must("POST", "/_createFirstAdmin/root", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
	return service{n, "Authorization: Bearer " + n.Login("root", "root-Secret-1", "")}
}

func (s service) put(body string, headers ...string) nodetest.Answer {
	s.T.Helper()
	return s.HTTP("PUT", "/amplifi/token", body, headers...)
}

// ok fails the test unless the answer is a token, and gives it.
func (s service) ok(a nodetest.Answer) string {
	s.T.Helper()
	token, _ := a.Get("token").(string)
	if a.Status != 200 || token == "" {
		s.T.Fatalf("%d %s", a.Status, a.Body)
	}
	return token
}

// refused fails the test unless the answer is that failure.
func refused(t *testing.T, a nodetest.Answer, status int, code string) {
	t.Helper()
	if a.Status != status || !strings.HasPrefix(a.Body, `{"success":false,"errorCode":"`+code+`","message":"`) || !strings.HasSuffix(a.Body, `"}`) {
		t.Errorf("got %d %s, want %d %s", a.Status, a.Body, status, code)
	}
	if a.Header != nil && a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s: headers %v", a.Status, a.Body, a.Header)
	}
}

// aliID is the id of the user of the fixture.
func (s service) aliID() string {
	s.T.Helper()
	id, _ := s.put(ali).Get("userId").(string)
	return id
}

func (s service) device(body string) nodetest.Answer {
	s.T.Helper()
	return s.Must("POST", "/amplifi/admin/devices", body, s.root)
}

func object(members map[string]any) string {
	b, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return string(b)
}

var tokenShape = regexp.MustCompile(`^\{"success":true,"userId":"([a-z][a-z0-9]{15})","AFiUserId":"([a-z][a-z0-9]{15})","token":"([a-z]{64})",` +
	`"segment":"demo","postOnboardingStepsRequired":null,"dtsExpiry":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)","isLocalSavingAllowed":true\}$`)

func TestTheDocumentsOwnRequest(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	began := time.Now()
	s.Log.Await(t, "the channel test is on")
	first := s.put(seedBody)
	shape := tokenShape.FindStringSubmatch(first.Body)
	if first.Status != 200 || shape == nil || shape[1] != shape[2] { // row 1
		t.Fatalf("%d %s", first.Status, first.Body)
	}
	expiry, err := time.Parse(time.RFC3339, shape[4])
	if lives := expiry.Sub(began); err != nil || lives < time.Hour-time.Second || lives > time.Hour+10*time.Second {
		t.Errorf("lives for %s: %v", lives, err)
	}
	if first.Header.Get("Content-Type") != "application/json" || first.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", first.Header)
	}
	again := s.put(seedBody) // row 2
	other := tokenShape.FindStringSubmatch(again.Body)
	if other == nil || other[1] != shape[1] || other[3] == shape[3] {
		t.Errorf("again: %s", again.Body)
	}
	post := s.HTTP("POST", "/amplifi/token", seedBody) // row 3
	if shaped := tokenShape.FindStringSubmatch(post.Body); post.Status != 200 || shaped == nil || shaped[1] != shape[1] {
		t.Errorf("POST: %d %s", post.Status, post.Body)
	}
	if stranger := s.put(`{"channel":"test","deviceTag":"another"}`); stranger.Get("userId") == shape[1] {
		t.Error("another device tag has the same user")
	}
	refused(t, s.put(`{"channel":"test","deviceTag":"x","dtsValueString":"2001-01-01T00:00:00Z"}`), 401, "invalidCredentials")
	s.ok(s.put(`{"channel":"test","deviceTag":"x","dtsValueString":"` + time.Now().Format(time.RFC3339Nano) + `"}`))
}

func TestPasswords(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	s.ok(s.put(ali)) // row 4
	s.ok(s.put(`{"userName":" ALI ","password":"qa","channel":"internet"}`))
	wrong := s.put(`{"userName":"ali","password":"qb","channel":"internet"}`) // row 5
	unknown := s.put(`{"userName":"nobody","password":"qa","channel":"internet"}`)
	refused(t, wrong, 401, "invalidCredentials")
	if wrong.Body != unknown.Body || unknown.Status != 401 {
		t.Errorf("%s\n%d %s", wrong.Body, unknown.Status, unknown.Body)
	}
	refused(t, s.put(`{"userName":"ali","password":"qa ","channel":"internet"}`), 401, "invalidCredentials")
}

// Row 5: who exists does not show in the time. The least of several is what the machine did not disturb.
func TestUnknownUsersTakeAsLongAsKnown(t *testing.T) {
	p := newPlugin()
	p.hasher = passwords.New(passwords.Cost{MemoryKiB: 4096, Iterations: 1, Parallelism: 1}) // still most of a login
	s := start(t, settingsOf{"throttle": map[string]any{"failuresInARow": 0, "failuresPerMinute": 0, "failuresPerHour": 0}},
		nodetest.Options{InProcess: sdktest.InProcess(t, p.describe())})
	try := func(name string) {
		refused(t, s.put(`{"userName":"`+name+`","password":"wrong","channel":"internet"}`), 401, "invalidCredentials")
	}
	for _, name := range []string{"ali", "nobody"} {
		before := p.hasher.Runs()
		if try(name); p.hasher.Runs() != before+1 {
			t.Errorf("%s: %d hashes", name, p.hasher.Runs()-before)
		}
	}
	sdktest.TakeTheSame(t, func() { try("ali") }, func() { try("nobody") })
}

func TestMalformedRequests(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	deep := strings.Repeat(`{"a":`, 8) + `{}` + strings.Repeat(`}`, 8)
	for _, c := range []struct {
		row, body, code, names string
	}{
		{"6 empty", `{}`, "missingField", "channel"},
		{"6 fax", `{"channel":"fax"}`, "invalidChannel", ""},
		{"6 a number", `{"channel":5}`, "invalidField", "channel"},
		{"null", `{"channel":null}`, "missingField", "channel"},
		{"7", `{"channel":"internet","userName":"ali"}`, "missingField", "password"},
		{"7 both", `{"channel":"internet"}`, "missingField", "userName, password"},
		{"empty password", `{"channel":"internet","userName":"ali","password":""}`, "invalidField", "password"},
		{"password of another type", `{"channel":"internet","userName":"ali","password":["qa"]}`, "invalidField", "password"},
		{"8 the document's sample", `{"uuid":"` + strings.Repeat("a", 36) + `","deviceTagOpen":"a string generated on the mobile phone","channel":"android","specifics":{"serial":"SN of the phone","platform":"whatever","model":"SONY"}}`, "missingField", "signature"},
		{"9 a short uuid", `{"channel":"android","uuid":"` + strings.Repeat("a", 35) + `","deviceTagOpen":"x","signature":"AAAA"}`, "invalidField", "uuid"},
		{"uuid of other characters", `{"channel":"android","uuid":"` + strings.Repeat("_", 36) + `","deviceTagOpen":"x","signature":"AAAA"}`, "invalidField", "uuid"},
		{"a tag with a line end", `{"channel":"android","uuid":"` + strings.Repeat("a", 36) + `","deviceTagOpen":"x\n2026","signature":"AAAA"}`, "invalidField", "deviceTagOpen"},
		{"no base64", `{"channel":"android","uuid":"` + strings.Repeat("a", 36) + `","deviceTagOpen":"x","signature":"%"}`, "invalidField", "signature"},
		{"a short deviceId", `{"channel":"browser","deviceId":"short"}`, "invalidField", "deviceId"},
		{"an odd userId", `{"channel":"statementGenerator","userId":"X"}`, "invalidField", "userId"},
		{"another transport", `{"channel":"chat","transport":"pigeon","transportUserId":"1"}`, "invalidField", "transport"},
		{"no time", `{"channel":"mobile","deviceTag":"t","cryptotext":"AAAA","dtsValueString":"yesterday"}`, "invalidField", "dtsValueString"},
		{"no time at all", `{"channel":"ios_v1","deviceTag":"t","cryptotext":"AAAA"}`, "missingField", "dtsValueString"},
		{"deviceData is a text", `{"channel":"test","deviceTag":"t","deviceData":"x"}`, "invalidField", "deviceData"},
		{"deviceData too deep", `{"channel":"test","deviceTag":"t","deviceData":` + deep + `}`, "invalidField", "deviceData"},
		{"an unknown member too large", `{"channel":"test","deviceTag":"t","hunter2":[` + strings.Repeat("1,", 8200) + `1]}`, "invalidField", "an unknown field"},
		{"18 a comment", `{//x`, "invalidJson", ""},
		{"an array", `[]`, "invalidJson", ""},
		{"a duplicate", `{"channel":"test","channel":"internet"}`, "invalidJson", ""},
		{"NUL", `{"channel":"test","deviceTag":"\u0000"}`, "invalidJson", ""},
		{"too deep", strings.Repeat(`{"a":`, 20) + `1` + strings.Repeat(`}`, 20), "invalidJson", ""},
		{"no body", ``, "invalidJson", ""},
	} {
		t.Run(c.row, func(t *testing.T) {
			a := s.put(c.body)
			refused(t, a, 400, c.code)
			if message, _ := a.Get("message").(string); !strings.Contains(message, c.names) || strings.Contains(message, "hunter2") {
				t.Errorf("message %q does not name %s", message, c.names)
			}
		})
	}
	refused(t, s.put(seedBody, "Content-Type: text/plain"), 400, "invalidJson") // row 18
	refused(t, s.put(`a=b`, "Content-Type: application/x-www-form-urlencoded"), 400, "invalidJson")
	s.ok(s.put(seedBody, "Content-Type: application/json; charset=utf-8"))
	refused(t, s.put(`{"channel":"test","deviceTag":"`+strings.Repeat("x", 64<<10)+`"}`), 413, "payloadTooLarge")
	for _, c := range []struct{ verb, path, allow string }{{"GET", "/amplifi/token", "PUT"}, {"PATCH", "/amplifi/token", "DELETE"}, {"PUT", "/amplifi/user", "GET"}} {
		a := s.HTTP(c.verb, c.path, "")
		refused(t, a, 405, "methodNotAllowed")
		if !strings.Contains(a.Header.Get("Allow"), c.allow) {
			t.Errorf("%s %s: Allow %q", c.verb, c.path, a.Header.Get("Allow"))
		}
	}
	refused(t, s.HTTP("PUT", "/amplifi/nothing", ""), 404, "notFound")
	s.ok(s.put(`{"channel":"test","deviceTag":"t","deviceData":{"a":{"b":1}},"specifics":{},"password":5,"whatever":[1]}`))
}

const uuid = "6f9619ff-8b86-d011-b42d-00cf4fc964ff"

func now() string { return time.Now().UTC().Format(time.RFC3339Nano) }

// androidBody is a request whose signature is made by sign.
func androidBody(tag, at string, sign func(message string) []byte) string {
	message := "AFi-v1\nandroid\n" + uuid + "\n" + tag
	members := map[string]any{"channel": "android", "uuid": uuid, "deviceTagOpen": tag}
	if at != "" {
		message += "\n" + at
		members["dtsValueString"] = at
	}
	members["signature"] = base64.StdEncoding.EncodeToString(sign(message))
	return object(members)
}

func publicKey(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

func TestAndroid(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(message string) []byte { return ed25519.Sign(private, []byte(message)) }
	flipped := func(message string) []byte {
		b := sign(message)
		b[7] ^= 1
		return b
	}
	refused(t, s.put(androidBody("tag", "", sign)), 401, "invalidCredentials") // not registered
	s.device(object(map[string]any{"AFiUserId": s.aliID(), "kind": "uuid", "id": uuid, "publicKey": publicKey(t, public)}))
	timed := androidBody("tag", now(), sign)
	s.ok(s.put(timed))                                                               // row 10
	refused(t, s.put(timed), 401, "invalidCredentials")                              // once
	refused(t, s.put(androidBody("tag", now(), flipped)), 401, "invalidCredentials") // row 10
	refused(t, s.put(androidBody("tag", time.Now().Add(-10*time.Minute).Format(time.RFC3339), sign)), 401, "invalidCredentials")
	untimed := s.put(androidBody("tag", "", sign)) // can be replayed, so short
	s.ok(untimed)
	expiry, err := time.Parse(time.RFC3339, fmt.Sprint(untimed.Get("dtsExpiry")))
	if err != nil || time.Until(expiry) > 15*time.Minute {
		t.Errorf("lives until %s: %v", expiry, err)
	}
	if page := s.Must("GET", "/amplifi/admin/metrics", "", s.root); !strings.Contains(page.Body, "\nafi_replayable_logins_total 1\n") {
		t.Error(page.Body)
	}
	// A time in the tag does not make a signature with a time one without.
	at := now()
	asTag := androidBody("tag", at, sign)
	var members map[string]any
	if err := json.Unmarshal([]byte(asTag), &members); err != nil {
		t.Fatal(err)
	}
	delete(members, "dtsValueString")
	members["deviceTagOpen"] = "tag\n" + at
	refused(t, s.put(object(members)), 400, "invalidField")
}

// ecdsaKey makes a key, and what signs with it.
func ecdsaKey(t *testing.T) (public *ecdsa.PublicKey, sign func(message string) []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &key.PublicKey, func(message string) []byte {
		sum := digest(message)
		b, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

func TestAndroidWithECDSA(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	key, sign := ecdsaKey(t)
	s.device(object(map[string]any{"AFiUserId": s.aliID(), "kind": "uuid", "id": uuid, "publicKey": publicKey(t, key)}))
	at := now()
	s.ok(s.put(androidBody("tag", at, sign)))
	// Another signature of the same is a replay.
	refused(t, s.put(androidBody("tag", at, sign)), 401, "invalidCredentials")
	s.ok(s.put(androidBody("tag", now(), sign)))
}

// Row 8: in a laboratory the document's sample is taken.
func TestAndroidWithoutSignatures(t *testing.T) {
	s := start(t, settingsOf{"android": map[string]any{"requireSignature": false}}, nodetest.Options{})
	sample := `{"uuid":"` + uuid + `","deviceTagOpen":"a string generated on the mobile phone","channel":"android","specifics":{"serial":"SN of the phone","platform":"whatever","model":"SONY"}}`
	refused(t, s.put(sample), 401, "invalidCredentials")
	s.device(object(map[string]any{"AFiUserId": s.aliID(), "kind": "uuid", "id": uuid}))
	s.ok(s.put(sample))
	s.Log.Await(t, "without a signature")
}

// seal makes a cryptotext as a device does.
func seal(t *testing.T, key []byte, purpose, plain string) string {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	nonce := make([]byte, aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(aead.Seal(nonce, nonce, []byte(plain), []byte(purpose)))
}

func sealedBody(t *testing.T, key []byte, sealedFor, channel, at, clear string) string {
	t.Helper()
	return object(map[string]any{
		"channel": channel, "deviceTag": "phone", "dtsValueString": clear, "cryptotext": seal(t, key, "AFi-v1/"+sealedFor+"/phone", at),
	})
}

func (s service) phone() []byte {
	s.T.Helper()
	a := s.device(object(map[string]any{"AFiUserId": s.aliID(), "kind": "deviceTag", "id": "phone"}))
	key, err := base64.RawURLEncoding.DecodeString(fmt.Sprint(a.Get("result.deviceKey")))
	if err != nil || len(key) != 32 {
		s.T.Fatalf("%s: %v", a.Body, err)
	}
	return key
}

func TestSealedTimes(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	key := s.phone()
	for _, channel := range []string{"mobile", "android_v1", "ios_v1"} {
		at := now()
		body := sealedBody(t, key, channel, channel, at, at)
		s.ok(s.put(body)) // row 11
		refused(t, s.put(body), 401, "invalidCredentials")
	}
	old := time.Now().Add(-10 * time.Minute).Format(time.RFC3339)
	refused(t, s.put(sealedBody(t, key, "mobile", "mobile", old, old)), 401, "invalidCredentials")   // row 12
	refused(t, s.put(sealedBody(t, key, "mobile", "mobile", old, now())), 401, "invalidCredentials") // row 12
	at := now()
	s.ok(s.put(sealedBody(t, key, "mobile", "mobile", at, at)))
	refused(t, s.put(sealedBody(t, key, "mobile", "ios_v1", at, at)), 401, "invalidCredentials")              // row 13
	refused(t, s.put(sealedBody(t, make([]byte, 32), "mobile", "mobile", at, at)), 401, "invalidCredentials") // another key
	unknown := strings.Replace(sealedBody(t, key, "mobile", "mobile", at, at), `"phone"`, `"unknown"`, 1)
	refused(t, s.put(unknown), 401, "invalidCredentials")
}

func TestServices(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	userID := s.aliID()
	body := `{"channel":"statementGenerator","userId":"` + userID + `"}`
	refused(t, s.put(body), 403, "channelDisabled") // row 14
	refused(t, s.put(body, "x-service-key: not-the-key-of-anybody"), 403, "channelDisabled")
	a := s.put(body, "x-service-key: "+serviceKey)
	s.ok(a)
	if a.Get("userId") != userID {
		t.Errorf("a token of %v", a.Get("userId"))
	}
	refused(t, s.put(`{"channel":"statementGenerator","userId":"aaaaaaaaaaaaaaaa"}`, "x-service-key: "+serviceKey), 401, "invalidCredentials")
	// A key is for its channel; one without keys is off.
	refused(t, s.put(`{"channel":"dicBuilder","userId":"`+userID+`"}`, "x-service-key: "+serviceKey), 403, "channelDisabled")
	// Nor does the key belong into the query.
	refused(t, s.HTTP("PUT", "/amplifi/token?serviceKey="+serviceKey, body), 403, "channelDisabled")

	chat := `{"channel":"chat","transport":"telegram","transportUserId":"4711"}`
	refused(t, s.put(chat, "x-service-key: "+serviceKey), 401, "invalidCredentials")
	s.device(`{"AFiUserId":"` + userID + `","kind":"chat","transport":"telegram","id":"4711"}`)
	s.ok(s.put(chat, "x-service-key: "+serviceKey))
	refused(t, s.put(chat), 403, "channelDisabled")
	refused(t, s.put(`{"channel":"chat","transport":"whatsapp","transportUserId":"4711"}`, "x-service-key: "+serviceKey), 401, "invalidCredentials")
}

func TestBrowsers(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	s.ok(s.put(`{"channel":"browser","deviceId":"demo-browser-of-ali"}`))
	refused(t, s.put(`{"channel":"browser","deviceId":"demo-browser-of-bob"}`), 401, "invalidCredentials")
	made := s.device(`{"AFiUserId":"` + s.aliID() + `","kind":"deviceId"}`)
	s.ok(s.put(object(map[string]any{"channel": "browser", "deviceId": made.Get("result.id")})))
}

func TestTheTokensUser(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	a := s.put(ali)
	token := s.ok(a)
	user := s.HTTP("GET", "/amplifi/user", "", "token: "+token) // row 15
	want := regexp.MustCompile(`^\{"AFiUserId":"` + fmt.Sprint(a.Get("userId")) + `","dtsCreated":"[-0-9]{10}T[0-9:.]{12}Z","name":\{"firstName":"Ali","middleName":null,"lastName":"Demo"\},` +
		`"languageCode":"en","dtsModified":"[-0-9]{10}T[0-9:.]{12}Z","segment":"demo","postOnboardingStepsRequired":null,"referralCode":null,"private":\{\},` +
		`"isFullyRegistered":true,"isIdleUser":false,"uiStage":null\}$`)
	if user.Status != 200 || !want.MatchString(user.Body) || user.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s", user.Status, user.Body)
	}
	if head := s.HTTP("HEAD", "/amplifi/user", "", "token: "+token); head.Status != 200 || head.Body != "" {
		t.Errorf("HEAD: %d %s", head.Status, head.Body)
	}
	refused(t, s.HTTP("GET", "/amplifi/user", ""), 401, "invalidToken")
	refused(t, s.HTTP("GET", "/amplifi/user?token="+token, ""), 401, "invalidToken")
	refused(t, s.HTTP("GET", "/amplifi/user", "", "token: "+strings.Repeat("a", 64)), 401, "invalidToken")
	refused(t, s.HTTP("GET", "/amplifi/user", "", "token: x"), 401, "invalidToken")
	refused(t, s.HTTP("GET", "/amplifi/user", "", "Authorization: Bearer "+token), 401, "invalidToken")
	for range 2 { // ended is ended
		if end := s.HTTP("DELETE", "/amplifi/token", "", "token: "+token); end.Status != 200 || end.Body != `{"success":true}` {
			t.Errorf("%d %s", end.Status, end.Body)
		}
	}
	refused(t, s.HTTP("GET", "/amplifi/user", "", "token: "+token), 401, "invalidToken") // row 15
	refused(t, s.HTTP("DELETE", "/amplifi/token", ""), 401, "invalidToken")
}

// Row 16.
func TestTokensExpire(t *testing.T) {
	s := start(t, settingsOf{"lifetimes": map[string]any{"internet": "300ms"}}, nodetest.Options{})
	token := s.ok(s.put(ali))
	if a := s.HTTP("GET", "/amplifi/user", "", "token: "+token); a.Status != 200 {
		t.Errorf("at once: %d %s", a.Status, a.Body)
	}
	deadline := time.Now().Add(10 * time.Second)
	for a := s.HTTP("GET", "/amplifi/user", "", "token: "+token); ; a = s.HTTP("GET", "/amplifi/user", "", "token: "+token) {
		if a.Status == 401 {
			refused(t, a, 401, "invalidToken")
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the token does not end")
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.ok(s.put(ali)) // which buries the other
}

func TestTenTokensAUser(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	tokens := make([]string, 12)
	for i := range tokens {
		tokens[i] = s.ok(s.put(seedBody))
	}
	for i, token := range tokens {
		want := 200
		if i < 2 {
			want = 401
		}
		if a := s.HTTP("GET", "/amplifi/user", "", "token: "+token); a.Status != want {
			t.Errorf("token %d: %d", i, a.Status)
		}
	}
}

// Row 17.
func TestSixWrongPasswords(t *testing.T) {
	s := start(t, settingsOf{"throttle": map[string]any{"firstBlock": "1s"}}, nodetest.Options{})
	for _, name := range []string{"ali", "nobody"} {
		wrong := `{"userName":"` + name + `","password":"wrong","channel":"internet"}`
		for range 5 {
			refused(t, s.put(wrong), 401, "invalidCredentials")
		}
		a := s.put(wrong)
		refused(t, a, 429, "tooManyAttempts")
		if a.Header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After %q", a.Header.Get("Retry-After"))
		}
	}
	refused(t, s.put(ali), 429, "tooManyAttempts") // nor does the right one help
	for deadline := time.Now().Add(10 * time.Second); s.put(ali).Status != 200; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the block does not end")
		}
	}
}

// Row 19, and the way of failures over WebSocket and POST /_query.
func TestEnvelopes(t *testing.T) {
	s := start(t, nil, nodetest.Options{})
	socket := s.WebSocket()
	call := func(action, more string) nodetest.Answer {
		return socket.Call(`{"requestId":"r1","controller":"amplifi/` + strings.Replace(action, ":", `","action":"`, 1) + `"` + more + `}`)
	}
	result := regexp.MustCompile(`"result":(\{"success".*?\})[,}]`)
	a := call("token:create", `,"body":`+seedBody)
	if found := result.FindStringSubmatch(a.Body); a.Status != 200 || found == nil || !tokenShape.MatchString(found[1]) || a.Get("room") != "r1" {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	token := fmt.Sprint(a.Get("result.token"))
	if a := call("user:get", `,"token":"`+token+`"`); a.Status != 200 || a.Get("result.segment") != "demo" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := s.Query(`{"controller":"amplifi/user","action":"get","token":"` + token + `"}`); a.Status != 200 || a.Get("result.segment") != "demo" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	service := `,"body":{"channel":"statementGenerator","userId":"` + s.aliID() + `"}`
	if a := call("token:create", service+`,"serviceKey":"`+serviceKey+`"`); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := call("token:revoke", `,"token":"`+token+`"`); a.Status != 200 || a.Get("result.success") != true {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	large := `,"body":{"channel":"test","x":"` + strings.Repeat("x", 64<<10) + `"}`
	if a := call("token:create", large); a.Status != 413 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	for _, c := range []struct {
		action, more string
		status       int
		code         string
	}{
		{"user:get", `,"token":"` + token + `"`, 401, "invalidToken"},
		{"token:create", `,"body":{"channel":"fax"}`, 400, "invalidChannel"},
		{"token:create", ``, 400, "invalidJson"},
		{"token:create", `,"body":[]`, 400, "invalidJson"},
		{"token:create", service, 403, "channelDisabled"},
	} {
		for _, a := range []nodetest.Answer{
			call(c.action, c.more),
			s.Query(`{"controller":"amplifi/` + strings.Replace(c.action, ":", `","action":"`, 1) + `"` + c.more + `}`),
		} {
			props, _ := a.Get("error.props").([]any)
			if a.Status != c.status || a.Get("error.id") != "amplifi."+c.code || a.Get("error.status") != float64(c.status) ||
				a.Get("result") != nil || len(props) != 1 || props[0] != c.code || a.Get("error.message") == "" {
				t.Errorf("%s%.80s: %d %s", c.action, c.more, a.Status, a.Body)
			}
		}
	}
}
