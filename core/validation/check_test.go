package validation_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/validation"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// TestTypes holds single values to the field f. fits and not are JSON values, one a line.
func TestTypes(t *testing.T) {
	for name, c := range map[string]struct{ field, fits, not string }{
		"anything": {`"type":"anything"`, "1\n\"a\"\n{\"a\":[]}\ntrue\nnull", "[1]"},
		"boolean":  {`"type":"boolean"`, "true\nfalse\nnull", "1\n\"true\"\n{}\n[true]"},
		"integer":  {`"type":"integer"`, "0\n-0\n-7\n1.0\n10e-1\n1E3\n9007199254740993\n1e400\n0e-999999999999\n0.0e5\n1200e-2", "1.5\n\"1\"\n15e-1\n9007199254740993.5\ntrue\n1e-999999999999\n1.00000000000000000001\n1205e-2"},
		"integer range": {
			`"type":"integer","typeOptions":{"range":{"min":-2,"max":9007199254740992}}`,
			"-2\n0\n9007199254740992\n-2.0", "-3\n9007199254740993\n1e400\n-1e400",
		},
		"integer minimum": {`"type":"integer","typeOptions":{"range":{"min":1}}`, "1\n1e300", "0"},
		"numeric":         {`"type":"numeric"`, "0\n1.5\n-1e-7\n1e400", "\"1.5\"\nfalse\n{}"},
		"numeric range":   {`"type":"numeric","typeOptions":{"range":{"min":0.5,"max":1.5}}`, "0.5\n1\n1.5\n15e-1", "0.4999\n1.5000001\n-1"},
		"string":          {`"type":"string"`, "\"\"\n\"a\"\n\"\\u00e9\"", "1\nfalse\n{}\n[\"a\"]"},
		"string length": {
			`"type":"string","typeOptions":{"length":{"min":2,"max":3}}`,
			"\"ab\"\n\"abc\"\n\"äöü\"\n\"\\u00e9\\u00e9\\u00e9\"\n\"😀😀\"", "\"a\"\n\"\"\n\"abcd\"",
		},
		"enum":             {`"type":"enum","typeOptions":{"values":["a","b",""]}`, "\"a\"\n\"b\"\n\"\"\n\"\\u0061\"", "\"c\"\n\"A\"\n1\nfalse"},
		"date":             {`"type":"date"`, "0\n1795344591619\n\"1795344591619\"\n-5", "\"2020-01-01\"\ntrue\n{}\n\"\"\n1e3"},
		"date formats":     {`"type":"date","typeOptions":{"formats":["epoch_second","strict_date_optional_time","basic_date"]}`, "1\n\"2020-01-01\"\n\"2020-01-01T10:00:00Z\"\n\"20200101\"", "\"2020-13-01\"\n\"01.01.2020\"\n[1]"},
		"date pattern":     {`"type":"date","typeOptions":{"formats":["dd/MM/yyyy"]}`, "\"31/12/2020\"", "\"12/31/2020\"\n5"},
		"date range":       {`"type":"date","typeOptions":{"range":{"min":"2020-01-01","max":"NOW"}}`, "1577836800000\n1780315200000", "1577836799999\n1780315200001"},
		"date since a day": {`"type":"date","typeOptions":{"range":{"min":1000}}`, "1000\n99999999999999", "999"},
		"email": {
			`"type":"email"`,
			"\"ann@example.org\"\n\"\"\n\"a.b+c@sub.example.co\"\n\"ü@exämple.org\"",
			"\"ann\"\n\"ann@\"\n\"@example.org\"\n\"Ann <ann@example.org>\"\n\"ann@localhost\"\n\"a@b@c.de\"\n\"ann@exa mple.org\"\n\"ann@example..org\"\n\"ann@-example.org\"\n1\n\"ann@example.org, bob@example.org\"\n\"" + strings.Repeat("a", 65) + "@example.org\"\n\"a@" + strings.Repeat("a.", 130) + "org\"",
		},
		"email not empty":      {`"type":"email","typeOptions":{"notEmpty":true}`, "\"ann@example.org\"", "\"\""},
		"ip_address":           {`"type":"ip_address"`, "\"127.0.0.1\"\n\"::1\"\n\"\"\n\"::ffff:1.2.3.4\"", "\"127.0.0\"\n\"256.0.0.1\"\n\"fe80::1%eth0\"\n1\n\"localhost\"\n\"10.0.0.0/8\""},
		"ip_address not empty": {`"type":"ip_address","typeOptions":{"notEmpty":true}`, "\"10.0.0.1\"", "\"\""},
		"url": {
			`"type":"url"`,
			"\"https://example.org/a?b=c#d\"\n\"example.org\"\n\"\"\n\"ftp://user:pw@files.example.org:21/x\"\n\"http://127.0.0.1:8080\"\n\"http://[::1]/\"",
			"\"http://\"\n\"foo\"\n\"javascript://example.org/%0aalert(1)\"\n\"mailto:a@b.org\"\n\"http://a b.org\"\n\"http://example.123\"\n7\n\"http://exa<mple.org\"\n\"http://" + strings.Repeat("a", 2083) + ".org\"",
		},
		"url not empty": {`"type":"url","typeOptions":{"notEmpty":true}`, "\"http://example.org\"", "\"\""},
		"geo_point": {
			`"type":"geo_point"`,
			"{\"lat\":1,\"lon\":2}\n[1,2]\n\"1, 2\"\n\"u09tvw0\"\n{\"latLon\":[1,2]}\n{\"lat\":\"1.5\",\"lon\":\"2\"}",
			"{\"lat\":1}\n[1]\n[91,0]\n\"somewhere\"\n7\n{\"lat\":0,\"lon\":181}\n[[[[1]]]]\n[1,2,3]",
		},
		"geo_shape": {
			`"type":"geo_shape"`,
			`{"type":"point","coordinates":[100,45]}
			{"type":"Point","coordinates":[100,45,300]}
			{"type":"multipoint","coordinates":[[1,2],[3,4]]}
			{"type":"linestring","coordinates":[[1,2],[3,4]]}
			{"type":"multilinestring","coordinates":[[[1,2],[3,4]],[[5,6],[7,8]]]}
			{"type":"polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}
			{"type":"polygon","orientation":"cw","coordinates":[[[0,0],[9,0],[9,9],[0,0]],[[2,1],[3,1],[3,2],[2,1]]]}
			{"type":"multipolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]]]}
			{"type":"geometrycollection","geometries":[{"type":"point","coordinates":[1,2]}]}
			{"type":"geometrycollection","geometries":[]}
			{"type":"envelope","coordinates":[[1,9],[2,3]]}
			{"type":"circle","coordinates":[1,2],"radius":"10km"}
			{"type":"circle","coordinates":[1,2],"radius":5}`,
			`{"type":"point"}
			{"type":"point","coordinates":[1]}
			{"type":"point","coordinates":[181,0]}
			{"type":"point","coordinates":[0,91]}
			{"type":"point","coordinates":["1","2"]}
			{"type":"point","coordinates":[1,null]}
			{"type":"point","coordinates":null}
			{"type":"multipoint","coordinates":[]}
			{"type":"linestring","coordinates":[[1,2]]}
			{"type":"polygon","coordinates":[]}
			{"type":"polygon","coordinates":[[[0,0],[1,0],[0,0]]]}
			{"type":"polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}
			{"type":"envelope","coordinates":[[1,3],[2,9]]}
			{"type":"envelope","coordinates":[[1,3]]}
			{"type":"circle","coordinates":[1,2]}
			{"type":"circle","coordinates":[1,2],"radius":"far"}
			{"type":"circle","coordinates":[1,2],"radius":-1}
			{"type":"geometrycollection"}
			{"type":"geometrycollection","geometries":[{"type":"point"}]}
			{"type":"geometrycollection","geometries":[{}]}
			{"type":"blob","coordinates":[1,2]}
			{"coordinates":[1,2]}
			{"type":5}
			"POINT (1 2)"
			[1,2]
			` + strings.Repeat(`{"type":"geometrycollection","geometries":[`, 20) + strings.Repeat(`]}`, 20),
		},
		"geo_shape of a type": {`"type":"geo_shape","typeOptions":{"shapeTypes":["circle"]}`, `{"type":"circle","coordinates":[1,2],"radius":"1m"}`, `{"type":"point","coordinates":[1,2]}`},
		"object":              {`"type":"object"`, "{}\n{\"a\":1}", "1\n\"{}\"\n[{}]"},
		"strict object":       {`"type":"object","typeOptions":{"strict":true}`, "{}", "{\"a\":1}"},
		"mandatory":           {`"type":"integer","mandatory":true`, "1", "null"},
		"mandatory default":   {`"type":"integer","mandatory":true,"defaultValue":0`, "1\nnull", "\"a\""},
		"several":             {`"type":"integer","multivalued":{"value":true}`, "[]\n[1]\n[1,2]\nnull", "1\n[1,\"a\"]\n[null]\n{}"},
		"two or three":        {`"type":"integer","multivalued":{"value":true,"minCount":2,"maxCount":3}`, "[1,2]\n[1,2,3]", "[]\n[1]\n[1,2,3,4]"},
		"not several":         {`"type":"integer","multivalued":{"value":false}`, "1", "[1]"},
		"several points":      {`"type":"geo_point","multivalued":{"value":true}`, "[[1,2],\"3,4\"]\n[]", "[1,2]\n\"3,4\""},
		"several objects":     {`"type":"object","multivalued":{"value":true}`, "[{},{\"a\":1}]", "{}\n[1]"},
	} {
		spec := parse(t, `{"fields":{"f":{`+c.field+`}}}`)
		for value := range strings.SplitSeq(c.fits, "\n") {
			if o := spec.Validate("", jsontext.Value(`{"f":`+value+`}`)); !o.Valid() || o.Err() != nil {
				t.Errorf("%s: %s is refused: %s", name, value, messages(t, o))
			}
		}
		for value := range strings.SplitSeq(c.not, "\n") {
			if o := spec.Validate("", jsontext.Value(`{"f":`+value+`}`)); o.Valid() || o.Err() == nil {
				t.Errorf("%s: %s fits", name, value)
			}
		}
	}
}

