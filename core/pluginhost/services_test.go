package pluginhost_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/core/pluginhost/catalog"
)

// serve runs a real node with the plugins of these names, as processes of their own. Everybody but anonymous exists as the
// usual way makes it: root is an administrator.
func serve(t *testing.T, change func(*config.Config), ids ...string) *nodetest.Node {
	t.Helper()
	dir := t.TempDir()
	lock, err := catalog.ReadLock(filepath.Join(dir, "sluice.lock"))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if err := os.Mkdir(filepath.Join(dir, id), 0o755); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, id, id)
		if err := os.Link(testPlugin, file); err != nil {
			t.Fatal(err)
		}
		sum, err := catalog.HashFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := lock.Pin(id+"/"+id, sum); err != nil {
			t.Fatal(err)
		}
	}
	if err := catalog.WriteLock(filepath.Join(dir, "sluice.lock"), lock); err != nil {
		t.Fatal(err)
	}
	return nodetest.Start(t, nodetest.Options{PluginDir: dir, Configure: func(c *config.Config) {
		c.Plugins.Required = ids
		c.Plugins.Restart.InitialDelay = 2 * time.Second // long enough to be seen down
		if change != nil {
			change(c)
		}
	}})
}

func root(n *nodetest.Node) string {
	n.Must("POST", "/_createFirstAdmin/root?reset", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
	return n.Login("root", "root-Secret-1", "")
}

// at is the client of another address or, with a host, of a virtual host.
func at(t *testing.T, address, host, method, path string, headers ...string) (status int, header http.Header, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

func TestRawAnswers(t *testing.T) {
	n := serve(t, nil, "service")
	ws := n.WebSocket()
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		want                     string // "" is not compared
		header                   string // "Name: value" of the answer
		envelope                 string // action; "" for none
		inEnvelope               string // part of the answer there
	}{
		{
			"a result with everything", "GET", "/service/teapot", "", 418, `{"z":9007199254740993,  "a":"<&>"}`, "Content-Type: application/tea+json",
			"service:teapot", `"status":418,"error":null,`,
		},
		{"a header", "GET", "/service/teapot", "", 418, "", "X-Pot: brown", "service:teapot", `"result":{"z":9007199254740993,  "a":"<&>"}`},
		{
			"an error with a body", "GET", "/service/refused", "", 401, `{"code":"NO"}`, "Www-Authenticate: APIKEY",
			"service:refused", `"status":401,"error":{"id":"service.NO","code":7,"message":"not you","status":401,"props":["NO"]},`,
		},
		{"an error with a body has no result", "GET", "/service/refused", "", 401, "", "Content-Type: application/json", "service:refused", `"result":null`},
		{
			"an error without a body", "GET", "/service/bare", "", 409, `{"refused":409,"why":"it is \"there\""}`, "Content-Type: application/json",
			"service:bare", `"id":"service.TWICE"`,
		},
		{"no content", "DELETE", "/service/things/a", "", 204, "", "Content-Type: ", "service:gone", `"status":204,"error":null`},
		{"text", "GET", "/service/metrics", "", 200, "a_total 1\n", "Content-Type: text/plain; version=0.0.4", "service:metrics", `"result":"a_total 1\n"`},
		{"no JSON", "POST", "/service/echo", `{"a`, 400, `{"refused":400,"why":"The body is not valid JSON: {\"a."}`, "Content-Type: application/json", "", ""},
		{"below the mount", "GET", "/service/nowhere", "", 404, `nothing here: "There is no route for \"/service/nowhere\"."`, "Content-Type: text/plain", "", ""},
		{"the mount itself", "GET", "/service", "", 404, "", "Content-Type: text/plain", "", ""},
		{"another verb", "PUT", "/service/echo", `{}`, 405, `{"refused":405,"why":"The HTTP method \"PUT\" is not supported."}`, "Allow: GET, POST, HEAD, OPTIONS", "", ""},
		{"a verb that documents have there", "DELETE", "/service/echo", "", 405, "", "Allow: GET, POST, HEAD, OPTIONS", "", ""},
		{"a verb nobody has", "BREW", "/service/bytes", "", 405, "", "Allow: POST, OPTIONS", "", ""},
		{"documents' own path", "DELETE", "/service2/echo", "", 401, "", "", "", ""},
		{"API paths keep their 404", "PUT", "/_now", `{}`, 404, "", "Allow: GET, DELETE", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := n.HTTP(c.method, c.path, c.body)
			name, value, _ := strings.Cut(c.header, ": ")
			if a.Status != c.status || c.want != "" && a.Body != c.want || name != "" && a.Header.Get(name) != value {
				t.Errorf("%d %s\n%v\nwant %d %s with %s", a.Status, a.Body, a.Header, c.status, c.want, c.header)
			}
			if c.envelope == "" {
				return
			}
			controller, action, _ := strings.Cut(c.envelope, ":")
			envelope := fmt.Sprintf(`{"requestId":"r","controller":%q,"action":%q}`, controller, action)
			for way, got := range map[string]string{"websocket": ws.Call(envelope).Body, "query": n.Query(envelope).Body} {
				if !strings.Contains(got, c.inEnvelope) || !strings.Contains(got, `"node":`) {
					t.Errorf("%s: %s\nwant %s", way, got, c.inEnvelope)
				}
			}
		})
	}
}

