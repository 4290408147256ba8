package segment

import (
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/mapping"
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
