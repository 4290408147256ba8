package query

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
)

// Bounds of a search for neighbours, which are Elasticsearch's.
const (
	// MaxDims is how many numbers a vector may have.
	MaxDims = 4096
	// maxCandidates is how many neighbours may be looked for.
	maxCandidates = 10_000
)

// Knn matches the documents whose vectors in the field are the nearest ones to Vector, of those that match every one of Filter.
// Their score is how similar the vectors are, multiplied by the boost.
type Knn struct {
	Common
	Field  string
	Vector []float32
	Filter []Query
	// Similarity is how similar a vector must be at least, in the measure of the field. -Inf takes every one.
	Similarity float64
	// Section says that it is one of the searches of the section "knn", which finds K documents over all collections. A clause of a
	// query finds Candidates in each collection.
	Section bool
	// K and Candidates are 0 when the search does not say; see Neighbours.
	K, Candidates int
}

// Neighbours gives how many neighbours are wanted when a search asks for size hits: K of a section and Candidates of a clause.
// It fails when that is not possible.
func (q *Knn) Neighbours(size int) (int, error) {
	if !q.Section && q.Candidates > 0 {
		return q.Candidates, nil
	}
	n, most := q.K, q.Candidates
	if n == 0 {
		n = size
	}
	if most == 0 {
		most = min(n+(n+1)/2, maxCandidates)
	}
	switch {
	case n < 1:
		return 0, invalidKnn("the size of the search is 0: say how many neighbours are wanted by k in the section knn, or num_candidates in a clause")
	case !q.Section:
		return most, nil
	case n > most:
		return 0, invalidKnn("num_candidates cannot be less than k")
	}
	return n, nil
}

// parseKnnSection reads the section "knn" of a search body: one search for neighbours, or a list.
func (p *parser) parseKnnSection(n *node) ([]Query, error) {
	var list []Query
	for _, item := range n.list() {
		if p.clauses++; p.clauses > maxClauses {
			return nil, item.fail("more than %d clauses", maxClauses)
		}
		q, err := p.parseKnn(item, true)
		if err != nil {
			return nil, err
		}
		list = append(list, q)
	}
	return list, nil
}

func (p *parser) parseKnn(n *node, section bool) (*Knn, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	q := &Knn{Common: plain, Similarity: math.Inf(-1), Section: section}
	for _, m := range n.children {
		if err := q.set(p, m); err != nil {
			return nil, err
		}
	}
	switch {
	case q.Field == "":
		return nil, n.fail("expected a field")
	case q.Vector == nil:
		return nil, n.fail("expected a query_vector")
	case section && q.K > 0:
		if _, err := q.Neighbours(0); err != nil {
			return nil, n.fail("num_candidates cannot be less than k")
		}
	}
	return q, nil
}

func (q *Knn) set(p *parser, m *node) error {
	switch m.name {
	case "field":
		return m.setText(&q.Field)
	case "query_vector":
		return m.setVector(&q.Vector)
	case "num_candidates":
		if err := m.setInt(&q.Candidates, 1); err != nil {
			return err
		}
		if q.Candidates > maxCandidates {
			return m.fail("cannot exceed %d", maxCandidates)
		}
		return nil
	case "similarity":
		return m.setFloat(&q.Similarity)
	case "filter":
		var err error
		q.Filter, err = p.queries(m)
		return err
	case "query_vector_builder":
		return m.unsupported()
	}
	if q.Section {
		return q.setOfSection(m)
	}
	return q.other(m)
}

// setOfSection takes the options that only the section has.
func (q *Knn) setOfSection(m *node) error {
	switch m.name {
	case "k":
		return m.setInt(&q.K, 1)
	case "inner_hits":
		return m.unsupported()
	case "_name":
		return m.unknownOption()
	}
	return q.other(m)
}

// setVector takes a list of numbers, one number, or bytes as hexadecimal digits.
func (n *node) setVector(to *[]float32) error {
	if n.kind() == '"' {
		numbers, err := HexVector(Text(n.raw))
		if err != nil {
			return n.fail("%v", err)
		}
		*to = numbers
		return nil
	}
	list := n.list()
	if len(list) > MaxDims {
		return n.fail("more than %d dimensions", MaxDims)
	}
	*to = make([]float32, len(list))
	for i, item := range list {
		var x float64
		if err := item.setFloat(&x); err != nil {
			return err
		}
		(*to)[i] = float32(x)
	}
	return nil
}

// HexVector reads bytes that are written as hexadecimal digits, two for each number.
func HexVector(digits string) ([]float32, error) {
	if len(digits) > 2*MaxDims {
		return nil, fmt.Errorf("it has more than %d dimensions", MaxDims)
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return nil, errors.New("expected hexadecimal digits, two for each number")
	}
	numbers := make([]float32, len(b))
	for i, x := range b {
		numbers[i] = float32(int8(x)) //nolint:gosec // the bytes are signed
	}
	return numbers, nil
}

// invalidKnn is the error of a search for neighbours that does not go with the rest of the search.
func invalidKnn(text string) error { return (&node{name: "knn"}).fail("%s", text) }

// addNeighbours adds the searches of the section "knn" to the query: a document matches when any of them does, and has the sum of
// the scores. Without a query, which may be empty too, they are all that is searched for.
func (s *Search) addNeighbours(p *parser, other, section *node) error {
	knn, err := p.parseKnnSection(section)
	if err != nil || len(knn) == 0 {
		return err
	}
	if other == nil || other.empty() {
		if s.Query = knn[0]; len(knn) == 1 {
			return nil
		}
	} else {
		knn = append([]Query{s.Query}, knn...)
	}
	s.Query = &Bool{Common: plain, Should: knn}
	return nil
}