// TestMessages holds whole documents to one specification. want is what clients are told.
func TestMessages(t *testing.T) {
	spec := parse(t, `{"strict":true,"fields":{
		"title":{"type":"string","mandatory":true},
		"author":{"type":"object"},"author/name":{"type":"string","mandatory":true},"author/born":{"type":"object"},"author/born/year":{"type":"integer"},
		"notes":{"type":"object","typeOptions":{"strict":false}},"notes/n":{"type":"integer"},
		"free":{"type":"object"},
		"copies":{"type":"object","multivalued":{"value":true,"maxCount":2}},"copies/shelf":{"type":"integer","mandatory":true}},
		"validators":[{"not":{"equals":{"title":"Untitled"}}},{"or":[{"missing":"author.name"},{"ids":{"values":["a","b"]}}]}]}`)
	for _, c := range []struct{ id, document, want, err string }{
		{"", `{"title":"t"}`, `{}`, ""},
		{"", `{"title":"t","_kuzzle_info":{"author":"x"},"free":{"a":{"b":1}},"notes":{"n":1,"m":2}}`, `{}`, ""},
		{"a", `{"title":"t","author":{"name":"n","born":{"year":1}},"copies":[{"shelf":1},{"shelf":2}]}`, `{}`, ""},
		{"c", `{"title":"t","author":{"name":"n"}}`, `{"documentScope":["the document does not match the filter 1 of the validators"]}`, "validation.check.failed_document"},
		{"", `{"title":"Untitled"}`, `{"documentScope":["the document does not match the filter 0 of the validators"]}`, "validation.check.failed_document"},
		{"", `{}`, `{"fieldScope":{"children":{"title":{"messages":["is mandatory"]}}}}`, "validation.check.failed_field title"},
		{"", `{"title":null}`, `{"fieldScope":{"children":{"title":{"messages":["is mandatory"]}}}}`, "validation.check.failed_field title"},
		{"", `{"title":"t","x":1,"y":2}`, `{"documentScope":["must not have the field \"x\", which is not declared","must not have the field \"y\", which is not declared"]}`, "validation.check.failed_document"},
		{"", `{"title":"t","author":{"born":{"year":"x","month":1},"_kuzzle_info":1}}`, `{"fieldScope":{"children":{"author":{"children":{"born":{"children":{"year":{"messages":["must be an integer"]}},"messages":["must not have the field \"month\", which is not declared"]},"name":{"messages":["is mandatory"]}},"messages":["must not have the field \"_kuzzle_info\", which is not declared"]}}}}`, "validation.check.failed_field author.born.year"},
		{"", `{"title":"t","author":[{"name":"n"}]}`, `{"fieldScope":{"children":{"author":{"messages":["must hold one value, not an array"]}}}}`, "validation.check.failed_field author"},
		{"", `{"title":"t","notes":{"n":"x"}}`, `{"fieldScope":{"children":{"notes":{"children":{"n":{"messages":["must be an integer"]}}}}}}`, "validation.check.failed_field notes.n"},
		{"", `{"title":"t","copies":[{"shelf":1},{},{"shelf":"x"}]}`, `{"fieldScope":{"children":{"copies":{"children":{"shelf":{"messages":["is mandatory"]}},"messages":["must hold at most 2 values"]}}}}`, "validation.check.failed_field copies.shelf"},
		{"", `{"title":"t","copies":[{"shelf":1},5]}`, `{"fieldScope":{"children":{"copies":{"messages":["value 1 must be an object"]}}}}`, "validation.check.failed_field copies"},
		{"", `[]`, `{"documentScope":["must be an object that can be read","the document cannot be read: a document must be an object"]}`, "validation.check.failed_document"},
		{"", `{"title":"t","title":"u"}`, "*", "validation.check.failed_document"},
		{"", `{"title":"\ud800"}`, "*", "validation.check.failed_document"},
		{"", `{"title":`, "*", "validation.check.failed_document"},
		{"", `{"title":"t","free":` + strings.Repeat(`{"a":`, 2000) + "1" + strings.Repeat("}", 2000) + `}`, "*", "validation.check.failed_document"},
	} {
		o := spec.Validate(c.id, jsontext.Value(c.document))
		if got := messages(t, o); got != c.want && c.want != "*" {
			t.Errorf("%s:\n got %s\nwant %s", shorten(c.document), got, c.want)
		}
		if got := errorText(o.Err()); got != c.err {
			t.Errorf("%s: %s, want %s", shorten(c.document), got, c.err)
		}
	}
}

