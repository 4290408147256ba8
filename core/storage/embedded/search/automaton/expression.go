package automaton

import (
	"encoding/binary"
	"math"
	"slices"
	"unicode/utf8"

	sequences "github.com/blevesearch/vellum/utf8"
)

// id names an expression. Equal expressions have the same id.
type id int32

type kind uint8

const (
	nothing kind = iota // accepts no text
	empty               // accepts the empty text
	oneOf               // accepts one byte of a set
	concat
	union
	intersection
	complement
	repeat
)

// unlimited is the most of a repeat that has no end.
const unlimited = math.MaxInt32

// byteSet is a set of bytes.
type byteSet [4]uint64

func (s *byteSet) add(from, to byte) {
	for b := int(from); b <= int(to); b++ {
		s[b/64] |= 1 << (b % 64)
	}
}

func (s *byteSet) has(b byte) bool { return s[b/64]>>(b%64)&1 == 1 }

// node is one expression over bytes.
type node struct {
	kind        kind
	set         byteSet // of oneOf
	parts       []id    // of union and intersection, sorted; the two of concat; the one of complement and repeat
	least, most int32   // of repeat
	nullable    bool    // accepts the empty text
}

// expressions holds expressions and what they become behind a byte: Brzozowski's derivatives. Because equal expressions are one,
// and unions and intersections have one form, there are finitely many.
type expressions struct {
	nodes   []node
	known   map[string]id
	derived map[derivation]id
	// work counts the parts of the expressions that were made. Behind maxWork they come out wrong and build fails.
	work int

	nothing, empty, all id
}

// maxWork bounds the time that an automaton takes, to some tenths of a second.
const maxWork = 300_000

type derivation struct {
	of id
	b  byte
}

func newExpressions() *expressions {
	e := &expressions{known: map[string]id{}, derived: map[derivation]id{}}
	e.nothing = e.add(node{kind: nothing})
	e.empty = e.add(node{kind: empty, nullable: true})
	e.all = e.add(node{kind: complement, parts: []id{e.nothing}, nullable: true})
	return e
}

// add gives the id of a node.
func (e *expressions) add(n node) id {
	e.work += 1 + len(n.parts)
	key := []byte{byte(n.kind)}
	switch n.kind {
	case oneOf:
		for _, word := range n.set {
			key = binary.LittleEndian.AppendUint64(key, word)
		}
	case repeat:
		key = binary.LittleEndian.AppendUint32(key, uint32(n.least)) //nolint:gosec // not negative
		key = binary.LittleEndian.AppendUint32(key, uint32(n.most))  //nolint:gosec // not negative
	}
	for _, part := range n.parts {
		key = binary.LittleEndian.AppendUint32(key, uint32(part)) //nolint:gosec // not negative
	}
	if known, ok := e.known[string(key)]; ok {
		return known
	}
	i := id(len(e.nodes)) //nolint:gosec // bounded by the states of an automaton
	e.known[string(key)] = i
	e.nodes = append(e.nodes, n)
	return i
}

func (e *expressions) bytes(set byteSet) id { return e.add(node{kind: oneOf, set: set}) }

func (e *expressions) text(s string) id {
	n := e.empty
	for i := len(s) - 1; i >= 0; i-- {
		var set byteSet
		set.add(s[i], s[i])
		n = e.concat(e.bytes(set), n)
	}
	return n
}

// runes accepts one character from from to to.
func (e *expressions) runes(from, to rune) id {
	found := e.nothing
	list, err := sequences.NewSequences(from, to)
	if err != nil { // not reached: the bounds are characters
		return found
	}
	for _, sequence := range list {
		n := e.empty
		for _, r := range slices.Backward(sequence) {
			var set byteSet
			set.add(r.Start, r.End)
			n = e.concat(e.bytes(set), n)
		}
		found = e.union(found, n)
	}
	return found
}

func (e *expressions) anyRune() id { return e.runes(0, utf8.MaxRune) }

