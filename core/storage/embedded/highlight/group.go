package highlight

// part is what a clause says of a document, as far as the text of one field tells: whether it matches, and what it found.
type part interface {
	judge(found [][]match) (verdict, []match)
}

// verdict says whether a clause matches. Of clauses for other fields that is not known.
type verdict int

const (
	no verdict = iota
	maybe
	yes
)

func (v verdict) judge([][]match) (verdict, []match) { return v, nil }

// leaf is the number of a clause that looks for words.
type leaf int

func (l leaf) judge(found [][]match) (verdict, []match) {
	if len(found[l]) == 0 {
		return no, nil
	}
	return yes, found[l]
}

// group combines clauses as a bool does. What it found is nothing when it does not match.
type group struct {
	must, should, not []part
	needed            int
}

func (g *group) judge(found [][]match) (verdict, []match) {
	result := yes
	for _, p := range g.not {
		switch v, _ := p.judge(found); v {
		case yes:
			return no, nil
		case maybe:
			result = maybe
		}
	}
	var matches []match
	for _, p := range g.must {
		v, some := p.judge(found)
		result, matches = min(result, v), append(matches, some...)
	}
	sure, possible := 0, 0
	for _, p := range g.should {
		v, some := p.judge(found)
		if v == yes {
			sure++
		}
		if v != no {
			possible++
		}
		matches = append(matches, some...)
	}
	switch {
	case result == no || possible < g.needed:
		return no, nil
	case sure < g.needed:
		return maybe, matches
	}
	return result, matches
}

// anyOf matches what one of the parts does.
func anyOf(parts []part) part { return &group{should: parts, needed: 1} }

// distinct leaves out words that the same group asks for again, as Lucene does where that changes no match. Groups of which one part is
// enough are one with that around them.
func (w *words) distinct(parts []part, flat bool) []part {
	var list []part
	seen := map[int]bool{}
	for _, p := range parts {
		if l, ok := p.(leaf); ok && seen[w.keys[l]] {
			continue
		} else if ok {
			seen[w.keys[l]] = true
		}
		if g, ok := p.(*group); ok && flat && g.plain() {
			list = append(list, g.should...)
			continue
		}
		list = append(list, p)
	}
	if len(list) > len(parts) {
		return w.distinct(list, false)
	}
	return list
}

// plain reports whether one part is enough, and nothing else is asked for.
func (g *group) plain() bool { return g.needed <= 1 && len(g.must) == 0 && len(g.not) == 0 }
