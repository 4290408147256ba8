package analysis

import (
	"fmt"
	"slices"
	"strings"
)

// custom takes texts apart as a collection defines it.
type custom struct {
	chars    []charFilter
	tokenize tokenizer
	stages   []stage
	// steps are the filters from the first one on that looks at several words.
	steps []step
	// normalChars and normal are those of the filters that change characters by themselves.
	normalChars []charFilter
	normal      []filter
	// rules is custom without synonyms, for the rules of those; misfit is a filter that these cannot follow.
	rules  *custom
	misfit string
	graph  bool
	// shingles is the first filter that makes some, or nil.
	shingles *shingles
}

// tokenizer visits the words of a text, in order, until there are no more or visit gives false.
type tokenizer func(b *Budget, text []byte, visit func(start, end int) bool)

// stage makes other terms of those that stand at one position. It may change the list that it is given.
type stage func(a *arena, terms [][]byte) [][]byte

func (c *custom) tokens(b *Budget, text []byte, dst []Token) ([]Token, uint32) {
	if len(c.chars) > 0 {
		return c.rewritten(b, text, dst)
	}
	if len(c.steps) == 0 {
		return c.split(b, text, dst)
	}
	tokens, count := c.split(b, text, nil)
	w := words{tokens: tokens, count: count, end: uint32(len(text))} //nolint:gosec // no text is that long
	mem := arena{budget: b, size: len(text)}
	for _, s := range c.steps {
		if !b.Take(len(w.tokens)) {
			return dst, 0
		}
		s(&mem, &w)
	}
	return append(dst, w.tokens...), w.count
}

// rewritten takes what character filters make of text apart. The words stand where they stood in text.
func (c *custom) rewritten(b *Budget, text []byte, dst []Token) ([]Token, uint32) {
	rest := *c
	rest.chars = nil
	r := rewrite(b, c.chars, text)
	if b.Err() != nil {
		return dst, 0
	}
	had := len(dst)
	dst, count := rest.tokens(b, r.text, dst)
	for i := range dst[had:] {
		t := &dst[had+i]
		t.Start, t.End = r.origins[t.Start], r.origins[t.End]
	}
	return dst, count
}

func (c *custom) split(b *Budget, text []byte, dst []Token) ([]Token, uint32) {
	mem := arena{budget: b, size: len(text)}
	var position uint32
	var terms [][]byte
	c.tokenize(b, text, func(start, end int) bool {
		terms = append(terms[:0], text[start:end])
		for _, s := range c.stages {
			terms = s(&mem, terms)
		}
		for _, term := range terms {
			if !b.word(term) {
				return false
			}
			dst = append(dst, Token{Term: term, Position: position, Start: uint32(start), End: uint32(end)}) //nolint:gosec // no text is that long
		}
		position++
		return b.Take(1)
	})
	return dst, position
}

// add appends a filter.
func (c *custom) add(l link) error {
	made := l.list
	switch {
	case l.rules != nil:
		if c.misfit != "" {
			return fmt.Errorf("synonyms cannot follow the filter %q: put them before it", c.misfit)
		}
		before := c.before()
		known, err := l.rules.read(before)
		if err != nil {
			return err
		}
		c.rules, c.graph = before, c.graph || known.graph
		c.steps = append(c.steps, known.step)
		return nil
	case made == nil && len(c.steps) == 0:
		c.stages = append(c.stages, l.each)
	case made == nil:
		made = l.listed()
		fallthrough
	default:
		c.steps = append(c.steps, made)
	}
	if c.rules != nil {
		_ = c.rules.add(l) // only rules fail
	}
	if c.shingles == nil {
		c.shingles = l.shingles
	}
	if l.misfit && c.misfit == "" {
		c.misfit = l.kind
	}
	return nil
}

// before gives what the words of synonyms go through.
func (c *custom) before() *custom {
	if c.rules != nil {
		return c.rules
	}
	same := *c
	same.stages, same.steps = slices.Clone(c.stages), slices.Clone(c.steps)
	return &same
}

// one makes a stage of a filter.
func one(f filter) stage {
	return func(a *arena, terms [][]byte) [][]byte {
		kept := terms[:0]
		for _, term := range terms {
			if !a.budget.filter(term) {
				return nil
			}
			if term = f(a, term); term != nil {
				kept = append(kept, term)
			}
		}
		return kept
	}
}

