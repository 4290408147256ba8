package strictjson

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestWhatIsRead(t *testing.T) {
	long := strings.Repeat("x", 4096)
	for _, c := range []struct {
		name, body string
		want       error
	}{
		{"object", `{"a":"b"}`, nil},
		{"blanks around", " \n{}\t", nil},
		{"unknown members", `{"a":[1,{"b":null}],"c":true}`, nil},
		{"surrogate pair", `{"a":"\ud83d\ude00"}`, nil},
		{"longest text", `{"a":"` + long + `"}`, nil},
		{"deepest", strings.Repeat(`{"a":`, 15) + `{}` + strings.Repeat(`}`, 15), nil},
		{"nothing", ``, ErrInvalid},
		{"array", `[]`, ErrInvalid},
		{"text", `"a"`, ErrInvalid},
		{"null", `null`, ErrInvalid},
		{"comment", `{//x`, ErrInvalid},
		{"cut off", `{"a":1`, ErrInvalid},
		{"two values", `{}{}`, ErrInvalid},
		{"garbage after", `{} x`, ErrInvalid},
		{"byte order mark", "\xef\xbb\xbf{}", ErrInvalid},
		{"non-breaking space", "{\"a\":\u00a01}", ErrInvalid},
		{"duplicate", `{"a":1,"a":2}`, ErrInvalid},
		{"duplicate by escape", `{"a":1,"\u0061":2}`, ErrInvalid},
		{"duplicate within", `{"a":{"b":1,"b":2}}`, ErrInvalid},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", ErrInvalid},
		{"lone surrogate", `{"a":"\ud83d"}`, ErrInvalid},
		{"NUL", `{"a":"\u0000"}`, ErrInvalid},
		{"NUL in a name", `{"\u0000":1}`, ErrInvalid},
		{"text too long", `{"a":["` + long + `x"]}`, ErrInvalid},
		{"too deep", strings.Repeat(`{"a":`, 16) + `{}` + strings.Repeat(`}`, 16), ErrInvalid},
		{"far too deep", strings.Repeat(`[`, 60_000), ErrInvalid},
		{"too large", `{"a":"` + strings.Repeat(" ", 64<<10) + `"}`, ErrTooLarge},
	} {
		if _, err := Standard.Object([]byte(c.body)); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestErrorsQuoteNothing(t *testing.T) {
	for _, body := range []string{`{"password":"secret"x}`, `{"secret":1,"secret":2}`, `{"password":secret}`, `secret`} {
		if _, err := Standard.Object([]byte(body)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestMembers(t *testing.T) {
	o, err := Standard.Object([]byte(`{"text":"a\u0062","empty":"","null":null,"n":25,"zero":-0,"quoted":"25","half":2.5,"whole":25.0,"e":1e3,"big":9007199254740993,"list":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{"text": nil, "empty": nil, "null": ErrMissing, "absent": ErrMissing, "n": ErrType, "list": ErrType} {
		if _, err := Text(o, name); !errors.Is(err, want) {
			t.Errorf("text %s: %v", name, err)
		}
	}
	if s, _ := Text(o, "text"); s != "ab" {
		t.Errorf("text is %q", s)
	}
	for name, want := range map[string]error{
		"n": nil, "zero": nil, "null": ErrMissing, "absent": ErrMissing,
		"quoted": ErrType, "half": ErrType, "whole": ErrType, "e": ErrType, "big": ErrType, "list": ErrType,
	} {
		if _, err := Integer(o, name); !errors.Is(err, want) {
			t.Errorf("integer %s: %v", name, err)
		}
	}
	if n, _ := Integer(o, "n"); n != 25 {
		t.Errorf("n is %d", n)
	}
}

// What is taken is JSON to the standard library as well.
func FuzzObject(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":{"b":["c",1e9,null,true]}}`, `{"a":"\ud83d\ude00"}`, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := Standard.Object(data)
		if err != nil {
			if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrTooLarge) {
				t.Fatal(err)
			}
			return
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(data, &members); err != nil || len(members) != len(o.All()) {
			t.Fatalf("%q: %v, %d members, not %d", data, err, len(o.All()), len(members))
		}
	})
}

func BenchmarkObject(b *testing.B) {
	body := []byte(`{"userName":"ali","password":"qa","channel":"internet"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Standard.Object(body); err != nil {
			b.Fatal(err)
		}
	}
}
