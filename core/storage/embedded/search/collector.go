package search

import (
	"cmp"
	"slices"
	"sort"

	"github.com/RoaringBitmap/roaring/v2"
)

// collector keeps the best documents of one view.
type collector struct {
	readers []reader
	most    int
	floor   floor
	// limit is what the first key of a document must not be behind, which is of the worst hit of the views before.
	limit   int64
	limited bool

	// heap has the worst entry first. The numbers of entry e behind the first are rest[e.slot*n:], with n other readers.
	heap []entry
	rest []int64

	// groups is nil when every document may become a hit, not only the best one of each group.
	groups *groups

	first, numbers []int64 // room for a batch and for one document
	err            error
}

// entry is a document that may become a hit.
type entry struct {
	number int64
	doc    uint32
	score  float32
	slot   int32
}

// floor is what hits must come behind. Without values that is nothing.
type floor struct {
	values  []value
	numbers []int64
	// doc is the last document that is not taken of those that are equal to the values; -1 takes every one, noDoc none.
	doc int64
}

func newCollector(readers []reader, most int, after []value, doc int64) *collector {
	c := &collector{readers: readers, most: most, floor: floor{values: after, doc: doc}}
	if after != nil {
		for i, r := range readers {
			c.floor.numbers = append(c.floor.numbers, r.bound(after[i]))
		}
	}
	c.numbers = make([]int64, len(readers))
	return c
}

// limitTo leaves out what is behind the first key of the worst hit so far.
func (c *collector) limitTo(v value) { c.limit, c.limited = c.readers[0].bound(v), true }

// add takes documents with their scores, of which there may be more. scores is nil when no key reads them and hits have none.
func (c *collector) add(docs []uint32, scores []float32) {
	if c.most == 0 {
		return
	}
	if len(docs) > len(c.first) {
		c.first = make([]int64, min(2*len(docs), batchDocs))
	}
	first := c.first[:len(docs)]
	c.readers[0].fill(docs, scores, first)
	for i, doc := range docs {
		number := first[i]
		if c.limited && number > c.limit || len(c.heap) == c.most && number > c.heap[0].number {
			continue
		}
		e := entry{number: number, doc: doc}
		if scores != nil {
			e.score = scores[i]
		}
		c.offer(e)
	}
}

// offer takes a document whose first number is not too great.
func (c *collector) offer(e entry) {
	if c.groups != nil {
		c.offerGrouped(e)
		return
	}
	full := len(c.heap) == c.most
	if len(c.readers) == 1 && c.floor.values == nil && full && e.number == c.heap[0].number && e.doc > c.heap[0].doc && !c.undecided(0) {
		return
	}
	numbers := c.read(e)
	if c.floor.values != nil && !c.passes(e, numbers) {
		return
	}
	others := len(c.readers) - 1
	if !full {
		e.slot = int32(len(c.heap)) //nolint:gosec // at most the window of a search
		c.rest = append(c.rest, numbers[1:]...)
		c.heap = append(c.heap, e)
		c.rise(len(c.heap) - 1)
		return
	}
	if c.order(e, numbers, c.heap[0]) > 0 {
		return
	}
	e.slot = c.heap[0].slot
	copy(c.rest[int(e.slot)*others:], numbers[1:])
	c.heap[0] = e
	c.sink(0)
}

// read gives all numbers of a document, which are valid until the next call.
func (c *collector) read(e entry) []int64 {
	c.numbers[0] = e.number
	if len(c.readers) > 1 {
		docs, scores := [1]uint32{e.doc}, [1]float32{e.score}
		for i, r := range c.readers[1:] {
			r.fill(docs[:], scores[:], c.numbers[i+1:i+2])
		}
	}
	return c.numbers
}

// passes reports whether a document comes behind the floor.
func (c *collector) passes(e entry, numbers []int64) bool {
	for i, number := range numbers {
		if order := cmp.Compare(number, c.floor.numbers[i]); order != 0 {
			return order > 0
		}
		if order := c.decide(i, e.doc, c.floor.values[i]); order != 0 {
			return order > 0
		}
	}
	return int64(e.doc) > c.floor.doc
}

// behindFloor gives those of s that come behind the floor, which is then done with. The documents of the view are
// in the order of the first key, and there is no other; all have one score.
func (c *collector) behindFloor(v *view, s set, score float32) set {
	from := sort.Search(int(v.n), func(i int) bool {
		docs, scores := [1]uint32{uint32(i)}, [1]float32{score} //nolint:gosec // the number of a document
		c.readers[0].fill(docs[:], scores[:], c.numbers)
		return c.passes(entry{doc: docs[0], score: score}, c.numbers)
	})
	c.floor = floor{}
	behind := roaring.New()
	behind.AddRange(uint64(from), uint64(v.n)) //nolint:gosec // the number of a document
	return and(v, v.n, s, docs{behind})
}

func (c *collector) undecided(i int) bool {
	_, ok := c.readers[i].(decider)
	return ok
}

// decide compares a document with a value whose number is the same.
func (c *collector) decide(i int, doc uint32, v value) int {
	d, ok := c.readers[i].(decider)
	if !ok {
		return 0
	}
	order, err := d.decide(doc, v)
	if err != nil {
		c.err = err
	}
	return order
}

// order compares a document, whose numbers were read, with an entry of the heap.
func (c *collector) order(e entry, numbers []int64, other entry) int {
	others := len(c.readers) - 1
	rest := c.rest[int(other.slot)*others:]
	for i, number := range numbers {
		theirs := other.number
		if i > 0 {
			theirs = rest[i-1]
		}
		if order := cmp.Compare(number, theirs); order != 0 {
			return order
		}
		if !c.undecided(i) {
			continue
		}
		v, err := c.readers[i].value(other.doc, other.score)
		if err != nil {
			c.err = err
		}
		if order := c.decide(i, e.doc, v); order != 0 {
			return order
		}
	}
	return cmp.Compare(e.doc, other.doc)
}

// compare gives the order of two entries of the heap.
func (c *collector) compare(a, b entry) int {
	c.numbers[0] = a.number
	others := len(c.readers) - 1
	copy(c.numbers[1:], c.rest[int(a.slot)*others:])
	return c.order(a, c.numbers, b)
}

func (c *collector) swap(i, j int) {
	c.heap[i], c.heap[j] = c.heap[j], c.heap[i]
	if c.groups != nil {
		c.groups.moved(c.heap[i], i)
		c.groups.moved(c.heap[j], j)
	}
}

func (c *collector) rise(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if c.compare(c.heap[i], c.heap[parent]) < 0 {
			return
		}
		c.swap(i, parent)
		i = parent
	}
}

func (c *collector) sink(i int) {
	for {
		worst := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(c.heap); child++ {
			if c.compare(c.heap[child], c.heap[worst]) > 0 {
				worst = child
			}
		}
		if worst == i {
			return
		}
		c.swap(i, worst)
		i = worst
	}
}

// sorted ends collecting and gives the entries, the best first.
func (c *collector) sorted() ([]entry, error) {
	slices.SortFunc(c.heap, c.compare)
	return c.heap, c.err
}

// values gives what an entry is sorted by.
func (c *collector) values(e entry) ([]value, error) {
	values := make([]value, len(c.readers))
	for i, r := range c.readers {
		var err error
		if values[i], err = r.value(e.doc, e.score); err != nil {
			return nil, err
		}
	}
	return values, nil
}
