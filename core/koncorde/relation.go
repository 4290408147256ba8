package koncorde

// What two conditions on one path say about each other. The answers are safe, not complete: false means not known.

// within reports whether b is true whenever a is.
func within(a, b *condition) bool {
	if a == b {
		return true
	}
	if a.path != b.path || a.path == "" {
		return false
	}
	if _, ok := b.tester.(exists); ok {
		return true
	}
	switch t := a.tester.(type) {
	case equals:
		return b.test(t.want.value())
	case span:
		other, ok := b.tester.(span)
		return ok && t.within(other)
	}
	return false
}

// apart reports whether a and b are never both true.
func apart(a, b *condition) bool {
	if a == b || a.path != b.path || a.path == "" {
		return false
	}
	if e, ok := a.tester.(equals); ok {
		return !b.test(e.want.value())
	}
	if e, ok := b.tester.(equals); ok {
		return !a.test(e.want.value())
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
	for _, kind := range a.kinds() {
		if canBe(b, byte(kind)) {
			return false
		}
	}
	return true
}

// implies reports whether m is true whenever l is.
func (l literal) implies(m literal) bool {
	switch {
	case !l.negative && !m.negative:
		return within(l.condition, m.condition)
	case !l.negative:
		return apart(l.condition, m.condition)
	case m.negative:
		return within(m.condition, l.condition)
	}
	return false
}

func (l literal) not() literal { return literal{l.condition, !l.negative} }