// errorText is the id of an error of a field or a document, and of which field.
func errorText(err error) string {
	var e *kerror.Error
	if !errors.As(err, &e) {
		return ""
	}
	if e.ID == kerror.ValidationCheckFailedField.ID {
		return e.ID + " " + e.Props[0]
	}
	return e.ID
}

func shorten(s string) string { return s[:min(len(s), 200)] }

// TestStrictnessIsInherited declares one field a level, and puts another beside it.
func TestStrictnessIsInherited(t *testing.T) {
	for _, c := range []struct{ root, a, b, refused string }{
		{`false`, `{}`, `{}`, ""},
		{`true`, `{}`, `{}`, "root a b"},
		{`true`, `{"strict":false}`, `{}`, "root"},
		{`true`, `{"strict":false}`, `{"strict":true}`, "root b"},
		{`false`, `{"strict":true}`, `{}`, "a b"},
		{`false`, `{"strict":true}`, `{"strict":false}`, "a"},
		{`null`, `{}`, `{"strict":true}`, "b"},
	} {
		spec := parse(t, `{"strict":`+c.root+`,"fields":{"a":{"type":"object","typeOptions":`+c.a+`},"a/b":{"type":"object","typeOptions":`+c.b+`},"a/b/c":{"type":"integer"}}}`)
		for name, document := range map[string]string{"root": `{"x":1}`, "a": `{"a":{"x":1}}`, "b": `{"a":{"b":{"x":1}}}`} {
			if refused := !spec.Validate("", jsontext.Value(document)).Valid(); refused != slices.Contains(strings.Fields(c.refused), name) {
				t.Errorf("%+v: %s refused is %v", c, name, refused)
			}
		}
	}
}

