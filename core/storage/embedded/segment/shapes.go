package segment

import (
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query/geometry"
)

// Shapes holds shapes on earth, one for each document that has any, in the order of the documents and without gaps: Boxes[i], and the
// parts that end at Ends[i], belong to the i-th document of Field.Present.
type Shapes struct {
	Boxes []geometry.Box
	// Ends are places in the bytes of all shapes; each shape begins where the one before ends.
	Ends  []uint64
	bytes []byte
}

// At gives the shape of the i-th document that has one.
func (s *Shapes) At(i int) (*geometry.Shape, error) {
	shape, err := geometry.Decode(s.encoded(i))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return shape, nil
}

func (s *Shapes) encoded(i int) []byte {
	from := uint64(0)
	if i > 0 {
		from = s.Ends[i-1]
	}
	return s.bytes[from:s.Ends[i]]
}

func (s *Shapes) add(e *Entry, r *run) {
	s.bytes = append(s.bytes, e.bytes[r.from:r.to]...)
	s.Boxes = append(s.Boxes, e.boxes[r.box])
	s.Ends = append(s.Ends, uint64(len(s.bytes)))
}

func (s *Shapes) size() int64 { return int64(cap(s.bytes) + cap(s.Boxes)*32 + cap(s.Ends)*8) }

// shapes makes one shape of all that a field has.
func (e *Entry) shapes(r *run, doc *mapping.Document, values []valueRef) error {
	r.from, r.box = len(e.bytes), len(e.boxes)
	for _, v := range values {
		e.bytes = append(e.bytes, doc.Values[v.value].Text...)
	}
	r.to = len(e.bytes)
	shape, err := geometry.Decode(e.bytes[r.from:])
	if err != nil {
		return fmt.Errorf("the field %q: %w", r.field.Path, err)
	}
	e.boxes = append(e.boxes, shape.Box())
	return nil
}

// shapes writes the shapes of the documents that are written.
func (f *fieldMerger) shapes() {
	boxes := begin[geometry.Box](f.w)
	f.shape(func(s *Shapes, i int) { boxes.put(s.Boxes[i]) })
	f.e.Boxes = boxes.end()
	ends, end := begin[uint64](f.w), uint64(0)
	f.shape(func(s *Shapes, i int) {
		end += uint64(len(s.encoded(i)))
		ends.put(end)
	})
	f.e.Ends = ends.end()
	f.e.Shapes.Offset = f.w.align()
	f.shape(func(s *Shapes, i int) { _, _ = f.w.Write(s.encoded(i)) }) // the error stays in w
	f.e.Shapes.Size = f.w.off - f.e.Shapes.Offset
}

// shape calls visit for each shape that is written.
func (f *fieldMerger) shape(visit func(s *Shapes, i int)) {
	for _, s := range f.sources {
		i := -1
		for doc := range roaring.Values(s.Present) {
			if i++; s.numbers[doc] != gone {
				visit(s.Shapes, i)
			}
		}
	}
}

// shapes finds the shapes of a field.
func (r *fieldReader) shapes() error {
	var s Shapes
	var err error
	if s.Boxes, err = view[geometry.Box](r.file.data, r.entry.Boxes); err != nil {
		return err
	}
	if s.Ends, err = view[uint64](r.file.data, r.entry.Ends); err != nil {
		return err
	}
	if s.bytes, err = view[byte](r.file.data, r.entry.Shapes); err != nil {
		return err
	}
	n, end := r.field.Present.GetCardinality(), uint64(0)
	for _, next := range s.Ends {
		if next < end || next > uint64(len(s.bytes)) {
			return damaged("a shape ends before it begins")
		}
		end = next
	}
	if uint64(len(s.Boxes)) != n || uint64(len(s.Ends)) != n {
		return damaged("not every document with a shape has a box")
	}
	r.field.Shapes = &s
	return nil
}
