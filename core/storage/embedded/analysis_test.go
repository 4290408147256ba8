package embedded

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// TestAnalysisIsKept: what settings define is there when the engine is opened again, stays while a field uses it, and new
// definitions count for what is written and asked from then on.
func TestAnalysisIsKept(t *testing.T) {
	c := storage.Collection{Scope: storage.Public, Index: "i", Name: "c"}
	settings := func(filter string) []byte {
		return []byte(`{"analysis":{"normalizer":{"mine":{"filter":["` + filter + `"]}}}}`)
	}
	fs, ctx := vfs.NewMem(), context.Background()
	e := opened(t, "data", fs)
	must(t, e.Ensure(ctx, c, storage.Spec{Settings: settings("uppercase"), Mapping: []byte(`{"properties":{"k":{"type":"keyword","normalizer":"mine"}}}`)}))
	_, err := e.Create(ctx, c, "1", []byte(`{"k":"é"}`), storage.WriteOptions{})
	must(t, err)
	must(t, e.Close())
	e = opened(t, "data", fs)
	_, err = e.Create(ctx, c, "2", []byte(`{"k":"É"}`), storage.WriteOptions{})
	must(t, err)
	count := func(want int) {
		t.Helper()
		if n, err := e.Count(ctx, []storage.Collection{c}, jsontext.Value(`{"term":{"k":"é"}}`)); err != nil || n != want {
			t.Errorf("found %d, %v; want %d", n, err, want)
		}
	}
	count(2)
	if err := e.Ensure(ctx, c, storage.Spec{Settings: []byte(`{}`)}); !errors.Is(err, kerror.ServicesStorageInvalidMappingArgument) {
		t.Errorf("a normalizer in use was taken away: %v", err)
	}
	count(2)
	must(t, e.Ensure(ctx, c, storage.Spec{Settings: settings("asciifolding")}))
	count(0)
	_, err = e.Create(ctx, c, "3", []byte(`{"k":"e"}`), storage.WriteOptions{})
	must(t, err)
	count(1)
}

// TestTooMuchAnalysis: what analyzers would make too much of is refused, in documents and in searches, and what they have come to make
// too much of does not keep the engine from opening.
func TestTooMuchAnalysis(t *testing.T) {
	c := storage.Collection{Scope: storage.Public, Index: "i", Name: "c"}
	settings := func(with string) []byte {
		return []byte(`{"analysis":{"char_filter":{"c":{"type":"mapping","mappings":["a => ` + with + `"]}},"normalizer":{"n":{"char_filter":["c","c","c"]}},
			"analyzer":{"mine":{"tokenizer":"standard","char_filter":["c","c","c"]}}}}`)
	}
	fs, ctx := vfs.NewMem(), context.Background()
	e := opened(t, "data", fs)
	fields := `{"properties":{"t":{"type":"text","analyzer":"mine"},"k":{"type":"keyword","normalizer":"n"},"one":{"type":"text","copy_to":["copies.f0"` +
		copies(`,"copies.f%d"`) + `]},"copies":{"properties":{"f0":{"type":"text"}` + copies(`,"f%d":{"type":"text"}`) + `}}}}`
	must(t, e.Ensure(ctx, c, storage.Spec{Settings: settings("b"), Mapping: []byte(fields)}))
	const kept = `{"t":"aaaaaaaaaa","k":"aaaaaaaaaa"}`
	_, err := e.Create(ctx, c, "kept", []byte(kept), storage.WriteOptions{})
	must(t, err)
	must(t, e.Ensure(ctx, c, storage.Spec{Settings: settings(strings.Repeat("a", 1000))}))

	refused := kerror.ServicesStorageUnexpectedBadRequest
	for name, doc := range map[string]string{
		"text": `{"t":"aaaaaaaaaa"}`, "keyword": `{"k":"aaaaaaaaaa"}`, "copies": `{"one":"` + strings.Repeat("abc def ghi ", 40_000) + `"}`,
		"copies with escapes": `{"one":"` + strings.Repeat(`abc\tdef\nghi `, 40_000) + `"}`,
	} {
		if _, err := e.Create(ctx, c, name, []byte(doc), storage.WriteOptions{}); !errors.Is(err, refused) {
			t.Errorf("a document with too much for the %s: %v", name, err)
		}
	}
	for _, q := range []string{
		`{"match":{"t":"aaaaaaaaaa"}}`, `{"match":{"t":{"query":"aaaaaaaaaa","lenient":true}}}`, `{"term":{"k":"aaaaaaaaaa"}}`, `{"terms":{"k":["aaaaaaaaaa"]}}`,
		`{"prefix":{"k":"aaaaaaaaaa"}}`, `{"range":{"k":{"gte":"aaaaaaaaaa"}}}`, `{"query_string":{"query":"t:aaaaaaaaaa*"}}`,
		`{"bool":{"must_not":{"multi_match":{"fields":["t","k"],"query":"aaaaaaaaaa","lenient":true}}}}`,
	} {
		if _, err := e.Count(ctx, []storage.Collection{c}, jsontext.Value(q)); !errors.Is(err, refused) {
			t.Errorf("%s: %v", q, err)
		}
	}

	must(t, e.Close())
	e = opened(t, "data", fs)
	if doc, err := e.Get(ctx, c, "kept"); err != nil || string(doc.Source) != kept {
		t.Errorf("the document that was there is %s, %v", doc.Source, err)
	}
	_, err = e.Create(ctx, c, "another", []byte(`{"t":"x"}`), storage.WriteOptions{})
	must(t, err)
}

// copies writes a text for the numbers of hundreds of fields.
func copies(format string) string {
	var list strings.Builder
	for i := 1; i < 900; i++ {
		fmt.Fprintf(&list, format, i)
	}
	return list.String()
}
