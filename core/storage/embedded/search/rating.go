package search

import (
	"encoding/binary"
	"hash/fnv"
	"io"
	"math"
	"slices"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// fieldFactor is a score that is made of a number.
type fieldFactor struct {
	*query.FieldFactor
	field *mapping.Field // nil when there is none in the documents
}

func (c compiler) fieldFactor(q *query.FieldFactor) (rater, error) {
	f, err := c.numeric(q.Field)
	if err != nil {
		return nil, err
	}
	if f == nil && math.IsNaN(q.Missing) {
		return nil, refuse("field_value_factor: the field [%s] is not in the mapping, and there is no value for missing", q.Field)
	}
	if f != nil && f.Nested != c.space {
		f = nil
	}
	return fieldFactor{q, f}, nil
}

func (r fieldFactor) open(v *view) (func(uint32) (float64, error), error) {
	var figures figures
	if r.field != nil {
		var err error
		if figures, err = v.figures(r.field); err != nil {
			return nil, err
		}
	}
	var scratch []float64
	return func(doc uint32) (float64, error) {
		scratch = figures.of(doc, scratch[:0])
		if len(scratch) == 0 {
			if math.IsNaN(r.Missing) {
				return 0, refuse("field_value_factor: a document has no value of the field [%s], and there is no value for missing", r.Field)
			}
			scratch = append(scratch, r.Missing)
		}
		value := r.modified(scratch[0] * r.Factor)
		if math.IsNaN(value) || value < 0 {
			return 0, refuse("field_value_factor: the value %v of the field [%s] gives a score that is negative or no number: log1p and "+
				"log2p take less than log does", scratch[0], r.Field)
		}
		return value, nil
	}, nil
}

func (r fieldFactor) modified(x float64) float64 {
	switch r.Modifier {
	case "log":
		return math.Log10(x)
	case "log1p":
		return math.Log10(x + 1)
	case "log2p":
		return math.Log10(x + 2)
	case "ln":
		return math.Log(x)
	case "ln1p":
		return math.Log1p(x)
	case "ln2p":
		return math.Log1p(x + 1)
	case "square":
		return x * x
	case "sqrt":
		return math.Sqrt(x)
	case "reciprocal":
		return 1 / x
	}
	return x
}

// random is a score that is the same each time for a seed and a value.
type random struct {
	seed  uint64         // the hash of it
	field *mapping.Field // nil when the document itself counts
}

// positionField is the name under which Elasticsearch has numbers of writes.
const positionField = "_seq_no"

func (c compiler) random(q *query.RandomScore) (rater, error) {
	seed := q.Seed
	if q.Field == "" && q.Seed == "" {
		seed = c.now.String()
	}
	h := fnv.New64a()
	_, _ = io.WriteString(h, seed) // it never fails
	r := random{seed: h.Sum64()}
	if q.Field == "" || q.Field == positionField {
		return r, nil
	}
	f := c.Mapping.Resolve(q.Field)
	switch {
	case f == nil:
		return nil, refuse("random_score: the field [%s] is not in the mapping", q.Field)
	case !f.DocValues:
		return nil, refuse("Can't load fielddata on [%s] because fielddata is unsupported on fields of type [%s]. Use doc values instead.", q.Field, f.Type)
	}
	r.field = f
	return r, nil
}

func (r random) open(v *view) (func(uint32) (float64, error), error) {
	var read func(doc uint32, dst []byte) []byte
	if r.field == nil {
		positions, err := v.Segment.Positions()
		if err != nil {
			return nil, err
		}
		read = func(doc uint32, dst []byte) []byte { return binary.BigEndian.AppendUint64(dst, positions[doc]) }
	} else {
		f, err := v.field(r.field)
		if err != nil {
			return nil, err
		}
		numbers := figures{f}
		var scratch []float64
		read = func(doc uint32, dst []byte) []byte {
			switch {
			case f == nil || !f.Present.Contains(doc):
				return dst
			case f.Ords != nil:
				return append(dst, f.Terms.Term(f.Ords.Of(doc)[0])...)
			}
			for _, x := range numbers.of(doc, scratch[:0]) {
				return binary.BigEndian.AppendUint64(dst, math.Float64bits(x))
			}
			return dst
		}
	}
	var scratch []byte
	return func(doc uint32) (float64, error) {
		h := fnv.New64a()
		scratch = read(doc, binary.BigEndian.AppendUint64(scratch[:0], r.seed))
		_, _ = h.Write(scratch) // it never fails
		x := h.Sum64()
		x = (x ^ x>>32) * 0x9e3779b97f4a7c15 // neighbours get numbers that are far from each other
		return float64(x>>40) / (1 << 24), nil
	}, nil
}

// decay is a score that falls with the distance from an origin.
type decay struct {
	*query.Decay
	reach query.Reach
	field *mapping.Field // nil when no document has a value
	value float64
	place query.Point
}

func (c compiler) decay(q *query.Decay) (rater, error) {
	f := c.Mapping.Resolve(q.Field)
	if f == nil {
		return nil, refuse("%s: unknown field [%s]", q.Kind, q.Field)
	}
	d := &decay{Decay: q, field: f}
	var err error
	switch {
	case f.Type == mapping.GeoPoint && f.DocValues:
		d.place, d.reach, err = q.Places()
	case f.Type == mapping.Date:
		d.value, d.reach, err = q.Dates(c.now, dateFormat(f, q.Origin))
	default:
		if _, err := c.numeric(q.Field); err != nil {
			return nil, err
		}
		d.value, d.reach, err = q.Numbers()
	}
	if f.Nested != c.space {
		d.field = nil
	}
	return d, err
}

func (r *decay) open(v *view) (func(uint32) (float64, error), error) {
	if r.field == nil {
		return func(uint32) (float64, error) { return 1, nil }, nil
	}
	read, err := r.reader(v)
	if err != nil {
		return nil, err
	}
	var scratch []float64
	return func(doc uint32) (float64, error) {
		scratch = read(doc, scratch[:0])
		if len(scratch) == 0 {
			return 1, nil
		}
		for i, distance := range scratch {
			scratch[i] = max(0, distance-r.reach.Offset)
		}
		return r.fallen(r.chosen(scratch)), nil
	}, nil
}

// reader gives a function that appends the distances of a document.
func (r *decay) reader(v *view) (func(uint32, []float64) []float64, error) {
	f, err := v.figures(r.field)
	if err != nil {
		return nil, err
	}
	if r.field.Type != mapping.GeoPoint {
		return func(doc uint32, dst []float64) []float64 {
			dst = f.of(doc, dst)
			for i, x := range dst {
				dst[i] = math.Abs(x - r.value)
			}
			return dst
		}, nil
	}
	cosine := math.Cos(r.place.Lat * radians)
	return func(doc uint32, dst []float64) []float64 {
		if f.Field == nil || f.Points == nil || !f.Present.Contains(doc) {
			return dst
		}
		from, to := doc, doc+1
		if f.Points.Offsets != nil {
			from, to = f.Points.Offsets[doc], f.Points.Offsets[doc+1]
		}
		for i := from; i < to; i++ {
			dst = append(dst, arc(r.place, cosine, f.Points.Lat[i], f.Points.Lon[i]))
		}
		return dst
	}, nil
}

// chosen makes one of several distances.
func (r *decay) chosen(list []float64) float64 {
	switch r.Mode {
	case "max":
		return slices.Max(list)
	case "min":
		return slices.Min(list)
	}
	sum := float64(0)
	for _, x := range list {
		sum += x
	}
	if r.Mode == "avg" {
		sum /= float64(len(list))
	}
	return sum
}

// fallen is what is left of 1 at a distance.
func (r *decay) fallen(distance float64) float64 {
	scales := min(distance, math.MaxFloat64) / r.reach.Scale
	switch r.Kind {
	case "gauss":
		return math.Exp(math.Log(r.At) * scales * scales)
	case "exp":
		return math.Exp(math.Log(r.At) * scales)
	}
	return max(0, 1-scales*(1-r.At))
}
