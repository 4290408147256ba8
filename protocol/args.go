package protocol

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// Args are named JSON values with the reading rules of the API. The zero value holds nothing. Getters without a default
// fail with api.assert.missing_argument when the name is absent or null, and with api.assert.invalid_type when the value
// does not fit.
type Args struct {
	list []Arg
	// text says that the values came out of a URL: everything is text there, and is converted.
	text bool
	// prefix stands before a name in errors, "body." for fields of a body.
	prefix string
}

// Arg is one named value.
type Arg struct {
	Name  string
	Value jsontext.Value
}

// ParseArgs reads a JSON object into Args whose errors name fields as prefix + name.
func ParseArgs(object jsontext.Value, prefix string) (Args, error) {
	a := Args{prefix: prefix}
	return a, forEachMember(object, func(name string, value jsontext.Value) error {
		a.list = append(a.list, Arg{name, value})
		return nil
	})
}

// TextArgs starts Args whose values come out of a URL.
func TextArgs() Args { return Args{text: true} }

// FromText reports whether the values came out of a URL.
func (a Args) FromText() bool { return a.text }

// AddText appends the values of one URL parameter: a text, or an array of texts when it was repeated.
func (a *Args) AddText(name string, values ...string) {
	if len(values) == 1 {
		quoted, err := jsontext.AppendQuote(nil, values[0])
		if err != nil { // invalid UTF-8 became U+FFFD; the value is still a JSON text
			_ = err
		}
		a.Set(name, quoted)
		return
	}
	array, err := json.Marshal(values, jsontext.AllowInvalidUTF8(true))
	if err == nil {
		a.Set(name, array)
	}
}

// Set gives name a value, replacing an earlier one.
func (a *Args) Set(name string, value jsontext.Value) {
	if i := a.index(name); i >= 0 {
		a.list[i].Value = value
		return
	}
	a.list = append(a.list, Arg{name, value})
}

// Remove takes name away.
func (a *Args) Remove(name string) {
	if i := a.index(name); i >= 0 {
		a.list = slices.Delete(a.list, i, i+1)
	}
}

// All gives the values in the order they came. The slice belongs to Args.
func (a Args) All() []Arg { return a.list }

// Has reports whether name is there, even as null.
func (a Args) Has(name string) bool { return a.index(name) >= 0 }

// Raw gives the value as it came, nil when it is absent or null.
func (a Args) Raw(name string) jsontext.Value {
	if i := a.index(name); i >= 0 && a.list[i].Value.Kind() != 'n' {
		return a.list[i].Value
	}
	return nil
}

// String gives a required text. An empty text is a value.
func (a Args) String(name string) (string, error) {
	raw, err := a.required(name)
	if err != nil {
		return "", err
	}
	return a.asString(name, raw)
}

// OptString gives a text, or absent when it is not there.
func (a Args) OptString(name, absent string) (string, error) {
	raw := a.Raw(name)
	if raw == nil {
		return absent, nil
	}
	return a.asString(name, raw)
}

// Bool gives a flag, false when it is not there. In a URL its presence is true, whatever its value.
func (a Args) Bool(name string) (bool, error) {
	if a.text {
		return a.Has(name), nil
	}
	raw := a.Raw(name)
	switch {
	case raw == nil:
		return false, nil
	case raw.Kind() == 't' || raw.Kind() == 'f':
		return raw.Kind() == 't', nil
	default:
		return false, a.invalidType(name, "boolean")
	}
}

// OptInt gives a whole number within ±2^53, or absent when it is not there. In a URL a number is read as far as it goes:
// "12abc" is 12, as the API does.
func (a Args) OptInt(name string, absent int64) (int64, error) {
	raw := a.Raw(name)
	if raw == nil {
		return absent, nil
	}
	f, ok := a.asNumber(raw)
	if !ok || f != math.Trunc(f) || math.Abs(f) > 1<<53-1 {
		return 0, a.invalidType(name, "integer")
	}
	return int64(f), nil
}

