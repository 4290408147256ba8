package aggregation

import (
	"math"

	"github.com/sluicehq/sluice/core/storage/query"
)

// terms makes buckets of values. A key is the number of a text in dictionary, a whole number, or the bits of a floating one.
type terms struct {
	buckets
	of         *query.TermsAggregation
	name       string
	filter     filter
	order      ordering
	kind       kind // of all keys; unmapped as long as there are none
	format     format
	dictionary dictionary
	// every has the keys of all live documents when those without documents are wanted too.
	every     table
	everyKeys []uint64

	// Of the segment that is open.
	column  column
	missing *value
	rows    [][]uint32 // by owner, then ordinal: one more than the bucket; 0 where it was not looked up yet
	room    int        // how much rows may still hold
	// rowBytes is what is charged for rows.
	rowBytes int
	total    int      // documents that are collected
	having   []uint32 // the documents of a batch that have a value
}

func newTerms(of *query.TermsAggregation, a query.Aggregation, l *limits) (*terms, error) {
	f, err := newFilter(of, l)
	if err != nil {
		return nil, err
	}
	b, err := newBuckets(a, l)
	if err != nil {
		return nil, err
	}
	t := &terms{buckets: b, of: of, name: a.Name, filter: f, dictionary: newDictionary(l)}
	t.keyOrder = t.compareKeys
	t.order = newOrdering(of.Order, t.subs, t.compareKeys)
	return t, nil
}

func (t *terms) open(to *target) error {
	var err error
	if t.column, err = openColumn(to, t.of.Field, "terms"); err != nil {
		return err
	}
	if t.missing, err = t.column.missingValue(t.of.Missing, to.now); err != nil {
		return err
	}
	if err := t.unify(); err != nil {
		return err
	}
	if err := t.filter.open(t.name, t.keyKind(), t.column.field, to.now); err != nil {
		return err
	}
	t.total = to.docs
	t.openOrdinals(to)
	if t.of.MinDocCount == 0 {
		if err := t.addEvery(to); err != nil {
			return err
		}
	}
	if t.limits.err != nil {
		return t.limits.err
	}
	return t.subs.open(to)
}

// keyKind is the kind of the keys of the open column.
func (t *terms) keyKind() kind {
	k := t.column.kind
	switch {
	case k == unmapped && t.missing != nil:
		return text
	case k.integer() && t.kind != k && (t.kind.integer() || t.kind == floating):
		return floating
	}
	return k
}

// unify makes the keys so far and those of the open column comparable.
func (t *terms) unify() error {
	next := t.keyKind()
	if next == whole && t.missing != nil && t.missing.kind == floating {
		next = floating
	}
	if t.column.field != nil && !t.format.some() {
		t.format = formatOf(t.column.field)
	}
	switch {
	case next == unmapped || next == t.kind:
	case t.kind == unmapped:
		t.kind = next
	case t.kind.integer() && next == floating:
		t.convert()
	default:
		return refuse("the field [%s] of the aggregation [%s] has different types in the collections", t.of.Field, t.name)
	}
	return nil
}

// convert makes floating-point keys of whole ones.
func (t *terms) convert() {
	had := t.kind
	t.kind, t.table, t.every = floating, table{}, table{}
	for b := 1; b < len(t.keys); b++ {
		t.keys[b] = had.floatKey(int64(t.keys[b])) //nolint:gosec // the bits count
		t.table.set(t.table.find(t.owners[b], t.keys[b]), uint32(b))
	}
	for i, key := range t.everyKeys {
		t.everyKeys[i] = had.floatKey(int64(key)) //nolint:gosec // the bits count
		t.every.set(t.every.find(0, t.everyKeys[i]), uint32(i))
	}
}

// floatKey is the floating-point key of a whole one of kind k.
func (k kind) floatKey(n int64) uint64 {
	v := value{kind: k, whole: n}
	return v.key(floating)
}

func (t *terms) wholeKey(n int64) uint64 {
	if t.kind == floating {
		return t.column.kind.floatKey(n)
	}
	return uint64(n) //nolint:gosec // the bits count
}

// bucketOf gives the bucket of a key, which is made when there is none.
func (t *terms) bucketOf(owner uint32, key uint64) uint32 {
	e := t.table.find(owner, key)
	if e.number > 0 {
		return e.number - 1
	}
	b := uint32(rejected)
	if t.accepts(key) {
		b = t.make(owner, key)
	}
	t.table.set(e, b)
	t.limits.charge(entryBytes)
	return b
}

// accepts reports whether a key gets buckets.
func (t *terms) accepts(key uint64) bool {
	switch t.kind {
	case text, address:
		return t.filter.text(t.dictionary.term(key))
	case floating:
		if math.Float64frombits(key) == 0 {
			key = 0 // both zeros are listed as one
		}
	}
	return t.filter.number(key)
}

// missingKey is the key of documents without a value.
func (t *terms) missingKey() uint64 {
	if t.missing.text != nil || t.kind == text {
		return t.dictionary.id(t.missing.text)
	}
	return t.missing.key(t.kind)
}
