package search

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// phrases gives the texts that are likelier than a text.
func phrases(ctx context.Context, t *target, f *mapping.Field, analyzer *analysis.Analyzer, s *query.Suggestion) ([]SuggestEntry, error) {
	e := SuggestEntry{Text: s.Text, Length: units(s.Text), least: math.SmallestNonzeroFloat64}
	words, err := t.words(s, f, analyzer)
	if err != nil {
		return nil, err
	}
	how, err := settled(s, analyzer)
	if err != nil {
		return nil, err
	}
	p := &phraser{target: t, suggestion: s, how: how, fields: map[string]*frequencies{}}
	p.read(words)
	switch {
	case len(p.words) == 0 && len(words) > 0:
		return nil, refuse("suggest.%s: the analyzer gives joined words only: set force_unigrams to false", s.Name)
	case len(p.words) == 0 || len(p.words) >= how.TokenLimit:
		return []SuggestEntry{e}, nil
	}
	if err := p.run(ctx, f); err != nil {
		return nil, err
	}
	e.least = max(e.least, p.least)
	for i := range p.best {
		e.Options = append(e.Options, p.option(&p.best[i]))
	}
	return []SuggestEntry{e}, nil
}

// settled fills in what depends on the analyzer.
func settled(s *query.Suggestion, analyzer *analysis.Analyzer) (*query.PhraseSuggester, error) {
	how := *s.Phrases
	most, alone := analyzer.Shingles()
	if how.Grams == 0 {
		how.Grams = most
	}
	if len(how.Generators) == 0 {
		if !alone && how.Unigrams {
			return nil, refuse("suggest.%s: the field [%s] has joined words only: name another one in direct_generator", s.Name, s.Field)
		}
		how.Generators = []query.CandidateGenerator{query.UsualGenerator(s.Field)}
	}
	return &how, nil
}

// read takes the words of the text. A synonym may be meant by the word that it stands at.
func (p *phraser) read(words []analysis.Token) {
	for i, w := range words {
		switch {
		case p.how.Unigrams && w.Kind == analysis.Shingle:
		case i > 0 && w.Position == words[i-1].Position && w.Kind == analysis.Synonym && len(p.words) > 0:
			last := &p.words[len(p.words)-1]
			last.synonyms = append(last.synonyms, string(w.Term))
		default:
			p.words = append(p.words, wordChoice{written: replacement{term: string(w.Term), near: 1, kept: true}})
		}
	}
}

// phraser looks for texts as Elasticsearch does: each of their words was written, or is near to one that was, and the words follow
// each other often.
type phraser struct {
	target     *target
	suggestion *query.Suggestion
	how        *query.PhraseSuggester
	words      []wordChoice
	// fields are those of the suggestion and its generators, by their paths.
	fields map[string]*frequencies
	scorer gramScorer
	// least is what an option must score more than, and best the best of them.
	least float64
	best  []correction
	// path are the words that are tried now, and tried is how many were.
	path  []*replacement
	tried int
}

// wordChoice is a word that was written, and those that may be meant, the best first.
type wordChoice struct {
	written  replacement
	others   []replacement
	synonyms []string
}

// replacement is a word of a phrase: one that was written, or what may be meant.
type replacement struct {
	term string
	// near is how near it is to what was written, which is kept itself.
	near float64
	kept bool
	// frequency is how often its generator's field has it, and score what it counts among those for the same word.
	frequency
	score float64
}

// correction is a text of words with its score.
type correction struct {
	words []*replacement
	score float64
}

// compare puts the best first.
func (p *correction) compare(other *correction) int {
	return cmp.Or(cmp.Compare(other.score, p.score), slices.CompareFunc(p.words, other.words, func(a, b *replacement) int {
		return strings.Compare(a.term, b.term)
	}))
}

// maxTried is how many words the search for phrases tries, each once for every beginning.
const maxTried = 1 << 20

