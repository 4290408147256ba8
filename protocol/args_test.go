package protocol

import (
	"errors"
	"fmt"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// fromURL makes arguments as a URL gives them, fromJSON as an envelope does.
func fromURL(values ...string) Args {
	a := TextArgs()
	a.AddText("x", values...)
	return a
}

func fromJSON(t *testing.T, value string) Args {
	t.Helper()
	a, err := ParseArgs(jsontext.Value(`{"x":`+value+`}`), "")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestGetters(t *testing.T) {
	str := func(a Args) (any, error) { return a.String("x") }
	optStr := func(a Args) (any, error) { return a.OptString("x", "absent") }
	flag := func(a Args) (any, error) { return a.Bool("x") }
	number := func(a Args) (any, error) { return a.OptInt("x", -7) }
	list := func(a Args) (any, error) { return a.Strings("x") }
	object := func(a Args) (any, error) { v, err := a.Object("x"); return string(v), err }
	optObject := func(a Args) (any, error) { v, err := a.OptObject("x"); return string(v), err }
	none := Args{}
	missing, wrong := kerror.APIAssertMissingArgument, kerror.APIAssertInvalidType
	for i, c := range []struct {
		get  func(Args) (any, error)
		args Args
		want any
	}{
		{str, none, missing},
		{str, fromJSON(t, `null`), missing},
		{str, fromJSON(t, `5`), wrong},
		{str, fromJSON(t, `""`), ""},
		{str, fromJSON(t, `"a\u00e9\\"`), `aé\`},
		{str, fromURL("5"), "5"},
		{str, fromURL("a", "b"), wrong},
		{str, fromURL(""), ""},
		{optStr, none, "absent"},
		{optStr, fromJSON(t, `null`), "absent"},
		{optStr, fromJSON(t, `[]`), wrong},
		{optStr, fromJSON(t, `"a"`), "a"},

		{flag, none, false},
		{flag, fromJSON(t, `null`), false},
		{flag, fromJSON(t, `true`), true},
		{flag, fromJSON(t, `false`), false},
		{flag, fromJSON(t, `"true"`), wrong},
		{flag, fromJSON(t, `1`), wrong},
		{flag, TextArgs(), false},
		{flag, fromURL(""), true},
		{flag, fromURL("false"), true},
		{flag, fromURL("a", "b"), true},

		{number, none, int64(-7)},
		{number, fromJSON(t, `5`), int64(5)},
		{number, fromJSON(t, `5.0`), int64(5)},
		{number, fromJSON(t, `5.5`), wrong},
		{number, fromJSON(t, `1e3`), int64(1000)},
		{number, fromJSON(t, `9007199254740991`), int64(9007199254740991)},
		{number, fromJSON(t, `9007199254740992`), wrong},
		{number, fromJSON(t, `1e400`), wrong},
		{number, fromJSON(t, `true`), wrong},
		{number, fromJSON(t, `"5"`), int64(5)},
		{number, fromJSON(t, `"5x"`), wrong},
		{number, fromJSON(t, `"0x10"`), wrong},
		{number, fromJSON(t, `"Inf"`), wrong},
		{number, fromJSON(t, `"NaN"`), wrong},
		{number, fromJSON(t, `""`), wrong},
		{number, fromURL("12abc"), int64(12)},
		{number, fromURL("-3"), int64(-3)},
		{number, fromURL(" 3"), int64(3)},
		{number, fromURL("1.0"), int64(1)},
		{number, fromURL("1.5"), wrong},
		{number, fromURL("1e3"), int64(1000)},
		{number, fromURL("1e"), int64(1)},
		{number, fromURL("1e+"), int64(1)},
		{number, fromURL("1.0.5"), int64(1)},
		{number, fromURL("5."), int64(5)},
		{number, fromURL("abc"), wrong},
		{number, fromURL("-"), wrong},
		{number, fromURL("."), wrong},
		{number, fromURL("Infinity"), wrong},
		{number, fromURL("0x10"), int64(0)},
		{number, fromURL("1", "2"), wrong},
		{number, fromURL(""), wrong},

		{list, none, missing},
		{list, fromJSON(t, `["a","b"]`), []string{"a", "b"}},
		{list, fromJSON(t, `[]`), []string{}},
		{list, fromJSON(t, `"a,b"`), wrong},
		{list, fromJSON(t, `["a",5]`), wrong},
		{list, fromJSON(t, `["a",null]`), wrong},
		{list, fromJSON(t, `{}`), wrong},
		{list, fromURL("a,b"), []string{"a", "b"}},
		{list, fromURL(`["a,b","c"]`), []string{"a,b", "c"}},
		{list, fromURL("a", "b"), []string{"a", "b"}},
		{list, fromURL(`["a"`), wrong},
		{list, fromURL("a"), []string{"a"}},

		{object, none, missing},
		{object, fromJSON(t, `{"a": 1}`), `{"a": 1}`},
		{object, fromJSON(t, `[]`), wrong},
		{object, fromJSON(t, `"{}"`), wrong},
		{object, fromURL(`{"a":1}`), `{"a":1}`},
		{object, fromURL(`[]`), wrong},
		{object, fromURL(`{"a"`), wrong},
		{object, fromURL(`{"a":1,"a":1}`), wrong},
		{optObject, none, ""},
		{optObject, fromJSON(t, `null`), ""},
		{optObject, fromJSON(t, `{}`), "{}"},
		{optObject, fromURL(`5`), wrong},
	} {
		got, err := c.get(c.args)
		if def, ok := c.want.(*kerror.Def); ok {
			var ke *kerror.Error
			if !errors.As(err, &ke) || ke.ID != def.ID || ke.Props[0] != "x" {
				t.Errorf("%d, %s: %v %v, want %s", i, c.args.JSON(), got, err, def.ID)
			}
			continue
		}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%d, %s: %v %v, want %v", i, c.args.JSON(), got, err, c.want)
		}
	}
}

func TestArgs(t *testing.T) {
	var a Args
	a.Set("a", jsontext.Value(`1`))
	a.Set("b", jsontext.Value(`null`))
	a.Set("a", jsontext.Value(`{"c":"d"}`))
	if got := string(a.JSON()); got != `{"a":{"c":"d"},"b":null}` {
		t.Error(got)
	}
	if !a.Has("b") || a.Raw("b") != nil || a.Has("c") {
		t.Error("null is there, and is nothing")
	}
	fields, err := a.Fields("a")
	if err != nil {
		t.Fatal(err)
	}
	var ke *kerror.Error
	if _, err := fields.String("e"); !errors.As(err, &ke) || ke.Props[0] != "a.e" {
		t.Error(err)
	}
	a.Remove("a")
	a.Remove("nothing")
	if got := string(a.JSON()); got != `{"b":null}` {
		t.Error(got)
	}
	if got := string(fromURL("\xff\"").JSON()); got != `{"x":"`+"\ufffd"+`\""}` {
		t.Error(got)
	}
	if got := string(fromURL("\xff", "a").JSON()); got != `{"x":["`+"\ufffd"+`","a"]}` {
		t.Error(got)
	}
}
