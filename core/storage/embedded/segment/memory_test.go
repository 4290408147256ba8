package segment

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func parse(t testing.TB, properties string) *mapping.Mapping {
	t.Helper()
	m, err := mapping.Parse(jsontext.Value(`{"properties":` + properties + `}`))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return m
}

// add adds a document to a segment.
func add(t testing.TB, s *Memory, m *mapping.Mapping, doc, id string, position uint64) {
	t.Helper()
	var d mapping.Document
	var e Entry
	if err := m.Fields(jsontext.Value(doc), &d); err != nil {
		t.Fatalf("Fields: %v", err)
	}
	if err := e.Read(&d); err != nil {
		t.Fatalf("Read: %v", err)
	}
	s.Lock()
	defer s.Unlock()
	s.Add(&e, id, position)
}

func field(t testing.TB, s Segment, path string) *Field {
	t.Helper()
	f, err := s.Field(path)
	if err != nil {
		t.Fatalf("Field(%q): %v", path, err)
	}
	return f
}

func TestPositionsOfSeveralValues(t *testing.T) {
	m := parse(t, `{"t":{"type":"text","analyzer":"stop"}}`)
	s := NewMemory()
	add(t, s, m, `{"t":["quick fox","","the fox"]}`, "a", 1)
	f := field(t, s, "t")
	ord, ok := f.Terms.Find([]byte("fox"))
	o := f.Terms.Occurrences(ord)
	if !ok || !o.Next() || o.Doc() != 0 || o.Freq() != 2 {
		t.Fatal("the word is not found")
	}
	// The second value begins after 2 words and 100 places, the third 100 places later; "the" is left out and counts.
	if got, want := o.Positions(nil), []uint32{1, 2 + 100 + 100 + 1}; !slices.Equal(got, want) {
		t.Errorf("positions %v, want %v", got, want)
	}
	if f.TotalLength != 3 || f.Worded != 1 || DecodeLength(f.Lengths[0]) != 3 {
		t.Errorf("total %d, worded %d, lengths %v", f.TotalLength, f.Worded, f.Lengths)
	}
}

func TestFielddataComesLater(t *testing.T) {
	without := parse(t, `{"t":{"type":"text"}}`)
	with := parse(t, `{"t":{"type":"text","fielddata":true}}`)
	first, second := NewMemory(), NewMemory()
	add(t, first, without, `{"t":"b a"}`, "1", 1)
	add(t, first, without, `{"t":""}`, "2", 2)
	add(t, first, with, `{"t":"c a"}`, "3", 3)
	add(t, second, without, `{"t":"z b"}`, "4", 4)
	fs, dir := diskOrMemory(t, 1)
	views := []View{{Segment: second, Live: Full(1)}}
	if err := Write(fs, dir+"/second", views[0]); err != nil {
		t.Fatal(err)
	}
	old := opening(t, fs, dir+"/second")
	if field(t, old, "t").Ords != nil {
		t.Error("there are ordinals without fielddata")
	}
	views = []View{{Segment: first, Live: Full(3)}, {Segment: old, Live: Full(1)}}
	if err := Merge(t.Context(), fs, dir+"/merged", views); err != nil {
		t.Fatal(err)
	}
	merged := opening(t, fs, dir+"/merged")
	for doc, want := range []string{"[a b]", "[]", "[a c]", "[b z]"} {
		for _, s := range []Segment{first, merged} {
			if doc >= int(s.Len()) {
				continue
			}
			f := field(t, s, "t")
			var terms []string
			for _, ord := range f.Ords.Of(uint32(doc)) {
				terms = append(terms, string(f.Terms.Term(ord)))
			}
			if got := fmt.Sprint(terms); got != want {
				t.Errorf("document %d of %T has %s, want %s", doc, s, got, want)
			}
		}
	}
}

// A document that was never applied may have had a mapping that was not kept.
func TestTypeOfADocumentThatNeverCame(t *testing.T) {
	s := NewMemory()
	add(t, s, parse(t, `{"x":{"type":"long"}}`), `{"x":1}`, "dead", 1)
	m := parse(t, `{"x":{"type":"keyword"}}`)
	add(t, s, m, `{"x":"1"}`, "alive", 2)
	f := field(t, s, "x")
	if f.Type != mapping.Keyword || f.Present.Contains(0) || !f.Present.Contains(1) {
		t.Errorf("the field is a %s in %v", f.Type, f.Present)
	}
	fs, dir := diskOrMemory(t, 1)
	if err := Write(fs, dir+"/s", View{Segment: s, Live: new(Live).With(1)}); err != nil {
		t.Fatal(err)
	}
	file := opening(t, fs, dir+"/s")
	if id, err := file.ID(0); err != nil || id != "alive" || field(t, file, "x").Terms.Len() != 1 {
		t.Errorf("the file has %q (%v)", id, err)
	}
}

