package storagetest

import (
	"testing"

	"github.com/sluicehq/sluice/core/storage"
)

// testUpdate: what merging means.
func testUpdate(t *testing.T, open Open) {
	f := setUp(t, open)
	for _, c := range []struct{ name, old, partial, want string }{
		{"nothing", `{"a":1}`, `{}`, `{"a":1}`},
		{"into nothing", `{}`, `{"a":{"b":1}}`, `{"a":{"b":1}}`},
		{"new name", `{"a":1}`, `{"b":2}`, `{"a":1,"b":2}`},
		{"value", `{"a":1,"b":2}`, `{"a":"x"}`, `{"a":"x","b":2}`},
		{"deep", `{"a":{"b":{"c":1,"d":2}},"e":3}`, `{"a":{"b":{"c":4},"f":5}}`, `{"a":{"b":{"c":4,"d":2},"f":5},"e":3}`},
		{"null replaces", `{"a":{"b":1}}`, `{"a":null}`, `{"a":null}`},
		{"null deep", `{"a":{"b":1,"c":2}}`, `{"a":{"b":null}}`, `{"a":{"b":null,"c":2}}`},
		{"over null", `{"a":null}`, `{"a":{"b":1}}`, `{"a":{"b":1}}`},
		{"array replaces", `{"a":[1,2,3]}`, `{"a":[4]}`, `{"a":[4]}`},
		{"objects in arrays do not merge", `{"a":[{"b":1}]}`, `{"a":[{"c":2}]}`, `{"a":[{"c":2}]}`},
		{"object over value", `{"a":1}`, `{"a":{"b":null}}`, `{"a":{"b":null}}`},
		{"value over object", `{"a":{"b":1}}`, `{"a":1}`, `{"a":1}`},
		{"empty object keeps", `{"a":{"b":1}}`, `{"a":{}}`, `{"a":{"b":1}}`},
		{"dots are names", `{"a":{"b":1}}`, `{"a.b":2}`, `{"a":{"b":1},"a.b":2}`},
		{"escaped name", `{"\u0061":1,"b":{"\u00e9":1}}`, `{"a":2,"b":{"é":2}}`, `{"a":2,"b":{"é":2}}`},
		{
			"integers beyond 2^53", `{"a":9007199254740993,"o":{"b":-9223372036854775808}}`, `{"o":{"c":18446744073709551615}}`,
			`{"a":9007199254740993,"o":{"b":-9223372036854775808,"c":18446744073709551615}}`,
		},
		{"names of prototypes", `{"__proto__":{"a":1}}`, `{"__proto__":{"b":2},"constructor":3}`, `{"__proto__":{"a":1,"b":2},"constructor":3}`},
		{"white space", "{ \"a\" : { \"b\" : 1 } }\n", " {\t\"a\" : { \"c\" : 2 } } ", `{"a":{"b":1,"c":2}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := f.put(t, c.name, c.old)
			doc, err := f.Update(t.Context(), f.c, c.name, []byte(c.partial), storage.UpdateOptions{RetryOnConflict: 3})
			wantErr(t, "Update", err, nil)
			wantDocument(t, "Update", doc, c.name, before.Version+1, c.want)
			doc, err = f.Get(t.Context(), f.c, c.name)
			wantErr(t, "Get", err, nil)
			wantDocument(t, "Get", doc, c.name, before.Version+1, c.want)
		})
	}
}
