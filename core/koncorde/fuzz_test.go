package koncorde

import (
	"bytes"
	"fmt"
	"maps"
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
	filters = append(filters, ``, `null`, `{}`, `{"exists":"a\\[[\"]\"]"}`, `{"geoDistance":{"g":"u4pruydqqvj","distance":"1,5 Miles"}}`, `{"regexp":{"a":{"value":"(a|b)*c","flags":"ims"}}}`,
		`{"and":[{"range":{"a":{"gt":1}}},{"range":{"a":{"lte":5}}},{"not":{"range":{"a":{"gte":2,"lt":3}}}}]}`)
	documents = append(documents, ``, `{}`, `{"a.b":{"c":1},"a":{"b":{"c":2}}}`, `{"g":{"latLon":"1,2"},"l":[[1],{"a":1e400}]}`, `{"_id":{"a":1}}`, `{"":{"":1},".":2}`, `{"a":5}`)
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

// FuzzMatch matches anything against anything, with the expression as it is written, alone, and in a matcher among others.
func FuzzMatch(f *testing.F) {
	filters, documents := seeds()
	for i := range filters {
		f.Add([]byte(filters[i]), []byte(filters[(i+1)%len(filters)]), "id", []byte(documents[i]))
	}
	m, others := amongOthers(f, filters)
	f.Fuzz(func(t *testing.T, one, other []byte, id string, source []byte) {
		d, err := NewDocument(id, source)
		if err != nil {
			return
		}
		all := maps.Clone(others)
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
			defer m.Remove(name)
			all[name] = n
			if written := written(filter.root, d) == yes; written != n.Match(d) {
				t.Errorf("%s on %s: written %v, normal %v", raw, source, written, n.Match(d))
			}
		}
		found := map[string]int{}
		rooms, complete := m.AppendMatch(nil, d)
		for _, name := range rooms {
			found[name]++
		}
		if took := time.Since(start); took > tooLong {
			t.Errorf("took %v", took)
		}
		for name, n := range all {
			want := 0
			if n.Match(d) {
				want = 1
			}
			if found[name] != want && (complete || found[name] > want) {
				t.Errorf("%s: found %d times, want %d", name, found[name], want)
			}
		}
	})
}

// amongOthers makes a matcher with filters in it, and with enough regular expressions that they are looked up.
func amongOthers(f *testing.F, filters []string) (*Matcher, map[string]*Normal) {
	for i := range 2 * fewPatterns {
		filters = append(filters, fmt.Sprintf(`{"regexp":{"a":{"value":"ab%dc","flags":"i"}}}`, i))
	}
	m, all := NewMatcher(), map[string]*Normal{}
	for i, raw := range filters {
		filter, err := Parse([]byte(raw))
		if err != nil {
			f.Fatal(err)
		}
		n, err := filter.Normalise(0)
		if err != nil {
			f.Fatal(err)
		}
		name := fmt.Sprint("other ", i)
		m.Add(name, n)
		all[name] = n
	}
	return m, all
}

// written evaluates an expression as it was read, without normalising it.
func written(e *expression, d *Document) truth3 {
	switch e.op {
	case opNot:
		return -written(e.operands[0], d)
	case opTest:
		v := d.at(e.cond.path, unlimited())
		if p, ok := e.cond.tester.(place); ok {
			if v == nil {
				return unknown
			}
			if _, ok := parsePoint(v); !ok {
				return unknown
			}
			return truthOf(p.test(v, unlimited()))
		}
		return truthOf(v != nil && e.cond.test(v, unlimited()))
	case opQuery:
		v := d.at(e.query.path, unlimited())
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
