package koncorde

import "regexp"

// condition is an elementary question about what a document has under one path. It never changes.
type condition struct {
	// path is dotted; empty is the whole document.
	path string
	tester
	// key is the condition as a JSON array: equal keys mean the same.
	key string
}

// tester decides about the value under a path. Absent values are never tested: every condition is false of them.
type tester interface {
	// test spends what it costs; what it returns counts for nothing when b was left undecided.
	test(v *value, b *budget) bool
	// appendKey writes its canonical form: members of a JSON array, after its name and the path.
	appendKey(dst []byte) []byte
	name() string
	// kinds are the kinds of values, as in jsontext, of which it can be true.
	kinds() string
}

func newCondition(path string, t tester) *condition {
	key := append([]byte(`["`), t.name()...)
	key = appendString(append(key, `",`...), path)
	key = append(t.appendKey(append(key, ',')), ']')
	return &condition{path: path, tester: t, key: string(key)}
}

func (c *condition) matches(d *Document, b *budget) bool {
	if !b.compare(1) {
		return false
	}
	v := d.at(c.path, b)
	return v != nil && b.compare(len(v.text)/bytesPerComparison) && c.test(v, b)
}

const (
	anyKind     = `ntf"0{[`
	scalarKinds = `ntf"0`
)

// equals: the value is this scalar.
type equals struct{ want scalar }

func (e equals) test(v *value, _ *budget) bool { return v.isScalar() && v.scalar() == e.want }
func (e equals) appendKey(dst []byte) []byte   { return appendValue(dst, e.want.value()) }
func (e equals) name() string                  { return "equals" }
func (e equals) kinds() string                 { return scalarKinds }

// exists: there is a value.
type exists struct{}

func (exists) test(*value, *budget) bool   { return true }
func (exists) appendKey(dst []byte) []byte { return append(dst, "true"...) }
func (exists) name() string                { return "exists" }
func (exists) kinds() string               { return anyKind }

// holds: the value is an array with this scalar in it.
type holds struct{ want scalar }

func (h holds) test(v *value, b *budget) bool {
	if !b.pass(len(v.items)) {
		return false
	}
	for i := range v.items {
		if item := &v.items[i]; item.isScalar() && item.scalar() == h.want {
			return true
		}
	}
	return false
}

func (h holds) appendKey(dst []byte) []byte { return appendValue(dst, h.want.value()) }
func (h holds) name() string                { return "holds" }
func (h holds) kinds() string               { return "[" }

// pattern: the value is a string of at most maxSearchedBytes in which the expression is found.
type pattern struct {
	source, flags string
	compiled      *regexp.Regexp
	// steps are those of the compiled expression: a byte of text takes each of them once at most.
	steps int
	// grams are in every string in which it is found; none when that cannot be said.
	grams []gram
}

func (p pattern) test(v *value, b *budget) bool {
	return v.kind == '"' && len(v.text) <= maxSearchedBytes && b.run(p.steps*(1+len(v.text))) && p.compiled.MatchString(v.text)
}

func (p pattern) appendKey(dst []byte) []byte {
	dst = append(appendString(dst, p.source), ',')
	return appendString(dst, p.flags)
}
func (p pattern) name() string  { return "regexp" }
func (p pattern) kinds() string { return `"` }

// element: the value is an array that has an element at index, counted from the end when negative, which query matches
// under the name `value`.
type element struct {
	index int
	query *Normal
}

func (e element) test(v *value, b *budget) bool {
	i := e.index
	if i < 0 {
		i += len(v.items)
	}
	if i < 0 || i >= len(v.items) {
		return false
	}
	only := [1]member{{"value", v.items[i]}}
	return e.query.match(&Document{root: value{kind: '{', members: only[:]}, dotted: true}, b)
}

// held gives a scalar that the array must hold, if there is one.
func (e element) held() (scalar, bool) {
	if len(e.query.terms) != 1 {
		return scalar{}, false
	}
	for _, l := range e.query.terms[0] {
		if want, ok := l.tester.(equals); ok && !l.negative && l.path == "value" {
			return want.want, true
		}
	}
	return scalar{}, false
}

func (e element) appendKey(dst []byte) []byte {
	dst = append(appendFloat(dst, float64(e.index)), ',')
	return e.query.AppendCanonical(dst)
}
func (e element) name() string  { return "select" }
func (e element) kinds() string { return "[" }

// place: the value is a point inside a shape, or a point outside of it. Neither holds of what is no point.
type place struct {
	shape   shape
	outside bool
}

func (p place) test(v *value, b *budget) bool {
	at, ok := parsePoint(v)
	return ok && p.holds(at, b)
}

func (p place) holds(at point, b *budget) bool {
	return b.pass(p.shape.corners()) && p.shape.contains(at) != p.outside
}

func (p place) appendKey(dst []byte) []byte { return p.shape.append(dst) }

func (p place) name() string {
	if p.outside {
		return "outside"
	}
	return "inside"
}
func (p place) kinds() string { return `"{[` }
