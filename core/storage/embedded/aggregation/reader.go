package aggregation

import (
	"github.com/go-json-experiment/json/jsontext"
)

// reader gives the numbers of a field, one by one.
type reader struct {
	column  column
	missing *value
}

// open finds the numbers of a field in a segment; raw stands for the value of documents without one. what is the name of the
// aggregation's type.
func (r *reader) open(t *target, path, what string, raw jsontext.Value) error {
	var err error
	if r.column, err = openColumn(t, path, what); err != nil {
		return err
	}
	r.missing = nil
	if raw != nil {
		r.missing, err = numberValue(raw, r.column.field, t.now)
	}
	return err
}

// nothing reports whether no document has a number.
func (r *reader) nothing() bool { return r.column.empty && r.missing == nil }

// each calls visit with the numbers of documents, those of one ascending, and with the index of the document in docs. It ends
// early when the limits do.
func (r *reader) each(docs []uint32, l *limits, visit func(i int, x float64)) {
	c := &r.column
	for i, doc := range docs {
		if !c.has(doc) {
			if r.missing != nil {
				visit(i, r.missing.number())
			}
			continue
		}
		from, to := c.span(doc)
		if l.spend(int(to - from)) {
			return
		}
		for ; from < to; from++ {
			if c.kind == whole {
				visit(i, float64(c.ints[from]))
			} else {
				visit(i, c.floats[from])
			}
		}
	}
}
