package mapping

import (
	"strings"
	"testing"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// The tables say what a real Elasticsearch 8.14 does with the same values. A want that begins with ! is a part of the refusal.
var valueTests = map[string][][2]string{
	`{"type":"completion","max_input_length":5}`: {
		{`"New York"`, "a=new\x1fy\x00\x00\x00\x00\x01New Y"},
		{`["New","YORK"]`, "a=new\x00\x00\x00\x00\x01New a=york\x00\x00\x00\x00\x01YORK"},
		{`{"input":["a","b"],"weight":258}`, "a=a\x00\x00\x00\x01\x02a a=b\x00\x00\x00\x01\x02b"},
		{`[{"input":"a","weight":"2147483647"}]`, "a=a\x00\x7f\xff\xff\xffa"},
		{`null`, ""},
		{`[]`, ""},
		{`["a",null]`, "!cannot hold null: expected a text, or an object with input and weight"},
		{`[["a"]]`, `!cannot hold ["a"]: expected a text, or an object with input and weight`},
		{`""`, ""},
		{`"42"`, ""}, // no letters
		{`{"weight":3}`, ""},
		{`{"input":[]}`, ""},
		{`{"input":"a","weight":-1}`, "!weight must be a whole number from 0 to 2147483647"},
		{`{"input":"a","weight":1.5}`, "!weight must be a whole number"},
		{`{"input":"a","weight":null}`, "!weight must be a whole number"},
		{`{"input":1}`, "!input must be a text or a list of texts"},
		{`{"input":"a","boost":1}`, `!unknown field name "boost"`},
		{`{"input":"a","contexts":{}}`, "!contexts are not supported yet"},
		{`5`, "!expected a text, or an object with input and weight"},
		{`"a\u001fb"`, "!0x1f, which is reserved"},
	},
	`{"type":"long"}`: {
		{`5`, "a=5"},
		{`"5"`, "a=5"},
		{`5.9`, "a=5"},
		{`"5.9"`, "a=5"},
		{`-5.9`, "a=-5"},
		{`5.0`, "a=5"},
		{`1e2`, "a=100"},
		{`"1e2"`, "a=100"},
		{`""`, ""},
		{`null`, ""},
		{`[]`, ""},
		{`[1,[2,"3"]]`, "a=1 a=2 a=3"},
		{`"+5"`, "a=5"},
		{`"5."`, "a=5"},
		{`".5"`, "a=0"},
		{`-0`, "a=0"},
		{`9223372036854775807`, "a=9223372036854775807"},
		{`"9223372036854775807"`, "a=9223372036854775807"},
		{`9007199254740993`, "a=9007199254740993"},
		{`"9007199254740993.7"`, "a=9007199254740993"},
		{`-9223372036854775808`, "a=-9223372036854775808"},
		{`9223372036854775807.5`, "a=9223372036854775807"},
		{`9223372036854775808`, "!out of range"},
		{`-9223372036854775809`, "!out of range"},
		{`9.3e18`, "!out of range"},
		{`1e400`, "!out of range"},
		{`1e999999999999`, "!out of range"},
		{`1e-999999999999`, "a=0"},
		{`0e999999999999`, "a=0"},
		{`" 5"`, "!not a number"},
		{`" "`, "!not a number"},
		{`"x"`, `!the field "a" of type long cannot hold "x": not a number`},
		{`true`, "!not a number"},
		{`{}`, "!an object"},
		{`{"x":1}`, "!an object"},
		{`[{"x":1}]`, "!an object"},
		{`"NaN"`, "!not a number"},
		{`"0x10"`, "!not a number"},
		{`"1d"`, "!not a number"},
		{`"1e"`, "!not a number"},
		{`"."`, "!not a number"},
		{`"` + strings.Repeat("y", 500) + `"`, `!"` + strings.Repeat("y", 79) + "…: not a number"},
	},
	`{"type":"long","coerce":false}`: {
		{`5`, "a=5"},
		{`5.0`, "a=5"},
		{`1e2`, "a=100"},
		{`9007199254740993`, "a=9007199254740993"},
		{`null`, ""},
		{`"5"`, "!found a text"},
		{`""`, "!found a text"},
		{`5.9`, "!fraction"},
		{`-5.9`, "!fraction"},
	},
	`{"type":"long","null_value":"7"}`: {{`null`, "a=7"}, {`[1,null]`, "a=1 a=7"}, {`""`, "a=7"}, {`[]`, ""}},
	`{"type":"long","ignore_malformed":true}`: {
		{`"x"`, ""}, {`true`, ""}, {`9223372036854775808`, ""}, {`[1,"x",3]`, "a=1 a=3"}, {`{}`, "!an object"}, {`[1,{"x":1}]`, "!an object"},
	},
	`{"type":"integer"}`: {
		{`2147483647`, "a=2147483647"},
		{`1e9`, "a=1000000000"},
		{`2147483648`, "!out of range"},
		{`2147483647.9`, "!out of range"},
		{`-2147483649`, "!out of range"},
		{`"2147483648"`, "!out of range"},
		{`1e10`, "!out of range"},
		{`-2147483648.9`, "!out of range"},
	},
	`{"type":"short"}`:               {{`32767`, "a=32767"}, {`32768`, "!out of range"}, {`-32768`, "a=-32768"}, {`-32769`, "!out of range"}},
	`{"type":"byte"}`:                {{`127`, "a=127"}, {`128`, "!out of range"}, {`127.9`, "a=127"}, {`-128.9`, "a=-128"}, {`"128"`, "!out of range"}},
	`{"type":"byte","coerce":false}`: {{`127.0`, "a=127"}, {`127.9`, "!fraction"}},
	`{"type":"scaled_float","scaling_factor":100}`: {
		{`1.234`, "a=1.23"},
		{`"1.235"`, "a=1.24"},
		{`-1.125`, "a=-1.12"},
		{`[0.005,-0.005,-0.001]`, "a=0.01 a=0 a=0"},
		{`1e300`, "a=9.223372036854776e+16"},
		{`1e400`, "!out of range"},
		{`"NaN"`, "!not a number"},
		{`""`, ""},
		{`null`, ""},
		{`{}`, "!an object"},
	},
	`{"type":"scaled_float","scaling_factor":0.1,"null_value":26}`: {{`null`, "a=30"}, {`14`, "a=10"}},
	`{"type":"scaled_float","scaling_factor":10,"coerce":false}`:   {{`"1"`, "!found a text"}, {`1`, "a=1"}},
	`{"type":"unsigned_long"}`: {
		{`18446744073709551615`, "a=18446744073709551615"},
		{`"9223372036854775808"`, "a=9223372036854775808"},
		{`[0,-0,1.0,2e3]`, "a=0 a=0 a=1 a=2000"},
		{`18446744073709551616`, "!out of range"},
		{`-1`, "!out of range"},
		{`1.5`, "!fraction"},
		{`"x"`, "!not a number"},
		{`""`, "!not a number"},
		{`true`, "!not a number"},
		{`null`, ""},
	},
	`{"type":"unsigned_long","null_value":"18446744073709551615","ignore_malformed":true}`: {{`[null,-3]`, "a=18446744073709551615"}},
	`{"type":"flattened"}`: {
		{`{"k":"v","o":{"p":[1,true,null,[1.50]]}}`, `a=v a._keyed="k\x00v" a=1 a._keyed="o.p\x001" a=true a._keyed="o.p\x00true" a=1.50 a._keyed="o.p\x001.50"`},
		{`[{"k":""},{}]`, `a= a._keyed="k\x00"`},
		{`null`, ""},
		{`"text"`, "!expected an object"},
		{`5`, "!expected an object"},
		{`{"k\u0000":1}`, "!zero byte"},
		{`{"k":"` + strings.Repeat("y", 32766) + `"}`, "!more than 32766 bytes"},
	},
	`{"type":"flattened","depth_limit":2,"ignore_above":3,"null_value":"no"}`: {
		{`{"o":{"p":"long","q":null}}`, `a=no a._keyed="o.q\x00no"`}, {`{"o":{"p":{"q":1}}}`, "!depth_limit"},
	},
	`{"type":"integer_range"}`: {
		{`{"gte":1,"lte":"5.9"}`, "a=1..5"},
		{`{"gt":1,"lt":3}`, "a=2..2"},
		{`{}`, "a=-2147483648..2147483647"},
		{`{"gte":null,"lt":0}`, "a=-2147483648..-1"},
		{`[{"gte":1,"lte":2},{"gte":7}]`, "a=1..2 a=7..2147483647"},
		{`null`, ""},
		{`{"gte":2147483648}`, "!out of range"},
		{`{"gt":4,"lt":5}`, "!ends before"},
		{`{"gte":5,"lte":1}`, "!ends before"},
		{`5`, "!expected an object"},
		{`"5"`, "!expected an object"},
		{`{"from":1}`, "!expected an object"},
		{`{"gte":{}}`, "!an object"},
		{`{"gte":"x"}`, "!not a number"},
	},
	`{"type":"long_range","coerce":false}`: {{`{"gte":"1"}`, "!found a text"}, {`{"gt":9223372036854775806}`, "a=9223372036854775807..9223372036854775807"}},
	`{"type":"double_range"}`:              {{`{"gt":0,"lte":1}`, "a=5e-324..1"}, {`{"lt":0}`, "a=-Inf..-5e-324"}, {`{"gte":-0.0,"lte":0}`, "a=0..0"}},
	`{"type":"float_range"}`:               {{`{"gte":0.1,"lt":0.25}`, "a=0.10000000149011612..0.2499999850988388"}, {`{"gte":1e39}`, "!out of range"}},
	`{"type":"date_range"}`: {
		{`{"gte":"2020-01-01","lt":"2020-01-01||+1d"}`, "a=1577836800000..1577923199999"}, {`{"gte":"now"}`, "!not a date"}, {`{"lte":"soon"}`, "!not a date"},
	},
	`{"type":"date_range","format":"dd/MM/yyyy"}`: {{`{"gte":"02/01/1970","lte":"02/01/1970"}`, "a=86400000..86400000"}, {`{"gte":"1970"}`, "!not a date"}},
	`{"type":"ip_range"}`: {
		{`"10.0.0.0/31"`, "a=10.0.0.0..10.0.0.1"},
		{`{"gt":"::","lt":"::3"}`, "a=::1..::2"},
		{`"10.0.0.1"`, "!not a network"},
		{`"10.0.0.0/33"`, "!not a network"},
		{`{"gte":"x"}`, "!not an IP"},
		{`5`, "!expected an object"},
	},
	`{"type":"double"}`: {
		{`5`, "a=5"},
		{`"5"`, "a=5"},
		{`5.9`, "a=5.9"},
		{`"1e2"`, "a=100"},
		{`" 5"`, "a=5"},
		{`""`, ""},
		{`"1d"`, "a=1"},
		{`".5"`, "a=0.5"},
		{`-0`, "a=0"},
		{`9007199254740993`, "a=9.007199254740992e+15"},
		{`1e-400`, "a=0"},
		{`1e400`, "!out of range"},
		{`"NaN"`, "!not a number"},
		{`"Infinity"`, "!not a number"},
		{`" "`, "!not a number"},
		{`"0x10"`, "!not a number"},
		{`"1_000"`, "!not a number"},
		{`true`, "!not a number"},
		{`{}`, "!an object"},
	},
	`{"type":"double","coerce":false}`: {{`5`, "a=5"}, {`"5"`, "!found a text"}},
	`{"type":"float"}`: {
		{`0.1`, "a=0.10000000149011612"},
		{`"0.1"`, "a=0.10000000149011612"},
		{`16777217`, "a=1.6777216e+07"},
		{`1e-50`, "a=0"},
		{`3.4028234663852886e38`, "a=3.4028234663852886e+38"},
		{`3.5e38`, "!out of range"},
		{`3.40282357e38`, "!out of range"},
	},
	`{"type":"half_float"}`: {
		{`65504`, "a=65504"},
		{`65505`, "a=65504"},
		{`65519`, "a=65504"},
		{`65520`, "!out of range"},
		{`0.1`, "a=0.0999755859375"},
		{`1e-9`, "a=0"},
		{`2049`, "a=2048"},
		{`2051`, "a=2052"},
		{`0.00006`, "a=6.002187728881836e-05"},
		{`-1`, "a=-1"},
	},
	`{"type":"boolean"}`: {
		{`true`, "a=1"},
		{`"true"`, "a=1"},
		{`"false"`, "a=0"},
		{`""`, "a=0"},
		{`[true,"false"]`, "a=1 a=0"},
		{`null`, ""},
		{`"TRUE"`, "!true or false"},
		{`1`, "!true or false"},
		{`{}`, "!an object"},
	},
	`{"type":"boolean","null_value":"true"}`: {{`null`, "a=1"}},
	`{"type":"keyword"}`: {
		{`1`, "a=1"},
		{`1.50`, "a=1.50"},
		{`1e3`, "a=1e3"},
		{`true`, "a=true"},
		{`"x\u00e9\n"`, "a=xé\n"},
		{`["a",1,null]`, "a=a a=1"},
		{`""`, "a="},
		{`123456789012345678901234567890`, "a=123456789012345678901234567890"},
		{`{}`, "!an object"},
		{`"` + strings.Repeat("x", 32767) + `"`, "!32766 bytes"},
	},
	`{"type":"keyword","ignore_above":2,"null_value":"zz"}`: {
		{`"ab"`, "a=ab"}, {`"abc"`, ""}, {`"é😀"`, ""}, {`"😀"`, "a=😀"}, {`"😀😀"`, ""}, {`"éé"`, "a=éé"}, {`null`, "a=zz"}, {`[null,"a"]`, "a=zz a=a"},
	},
	`{"type":"keyword","normalizer":"lowercase","null_value":"ZZ"}`: {
		{`"ÀB"`, "a=àb"}, {`"İ"`, "a=i"}, {`"ẞΣ"`, "a=ßσ"}, {`null`, "a=zz"}, {`"abc"`, "a=abc"},
	},
	`{"type":"text"}`: {{`5`, "a=5"}, {`true`, "a=true"}, {`["a",null,1.50]`, "a=a a=1.50"}, {`{}`, "!an object"}},
	`{"type":"date"}`: {
		{`"2020-01-01"`, "a=1577836800000"},
		{`"2020"`, "a=1577836800000"},
		{`2020`, "a=1577836800000"},
		{`20201`, "a=20201"},
		{`1577836800000`, "a=1577836800000"},
		{`1577836800000.5`, "a=1577836800000"},
		{`"1577836800000"`, "a=1577836800000"},
		{`"2020-01-01T10:00:00.123456789Z"`, "a=1577872800123"},
		{`"2020-01-01T10:00+02:00"`, "a=1577865600000"},
		{`-1`, "a=-1"},
		{`null`, ""},
		{`1.5778368E12`, "!not a date"},
		{`""`, "!not a date"},
		{`true`, "!not a date"},
		{`"x"`, "!not a date"},
		{`"now"`, "!not a date"},
		{`{}`, "!an object"},
		{`"2020-1-1"`, "!not a date"},
	},
	`{"type":"date","format":"yyyy","null_value":2001}`: {{`2020`, "a=1577836800000"}, {`null`, "a=978307200000"}, {`"2020-01"`, "!not a date"}, {`20201`, "!not a date"}},
	`{"type":"date","format":"epoch_second"}`:           {{`1577836800`, "a=1577836800000"}, {`1577836800.123456`, "a=1577836800123"}},
	`{"type":"date","ignore_malformed":true}`:           {{`"x"`, ""}, {`true`, ""}, {`{}`, "!an object"}},
	`{"type":"ip","null_value":"::1"}`: {
		{`"1.2.3.4"`, "a=00000000000000000000ffff01020304"},
		{`"::ffff:1.2.3.4"`, "a=00000000000000000000ffff01020304"},
		{`"fe80::1%eth0"`, "a=fe800000000000000000000000000001"},
		{`null`, "a=00000000000000000000000000000001"},
		{`"01.2.3.4"`, "!not an IP"},
		{`"1.2.3"`, "!not an IP"},
		{`""`, "!not an IP"},
		{`5`, "!not an IP"},
		{`"1.2.3.4/24"`, "!not an IP"},
		{`true`, "!not an IP"},
	},
	`{"type":"geo_point"}`: {
		{`{"lat":1,"lon":2}`, "a=1,2"},
		{`{"lat":"1","lon":"2"}`, "a=1,2"},
		{`"1,2"`, "a=1,2"},
		{`"1, 2"`, "a=1,2"},
		{`[2,1]`, "a=1,2"},
		{`[ 2, 1 ]`, "a=1,2"},
		{`[[2,1],[4,3]]`, "a=1,2 a=3,4"},
		{`"s000"`, "a=0,0"},
		{`"POINT (2 1)"`, "a=1,2"},
		{`{"type":"Point","coordinates":[2,1]}`, "a=1,2"},
		{`[2,1,5]`, "a=1,2"},
		{`["1,2","3,4"]`, "a=1,2 a=3,4"},
		{`[{"lat":1,"lon":2},"3,4",[6,5]]`, "a=1,2 a=3,4 a=5,6"},
		{`[]`, ""},
		{`null`, ""},
		{`[null]`, ""},
		{`[-2,1]`, "a=1,-2"},
		{`{"lat":91,"lon":0}`, "!not on earth"},
		{`{"lat":0,"lon":181}`, "!not on earth"},
		{`[2]`, "!not a point"},
		{`5`, "!not a point"},
		{`"x,y"`, "!not a point"},
		{`{"lat":1}`, "!not a point"},
		{`true`, "!not a point"},
		{`[2,1,5,6]`, "!not a point"},
		{`{"location":[1,2]}`, "!not a point"},
	},
	`{"type":"geo_point","null_value":[2,1],"ignore_malformed":true}`: {{`null`, "a=1,2"}, {`{}`, ""}, {`1`, ""}, {`[[2,1],"x!"]`, "a=1,2"}},
	`{"type":"object","properties":{"x":{"type":"long"}}}`: {
		{`{"x":1}`, "a.x=1"},
		{`null`, ""},
		{`[{"x":1},null,{"x":[2,3]}]`, "a.x=1 a.x=2 a.x=3"},
		{`[[{"x":1}]]`, "a.x=1"},
		{`[]`, ""},
		{`5`, "!expected an object"},
		{`[5]`, "!expected an object"},
		{`"s"`, "!expected an object"},
		{`{"x":{"y":1}}`, `!the field "a.x" of type long cannot hold {"y":1}`},
	},
	`{"type":"nested","properties":{"x":{"type":"long"}}}`: {
		{`{"x":1}`, "a.x@1=1"}, {`[{"x":1},null,{"x":2}]`, "a.x@1=1 a.x@2=2"}, {`{}`, ""}, {`5`, "!expected an object"},
	},
	`{"type":"object","enabled":false}`:                 {{`5`, ""}, {`{"x":[{"y":{}}]}`, ""}, {`"s"`, ""}},
	`{"type":"binary"}`:                                 {{`"U29t"`, ""}, {`"x y"`, ""}, {`5`, ""}, {`null`, ""}, {`[1]`, ""}, {`{}`, "!an object"}},
	`{"type":"alias","path":"b"}`:                       {{`5`, "!an alias"}, {`null`, "!an alias"}},
	`{"type":"keyword","fields":{"s":{"type":"long"}}}`: {{`"5"`, "a=5 a.s=5"}, {`"x"`, `!the field "a.s" of type long`}, {`{"s":1}`, "!an object"}},
	`{"type":"keyword","fields":{"s":{"type":"long","ignore_malformed":true,"null_value":7}}}`: {{`"x"`, "a=x"}, {`null`, "a.s=7"}},
	`{"type":"text","fields":{"k":{"type":"keyword","ignore_above":3},"b":{"type":"text"}}}`:   {{`["abc","abcd"]`, "a=abc a.b=abc a.k=abc a=abcd a.b=abcd"}},
}

func TestValues(t *testing.T) {
	for definition, cases := range valueTests {
		m := field(t, definition)
		for _, c := range cases {
			got, grown, err := show(m, `{"a":`+c[0]+`}`)
			if part, refusal := strings.CutPrefix(c[1], "!"); refusal {
				is(t, err, kerror.ServicesStorageUnexpectedBadRequest, part)
			} else if err != nil || got != c[1] || grown != nil {
				t.Errorf("%s %.80s: %q, %v; want %q", definition, c[0], got, err, c[1])
			}
		}
	}
}

func TestStructure(t *testing.T) {
	m := parse(t, `{"dynamic":false,"properties":{
		"k":{"type":"long","copy_to":["s","d"],"null_value":3},"s":{"type":"keyword","null_value":"n"},"d":{"type":"date"},
		"n":{"type":"nested","properties":{"x":{"type":"long","copy_to":["s","n.t"]},"t":{"type":"keyword"},
			"m":{"type":"nested","properties":{"y":{"type":"keyword","copy_to":["n.t","s"]}}}}},
		"o":{"properties":{"p.q":{"type":"long"},"off":{"type":"object","enabled":false}}},
		"z":{"type":"keyword","copy_to":"nowhere"}}}`)
	for _, c := range [][2]string{
		{`{}`, ""},
		{`{"k":5}`, "k=5 s=5 d=5"},
		{`{"k":null}`, "k=3 s=n"},
		{`{"n":[{"x":1},{"x":2,"m":[{"y":"a"},{"y":"b"}]}]}`, "n.x@1=1 s=1 n.t@1=1 n.x@2=2 s=2 n.t@2=2 n.m.y@3=a n.t@2=a s=a n.m.y@4=b n.t@2=b s=b"},
		{`{"n.x":3}`, "n.x@1=3 s=3 n.t@1=3"},
		{`{"o":{"p":{"q":1}}}`, "o.p.q=1"},
		{`{"o.p.q":1,"o":{"p.q":2}}`, "o.p.q=1 o.p.q=2"},
		{`{"o.p":{"q":1}}`, "o.p.q=1"},
		{`{"o.p.q.":1}`, "o.p.q=1"},
		{`{"o.off.x":{"y":1},"o":{"off":[1,"x"]}}`, ""},
		{`{"z":"v"}`, "z=v"},
		{`{"new":{"x":[1,{"y":"` + strings.Repeat("long ", 100) + `"}]},"new.y":1,"o":{"new":null}}`, ""},
		{`{"\u006b":"1","s":"\u0041"}`, "k=1 s=1 d=1 s=A"},
		{`{"_doc_count":2,"_foo":1,"o":{"_id":1}}`, ""},
		{`{"k.x":1}`, `!the field "k" of type long cannot hold an object`},
		{`{"":1}`, "!empty or blank"},
		{`{"a..b":1}`, "!empty or blank"},
		{`{".a":1}`, "!empty or blank"},
		{`{"o":{" ":1}}`, "!empty or blank"},
		{`{"_id":"x"}`, "!belongs to the storage"},
		{`[1]`, "!not a JSON object"},
		{`5`, "!not a JSON object"},
		{``, "!not a JSON object"},
		{`{"k":1`, "!not valid JSON"},
		{`{"k":1}{}`, "!something follows"},
		{`{"u":1,"u":2}`, "!not valid JSON"},
		{`{"n":[` + strings.Repeat(`{},`, 10_000) + `{}]}`, "!more than 10000 nested"},
		{`{"k":[` + strings.Repeat("1,", 400_000) + `1]}`, "!more than 1048576 values"},
		{`{"k":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`, "!more than 1000 levels"},
	} {
		got, _, err := show(m, c[0])
		if part, refusal := strings.CutPrefix(c[1], "!"); refusal {
			is(t, err, kerror.ServicesStorageUnexpectedBadRequest, part)
		} else if err != nil || got != c[1] {
			t.Errorf("%.200s: %q, %v; want %q", c[0], got, err, c[1])
		}
	}
}

func TestGroups(t *testing.T) {
	m := parse(t, `{"properties":{"n":{"type":"nested","properties":{"m":{"type":"nested"}}}}}`)
	var d Document
	if err := m.Fields([]byte(`{"n":[{"m":[{},{}]},{"m":{}}]}`), &d); err != nil {
		t.Fatal(err)
	}
	want := []Group{{0, ""}, {0, "n"}, {1, "n.m"}, {1, "n.m"}, {0, "n"}, {4, "n.m"}}
	if len(d.Groups) != len(want) {
		t.Fatalf("%v", d.Groups)
	}
	for i := range want {
		if d.Groups[i] != want[i] {
			t.Errorf("group %d is %v, want %v", i, d.Groups[i], want[i])
		}
	}
}

func TestAnIgnoredFieldCostsNoMemory(t *testing.T) {
	m := parse(t, `{"properties":{"k":{"type":"keyword"}}}`)
	doc := []byte(`{"k":"v","one":"text with \" in it","two":[1,2,{"x":null}],"three":{"deep":{"deeper":true}},"four\u0020":1.5}`)
	var d Document
	n := testing.AllocsPerRun(100, func() {
		if err := m.Fields(doc, &d); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
