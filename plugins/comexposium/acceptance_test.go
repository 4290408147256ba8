package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/netip"
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
		{"10 blank body", f.ann, " \n", missing},
		{"10 an array", f.ann, `[{"email":"ann@example.org"}]`, missing},
		{"10 a text", f.ann, `"ann@example.org"`, missing},
		{"other members", f.ann, `{"x":[null],"email":"ann@example.org"}`, valid},
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
	t.Run("too large", func(t *testing.T) {
		a := f.check(f.ann, `{"email":"ann@example.org","x":"`+strings.Repeat("x", 64<<10)+`"}`)
		if a.Status != 413 || a.Get("error.status") != 413.0 || !strings.Contains(a.Body, `"stack":"SizeLimitError: `) {
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

// Row 12: what is not JSON within the bounds is refused in the words of Kuzzle 1, after the token.
func TestBodiesThatAreNotJSON(t *testing.T) {
	f := start(t, nodetest.Options{Dev: true})
	const good = `{"email":"ann@example.org"}`
	want := strings.Replace(strings.ReplaceAll(unauthorized("Unable to convert HTTP body to JSON"), "401", "400"), "UnauthorizedError", "BadRequestError", 1)
	for _, c := range []struct{ name, body, contentType string }{
		{"12 cut off", `{"email"`, "application/json"},
		{"two values", good + good, "application/json"},
		{"a duplicate", `{"email":"bob@example.org","email":"ann@example.org"}`, "application/json"},
		{"NUL", `{"email":"ann@example.org\u0000"}`, "application/json"},
		{"no UTF-8", "{\"email\":\"\xff\"}", "application/json"},
		{"too deep", `{"x":` + strings.Repeat(`[`, 16) + strings.Repeat(`]`, 16) + `,"email":"ann@example.org"}`, "application/json"},
		{"a long text", `{"email":"` + strings.Repeat("x", 4097) + `"}`, "application/json"},
		{"another media type", good, "text/plain"},
		{"a form", `email=ann@example.org`, "application/x-www-form-urlencoded"},
		{"a form of parts", "--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nann@example.org\r\n--x--\r\n", "multipart/form-data; boundary=x"},
		{"another charset", good, "application/json; charset=latin1"},
		{"no media type", good, "nonsense;;"},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, f.HTTP("POST", path, c.body, "Authorization: Bearer "+f.ann, "Content-Type: "+c.contentType), 400, want)
			if a := f.HTTP("POST", path, c.body, "Authorization: Bearer no", "Content-Type: "+c.contentType); a.Get("error.message") != "Json Web Token Error" {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
	a := f.HTTP("POST", path, good, "Authorization: Bearer "+f.ann, `Content-Type: Application/JSON; charset="UTF-8"`)
	expect(t, a, 200, envelope(valid))
}

// A token ends with its account.
func TestTheAccountIsGone(t *testing.T) {
	f := start(t, nodetest.Options{})
	root := "Authorization: Bearer " + f.Login("root", "root-Secret-1", "")
	f.Must("DELETE", "/users/ann", "", root)
	expect(t, f.check(f.ann, `{"email":"ann@example.org"}`), 401, unauthorized("Invalid token"))
}

// Row 11: the token is good, but the account cannot be read, nor the name that it logs in with.
func TestAStorageFault(t *testing.T) {
	var broken atomic.Bool
	f := start(t, nodetest.Options{Dev: true, WrapEngine: func(e storage.Engine) storage.Engine {
		return &storagetest.Faulty{Engine: e, Fail: func(op string, c storage.Collection, id string) error {
			if broken.Load() && (op == "Get" && c.Name == "users" && id == "ann" || strings.HasSuffix(c.Index, "auth-passport-local")) {
				return errors.New("the disk is on fire")
			}
			return nil
		}}
	}})
	carl := f.Login("carl@example.org", "carl-Secret-1", "")
	expect(t, f.check(carl, `{"email":"carl@example.org"}`), 200, envelope(valid))
	expect(t, f.check(f.ann, `{"email":"ann@example.org"}`), 200, envelope(valid))
	broken.Store(true)
	a := f.check(f.ann, `{"email":"ann@example.org"}`)
	expect(t, a, 200, envelope(failed))
	f.Log.Await(t, "the caller's account cannot be read")
	expect(t, f.check(carl, `{"email":"carl@example.org"}`), 200, envelope(failed))
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
	volatile := s.Call(`{"requestId":"r1","volatile":{"a":1},"controller":"Comexposium/userController","action":"checkUserToken","jwt":"` + f.ann + `","body":{"email":5}}`)
	expect(t, volatile, 200, room(strings.Replace(envelope(missing), `"volatile":null`, `"volatile":{"a":1}`, 1)))
	expect(t, s.Call(`{"requestId":"r1","controller":"Comexposium/userController","action":"checkUserToken","jwt":"`+f.ann+`"}`), 200, room(envelope(missing)))
	expect(t, f.Query(`{"controller":"Comexposium/userController","action":"checkUserToken","body":{"email":"bob@example.org"}}`), 401, unauthorized("Json Web Token Error"))
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

func TestChecksPerMinuteOfAnAddress(t *testing.T) {
	f := start(t, nodetest.Options{Configure: func(c *config.Config) {
		c.Server.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		c.Plugins.Config = map[string]map[string]any{"comexposium": {"checksPerMinute": map[string]any{"perIP": 2}}}
	}})
	bob := f.Login("bob", "bob-Secret-1", "")
	check := func(token, from string) nodetest.Answer {
		return f.HTTP("POST", path, `{"email":"ann@example.org"}`, "Authorization: Bearer "+token, "X-Forwarded-For: "+from)
	}
	var got []int
	for _, c := range []struct{ token, from string }{{f.ann, "192.0.2.1"}, {bob, "192.0.2.1"}, {f.ann, "192.0.2.1"}, {f.ann, "192.0.2.2"}} {
		a := check(c.token, c.from)
		got = append(got, a.Status)
		if a.Status == 429 && (a.Get("error.status") != 429.0 || a.Get("result") != nil || a.Get("controller") != controller) {
			t.Error(a.Body)
		}
	}
	if !slices.Equal(got, []int{200, 200, 429, 200}) {
		t.Errorf("got %v", got)
	}
}

// On a listener of its own the route stands where it does anyway: it is absolute.
func TestItsOwnListener(t *testing.T) {
	f := start(t, nodetest.Options{Configure: func(c *config.Config) {
		c.Plugins.Listen = map[string]string{"comexposium": "127.0.0.1:0"}
	}})
	own := nodetest.Client{T: t, Address: f.SiteAddress("comexposium")}
	expect(t, own.HTTP("POST", path, `{"email":"ann@example.org"}`, "Authorization: Bearer "+f.ann), 200, envelope(valid))
	if a := own.HTTP("POST", "/_login/local", `{"username":"ann","password":"ann-Secret-1"}`); a.Status != 404 {
		t.Errorf("the API is there: %d %s", a.Status, a.Body)
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
