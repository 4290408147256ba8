package segment

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/mapping"
)

const benchMapping = `{
	"name":{"type":"keyword"}, "status":{"type":"keyword"}, "city":{"type":"keyword"}, "tags":{"type":"keyword"},
	"title":{"type":"text"}, "body":{"type":"text"},
	"age":{"type":"integer"}, "views":{"type":"long"}, "price":{"type":"double"}, "created":{"type":"date"},
	"active":{"type":"boolean"}, "place":{"type":"geo_point"}
}`

// benchDocument is about 400 bytes of JSON with 12 fields.
func benchDocument(r *rand.Rand, words []string) string {
	text := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = words[min(r.IntN(len(words)), r.IntN(len(words)), r.IntN(len(words)))]
		}
		return strings.Join(list, " ")
	}
	return fmt.Sprintf(`{"name":"user-%08x","status":"status%d","city":"city%d","tags":["tag%d","tag%d"],"title":%q,"body":%q,`+
		`"age":%d,"views":%d,"price":%.2f,"created":%d,"active":%v,"place":{"lat":%.5f,"lon":%.5f}}`,
		r.Uint32(), r.IntN(5), r.IntN(500), r.IntN(50), r.IntN(50), text(5), text(20), r.IntN(100), r.IntN(1<<20), r.Float64()*1000,
		1_700_000_000_000+r.Int64N(1e11), r.IntN(2) == 0, r.Float64()*180-90, r.Float64()*360-180)
}

type benchInput struct {
	mapping *mapping.Mapping
	docs    []mapping.Document
}

func benchDocuments(b testing.TB, n int) *benchInput {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 20_000)
	for i := range words {
		words[i] = fmt.Sprintf("w%s%x", strings.Repeat("o", r.IntN(4)), i)
	}
	in := &benchInput{mapping: parse(b, benchMapping), docs: make([]mapping.Document, n)}
	for i := range in.docs {
		if err := in.mapping.Fields(jsontext.Value(benchDocument(r, words)), &in.docs[i]); err != nil {
			b.Fatal(err)
		}
	}
	return in
}

func (in *benchInput) memory(b testing.TB, first, n int) *Memory {
	b.Helper()
	m := NewMemory()
	var e Entry
	for i := range n {
		if err := e.Read(&in.docs[i%len(in.docs)]); err != nil {
			b.Fatal(err)
		}
		m.Add(&e, fmt.Sprintf("%020d", first+i), uint64(first+i))
	}
	return m
}

func BenchmarkRead(b *testing.B) {
	in := benchDocuments(b, 1000)
	var e Entry
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := e.Read(&in.docs[i%len(in.docs)]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAdd analyses and adds documents, to a new segment after 25,000.
func BenchmarkAdd(b *testing.B) {
	in := benchDocuments(b, 25_000)
	var e Entry
	var m *Memory
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%25_000 == 0 {
			m = NewMemory()
		}
		if err := e.Read(&in.docs[i%25_000]); err != nil {
			b.Fatal(err)
		}
		m.Add(&e, "an id of some length", uint64(i))
	}
}

func BenchmarkWrite25k(b *testing.B) {
	m := benchDocuments(b, 25_000).memory(b, 1, 25_000)
	dir := b.TempDir()
	b.ReportAllocs()
	for b.Loop() {
		if err := Write(vfs.Default, dir+"/s", View{Segment: m, Live: Full(m.Len()), Lock: m.RLocker()}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMerge4x25k(b *testing.B) {
	in := benchDocuments(b, 25_000)
	dir := b.TempDir()
	var views []View
	for i := range 4 {
		m := in.memory(b, 1+i*25_000, 25_000)
		path := fmt.Sprintf("%s/%d", dir, i)
		if err := Write(vfs.Default, path, View{Segment: m, Live: Full(m.Len())}); err != nil {
			b.Fatal(err)
		}
		f := opening(b, vfs.Default, path)
		views = append(views, View{Segment: f, Live: f.Live()})
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := Merge(b.Context(), vfs.Default, dir+"/merged", views); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	m := benchDocuments(b, 25_000).memory(b, 1, 25_000)
	path := b.TempDir() + "/s"
	if err := Write(vfs.Default, path, View{Segment: m, Live: Full(m.Len())}); err != nil {
		b.Fatal(err)
	}
	b.Run("directory", func(b *testing.B) {
		for b.Loop() {
			f, err := Open(vfs.Default, path)
			if err != nil {
				b.Fatal(err)
			}
			f.Release()
		}
	})
	b.Run("every field", func(b *testing.B) {
		for b.Loop() {
			f, err := Open(vfs.Default, path)
			if err != nil {
				b.Fatal(err)
			}
			for path := range f.fields {
				if _, err := f.Field(path); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(f.Bytes())
			f.Release()
		}
	})
}
