package segment

import (
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/sluicehq/sluice/core/storage/mapping"
)

// Memory is the segment that writes go to. Lock is for Add, RLocker for everything that Segment has.
type Memory struct {
	sync.RWMutex
	ids       []string
	positions []uint64
	spaces    map[string]*Space
	fields    map[string]*memoryField
	bytes     atomic.Int64

	numbers []uint32 // of the groups of the document that Add adds
}

// NewMemory gives an empty segment.
func NewMemory() *Memory {
	return &Memory{
		spaces: map[string]*Space{Root: {}},
		fields: map[string]*memoryField{},
	}
}

// Add gives a document the next number. It is found by whoever does not ask whether it is live. The positions of the documents
// ascend. A document that never becomes live changes no answer but DocFreq, TotalLength and Worded.
func (m *Memory) Add(e *Entry, id string, position uint64) uint32 {
	doc := m.spaces[Root].Len
	m.ids = append(m.ids, id)
	m.positions = append(m.positions, position)
	bytes := int64(len(id)) + 24 + 8
	m.number(e.groups)
	for i := range e.runs {
		r := &e.runs[i]
		f := m.field(r.field)
		before := f.size()
		f.add(e, r, m.numbers[r.group])
		bytes += f.size() - before
	}
	m.bytes.Add(bytes)
	return doc
}

// number gives the groups of a document their numbers in their spaces.
func (m *Memory) number(groups []mapping.Group) {
	m.numbers = m.numbers[:0]
	for i, g := range groups {
		space := m.spaces[g.Path]
		if space == nil {
			space = &Space{ParentPath: groups[g.Parent].Path}
			m.spaces[g.Path] = space
		}
		m.numbers = append(m.numbers, space.Len)
		space.Len++
		if i > 0 {
			space.Parents = append(space.Parents, m.numbers[g.Parent])
			m.bytes.Add(5)
		}
	}
}

// field finds what is known of a field. A field of another type is of a document that was never applied: its mapping was
// not kept.
func (m *Memory) field(of *mapping.Field) *memoryField {
	f := m.fields[of.Path]
	if f == nil || f.Type != of.Type || f.Space != of.Nested || f.dims() != of.Dims {
		f = newMemoryField(of, m.spaces[of.Nested])
		m.fields[of.Path] = f
		m.bytes.Add(f.size())
	}
	return f
}

// Bytes estimates how much memory the segment needs. It may be called without a lock.
func (m *Memory) Bytes() int64 { return m.bytes.Load() }

// Len implements Segment.
func (m *Memory) Len() uint32 { return m.spaces[Root].Len }

// ID implements Segment.
func (m *Memory) ID(doc uint32) (string, error) { return m.ids[doc], nil }

// Position implements Segment.
func (m *Memory) Position(doc uint32) (uint64, error) { return m.positions[doc], nil }

// Positions implements Segment.
func (m *Memory) Positions() ([]uint64, error) { return m.positions, nil }

// At implements Segment.
func (m *Memory) At(position uint64) (uint32, bool, error) {
	i, ok := slices.BinarySearch(m.positions, position)
	return uint32(i), ok, nil //nolint:gosec // a segment has fewer documents than 1<<31
}

// Space implements Segment.
func (m *Memory) Space(path string) (*Space, error) {
	if s := m.spaces[path]; s != nil {
		return s, nil
	}
	return nil, nil
}

// Field implements Segment.
func (m *Memory) Field(path string) (*Field, error) {
	f := m.fields[path]
	if f == nil {
		return nil, nil
	}
	f.settle()
	return &f.Field, nil
}

// paths implements part.
func (m *Memory) paths() (spaces, fields iter.Seq[string]) {
	return maps.Keys(m.spaces), maps.Keys(m.fields)
}

// memoryField is a field that grows.
type memoryField struct {
	Field
	space *Space
	terms *memoryTerms
	lat   Column[float64]
	lon   Column[float64]
	// settled is how many documents of the space the columns have a place for. Readers set it, under settling.
	settling sync.Mutex
	settled  uint32
}

func newMemoryField(of *mapping.Field, space *Space) *memoryField {
	f := &memoryField{Field: Field{Type: of.Type, Space: of.Nested, Present: roaring.New()}, space: space}
	switch t := of.Type; {
	case t.Exact():
		if of.DocValues {
			f.Ords = &Column[uint32]{}
		}
		f.terms = newMemoryTerms(false)
		f.Terms = f.terms
	case t == mapping.Text:
		f.terms = newMemoryTerms(true)
		f.Terms = f.terms
	case t.Floating():
		f.Floats = &Column[float64]{}
	case t == mapping.GeoPoint:
		f.Points = &Points{Near: f.near}
	case t == mapping.GeoShape:
		f.Shapes = &Shapes{}
	case t == mapping.DenseVector:
		f.Vectors = &Vectors{Dims: of.Dims}
	default:
		f.Ints = &Column[int64]{}
	}
	return f
}

