package httpserver

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestAPI(t *testing.T) {
	address, _ := serve(t, options(t))
	long := strings.Repeat("x", 70)
	for name, c := range map[string]struct {
		raw    string
		status int
		// errorID is the id of the error, "" for none, "-" for one without id.
		errorID string
		result  string
	}{
		"root":           {request("GET /", ""), 200, "", `{"args":{},"body":null}`},
		"path arguments": {request("GET /i/c/d", ""), 200, "", `{"index":"i","collection":"c","_id":"d","args":{},"body":null}`},
		"escaped slash":  {request("GET /i/c/a%2Fb", ""), 200, "", `{"index":"i","collection":"c","_id":"a/b","args":{},"body":null}`},
		"empty segments": {request("GET //i//c/d/", ""), 200, "", `{"index":"i","collection":"c","_id":"d","args":{},"body":null}`},
		"dots":           {request("GET /../c/d", ""), 200, "", `{"index":"..","collection":"c","_id":"d","args":{},"body":null}`},
		"case matters":   {request("GET /_healthCheck", ""), 200, "", `{"args":{},"body":null}`},
		"absolute form":  {request("GET http://localhost/_now", ""), 200, "", `{"args":{},"body":null}`},

		"query": {
			request("GET /_now?a=1&b=x%20y+z&a=2&flag&%zz=%4&c=%C3%A9", ""), 200, "",
			`{"args":{"a":["1","2"],"b":"x y z","flag":"","%zz":"%4","c":"é"},"body":null}`,
		},
		"query with invalid UTF-8":       {request("GET /_now?a=%ff", ""), 200, "", `{"args":{"a":"` + "\ufffd" + `"},"body":null}`},
		"query names of invalid UTF-8":   {request("GET /_now?a%ff=1&a%fe=2", ""), 200, "", `{"args":{"a` + "\ufffd" + `":["1","2"]},"body":null}`},
		"query never routes":             {request("GET /_now?controller=security&action=deleteUser&body=1", ""), 200, "", `{"args":{},"body":null}`},
		"path beats query":               {request("GET /i/c/d?index=other&_id=x&_id=y", ""), 200, "", `{"index":"i","collection":"c","_id":"d","args":{},"body":null}`},
		"index twice":                    {request("GET /_now?index=a&index=b", ""), 400, "api.assert.invalid_type", ""},
		"query token":                    {request("GET /_now?jwt=abc", ""), 200, "", `{"token":"abc","args":{},"body":null}`},
		"query volatile":                 {request("GET /_now?volatile=5", ""), 400, "network.http.volatile_parse_failed", ""},
		"too many parameters":            {request("GET /_now?"+strings.Repeat("a&", 1001), ""), 400, "network.http.unexpected_error", ""},
		"bearer":                         {request("GET /_now?jwt=other", "", "authorization: bEaReR abc"), 200, "", `{"token":"abc","args":{},"body":null}`},
		"other scheme":                   {request("GET /_now", "", "Authorization: Basic abc"), 200, "", `{"args":{},"body":null}`},
		"volatile header":                {request("GET /_now", "", `X-Kuzzle-Volatile: {"a":1}`), 200, "", `{"args":{},"body":null}`},
		"volatile header is no JSON":     {request("GET /_now", "", `X-Kuzzle-Volatile: {"a"`), 400, "network.http.volatile_parse_failed", ""},
		"volatile header is no object":   {request("GET /_now", "", `X-Kuzzle-Volatile: [1]`), 400, "network.http.volatile_parse_failed", ""},
		"volatile header has duplicates": {request("GET /_now", "", `X-Kuzzle-Volatile: {"a":1,"a":2}`), 400, "network.http.volatile_parse_failed", ""},

		"body":                    {request("POST /i/c/_create", ` {"a":1.0e400} `), 200, "", `{"index":"i","collection":"c","args":{},"body":{"a":1.0e400}}`},
		"body null":               {request("POST /i/c/_create", `null`), 200, "", `{"index":"i","collection":"c","args":{},"body":null}`},
		"body empty":              {request("POST /i/c/_create", ``), 200, "", `{"index":"i","collection":"c","args":{},"body":null}`},
		"body blank":              {request("POST /i/c/_create", " \n"), 200, "", `{"index":"i","collection":"c","args":{},"body":null}`},
		"body chunked":            {request("POST /i/c/_create", "", "Transfer-Encoding: chunked") + "3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n", 200, "", `{"index":"i","collection":"c","args":{},"body":{"a":1}}`},
		"body text":               {request("POST /i/c/_create", `"x"`), 400, "api.assert.invalid_type", ""},
		"body number":             {request("POST /i/c/_create", `5`), 400, "api.assert.invalid_type", ""},
		"body true":               {request("POST /i/c/_create", `true`), 400, "api.assert.invalid_type", ""},
		"body no JSON":            {request("POST /i/c/_create", long), 400, "network.http.body_parse_failed", ""},
		"body followed by":        {request("POST /i/c/_create", `{} {}`), 400, "network.http.body_parse_failed", ""},
		"body with duplicates":    {request("POST /i/c/_create", `{"a":1,"a":2}`), 400, "network.http.body_parse_failed", ""},
		"body of invalid UTF-8":   {request("POST /i/c/_create", "{\"a\":\"\xff\"}"), 400, "network.http.body_parse_failed", ""},
		"body nested too deep":    {request("POST /i/c/_create", strings.Repeat("[", 600)+strings.Repeat("]", 600)), 400, "network.http.body_parse_failed", ""},
		"body nested deep":        {request("POST /i/c/_create", strings.Repeat("[", 500)+strings.Repeat("]", 500)), 200, "", ""},
		"body too large":          {request("POST /i/c/_create", strings.Repeat(" ", 70<<10)), 413, "network.http.request_too_large", ""},
		"body declared too large": {request("POST /i/c/_create", "", "Content-Length: 99999999999"), 413, "network.http.request_too_large", ""},
		"body chunked too large":  {request("POST /i/c/_create", "", "Transfer-Encoding: chunked") + "12000\r\n" + strings.Repeat(" ", 0x12000) + "\r\n0\r\n\r\n", 413, "network.http.request_too_large", ""},

		"content type with charset": {request("POST /i/c/_create", `{}`, `Content-Type: Application/JSON; charset="UTF-8"`), 200, "", ""},
		"content type":              {request("GET /_now", ``, "Content-Type: text/plain"), 400, "network.http.unsupported_content", ""},
		"charset":                   {request("POST /i/c/_create", `{}`, "Content-Type: application/json; charset=latin1"), 400, "network.http.unsupported_charset", ""},
		"form": {
			request("POST /i/c/_create", `a=1&b=x+%22y&a=2`, "Content-Type: application/x-www-form-urlencoded"), 200, "",
			`{"index":"i","collection":"c","args":{},"body":{"a":["1","2"],"b":"x \"y"}}`,
		},
		"form with names of invalid UTF-8": {
			request("POST /i/c/_create", `a%ff=1&a%fe=2`, "Content-Type: application/x-www-form-urlencoded"), 200, "",
			`{"index":"i","collection":"c","args":{},"body":{"a` + "\ufffd" + `":["1","2"]}}`,
		},
		"multipart with names of invalid UTF-8": {
			request("POST /i/c/_create", "--B\r\nContent-Disposition: form-data; name=\"a\xff\"\r\n\r\nx\r\n--B\r\nContent-Disposition: form-data; name=\"a\xfe\"\r\n\r\ny\r\n--B--\r\n",
				"Content-Type: multipart/form-data; boundary=B"), 200, "",
			`{"index":"i","collection":"c","args":{},"body":{"a` + "\ufffd" + `":["x","y"]}}`,
		},
		"multipart": {
			request("POST /i/c/_create", "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"n.txt\"\r\nContent-Type: text/plain\r\n\r\nhi\r\n--B--\r\n",
				"Content-Type: multipart/form-data; boundary=B"), 200, "",
			`{"index":"i","collection":"c","args":{},"body":{"a":"x","f":{"encoding":"text/plain","file":"aGk=","filename":"n.txt"}}}`,
		},
		"multipart cut off":          {request("POST /i/c/_create", "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx", "Content-Type: multipart/form-data; boundary=B"), 400, "network.http.unexpected_error", ""},
		"multipart without boundary": {request("POST /i/c/_create", "x", "Content-Type: multipart/form-data"), 400, "network.http.unexpected_error", ""},

		"gzip":                  {request("POST /i/c/_create", zipped(`{"a":1}`), "Content-Encoding: gzip"), 200, "", `{"index":"i","collection":"c","args":{},"body":{"a":1}}`},
		"gzip in deflate":       {request("POST /i/c/_create", deflated(zipped(`{"a":1}`)), "Content-Encoding: gzip, deflate, identity"), 200, "", `{"index":"i","collection":"c","args":{},"body":{"a":1}}`},
		"too many encodings":    {request("POST /i/c/_create", `x`, "Content-Encoding: gzip, gzip, gzip, gzip"), 400, "network.http.too_many_encodings", ""},
		"unknown encoding":      {request("POST /i/c/_create", `x`, "Content-Encoding: br"), 400, "network.http.unsupported_compression", ""},
		"gzip that is none":     {request("POST /i/c/_create", `hello world, no gzip`, "Content-Encoding: gzip"), 400, "network.http.unexpected_error", ""},
		"gzip cut off":          {request("POST /i/c/_create", zipped(`{"a":1}`)[:15], "Content-Encoding: gzip"), 400, "network.http.unexpected_error", ""},
		"zip bomb":              {request("POST /i/c/_create", zipped(strings.Repeat(" ", 1<<20)), "Content-Encoding: gzip"), 413, "network.http.request_too_large", ""},
		"zip bomb inside a zip": {request("POST /i/c/_create", zipped(zipped(strings.Repeat(" ", 4<<20))), "Content-Encoding: gzip, gzip"), 413, "network.http.request_too_large", ""},

		"unknown path":     {request("GET /a/b/c/d/e/f", ""), 404, "network.http.url_not_found", ""},
		"unknown verb":     {request("TRACE /", ""), 400, "network.http.unsupported_verb", ""},
		"connect":          {"CONNECT example.com:80 HTTP/1.1\r\nHost: example.com\r\n\r\n", 400, "network.http.unsupported_verb", ""},
		"escaped own path": {request("GET /%5Fready", ""), 404, "network.http.url_not_found", ""},
		"options":          {request("OPTIONS /what/ever", ""), 200, "", `{}`},
		"options of all":   {request("OPTIONS *", ""), 200, "", `{}`},
		"health":           {request("GET /_healthcheck", ""), 200, "", `null`},
		"ready":            {request("GET /_ready", ""), 200, "", `null`},
		"preflight of own": {request("OPTIONS /_query", ""), 200, "", `{}`},

		"query envelope":                      {request("POST /_query", `{"controller":"a","action":"b","requestId":"r","x":[1],"body":{},"jwt":"t"}`), 200, "", `{"token":"t","args":{"x":[1]},"body":{}}`},
		"query envelope, token in the header": {request("POST /_query", `{"controller":"a","jwt":null}`, "Authorization: Bearer t"), 200, "", `{"token":"t","args":{},"body":null}`},
		"query envelope of the wrong type":    {request("POST /_query", `{"controller":5}`), 400, "-", ""},
		"query envelope that is a list":       {request("POST /_query", `[]`), 400, "network.http.body_parse_failed", ""},
		"query envelope missing":              {request("POST /_query", ``), 400, "network.http.body_parse_failed", ""},
		"query envelope as a form":            {request("POST /_query", `a=b`, "Content-Type: application/x-www-form-urlencoded"), 400, "network.http.unsupported_content", ""},
		"query with GET":                      {request("GET /_query", ``), 404, "network.http.url_not_found", ""},

		"origin":          {request("GET /_now", "", "Origin: https://app.example"), 200, "", ""},
		"foreign origin":  {request("GET /_now", "", "Origin: https://evil.example"), 401, "api.process.unauthorized_origin", ""},
		"null origin":     {request("GET /_now", "", "Origin: null"), 401, "api.process.unauthorized_origin", ""},
		"foreign upgrade": {request("POST /_query", "{}", "Origin: https://evil.example"), 401, "api.process.unauthorized_origin", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := do(t, address, c.raw)
			if a.status != c.status || a.field(t, "status") != itoa(c.status) {
				t.Fatalf("status %d, want %d: %s", a.status, c.status, a.body)
			}
			switch c.errorID {
			case "":
				if a.field(t, "error") != "null" {
					t.Errorf("error in %s", a.body)
				}
			case "-":
				if a.field(t, "error", "message") == "" || a.field(t, "error", "id") != "" {
					t.Errorf("want an error without id: %s", a.body)
				}
			default:
				if got := a.field(t, "error", "id"); got != c.errorID {
					t.Errorf("error %s, want %s", got, c.errorID)
				}
			}
			if got := a.field(t, "result"); c.result != "" && got != c.result {
				t.Errorf("result %s\n want %s", got, c.result)
			}
			if a.field(t, "node") != "node-1" || a.header.Get("X-Kuzzle-Node") != "node-1" {
				t.Errorf("node missing: %v %s", a.header, a.body)
			}
			if a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers %v", a.header)
			}
			if got := a.field(t, "requestId"); got == "" || got != a.header.Get("X-Kuzzle-Request-Id") {
				t.Errorf("request id %q in the envelope, %q in the header", got, a.header.Get("X-Kuzzle-Request-Id"))
			}
		})
	}
}

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, s)
	w.Close()
	return b.String()
}

