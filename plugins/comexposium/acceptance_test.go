package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/storagetest"
)

// The acceptance table of the service, over real sockets against the plugin's binary. The comments name its rows.

var binaries nodetest.Binaries

func TestMain(m *testing.M) { os.Exit(nodetest.Main(m, &binaries)) }

const path = "/_plugin/Comexposium/user/checkUserToken"

// fixture is a node whose users are ann and bob, who have an e-mail, and carl, who logs in with his.
type fixture struct {
	*nodetest.Node
	ann string // her token
}

func start(t *testing.T, o nodetest.Options) fixture {
	t.Helper()
	o.PluginDir = binaries.Plugins
	n := nodetest.Start(t, o)
	reset := "?reset"
	if o.Dev { // everybody keeps every right, and no profile has a rate limit
		reset = ""
	}
	n.Must("POST", "/_createFirstAdmin/root"+reset, `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
	root := "Authorization: Bearer " + n.Login("root", "root-Secret-1", "")
	n.CreateUser("ann", `{"profileIds":["default"],"email":"ann@example.org"}`, "ann", "ann-Secret-1", root)
	n.CreateUser("bob", `{"profileIds":["default"],"email":"bob@example.org"}`, "bob", "bob-Secret-1", root)
	n.CreateUser("carl", `{"profileIds":["default"]}`, "carl@example.org", "carl-Secret-1", root)
	return fixture{n, n.Login("ann", "ann-Secret-1", "")}
}

func (f fixture) check(token, body string) nodetest.Answer {
	f.T.Helper()
	return f.HTTP("POST", path, body, "Authorization: Bearer "+token)
}

// envelope is the answer of every outcome but 401, the request's own id taken out.
func envelope(result string) string {
	return `{"requestId":"…","status":200,"error":null,"controller":"Comexposium/userController","action":"checkUserToken",` +
		`"collection":null,"index":null,"volatile":null,"result":` + result + `}`
}

func unauthorized(message string) string {
	return `{"requestId":"…","status":401,"error":{"message":"` + message + `","status":401,"stack":"UnauthorizedError: ` + message + `"},` +
		`"controller":"Comexposium/userController","action":"checkUserToken","collection":null,"index":null,"volatile":null,"result":null}`
}

var requestID = regexp.MustCompile(`"requestId":"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"`)

func expect(t *testing.T, a nodetest.Answer, status int, want string) {
	t.Helper()
	if got := requestID.ReplaceAllString(a.Body, `"requestId":"…"`); a.Status != status || got != want {
		t.Errorf("got  %d %s\nwant %d %s", a.Status, got, status, want)
	}
}

const (
	valid   = `{"statusCode":0,"message":"generic_success","data":{"isValid":true}}`
	invalid = `{"statusCode":0,"message":"generic_success","data":{"isValid":false}}`
	missing = `{"statusCode":201,"message":"Missing credentials","data":{}}`
	failed  = `{"statusCode":202,"message":"Internal error","data":{}}`
)

func TestWhoseEmailItIs(t *testing.T) {
	f := start(t, nodetest.Options{Dev: true}) // more requests a second than the standard profile allows
	carl := f.Login("carl@example.org", "carl-Secret-1", "")
	for _, c := range []struct{ row, token, body, result string }{
		{"1 own", f.ann, `{"email":"ann@example.org"}`, valid},
		{"2 somebody else's", f.ann, `{"email":"bob@example.org"}`, invalid},
		{"3 nobody's", f.ann, `{"email":"nobody@example.org"}`, invalid},
		{"4 other case, blanks", f.ann, `{"email":"  Ann@EXAMPLE.org "}`, valid},
		{"no address at all", f.ann, `{"email":"ann"}`, invalid},
		{"10 no email", f.ann, `{}`, missing},
		{"10 empty", f.ann, `{"email":""}`, missing},
		{"10 blank", f.ann, `{"email":" "}`, missing},
		{"10 null", f.ann, `{"email":null}`, missing},
		{"10 not a text", f.ann, `{"email":5}`, missing},
		{"10 no body", f.ann, ``, missing},
		{"10 null body", f.ann, `null`, missing},
		{"15 username is the e-mail", carl, `{"email":"carl@example.org"}`, valid},
		{"15 somebody else's", carl, `{"email":"ann@example.org"}`, invalid},
		{"the bare JWT of the token", strings.TrimPrefix(f.ann, "kauth-"), `{"email":"ann@example.org"}`, valid},
	} {
		t.Run(c.row, func(t *testing.T) {
			a := f.check(c.token, c.body)
			expect(t, a, 200, envelope(c.result))
			if a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers %v", a.Header)
			}
		})
	}
}

func TestWhichTokensAreRefused(t *testing.T) {
	f := start(t, nodetest.Options{})
	ended := f.Login("bob", "bob-Secret-1", "")
	f.Must("POST", "/_logout", "", "Authorization: Bearer "+ended)
	short := f.Login("bob", "bob-Secret-1", "?expiresIn=1")
	for _, c := range []struct{ row, header, message string }{
		{"5 the document's example", "Bearer mybearertoken", "Json Web Token Error"},
		{"6 another scheme", "Basic x", "Json Web Token Error"},
		{"7 another secret", "Bearer kauth-" + sign(t, jwt.SigningMethodHS256, []byte("another secret of 32 bytes or more")), "Json Web Token Error"},
		{"7 no algorithm", "Bearer kauth-" + sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType), "Json Web Token Error"},
		{"7 RS256", "Bearer kauth-" + sign(t, jwt.SigningMethodRS256, rsaKey(t)), "Json Web Token Error"},
		{"7 RS256's name over an HMAC", "Bearer kauth-" + confused(f.ann), "Json Web Token Error"},
		{"8 expired", "Bearer " + short, "Token expired"},
		{"9 logged out", "Bearer " + ended, "Invalid token"},
		{"without its signature", "Bearer " + f.ann[:strings.LastIndexByte(f.ann, '.')+1], "Json Web Token Error"},
	} {
		t.Run(c.row, func(t *testing.T) {
			expect(t, f.HTTP("POST", path, `{"email":"ann@example.org"}`, "Authorization: "+c.header), 401, unauthorized(c.message))
		})
	}
	t.Run("6 no Authorization", func(t *testing.T) {
		expect(t, f.HTTP("POST", path, `{"email":"ann@example.org"}`), 401, unauthorized("Json Web Token Error"))
	})
}

func TestAnonymousIsRefusedWhereEverythingIsAllowed(t *testing.T) {
	n := nodetest.Start(t, nodetest.Options{Dev: true, PluginDir: binaries.Plugins})
	if a := n.HTTP("POST", path, `{"email":"ann@example.org"}`); a.Status != 401 || a.Get("error.message") != "Json Web Token Error" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

func TestRowsAboutHTTP(t *testing.T) {
	f := start(t, nodetest.Options{})
	t.Run("12 not JSON", func(t *testing.T) {
		a := f.check(f.ann, `{"email"`)
		if a.Status != 400 || a.Get("error.message") != "Unable to convert HTTP body to JSON" || a.Get("error.status") != 400.0 {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
	t.Run("another media type", func(t *testing.T) {
		a := f.HTTP("POST", path, `email=x`, "Authorization: Bearer "+f.ann, "Content-Type: text/plain")
		if a.Status != 400 {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
	t.Run("13 GET", func(t *testing.T) {
		if a := f.HTTP("GET", path, ""); a.Status != 404 || a.Get("error.id") != "network.http.url_not_found" || a.Header.Get("Allow") != "POST" {
			t.Errorf("%d %s %v", a.Status, a.Body, a.Header)
		}
	})
	t.Run("volatile comes back", func(t *testing.T) {
		a := f.HTTP("POST", path, `{"email":"ann@example.org"}`, "Authorization: Bearer "+f.ann, `X-Kuzzle-Volatile: {"a":1}`)
		expect(t, a, 200, strings.Replace(envelope(valid), `"volatile":null`, `"volatile":{"a":1}`, 1))
	})
	t.Run("a role that forbids it", func(t *testing.T) {
		root := "Authorization: Bearer " + f.Login("root", "root-Secret-1", "")
		f.Must("PUT", "/roles/default", `{"controllers":{"auth":{"actions":{"*":true}},"Comexposium/userController":{"actions":{"*":false}}}}`, root)
		a := f.check(f.ann, `{"email":"ann@example.org"}`)
		if a.Status != 403 || !strings.HasPrefix(a.Body, `{"requestId":`) || a.Get("error.status") != 403.0 || a.Get("result") != nil {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
}

// Row 11: the token is good, but the account cannot be read.
func TestAStorageFault(t *testing.T) {
	var broken atomic.Bool
	f := start(t, nodetest.Options{WrapEngine: func(e storage.Engine) storage.Engine {
		return &storagetest.Faulty{Engine: e, Fail: func(op string, c storage.Collection, id string) error {
			if broken.Load() && op == "Get" && c.Name == "users" && id == "ann" {
				return errors.New("the disk is on fire")
			}
			return nil
		}}
	}})
	expect(t, f.check(f.ann, `{"email":"ann@example.org"}`), 200, envelope(valid))
	broken.Store(true)
	a := f.check(f.ann, `{"email":"ann@example.org"}`)
	expect(t, a, 200, envelope(failed))
	f.Log.Await(t, "the caller's account cannot be read")
	broken.Store(false)
	expect(t, f.check(f.ann, `{"email":"ann@example.org"}`), 200, envelope(valid))
}

// Row 14, and the way of errors over WebSocket.
func TestOverWebSocket(t *testing.T) {
	f := start(t, nodetest.Options{})
	s := f.WebSocket()
	call := func(jwt string) nodetest.Answer {
		return s.Call(`{"requestId":"r1","controller":"Comexposium/userController","action":"checkUserToken","jwt":"` + jwt + `","body":{"email":"ann@example.org"}}`)
	}
	room := func(s string) string {
		return strings.Replace(strings.TrimSuffix(s, "}")+`,"room":"r1"}`, "…", "r1", 1)
	}
	expect(t, call(f.ann), 200, room(envelope(valid)))
	expect(t, call("kauth-no"), 401, room(unauthorized("Json Web Token Error")))
	expect(t, f.Query(`{"controller":"Comexposium/userController","action":"checkUserToken","jwt":"`+f.ann+`","body":{"email":"bob@example.org"}}`), 200, envelope(invalid))
}

// Row 16 holds in every 401 above, whose stack is one line. In development mode it may say more.
func TestTheStackOfA401NamesNoFile(t *testing.T) {
	f := start(t, nodetest.Options{})
	stack, ok := f.check("kauth-no", `{}`).Get("error.stack").(string)
	if !ok || strings.Contains(stack, "/") || strings.Contains(stack, ".go") || strings.Contains(stack, "\n") {
		t.Errorf("stack %q", stack)
	}
}

func TestChecksPerMinute(t *testing.T) {
	f := start(t, nodetest.Options{Configure: func(c *config.Config) {
		c.Plugins.Config = map[string]map[string]any{"comexposium": {"checksPerMinute": map[string]any{"perUser": 2}}}
	}})
	bob := f.Login("bob", "bob-Secret-1", "")
	var got []int
	for range 3 {
		got = append(got, f.check(f.ann, `{"email":"ann@example.org"}`).Status)
	}
	got = append(got, f.check(bob, `{"email":"bob@example.org"}`).Status)
	if !slices.Equal(got, []int{200, 200, 429, 200}) {
		t.Errorf("got %v", got)
	}
}

// Neither addresses nor tokens nor passwords may stand in the log, which is at its most talkative here.
func TestNothingSecretIsLogged(t *testing.T) {
	f := start(t, nodetest.Options{})
	f.check(f.ann, `{"email":"Somebody-Special@example.org"}`)
	f.check(f.ann, `{"email":"ann@example.org"}`)
	f.Log.Await(t, "fields.isValid=false")
	f.Log.Await(t, "fields.isValid=true")
	for _, secret := range []string{"omebody-", "ann@example.org", "Secret-1", strings.TrimPrefix(f.ann, "kauth-")} {
		if strings.Contains(f.Log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

func sign(t *testing.T, method jwt.SigningMethod, key any) string {
	t.Helper()
	s, err := jwt.NewWithClaims(method, jwt.MapClaims{"_id": "ann", "iat": 1700000000, "exp": 4700000000}).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func rsaKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// confused takes the payload of a good token, names RS256 in the header and signs with an HMAC of a guess.
func confused(token string) string {
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`))
	signed := header + "." + strings.Split(strings.TrimPrefix(token, "kauth-"), ".")[1]
	h := hmac.New(sha256.New, []byte("guess"))
	h.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
