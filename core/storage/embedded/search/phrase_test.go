package search

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestGroups compares the groups of places with what follows from their terms step by step.
func TestGroups(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		c := &phrase{}
		for range 2 + rng.IntN(8) {
			var terms [][]byte
			for range 1 + rng.IntN(2) {
				terms = append(terms, fmt.Append(nil, rng.IntN(10)))
			}
			c.places = append(c.places, place{terms: terms})
		}
		together := naiveGroups(c.places)
		groups := c.groups()
		moves := newMoves(nil, make([]uint32, len(groups)), groups)
		for i := range groups {
			var peers []int
			for j := range groups {
				if (groups[i] == groups[j]) != together[i][j] {
					t.Fatalf("%v: %v", c.places, groups)
				}
				if together[i][j] {
					peers = append(peers, j)
				}
			}
			if len(peers) == 1 {
				peers = nil
			}
			if !slices.Equal(moves.peers[i], peers) {
				t.Fatalf("%v: the peers of %d are %v", c.places, i, moves.peers[i])
			}
		}
	}
}

// naiveGroups tells which places are in the same group.
func naiveGroups(places []place) [][]bool {
	together := make([][]bool, len(places))
	for i := range places {
		together[i] = make([]bool, len(places))
		for j := range places {
			together[i][j] = i == j || slices.ContainsFunc(places[i].terms, func(term []byte) bool {
				return slices.ContainsFunc(places[j].terms, func(other []byte) bool { return bytes.Equal(term, other) })
			})
		}
	}
	for k := range places {
		for i := range places {
			for j := range places {
				together[i][j] = together[i][j] || together[i][k] && together[k][j]
			}
		}
	}
	return together
}

// TestManyPeers makes a phrase of one word again and again: what it needs grows with the words, and not with their square.
func TestManyPeers(t *testing.T) {
	c := &phrase{places: make([]place, 100_000)}
	for i := range c.places {
		c.places[i].terms = [][]byte{[]byte("a")}
	}
	peers := newMoves(nil, make([]uint32, len(c.places)), c.groups()).peers
	if first, last := peers[0], peers[len(peers)-1]; len(first) != len(peers) || &first[0] != &last[0] {
		t.Errorf("%d and %d peers, which should be one list of %d", len(first), len(last), len(peers))
	}
}
