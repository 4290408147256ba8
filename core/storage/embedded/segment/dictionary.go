package segment

import (
	"bytes"
	"sort"

	"github.com/blevesearch/vellum"
)

// dictionary is a sorted list of terms, all different.
type dictionary struct {
	n  int
	at func(i int) []byte
}

// search gives the first term from i on that is not before term.
func (d dictionary) search(i int, term []byte) int {
	return i + sort.Search(d.n-i, func(j int) bool { return bytes.Compare(d.at(i+j), term) >= 0 })
}

// between does what Terms.Between says, with places in the dictionary, until visit returns false.
func (d dictionary) between(from, to []byte, a vellum.Automaton, visit func(i int) bool) {
	i := d.search(0, from)
	if to != nil {
		d.n = max(i, d.search(0, to))
	}
	if a == nil {
		for ; i < d.n; i++ {
			if !visit(i) {
				return
			}
		}
		return
	}
	d.accepted(i, a, visit)
}

// accepted visits the terms from i on that a accepts. It does not look at terms that begin as none that a accepts does.
func (d dictionary) accepted(i int, a vellum.Automaton, visit func(i int) bool) {
	states := []int{a.Start()} // after each byte of walked
	if !a.CanMatch(states[0]) {
		return
	}
	var walked []byte
	for i < d.n {
		term := d.at(i)
		states = states[:1+common(walked, term)]
		walked = term[:len(states)-1]
		dead := false
		for !dead && len(walked) < len(term) {
			next := a.Accept(states[len(walked)], term[len(walked)])
			if dead = !a.CanMatch(next); !dead {
				states = append(states, next)
				walked = term[:len(walked)+1]
			}
		}
		if dead {
			i = d.past(i, term[:len(walked)+1])
			continue
		}
		if a.IsMatch(states[len(walked)]) && !visit(i) {
			return
		}
		i++
	}
}

// past gives the first term from i on that does not begin with prefix, which term i does.
func (d dictionary) past(i int, prefix []byte) int {
	step := 1
	for i+step < d.n && bytes.HasPrefix(d.at(i+step), prefix) {
		i += step
		step *= 2
	}
	most := min(step, d.n-i)
	return i + 1 + sort.Search(most-1, func(j int) bool { return !bytes.HasPrefix(d.at(i+1+j), prefix) })
}

// common is how many bytes a and b begin with both.
func common(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