func deflated(s string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	io.WriteString(w, s)
	w.Close()
	return b.String()
}

// Clients of the v1 profile get its envelope and its words for failures that no plugin ever sees.
func TestEarlyFailureInV1Profile(t *testing.T) {
	address, _ := serve(t, options(t))
	a := do(t, address, request("POST /_plugin/Old/check", `{"email"`, "X-Kuzzle-Request-Id: r"))
	const want = `{"requestId":"r","status":400,"error":{"message":"Unable to convert HTTP body to JSON","status":400,"stack":"BadRequestError: Unable to convert HTTP body to JSON"},` +
		`"controller":"Old/user","action":"check","collection":null,"index":null,"volatile":null,"result":null}`
	if a.body != want || a.status != 400 {
		t.Errorf("status %d\n got %s\nwant %s", a.status, a.body, want)
	}
}

func TestHeaders(t *testing.T) {
	address, _ := serve(t, options(t))
	for name, c := range map[string]struct {
		raw    string
		header map[string]string
	}{
		"always": {request("GET /_now", ""), map[string]string{
			"Access-Control-Allow-Headers": "Content-Type", "Access-Control-Allow-Methods": "GET,POST", "Access-Control-Allow-Origin": "",
			"Vary": "", "Connection": "", "Accept-Encoding": "gzip,deflate,identity",
		}},
		"origin":          {request("GET /_now", "", "Origin: https://app.example"), map[string]string{"Access-Control-Allow-Origin": "https://app.example", "Vary": "Origin"}},
		"refused origin":  {request("GET /_now", "", "Origin: https://evil.example"), map[string]string{"Access-Control-Allow-Origin": "https://evil.example", "Vary": "Origin"}},
		"preflight":       {request("OPTIONS /x", "", "Origin: https://evil.example"), map[string]string{"Access-Control-Allow-Origin": "https://evil.example"}},
		"other verb":      {request("PUT /_plugin/Old/check", ""), map[string]string{"Allow": "GET, POST"}},
		"other verbs":     {request("DELETE /i/c/d", ""), map[string]string{"Allow": "GET"}},
		"own other verb":  {request("PUT /_ready", ""), map[string]string{"Allow": "GET, HEAD"}},
		"request id":      {request("GET /_now", "", "X-Kuzzle-Request-Id: mine"), map[string]string{"X-Kuzzle-Request-Id": "mine"}},
		"id with newline": {request("POST /_query", `{"requestId":"a\r\nSet-Cookie: x=y"}`), map[string]string{"X-Kuzzle-Request-Id": "a??Set-Cookie: x=y", "Set-Cookie": ""}},
		"id not in ASCII": {request("GET /_now?requestId=%C3%A9", ""), map[string]string{"X-Kuzzle-Request-Id": "?"}},
		"HEAD":            {request("HEAD /", ""), map[string]string{"Content-Type": "application/json"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := do(t, address, c.raw)
			for key, want := range c.header {
				if got := strings.Join(a.header[key], "|"); got != want {
					t.Errorf("%s: %q, want %q", key, got, want)
				}
			}
		})
	}
}

