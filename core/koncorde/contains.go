package koncorde

// contains: the value, which is the whole document, has all that want has: the same scalars, objects with at least the
// members wanted, arrays with at least the elements wanted, in any order, each of them another one.
type contains struct{ want value }

func (c contains) test(v *value, b *budget) bool { return hasAll(&c.want, v, b) }
func (c contains) appendKey(dst []byte) []byte   { return appendValue(dst, &c.want) }
func (c contains) name() string                  { return "match" }
func (c contains) kinds() string                 { return "{" }

func hasAll(want, have *value, b *budget) bool {
	if !b.compare(1) || want.kind != have.kind {
		return false
	}
	switch want.kind {
	case '{':
		for i := range want.members {
			if !b.pass(len(have.members)) {
				return false
			}
			inner := have.member(want.members[i].name)
			if inner == nil || !hasAll(&want.members[i].value, inner, b) {
				return false
			}
		}
		return true
	case '[':
		return len(want.items) <= len(have.items) && b.compare(len(want.items)+len(have.items)) &&
			hasScalars(want.items, have.items) && hasContainers(want.items, have.items, b)
	}
	return b.compare(len(have.text)/bytesPerComparison) && want.scalar() == have.scalar()
}

// hasScalars counts: a scalar can only stand for an equal one.
func hasScalars(want, have []value) bool {
	left := map[scalar]int{}
	missing := 0
	for i := range want {
		if want[i].isScalar() {
			left[want[i].scalar()]++
			missing++
		}
	}
	for i := 0; i < len(have) && missing > 0; i++ {
		if !have[i].isScalar() {
			continue
		}
		if s := have[i].scalar(); left[s] > 0 {
			left[s]--
			missing--
		}
	}
	return missing == 0
}

// hasContainers gives each wanted object and array an element of its own. One element may do for several that are wanted,
// so taking the first that fits is not enough: an element is taken over when its owner finds another one (Kuhn's
// algorithm for matchings).
func hasContainers(want, have []value, b *budget) bool {
	var fits [][]int // per wanted container, the elements that would do
	for i := range want {
		if want[i].isScalar() {
			continue
		}
		var fit []int
		// As many candidates as there are elements wanted are always enough.
		for k := 0; k < len(have) && len(fit) < len(want); k++ {
			if hasAll(&want[i], &have[k], b) {
				fit = append(fit, k)
			}
		}
		if fit == nil {
			return false
		}
		fits = append(fits, fit)
	}
	owner := map[int]int{}
	for i := range fits {
		if !assign(i, fits, owner, map[int]bool{}, b) {
			return false
		}
	}
	return true
}

// assign finds an element for the wanted container i; owner says who has which. Elements in tried are not asked again.
func assign(i int, fits [][]int, owner map[int]int, tried map[int]bool, b *budget) bool {
	for _, k := range fits[i] {
		if !b.compare(1) {
			return false
		}
		if tried[k] {
			continue
		}
		tried[k] = true
		if holder, taken := owner[k]; !taken || assign(holder, fits, owner, tried, b) {
			owner[k] = i
			return true
		}
	}
	return false
}
