package analysis

import (
	"fmt"
	"slices"
	"strings"
)

// custom takes texts apart as a collection defines it.
type custom struct {
	tokenize tokenizer
	stages   []stage
	// normal are those of the filters that change characters by themselves.
	normal []filter
}

// tokenizer visits the words of a text, in order.
type tokenizer func(text []byte, visit func(start, end int))

// stage makes other terms of those that stand at one position. It may change the list that it is given.
type stage func(a *arena, terms [][]byte) [][]byte

func (c *custom) tokens(text []byte, dst []Token) ([]Token, uint32) {
	mem := arena{size: len(text)}
	var position uint32
	var terms [][]byte
	c.tokenize(text, func(start, end int) {
		terms = append(terms[:0], text[start:end])
		for _, s := range c.stages {
			terms = s(&mem, terms)
		}
		for _, term := range terms {
			dst = append(dst, Token{Term: term, Position: position, Start: uint32(start), End: uint32(end)}) //nolint:gosec // no text is that long
		}
		position++
	})
	return dst, position
}

// one makes a stage of a filter.
func one(f filter) stage {
	return func(a *arena, terms [][]byte) [][]byte {
		kept := terms[:0]
		for _, term := range terms {
			if term = f(a, term); term != nil {
				kept = append(kept, term)
			}
		}
		return kept
	}
}

// split makes a tokenizer of a splitter.
func split(s splitter) tokenizer {
	return func(text []byte, visit func(start, end int)) {
		for from := 0; ; {
			start, end, _ := s(text, from)
			if start == len(text) {
				return
			}
			visit(start, end)
			from = end
		}
	}
}

func whole(text []byte, visit func(start, end int)) { visit(0, len(text)) }

func (s *sections) analyzer(r *reading) (*Analyzer, error) {
	usual := ""
	if _, ok := r.left["tokenizer"]; ok {
		usual = "custom"
	}
	kind := r.text("type", usual)
	switch kind {
	case "custom":
		return s.custom(r)
	case "standard", "stop":
		stop := r.stopWords("stopwords", map[string]string{"standard": "_none_", "stop": "_english_"}[kind])
		base := analyzers[kind]
		return &Analyzer{split: base.split, filters: []filter{lowercase, stopWords(stop)}}, r.end()
	}
	a, ok := Named(kind)
	if !ok {
		r.fail("type", "there is no analyzer %q; there are custom, %s", kind, strings.Join(Names(), ", "))
	}
	return a, r.end()
}

func (s *sections) custom(r *reading) (*Analyzer, error) {
	name := r.text("tokenizer", "")
	if r.count("position_increment_gap", gap, gap, gap); name == "" {
		r.fail("tokenizer", "it is missing")
	}
	if filters := r.list("char_filter"); len(filters) > 0 {
		r.fail("char_filter", "character filters are not supported yet")
	}
	list := r.list("filter")
	if err := r.end(); err != nil {
		return nil, err
	}
	c := &custom{}
	var err error
	if c.tokenize, err = s.tokenizer(name); err != nil {
		return nil, fmt.Errorf("%s: %w", r.path, err)
	}
	if name == "lowercase" {
		c.stages = append(c.stages, one(lowercase))
	}
	for _, name := range list {
		made, err := s.stage(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.path, err)
		}
		c.stages = append(c.stages, made)
		if slices.Contains(normalizing, name) && s.Filter[name] == nil {
			c.normal = append(c.normal, plainFilters[name])
		}
	}
	return &Analyzer{custom: c}, nil
}

// gap is the one position_increment_gap: what lies between two values of a text.
const gap = 100

// normalizing are the filters that a normalizer may have: those that look at characters by themselves.
var normalizing = []string{"lowercase", "uppercase", "asciifolding", "decimal_digit", "trim"}

func (s *sections) normalizer(r *reading) (*Normalizer, error) {
	kind := r.text("type", "custom")
	if kind == "lowercase" {
		return lowercaseNormalizer, r.end()
	}
	if kind != "custom" {
		r.fail("type", "there is no normalizer %q; there are custom and lowercase", kind)
	}
	if filters := r.list("char_filter"); len(filters) > 0 {
		r.fail("char_filter", "character filters are not supported yet")
	}
	n := &Normalizer{}
	for _, name := range r.list("filter") {
		kind, part := name, s.Filter[name].at("analysis.filter."+name)
		if s.Filter[name] != nil {
			kind = part.text("type", "")
		}
		f := plainFilters[kind]
		if f == nil || !slices.Contains(normalizing, kind) {
			r.fail("filter", "a normalizer cannot use the filter %q; it can use %s", name, strings.Join(normalizing, ", "))
		}
		n.filters = append(n.filters, f)
	}
	return n, r.end()
}
