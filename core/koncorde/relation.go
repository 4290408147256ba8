package koncorde

import "strings"

// What two conditions of one normaliser, where the same condition is the same pointer, say about each other when they are
// on one path. The answers are safe, not complete: false means not known.

// within reports whether b is true whenever a is.
func within(a, b *condition, w *budget) bool {
	if a == b {
		return true
	}
	if a.path != b.path || a.path == "" || !w.compareKeys(a, b) {
		return false
	}
	if _, ok := b.tester.(exists); ok {
		return true
	}
	switch t := a.tester.(type) {
	case equals:
		_, other := b.tester.(equals) // another value: conditions that are the same are one
		return !other && b.test(t.want.value(), w)
	case span:
		other, ok := b.tester.(span)
		return ok && t.within(other)
	}
	return false
}

// apart reports whether a and b are never both true.
func apart(a, b *condition, w *budget) bool {
	if a == b || a.path != b.path || a.path == "" || !w.compareKeys(a, b) {
		return false
	}
	one, ok1 := a.tester.(equals)
	other, ok2 := b.tester.(equals)
	switch {
	case ok1 && ok2:
		return true
	case ok1:
		return !b.test(one.want.value(), w)
	case ok2:
		return !a.test(other.want.value(), w)
	}
	if shareNoKind(a, b) {
		return true
	}
	switch t := a.tester.(type) {
	case span:
		other, ok := b.tester.(span)
		return ok && t.apart(other)
	case place:
		other, ok := b.tester.(place)
		return ok && t.outside != other.outside && string(t.appendKey(nil)) == string(other.appendKey(nil))
	}
	return false
}

func shareNoKind(a, b tester) bool {
	return !strings.ContainsAny(a.kinds(), b.kinds())
}

// implies reports whether m is true whenever l is.
func (l literal) implies(m literal, w *budget) bool {
	switch {
	case !l.negative && !m.negative:
		return within(l.condition, m.condition, w)
	case !l.negative:
		return apart(l.condition, m.condition, w)
	case m.negative:
		return within(m.condition, l.condition, w)
	}
	return false
}

func (l literal) not() literal { return literal{l.condition, !l.negative} }

// compareKeys admits asking what two conditions say about each other, which takes long when their values are.
func (b *budget) compareKeys(one, other *condition) bool {
	return b.compare((len(one.key) + len(other.key)) / bytesPerComparison)
}
