package analysis

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxDefinitions is how many analyzers, normalizers, tokenizers, filters and character filters a collection may define of each.
const maxDefinitions = 100

// Set is what a collection defines under "analysis" in its settings, beside what is built in. It is immutable; nil defines
// nothing.
type Set struct {
	analyzers   map[string]*Analyzer
	normalizers map[string]*Normalizer
}

// Analyzer finds an analyzer by its name: one of the set, or else a built-in one.
func (s *Set) Analyzer(name string) (*Analyzer, bool) {
	if s != nil {
		if a, ok := s.analyzers[name]; ok {
			return a, true
		}
	}
	return Named(name)
}

// Normalizer finds a normalizer by its name: one of the set, or else lowercase.
func (s *Set) Normalizer(name string) (*Normalizer, bool) {
	if s != nil {
		if n, ok := s.normalizers[name]; ok {
			return n, true
		}
	}
	return lowercaseNormalizer, name == "lowercase"
}

// Analyzers lists the names of all analyzers, sorted.
func (s *Set) Analyzers() []string {
	names := Names()
	if s != nil {
		names = slices.AppendSeq(names, maps.Keys(s.analyzers))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Normalizers lists the names of all normalizers, sorted.
func (s *Set) Normalizers() []string {
	names := []string{"lowercase"}
	if s != nil {
		names = slices.AppendSeq(names, maps.Keys(s.normalizers))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Normalizer changes keywords before they are indexed and looked for. It is safe for concurrent use.
type Normalizer struct {
	chars   []charFilter
	filters []filter
}

var lowercaseNormalizer = &Normalizer{filters: []filter{lowercase}}

// Apply gives the keyword that text becomes: text itself or memory of its own.
func (n *Normalizer) Apply(text []byte) []byte {
	if len(n.chars) > 0 {
		text = rewrite(n.chars, text).text
	}
	mem := arena{size: len(text)}
	for _, f := range n.filters {
		text = f(&mem, text)
	}
	return text
}

// sections are the members of "analysis" in the settings of a collection.
type sections struct {
	Analyzer   map[string]definition `json:"analyzer"`
	Normalizer map[string]definition `json:"normalizer"`
	Tokenizer  map[string]definition `json:"tokenizer"`
	Filter     map[string]definition `json:"filter"`
	CharFilter map[string]definition `json:"char_filter"`
}

// ParseSet reads the settings of a collection, of which {"analysis":…} or {"index":{"analysis":…}} counts; nil when there is
// nothing of that. The error says what is wrong, and where.
func ParseSet(settings jsontext.Value) (*Set, error) {
	raw, err := section(settings)
	if raw == nil || err != nil {
		return nil, err
	}
	var s sections
	if err := json.Unmarshal(raw, &s, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("analysis: expected objects of analyzer, normalizer, tokenizer, filter or char_filter: %w", err)
	}
	if max(len(s.Analyzer), len(s.Normalizer), len(s.Tokenizer), len(s.Filter), len(s.CharFilter)) > maxDefinitions {
		return nil, fmt.Errorf("analysis: more than %d definitions of a kind", maxDefinitions)
	}
	for _, definitions := range []map[string]definition{s.Analyzer, s.Normalizer, s.Tokenizer, s.Filter, s.CharFilter} {
		given(definitions)
	}
	return s.set()
}

// section finds the part of settings that is about analysis.
func section(settings jsontext.Value) (found jsontext.Value, err error) {
	if len(settings) == 0 {
		return nil, nil
	}
	var all map[string]jsontext.Value
	if err := json.Unmarshal(settings, &all); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	for name, value := range all {
		switch {
		case name == "analysis" && value.Kind() != 'n':
			found = value
		case name == "index" && value.Kind() == '{':
			inner, err := section(value)
			if err != nil {
				return nil, err
			}
			if inner != nil {
				found = inner
			}
		case strings.HasPrefix(strings.TrimPrefix(name, "index."), "analysis."):
			return nil, fmt.Errorf("%s: write analysis as objects in each other, not with dots", name)
		}
	}
	return found, nil
}

func (s *sections) set() (*Set, error) {
	set := &Set{analyzers: map[string]*Analyzer{}, normalizers: map[string]*Normalizer{}}
	// All parts are read, so that one that nobody uses cannot be wrong.
	for _, name := range slices.Sorted(maps.Keys(s.Tokenizer)) {
		if _, err := s.tokenizer(name); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Filter)) {
		if _, err := s.link(name); err != nil {
			return nil, err
		}
	}
	if _, _, err := s.charFilters(slices.Sorted(maps.Keys(s.CharFilter))); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(s.Analyzer)) {
		a, err := s.analyzer(s.Analyzer[name].at("analysis.analyzer." + name))
		if err != nil {
			return nil, err
		}
		set.analyzers[name] = a
	}
	for _, name := range slices.Sorted(maps.Keys(s.Normalizer)) {
		n, err := s.normalizer(s.Normalizer[name].at("analysis.normalizer." + name))
		if err != nil {
			return nil, err
		}
		set.normalizers[name] = n
	}
	return set, nil
}
