package segment

import (
	"github.com/RoaringBitmap/roaring/v2"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// Vectors holds lists of numbers, one for each document that has one. They stand one after the other in the order of the
// documents, without gaps: that of the i-th document of Field.Present is Values[i*Dims : (i+1)*Dims].
type Vectors struct {
	Dims   int
	Values []float32
}

// At gives the vector of the i-th document that has one.
func (v *Vectors) At(i int) []float32 { return v.Values[i*v.Dims : (i+1)*v.Dims] }

// vector takes the vector of a field, of which there is one: the mapping refuses more.
func (e *Entry) vector(r *run, value *mapping.Value) {
	r.from = len(e.vectors)
	e.vectors = mapping.VectorOf(e.vectors, value.Text)
	r.to = len(e.vectors)
}

// vectors writes the vectors of the documents that are written.
func (f *fieldMerger) vectors() {
	f.e.Dims = f.sources[0].Vectors.Dims
	b := begin[float32](f.w)
	for _, s := range f.sources {
		i := -1
		for doc := range roaring.Values(s.Present) {
			if i++; s.numbers[doc] == gone {
				continue
			}
			for _, x := range s.Vectors.At(i) {
				b.put(x)
			}
		}
	}
	f.e.Vectors = b.end()
}

// vectors finds the vectors of a field.
func (r *fieldReader) vectors() error {
	values, err := view[float32](r.file.data, r.entry.Vectors)
	if err != nil {
		return err
	}
	if r.entry.Dims < 1 || r.entry.Dims > query.MaxDims || uint64(len(values)) != r.field.Present.GetCardinality()*uint64(r.entry.Dims) {
		return damaged("not every document with a vector has all of its numbers")
	}
	r.field.Vectors = &Vectors{Dims: r.entry.Dims, Values: values}
	return nil
}

// dims is how many numbers a vector of the field has, 0 when it is of another type.
func (f *Field) dims() int {
	if f.Vectors == nil {
		return 0
	}
	return f.Vectors.Dims
}