// In a URL a flag is true by being there; in an envelope it is what it says.
func TestArgumentsKnowWhereTheyCameFrom(t *testing.T) {
	o := options(t)
	o.Executor = executor{func(_ context.Context, req *protocol.Request) (any, error) { return req.Args.Bool("silent") }}
	address, _ := serve(t, o)
	for raw, want := range map[string]string{
		request("GET /_now?silent=false", ""):              "true",
		request("GET /_now", ""):                           "false",
		request("POST /_query?silent", `{"silent":false}`): "false",
	} {
		if a := do(t, address, raw); a.field(t, "result") != want {
			t.Errorf("%q: %s", raw, a.body)
		}
	}
}

func TestHeadHasNoBody(t *testing.T) {
	address, _ := serve(t, options(t))
	if a := do(t, address, request("HEAD /", "")); a.status != 200 || a.body != "" {
		t.Errorf("HEAD /: %d %q", a.status, a.body)
	}
	if a := do(t, address, request("HEAD /_now", "")); a.status != 404 {
		t.Errorf("HEAD /_now: %d", a.status)
	}
}

func TestPretty(t *testing.T) {
	address, _ := serve(t, options(t))
	for _, raw := range []string{request("GET /_now?pretty", ""), request("POST /_query?pretty=1", "{}")} {
		if a := do(t, address, raw); !strings.Contains(a.body, "{\n  \"requestId\": \"") {
			t.Errorf("not indented: %s", a.body)
		}
	}
}

