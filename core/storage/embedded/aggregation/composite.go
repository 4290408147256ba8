package aggregation

import (
	"bytes"
	"slices"

	"github.com/sluicehq/sluice/core/storage/query"
)

// composite makes a bucket for each combination of values. A key is the number of a combination in dictionary, whose bytes are in
// the order of the combinations.
type composite struct {
	buckets
	of         *query.Composite
	parts      []*compositePart
	dictionary dictionary
	after      []byte // combinations up to this one get no bucket; nil when all may
	// most is the last combination that can still be in the answer, nil as long as all can; it is found anew when there are
	// so many buckets.
	most   []byte
	prune  int
	last   []uint32 // by bucket, one more than the place in the batch of the document that was counted last
	values [][][]byte
}

// minPrune is how many combinations are kept at least before those are looked for that cannot be in the answer.
const minPrune = 4096

func newComposite(of *query.Composite, a query.Aggregation, l *limits) (*composite, error) {
	b, err := newBuckets(a, l)
	c := &composite{buckets: b, of: of, dictionary: newDictionary(l), prune: max(minPrune, 4*of.Size)}
	c.keyOrder = func(a, b uint64) int { return bytes.Compare(c.dictionary.term(a), c.dictionary.term(b)) }
	for i := range of.Sources {
		c.parts = append(c.parts, newCompositePart(&of.Sources[i], l))
	}
	c.values = make([][][]byte, len(c.parts))
	return c, err
}

func (c *composite) open(t *target) error {
	c.after = nil
	for i, p := range c.parts {
		if err := p.open(t); err != nil {
			return err
		}
		if c.of.After != nil {
			piece, err := p.read(c.of.After[i], t.now)
			if err != nil {
				return err
			}
			c.after = append(c.after, piece...)
		}
	}
	return c.subs.open(t)
}

func (c *composite) collect(docs, owners []uint32) {
	clear(c.last)
	for i, doc := range docs {
		complete := true
		for k, p := range c.parts {
			c.values[k] = p.of(doc, c.values[k][:0])
			complete = complete && len(c.values[k]) > 0
		}
		if complete {
			c.combine(doc, uint32(i), owners[i], nil, 0)
		}
		if c.limits.spend(len(c.parts)) {
			return
		}
	}
	c.flush()
}

// combine goes through the combinations of the values of a document that begin with some.
func (c *composite) combine(doc, i, owner uint32, begin []byte, k int) {
	if k == len(c.parts) {
		c.place(doc, i, owner, begin)
		return
	}
	for _, piece := range c.values[k] {
		if c.limits.spend(1) {
			return
		}
		c.combine(doc, i, owner, append(slices.Clip(begin), piece...), k+1)
	}
}

// place counts a document once in the bucket of a combination.
func (c *composite) place(doc, i, owner uint32, combination []byte) {
	if c.after != nil && bytes.Compare(combination, c.after) <= 0 || c.most != nil && bytes.Compare(combination, c.most) > 0 {
		return
	}
	bucket := c.bucket(owner, c.dictionary.id(combination))
	if more := len(c.keys) - len(c.last); more > 0 {
		c.limits.charge(4 * more)
		c.last = append(c.last, make([]uint32, more)...)
	}
	if c.last[bucket] != i+1 {
		c.last[bucket] = i + 1
		c.hit(doc, bucket)
	}
	if len(c.keys) > c.prune {
		c.bound()
	}
}

// bound finds the last combination that can be in the answer.
func (c *composite) bound() {
	c.prune += max(minPrune, 4*c.of.Size)
	if c.limits.spend(len(c.keys)) {
		return
	}
	ids := slices.Clone(c.keys[1:])
	slices.SortFunc(ids, c.keyOrder)
	c.most = slices.Clone(c.dictionary.term(ids[min(c.of.Size, len(ids))-1]))
}

func (c *composite) write(w *writer, owner uint32) {
	list := c.candidates(owner, 1, 0)
	bytes := cap(list) * candidateBytes
	defer func() { c.limits.charge(-bytes) }()
	if !w.add(min(len(list), c.of.Size)) {
		return
	}
	list = best(list, c.of.Size, func(a, b candidate) int { return c.keyOrder(a.key, b.key) }, c.limits)
	if len(list) > 0 {
		w.name("after_key")
		c.writeKey(w, list[len(list)-1])
	}
	c.writeBuckets(w, list, nil, func(b candidate) {
		w.name("key")
		c.writeKey(w, b)
	})
}

func (c *composite) writeKey(w *writer, b candidate) {
	rest := c.dictionary.term(b.key)
	w.object(func() {
		for _, p := range c.parts {
			w.name(p.source.Name)
			rest = p.write(w, rest)
		}
	})
}
