package search

import (
	"bytes"
	"encoding/binary"
	"math"
	"net/netip"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/query"
)

// reader reads what the documents of a view are sorted by, as numbers whose ascending order is the order of the sort.
type reader interface {
	// fill gives the numbers of documents with their scores.
	fill(docs []uint32, scores []float32, numbers []int64)
	// bound is the number of a value of another view: what is behind the value is not before it, and what is before the value
	// not behind it.
	bound(v value) int64
	// value gives what a document is sorted by, which stays valid when the view is released.
	value(doc uint32, score float32) (value, error)
}

// decider is a reader whose numbers are not the whole truth: documents with equal numbers are to be compared.
type decider interface {
	decide(doc uint32, v value) (int, error)
}

// open gives the reader of a key.
func (k *key) open(v *view) (reader, error) {
	flip := int64(0)
	if k.Desc {
		flip = -1
	}
	switch {
	case k.field == nil && k.Field == query.ByScore:
		return scores{flip}, nil
	case k.field == nil && k.Field == query.ByPosition:
		all, err := v.Segment.Positions()
		return positions{all, flip}, err
	case k.field == nil && k.Field == idField:
		return &texts{key: k, of: func(doc uint32) ([]byte, bool, error) {
			id, err := v.Segment.ID(doc)
			return []byte(id), true, err
		}}, nil
	case k.field == nil:
		return same{k, flip}, nil
	}
	f, err := v.field(k.field)
	if err != nil {
		return nil, err
	}
	if f != nil && k.field.Key != nil && f.Ords != nil {
		f = f.Under(k.field.Key, v.n)
	}
	switch {
	case f == nil || f.Present.IsEmpty():
		return same{k, flip}, nil
	case k.Distance != nil:
		return newDistances(k, v, f, flip), nil
	case f.Ints != nil:
		return &numbers[int64]{key: k, column: f.Ints, present: v.absentees(f), flip: flip, ordered: identity, choose: choose(k, pickInts)}, nil
	case f.Floats != nil:
		return &numbers[float64]{key: k, column: f.Floats, present: v.absentees(f), flip: flip, ordered: orderedBits, choose: choose(k, k.pickFloats)}, nil
	case f.Ords != nil:
		return k.openOrds(v, f, flip), nil
	case f.Terms != nil && f.Type == k.field.Type: // fielddata that came after the documents
		f = &segment.Field{Present: f.Present, Terms: f.Terms, Ords: segment.Uninvert(f.Terms, v.n)}
		return k.openOrds(v, f, flip), nil
	}
	return same{k, flip}, nil
}

// absentees are the documents without a value: those that are not in the bitmap. Without a bitmap there are none.
type absentees struct{ *roaring.Bitmap }

func (a absentees) lacks(doc uint32) bool { return a.Bitmap != nil && !a.Contains(doc) }

func (v *view) absentees(f *segment.Field) absentees {
	if f.Present.GetCardinality() == uint64(v.n) {
		return absentees{}
	}
	return absentees{f.Present}
}

func identity(n int64) int64 { return n }

func (k *key) openOrds(v *view, f *segment.Field, flip int64) reader {
	if f.Terms.Sorted() {
		return newOrds(k, f, v.absentees(f), flip)
	}
	present := v.absentees(f)
	return &texts{key: k, of: func(doc uint32) ([]byte, bool, error) {
		if present.lacks(doc) {
			return nil, false, nil
		}
		return f.Terms.Term(k.pickOrd(f.Ords, doc)), true, nil
	}}
}

// pickOrd chooses from the ordinals of a document, which are in the order of the terms.
func (k *key) pickOrd(column *segment.Column[uint32], doc uint32) uint32 {
	list := column.Of(doc)
	if k.Mode == "max" || k.Mode == "" && k.Desc {
		return list[len(list)-1]
	}
	return list[0]
}

// choose gives the function that makes one of several values, which are ascending.
func choose[T int64 | float64](k *key, pick func(mode string, list []T) T) func([]T) T {
	mode := k.Mode
	switch {
	case mode == "" && k.Desc, mode == "max":
		return func(list []T) T { return list[len(list)-1] }
	case mode == "", mode == "min":
		return func(list []T) T { return list[0] }
	}
	return func(list []T) T { return pick(mode, list) }
}

// pickInts makes one of several whole numbers. Means are rounded as Java does.
func pickInts(mode string, list []int64) int64 {
	n := len(list)
	switch {
	case mode == "median" && n%2 == 1:
		return list[n/2]
	case mode == "median":
		return int64(math.Floor((float64(list[n/2-1])+float64(list[n/2]))/2 + 0.5))
	}
	sum := int64(0)
	for _, x := range list {
		sum += x
	}
	if mode == "avg" && n > 1 {
		return int64(math.Floor(float64(sum)/float64(n) + 0.5))
	}
	return sum
}

// pickFloats makes one of several floating-point numbers, in the precision of the field.
func (k *key) pickFloats(mode string, list []float64) float64 {
	n, x := len(list), 0.0
	switch {
	case mode == "median" && n%2 == 1:
		x = list[n/2]
	case mode == "median":
		x = (list[n/2-1] + list[n/2]) / 2
	default:
		for _, y := range list {
			x += y
		}
		if mode == "avg" {
			x /= float64(n)
		}
	}
	if k.typ.Single() {
		x = float64(float32(x))
	}
	return x
}

// numbers reads a column of numbers.
type numbers[T int64 | float64] struct {
	*key
	column  *segment.Column[T]
	present absentees
	flip    int64
	ordered func(T) int64
	choose  func([]T) T
}