func TestFailuresAreBounded(t *testing.T) {
	var members []string
	for i := range 5000 {
		members = append(members, fmt.Sprintf(`"%d%s":1`, i, strings.Repeat("x", 300)))
	}
	wide := `{` + strings.Join(members, ",") + `}`
	if o := parse(t, `{"strict":true}`).Validate("", jsontext.Value(wide)); len(o.Document) != 100 || len(messages(t, o)) > 20_000 {
		t.Error(len(o.Document), len(messages(t, o)))
	}
	nested := `{"o":` + wide + `}`
	if o := parse(t, `{"fields":{"o":{"type":"object","typeOptions":{"strict":true}}}}`).Validate("", jsontext.Value(nested)); len(o.Fields) != 100 {
		t.Error(len(o.Fields))
	}
	long := `{"o":[` + strings.TrimSuffix(strings.Repeat(`"x",`, 100_000), ",") + `]}`
	if o := parse(t, `{"fields":{"o":{"type":"integer","multivalued":{"value":true}}}}`).Validate("", jsontext.Value(long)); len(o.Fields) != 1 {
		t.Error(o.Fields)
	}
}

// TestExpressionsTakeTimeByTheText has an expression that backtracking would take years for.
func TestExpressionsTakeTimeByTheText(t *testing.T) {
	spec := parse(t, `{"validators":[{"regexp":{"a":"^(a+)+$"}}]}`)
	start := time.Now()
	if spec.Validate("", jsontext.Value(`{"a":"`+strings.Repeat("a", 100_000)+`!"}`)).Valid() {
		t.Error("matched")
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Error(took)
	}
}

func TestNoSpecificationAsksForNothing(t *testing.T) {
	var spec *validation.Specification
	if o := spec.Validate("", jsontext.Value(`{`)); !o.Valid() {
		t.Error(o)
	}
	document := jsontext.Value(`{"a":1}`)
	if got, err := spec.Admit("", document); string(got) != string(document) || err != nil {
		t.Error(string(got), err)
	}
	if got, err := spec.AdmitUpdate("", jsontext.Value(`{}`), document); string(got) != string(document) || err != nil {
		t.Error(string(got), err)
	}
}