func TestHeadAndOptions(t *testing.T) {
	n := serve(t, nil, "service")
	a := n.HTTP("HEAD", "/service/teapot", "")
	if a.Status != 418 || a.Body != "" || a.Header.Get("X-Pot") != "brown" || a.Header.Get("Content-Length") != "34" {
		t.Errorf("HEAD: %d %q %v", a.Status, a.Body, a.Header)
	}
	// What has no route of HEAD is not called: the action would end the plugin.
	a = n.HTTP("HEAD", "/service/crash", "")
	if a.Status != 204 || a.Body != "" || a.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("HEAD of GET: %d %q %v", a.Status, a.Body, a.Header)
	}
	if a := n.HTTP("GET", "/service/open", ""); a.Status != 200 {
		t.Errorf("after HEAD: %d %s", a.Status, a.Body)
	}
	if a := n.HTTP("HEAD", "/service/bytes", ""); a.Status != 405 {
		t.Errorf("HEAD of POST: %d", a.Status)
	}
	if a := n.HTTP("HEAD", "/_now", ""); a.Status != 404 {
		t.Errorf("HEAD of the API: %d", a.Status)
	}
	a = n.HTTP("OPTIONS", "/service/echo", "", "Origin: http://pages.example")
	if a.Status != 204 || a.Body != "" || a.Header.Get("Allow") != "GET, POST, HEAD, OPTIONS" ||
		a.Header.Get("Access-Control-Allow-Origin") != "http://pages.example" || a.Header.Get("Access-Control-Allow-Methods") == "" {
		t.Errorf("OPTIONS: %d %q %v", a.Status, a.Body, a.Header)
	}
	a = n.HTTP("OPTIONS", "/service/echo", "", "Origin: http://pages.example", "Access-Control-Request-Headers: token,x-service-key")
	if got := a.Header.Get("Access-Control-Allow-Headers"); a.Status != 204 || got != "token,x-service-key" {
		t.Errorf("preflight: %d, allowed headers %q", a.Status, got)
	}
	a = n.HTTP("OPTIONS", "/_now", "", "Origin: http://pages.example", "Access-Control-Request-Headers: x-service-key")
	if got := a.Header.Get("Access-Control-Allow-Headers"); strings.Contains(got, "x-service-key") {
		t.Errorf("preflight of the API: allowed headers %q", got)
	}
	if a := n.HTTP("OPTIONS", "/service/nowhere", ""); a.Status != 404 {
		t.Errorf("OPTIONS of nothing: %d", a.Status)
	}
	if a := n.HTTP("OPTIONS", "/_now", ""); a.Status != 200 || a.Get("result") == nil {
		t.Errorf("OPTIONS of the API: %d %s", a.Status, a.Body)
	}
}

