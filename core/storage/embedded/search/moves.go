package search

import "math"

// moves counts the matches of a phrase whose words may be moved, as Lucene does: it goes through the places of the words from
// left to right, always moving the word that stands furthest left, and each time that this does not make the phrase narrower
// a match is counted, by 1/(1+distance).
type moves struct {
	v       *view
	offsets []int
	// peers has for each word the words of its group, itself included; nil when there is no other. Those of a group share one list.
	peers [][]int

	positions [][]uint32
	at        []int // the next place of each word in positions
	shifted   []int // the place of each word, less its offset
	end       int   // the greatest of shifted
}

func newMoves(v *view, offsets []uint32, groups []int) *moves {
	m := &moves{v: v, at: make([]int, len(offsets)), shifted: make([]int, len(offsets)), peers: make([][]int, len(offsets))}
	members := map[int][]int{}
	for i, group := range groups {
		m.offsets = append(m.offsets, int(offsets[i]))
		members[group] = append(members[group], i)
	}
	for i, group := range groups {
		if list := members[group]; len(list) > 1 {
			m.peers[i] = list
		}
	}
	return m
}

// count adds up the matches with at most slop moves.
func (m *moves) count(positions [][]uint32, slop int) float32 {
	m.positions = positions
	if !m.begin() {
		return 0
	}
	sum := float32(0)
	for more := true; more; {
		var distance int
		if distance, more = m.match(slop); distance <= slop {
			sum += 1 / (1 + float32(distance))
		}
	}
	return sum
}

// begin puts every word at its first place, and words with common terms at different ones.
func (m *moves) begin() bool {
	m.end = math.MinInt
	for i := range m.at {
		m.at[i] = 0
		if !m.advance(i) {
			return false
		}
	}
	for i := range m.at {
		for other := m.collides(i); other >= 0; other = m.collides(i) {
			if !m.advance(m.lesser(i, other)) {
				return false
			}
		}
	}
	return true
}

// advance puts a word at its next place. Each time all words may be looked at, for the one that stands furthest left and for
// those at the same place.
func (m *moves) advance(i int) bool {
	if m.at[i] == len(m.positions[i]) || m.v.ended(len(m.at)) {
		return false
	}
	m.shifted[i] = int(m.positions[i][m.at[i]]) - m.offsets[i]
	m.at[i]++
	m.end = max(m.end, m.shifted[i])
	return true
}

// match finds the next match. Without more there is no other behind it, and the distance may be too great.
func (m *moves) match(slop int) (distance int, more bool) {
	left := m.left(-1)
	next := m.shifted[m.left(left)]
	distance = m.end - m.shifted[left]
	for m.advance(left) && m.part(left) {
		if m.shifted[left] > next {
			if distance <= slop {
				return distance, true
			}
			left = m.left(-1)
			next = m.shifted[m.left(left)]
			distance = m.end - m.shifted[left]
			continue
		}
		distance = min(distance, m.end-m.shifted[left])
	}
	return distance, false
}

// left is the word that stands furthest left, other than except; of several the one that comes first in the phrase.
func (m *moves) left(except int) int {
	found := -1
	for i := range m.shifted {
		if i != except && (found < 0 || m.shifted[i] < m.shifted[found]) {
			found = i
		}
	}
	return found
}

// part moves words with common terms on until no two stand at the same place.
func (m *moves) part(i int) bool {
	for {
		other := m.collides(i)
		if other < 0 {
			return true
		}
		if i = m.lesser(i, other); !m.advance(i) {
			return false
		}
	}
}

// lesser is the one of two words that stands further left; of two at the same place the one that comes first in the phrase.
func (m *moves) lesser(i, other int) int {
	if m.shifted[other] < m.shifted[i] || m.shifted[other] == m.shifted[i] && m.offsets[other] < m.offsets[i] {
		return other
	}
	return i
}

func (m *moves) collides(i int) int {
	for _, peer := range m.peers[i] {
		if peer != i && m.shifted[peer]+m.offsets[peer] == m.shifted[i]+m.offsets[i] {
			return peer
		}
	}
	return -1
}
