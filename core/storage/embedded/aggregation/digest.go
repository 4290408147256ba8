package aggregation

import (
	"cmp"
	"math"
	"slices"
)

// digest sums up numbers so that their percentiles can be told: exactly while there are few, then by groups of numbers that
// are near each other, which are the smaller the nearer they are to the ends. It is Dunning's t-digest. The zero digest is empty.
type digest struct {
	groups []grouped // ascending; numbers of their own while exact
	fresh  int       // how many at the end are not in order yet
	count  float64
	merged bool
	min    float64
	max    float64
}

// grouped are numbers near each other.
type grouped struct{ mean, count float64 }

const groupedBytes = 16

// exactly is how many numbers for each group of the answer are kept as they are, as in Elasticsearch.
const exactly = 20

func (d *digest) add(x, compression float64, l *limits) {
	if d.count == 0 {
		d.min, d.max = x, x
	}
	d.min, d.max = min(d.min, x), max(d.max, x)
	d.count++
	if len(d.groups) == cap(d.groups) {
		more := max(8, cap(d.groups))
		l.charge(groupedBytes * more)
		d.groups = slices.Grow(d.groups, more)
	}
	d.groups = append(d.groups, grouped{x, 1})
	d.fresh++
	if limit := exactly * max(compression, 10); float64(len(d.groups)) > limit {
		d.merge(compression)
	}
}

func (d *digest) order() {
	if d.fresh > 0 {
		slices.SortFunc(d.groups, func(a, b grouped) int { return cmp.Compare(a.mean, b.mean) })
		d.fresh = 0
	}
}

// merge puts numbers into groups.
func (d *digest) merge(compression float64) {
	d.order()
	d.merged = true
	steps := max(compression, 10) / math.Pi
	place := func(q float64) float64 { return steps * math.Asin(2*min(q, 1)-1) }
	kept, before := d.groups[:1], 0.0
	from := place(0)
	for _, g := range d.groups[1:] {
		last := &kept[len(kept)-1]
		if place((before+last.count+g.count)/d.count)-from <= 1 {
			last.count += g.count
			last.mean += (g.mean - last.mean) * g.count / last.count
			continue
		}
		before += last.count
		from = place(before / d.count)
		kept = append(kept, g)
	}
	d.groups = kept
}

// quantile tells below which number a share of the numbers lies, which is NaN when there are none.
func (d *digest) quantile(share float64) float64 {
	d.order()
	n := len(d.groups)
	if n == 0 {
		return math.NaN()
	}
	if !d.merged {
		at := share * float64(n-1)
		low := int(at)
		if low+1 >= n {
			return d.groups[n-1].mean
		}
		part := at - float64(low)
		return d.groups[low].mean + (d.groups[low+1].mean-d.groups[low].mean)*part
	}
	return d.between(share * d.count)
}

// between looks for the number before which so many of the numbers are: half of a group are below its mean.
func (d *digest) between(rank float64) float64 {
	place, mean := 0.0, d.min
	sum := 0.0
	for _, g := range d.groups {
		next := sum + g.count/2
		if rank < next {
			return mean + (g.mean-mean)*(rank-place)/(next-place)
		}
		place, mean = next, g.mean
		sum += g.count
	}
	if d.count == place {
		return d.max
	}
	return mean + (d.max-mean)*(rank-place)/(d.count-place)
}