// Who may not call at all is told so in the service's own shape, with 403 and what to set.
func TestOriginsThatAreNotLetIn(t *testing.T) {
	n := serve(t, func(c *config.Config) { c.Dev, c.HTTP.AccessControlAllowOrigin = true, []string{"https://ok.example"} }, "service")
	status, _, body := at(t, n.Client.Address, "evil.example", "GET", "/service/open")
	if status != 403 || !strings.HasPrefix(body, `{"refused":403,"why":"Everybody may do everything on this node`) {
		t.Errorf("wide open: %d %s", status, body)
	}
	root(n)
	const want = `{"refused":403,"why":"The origin \"http://x\" is not allowed. Add it to http.accessControlAllowOrigin to let it in."}`
	for _, method := range []string{"GET", "HEAD"} {
		a := n.HTTP(method, "/service/open", "", "Origin: http://x")
		if a.Status != 403 || method == "GET" && a.Body != want {
			t.Errorf("%s: %d %s", method, a.Status, a.Body)
		}
	}
	if a := n.HTTP("GET", "/service/open", "", "Origin: https://ok.example"); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := n.HTTP("GET", "/_now", "", "Origin: http://x"); a.Status != 401 {
		t.Errorf("the API: %d %s", a.Status, a.Body)
	}
}

