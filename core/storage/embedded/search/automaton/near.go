package automaton

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// Near accepts the texts that few edits make of a word. It implements vellum.Automaton. Its states are found when they are reached,
// so it is not safe for concurrent use.
type Near struct {
	word []rune
	// begun are the beginnings of the encoded characters of the word.
	begun  map[string]bool
	prefix int
	edits  uint8
	swaps  bool

	states  []nearState
	numbers map[string]int
	steps   map[nearStep]int
	// broken says that there are too many states.
	broken  bool
	scratch []byte
	charged int
}

// nearState is what may have been read of the word. A character that is not complete is in partial.
type nearState struct {
	// from is how much of the word was read at least. costs has, for each place from there on, the fewest edits that lead to it,
	// and swapped the fewest with which the character behind the place was read before the one at it.
	from           int
	costs, swapped []uint8
	partial        []byte
}

type nearStep struct {
	state int
	with  byte
}

// far is more edits than are ever allowed.
const far = 3

// NewNear accepts what is made of word by at most edits (0 to 2) changes of a character: one that is added, left out or another,
// and when swaps is true two neighbours that changed places. The first prefix characters must not be changed. A word that is longer
// than any text that is indexed needs too many states: nothing is near it.
func NewNear(word string, edits, prefix int, swaps bool) *Near {
	n := &Near{edits: uint8(min(edits, far-1)), swaps: swaps, numbers: map[string]int{}, steps: map[nearStep]int{}} //nolint:gosec // small
	n.number(nearState{})                                                                                           // the dead one
	if tooLong(word) != nil {
		n.broken = true
		n.states = append(n.states, nearState{})
		return n
	}
	n.word = []rune(word)
	n.begun = beginnings(n.word)
	n.prefix = min(prefix, len(n.word))
	n.number(n.closed(nearState{costs: []uint8{0}}))
	return n
}

// beginnings gives what the encoded characters of a word begin with, without the whole ones.
func beginnings(word []rune) map[string]bool {
	begun := map[string]bool{}
	for _, r := range word {
		encoded := string(r)
		for size := 1; size < len(encoded); size++ {
			begun[encoded[:size]] = true
		}
	}
	return begun
}

// Len is how many characters the word has.
func (n *Near) Len() int { return len(n.word) }

// Prefix is what every text begins with that is accepted.
func (n *Near) Prefix() []byte { return []byte(string(n.word[:n.prefix])) }

// Err wraps ErrTooComplex when the automaton needed too many states, and accepted less than it should.
func (n *Near) Err() error {
	if n.broken {
		return fmt.Errorf("%w: it needs more than %d states", ErrTooComplex, MaxStates)
	}
	return nil
}

// Grown is about how much more memory the automaton needs than when it was asked before.
func (n *Near) Grown() int {
	const perState, perStep = 192, 48 // with their places in the maps
	bytes := len(n.states)*perState + len(n.steps)*perStep
	grown := bytes - n.charged
	n.charged = bytes
	return grown
}

// Start implements vellum.Automaton.
func (n *Near) Start() int { return 1 }

// IsMatch implements vellum.Automaton.
func (n *Near) IsMatch(state int) bool { return n.cost(state) <= n.edits }

// CanMatch implements vellum.Automaton.
func (n *Near) CanMatch(state int) bool { return state != dead }

// WillAlwaysMatch implements vellum.Automaton.
func (n *Near) WillAlwaysMatch(int) bool { return false }

// Accept implements vellum.Automaton.
func (n *Near) Accept(state int, b byte) int {
	if state == dead {
		return dead
	}
	step := nearStep{state, b}
	to, known := n.steps[step]
	if !known {
		to = n.number(n.read(n.states[state], b))
		n.steps[step] = to
	}
	return to
}

// Distance is how many edits make text of the word, when the automaton accepts it.
func (n *Near) Distance(text []byte) (edits int, ok bool) {
	state := n.Start()
	for _, b := range text {
		state = n.Accept(state, b)
	}
	cost := n.cost(state)
	return int(cost), cost <= n.edits
}

