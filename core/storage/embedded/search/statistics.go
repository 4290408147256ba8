package search

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
)

// statistics is what the scores of a target need to know of all its views. Clauses ask for it while they are compiled; gather
// finds it before the first view is searched.
type statistics struct {
	corpora    map[string]*corpus
	expansions []expander
	// expansionTerms is how many terms they have found.
	expansionTerms int
	// nearest are the searches for neighbours, a clause behind those in it.
	nearest []*nearest
}

// corpus is what a field holds in all views, dead documents included.
type corpus struct {
	field *mapping.Field
	// docs is how many documents hold a term, terms how many they hold in all.
	docs, terms uint64
	usages      map[string]*usage
	// inverse is nil until a weight asks for it; see inverses.
	inverse *[256]float32
}

// usage is how many documents hold a term.
type usage struct {
	term []byte
	docs uint64
}

// corpus gives the statistics of a field.
func (s *statistics) corpus(f *mapping.Field) *corpus {
	c := s.corpora[f.Path]
	if c == nil {
		c = &corpus{field: f, usages: map[string]*usage{}}
		if s.corpora == nil {
			s.corpora = map[string]*corpus{}
		}
		s.corpora[f.Path] = c
	}
	return c
}

// usage gives the statistics of a term.
func (c *corpus) usage(term []byte) *usage {
	u := c.usages[string(term)]
	if u == nil {
		u = &usage{term: term}
		c.usages[string(term)] = u
	}
	return u
}

// expander finds the terms that a word of a clause stands for.
type expander interface {
	// expand looks at the terms of a view.
	expand(t *target, v *view) error
	// settle is called when all views were looked at.
	settle()
}

// expansion is the first terms of a field, in all views, that begin with a prefix.
type expansion struct {
	field  *mapping.Field
	prefix []byte
	most   int
	terms  [][]byte
	// found takes the terms when all are known.
	found func(terms [][]byte)
}

// gather reads the views, one after the other.
func (t *target) gather(ctx context.Context) error {
	if len(t.expansions) > 0 {
		if err := t.each(ctx, t.expand); err != nil {
			return err
		}
		for _, e := range t.expansions {
			e.settle()
		}
	}
	if len(t.corpora) > 0 {
		if err := t.each(ctx, t.measure); err != nil {
			return err
		}
	}
	for _, c := range t.nearest {
		if err := t.each(ctx, c.gather); err != nil {
			return err
		}
	}
	return nil
}

// maxExpansions is how many terms the prefixes of a search may stand for in one target: 64 for each of the 1024 clauses that it may
// have, which is more than the 50 that a clause gets when it does not say.
const maxExpansions = 1024 * 64

// expanded notes that a prefix stands for more terms, which are charged.
func (t *target) expanded(terms int) error {
	if t.expansionTerms += terms; t.expansionTerms > maxExpansions {
		return refuse("failed to create query: the prefixes of the search stand for more than %d terms", maxExpansions)
	}
	return t.charge(terms, wordBytes)
}

// each calls visit for every view, with its lock held.
func (t *target) each(ctx context.Context, visit func(v *view) error) error {
	for _, v := range t.Views {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := t.locked(ctx, v, visit); err != nil {
			return err
		}
	}
	return nil
}

func (t *target) locked(ctx context.Context, v segment.View, visit func(v *view) error) error {
	if v.Lock == nil {
		return t.read(ctx, v, visit)
	}
	v.Lock.Lock()
	defer v.Lock.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, maxHold, ErrHeld)
	defer cancel()
	err := t.read(ctx, v, visit)
	if err != nil && errors.Is(context.Cause(ctx), ErrHeld) && errors.Is(err, context.DeadlineExceeded) {
		return ErrHeld
	}
	return err
}

// read calls visit, and fails when it stopped early.
func (t *target) read(ctx context.Context, v segment.View, visit func(v *view) error) error {
	reading := newView(ctx, t, v)
	err := visit(reading)
	switch {
	case reading.failed != nil:
		return reading.failed
	case err == nil && reading.stopped:
		return ctx.Err()
	}
	return err
}

func (t *target) expand(v *view) error {
	for _, e := range t.expansions {
		if err := e.expand(t, v); err != nil {
			return err
		}
	}
	return nil
}

func (e *expansion) settle() { e.found(e.terms) }

