package koncorde

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// Normal is a filter in disjunctive normal form: it matches a document when all literals of one of its conjunctions are
// true. It never changes; any number of goroutines may use it.
type Normal struct {
	// terms are sorted, and so are the literals of each.
	terms [][]literal
}

// literal is a condition, or its negation.
type literal struct {
	*condition
	negative bool
}

func (l literal) holds(d *Document, b *budget) bool { return l.matches(d, b) != l.negative }

// Match reports whether the filter matches d, however long it takes.
func (n *Normal) Match(d *Document) bool { return n.match(d, unlimited()) }

func (n *Normal) match(d *Document, b *budget) bool {
	for _, term := range n.terms {
		if allHold(term, d, b) {
			return true
		}
	}
	return false
}

func allHold(term []literal, d *Document, b *budget) bool {
	for _, l := range term {
		if !l.holds(d, b) {
			return false
		}
	}
	return true
}

// IsEverything reports whether the filter was found to match every document.
func (n *Normal) IsEverything() bool { return len(n.terms) == 1 && len(n.terms[0]) == 0 }

// IsNothing reports whether the filter was found to match no document.
func (n *Normal) IsNothing() bool { return len(n.terms) == 0 }

// Conditions counts the elementary conditions, each as often as it occurs; those inside a select count too.
func (n *Normal) Conditions() int {
	count := 0
	for _, term := range n.terms {
		for _, l := range term {
			count++
			if e, ok := l.tester.(element); ok {
				count += max(0, e.query.Conditions()-1)
			}
		}
	}
	return count
}

// AppendCanonical writes the filter as JSON: an array of conjunctions, each an array of literals. Equal bytes mean equal
// filters. The bytes stay the same from version to version: room ids of all nodes depend on them.
func (n *Normal) AppendCanonical(dst []byte) []byte {
	dst = append(dst, '[')
	for i, term := range n.terms {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '[')
		for k, l := range term {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = l.append(dst)
		}
		dst = append(dst, ']')
	}
	return append(dst, ']')
}

func (l literal) append(dst []byte) []byte {
	if !l.negative {
		return append(dst, l.key...)
	}
	dst = append(dst, `["not",`...)
	return append(append(dst, l.key...), ']')
}

// roomKey is not a secret: every node derives the same ids from it.
const roomKey = "sluice room"

// RoomID names the room of a filter on a collection: 64 hexadecimal digits, the same on every node and after every
// restart.
func RoomID(index, collection string, n *Normal) string {
	mac := hmac.New(sha256.New, []byte(roomKey))
	// Quoted, so that no two rooms give the same bytes whatever the names hold.
	text := append(appendString(nil, index), '/')
	text = append(appendString(text, collection), '/')
	mac.Write(n.AppendCanonical(text))
	return hex.EncodeToString(mac.Sum(nil))
}
