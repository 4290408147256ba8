package search

import (
	"cmp"
	"math"
	"slices"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// neighbourBytes is what a neighbour needs while they are gathered.
const neighbourBytes = 96

// knn compiles the search for the vectors that are nearest to another. They are found before the first view is searched, as
// whether a document is among them depends on all others.
func (c compiler) knn(q *query.Knn) (clause, error) {
	f, vector, err := c.vectorField(q)
	if err != nil {
		return nil, err
	}
	if !q.Section && f.Nested != c.space {
		return nothing{}, nil
	}
	n, err := q.Neighbours(c.size)
	if err != nil {
		return nil, err
	}
	if err := c.charge(n, neighbourBytes); err != nil {
		return nil, err
	}
	found := &nearest{field: f, vector: vector, section: q.Section, boost: c.boost, found: map[segment.Segment][]nearDocument{}}
	found.least = float32(math.Inf(-1))
	if !math.IsInf(q.Similarity, -1) {
		found.least = found.score(q.Similarity)
	}
	if len(q.Filter) > 0 {
		inside := c.filtering()
		inside.space = segment.Root
		if found.filter, err = inside.compile(&query.Bool{Common: query.Common{Boost: 1}, Filter: q.Filter}); err != nil {
			return nil, err
		}
	}
	found.best = c.closest(q, n)
	c.nearest = append(c.nearest, found)
	return found, nil
}

// vectorField finds the field of a search for neighbours, and the vector to compare with those in it.
func (c compiler) vectorField(q *query.Knn) (*mapping.Field, []float32, error) {
	f := c.Mapping.Resolve(q.Field)
	switch {
	case f == nil:
		return nil, nil, refuse("failed to create query: field [%s] does not exist in the mapping", q.Field)
	case f.Type != mapping.DenseVector:
		return nil, nil, refuse("failed to create query: [knn] queries are only supported on [dense_vector] fields, and [%s] is of type [%s]", q.Field, f.Type)
	case !f.Index:
		return nil, nil, refuse("failed to create query: to perform knn search on field [%s], its mapping must have [index] set to [true]", q.Field)
	}
	vector, err := f.Vector(q.Vector)
	if err != nil {
		return nil, nil, refuse("failed to create query: the query_vector for the field [%s]: %v", q.Field, err)
	}
	return f, vector, nil
}

// closest gives what gathers the best neighbours: of a clause in its target, of the section in all of them.
func (s *session) closest(q *query.Knn, most int) *closest {
	if !q.Section {
		return &closest{most: most}
	}
	if s.sections == nil {
		s.sections = map[*query.Knn]*closest{}
	}
	if s.sections[q] == nil {
		s.sections[q] = &closest{most: most}
	}
	return s.sections[q]
}

// nearest matches the documents whose vectors are the nearest ones.
type nearest struct {
	field  *mapping.Field
	vector []float32
	// filter thins out the documents themselves, also when the vectors are in nested ones; nil for all.
	filter clause
	// section says that the documents themselves are found, also when the vectors are in nested ones.
	section bool
	boost   float32
	least   float32 // of the score without the boost
	best    *closest
	// found are the neighbours in each segment by their numbers, when best has settled.
	found map[segment.Segment][]nearDocument
}

// nearDocument is a document that is near, found by its vector or by one of its nested documents.
type nearDocument struct {
	clause  *nearest
	segment segment.Segment
	doc     uint32
	score   float32
	// turn counts the candidates: of equal ones the first is taken.
	turn int
}

// closest has the best candidates so far, and others.
type closest struct {
	most    int
	list    []nearDocument
	bar     float32 // what a candidate must be better than when there are enough
	full    bool
	turns   int
	settled bool
}

func (n *closest) add(candidate nearDocument) {
	if n.full && candidate.score <= n.bar {
		return
	}
	n.turns++
	candidate.turn = n.turns
	if n.list = append(n.list, candidate); len(n.list) >= 2*n.most {
		n.thin()
	}
}

// thin leaves only as many as are wanted.
func (n *closest) thin() {
	slices.SortFunc(n.list, func(a, b nearDocument) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.turn, b.turn))
	})
	if len(n.list) >= n.most {
		n.list = n.list[:n.most]
		n.full, n.bar = true, n.list[n.most-1].score
	}
}

// settle gives the neighbours to the clauses that they belong to.
func (n *closest) settle() {
	if n.settled {
		return
	}
	n.settled = true
	n.thin()
	slices.SortFunc(n.list, func(a, b nearDocument) int { return cmp.Compare(a.doc, b.doc) })
	for _, one := range n.list {
		one.clause.found[one.segment] = append(one.clause.found[one.segment], one)
	}
}

