package codec_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/proto"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

func cross(t *testing.T, r *protocol.Request) *protocol.Request {
	t.Helper()
	b, err := proto.Marshal(codec.FromRequest(r, ""))
	if err != nil {
		t.Fatal(err)
	}
	m := new(pluginv1.Request)
	if err := proto.Unmarshal(b, m); err != nil {
		t.Fatal(err)
	}
	out := new(protocol.Request)
	if err := codec.ToRequest(m, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRequestCrosses(t *testing.T) {
	in := &protocol.Request{}
	err := protocol.DecodeRequest([]byte(`{"requestId":"r","controller":"c","action":"a","index":"i","collection":"k","_id":"d",`+
		`"z":9007199254740993,"a1":{"b":[1.0]},"body":{"x":1e400},"volatile":{"v":1}}`), in)
	if err != nil {
		t.Fatal(err)
	}
	in.User = &protocol.User{ID: "u", ProfileIDs: []string{"p", "q"}, Source: jsontext.Value(`{"n":1}`)}
	in.Internal = &protocol.Internal{Plugin: "other", Hops: 3}
	in.Connection = &protocol.Connection{
		ID: "con", Protocol: "http", IPs: []string{"1.2.3.4"}, ClientIP: "1.2.3.4", Verb: "GET", URL: "/x?y",
		Header: http.Header{"X-A": {"1", "2"}},
	}
	out := cross(t, in)
	if out.RequestID != "r" || out.Controller != "c" || out.Action != "a" || out.Index != "i" || out.Collection != "k" || out.ID != "d" {
		t.Errorf("envelope: %+v", out)
	}
	if got, want := string(out.Args.JSON()), `{"z":9007199254740993,"a1":{"b":[1.0]}}`; got != want {
		t.Errorf("args %s, want %s", got, want)
	}
	if string(out.Body) != `{"x":1e400}` || string(out.Volatile) != `{"v":1}` {
		t.Errorf("body %s, volatile %s", out.Body, out.Volatile)
	}
	if out.User.ID != "u" || len(out.User.ProfileIDs) != 2 || string(out.User.Source) != `{"n":1}` {
		t.Errorf("user %+v", out.User)
	}
	if out.Internal.Plugin != "other" || out.Internal.Hops != 3 {
		t.Errorf("internal %+v", out.Internal)
	}
	c := out.Connection
	if c.ID != "con" || c.ClientIP != "1.2.3.4" || c.Verb != "GET" || c.URL != "/x?y" || len(c.Header["X-A"]) != 2 {
		t.Errorf("connection %+v", c)
	}
}

func TestEmptyRequestCrosses(t *testing.T) {
	out := cross(t, &protocol.Request{Connection: &protocol.Connection{}})
	if out.Body != nil || out.Volatile != nil || out.User != nil || out.Internal != nil || out.Connection == nil {
		t.Errorf("%+v", out)
	}
}

func TestArgumentsFromTextStayText(t *testing.T) {
	in := &protocol.Request{Args: protocol.TextArgs()}
	in.Args.AddText("n", "12")
	in.Args.AddText("flag", "")
	in.Args.AddText("list", "a", "b")
	out := cross(t, in)
	if n, err := out.Args.OptInt("n", 0); err != nil || n != 12 {
		t.Errorf("n = %d, %v", n, err)
	}
	if flag, err := out.Args.Bool("flag"); err != nil || !flag {
		t.Errorf("flag = %v, %v", flag, err)
	}
	if list, err := out.Args.Strings("list"); err != nil || len(list) != 2 {
		t.Errorf("list = %v, %v", list, err)
	}
}

// A plugin that held the token of a user could act as him on every action.
func TestTokenStaysBehind(t *testing.T) {
	header := http.Header{
		"Authorization": {"Bearer secret", "APIKEY mine"},
		"Cookie":        {"a=1; authToken=secret; b=2", "AUTHTOKEN=secret"},
		"Token":         {"opaque"},
	}
	in := &protocol.Request{Token: "secret", Connection: &protocol.Connection{Header: header}}
	out := cross(t, in)
	if out.Token != "" {
		t.Error("the token crossed")
	}
	got := out.Connection.Header
	if v := got["Authorization"]; len(v) != 1 || v[0] != "APIKEY mine" {
		t.Errorf("Authorization %q", v)
	}
	if v := got["Cookie"]; len(v) != 1 || v[0] != "a=1; b=2" {
		t.Errorf("Cookie %q", v)
	}
	if got.Get("Token") != "opaque" {
		t.Errorf("Token %q", got.Get("Token"))
	}
	if len(header["Authorization"]) != 2 || len(header["Cookie"]) != 2 {
		t.Errorf("the request itself changed: %v", header)
	}
}

func TestErrorCrosses(t *testing.T) {
	in := kerror.APIAssertMissingArgument.New("x").WithV1("v1 text").WithErrors([]any{jsontext.Value(`{"n":9007199254740993}`)})
	in.Status = 418
	out := codec.ToError(codec.FromError(in))
	if !errors.Is(out, kerror.APIAssertMissingArgument) || out.Code != in.Code || out.Class != in.Class || out.Status != 418 ||
		out.Message != in.Message || len(out.Props) != 1 || out.V1 != "v1 text" {
		t.Errorf("%+v", out)
	}
	if got := string(out.Errors[0].(jsontext.Value)); got != `{"n":9007199254740993}` {
		t.Errorf("errors %s", got)
	}
	if codec.ToError(nil) != nil || codec.FromError(nil) != nil {
		t.Error("nil is not nil")
	}
	if got := codec.ToError(&pluginv1.Error{Message: "?"}); got.Status != 500 || got.Class != kerror.PluginImplementationError {
		t.Errorf("bare error %+v", got)
	}
}

func TestAnswerCrosses(t *testing.T) {
	failed := kerror.Bare(kerror.PartialError, "half")
	for name, c := range map[string]struct {
		result any
		reply  protocol.Reply
		err    *kerror.Error
		want   string // what protocol.NewResponse makes of it
	}{
		"object":  {result: map[string]int{"a": 1}, want: `{"a":1}`},
		"raw":     {result: jsontext.Value(`{"z":1,"a":9007199254740993}`), want: `{"z":1,"a":9007199254740993}`},
		"null":    {result: nil, want: `null`},
		"absent":  {result: protocol.Absent, want: ``},
		"partial": {result: []int{1}, err: failed, want: `[1]`},
		"failed":  {err: failed, want: ``},
	} {
		m, err := codec.FromAnswer(c.result, c.reply, c.err)
		if err != nil {
			t.Fatal(name, err)
		}
		req := &protocol.Request{}
		result, err := codec.ToAnswer(m, &req.Reply)
		got := protocol.NewResponse(req, result, err)
		if string(got.Result) != c.want || (got.Error != nil) != (c.err != nil) {
			t.Errorf("%s: result %q, error %v", name, got.Result, got.Error)
		}
	}
}

func TestRawAnswerCrosses(t *testing.T) {
	m, err := codec.FromAnswer("text", protocol.Reply{Status: 201, Raw: true, ContentType: "text/plain", Header: http.Header{"X-A": {"1"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	req := &protocol.Request{}
	result, err := codec.ToAnswer(m, &req.Reply)
	got := protocol.NewResponse(req, result, err)
	if string(got.Content) != "text" || !got.Raw || got.Status != 201 || got.ContentType != "text/plain" || got.Header.Get("X-A") != "1" {
		t.Errorf("%+v", got)
	}
}

func TestResultThatIsNoJSON(t *testing.T) {
	var reply protocol.Reply
	_, err := codec.ToAnswer(&pluginv1.ExecuteResponse{Result: []byte(`{"a":1},"b":2`)}, &reply)
	if !errors.Is(err, kerror.PluginControllerUnserializableResponse) {
		t.Errorf("%v", err)
	}
}

func TestLists(t *testing.T) {
	calls := []string{"document:create", "security:*", "gvp-uniapi/aura:forget", "*", "*:*"}
	for action, want := range map[[2]string]bool{
		{"document", "create"}: true, {"document", "delete"}: false, {"document", "*"}: false,
		{"security", "getUser"}: true, {"security", ""}: true, {"sec", "getUser"}: false,
		{"gvp-uniapi/aura", "forget"}: true, {"auth", "login"}: false, {"", ""}: false,
	} {
		if got := codec.Lists(calls, action[0], action[1]); got != want {
			t.Errorf("%v: %v", action, got)
		}
	}
}

// A request whose credentials are one plugin's business crosses to it whole, and to every other in outline.
func TestPrivateRequests(t *testing.T) {
	const secret = "s3cr3t"
	in := &protocol.Request{
		RequestID: "r", Controller: "c", Action: "a", Index: secret, Collection: secret, ID: secret, Private: "own",
		Args: protocol.TextArgs(), Body: jsontext.Value(`"` + secret + `"`), RawBody: []byte(secret), ContentType: secret,
		Volatile: jsontext.Value(`{"v":"` + secret + `"}`), User: &protocol.User{ID: "-1"}, Internal: &protocol.Internal{Plugin: "p", Hops: 2},
		Connection: &protocol.Connection{
			ID: "con", Protocol: "http", ClientIP: "1.2.3.4", Verb: "GET", URL: "/" + secret,
			Header: http.Header{"Authorization": {"Bearer " + secret}, "Cookie": {"authToken=node; a=" + secret}, "Token": {secret}},
		},
	}
	in.Args.AddText("token", secret)
	own := codec.FromRequest(in, "own")
	if got := own.String(); strings.Count(got, secret) != 12 || strings.Contains(got, "authToken") {
		t.Errorf("to its own: %s", got)
	}
	for _, to := range []string{"other", ""} {
		m := codec.FromRequest(in, to)
		if got := m.String(); strings.Contains(got, secret) {
			t.Errorf("to %q: %s", to, got)
		}
		if m.GetAction() != "a" || m.GetConnection().GetClientIp() != "1.2.3.4" || m.GetUser().GetId() != "-1" || m.GetHops() != 2 || m.GetCaller() != "p" {
			t.Errorf("to %q: %v", to, m)
		}
	}
}