func (e *expansion) expand(t *target, v *view) error {
	f, err := v.field(e.field)
	if f == nil || f.Terms == nil || err != nil {
		return err
	}
	n, before := 0, len(e.terms)
	for ord := range f.Terms.Between(e.prefix, behind(e.prefix), nil) {
		if v.ended(1) {
			return v.ctx.Err()
		}
		e.terms = append(e.terms, bytes.Clone(f.Terms.Term(ord)))
		if n++; n == e.most {
			break
		}
	}
	slices.SortFunc(e.terms, bytes.Compare)
	e.terms = slices.CompactFunc(e.terms, bytes.Equal)
	e.terms = e.terms[:min(len(e.terms), e.most)]
	return t.expanded(len(e.terms) - before)
}

func (t *target) measure(v *view) error {
	for _, c := range t.corpora {
		f, err := v.field(c.field)
		if err != nil {
			return err
		}
		if f == nil {
			continue
		}
		if c.field.Type == mapping.Boolean {
			c.addBooleans(v, f)
			continue
		}
		if f.Terms == nil {
			continue
		}
		c.addSize(f)
		for _, u := range c.usages {
			if v.ended(1) {
				return v.ctx.Err()
			}
			if ord, ok := f.Terms.Find(u.term); ok {
				u.docs += uint64(f.Terms.DocFreq(ord)) //nolint:gosec // not negative
			}
		}
	}
	return nil
}

func (c *corpus) addSize(f *segment.Field) {
	c.terms += f.TotalLength
	if c.field.Type == mapping.Text {
		c.docs += uint64(f.Worded)
	} else {
		c.docs += f.Present.GetCardinality()
	}
}

// addBooleans counts the documents with each of the two values, which Elasticsearch indexes as two terms.
func (c *corpus) addBooleans(v *view, f *segment.Field) {
	n, err := v.space(c.field.Nested)
	if err != nil || f.Ints == nil {
		return
	}
	c.docs += f.Present.GetCardinality()
	for value, term := range booleanTerms {
		holding := newInterval(v, n, f.Ints, f.Present, int64(value), int64(value)).bitmap().GetCardinality()
		c.terms += holding
		if u := c.usages[term]; u != nil {
			u.docs += holding
		}
	}
}

// booleanTerms name the values of a boolean in a corpus.
var booleanTerms = [2]string{"F", "T"}

// The parameters of BM25, which are Lucene's defaults.
const (
	k1 = float32(1.2)
	b  = float32(0.75)
)

// weight scores the occurrences of a term, or of terms that count as one.
type weight struct {
	boost  float32
	corpus *corpus
	usages []*usage
	// blend lets the usages count as the greatest of them, and not as their sum.
	blend bool
	// crossing is nil unless the one usage counts as what holding says.
	crossing *crossing
	holding  uint64

	value   float32
	inverse *[256]float32
}

// settle is called when the statistics are gathered, before the weight is used.
func (w *weight) settle() {
	if w.inverse != nil {
		return
	}
	w.value, w.inverse = w.most(), w.corpus.inverses()
}

// most is what no score reaches, however often a document holds the term.
func (w *weight) most() float32 {
	return w.boost * (1 + k1) * float32(w.idf()) // Elasticsearch kept the factor that Lucene dropped
}

// inverses are what frequencies count in documents of all lengths, which are coded. They are known when the statistics are gathered.
func (c *corpus) inverses() *[256]float32 {
	if c.inverse == nil {
		c.inverse = new([256]float32)
		for i := range c.inverse {
			c.inverse[i] = c.inverseOf(byte(i))
		}
	}
	return c.inverse
}

func (c *corpus) inverseOf(length byte) float32 {
	average := float32(float64(c.terms) / float64(max(c.docs, 1)))
	return 1 / (k1 * ((1 - b) + b*float32(segment.DecodeLength(length))/average))
}

// idf is what the terms count together.
func (w *weight) idf() float64 {
	if w.crossing != nil {
		w.crossing.settle()
		return w.corpus.idf(w.holding)
	}
	sum, least := float64(0), math.Inf(1)
	for _, u := range w.usages {
		if u.docs == 0 { // Lucene leaves out terms that do not exist
			continue
		}
		idf := w.corpus.idf(u.docs)
		sum += idf
		least = min(least, idf)
	}
	if w.blend && sum > 0 {
		return least
	}
	return sum
}

// idf is what a term counts that so many documents hold.
func (c *corpus) idf(holding uint64) float64 {
	docs := max(c.docs, holding)
	return float64(float32(math.Log(1 + (float64(docs)-float64(holding)+0.5)/(float64(holding)+0.5))))
}

// unweighted is the code of the length of a document in a field without norms.
const unweighted = 1

func (w *weight) score(freq float32, length byte) float32 {
	return w.value - w.value/(1+freq*w.inverse[length])
}
