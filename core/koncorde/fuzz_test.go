package koncorde

import (
	"bytes"
	"testing"
	"time"
)

// tooLong is far above what any filter within the bounds may take, even under the race detector on a busy machine.
const tooLong = 5 * time.Second

func seeds() (filters []string, documents []string) {
	r := newRandom(1)
	for range 40 {
		filters = append(filters, r.filter(r.IntN(4)))
		_, source := r.document()
		documents = append(documents, source)
	}
	filters = append(filters, ``, `null`, `{}`, `{"exists":"a\\[[\"]\"]"}`, `{"geoDistance":{"g":"u4pruydqqvj","distance":"1,5 Miles"}}`, `{"regexp":{"a":{"value":"(a|b)*c","flags":"ims"}}}`)
	documents = append(documents, ``, `{}`, `{"a.b":{"c":1},"a":{"b":{"c":2}}}`, `{"g":{"latLon":"1,2"},"l":[[1],{"a":1e400}]}`, `{"_id":{"a":1}}`, `{"":{"":1},".":2}`)
	return filters, documents
}

// FuzzParse reads anything: no panic, no endless work, and a normal form that does not change when it is made again.
func FuzzParse(f *testing.F) {
	filters, _ := seeds()
	for _, raw := range filters {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		start := time.Now()
		filter, err := Parse(raw)
		if err != nil {
			return
		}
		n, err := filter.Normalise(100)
		if took := time.Since(start); took > tooLong {
			t.Errorf("took %v", took)
		}
		if err != nil {
			return
		}
		if n.Conditions() > 100 {
			t.Errorf("%d conditions", n.Conditions())
		}
		again, err := filter.Normalise(100)
		if err != nil || !bytes.Equal(again.AppendCanonical(nil), n.AppendCanonical(nil)) {
			t.Errorf("first %s, then %s, %v", n.AppendCanonical(nil), again.AppendCanonical(nil), err)
		}
	})
}

// FuzzMatch matches anything against anything, with the expression as it is written, alone, and in a matcher.
func FuzzMatch(f *testing.F) {
	filters, documents := seeds()
	for i := range filters {
		f.Add([]byte(filters[i]), []byte(filters[(i+1)%len(filters)]), "id", []byte(documents[i]))
	}
	f.Fuzz(func(t *testing.T, one, other []byte, id string, source []byte) {
		d, err := NewDocument(id, source)
		if err != nil {
			return
		}
		m := NewMatcher()
		want := map[string]bool{}
		start := time.Now()
		for name, raw := range map[string][]byte{"one": one, "other": other} {
			filter, err := Parse(raw)
			if err != nil {
				return
			}
			n, err := filter.Normalise(100)
			if err != nil {
				return
			}
			m.Add(name, n)
			want[name] = n.Match(d)
			if written := written(filter.root, d) == yes; written != want[name] {
				t.Errorf("%s on %s: written %v, normal %v", raw, source, written, want[name])
			}
		}
		found := m.Match(d)
		if took := time.Since(start); took > tooLong {
			t.Errorf("took %v", took)
		}
		for name, matched := range want {
			n := 0
			for _, room := range found {
				if room == name {
					n++
				}
			}
			if matched != (n == 1) || n > 1 {
				t.Errorf("%s: alone %v, found %d times", name, matched, n)
			}
		}
	})
}

// written evaluates an expression as it was read, without normalising it.
func written(e *expression, d *Document) truth3 {
	switch e.op {
	case opNot:
		return -written(e.operands[0], d)
	case opTest:
		v := d.at(e.cond.path)
		if p, ok := e.cond.tester.(place); ok {
			if v == nil {
				return unknown
			}
			if _, ok := parsePoint(v); !ok {
				return unknown
			}
			return truthOf(p.test(v))
		}
		return truthOf(v != nil && e.cond.test(v))
	case opQuery:
		v := d.at(e.query.path)
		if v == nil || v.kind != '[' {
			return no
		}
		i := e.query.index
		if i < 0 {
			i += len(v.items)
		}
		if i < 0 || i >= len(v.items) {
			return no
		}
		inner := &Document{root: value{kind: '{', members: []member{{"value", v.items[i]}}}, dotted: true}
		return truthOf(written(e.query.query, inner) == yes)
	}
	result := yes
	if e.op == opOr {
		result = no
	}
	for _, operand := range e.operands {
		if e.op == opAnd {
			result = min(result, written(operand, d))
		} else {
			result = max(result, written(operand, d))
		}
	}
	return result
}