// Strings gives a required list of texts. In a URL it is JSON, a repeated parameter, or comma-separated.
func (a Args) Strings(name string) ([]string, error) {
	raw, err := a.required(name)
	if err != nil {
		return nil, err
	}
	if a.text && raw.Kind() == '"' {
		text, err := a.asString(name, raw)
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(text, "[") {
			return strings.Split(text, ","), nil
		}
		raw = jsontext.Value(text)
	}
	var list []*string // a null in it is no text
	if err := json.Unmarshal(raw, &list); err != nil || list == nil || slices.Contains(list, nil) {
		return nil, a.invalidType(name, "array")
	}
	texts := make([]string, len(list))
	for i, s := range list {
		texts[i] = *s
	}
	return texts, nil
}

// Object gives a required object as it came; in a URL it is JSON text.
func (a Args) Object(name string) (jsontext.Value, error) {
	raw, err := a.required(name)
	if err != nil {
		return nil, err
	}
	return a.asObject(name, raw)
}

// OptObject gives an object, nil when it is not there.
func (a Args) OptObject(name string) (jsontext.Value, error) {
	raw := a.Raw(name)
	if raw == nil {
		return nil, nil
	}
	return a.asObject(name, raw)
}

// Fields gives the members of a required object, their errors named after it.
func (a Args) Fields(name string) (Args, error) {
	object, err := a.Object(name)
	if err != nil {
		return Args{}, err
	}
	return ParseArgs(object, a.prefix+name+".")
}

// JSON gives all values as one JSON object.
func (a Args) JSON() jsontext.Value {
	out := []byte{'{'}
	for i, arg := range a.list {
		if i > 0 {
			out = append(out, ',')
		}
		out, _ = jsontext.AppendQuote(out, arg.Name) // invalid UTF-8 is replaced
		out = append(out, ':')
		out = append(out, arg.Value...)
	}
	return append(out, '}')
}

func (a Args) index(name string) int {
	return slices.IndexFunc(a.list, func(x Arg) bool { return x.Name == name })
}

func (a Args) required(name string) (jsontext.Value, error) {
	raw := a.Raw(name)
	if raw == nil {
		return nil, kerror.APIAssertMissingArgument.New(a.prefix + name)
	}
	return raw, nil
}

func (a Args) asString(name string, raw jsontext.Value) (string, error) {
	s, ok := unquote(raw)
	if !ok {
		return "", a.invalidType(name, "string")
	}
	return s, nil
}

func (a Args) asObject(name string, raw jsontext.Value) (jsontext.Value, error) {
	if a.text && raw.Kind() == '"' {
		text, _ := unquote(raw)
		raw = jsontext.Value(text)
		if !raw.IsValid() {
			return nil, a.invalidType(name, "object")
		}
	}
	if raw.Kind() != '{' {
		return nil, a.invalidType(name, "object")
	}
	return raw, nil
}

// asNumber reads a JSON number, or a text that is one; in a URL, a text that begins like one.
func (a Args) asNumber(raw jsontext.Value) (float64, bool) {
	text := string(raw)
	switch raw.Kind() {
	case '0':
	case '"':
		s, ok := unquote(raw)
		if !ok {
			return 0, false
		}
		if a.text {
			s = strings.TrimLeft(s, " \t\r\n")
		}
		n := numberPrefix(s)
		if n < len(s) && !a.text {
			return 0, false
		}
		text = s[:n]
	default:
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

// numberPrefix is the length of the decimal number at the start of s.
func numberPrefix(s string) int {
	n := 0
	if n < len(s) && (s[n] == '-' || s[n] == '+') {
		n++
	}
	n += digits(s[n:])
	if n < len(s) && s[n] == '.' {
		n += 1 + digits(s[n+1:])
	}
	if n == 0 || n == len(s) || s[n] != 'e' && s[n] != 'E' {
		return n
	}
	exponent := n + 1
	if exponent < len(s) && (s[exponent] == '-' || s[exponent] == '+') {
		exponent++
	}
	if d := digits(s[exponent:]); d > 0 {
		return exponent + d
	}
	return n
}

// digits counts those at the start of s.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

func (a Args) invalidType(name, expected string) error {
	return kerror.APIAssertInvalidType.New(a.prefix+name, expected)
}

// unquote reads a JSON text. Most texts hold no escape, and those are not parsed twice.
func unquote(raw jsontext.Value) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	inner := raw[1 : len(raw)-1]
	if !slices.Contains(inner, '\\') {
		return string(inner), true
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	return string(b), err == nil
}