func (p *phraser) run(ctx context.Context, f *mapping.Field) error {
	of := p.frequencies(f)
	generators, err := p.generators(ctx)
	if err != nil || len(generators) == 0 || !of.there {
		return err
	}
	if err := p.draw(ctx, generators); err != nil {
		return err
	}
	p.scorer = gramScorer{how: p.how, of: of}
	if err := p.wantGrams(of); err != nil {
		return err
	}
	if err := of.gather(ctx, p.target); err != nil {
		return err
	}
	p.path = make([]*replacement, len(p.words))
	p.least = p.cutoff()
	return p.find(ctx, 0, p.errors(), 0)
}

// frequencies gives those of a field.
func (p *phraser) frequencies(f *mapping.Field) *frequencies {
	found := p.fields[f.Path]
	if found == nil {
		found = &frequencies{field: f, of: map[string]frequency{}}
		p.fields[f.Path] = found
	}
	return found
}

// generator finds replacements.
type generator struct {
	*query.CandidateGenerator
	of *frequencies
}

// generators gives those whose fields have terms, and finds out how often these have what was written.
func (p *phraser) generators(ctx context.Context) ([]generator, error) {
	var list []generator
	for i := range p.how.Generators {
		how := &p.how.Generators[i]
		if f := p.target.Mapping.Resolve(how.Field); f != nil {
			list = append(list, generator{how, p.frequencies(f)})
		}
	}
	for _, of := range p.fields {
		for i := range p.words {
			of.want(p.words[i].written.term)
			for _, synonym := range p.words[i].synonyms {
				of.want(synonym)
			}
		}
		if err := p.target.each(ctx, of.measure); err != nil {
			return nil, err
		}
		if err := of.gather(ctx, p.target); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(list, func(g generator) bool { return !g.of.there }), nil
}

// draw finds the replacements for every word.
func (p *phraser) draw(ctx context.Context, generators []generator) error {
	first := generators[0].of
	for i := range p.words {
		w := &p.words[i].written
		w.frequency = first.of[w.term]
		w.score = first.score(w)
		p.words[i].addSynonyms(first, float64(p.how.RealWord))
	}
	for _, g := range generators {
		c := newCorrector(g.of.field, g.Terms, g.Size)
		if g.Terms.Mode != query.SuggestAlways {
			c.floor = func(word []byte) float32 { return threshold(first.of[string(word)].docs, c.docs, g.Terms.MinDocuments) }
		}
		if err := p.generate(ctx, g, c); err != nil {
			return err
		}
	}
	for i := range p.words {
		w := &p.words[i]
		w.others = w.others[:min(p.suggestion.ShardSize, len(w.others))]
	}
	return nil
}

// generate adds the replacements of a generator.
func (p *phraser) generate(ctx context.Context, g generator, c *corrector) error {
	for i := range p.words {
		c.add([]byte(p.words[i].written.term))
	}
	if err := c.run(ctx, p.target); err != nil {
		return err
	}
	for _, w := range c.words {
		for _, o := range w.options {
			g.of.want(o.Text)
		}
	}
	if err := g.of.gather(ctx, p.target); err != nil {
		return err
	}
	for i := range p.words {
		w := &p.words[i]
		w.add(c.words[w.written.term].options, g.of)
	}
	return p.target.ctx.Err()
}

// addSynonyms adds those synonyms that a field has.
func (w *wordChoice) addSynonyms(of *frequencies, near float64) {
	for _, term := range w.synonyms {
		if of.of[term].docs > 0 {
			c := replacement{term: term, near: near, frequency: of.of[term]}
			c.score = of.score(&c)
			w.others = append(w.others, c)
		}
	}
}

// add adds replacements, which replace those with the same term.
func (w *wordChoice) add(options []SuggestOption, of *frequencies) {
	list := make([]replacement, 0, len(options)+len(w.others))
	seen := map[string]bool{}
	for _, o := range options {
		c := replacement{term: o.Text, near: float64(o.Score), frequency: of.of[o.Text]}
		c.score = of.score(&c)
		list, seen[o.Text] = append(list, c), true
	}
	for _, c := range w.others {
		if !seen[c.term] {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b replacement) int {
		return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(a.term, b.term))
	})
	w.others = list
}