func (e *expressions) concat(a, b id) id {
	switch {
	case a == e.nothing || b == e.nothing:
		return e.nothing
	case a == e.empty:
		return b
	case b == e.empty:
		return a
	}
	if n := e.nodes[a]; n.kind == concat { // to the right, so that there is one form
		return e.concat(n.parts[0], e.concat(n.parts[1], b))
	}
	return e.add(node{kind: concat, parts: []id{a, b}, nullable: e.nodes[a].nullable && e.nodes[b].nullable})
}

func (e *expressions) union(parts ...id) id { return e.combine(union, parts, e.nothing, e.all) }

func (e *expressions) intersection(parts ...id) id {
	return e.combine(intersection, parts, e.all, e.nothing)
}

// combine makes a union or an intersection. neutral changes nothing in it, absorbing is all that is left with it.
func (e *expressions) combine(k kind, parts []id, neutral, absorbing id) id {
	if e.work > maxWork {
		return e.nothing
	}
	var list []id
	for _, part := range parts {
		switch n := e.nodes[part]; {
		case part == absorbing:
			return absorbing
		case part == neutral:
		case n.kind == k:
			list = append(list, n.parts...)
		default:
			list = append(list, part)
		}
	}
	e.work += len(list)
	slices.Sort(list)
	list = slices.Compact(list)
	switch len(list) {
	case 0:
		return neutral
	case 1:
		return list[0]
	}
	n := node{kind: k, parts: list, nullable: k == intersection}
	for _, part := range list {
		if e.nodes[part].nullable != n.nullable {
			n.nullable = !n.nullable
			break
		}
	}
	return e.add(n)
}

func (e *expressions) complement(a id) id {
	if n := e.nodes[a]; n.kind == complement {
		return n.parts[0]
	}
	return e.add(node{kind: complement, parts: []id{a}, nullable: !e.nodes[a].nullable})
}

func (e *expressions) repeat(a id, least, most int32) id {
	switch {
	case most == 0 || a == e.empty:
		return e.empty
	case least == 1 && most == 1:
		return a
	case a == e.nothing && least > 0:
		return e.nothing
	case a == e.nothing:
		return e.empty
	}
	return e.add(node{kind: repeat, parts: []id{a}, least: least, most: most, nullable: least == 0 || e.nodes[a].nullable})
}

// derive gives what is left to match behind the byte b.
func (e *expressions) derive(of id, b byte) id {
	key := derivation{of, b}
	if known, ok := e.derived[key]; ok {
		return known
	}
	if e.work++; e.work > maxWork {
		return e.nothing
	}
	n := e.nodes[of]
	result := e.nothing
	switch n.kind {
	case oneOf:
		if n.set.has(b) {
			result = e.empty
		}
	case concat:
		result = e.concat(e.derive(n.parts[0], b), n.parts[1])
		if e.nodes[n.parts[0]].nullable {
			result = e.union(result, e.derive(n.parts[1], b))
		}
	case union, intersection:
		parts := make([]id, len(n.parts))
		for i, part := range n.parts {
			parts[i] = e.derive(part, b)
		}
		if n.kind == union {
			result = e.union(parts...)
		} else {
			result = e.intersection(parts...)
		}
	case complement:
		result = e.complement(e.derive(n.parts[0], b))
	case repeat:
		most := n.most
		if most != unlimited {
			most--
		}
		result = e.concat(e.derive(n.parts[0], b), e.repeat(n.parts[0], max(n.least-1, 0), most))
	}
	e.derived[key] = result
	return result
}

// classify parts the bytes into classes that no expression tells apart, and gives one byte of each.
func (e *expressions) classify(classes *[256]uint8) []byte {
	known := map[string]uint8{}
	var representatives []byte
	for b := range 256 {
		var signature []byte
		for _, n := range e.nodes {
			if n.kind == oneOf {
				bit := byte(0)
				if n.set.has(byte(b)) {
					bit = 1
				}
				signature = append(signature, bit)
			}
		}
		class, ok := known[string(signature)]
		if !ok {
			class = uint8(len(representatives)) //nolint:gosec // there are 256 bytes
			known[string(signature)] = class
			representatives = append(representatives, byte(b))
		}
		classes[b] = class
	}
	return representatives
}
