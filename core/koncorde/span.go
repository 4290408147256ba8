package koncorde

// span: the value is a number between two bounds.
type span struct{ lower, upper bound }

// bound is one end of a span; the zero value is no end.
type bound struct {
	at        number
	set       bool
	inclusive bool
}

func (s span) test(v *value, _ *budget) bool { return v.kind == '0' && s.contains(v.number()) }

func (s span) contains(n number) bool { return s.lower.admitsAbove(n) && s.upper.admitsBelow(n) }

// admitsAbove reports whether n is on the right side of a lower bound.
func (b bound) admitsAbove(n number) bool {
	if !b.set {
		return true
	}
	c := n.compare(b.at)
	return c > 0 || c == 0 && b.inclusive
}

// admitsBelow reports whether n is on the right side of an upper bound.
func (b bound) admitsBelow(n number) bool {
	if !b.set {
		return true
	}
	c := n.compare(b.at)
	return c < 0 || c == 0 && b.inclusive
}

// compareLower orders lower bounds by where they begin to admit.
func compareLower(a, b bound) int { return compareBounds(a, b, -1) }

// compareUpper orders upper bounds by where they cease to admit.
func compareUpper(a, b bound) int { return compareBounds(a, b, 1) }

// compareBounds compares ends of one side; side is -1 for lower and 1 for upper bounds. No bound lies furthest out on its
// side, and an inclusive one further out than an exclusive one at the same number.
func compareBounds(a, b bound, side int) int {
	switch {
	case !a.set && !b.set:
		return 0
	case !a.set:
		return side
	case !b.set:
		return -side
	}
	c := a.at.compare(b.at)
	switch {
	case c != 0 || a.inclusive == b.inclusive:
		return c
	case a.inclusive:
		return side
	}
	return -side
}

// within reports whether every number of s is in other.
func (s span) within(other span) bool {
	return compareLower(s.lower, other.lower) >= 0 && compareUpper(s.upper, other.upper) <= 0
}

// apart reports whether no number is in both.
func (s span) apart(other span) bool {
	return s.upper.before(other.lower) || other.upper.before(s.lower)
}

// before reports whether the upper bound b ends before the lower bound other begins.
func (b bound) before(other bound) bool {
	if !b.set || !other.set {
		return false
	}
	c := b.at.compare(other.at)
	return c < 0 || c == 0 && (!b.inclusive || !other.inclusive)
}

// both gives the numbers that are in s and in other; there must be some.
func (s span) both(other span) span {
	if compareLower(other.lower, s.lower) > 0 {
		s.lower = other.lower
	}
	if compareUpper(other.upper, s.upper) < 0 {
		s.upper = other.upper
	}
	return s
}

// simplest gives the condition of a span that holds some number: equals when it holds one alone.
func (s span) simplest() tester {
	if s.lower.set && s.upper.set && s.lower.at == s.upper.at {
		return equals{scalar{kind: '0', num: s.lower.at.f, text: s.lower.at.exact}}
	}
	return s
}

func (s span) appendKey(dst []byte) []byte {
	dst = append(s.lower.append(dst, "gt"), ',')
	return s.upper.append(dst, "lt")
}

func (b bound) append(dst []byte, operator string) []byte {
	if !b.set {
		return append(dst, "null,null"...)
	}
	dst = append(append(dst, '"'), operator...)
	if b.inclusive {
		dst = append(dst, 'e')
	}
	return b.at.append(append(dst, `",`...))
}

func (s span) name() string  { return "range" }
func (s span) kinds() string { return "0" }