func TestOwnCredentials(t *testing.T) {
	n := serve(t, nil, "service")
	token := root(n)
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		want                     []string
	}{
		{"a scheme of its own", "GET", "/service/echo", "", []string{"Authorization: APIKEY k"}, []string{`"authorization":"APIKEY k"`, `"user":"-1"`}},
		{"Bearer", "GET", "/service/echo", "", []string{"Authorization: Bearer AU_x"}, []string{`"authorization":"Bearer AU_x"`, `"user":"-1"`}},
		{"a token of the node's", "GET", "/service/echo", "", []string{"Authorization: Bearer " + token}, []string{`"authorization":"Bearer kauth-`, `"user":"-1"`}},
		{"the header token", "GET", "/service/echo", "", []string{"Token: t"}, []string{`"token":"t"`}},
		{"not the node's cookie", "GET", "/service/echo", "", []string{"Cookie: authToken=" + token + "; b=1"}, []string{`"cookie":"b=1"`}},
		{
			"the query as it is", "GET", "/service/echo/a%2Fb?jwt=x&jwt=y&requestId=1&volatile=%7B&controller=c&pretty&token=AU_%31", "", nil,
			[]string{
				`"jwt":["x","y"]`, `"requestId":"1"`, `"volatile":"{"`, `"controller":"c"`, `"pretty":""`, `"name":"a/b"`,
				`"query":"jwt=x&jwt=y&requestId=1&volatile=%7B&controller=c&pretty&token=AU_%31"`, `"token":"AU_1"`,
			},
		},
		{"nobody is looked for", "GET", "/service/open", "", []string{"Authorization: Bearer x"}, []string{`"user":"nobody"`, `"authorization":"Bearer x"`}},
		{"an envelope's token is an argument", "POST", "/_query", `{"controller":"service","action":"echo","jwt":"AU_x"}`, nil, []string{`"args":{"jwt":"AU_x"}`, `"user":"-1"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := n.HTTP(c.method, c.path, c.body, c.headers...)
			for _, want := range c.want {
				if a.Status != 200 || !strings.Contains(a.Body, want) {
					t.Errorf("%d %s\nwant %s", a.Status, a.Body, want)
				}
			}
		})
	}
	if _, _, body := at(t, n.Client.Address, "", "GET", "/service/echo", "X-Many: a, b", "X-Many: c"); !strings.Contains(body, `"many":["a, b","c"]`) {
		t.Errorf("a header that is there twice: %s", body)
	}
	if a := n.WebSocket().Call(`{"controller":"service","action":"echo","apiKey":"k","jwt":"j"}`); !strings.Contains(a.Body, `"args":{"apiKey":"k","jwt":"j"}`) {
		t.Errorf("websocket: %s", a.Body)
	}
	// What the host decides it decides as ever, also in raw: no right, and in the service's own shape.
	for path, want := range map[string]int{"/service/hosted": 401, "/service/admin/who": 401} {
		if a := n.HTTP("GET", path, ""); a.Status != want {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
		if a := n.HTTP("GET", path, "", "Authorization: Bearer nonsense"); a.Status != want {
			t.Errorf("%s with a bad token: %d %s", path, a.Status, a.Body)
		}
		if a := n.HTTP("GET", path, "", "Authorization: Bearer "+token); a.Status != 200 || !strings.Contains(a.Body, `"user":"root"`) ||
			strings.Contains(a.Body, "kauth-") {
			t.Errorf("%s as root: %d %s", path, a.Status, a.Body)
		}
	}
	if a := n.HTTP("GET", "/service/hosted?jwt="+token, ""); a.Status != 200 || strings.Contains(a.Body, "kauth-") {
		t.Errorf("a token in the query: %d %s", a.Status, a.Body)
	}
	if a := n.HTTP("GET", "/service/hosted", ""); a.Body != `{"refused":401,"why":"`+strings.ReplaceAll(fmt.Sprint(n.HTTP("POST", "/_query", `{"controller":"service","action":"hosted"}`).Get("error.message")), `"`, `\"`)+`"}` {
		t.Errorf("the shape of a refusal: %s", a.Body)
	}
}

// TestOthersLearnNothing: pipes of another plugin can stop a request that carries credentials, and see nothing of it.
func TestOthersLearnNothing(t *testing.T) {
	n := serve(t, nil, "service", "friend")
	const secret = "s3cr3t"
	a := n.HTTP("POST", "/service/echo?q="+secret, `{"password":"`+secret+`"}`, "Authorization: Bearer "+secret, "Token: "+secret)
	if a.Status != 200 || strings.Contains(a.Body, "changed") || !strings.Contains(a.Body, `"password":"`+secret+`"`) {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	n.Query(`{"controller":"service","action":"echo","jwt":"` + secret + `","x":"` + secret + `"}`)
	n.Log.Await(t, "seen service:afterEcho")
	for line := range strings.Lines(n.Log.String()) {
		if strings.Contains(line, secret) {
			t.Errorf("it is in the log: %s", line)
		}
	}
	if a := n.HTTP("GET", "/service/bare", ""); a.Status != 403 || a.Body != `{"refused":403,"why":"stopped"}` {
		t.Errorf("stopped: %d %s", a.Status, a.Body)
	}
	if a := n.HTTP("GET", "/service/open", ""); a.Status != 200 {
		t.Errorf("without a user: %d %s", a.Status, a.Body)
	}
}

func TestBodies(t *testing.T) {
	n := serve(t, nil, "service")
	for _, c := range []struct {
		name, path, body, contentType string
		status                        int
		want                          string
	}{
		{"no JSON, as it came", "/service/bytes", `{"a": 1,"a":`, "application/json", 200, `"raw":"{\"a\": 1,\"a\":"`},
		{"its type", "/service/bytes", `a=1&b=%32`, "application/x-www-form-urlencoded; charset=latin1", 200, `"type":"application/x-www-form-urlencoded; charset=latin1"`},
		{"a form as it came", "/service/bytes", `a=1&b=%32`, "application/x-www-form-urlencoded", 200, `"raw":"a=1&b=%32"`},
		{"an unknown type", "/service/bytes", `x`, "text/x-strange", 200, `"raw":"x"`},
		{"bytes that are no text", "/service/bytes", "\x00\xff\r\n\xfe", "application/octet-stream", 200, `"bytes":"AP8NCv4="`},
		{"parts as they came", "/service/bytes", "--x\r\n\r\na\r\n--x--", "multipart/form-data; boundary=x", 200, `"raw":"--x\r\n\r\na\r\n--x--"`},
		{"as large as may be", "/service/bytes", strings.Repeat("x", 64), "text/plain", 200, `"raw":"xxx`},
		{"too large", "/service/bytes", strings.Repeat("x", 65), "text/plain", 413, `{"refused":413,"why":`},
		{"JSON where a list allows it", "/service/form", `{"a":1}`, "application/json", 200, `"body":{"a":1}`},
		{"a form where a list allows it", "/service/form", `a=1`, "application/x-www-form-urlencoded", 200, `"body":{"a":"1"}`},
		{"another type", "/service/form", `a`, "text/plain", 400, `{"refused":415,"why":"The content type \"text/plain\" is not supported."}`},
		{"multipart where a list has none", "/service/form", `a`, "multipart/form-data; boundary=x", 400, `{"refused":415,`},
		{"another charset", "/service/form", `{}`, "application/json; charset=latin1", 400, `{"refused":400,`},
		{"a number", "/service/form", `5`, "application/json", 400, `{"refused":400,`},
		{"twice the same name", "/service/form", `{"a":1,"a":2}`, "application/json", 400, `{"refused":400,`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if a := n.HTTP("POST", c.path, c.body, "Content-Type: "+c.contentType); a.Status != c.status || !strings.Contains(a.Body, c.want) {
				t.Errorf("%d %s\nwant %d %s", a.Status, a.Body, c.status, c.want)
			}
		})
	}
	ws := n.WebSocket()
	if a := ws.Call(`{"controller":"service","action":"bytes","body":{"a": 1}}`); !strings.Contains(a.Body, `"raw":"{\"a\": 1}","type":"application/json"`) &&
		!strings.Contains(a.Body, `"raw":"{\"a\": 1}"`) {
		t.Errorf("websocket: %s", a.Body)
	}
	if a := ws.Call(`{"controller":"service","action":"bytes","body":{"a":"` + strings.Repeat("x", 64) + `"}}`); a.Status != 413 {
		t.Errorf("websocket, too large: %s", a.Body)
	}
	if a := n.HTTP("GET", "/service/echo", "", "Content-Type: text/plain"); a.Status != 200 {
		t.Errorf("no body of an unknown type: %d %s", a.Status, a.Body)
	}
}

func TestRateLimits(t *testing.T) {
	n := serve(t, func(c *config.Config) { c.Server.TrustedProxies = proxies(t, "127.0.0.0/8") }, "service")
	call := func(client string) nodetest.Answer {
		return n.HTTP("GET", "/service/limited", "", "X-Forwarded-For: "+client)
	}
	for i := range 2 {
		if a := call("192.0.2.1"); a.Status != 200 {
			t.Fatalf("call %d: %d %s", i, a.Status, a.Body)
		}
	}
	a := call("192.0.2.1")
	if a.Status != 429 || !strings.HasPrefix(a.Body, `{"busy":true,"id":"`) || a.Header.Get("X-Busy") != "429" || a.Header.Get("Retry-After") == "" || a.Header.Get("Retry-After") == "0" {
		t.Errorf("one more: %d %s %v", a.Status, a.Body, a.Header)
	}
	if a := n.HTTP("POST", "/_query", `{"controller":"service","action":"limited"}`, "X-Forwarded-For: 192.0.2.1"); a.Status != 429 {
		t.Errorf("on another way: %d %s", a.Status, a.Body)
	}
	if a := call("192.0.2.2"); a.Status != 200 {
		t.Errorf("another client: %d %s", a.Status, a.Body)
	}
	if a := call("::ffff:192.0.2.1"); a.Status != 429 {
		t.Errorf("the same client, mapped: %d", a.Status)
	}
	for i, want := range []int{200, 200, 429} { // one network
		if a := call(fmt.Sprintf("2001:db8::%d", i)); a.Status != want {
			t.Errorf("IPv6 %d: %d", i, a.Status)
		}
	}
	token := root(n)
	perUser := func(client string) int {
		return n.HTTP("POST", "/_query", `{"controller":"service","action":"perUser"}`, "Authorization: Bearer "+token, "X-Forwarded-For: "+client).Status
	}
	if a, b := perUser("192.0.2.7"), perUser("192.0.2.8"); a != 200 || b != 429 {
		t.Errorf("per user: %d, %d", a, b)
	}
}

func TestClientAddress(t *testing.T) {
	for _, c := range []struct {
		trusted, forwarded, want string
	}{
		{"", "", "127.0.0.1"},
		{"", "203.0.113.9", "127.0.0.1"}, // nobody vouches for it
		{"10.0.0.0/8", "203.0.113.9", "127.0.0.1"},
		{"127.0.0.0/8", "203.0.113.9", "203.0.113.9"},
		{"127.0.0.0/8", "1.2.3.4, 203.0.113.9", "203.0.113.9"}, // the client wrote the first itself
		{"127.0.0.0/8,10.0.0.0/8", "1.2.3.4, 203.0.113.9, 10.1.1.1", "203.0.113.9"},
		{"127.0.0.0/8", "::ffff:203.0.113.9", "203.0.113.9"},
		{"127.0.0.0/8", "nonsense", "127.0.0.1"},
	} {
		n := serve(t, func(conf *config.Config) { conf.Server.TrustedProxies = proxies(t, c.trusted) }, "service")
		headers := []string{}
		if c.forwarded != "" {
			headers = append(headers, "X-Forwarded-For: "+c.forwarded)
		}
		a := n.HTTP("GET", "/service/echo", "", append(headers, "X-Real-Ip: 6.6.6.6", "Forwarded: for=6.6.6.6")...)
		if a.Get("ip") != c.want {
			t.Errorf("trusted %q, forwarded %q: %v", c.trusted, c.forwarded, a.Get("ip"))
		}
	}
}