// cost is how many edits lead to the end of the word.
func (n *Near) cost(state int) uint8 {
	s := n.states[state]
	if i := len(n.word) - s.from; len(s.partial) == 0 && i >= 0 && i < len(s.costs) {
		return s.costs[i]
	}
	return far
}

// number finds the state, or adds it.
func (n *Near) number(s nearState) int {
	key := append(n.scratch[:0], byte(s.from), byte(s.from>>8), byte(s.from>>16), byte(len(s.costs))) //nolint:gosec // bytes of a key
	key = append(append(append(key, s.costs...), s.swapped...), s.partial...)
	n.scratch = key
	if i, ok := n.numbers[string(key)]; ok {
		return i
	}
	if len(n.states) > MaxStates {
		n.broken = true
		return dead
	}
	n.numbers[string(key)] = len(n.states)
	n.states = append(n.states, s)
	return len(n.states) - 1
}

// read gives the state behind one more byte.
func (n *Near) read(s nearState, b byte) nearState {
	if len(s.partial) == 0 && b < utf8.RuneSelf {
		return n.step(s, rune(b))
	}
	if len(s.partial) > 0 && s.partial[0] == other {
		if s.partial[1] == 1 {
			return n.step(s, none)
		}
		return nearState{s.from, s.costs, s.swapped, []byte{other, s.partial[1] - 1}}
	}
	partial := append(slices.Clone(s.partial), b)
	if utf8.FullRune(partial) {
		r, _ := utf8.DecodeRune(partial)
		return n.step(s, r)
	}
	return nearState{s.from, s.costs, s.swapped, n.unified(partial)}
}

// other begins what stands for a character that is not in the word, with how many bytes of it are left. No text has this byte.
const other = 0xff

// none is a character that no word has.
const none rune = -1

// unified gives the beginnings of all characters that are not in the word one form.
func (n *Near) unified(partial []byte) []byte {
	if n.begun[string(partial)] {
		return partial
	}
	size := 2
	switch {
	case partial[0] >= 0xf0:
		size = 4
	case partial[0] >= 0xe0:
		size = 3
	}
	return []byte{other, byte(size - len(partial))} //nolint:gosec // at most 3
}

// step gives the state behind one more character.
func (n *Near) step(s nearState, r rune) nearState {
	size := len(s.costs) + 2
	to := nearState{from: s.from, costs: slices.Repeat([]uint8{far}, size), swapped: slices.Repeat([]uint8{far}, size)}
	lower := func(list []uint8, i int, cost uint8) { list[i] = min(list[i], cost) }
	for i, cost := range s.costs {
		at := s.from + i
		if cost <= n.edits {
			if at < len(n.word) && n.word[at] == r {
				lower(to.costs, i+1, cost)
			}
			if cost < n.edits && at >= n.prefix {
				lower(to.costs, i, cost+1) // added
				if at < len(n.word) {
					lower(to.costs, i+1, cost+1) // another one
				}
				if n.swaps && at+1 < len(n.word) && n.word[at+1] == r {
					lower(to.swapped, i, cost+1)
				}
			}
		}
		if i < len(s.swapped) && s.swapped[i] <= n.edits && n.word[at] == r {
			lower(to.costs, i+2, s.swapped[i])
		}
	}
	return n.closed(to)
}

// closed adds the places that are reached by leaving characters of the word out, and takes off what is too far.
func (n *Near) closed(s nearState) nearState {
	for i := 0; i < len(s.costs); i++ {
		cost, at := s.costs[i], s.from+i
		if cost >= n.edits || at >= len(n.word) || at < n.prefix {
			continue
		}
		if i+1 == len(s.costs) {
			s.costs = append(s.costs, far)
		}
		s.costs[i+1] = min(s.costs[i+1], cost+1)
	}
	s.swapped = append(s.swapped, slices.Repeat([]uint8{far}, max(0, len(s.costs)-len(s.swapped)))...)[:len(s.costs)]
	first, last := -1, -1
	for i := range s.costs {
		if s.costs[i] <= n.edits || s.swapped[i] <= n.edits {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return nearState{}
	}
	return nearState{from: s.from + first, costs: s.costs[first : last+1], swapped: s.swapped[first : last+1]}
}
