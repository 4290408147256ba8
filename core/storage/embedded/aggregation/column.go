package aggregation

import (
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// kind is what the values of a field are.
type kind uint8

const (
	unmapped kind = iota
	text          // keywords and words of texts
	address
	whole   // booleans and dates too
	natural // an unsigned_long where it stands for itself, as mapping.Shift gives it; elsewhere it is floating
	floating
	place
	interval // a range, of which there is one for each document, as in Elasticsearch
)

// integer reports whether values have no fraction.
func (k kind) integer() bool { return k == whole || k == natural }

func kindOf(t mapping.Type) kind {
	switch {
	case t == mapping.Keyword || t == mapping.Text || t == mapping.Flattened:
		return text
	case t.Range():
		return interval
	case t == mapping.UnsignedLong: // see natural
		return floating
	case t == mapping.IP:
		return address
	case t == mapping.GeoPoint:
		return place
	case t.Floating():
		return floating
	default:
		return whole
	}
}

// column reads the values of a field in one segment.
//
// Its bits and hashes are shared by all aggregations of a search that read the field of the segment.
type column struct {
	kind  kind
	field *mapping.Field // nil when unmapped
	// empty says that no document of the segment has a value.
	empty bool
	// present is nil when every document has a value.
	present []uint64
	offsets []uint32 // see segment.Column

	ords   []uint32
	terms  segment.Terms
	ints   []int64
	floats []float64
	lat    []float64
	lon    []float64

	// hashes are those of the terms, 0 where unknown; nil when there are too many. See cardinality.
	hashes []uint64
	bytes  int // what is charged for the column
}

// openColumn finds the column of a field. what is the name of the aggregation's type.
func openColumn(t *target, path, what string) (column, error) {
	if path == "_id" || path == "_index" {
		return column{}, refuse("The field [%s] is not supported for aggregation [%s]: keep the value in a field of the documents", path, what)
	}
	f := t.mapping.Resolve(path)
	if f == nil || f.Type == mapping.Object || f.Type == mapping.Nested {
		return column{empty: true}, nil
	}
	if err := aggregatable(f); err != nil {
		return column{}, err
	}
	c := column{kind: kindOf(f.Type), field: f, empty: true}
	if !suits(c.kind, what) {
		return column{}, refuse("Field [%s] of type [%s] is not supported for aggregation [%s]", path, f.Type, what)
	}
	name := nameOf(f)
	if f.Type == mapping.UnsignedLong && (what == "terms" || what == "composite" || what == string(query.Cardinality)) {
		c.kind, name = natural, name+"\xff" // which no path has
	}
	if f.Nested != t.space { // its values are in other documents
		return c, nil
	}
	if known := t.columns[name]; known != nil {
		return *known, nil
	}
	s, err := t.view.Segment.Field(f.Path)
	if err != nil || s == nil || s.Type != f.Type {
		return c, err
	}
	if f.Key != nil && s.Ords != nil {
		s = s.Under(f.Key, t.n)
		c.bytes += 4 * (len(s.Ords.Values) + len(s.Ords.Offsets) + s.Terms.Len())
	}
	c.read(s, t)
	t.columns[name] = &c
	return c, t.limits.err
}

// nameOf tells columns apart.
func nameOf(f *mapping.Field) string { return f.Path + string(f.Key) }

// aggregatable fails when a field has nothing that can be read by document.
func aggregatable(f *mapping.Field) error {
	switch {
	case f.Type == mapping.Text && !f.Fielddata:
		return refuse("Fielddata is disabled on [%s]. Text fields are not optimised for operations that require per-document field data "+
			"like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead. "+
			"Alternatively, set fielddata=true on [%s] in order to load field data by uninverting the inverted index. "+
			"Note that this can use significant memory.", f.Path, f.Path)
	case f.Type == mapping.DenseVector || f.Type == mapping.GeoShape:
		return refuse("Field [%s] of type [%s] doesn't support docvalue_fields or aggregations", f.Path, f.Type)
	case f.Type != mapping.Text && !f.DocValues:
		return refuse("Can't load fielddata on [%s] because fielddata is unsupported on fields of type [%s]. Use doc values instead.",
			f.Path, f.Type)
	}
	return nil
}

// suits reports whether an aggregation works on values of a kind.
func suits(k kind, what string) bool {
	switch what {
	case string(query.ValueCount), "missing":
		return true
	case string(query.Cardinality):
		return k != interval
	case "terms", "composite":
		return k != place && k != interval
	case string(query.AddressRanges):
		return k == address
	case string(query.DistanceRanges), "geohash_grid":
		return k == place
	}
	return k == whole || k == floating
}

// read takes over what the segment knows of the field.
func (c *column) read(f *segment.Field, t *target) {
	n := t.n
	have := f.Present.GetCardinality()
	if have == 0 {
		return
	}
	switch c.kind {
	case text, address:
		if f.Terms == nil {
			return
		}
		ords := f.Ords
		if ords == nil {
			ords = segment.Uninvert(f.Terms, n)
			c.bytes += 4 * (len(ords.Values) + len(ords.Offsets))
		}
		c.terms, c.ords, c.offsets = f.Terms, ords.Values, ords.Offsets
	case whole, natural:
		c.ints, c.offsets = f.Ints.Values, f.Ints.Offsets
	case floating:
		c.readFloats(f)
	case place:
		c.lat, c.lon, c.offsets = f.Points.Lat, f.Points.Lon, f.Points.Offsets
	case interval:
	case unmapped:
		return
	}
	c.empty = false
	if have < uint64(n) {
		c.present = make([]uint64, max(int(n+63)/64, int(f.Present.DenseSize()))) //nolint:gosec // a size in memory
		f.Present.WriteDenseTo(c.present)
		c.bytes += 8 * len(c.present)
	}
	t.limits.charge(c.bytes)
}

// readFloats takes over floating-point numbers, and makes some of numbers without sign.
func (c *column) readFloats(f *segment.Field) {
	if f.Ints == nil {
		c.floats, c.offsets = f.Floats.Values, f.Floats.Offsets
		return
	}
	c.floats, c.offsets = make([]float64, len(f.Ints.Values)), f.Ints.Offsets
	for i, n := range f.Ints.Values {
		c.floats[i] = float64(mapping.Unshift(n))
	}
	c.bytes += 8 * len(c.floats)
}

// has reports whether a document has a value.
func (c *column) has(doc uint32) bool {
	return !c.empty && (c.present == nil || c.present[doc>>6]>>(doc&63)&1 == 1)
}

// span gives where the values of a document that has some stand. A text of nothing but stop words is present and has none.
func (c *column) span(doc uint32) (from, to uint32) {
	if c.offsets == nil {
		return doc, doc + 1
	}
	return c.offsets[doc], c.offsets[doc+1]
}

// valued reports whether a document has a value that is not lost in analysis.
func (c *column) valued(doc uint32) bool {
	if !c.has(doc) {
		return false
	}
	from, to := c.span(doc)
	return from < to
}
