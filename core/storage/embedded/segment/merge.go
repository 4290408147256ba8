package segment

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/core/storage/mapping"
)

// Write writes the live documents of a view to a file, in their order, and syncs it. After an error there is no file.
func Write(fs vfs.FS, path string, v View) error {
	return Merge(context.Background(), fs, path, []View{v})
}

// Merge writes the live documents of several views, each of which has the positions after those of the one before, to one
// file and syncs it. After an error, which is that of ctx when it ends, there is no file. It needs memory for the new number
// of each document, of each term of one field, and for what one term says; not for more.
//
// The views are locked until it ends: nobody should want to write to their segments any more.
func Merge(ctx context.Context, fs vfs.FS, path string, views []View) error {
	for _, v := range views {
		if v.Lock != nil {
			v.Lock.Lock()
			defer v.Lock.Unlock()
		}
	}
	return create(ctx, fs, path, func(w *writer) error {
		m := merger{w: w, lens: map[string]uint32{}}
		for _, v := range views {
			p, ok := v.Segment.(part)
			if !ok {
				return fmt.Errorf("a segment of the type %T cannot be written", v.Segment)
			}
			m.sources = append(m.sources, source{part: p, live: v.Live, numbers: map[string][]uint32{}})
		}
		return m.merge()
	})
}

// part is a segment that says what is in it.
type part interface {
	Segment
	paths() (spaces, fields iter.Seq[string])
}

var (
	_ part = (*Memory)(nil)
	_ part = (*File)(nil)
)

// merger writes a file of several segments.
type merger struct {
	w       *writer
	sources []source
	lens    map[string]uint32 // of the spaces of the file
	d       directory
}

// source is one of the segments. numbers has the new number of each document of each space, or gone.
type source struct {
	part
	live    *Live
	numbers map[string][]uint32
}

// gone is the new number of a document that is not written.
const gone = math.MaxUint32

func (m *merger) merge() error {
	var spaces, fields []string
	for _, s := range m.sources {
		inSpaces, inFields := s.paths()
		spaces, fields = slices.AppendSeq(spaces, inSpaces), slices.AppendSeq(fields, inFields)
	}
	if err := m.documents(); err != nil {
		return err
	}
	for _, path := range distinct(spaces) { // a path comes after those that it begins with
		if path == Root {
			continue
		}
		if err := m.space(path); err != nil {
			return err
		}
	}
	for _, path := range distinct(fields) {
		if err := m.field(path); err != nil {
			return fmt.Errorf("the field %q: %w", path, err)
		}
	}
	b, err := json.Marshal(&m.d)
	if err != nil {
		return err
	}
	return m.w.finish(b)
}

func distinct(paths []string) []string {
	slices.Sort(paths)
	return slices.Compact(paths)
}

func (m *merger) documents() error {
	positions := begin[uint64](m.w)
	n := uint32(0)
	var last uint64
	for _, s := range m.sources {
		of, err := s.Positions()
		if err != nil {
			return err
		}
		numbers := make([]uint32, len(of))
		for doc, position := range of {
			if numbers[doc] = gone; !s.live.Has(uint32(doc)) {
				continue
			}
			if n > 0 && position <= last {
				return errors.New("the segments are not in the order of their positions")
			}
			if n == math.MaxInt32 {
				return errors.New("too many documents for one segment")
			}
			last = position
			positions.put(position)
			numbers[doc] = n
			n++
		}
		s.numbers[Root] = numbers
	}
	m.d.Positions = positions.end()
	m.lens[Root] = n
	m.d.Spaces = append(m.d.Spaces, spaceEntry{Len: n})
	return m.ids()
}

func (m *merger) ids() error {
	ids := list{w: m.w}
	for _, s := range m.sources {
		for doc, number := range s.numbers[Root] {
			if number == gone {
				continue
			}
			id, err := s.ID(uint32(doc))
			if err != nil {
				return err
			}
			ids.add([]byte(id), 0)
		}
	}
	m.d.IDs = ids.end()
	return m.w.err
}

func (m *merger) space(path string) error {
	parents := begin[uint32](m.w)
	e := spaceEntry{Path: path}
	for _, s := range m.sources {
		space, err := s.Space(path)
		if err != nil {
			return err
		}
		if space == nil {
			continue
		}
		e.ParentPath = space.ParentPath
		numbers := make([]uint32, space.Len)
		for doc, parent := range space.Parents {
			number := s.numbers[space.ParentPath][parent]
			if numbers[doc] = gone; number == gone {
				continue
			}
			if e.Len == math.MaxInt32 {
				return fmt.Errorf("too many nested documents %q for one segment", path)
			}
			parents.put(number)
			numbers[doc] = e.Len
			e.Len++
		}
		s.numbers[path] = numbers
	}
	e.Parents = parents.end()
	if m.lens[path] = e.Len; e.Len > 0 {
		m.d.Spaces = append(m.d.Spaces, e)
	}
	return m.w.err
}

