package automaton

import (
	"errors"
	"fmt"
)

// ErrTooComplex is wrapped when an automaton would need too many states.
var ErrTooComplex = errors.New("the pattern is too complex")

// MaxStates is the most states that an automaton may have, whatever its caller allows.
const MaxStates = 10_000

// dead is the state that matches nothing any more.
const dead = 0

// Automaton accepts some texts, byte by byte. It implements vellum.Automaton, is immutable and safe for concurrent use.
type Automaton struct {
	start   int
	classes [256]uint8
	// next has the states behind a state, one for each class of bytes. State 0 is dead.
	next   [][]int32
	accept []bool
	always []bool
}

// Bytes is about how much memory the automaton needs.
func (a *Automaton) Bytes() int {
	const perState = 24 + 2 // the header of its row, and its part of accept and always
	return len(a.next) * (perState + 4*len(a.next[0]))
}

// Start implements vellum.Automaton.
func (a *Automaton) Start() int { return a.start }

// IsMatch implements vellum.Automaton.
func (a *Automaton) IsMatch(state int) bool { return a.accept[state] }

// CanMatch implements vellum.Automaton.
func (a *Automaton) CanMatch(state int) bool { return state != dead }

// WillAlwaysMatch implements vellum.Automaton.
func (a *Automaton) WillAlwaysMatch(state int) bool { return a.always[state] }

// Accept implements vellum.Automaton.
func (a *Automaton) Accept(state int, b byte) int { return int(a.next[state][a.classes[b]]) }

// Match reports whether the automaton accepts the whole of text.
func (a *Automaton) Match(text []byte) bool {
	state := a.start
	for _, b := range text {
		if state = a.Accept(state, b); state == dead {
			return false
		}
	}
	return a.accept[state]
}

// Prefix is what every text begins with that the automaton accepts.
func (a *Automaton) Prefix() []byte {
	var prefix []byte
	for state := a.start; !a.accept[state]; {
		only, next := -1, dead
		for b := range 256 {
			if to := a.Accept(state, byte(b)); to != dead {
				if only >= 0 {
					return prefix
				}
				only, next = b, to
			}
		}
		if only < 0 || len(prefix) == maxPrefix {
			return prefix
		}
		prefix, state = append(prefix, byte(only)), next
	}
	return prefix
}

const maxPrefix = 64

// build makes the automaton of an expression: its states are the expressions that are left to match behind what was read.
func (e *expressions) build(root id, maxStates int) (*Automaton, error) {
	maxStates = min(maxStates, MaxStates)
	a := &Automaton{}
	representatives := e.classify(&a.classes)
	b := builder{e: e, a: a, numbers: map[id]int32{}, limit: maxStates}
	b.number(e.nothing)
	a.start = int(b.number(root))
	for state := 0; state < len(b.states); state++ {
		row := make([]int32, len(representatives))
		for class, c := range representatives {
			row[class] = b.number(e.derive(b.states[state], c))
		}
		a.next = append(a.next, row)
		if e.work > maxWork || len(b.states) > maxStates+1 || len(e.nodes) > nodesPerState*(maxStates+maxPrefix) {
			return nil, fmt.Errorf("%w: it needs more than %d states", ErrTooComplex, maxStates)
		}
	}
	b.settle()
	return a, nil
}

// nodesPerState bounds the expressions that are looked at while an automaton is made.
const nodesPerState = 16

type builder struct {
	e       *expressions
	a       *Automaton
	states  []id
	numbers map[id]int32
	limit   int
}

func (b *builder) number(n id) int32 {
	if i, ok := b.numbers[n]; ok {
		return i
	}
	i := int32(len(b.states)) //nolint:gosec // at most MaxStates and one row more
	b.numbers[n] = i
	b.states = append(b.states, n)
	return i
}

// settle finds out which states accept, which always will, and replaces those that never can by the dead one.
func (b *builder) settle() {
	a := b.a
	a.accept, a.always = make([]bool, len(b.states)), make([]bool, len(b.states))
	before := make([][]int32, len(b.states))
	for state, row := range a.next {
		a.accept[state] = b.e.nodes[b.states[state]].nullable
		for _, to := range row {
			before[to] = append(before[to], int32(state))
		}
	}
	canMatch := reach(before, a.accept)
	rejects := make([]bool, len(b.states))
	for state, accepts := range a.accept {
		rejects[state] = !accepts
	}
	canFail := reach(before, rejects)
	for state, row := range a.next {
		a.always[state] = !canFail[state]
		for class, to := range row {
			if !canMatch[to] {
				row[class] = dead
			}
		}
	}
	if !canMatch[a.start] {
		a.start = dead
	}
}

// reach gives the states from which one of the targets can be reached.
func reach(before [][]int32, targets []bool) []bool {
	found := make([]bool, len(before))
	var open []int32
	for state, is := range targets {
		if is {
			found[state] = true
			open = append(open, int32(state))
		}
	}
	for len(open) > 0 {
		state := open[len(open)-1]
		open = open[:len(open)-1]
		for _, from := range before[state] {
			if !found[from] {
				found[from] = true
				open = append(open, from)
			}
		}
	}
	return found
}