func (r *numbers[T]) fill(docs []uint32, _ []float32, to []int64) {
	if r.column.Offsets == nil && r.present.Bitmap == nil {
		for i, doc := range docs {
			to[i] = r.ordered(r.column.Values[doc]) ^ r.flip
		}
		return
	}
	for i, doc := range docs {
		to[i] = r.number(doc) ^ r.flip
	}
}

func (r *numbers[T]) number(doc uint32) int64 {
	switch {
	case r.present.lacks(doc):
		return r.missing.number
	case r.column.Offsets == nil:
		return r.ordered(r.column.Values[doc])
	}
	return r.ordered(r.choose(r.column.Of(doc)))
}

func (r *numbers[T]) bound(v value) int64 { return v.number ^ r.flip }

func (r *numbers[T]) value(doc uint32, _ float32) (value, error) {
	return value{number: r.number(doc)}, nil
}

// same is what every document is sorted by that has no value.
type same struct {
	*key
	flip int64
}

func (r same) fill(docs []uint32, _ []float32, to []int64) {
	for i := range docs {
		to[i] = r.bound(r.missing)
	}
}

func (r same) bound(v value) int64 {
	if r.kind == byText {
		return int64(r.compare(v, r.missing))
	}
	return v.number ^ r.flip
}

func (r same) value(uint32, float32) (value, error) { return r.missing, nil }

// scores sorts by score.
type scores struct{ flip int64 }

func (r scores) fill(docs []uint32, scores []float32, to []int64) {
	for i := range docs {
		to[i] = orderedBits(float64(scores[i])) ^ r.flip
	}
}

func (r scores) bound(v value) int64 { return v.number ^ r.flip }

func (r scores) value(_ uint32, score float32) (value, error) {
	return value{number: orderedBits(float64(score))}, nil
}

// positions sorts by position.
type positions struct {
	all  []uint64
	flip int64
}

func (r positions) fill(docs []uint32, _ []float32, to []int64) {
	for i, doc := range docs {
		to[i] = r.position(doc) ^ r.flip
	}
}

func (r positions) position(doc uint32) int64 {
	return int64(r.all[doc]) //nolint:gosec // a counter
}

func (r positions) bound(v value) int64 { return v.number ^ r.flip }

func (r positions) value(doc uint32, _ float32) (value, error) {
	return value{number: r.position(doc)}, nil
}

// ords sorts by ordinals of terms in their order, doubled, so that there is room between them.
type ords struct {
	*key
	field   *segment.Field
	present absentees
	flip    int64
	none    int64
}

func newOrds(k *key, f *segment.Field, present absentees, flip int64) *ords {
	r := &ords{key: k, field: f, present: present, flip: flip}
	r.none = r.bound(k.missing)
	return r
}

func (r *ords) fill(docs []uint32, _ []float32, to []int64) {
	for i, doc := range docs {
		if r.present.lacks(doc) {
			to[i] = r.none
		} else {
			to[i] = int64(r.pickOrd(r.field.Ords, doc))*2 ^ r.flip
		}
	}
}

func (r *ords) bound(v value) int64 {
	switch {
	case v.null && r.MissingFirst:
		return math.MinInt64
	case v.null:
		return math.MaxInt64
	}
	ord, ok := first(r.field.Terms, v.text)
	if !ok {
		ord = uint32(r.field.Terms.Len()) //nolint:gosec // ordinals
	}
	place := int64(ord) * 2
	if !ok || !bytes.Equal(r.field.Terms.Term(ord), v.text) {
		place--
	}
	return place ^ r.flip
}

func (r *ords) value(doc uint32, _ float32) (value, error) {
	if r.present.lacks(doc) {
		return r.missing, nil
	}
	return value{text: bytes.Clone(r.field.Terms.Term(r.pickOrd(r.field.Ords, doc)))}, nil
}

// texts sorts by texts whose order is not known before: by their first bytes, then by decide.
type texts struct {
	*key
	// of gives the text of a document, false when it has none.
	of  func(doc uint32) ([]byte, bool, error)
	err error
}

func (r *texts) fill(docs []uint32, _ []float32, to []int64) {
	for i, doc := range docs {
		text, ok, err := r.of(doc)
		switch {
		case err != nil:
			r.err = err
			to[i] = 0
		case ok:
			to[i] = r.bound(value{text: text})
		default:
			to[i] = r.bound(r.missing)
		}
	}
}

func (r *texts) bound(v value) int64 {
	switch {
	case v.null && r.MissingFirst:
		return math.MinInt64
	case v.null:
		return math.MaxInt64
	}
	var head [8]byte
	copy(head[:], v.text)
	n := int64(binary.BigEndian.Uint64(head[:]) ^ 1<<63) //nolint:gosec // the order of the bytes
	if r.Desc {
		return ^n
	}
	return n
}

func (r *texts) value(doc uint32, _ float32) (value, error) {
	text, ok, err := r.of(doc)
	if !ok || err != nil {
		return r.missing, err
	}
	return value{text: bytes.Clone(text)}, nil
}

func (r *texts) decide(doc uint32, v value) (int, error) {
	text, ok, err := r.of(doc)
	if err == nil {
		err = r.err
	}
	if !ok {
		return r.compare(r.missing, v), err
	}
	return r.compare(value{text: text}, v), err
}

func ipText(address []byte) string {
	a, ok := netip.AddrFromSlice(address)
	if !ok {
		return ""
	}
	return a.Unmap().String()
}
