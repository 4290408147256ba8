package protocol

import (
	"errors"
	"math"
	"net/http"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// def is a row that no change of the catalogue touches.
var def = &kerror.Def{ID: "test.some.error", Code: 0x7f010002, Class: kerror.BadRequestError, Message: `Wrong "{0}", not <{1}>.`}

func request() *Request {
	return &Request{RequestID: "r", Controller: "document", Action: "get"}
}

func TestAppend(t *testing.T) {
	full := request()
	full.Index, full.Collection, full.Volatile = "i", "c", jsontext.Value(`{"a": 1}`)
	full.Reply.Status = 201
	full.Reply.Header = http.Header{"X-B": {"1", "2"}, "Set-Cookie": {"a=b"}, "X-A": {"é\n"}}
	raw := request()
	raw.Reply.Raw = true
	for name, c := range map[string]struct {
		response       *Response
		v2, v1, socket string // socket is the v2 answer with room "R"
	}{
		"result": {
			NewResponse(request(), map[string]string{"url": "a?b&c=<d>"}, nil),
			`{"requestId":"r","status":200,"error":null,"controller":"document","action":"get","volatile":null,"result":{"url":"a?b&c=<d>"},"headers":{},"node":"n"}`,
			`{"requestId":"r","status":200,"error":null,"controller":"document","action":"get","collection":null,"index":null,"volatile":null,"result":{"url":"a?b&c=<d>"}}`,
			`{"requestId":"r","status":200,"error":null,"controller":"document","action":"get","volatile":null,"result":{"url":"a?b&c=<d>"},"headers":{},"node":"n","room":"R"}`,
		},
		"everything": {
			NewResponse(full, jsontext.Value(`[1.0]`), nil),
			`{"requestId":"r","status":201,"error":null,"controller":"document","action":"get","index":"i","collection":"c","volatile":{"a": 1},"result":[1.0],"headers":{"x-a":"é\n","x-b":"1, 2"},"node":"n"}`,
			`{"requestId":"r","status":201,"error":null,"controller":"document","action":"get","collection":"c","index":"i","volatile":{"a": 1},"result":[1.0]}`,
			"",
		},
		"null": {
			NewResponse(request(), nil, nil),
			`{"requestId":"r","status":200,"error":null,"controller":"document","action":"get","volatile":null,"result":null,"headers":{},"node":"n"}`,
			`{"requestId":"r","status":200,"error":null,"controller":"document","action":"get","collection":null,"index":null,"volatile":null,"result":null}`,
			"",
		},
		"absent": {
			NewResponse(request(), Absent, nil),
			`{"requestId":"r","status":200,"error":null,"controller":"document","action":"get","volatile":null,"headers":{},"node":"n"}`,
			`{"requestId":"r","status":200,"error":null,"controller":"document","action":"get","collection":null,"index":null,"volatile":null,"result":null}`,
			"",
		},
		"no action": {
			NewResponse(&Request{RequestID: "\"\xff"}, Absent, nil),
			`{"requestId":"\"` + "\ufffd" + `","status":200,"error":null,"controller":null,"action":null,"volatile":null,"headers":{},"node":"n"}`,
			`{"requestId":"\"` + "\ufffd" + `","status":200,"error":null,"controller":null,"action":null,"collection":null,"index":null,"volatile":null,"result":null}`,
			"",
		},
		"error": {
			NewResponse(request(), nil, def.New("a\"b", "c")),
			`{"requestId":"r","status":400,"error":{"id":"test.some.error","code":2130771970,"message":"Wrong \"a\"b\", not <c>.","status":400,"props":["a\"b","c"]},"controller":"document","action":"get","volatile":null,"headers":{},"node":"n"}`,
			`{"requestId":"r","status":400,"error":{"message":"Wrong \"a\"b\", not <c>.","status":400,"stack":"BadRequestError: Wrong \"a\"b\", not <c>."},"controller":"document","action":"get","collection":null,"index":null,"volatile":null,"result":null}`,
			"",
		},
		"error with a further member": {
			NewResponse(request(), nil, kerror.Bare(kerror.UnauthorizedError, "no").With("resetToken", "a\"b")),
			`{"requestId":"r","status":401,"error":{"message":"no","status":401,"resetToken":"a\"b"},"controller":"document","action":"get","volatile":null,"headers":{},"node":"n"}`,
			`{"requestId":"r","status":401,"error":{"message":"no","status":401,"stack":"UnauthorizedError: no"},"controller":"document","action":"get","collection":null,"index":null,"volatile":null,"result":null}`,
			"",
		},
		"error with other words in v1": {
			NewResponse(request(), nil, kerror.Bare(kerror.UnauthorizedError, "new").WithV1("old")),
			`{"requestId":"r","status":401,"error":{"message":"new","status":401},"controller":"document","action":"get","volatile":null,"headers":{},"node":"n"}`,
			`{"requestId":"r","status":401,"error":{"message":"old","status":401,"stack":"UnauthorizedError: old"},"controller":"document","action":"get","collection":null,"index":null,"volatile":null,"result":null}`,
			"",
		},
		"partial failure": {
			NewResponse(request(), []int{1}, kerror.Bare(kerror.PartialError, "some").WithErrors([]any{"a", map[string]int{"b": 1}})),
			`{"requestId":"r","status":206,"error":{"message":"some","status":206,"count":2,"errors":["a",{"b":1}]},"controller":"document","action":"get","volatile":null,"result":[1],"headers":{},"node":"n"}`,
			`{"requestId":"r","status":206,"error":{"message":"some","status":206,"stack":"PartialError: some"},"controller":"document","action":"get","collection":null,"index":null,"volatile":null,"result":[1]}`,
			"",
		},
		"raw object":         {NewResponse(raw, map[string]int{"a": 1}, nil), `{"a":1}`, `{"a":1}`, `{"a":1,"room":"R"}`},
		"raw empty":          {NewResponse(raw, jsontext.Value(` { } `), nil), ` { } `, ` { } `, `{"room":"R"}`},
		"raw text":           {NewResponse(raw, "hello", nil), `hello`, `hello`, `hello`},
		"raw bytes":          {NewResponse(raw, []byte{1, 2}, nil), "\x01\x02", "\x01\x02", "\x01\x02"},
		"raw null":           {NewResponse(raw, nil, nil), ``, ``, `""`},
		"raw absent":         {NewResponse(raw, Absent, nil), ``, ``, `""`},
		"raw list":           {NewResponse(raw, []int{1}, nil), `[1]`, `[1]`, `[1]`},
		"raw like an object": {NewResponse(raw, "{a}", nil), `{a}`, `{a}`, `{a}`},
	} {
		t.Run(name, func(t *testing.T) {
			a := c.response
			a.Node = "n"
			if got := string(a.Append(nil, "")); got != c.v2 {
				t.Errorf("v2\n got %s\nwant %s", got, c.v2)
			}
			if got := string(a.Append([]byte("x"), "R")); c.socket != "" && got != "x"+c.socket {
				t.Errorf("with room\n got %s\nwant x%s", got, c.socket)
			}
			a.Profile = KuzzleV1
			if got := string(a.Append(nil, "")); got != c.v1 {
				t.Errorf("v1\n got %s\nwant %s", got, c.v1)
			}
		})
	}
}

// In development mode errors say what caused them; in production nothing of that leaves the node.
func TestStack(t *testing.T) {
	a := NewResponse(request(), nil, def.Wrap(errors.New("disk"), "a", "b"))
	if got := string(a.appendError(nil)); got != `{"id":"test.some.error","code":2130771970,"message":"Wrong \"a\", not <b>.","status":400,"props":["a","b"]}` {
		t.Error(got)
	}
	a.Dev = true
	if got := string(a.appendErrorV1(nil)); got != `{"message":"Wrong \"a\", not <b>.","status":400,"stack":"BadRequestError: Wrong \"a\", not <b>.\n    caused by: disk"}` {
		t.Error(got)
	}
	if got := string(a.appendError(nil)); got != `{"id":"test.some.error","code":2130771970,"message":"Wrong \"a\", not <b>.","status":400,"props":["a","b"],"stack":"BadRequestError: Wrong \"a\", not <b>.\n    caused by: disk"}` {
		t.Error(got)
	}
}

func TestDeprecations(t *testing.T) {
	a := NewResponse(&Request{RequestID: "r"}, Absent, nil)
	a.Deprecations = []Deprecation{{"1.2", "gone"}}
	const want = `{"requestId":"r","status":200,"error":null,"controller":null,"action":null,"volatile":null,"headers":{},"node":"","deprecations":[{"version":"1.2","message":"gone"}]}`
	if got := string(a.Append(nil, "")); got != want {
		t.Error(got)
	}
}

func TestInternalErrorsStayInside(t *testing.T) {
	a := NewResponse(request(), nil, errors.New("secret"))
	if a.Status != 500 || !errors.Is(a.Error, kerror.CoreFatalUnexpectedError) || a.Error.Unwrap().Error() != "secret" {
		t.Errorf("%+v", a.Error)
	}
	if got := string(a.Append(nil, "")); jsontext.Value(got).IsValid() == false || contains(got, "secret") {
		t.Error(got)
	}
	for _, result := range []any{func() {}, map[string]any{"hits": []float64{1, math.Inf(1)}}} {
		a = NewResponse(request(), result, nil)
		if !errors.Is(a.Error, kerror.PluginControllerUnserializableResponse) {
			t.Errorf("%+v", a.Error)
		}
		if got := jsontext.Value(a.Append(nil, "")); !got.IsValid() {
			t.Errorf("%s is not JSON", got)
		}
	}
}

func TestNotificationAppend(t *testing.T) {
	for name, c := range map[string]struct {
		n    *Notification
		want string
	}{
		"document": {
			&Notification{
				Room: "room-1", Type: "document", Status: 200, RequestID: "r", Timestamp: 5, Index: "i", Collection: "c", Controller: "document", Action: "create",
				Protocol: "websocket", Event: "write", Scope: "in", Result: jsontext.Value(`{"_id":"x"}`), Node: "n",
			},
			`{"type":"document","status":200,"requestId":"r","index":"i","collection":"c","controller":"document","action":"create","protocol":"websocket","event":"write","scope":"in","timestamp":5,"volatile":null,"result":{"_id":"x"},"node":"n","room":"room-1"}`,
		},
		"token expired": {
			TokenExpired("n"),
			`{"type":"TokenExpired","status":200,"info":"This is an automated server notification","message":"Authentication Token Expired","node":"n","room":"kuzzle:notification:server"}`,
		},
	} {
		if got := string(c.n.Append(nil)); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", name, got, c.want)
		}
	}
}

func TestProfile(t *testing.T) {
	for _, p := range []Profile{KuzzleV2, KuzzleV1} {
		if got, err := ParseProfile(p.String()); err != nil || got != p {
			t.Errorf("%v: %v %v", p, got, err)
		}
	}
	if p, err := ParseProfile(""); err != nil || p != KuzzleV2 {
		t.Errorf("default %v %v", p, err)
	}
	if _, err := ParseProfile("kuzzle-v3"); err == nil {
		t.Error("an unknown profile was taken")
	}
	if got := Profile(9).String(); got != "Profile(9)" {
		t.Error(got)
	}
}

func BenchmarkAppend(b *testing.B) {
	a := NewResponse(request(), jsontext.Value(`{"now":1764000000000}`), nil)
	a.Node = "knode-nasty-hephaestus-1"
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = a.Append(buf[:0], "5c9d1f7e-3f8a-4b9e-9d53-6f2d3c0a7b11")
	}
}
