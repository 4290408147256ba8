package aggregation

import (
	"hash/maphash"
	"math"

	"github.com/axiomhq/hyperloglog"

	"github.com/sluicehq/sluice/core/storage/query"
)

// maxPrecision is the most values that are counted exactly, as in Elasticsearch.
const maxPrecision = 40_000

// cardinality counts different values by their hashes: exactly up to the precision, else by estimate.
type cardinality struct {
	of        *query.Metric
	limits    *limits
	precision int
	list      []distinct // by owner

	// Of the segment that is open.
	column  column
	missing uint64 // the hash, 0 when there is none
}

// distinct counts the values of a bucket. The zero value has none.
type distinct struct {
	hashes []uint64 // open addressing; 0 is a free place
	count  int
	sketch *hyperloglog.Sketch // takes over from hashes
}

func newCardinality(of *query.Metric, l *limits) *cardinality {
	return &cardinality{of: of, limits: l, precision: min(of.Precision, maxPrecision)}
}

func (c *cardinality) open(t *target) error {
	var err error
	if c.column, err = openColumn(t, c.of.Field, string(c.of.Kind)); err != nil {
		return err
	}
	missing, err := c.column.missingValue(c.of.Missing, t.now)
	if err != nil {
		return err
	}
	c.missing = 0
	switch {
	case missing == nil:
	case missing.kind.integer():
		c.missing = hashNumber(uint64(missing.whole)) //nolint:gosec // the bits count
		if c.column.kind == floating {
			c.missing = hashNumber(math.Float64bits(missing.number()))
		}
	case missing.kind == floating:
		c.missing = hashNumber(math.Float64bits(missing.floating))
	default:
		c.missing = c.hashText(missing.text)
	}
	c.column.hashed(t)
	return t.limits.err
}

// hashed makes room for the hashes of terms, unless there are many more than documents that are collected.
func (c *column) hashed(t *target) {
	if c.terms == nil || c.hashes != nil || c.terms.Len() > 16*t.docs+batch {
		return
	}
	shared := t.columns[nameOf(c.field)]
	t.limits.charge(8 * c.terms.Len())
	shared.bytes += 8 * c.terms.Len()
	shared.hashes = make([]uint64, c.terms.Len())
	c.hashes = shared.hashes
}

// Hashes are never 0.

func hashNumber(bits uint64) uint64 { return max(mix(bits^0x9e3779b97f4a7c15), 1) }

func (c *cardinality) hashText(b []byte) uint64 { return max(maphash.Bytes(c.limits.seed, b), 1) }

// hashAt gives the hash of the value at a place of the column.
func (c *cardinality) hashAt(at uint32) uint64 {
	switch c.column.kind {
	case whole, natural:
		return hashNumber(uint64(c.column.ints[at])) //nolint:gosec // the bits count
	case floating:
		return hashNumber(math.Float64bits(c.column.floats[at]))
	case place:
		return hashNumber(mix(math.Float64bits(c.column.lat[at])) + math.Float64bits(c.column.lon[at]))
	}
	ord := c.column.ords[at]
	if c.column.hashes == nil {
		return c.hashText(c.column.terms.Term(ord))
	}
	if c.column.hashes[ord] == 0 {
		c.column.hashes[ord] = c.hashText(c.column.terms.Term(ord))
	}
	return c.column.hashes[ord]
}

func (c *cardinality) collect(docs, owners []uint32) {
	if c.column.empty && c.missing == 0 {
		return
	}
	var ok bool
	if c.list, ok = reach(c.list, owners, distinct{}, 40, c.limits); !ok {
		return
	}
	for i, doc := range docs {
		d := &c.list[owners[i]]
		if !c.column.valued(doc) {
			if c.missing != 0 {
				d.add(c.missing, c.precision, c.limits)
			}
			continue
		}
		for from, to := c.column.span(doc); from < to; from++ {
			d.add(c.hashAt(from), c.precision, c.limits)
		}
	}
}

func (d *distinct) add(hash uint64, precision int, l *limits) {
	if d.sketch != nil {
		d.sketch.InsertHash(hash)
		return
	}
	if 2*d.count >= len(d.hashes) {
		d.grow(l)
	}
	if !d.insert(hash) {
		return
	}
	if d.count > precision {
		d.estimate(l)
	}
}

// insert reports whether the hash is new.
func (d *distinct) insert(hash uint64) bool {
	mask := uint64(len(d.hashes) - 1) //nolint:gosec // there is at least one place
	for i := hash & mask; ; i = (i + 1) & mask {
		switch d.hashes[i] {
		case hash:
			return false
		case 0:
			d.hashes[i] = hash
			d.count++
			return true
		}
	}
}

func (d *distinct) grow(l *limits) {
	old := d.hashes
	d.hashes, d.count = make([]uint64, max(8, 2*len(old))), 0
	l.charge(8 * (len(d.hashes) - len(old)))
	for _, hash := range old {
		if hash != 0 {
			d.insert(hash)
		}
	}
}

// estimate goes over from counting to estimating.
func (d *distinct) estimate(l *limits) {
	d.sketch = hyperloglog.New14()
	for _, hash := range d.hashes {
		if hash != 0 {
			d.sketch.InsertHash(hash)
		}
	}
	l.charge(1<<14 - 8*len(d.hashes))
	d.hashes = nil
}

// value implements valued.
func (c *cardinality) value(owner uint32, _ string) float64 { return float64(c.get(owner)) }

func (c *cardinality) get(owner uint32) int64 {
	if int64(owner) >= int64(len(c.list)) {
		return 0
	}
	if d := &c.list[owner]; d.sketch == nil {
		return int64(d.count)
	}
	return int64(c.list[owner].sketch.Estimate()) //nolint:gosec // not so many values
}

func (c *cardinality) write(w *writer, owner uint32) {
	w.name("value")
	w.whole(c.get(owner))
}
