package highlight

import (
	"cmp"
	"slices"
)

// plain cuts each value before the word with which a fragment is long enough, and gives those with the most words found.
func (f *field) plain(w *writer, matches []match) []string {
	marked := map[int]int{} // clauses by the words they found
	for _, m := range matches {
		for _, number := range m.tokens {
			marked[number] = m.clause
		}
	}
	var best []passage
	for number := range w.text.values {
		list := w.text.cut(number, f.FragmentSize, f.Fragments == 0, marked)
		list = slices.DeleteFunc(list, func(p passage) bool { return p.score == 0 })
		slices.SortStableFunc(list, func(a, b passage) int { return cmp.Compare(b.score, a.score) })
		if f.Fragments > 0 {
			list = list[:min(f.Fragments, len(list))]
		}
		slices.SortFunc(list, func(a, b passage) int { return cmp.Compare(a.from, b.from) })
		best = append(best, list...)
	}
	if f.ByScore {
		slices.SortStableFunc(best, func(a, b passage) int { return cmp.Compare(b.score, a.score) })
	}
	if f.Fragments > 0 {
		best = best[:min(f.Fragments, len(best))]
	}
	shown := make([]string, len(best))
	for i, p := range best {
		shown[i] = w.write(p.span, p.matches)
	}
	return shown
}

// cut makes fragments of a value. Their score is how many different words were found.
func (t *text) cut(number, size int, whole bool, marked map[int]int) []passage {
	value, last := t.values[number], len(t.tokens)
	if number+1 < len(t.first) {
		last = t.first[number+1]
	}
	list := []passage{{span: value}}
	seen := map[string]bool{}
	length, behind := value.to-value.from, value.from
	for i := t.first[number]; i < last; i++ {
		token := &t.tokens[i]
		current := &list[len(list)-1]
		end := token.to - value.from
		if !whole && behind > value.from && end >= size*len(list) && length-end >= size/2 {
			current.to = behind
			list = append(list, passage{span: span{behind, value.to}})
			current = &list[len(list)-1]
			clear(seen)
		}
		if clause, ok := marked[i]; ok {
			current.matches = append(current.matches, match{span: token.span, clause: clause})
			if !seen[string(token.term)] {
				seen[string(token.term)] = true
				current.score++
			}
		}
		behind = max(behind, token.to)
	}
	return list
}

// plainBeginning gives the words at the begin of the first value that are not too long together.
func (f *field) plainBeginning(w *writer) []string {
	first := w.text.values[0]
	end := first.from
	for _, token := range w.text.tokens {
		if token.to > first.to {
			break
		}
		if token.to-first.from > f.NoMatchSize {
			break
		}
		end = token.to
	}
	if end == first.from {
		return nil
	}
	return []string{w.write(span{first.from, end}, nil)}
}