// at gives the i-th choice, what was written first.
func (w *wordChoice) at(i int) *replacement {
	if i == 0 {
		return &w.written
	}
	return &w.others[i-1]
}

func (w *wordChoice) len() int { return len(w.others) + 1 }

// wantGrams asks for the frequencies of all terms that the phrases may be made of.
func (p *phraser) wantGrams(of *frequencies) error {
	for at := range p.words {
		n := 1
		for before := range min(p.how.Grams, maxGrams, at+1) {
			n *= p.words[at-before].len()
		}
		if err := p.target.charge(maxGrams*n, termBytes); err != nil {
			return err
		}
		p.wantGramsAt(of, at)
	}
	return nil
}

func (p *phraser) wantGramsAt(of *frequencies, at int) {
	last := &p.words[at]
	for i := range last.len() {
		word := last.at(i)
		of.want(word.term)
		if at == 0 || p.how.Grams == 1 {
			continue
		}
		before := &p.words[at-1]
		for j := range before.len() {
			p.scorer.wantPair(before.at(j), word)
			if at == 1 || p.how.Grams == 2 {
				continue
			}
			for k := range p.words[at-2].len() {
				p.scorer.wantThree(p.words[at-2].at(k), before.at(j), word)
			}
		}
	}
}

// errors is how many words may be replaced.
func (p *phraser) errors() int {
	if p.how.MaxErrors >= 1 {
		return int(min(p.how.MaxErrors, float32(len(p.words))))
	}
	return max(1, int(math.Floor(float64(p.how.MaxErrors*float32(len(p.words)))+0.5)))
}

// cutoff is what an option must score more than.
func (p *phraser) cutoff() float64 {
	if p.how.Confidence == 0 {
		return math.SmallestNonzeroFloat64
	}
	sum := float64(0)
	for i := range p.words {
		p.path[i] = &p.words[i].written
		sum += p.scorer.score(p.path, i)
	}
	return math.Exp(sum) * float64(p.how.Confidence)
}

// find tries the words from a place on; at most so many of them may be replaced. sum is what those before count.
func (p *phraser) find(ctx context.Context, at, replaced int, sum float64) error {
	w := &p.words[at]
	most := 1
	if replaced > 0 {
		most = w.len()
	}
	for i := range most {
		if p.tried++; p.tried > maxTried {
			return refuse("suggest.%s: too many phrases can be made of the text: lower max_errors, or the size of the generators", p.suggestion.Name)
		}
		if p.tried%checkWork == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		p.path[at] = w.at(i)
		next := sum + p.scorer.score(p.path, at)
		if at == len(p.words)-1 {
			p.offer(math.Exp(next))
			continue
		}
		left := replaced
		if i > 0 {
			left--
		}
		if err := p.find(ctx, at+1, left, next); err != nil {
			return err
		}
	}
	return nil
}

// offer takes the path when it is among the best, which no path is whose score is not a number.
func (p *phraser) offer(score float64) {
	next := correction{words: p.path, score: score}
	most := p.suggestion.ShardSize
	full := len(p.best) == most
	if !(score > p.least) || full && next.compare(&p.best[most-1]) >= 0 {
		return
	}
	at, _ := slices.BinarySearchFunc(p.best, next, func(a, b correction) int { return a.compare(&b) })
	next.words = slices.Clone(p.path)
	if full {
		p.best = p.best[:most-1]
	}
	p.best = slices.Insert(p.best, at, next)
}

// option shows a phrase.
func (p *phraser) option(of *correction) SuggestOption {
	texts := make([]string, len(of.words))
	for i, w := range of.words {
		texts[i] = w.term
	}
	o := SuggestOption{Text: strings.Join(texts, " "), Score: float32(of.score)}
	if p.how.PreTag == nil {
		return o
	}
	for i, w := range of.words {
		if w.kept {
			continue
		}
		if i == 0 || of.words[i-1].kept {
			texts[i] = *p.how.PreTag + texts[i]
		}
		if i == len(texts)-1 || of.words[i+1].kept {
			texts[i] += *p.how.PostTag
		}
	}
	highlighted := strings.Join(texts, " ")
	o.Highlighted = &highlighted
	return o
}