// split makes a tokenizer of a splitter.
func split(s splitter) tokenizer {
	return func(_ *Budget, text []byte, visit func(start, end int) bool) {
		for from := 0; ; {
			start, end, _ := s(text, from)
			if start == len(text) || !visit(start, end) {
				return
			}
			from = end
		}
	}
}

func whole(_ *Budget, text []byte, visit func(start, end int) bool) { visit(0, len(text)) }

func (s *sections) analyzer(r *reading) (*Analyzer, error) {
	usual := ""
	if _, ok := r.left["tokenizer"]; ok {
		usual = "custom"
	}
	kind := r.text("type", usual)
	switch kind {
	case "custom":
		return s.custom(r)
	case "cjk":
		a := *analyzers[kind]
		if _, given := r.left["stopwords"]; given {
			a.stop = r.stopWords("_none_")
		}
		return &a, r.end()
	case "standard", "stop":
		stop := r.stopWords(map[string]string{"standard": "_none_", "stop": "_english_"}[kind])
		base := analyzers[kind]
		return &Analyzer{split: base.split, filters: []filter{lowercase, stopWords(stop)}}, r.end()
	}
	if language := languages[kind]; language != nil {
		return language(stopWords(r.stopWords("_" + kind + "_"))), r.end()
	}
	a, ok := Named(kind)
	if !ok {
		r.fail("type", "there is no analyzer %q; there are custom, %s", kind, strings.Join(Names(), ", "))
	}
	return a, r.end()
}

func (s *sections) custom(r *reading) (*Analyzer, error) {
	name := r.text("tokenizer", "")
	if r.count("position_increment_gap", Gap, Gap, Gap); name == "" {
		r.fail("tokenizer", "it is missing")
	}
	chars, list := r.list("char_filter"), r.list("filter")
	if max(len(chars), len(list)) > maxDefinitions {
		r.fail("filter", "more than %d filters", maxDefinitions)
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	c := &custom{}
	if err := s.fill(c, name, chars, list); err != nil {
		return nil, fmt.Errorf("%s: %w", r.path, err)
	}
	return &Analyzer{custom: c}, nil
}

// fill puts c together of its parts by their names.
func (s *sections) fill(c *custom, tokenizer string, chars, filters []string) (err error) {
	if c.chars, c.normalChars, err = s.charFilters(chars); err != nil {
		return err
	}
	if c.tokenize, err = s.tokenizer(tokenizer); err != nil {
		return err
	}
	if tokenizer == "lowercase" {
		c.stages = append(c.stages, one(lowercase))
	}
	for _, name := range filters {
		made, err := s.link(name)
		if err != nil {
			return err
		}
		if err := c.add(made); err != nil {
			return fmt.Errorf("analysis.filter.%s: %w", name, err)
		}
		if made.normal != nil {
			c.normal = append(c.normal, made.normal)
		}
	}
	return nil
}

// Gap is the one position_increment_gap: how many positions lie between two values of a text.
const Gap = 100

// normalizing are the filters that a normalizer may have: those that look at characters by themselves.
var normalizing = []string{"lowercase", "uppercase", "asciifolding", "decimal_digit", "trim", "pattern_replace"}

func (s *sections) normalizer(r *reading) (*Normalizer, error) {
	kind := r.text("type", "custom")
	if kind == "lowercase" {
		return lowercaseNormalizer, r.end()
	}
	if kind != "custom" {
		r.fail("type", "there is no normalizer %q; there are custom and lowercase", kind)
	}
	n := &Normalizer{}
	if err := s.normalize(n, r.list("char_filter"), r.list("filter")); err != nil {
		r.fail("filter", "%v", err)
	}
	return n, r.end()
}

// normalize fills n with filters by their names.
func (s *sections) normalize(n *Normalizer, chars, filters []string) error {
	made, normal, err := s.charFilters(chars)
	if err != nil {
		return err
	}
	if len(normal) < len(made) {
		return fmt.Errorf("a normalizer cannot use all of the character filters %s; it can use %s", strings.Join(chars, ", "),
			strings.Join(normalizingChars, ", "))
	}
	n.chars = normal
	for _, name := range filters {
		l, err := s.link(name)
		if err != nil {
			return err
		}
		if l.normal == nil {
			return fmt.Errorf("a normalizer cannot use the filter %q; it can use %s", name, strings.Join(normalizing, ", "))
		}
		n.filters = append(n.filters, l.normal)
	}
	return nil
}
