package aggregation

import (
	"math"
	"strconv"

	"github.com/sluicehq/sluice/core/storage/query"
)

// percentiles tells below which numbers shares of the values lie.
type percentiles struct {
	of     *query.Percentiles
	limits *limits
	format format
	list   []digest // by owner

	reader reader // of the segment that is open
}

// digestBytes is what a digest needs without its groups.
const digestBytes = 72

func (p *percentiles) open(t *target) error {
	err := p.reader.open(t, p.of.Field, "percentiles", p.of.Missing)
	if f := p.reader.column.field; f != nil && !p.format.some() {
		p.format = formatOf(f)
	}
	return err
}

func (p *percentiles) collect(docs, owners []uint32) {
	if p.reader.nothing() {
		return
	}
	var ok bool
	if p.list, ok = reach(p.list, owners, digest{}, digestBytes, p.limits); !ok {
		return
	}
	p.reader.each(docs, p.limits, func(i int, x float64) { p.list[owners[i]].add(x, p.of.Compression, p.limits) })
}

func (p *percentiles) quantile(owner uint32, percent float64) float64 {
	if int64(owner) >= int64(len(p.list)) {
		return math.NaN()
	}
	return p.list[owner].quantile(percent / 100)
}

// value implements valued.
func (p *percentiles) value(owner uint32, of string) float64 {
	percent, err := strconv.ParseFloat(of, 64)
	if err != nil { // not reached: the parser of queries has read it
		return math.NaN()
	}
	return p.quantile(owner, percent)
}

func (p *percentiles) write(w *writer, owner uint32) {
	w.name("values")
	if p.of.Keyed {
		w.object(func() { p.writeKeyed(w, owner) })
		return
	}
	w.list(func() {
		for _, percent := range p.of.Percents {
			w.object(func() {
				w.name("key")
				w.floating(percent)
				w.name("value")
				w.number("value_as_string", p.quantile(owner, percent), p.format)
			})
		}
	})
}

func (p *percentiles) writeKeyed(w *writer, owner uint32) {
	for _, percent := range p.of.Percents {
		name := string(appendFloat(nil, percent))
		w.name(name)
		w.number(name+"_as_string", p.quantile(owner, percent), p.format)
	}
}