func (f *memoryField) add(e *Entry, r *run, doc uint32) {
	switch t := f.Type; {
	case t.Exact():
		ords := f.terms.add(e, r, doc)
		if f.Ords != nil {
			f.Ords.push(doc, ords, f.Present)
		}
		f.TotalLength += uint64(len(ords))
	case t == mapping.Text:
		f.addText(e, r, doc)
	case t.Floating():
		f.Floats.push(doc, e.floats[r.from:r.to], f.Present)
	case t == mapping.GeoPoint:
		f.addPoints(e.floats[r.from:r.to], doc)
	case t == mapping.GeoShape:
		f.Shapes.add(e, r)
	case t == mapping.DenseVector:
		f.Vectors.Values = append(f.Vectors.Values, e.vectors[r.from:r.to]...)
	default:
		f.Ints.push(doc, e.ints[r.from:r.to], f.Present)
	}
	f.Present.Add(doc)
}

func (f *memoryField) addText(e *Entry, r *run, doc uint32) {
	if f.Ords == nil && r.field.Fielddata {
		f.Ords = &Column[uint32]{Offsets: []uint32{0}}
		if !f.Present.IsEmpty() { // the mapping got fielddata after documents came
			f.Ords = Uninvert(f.terms, doc)
		}
	}
	ords := f.terms.add(e, r, doc)
	if f.Ords != nil {
		f.Ords.push(doc, ords, f.Present)
	}
	if r.field.Norms {
		f.padLengths(doc)
		f.Lengths = append(f.Lengths, EncodeLength(r.length))
	}
	f.TotalLength += uint64(r.words)
	if r.words > 0 {
		f.Worded++
	}
}

func (f *memoryField) padLengths(n uint32) {
	for missing := int(n) - len(f.Lengths); missing > 0; missing-- {
		f.Lengths = append(f.Lengths, 0)
	}
}

// addPoints adds coordinates: the latitude and the longitude of a point one after the other.
func (f *memoryField) addPoints(coordinates []float64, doc uint32) {
	var lats, lons [4]float64
	lat, lon := lats[:0], lons[:0]
	for point := range slices.Chunk(coordinates, 2) {
		lat, lon = append(lat, point[0]), append(lon, point[1])
	}
	f.lat.push(doc, lat, f.Present)
	f.lon.push(doc, lon, f.Present)
}

// settle gives every document a place in the columns. Readers call it at once; the first one after a document was added has
// something to do.
func (f *memoryField) settle() {
	f.settling.Lock()
	defer f.settling.Unlock()
	n := f.space.Len
	if f.settled == n {
		return
	}
	f.settled = n
	if f.Ords != nil {
		f.Ords.pad(n)
	}
	if f.Lengths != nil {
		f.padLengths(n)
	}
	switch {
	case f.Ints != nil:
		f.Ints.pad(n)
	case f.Floats != nil:
		f.Floats.pad(n)
	case f.Points != nil:
		f.lat.pad(n)
		f.lon.pad(n)
		f.Points.Offsets, f.Points.Lat, f.Points.Lon = f.lat.Offsets, f.lat.Values, f.lon.Values
	}
}

// near goes through all points: a segment in memory has few. It does not know which of those in the box are inside.
func (f *memoryField) near(a Area) (inside, edge *roaring.Bitmap) {
	b := a.Box().widened()
	edge = roaring.New()
	for i, lat := range f.lat.Values {
		if !b.Has(lat, f.lon.Values[i]) {
			continue
		}
		doc := uint32(i)
		if f.lat.Offsets != nil {
			after, _ := slices.BinarySearch(f.lat.Offsets, uint32(i)+1) // where the values of the next document begin
			doc = uint32(after - 1)                                     //nolint:gosec // the number of a document
		}
		if f.Present.Contains(doc) {
			edge.Add(doc)
		}
	}
	return roaring.New(), edge
}

// size estimates the memory of the field.
func (f *memoryField) size() int64 {
	n := fieldSize + int64(f.Present.GetSizeInBytes()) + int64(cap(f.Lengths)) //nolint:gosec // far below 1<<63
	if f.terms != nil {
		n += f.terms.bytes
	}
	if f.Ords != nil {
		n += int64(cap(f.Ords.Offsets)+cap(f.Ords.Values)) * 4
	}
	switch {
	case f.Ints != nil:
		n += int64(cap(f.Ints.Offsets))*4 + int64(cap(f.Ints.Values))*8
	case f.Floats != nil:
		n += int64(cap(f.Floats.Offsets))*4 + int64(cap(f.Floats.Values))*8
	case f.Vectors != nil:
		n += int64(cap(f.Vectors.Values)) * 4
	case f.Shapes != nil:
		n += f.Shapes.size()
	case f.Points != nil:
		n += int64(cap(f.lat.Offsets)+cap(f.lon.Offsets))*4 + int64(cap(f.lat.Values)+cap(f.lon.Values))*8
	}
	return n
}

// fieldSize is about what a field needs before it has a value.
const fieldSize = 1 << 10

var _ Segment = (*Memory)(nil)