// gather looks at the vectors of a view.
func (c *nearest) gather(v *view) error {
	f, err := v.field(c.field)
	if f == nil || f.Vectors == nil || f.Vectors.Dims != len(c.vector) || err != nil {
		return err
	}
	allowed, err := c.allowed(v)
	if err != nil {
		return err
	}
	chain, err := v.parents(c.field.Nested, segment.Root)
	if err != nil {
		return err
	}
	best := candidate{nearDocument: nearDocument{clause: c, segment: v.Segment}}
	for i, it := 0, f.Present.Iterator(); it.HasNext(); i++ {
		doc := it.Next()
		root := up(chain, doc)
		if !allowed.has(root) {
			if v.ended(1) {
				break
			}
			continue
		}
		if v.ended(1 + len(c.vector)/vectorPart) {
			break
		}
		if score := c.score(c.compare(f.Vectors.At(i))); score >= c.least {
			best.take(root, doc, score)
		}
	}
	best.pass()
	return nil
}

// vectorPart is how many numbers of a vector are about as much work as a document.
const vectorPart = 16

// candidate is the best of the nested documents of one document so far.
type candidate struct {
	nearDocument
	root uint32
	any  bool
}

func (b *candidate) take(root, doc uint32, score float32) {
	if b.any && b.root == root && score <= b.score {
		return
	}
	if b.any && b.root != root {
		b.pass()
	}
	if b.any, b.root, b.doc, b.score = true, root, doc, score; b.clause.section {
		b.doc = root
	}
}

// pass gives the candidate to the others.
func (b *candidate) pass() {
	if b.any {
		b.clause.best.add(b.nearDocument)
	}
	b.any = false
}

// allowed has the documents that the filter matches.
func (c *nearest) allowed(v *view) (dense, error) {
	if c.filter == nil {
		return v.Live.Dense(v.n), nil
	}
	s, err := c.filter.matches(v)
	if err != nil {
		return nil, err
	}
	d := newDense(v.n)
	err = and(v, v.n, s, v.live()).each(func(batch []uint32) error {
		for _, doc := range batch {
			d.add(doc)
		}
		return v.stop(len(batch))
	})
	return d, err
}

// compare gives the measure of the field for the vector of a document: the product, or the distance.
func (c *nearest) compare(other []float32) float64 {
	if c.field.Measure() == mapping.L2Norm {
		return math.Sqrt(squareDistance(c.vector, other))
	}
	return product(c.vector, other)
}

// score makes a score of a measure, as Lucene does.
func (c *nearest) score(measure float64) float32 {
	bytes := 1.0
	if c.field.Bytes {
		bytes = float64(len(c.vector)) * (1 << 15)
	}
	switch c.field.Measure() {
	case mapping.L2Norm:
		return float32(1 / (1 + measure*measure))
	case mapping.MaxInnerProduct:
		if measure < 0 {
			return float32(1 / (1 - measure))
		}
		return float32(measure + 1)
	case mapping.DotProduct:
		if c.field.Bytes {
			return float32(0.5 + measure/bytes)
		}
	}
	return float32(max(0, (1+measure)/2))
}

// product and squareDistance go through four numbers at once, which do not wait for each other.
func product(a, b []float32) float64 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return float64(s0) + float64(s1) + float64(s2) + float64(s3)
}

func squareDistance(a, b []float32) float64 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		d0, d1, d2, d3 := a[i]-b[i], a[i+1]-b[i+1], a[i+2]-b[i+2], a[i+3]-b[i+3]
		s0 += d0 * d0
		s1 += d1 * d1
		s2 += d2 * d2
		s3 += d3 * d3
	}
	for ; i < len(a); i++ {
		d := a[i] - b[i]
		s0 += d * d
	}
	return float64(s0) + float64(s1) + float64(s2) + float64(s3)
}

func (c *nearest) matches(v *view) (set, error) {
	c.best.settle()
	list := make([]uint32, 0, len(c.found[v.Segment]))
	for _, one := range c.found[v.Segment] {
		list = append(list, one.doc)
	}
	n, err := v.space(c.space())
	return docs{gather(list, n)}, err
}

func (c *nearest) space() string {
	if c.section {
		return segment.Root
	}
	return c.field.Nested
}

func (c *nearest) rank(v *view) (scorer, error) {
	c.best.settle()
	if len(c.found[v.Segment]) == 0 {
		return nil, v.stop(1)
	}
	return &nearestScorer{list: c.found[v.Segment], at: -1, boost: c.boost}, nil
}

// nearestScorer goes through neighbours.
type nearestScorer struct {
	list  []nearDocument
	at    int
	boost float32
}

func (s *nearestScorer) next() uint32 {
	s.at = min(s.at+1, len(s.list))
	return s.doc()
}

func (s *nearestScorer) seek(doc uint32) uint32 {
	if s.at < 0 {
		s.at = 0
	}
	for s.at < len(s.list) && s.list[s.at].doc < doc {
		s.at++
	}
	return s.doc()
}

func (s *nearestScorer) doc() uint32 {
	if s.at == len(s.list) {
		return noDoc
	}
	return s.list[s.at].doc
}

func (s *nearestScorer) score() float32 { return s.list[s.at].score * s.boost }
func (s *nearestScorer) cost() int      { return len(s.list) }
