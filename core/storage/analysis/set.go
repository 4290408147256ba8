package analysis

import (
	"errors"
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

// Apply gives the keyword that text becomes: text itself or memory of its own. It means nothing when b is used up then.
func (n *Normalizer) Apply(b *Budget, text []byte) []byte {
	if len(n.chars) > 0 {
		text = rewrite(b, n.chars, text).text
	}
	mem := arena{budget: b, size: len(text)}
	for _, f := range n.filters {
		if !b.filter(text) {
			return nil
		}
		text = f(&mem, text)
	}
	return text
}

// sections are the members of "analysis" in the settings of a collection.
type sections struct {
	Analyzer, Normalizer, Tokenizer, Filter, CharFilter map[string]definition
	// budget is that of the words in them.
	budget Budget
}

// part gives the definitions under a member of "analysis"; nil when there is no such member.
func (s *sections) part(name string) *map[string]definition {
	switch name {
	case "analyzer":
		return &s.Analyzer
	case "normalizer":
		return &s.Normalizer
	case "tokenizer":
		return &s.Tokenizer
	case "filter":
		return &s.Filter
	case "char_filter":
		return &s.CharFilter
	}
	return nil
}

// ParseSet reads the settings of a collection, of which {"analysis":…} or {"index":{"analysis":…}} counts, or the same with dots
// as in {"analysis.filter.short.type":…}; nil when there is nothing of that. What is null stands for a setting that is taken
// back. The error says what is wrong, and where.
func ParseSet(settings jsontext.Value) (*Set, error) {
	if len(settings) == 0 {
		return nil, nil
	}
	if settings.Kind() != '{' {
		return nil, errors.New("settings: expected an object")
	}
	var s sections
	if err := s.read("", settings); err != nil {
		return nil, err
	}
	most := max(len(s.Analyzer), len(s.Normalizer), len(s.Tokenizer), len(s.Filter), len(s.CharFilter))
	switch {
	case most == 0:
		return nil, nil
	case most > maxDefinitions:
		return nil, fmt.Errorf("analysis: more than %d definitions of a kind", maxDefinitions)
	}
	return s.set()
}

// read takes settings under a name in, which are flat: those in an object have its name before theirs.
func (s *sections) read(name string, v jsontext.Value) error {
	name = strings.TrimPrefix(name, "index.")
	if v.Kind() != '{' {
		return s.option(name, v)
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(v, &members); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	for _, member := range slices.Sorted(maps.Keys(members)) {
		inner := member
		if name != "" {
			inner = name + "." + member
		}
		if err := s.read(inner, members[member]); err != nil {
			return err
		}
	}
	return nil
}

// option takes one setting in.
func (s *sections) option(name string, v jsontext.Value) error {
	parts := strings.SplitN(name, ".", 4)
	if parts[0] != "analysis" || v.Kind() == 'n' {
		return nil
	}
	if len(parts) == 1 {
		return fmt.Errorf("analysis: expected an object of %s", allParts)
	}
	definitions := s.part(parts[1])
	switch {
	case definitions == nil:
		return fmt.Errorf("analysis.%s: there is no such part of analysis; there are %s", parts[1], allParts)
	case len(parts) < 4:
		return fmt.Errorf("%s: expected an object", name)
	case strings.Contains(parts[3], "."):
		return fmt.Errorf("%s: expected no object here; a name has no dots", name)
	case *definitions == nil:
		*definitions = map[string]definition{}
	}
	if (*definitions)[parts[2]] == nil {
		(*definitions)[parts[2]] = definition{}
	}
	(*definitions)[parts[2]][parts[3]] = v
	return nil
}

// allParts are the members that "analysis" can have.
const allParts = "analyzer, normalizer, tokenizer, filter and char_filter"

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
