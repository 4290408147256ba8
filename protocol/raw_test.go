package protocol

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestBare(t *testing.T) {
	refused := &kerror.Error{ID: "p.NO", Code: 3, Status: 401, Message: `say "please"`, Props: []string{"NO"}}
	refusals := Refusals{
		401: {Body: `{"n":$status,"m":$message,"r":$requestId}`, Status: 200, Header: http.Header{"X-Id": {"$requestId"}}},
		503: {Body: "down", ContentType: "text/plain"},
		0:   {Body: `{"other":$status}`},
	}
	for name, c := range map[string]struct {
		result   any
		reply    Reply
		err      error
		refusals Refusals
		status   int
		body     string
		media    string
		header   string // X-Id
		envelope string // part of
	}{
		"a result":               {result: jsontext.Value(`{"a": 1}`), reply: Reply{Status: 201}, status: 201, body: `{"a": 1}`, envelope: `"status":201,"error":null,"controller":null,"action":null,"volatile":null,"result":{"a": 1}`},
		"null":                   {result: nil, status: 200, body: `null`, envelope: `"result":null`},
		"nothing":                {result: Absent, reply: Reply{Status: 204}, status: 204, body: ``, envelope: `"status":204,"error":null,"controller":null,"action":null,"volatile":null,"result":null`},
		"text":                   {result: "a\n", reply: Reply{Raw: true, ContentType: "text/plain"}, status: 200, body: "a\n", media: "text/plain", envelope: `"result":"a\n"`},
		"a type of its own":      {result: jsontext.Value(`1`), reply: Reply{ContentType: "application/x+json"}, status: 200, body: `1`, media: "application/x+json"},
		"an error, default":      {err: refused, status: 401, body: `{"status":401,"message":"say \"please\""}`, envelope: `"error":{"id":"p.NO","code":3,"message":"say \"please\"","status":401,"props":["NO"]}`},
		"an error, told":         {err: refused, refusals: refusals, status: 200, body: `{"n":401,"m":"say \"please\"","r":"\"r"}`, header: `"\"r"`},
		"an error, told in text": {err: kerror.PluginRuntimeUnavailable.New("p", "x"), refusals: refusals, status: 503, body: "down", media: "text/plain"},
		"an error, the rest":     {err: kerror.APIProcessTooManyRequests.New(), refusals: refusals, status: 429, body: `{"other":429}`},
		"an error with a body":   {result: map[string]int{"code": 7}, err: refused, refusals: refusals, status: 401, body: `{"code":7}`, envelope: `"result":null`},
		"an error with text":     {result: "no", reply: Reply{Raw: true, ContentType: "text/plain"}, err: refused, refusals: refusals, status: 401, body: `no`, media: "text/plain", envelope: `"result":null`},
		"no JSON at all":         {result: func() {}, status: 500, refusals: refusals, body: `{"other":500}`},
	} {
		req := &Request{RequestID: `"r`, Reply: c.reply}
		envelope := NewResponse(req, c.result, c.err)
		envelope.Profile = Raw
		if got := string(envelope.Append(nil, "room")); !strings.Contains(got, c.envelope) || !strings.HasSuffix(got, `,"room":"room"}`) {
			t.Errorf("%s, envelope: %s", name, got)
		}
		a := NewResponse(req, c.result, c.err)
		a.Profile = Raw
		a.Bare(c.refusals)
		if got := string(a.Append(nil, "")); a.Status != c.status || got != c.body || a.ContentType != c.media || a.Header.Get("X-Id") != c.header {
			t.Errorf("%s: %d %s (%s) %v", name, a.Status, got, a.ContentType, a.Header)
		}
	}
}

// The headers of a refusal belong to all answers: an answer must not change them, nor those of the action.
func TestBareLeavesHeadersAlone(t *testing.T) {
	refusals := Refusals{429: {Body: "{}", Header: http.Header{"X-Id": {"$requestId"}}}}
	reply := http.Header{"Retry-After": {"1"}}
	a := NewResponse(&Request{RequestID: "r", Reply: Reply{Header: reply}}, nil, kerror.APIProcessTooManyRequests.New())
	a.Bare(refusals)
	if a.Header.Get("Retry-After") != "1" || a.Header.Get("X-Id") != `"r"` || len(reply) != 1 || refusals[429].Header.Get("X-Id") != "$requestId" {
		t.Errorf("%v, %v, %v", a.Header, reply, refusals)
	}
}
