package mapping

import (
	"bytes"
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/query"
)

// Value is one value of a field of a document.
type Value struct {
	// Field says what the other members mean. It belongs to the mapping that the document was read by: Document.Grown when
	// that is not nil.
	Field *Field
	// Group is the index in Document.Groups of the (nested) document that the value is in.
	Group int
	// Text is the text of a Keyword, normalised, of a Text or within a Flattened; the 16 bytes of an IP; the two ends of a range,
	// see AppendWhole; the numbers of a DenseVector, see AppendVector;
	// a GeoShape as geometry.Decode reads it.
	Text []byte
	// Int is a whole number; milliseconds since 1970 for a Date; 0 or 1 for a Boolean; an UnsignedLong as Shift has it.
	Int int64
	// Float is a Double, or what remains of a number in a Float, a HalfFloat or a ScaledFloat.
	Float float64
	// Point is a GeoPoint. It is in range.
	Point query.Point
}

// Group is a nested document.
type Group struct {
	// Parent is the index of the group that the nested document stands in. The groups of a document come after their parents,
	// in the order of the text.
	Parent int
	// Path is the path of the nested object, empty for the first group, which is the document itself.
	Path string
}

// Document is what a mapping makes of the text of a document. A Document can be used again, which spares memory: what it held
// is gone then. It belongs to one goroutine, and refers to the bytes of the text.
type Document struct {
	// Values are in the order of the text. A sub-field comes after its field, then what is copied.
	Values []Value
	Groups []Group
	// Grown is the mapping with the fields that are new, nil when there are none.
	Grown *Mapping

	reader reader
	budget analysis.Budget
}

// Budget is that of taking the texts of the document apart, of which reading it used some.
func (to *Document) Budget() *analysis.Budget { return &to.budget }

// maxGroups is how many nested documents a document may hold, as in Elasticsearch.
const maxGroups = 10_000

// maxValues bounds the memory of a document, whose values sub-fields and copies multiply.
const maxValues = 1 << 20

// maxNesting is how deep objects and arrays that are mapped may stand in each other, as in Elasticsearch.
const maxNesting = 1000

// Fields reads a document. Members of objects that are dynamic and not mapped become new fields: to.Grown is the mapping that
// has them, and the values are those by that mapping. Whoever keeps the mapping makes it the mapping of the collection
// before the document is indexed, unless the mapping has changed since; then it reads the document again by the new one.
//
// Fails with services.storage.strict_mapping_rejection for a member that a strict object does not know,
// services.storage.cannot_change_mapping when a new field would have two types, and services.storage.unexpected_bad_request
// for a value that does not fit its field, a name that is empty, or too much of something. After an error the content of to
// means nothing.
func (m *Mapping) Fields(doc jsontext.Value, to *Document) error {
	defer to.budget.Leave()
	to.Grown = nil
	err := to.read(m, doc, true)
	if !errors.Is(err, errUnmapped) {
		return err
	}
	grown, err := m.grow(doc)
	if err != nil {
		return err
	}
	if grown.Len() > m.Len() {
		to.Grown = grown
	}
	return to.read(grown, doc, false)
}

func (to *Document) read(m *Mapping, doc jsontext.Value, growing bool) error {
	to.budget.Reset()
	to.Values, to.Groups = to.Values[:0], append(to.Groups[:0], Group{})
	r := &to.reader
	r.mapping, r.out, r.growing = m, to, growing
	r.open(doc)
	if r.d.PeekKind() != '{' {
		return refused("the document is not a JSON object")
	}
	err := r.object(m.root, 0)
	if spent := to.budget.Err(); spent != nil {
		return spent
	}
	if err != nil {
		return err
	}
	return r.end()
}

// open begins to read doc. The decoder reads the bytes where they are.
func (r *reader) open(doc jsontext.Value) {
	r.doc, r.arena = doc, r.arena[:0]
	clear(r.vectors)
	r.buffer = *bytes.NewBuffer(doc)
	r.d.Reset(&r.buffer)
}
