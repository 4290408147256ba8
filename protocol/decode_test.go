package protocol

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

func TestDecodeRequest(t *testing.T) {
	var r Request
	err := DecodeRequest([]byte(` {"requestId":"r","controller":"c\u00e9","action":"a","index":"i","collection":"c","_id":"x","jwt":"t",
		"volatile":{"v":1},"body":[ 1 ],"x":1.0e400,"y":null,"":{"z":[]}} `), &r)
	if err != nil {
		t.Fatal(err)
	}
	if r.RequestID != "r" || r.Controller != "cé" || r.Action != "a" || r.Index != "i" || r.Collection != "c" || r.ID != "x" || r.Token != "t" ||
		string(r.Volatile) != `{"v":1}` || string(r.Body) != `[ 1 ]` || string(r.Args.JSON()) != `{"x":1.0e400,"y":null,"":{"z":[]}}` || r.Args.FromText() {
		t.Errorf("%+v", r)
	}

	r = Request{Token: "kept"}
	if err := DecodeRequest([]byte(`{"requestId":null,"controller":null,"jwt":null,"volatile":null,"body":null,"_id":null}`), &r); err != nil {
		t.Fatal(err)
	}
	if r.Body != nil || r.Volatile != nil || r.Token != "kept" || len(r.Args.All()) != 0 {
		t.Errorf("null is absent: %+v", r)
	}
}

func TestDecodeRequestRefuses(t *testing.T) {
	for _, text := range []string{
		``, ` `, `null`, `5`, `[]`, `"x"`, `{`, `}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a":1`, `{"a":1}}`, `{"a":1} {}`, `{"a":1}x`, `{a:1}`, `{'a':1}`,
		`{"a":1,"a":2}`, `{"a":{"b":1,"b":2}}`, `{"a":1,"\u0061":2}`, "{\"a\":\"\xff\"}", "{\"\xff\":1}", `{"a":"\ud800"}`, "{\"a\":\"\n\"}", `{"a":01}`, `{"a":NaN}`,
		"\ufeff{}", `{"a":1/**/}`, `{"a":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`,
	} {
		if err := DecodeRequest([]byte(text), &Request{}); !errors.Is(err, ErrNotJSON) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

func TestDecodeRequestTypes(t *testing.T) {
	for text, id := range map[string]string{
		`{"controller":5,"requestId":"r"}`: "", `{"action":{},"requestId":"r"}`: "", `{"jwt":true,"requestId":"r"}`: "",
		`{"volatile":[],"requestId":"r"}`: "", `{"volatile":"x","requestId":"r"}`: "", `{"body":"x","requestId":"r"}`: "", `{"body":5,"requestId":"r"}`: "",
		`{"index":5,"requestId":"r"}`: "api.assert.invalid_type", `{"collection":[],"requestId":"r"}`: "api.assert.invalid_type",
		`{"_id":5,"requestId":"r","controller":6}`: "api.assert.invalid_type", // the first counts
	} {
		var r Request
		var ke *kerror.Error
		if err := DecodeRequest([]byte(text), &r); !errors.As(err, &ke) || ke.ID != id || ke.Status != 400 {
			t.Errorf("%s: %v", text, err)
		}
		if r.RequestID != "r" {
			t.Errorf("%s: request id %q", text, r.RequestID)
		}
	}
	var r Request
	if err := DecodeRequest([]byte(`{"requestId":5,"controller":"c"}`), &r); err == nil || r.RequestID != "" || r.Controller != "c" {
		t.Errorf("%v %+v", err, r)
	}
}

func TestBody(t *testing.T) {
	none, list, object := Request{}, Request{Body: jsontext.Value(`[1]`)}, Request{Body: jsontext.Value(`{"a":"x"}`)}
	if _, err := none.BodyFields(); !errors.Is(err, kerror.APIAssertBodyRequired) {
		t.Error(err)
	}
	if f, err := none.OptBodyFields(); err != nil || len(f.All()) != 0 {
		t.Error(err)
	}
	if _, err := list.BodyFields(); !errors.Is(err, kerror.APIAssertInvalidType) {
		t.Error(err)
	}
	f, err := object.OptBodyFields()
	if err != nil {
		t.Fatal(err)
	}
	if s, err := f.String("a"); err != nil || s != "x" {
		t.Error(s, err)
	}
	var ke *kerror.Error
	if _, err := f.String("b"); !errors.As(err, &ke) || ke.Props[0] != "body.b" {
		t.Error(err)
	}
}

// FuzzDecodeRequest compares with a decoder that does everything at once.
func FuzzDecodeRequest(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"requestId":"r","controller":"a","action":"b","body":{"a":[1,2,{"b":null}]},"x":"\u00e9"}`, `{"p":1}`, `[]`, `{"a":1,"a":2}`, `{"requestId":5}`,
		` {"volatile":{"sdkName":"js@7.0.0"} , "_id" : "x\"y" } `, `{"a":1}}`, "{\"a\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		var r Request
		err := DecodeRequest(data, &r)
		if !bytes.Equal(data, before) {
			t.Fatal("the input was changed")
		}
		var members map[string]jsontext.Value
		valid := jsontext.Value(data).IsValid() && jsontext.Value(data).Kind() == '{' && json.Unmarshal(data, &members) == nil
		if errors.Is(err, ErrNotJSON) == valid {
			t.Fatalf("%q: %v, but valid is %v", data, err, valid)
		}
		if err != nil {
			return
		}
		for _, arg := range r.Args.All() {
			if !bytes.Equal(arg.Value, members[arg.Name]) {
				t.Errorf("%q: %s, want %s", arg.Name, arg.Value, members[arg.Name])
			}
			delete(members, arg.Name)
		}
		for name := range members {
			switch name {
			case "requestId", "controller", "action", "index", "collection", "_id", "jwt", "body", "volatile":
			default:
				t.Errorf("%q is lost", name)
			}
		}
		if v := r.Args.JSON(); !v.IsValid() {
			t.Errorf("arguments %s", v)
		}
		if v := jsontext.Value(NewResponse(&r, Absent, nil).Append(nil, "room")); !v.IsValid() {
			t.Errorf("answer %s", v)
		}
	})
}

func BenchmarkDecodeRequest(b *testing.B) {
	data := []byte(`{"controller":"document","action":"create","index":"nyc","collection":"taxis","requestId":"5c9d1f7e-3f8a-4b9e-9d53-6f2d3c0a7b11",` +
		`"volatile":{"sdkInstanceId":"x","sdkName":"js@7.17.1"},"refresh":"wait_for","body":{"name":"Ellen Ripley","age":36,"tags":["a","b","c"]}}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := DecodeRequest(data, &Request{}); err != nil {
			b.Fatal(err)
		}
	}
}
