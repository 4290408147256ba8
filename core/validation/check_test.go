package validation_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
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
