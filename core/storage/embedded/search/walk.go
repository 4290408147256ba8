package search

import (
	"sort"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

// walk offers the best documents of a set to a collector along the order of the values of a column, when that is less work
// than looking at all of the set. It reports false when it is not, and then has done nothing. size is how many documents are
// in the set; scores is nil or has the score of all of them, often enough for a batch.
func walk(v *view, c *collector, s set, size int, scores []float32) bool {
	switch r := c.readers[0].(type) {
	case *numbers[int64]:
		return walkColumn(v, c, r, s, size, scores)
	case *numbers[float64]:
		return walkColumn(v, c, r, s, size, scores)
	}
	return false
}

// walkBatch is how many documents are looked at together.
const walkBatch = 64

func walkColumn[T int64 | float64](v *view, c *collector, r *numbers[T], s set, size int, scores []float32) bool {
	column := r.column
	if column.Sorted == nil || column.Offsets != nil || size == 0 {
		return false
	}
	if r.present.Bitmap != nil && r.bound(r.missing) <= r.bound(value{number: r.ordered(edge(r, column))}) {
		return false // documents without a value are not last
	}
	// One of n/size documents of the column is in the set.
	if visits := c.most * len(column.Values) / size; visits*jumpCost*2 > size {
		return false
	}
	batch := make([]uint32, 0, walkBatch)
	taken := 0
	for i := r.start(c.floor); i < len(column.Sorted); {
		batch = batch[:0]
		for len(batch) < walkBatch && i < len(column.Sorted) {
			batch = append(batch, column.Sorted[r.place(i)])
			i++
		}
		if v.ended(len(batch)) {
			return true
		}
		kept := s.keep(batch)
		c.add(kept, scores)
		taken += len(kept)
		if i < len(column.Sorted) && taken >= c.most && len(c.heap) == c.most {
			if next := r.ordered(column.Ranks[r.place(i)]) ^ r.flip; next > c.heap[0].number {
				return true
			}
		}
		if c.limited && i < len(column.Sorted) && r.ordered(column.Ranks[r.place(i)])^r.flip > c.limit {
			return true
		}
	}
	if r.present.Bitmap != nil && len(c.heap) < c.most {
		_ = and(v, v.n, s, not(v.n, docs{r.present.Bitmap})).each(func(batch []uint32) error { // the error is that of ctx, which ends the view
			c.add(batch, scores)
			return v.stop(len(batch))
		})
	}
	return true
}

// start is how many values, in the order of the sort, come before a floor.
func (r *numbers[T]) start(f floor) int {
	if f.values == nil {
		return 0
	}
	return sort.Search(len(r.column.Ranks), func(i int) bool { return r.ordered(r.column.Ranks[r.place(i)])^r.flip >= f.numbers[0] })
}

// place is where the i-th value in the order of the sort stands.
func (r *numbers[T]) place(i int) int {
	if r.Desc {
		return len(r.column.Sorted) - 1 - i
	}
	return i
}

// edge is the last value in the order of the sort.
func edge[T int64 | float64](r *numbers[T], column *segment.Column[T]) T {
	return column.Ranks[r.place(len(column.Ranks)-1)]
}