func TestWordThatIsTooLong(t *testing.T) {
	m := parse(t, `{"t":{"type":"text","analyzer":"keyword"}}`)
	var d mapping.Document
	var e Entry
	for n, refused := range map[int]bool{maxTerm: false, maxTerm + 1: true} {
		if err := m.Fields(jsontext.Value(`{"t":"`+strings.Repeat("x", n)+`"}`), &d); err != nil {
			t.Fatal(err)
		}
		var client *kerror.Error
		if err := e.Read(&d); (err != nil) != refused || refused && (!errors.As(err, &client) || client.Status != 400) {
			t.Errorf("a word of %d bytes: %v", n, err)
		}
	}
}

func TestBytesAreHonest(t *testing.T) {
	in := benchDocuments(t, 20_000)
	unique := &benchInput{mapping: parse(t, `{"a":{"type":"keyword"},"b":{"type":"keyword"}}`), docs: make([]mapping.Document, 20_000)}
	numbers := &benchInput{mapping: parse(t, `{"a":{"type":"long"},"b":{"type":"double"},"c":{"type":"date"}}`), docs: make([]mapping.Document, 20_000)}
	for i := range unique.docs {
		if err := unique.mapping.Fields(fmt.Appendf(nil, `{"a":"a rather long key %d","b":"%d"}`, i, i), &unique.docs[i]); err != nil {
			t.Fatal(err)
		}
		if err := numbers.mapping.Fields(fmt.Appendf(nil, `{"a":[%d,2],"b":%d.5,"c":%d}`, i, i, i), &numbers.docs[i]); err != nil {
			t.Fatal(err)
		}
	}
	for name, in := range map[string]*benchInput{"mixed": in, "unique": unique, "numbers": numbers} {
		before := heap()
		s := in.memory(t, 1, len(in.docs))
		used := heap() - before
		if got := s.Bytes(); got > 2*used || used > 2*got {
			t.Errorf("%s: Bytes() = %d, but %d are in use", name, got, used)
		} else {
			t.Logf("%s: Bytes() = %d, in use %d", name, got, used)
		}
		runtime.KeepAlive(s)
	}
}

// TestSmallMemories: a thousand collections with a document each need little more than the documents do, and say so.
func TestSmallMemories(t *testing.T) {
	const memories, most = 1000, 24 << 10
	in := benchDocuments(t, 1)
	all := make([]*Memory, memories)
	before := heap()
	bytes := int64(0)
	for i := range all {
		all[i] = in.memory(t, 1, 1)
		bytes += all[i].Bytes()
	}
	used := heap() - before
	t.Logf("Bytes() = %d, in use %d each", bytes/memories, used/memories)
	if bytes > 2*used || used > 2*bytes {
		t.Errorf("together Bytes() = %d, but %d are in use", bytes, used)
	}
	if used/memories > most {
		t.Errorf("a document in a memory of its own needs %d bytes, %d are enough", used/memories, most)
	}
	runtime.KeepAlive(all)
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestReadersBesideTheWriter is for the race detector.
func TestReadersBesideTheWriter(t *testing.T) {
	m := parse(t, everyType)
	s := NewMemory()
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				lock := s.RLocker()
				lock.Lock()
				readAll(t, s)
				lock.Unlock()
			}
		})
	}
	fill(t, m, s, rand.New(rand.NewPCG(8, 8)), 1, 200)
	close(done)
	readers.Wait()
}

// readAll reads as searches do: what it gets must fit the number of documents.
func readAll(t *testing.T, s *Memory) {
	n := s.Len()
	for path := range s.fields {
		f := field(t, s, path)
		space, err := s.Space(f.Space)
		if err != nil {
			t.Error(err)
			return
		}
		switch {
		case f.Terms != nil:
			for ord := range f.Terms.Between([]byte("b"), nil, nil) {
				f.Terms.Documents(ord)
			}
		case f.Ints != nil && f.Ints.Offsets == nil && len(f.Ints.Values) != int(space.Len):
			t.Errorf("%d values of %d documents", len(f.Ints.Values), space.Len)
		case f.Points != nil:
			f.Points.Near(Box{-10, 10, -10, 10})
		}
	}
	if n != s.Len() {
		t.Error("a document came although the segment is locked")
	}
}