// fieldSource is what one of the segments knows of a field.
type fieldSource struct {
	*Field
	numbers []uint32
	ords    []uint32 // the new ordinal of each term
}

// all calls visit for each document that has a value and is written.
func (s fieldSource) all(visit func(doc, number uint32)) {
	for doc := range roaring.Values(s.Present) {
		if number := s.numbers[doc]; number != gone {
			visit(doc, number)
		}
	}
}

// fieldMerger writes one field.
type fieldMerger struct {
	w       *writer
	e       fieldEntry
	n       uint32 // documents in the space
	sources []fieldSource
}

func (m *merger) field(path string) error {
	f := fieldMerger{w: m.w}
	present := roaring.New()
	for _, s := range m.sources {
		field, err := s.Field(path)
		if err != nil {
			return err
		}
		if field == nil {
			continue
		}
		before := present.GetCardinality()
		from := fieldSource{Field: field, numbers: s.numbers[field.Space]}
		from.all(func(_, number uint32) { present.Add(number) })
		if present.GetCardinality() > before {
			f.sources = append(f.sources, from)
		}
	}
	if len(f.sources) == 0 {
		return nil
	}
	first := f.sources[0]
	f.e = fieldEntry{Path: path, Type: first.Type, Space: first.Space}
	f.n = m.lens[first.Space]
	for _, s := range f.sources {
		if s.Type != first.Type || s.Space != first.Space || s.dims() != first.dims() {
			return errors.New("the segments do not agree on its type")
		}
	}
	if err := f.write(present); err != nil {
		return err
	}
	m.d.Fields = append(m.d.Fields, f.e)
	return m.w.err
}

func (f *fieldMerger) write(present *roaring.Bitmap) error {
	begin := f.w.align()
	present.RunOptimize()
	f.e.Present.Offset = begin
	if _, err := present.WriteTo(f.w); err != nil {
		return err
	}
	f.e.Present.Size = f.w.off - begin
	var err error
	switch t := f.e.Type; {
	case t.Exact() || t == mapping.Text:
		err = f.terms()
	case t == mapping.GeoPoint:
		err = f.points()
	case t == mapping.GeoShape:
		f.shapes()
	case t == mapping.DenseVector:
		f.vectors()
	case t.Floating():
		f.e.Numbers, err = numbers(f, func(s *Field) *Column[float64] { return s.Floats })
	default:
		f.e.Numbers, err = numbers(f, func(s *Field) *Column[int64] { return s.Ints })
	}
	f.e.All = section{begin, f.w.off - begin}
	return err
}

// numbers writes a column of numbers.
func numbers[T int64 | float64](f *fieldMerger, of func(*Field) *Column[T]) (*columnEntry, error) {
	parts := make([]columnSource[T], 0, len(f.sources))
	for _, s := range f.sources {
		parts = append(parts, columnSource[T]{fieldSource: s, column: of(s.Field)})
	}
	e, err := column(f.w, f.n, parts)
	if err == nil {
		e.Sorted, e.Ranks = order(f.w, parts)
	}
	return e, err
}

// points writes a place in two columns and in the order of the cells.
func (f *fieldMerger) points() error {
	var lats, lons []columnSource[float64]
	var cells []columnSource[uint64]
	for _, s := range f.sources {
		p := s.Points
		lats = append(lats, columnSource[float64]{fieldSource: s, column: &Column[float64]{Offsets: p.Offsets, Values: p.Lat}})
		lons = append(lons, columnSource[float64]{fieldSource: s, column: &Column[float64]{Offsets: p.Offsets, Values: p.Lon}})
		c := &Column[uint64]{Offsets: p.Offsets}
		if p.grid != nil {
			c.Sorted, c.Ranks = p.grid.docs, p.grid.cells
		} else {
			for i := range p.Lat {
				c.Values = append(c.Values, cellOf(p.Lat[i], p.Lon[i]))
			}
		}
		cells = append(cells, columnSource[uint64]{fieldSource: s, column: c})
	}
	var err error
	if f.e.Latitudes, err = column(f.w, f.n, lats); err != nil {
		return err
	}
	if f.e.Longitudes, err = values(f.w, f.n, lons); err != nil {
		return err
	}
	f.e.Cells = new(columnEntry)
	f.e.Cells.Sorted, f.e.Cells.Ranks = order(f.w, cells)
	return nil
}
