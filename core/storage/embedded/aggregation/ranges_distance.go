package aggregation

import (
	"cmp"
	"math"

	"github.com/sluicehq/sluice/core/storage/query"
)

// distanceRanges are ranges of how far away from a point places are.
type distanceRanges struct{ numberRanges }

func (d *distanceRanges) open(t *target) error {
	var err error
	if d.reader.column, err = openColumn(t, d.of.Field, string(d.of.Kind)); err != nil {
		return err
	}
	return d.readRanges(t.now)
}

func (d *distanceRanges) collect(docs []uint32, l *limits, hit func(i, number int)) {
	c := &d.reader.column
	clear(d.spans.taken)
	for i, doc := range docs {
		if !c.has(doc) {
			continue
		}
		from, to := c.span(doc)
		if l.spend(int(to - from)) {
			return
		}
		for ; from < to; from++ {
			x := d.of.Origin.Metres(query.Point{Lat: c.lat[from], Lon: c.lon[from]}, d.of.Plane) / d.of.Metres
			d.spans.each(i, x, func(number int) { hit(i, number) })
		}
	}
}

func (d *distanceRanges) name(number int) string {
	r := d.list[number]
	if r.from == 0 {
		r.from = math.Inf(-1)
	}
	return cmp.Or(r.key, d.text(r.from)+"-"+d.text(r.to))
}

// bounds writes 0 for a lower bound that is absent, as Elasticsearch does.
func (d *distanceRanges) bounds(w *writer, number int) {
	r := d.list[number]
	d.bound(w, "from", max(r.from, 0))
	d.bound(w, "to", r.to)
}