// An indented answer may be the square of what the client sent: 500 nested arrays around many values.
func TestPrettyIsBounded(t *testing.T) {
	o := options(t)
	o.MaxRequestBytes = 1 << 20
	address, _ := serve(t, o)
	bomb := `{"volatile":{"x":` + strings.Repeat("[", 500) + "0" + strings.Repeat(",0", 200_000) + strings.Repeat("]", 500) + "}}"
	a := do(t, address, request("POST /_query?pretty", bomb))
	if a.status != 200 || len(a.body) > len(bomb)+1000 {
		t.Errorf("status %d, %d bytes", a.status, len(a.body))
	}
	list := `{"volatile":{"x":[0` + strings.Repeat(",0", 10_000) + "]}}"
	if a := do(t, address, request("POST /_query?pretty", list)); !strings.Contains(a.body, "[\n      0,\n      0,") {
		t.Errorf("a long list is not indented: %.200s", a.body)
	}
}

func FuzzIndentFits(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{},[],{"b":"\"[,:"}],"c":{"d":null}}`, ` [ ] `, `"\\"`, `[[[]],{"a": [ ]}]`, `0`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v := jsontext.Value(text)
		if !v.IsValid() || v.Indent(jsontext.WithIndent("  ")) != nil {
			return
		}
		if n := len(v); !indentFits([]byte(text), n) || indentFits([]byte(text), n-1) {
			t.Errorf("%q is not taken for %d bytes: %s", text, n, v)
		}
	})
}

func TestNegotiate(t *testing.T) {
	for header, want := range map[string]string{
		"": "", "gzip": "gzip", "deflate": "deflate", "gzip, deflate, br": "gzip", "deflate, gzip": "gzip",
		"gzip;q=0.5, deflate;q=0.8": "deflate", "gzip;q=0": "", "gzip;q=0, *": "deflate", "*": "gzip", "*;q=0": "", "br": "",
		"identity": "", "GZIP": "gzip", "gzip;q=x": "", "gzip;q=NaN": "", "gzip; q=0.1; x=y": "gzip", "gzip;q=2": "", ",,;": "",
	} {
		if got := negotiate([]string{header}); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}

func TestCompression(t *testing.T) {
	o := options(t)
	large := strings.Repeat("large ", 1000)
	o.Executor = executor{func(_ context.Context, req *protocol.Request) (any, error) {
		if req.Args.Has("small") {
			return "small", nil
		}
		return large, nil
	}}
	address, _ := serve(t, o)
	for range 3 { // the writers are pooled
		a := do(t, address, request("GET /_now", "", "Accept-Encoding: gzip", "Origin: https://app.example"))
		r, err := gzip.NewReader(strings.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(r)
		if err != nil || !strings.Contains(string(plain), large) {
			t.Errorf("%v: %.80s", err, plain)
		}
		if a.header.Get("Content-Encoding") != "gzip" || a.header.Get("Content-Length") != itoa(len(a.body)) ||
			strings.Join(a.header["Vary"], ", ") != "Origin, Accept-Encoding" {
			t.Errorf("headers %v", a.header)
		}
		a = do(t, address, request("GET /_now", "", "Accept-Encoding: deflate"))
		z, err := zlib.NewReader(strings.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		if plain, err = io.ReadAll(z); err != nil || !strings.Contains(string(plain), large) {
			t.Errorf("%v: %.80s", err, plain)
		}
	}
	if a := do(t, address, request("GET /_now?small", "", "Accept-Encoding: gzip")); a.header.Get("Content-Encoding") != "" || a.header.Get("Vary") != "" {
		t.Errorf("a small answer was compressed: %v", a.header)
	}
}

func TestRawAnswer(t *testing.T) {
	o := options(t)
	o.Executor = executor{func(_ context.Context, req *protocol.Request) (any, error) {
		req.Reply = protocol.Reply{Raw: true, Status: 418, ContentType: "text/plain", Header: http.Header{
			"X-Own": {"a\r\nX-Injected: b"}, "Set-Cookie": {"a=1", "b=2"}, "Connection": {"close"}, "Content-Length": {"1"}, "Cache-Control": {"max-age=5"},
		}}
		if req.Args.Has("empty") {
			req.Reply.Status = 204
			return nil, nil
		}
		return "teapot", nil
	}}
	address, _ := serve(t, o)
	a := do(t, address, request("GET /_now?pretty", ""))
	if a.status != 418 || a.body != "teapot" || a.header.Get("Content-Type") != "text/plain" || len(a.header["Set-Cookie"]) != 2 ||
		a.header.Get("X-Injected") != "" || a.header.Get("Connection") != "" || a.header.Get("Cache-Control") != "max-age=5" {
		t.Errorf("%+v", a)
	}
	if a := do(t, address, request("GET /_now?empty", "")); a.status != 204 || a.body != "" {
		t.Errorf("%+v", a)
	}
}

// What an action says about the framing of its answer is wrong at best.
func TestHeadersOfTheServerAlone(t *testing.T) {
	o := options(t)
	large := strings.Repeat("large ", 1000)
	o.Executor = executor{func(_ context.Context, req *protocol.Request) (any, error) {
		req.Reply.Raw = req.Args.Has("raw")
		req.Reply.Header = http.Header{
			"Content-Encoding": {"br"}, "content-length": {"5"}, "Transfer-Encoding": {"chunked"}, "Connection": {"close"},
			"Keep-Alive": {"x"}, "Proxy-Connection": {"x"}, "Upgrade": {"h2c"}, "TE": {"x"}, "Trailer": {"X-Later"},
			"Proxy-Authenticate": {"x"}, "Trailer:X-Later": {"x"}, "X-Own": {"own"},
		}
		return large, nil
	}}
	address, _ := serve(t, o)
	for url, encoding := range map[string]string{"/_now": "", "/_now?raw": "br"} {
		a := do(t, address, request("GET "+url, ""))
		if a.header.Get("Content-Encoding") != encoding || a.header.Get("Content-Length") != itoa(len(a.body)) || !strings.Contains(a.body, large) ||
			a.header.Get("X-Own") != "own" {
			t.Errorf("%s: %v", url, a.header)
		}
		for _, name := range []string{"Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-Connection", "Upgrade", "Te", "Trailer", "Proxy-Authenticate", "Trailer:x-Later"} {
			if a.header.Get(name) != "" {
				t.Errorf("%s: %s: %s", url, name, a.header.Get(name))
			}
		}
	}
	if a := do(t, address, request("GET /_now", "", "Accept-Encoding: gzip")); a.header.Get("Content-Encoding") != "gzip" {
		t.Errorf("an envelope is not compressed: %v", a.header)
	}
	if a := do(t, address, request("GET /_now?raw", "", "Accept-Encoding: gzip")); a.header.Get("Content-Encoding") != "br" || a.body != large {
		t.Errorf("bytes that are encoded already were compressed: %v", a.header)
	}
}

func TestOddStatus(t *testing.T) {
	o := options(t)
	o.Executor = executor{func(_ context.Context, req *protocol.Request) (any, error) {
		req.Reply.Status = 7
		return nil, nil
	}}
	address, _ := serve(t, o)
	if a := do(t, address, request("GET /_now", "")); a.status != 500 {
		t.Errorf("status %d", a.status)
	}
}

func TestPanic(t *testing.T) {
	o := options(t)
	o.Executor = executor{func(context.Context, *protocol.Request) (any, error) { panic("secret detail") }}
	address, _ := serve(t, o)
	a := do(t, address, request("GET /_now", ""))
	if a.status != 500 || a.field(t, "error", "id") != "core.fatal.unexpected_error" || strings.Contains(a.body, "secret") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestDeadline(t *testing.T) {
	o := options(t)
	o.RequestTimeout = 10 * time.Millisecond
	o.Executor = executor{func(ctx context.Context, _ *protocol.Request) (any, error) {
		<-ctx.Done()
		return ctx.Err().Error(), nil
	}}
	address, _ := serve(t, o)
	if a := do(t, address, request("GET /_now", "")); a.field(t, "result") != context.DeadlineExceeded.Error() {
		t.Errorf("%s", a.body)
	}
}

func TestWideOpenServesLoopbackOnly(t *testing.T) {
	o := options(t)
	o.Gate = gate{wideOpen: true}
	address, _ := serve(t, o)
	for raw, want := range map[string]int{
		"GET /_now HTTP/1.1\r\nHost: localhost:7512\r\n\r\n":                                        200,
		"GET /_now HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n":                                             200,
		"GET /_now HTTP/1.1\r\nHost: [::1]:7512\r\n\r\n":                                            200,
		"GET /_now HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:8080\r\n\r\n":            200,
		"GET /_now HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.example\r\n\r\n":              401,
		"GET /_now HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n\r\n":                             401,
		"GET /_now HTTP/1.1\r\nHost: evil.example\r\n\r\n":                                          401,
		"GET /_now HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n":                                401,
		"GET /_now HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n":                                401,
		"POST /_query HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 2\r\n\r\n{}":                401,
		"GET /_now HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n":               200,
		"GET /_now HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 8.8.8.8, 127.0.0.1\r\n\r\n":      401,
		"GET /_now HTTP/1.1\r\nHost: localhost\r\nX-Real-IP: 8.8.8.8\r\n\r\n":                       401,
		"GET /_now HTTP/1.1\r\nHost: localhost\r\nForwarded: for=8.8.8.8\r\n\r\n":                   401,
		"GET /_now HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\n\r\n":               401,
		"GET /_now HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n\r\n":              200,
		"GET /_healthcheck HTTP/1.1\r\nHost: node.cluster\r\n\r\n":                                  200,
		"GET / HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n": 401,
	} {
		if a := do(t, address, raw); a.status != want {
			t.Errorf("%q: %d, want %d", raw, a.status, want)
		}
	}
}

// Whoever was let in with the headers may be nobody once the body is there.
func TestWideOpenWhileTheBodyArrives(t *testing.T) {
	o := options(t)
	opened := &switchedGate{}
	o.Gate = opened
	address, _ := serve(t, o)
	for _, line := range []string{"POST /i/c/_create", "POST /_query"} {
		opened.wideOpen.Store(false)
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, line+" HTTP/1.1\r\nHost: node.example\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
		r := bufio.NewReader(conn)
		if s, err := r.ReadString('\n'); err != nil || !strings.Contains(s, " 100 ") { // the body is being read
			t.Fatalf("%q %v", s, err)
		}
		if _, err := r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		opened.wideOpen.Store(true)
		io.WriteString(conn, "{}")
		if a := read(t, r, line); a.status != 401 || a.field(t, "error", "id") != "api.process.unauthorized_origin" {
			t.Errorf("%s: %d %s", line, a.status, a.body)
		}
	}
}

type switchedGate struct{ wideOpen atomic.Bool }

func (g *switchedGate) WideOpen() bool { return g.wideOpen.Load() }
func (g *switchedGate) Ready() error   { return nil }

func TestReadyTurnsAway(t *testing.T) {
	o := options(t)
	o.Gate = gate{notReady: kerror.ServicesStorageNotConnected.New()} // whose status is another
	address, _ := serve(t, o)
	a := do(t, address, request("GET /_ready", ""))
	if a.status != 503 || a.field(t, "status") != "503" || !strings.Contains(a.body, `"services.storage.not_connected"`) {
		t.Errorf("ready: %d %s", a.status, a.body)
	}
	if a := do(t, address, request("GET /_healthcheck", "")); a.status != 200 {
		t.Errorf("health: %d", a.status)
	}
}

func TestMetricsAccess(t *testing.T) {
	o := options(t)
	o.MetricsHandler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "metrics") })
	o.Proxies = nil // a proxy on this machine need not be trusted to say that others come from elsewhere
	address, _ := serve(t, o)
	for raw, want := range map[string]int{
		request("GET /metrics", ""):                                        200,
		request("GET /metrics", "", "X-Forwarded-For: 192.0.2.1"):          403,
		request("GET /metrics", "", "X-Forwarded-For: 8.8.8.8, 127.0.0.1"): 403,
		request("GET /metrics", "", "X-Forwarded-For: nonsense"):           403,
		request("GET /metrics", "", "X-Real-IP: 8.8.8.8"):                  403,
		request("GET /metrics", "", "Forwarded: for=8.8.8.8"):              403,
		request("GET /metrics", "", "X-Forwarded-For: 127.0.0.1"):          200,
		"GET /metrics HTTP/1.1\r\nHost: rebound.example\r\n\r\n":           403,
		request("POST /metrics", ""):                                       404,
	} {
		if a := do(t, address, raw); a.status != want {
			t.Errorf("%q: %d, want %d", raw, a.status, want)
		}
	}
}

func TestConnectionOfRequest(t *testing.T) {
	o := options(t)
	o.Executor = executor{func(_ context.Context, req *protocol.Request) (any, error) {
		c := req.Connection
		return []string{c.Protocol, c.ClientIP, strings.Join(c.IPs, " "), c.Verb, c.URL, c.Header.Get("X-Own")}, nil
	}}
	address, _ := serve(t, o)
	for url, want := range map[string]string{
		"/_now?jwt=secret": "/_now", "/_now?a=b&%6awt=secret&c": "/_now?a=b&c", "/_now?%6A%77%74=secret&jwt&jwt=x": "/_now",
		"http://localhost/_now?jwt=secret&a": "http://localhost/_now?a", "/_now?xjwt=1&&": "/_now?xjwt=1&&", "/_now?": "/_now?",
	} {
		if a := do(t, address, request("GET "+url, "")); !strings.Contains(a.field(t, "result"), `"GET","`+want+`",`) {
			t.Errorf("%s: %s", url, a.body)
		}
	}
	a := do(t, address, request("GET /_now?a=b", "", "X-Forwarded-For: 198.51.100.9, 192.0.2.1", "X-Own: x"))
	if got, want := a.field(t, "result"), `["http","192.0.2.1","127.0.0.1 198.51.100.9 192.0.2.1","GET","/_now?a=b","x"]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestProxies(t *testing.T) {
	proxies := options(t).Proxies
	for _, c := range []struct{ peer, forwarded, want string }{
		{"127.0.0.1:1", "", "127.0.0.1"},
		{"[::ffff:127.0.0.1]:1", "192.0.2.1", "192.0.2.1"},
		{"192.0.2.7:1", "10.0.0.1", "192.0.2.7"},                       // an untrusted peer says what it likes
		{"127.0.0.1:1", "10.9.9.9, 192.0.2.1, 127.0.0.2", "192.0.2.1"}, // right to left, to the first untrusted hop
		{"127.0.0.1:1", "nonsense, 127.0.0.3", "127.0.0.3"},
		{"127.0.0.1:1", "nonsense", "127.0.0.1"},
		{"127.0.0.1:1", "192.0.2.1:4711", "192.0.2.1"},
		{"127.0.0.1:1", "[2001:db8::1]:4711", "2001:db8::1"},
		{"127.0.0.1:1", "::ffff:192.0.2.1", "192.0.2.1"},
	} {
		var forwarded []string
		if c.forwarded != "" {
			forwarded = []string{c.forwarded}
		}
		if got, _ := proxies.Client(network.PeerAddr(c.peer), forwarded); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestBodyErrorKeepsKnown(t *testing.T) {
	if !errors.Is(bodyError(errInflatedTooLarge), errInflatedTooLarge) {
		t.Error("the cause is lost")
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("a=1&b&%zz=+&a=%ff")
	f.Add("a%ff=1&a%fe=2")
	f.Add("_id=%ff")
	f.Fuzz(func(t *testing.T, raw string) {
		pairs, err := parsePairs(nil, raw)
		if err != nil {
			return
		}
		req := &protocol.Request{}
		for i := range pairs {
			setParameter(req, pairs, i)
		}
		if v := req.Args.JSON(); !v.IsValid() {
			t.Errorf("%q gives %s", raw, v)
		}
		if !utf8.ValidString(req.Index + req.Collection + req.ID) {
			t.Errorf("%q gives %q, %q and %q", raw, req.Index, req.Collection, req.ID)
		}
	})
}
