package koncorde

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Filter is a filter that was found valid. It never changes.
type Filter struct{ root *expression }

// Parser reads filters within bounds; the zero value has the bounds given here and is what Parse uses. It may be used by
// many goroutines.
type Parser struct {
	// MaxBytes is how long a filter may be; 0 is 256 KiB.
	MaxBytes int
	// MaxDepth is how deep its objects and arrays may be nested; 0 is 64.
	MaxDepth int
	// MaxConditions is how many elementary conditions it may hold as written; each value of in and ids counts, and each
	// value inside match. 0 is 1,000. The limit that clients know is that of Normalise.
	MaxConditions int
}

const (
	defaultMaxBytes      = 256 << 10
	defaultMaxDepth      = 64
	defaultMaxConditions = 1000
)

// Parse reads a filter with the zero Parser. Errors say in words for a client what is wrong and where.
func Parse(raw jsontext.Value) (*Filter, error) { return Parser{}.Parse(raw) }

// Parse reads a filter: an object with exactly one keyword. The empty object, null and nothing at all match everything.
// raw is not kept.
func (p Parser) Parse(raw jsontext.Value) (*Filter, error) {
	p = p.withDefaults()
	if len(raw) == 0 {
		return &Filter{and()}, nil
	}
	if len(raw) > p.MaxBytes {
		return nil, fmt.Errorf("a filter may have %d bytes, this one has %d", p.MaxBytes, len(raw))
	}
	v, _, err := readTree(raw, p.MaxDepth)
	if err != nil {
		return nil, err
	}
	if v.kind == 'n' || v.kind == '{' && len(v.members) == 0 {
		return &Filter{and()}, nil
	}
	root, err := (&parsing{Parser: p}).filter(&v)
	if err != nil {
		return nil, err
	}
	return &Filter{root}, nil
}

func (p Parser) withDefaults() Parser {
	if p.MaxBytes <= 0 {
		p.MaxBytes = defaultMaxBytes
	}
	if p.MaxDepth <= 0 {
		p.MaxDepth = defaultMaxDepth
	}
	if p.MaxConditions <= 0 {
		p.MaxConditions = defaultMaxConditions
	}
	return p
}

// parsing is one run of a parser.
type parsing struct {
	Parser
	conditions int
}

// count admits n more elementary conditions.
func (p *parsing) count(n int) error {
	if p.conditions += n; p.conditions > p.MaxConditions {
		return fmt.Errorf("a filter may hold %d conditions, this one has more", p.MaxConditions)
	}
	return nil
}

// filter reads an object with exactly one keyword.
func (p *parsing) filter(v *value) (*expression, error) {
	if v.kind != '{' {
		return nil, fmt.Errorf("a filter must be an object with one keyword, not %s", v.kindName())
	}
	if len(v.members) != 1 {
		return nil, fmt.Errorf("a filter must have exactly one keyword, this one has %d%s", len(v.members), namesOf(v))
	}
	keyword, content := v.members[0].name, &v.members[0].value
	read := p.keyword(keyword)
	if read == nil {
		return nil, fmt.Errorf("unknown keyword %q", keyword)
	}
	e, err := read(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", keyword, err)
	}
	return e, nil
}

// keyword gives what reads the content of a keyword, nil when there is no such keyword.
func (p *parsing) keyword(name string) func(*value) (*expression, error) {
	switch name {
	case "and":
		return p.and
	case "or":
		return p.or
	case "not":
		return p.not
	case "bool":
		return p.bool
	case "equals":
		return p.equals
	case "in":
		return p.in
	case "ids":
		return p.ids
	case "exists":
		return p.exists
	case "missing":
		return p.missing
	case "range":
		return p.span
	case "regexp":
		return p.regexp
	case "match":
		return p.match
	case "select":
		return p.selection
	case "nothing":
		return p.nothing
	case "geoBoundingBox":
		return p.geoBoundingBox
	case "geoDistance":
		return p.geoDistance
	case "geoDistanceRange":
		return p.geoDistanceRange
	case "geoPolygon":
		return p.geoPolygon
	}
	return nil
}

func (p *parsing) and(v *value) (*expression, error) {
	operands, err := p.list(v)
	return and(operands...), err
}

func (p *parsing) or(v *value) (*expression, error) {
	operands, err := p.list(v)
	return or(operands...), err
}

// list reads a non-empty array of filters.
func (p *parsing) list(v *value) ([]*expression, error) {
	if v.kind != '[' {
		return nil, fmt.Errorf("must be an array of filters, not %s", v.kindName())
	}
	if len(v.items) == 0 {
		return nil, errors.New("must hold at least one filter")
	}
	operands := make([]*expression, len(v.items))
	for i := range v.items {
		e, err := p.filter(&v.items[i])
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		operands[i] = e
	}
	return operands, nil
}

func (p *parsing) not(v *value) (*expression, error) {
	e, err := p.filter(v)
	if err != nil {
		return nil, err
	}
	return not(e), nil
}

// bool rewrites must to and, must_not to not or, should to or, should_not to not and.
func (p *parsing) bool(v *value) (*expression, error) {
	if v.kind != '{' || len(v.members) == 0 {
		return nil, errors.New("must be an object with some of must, must_not, should and should_not")
	}
	var operands []*expression
	for i := range v.members {
		name := v.members[i].name
		if !slices.Contains([]string{"must", "must_not", "should", "should_not"}, name) {
			return nil, fmt.Errorf("unknown attribute %q; there are must, must_not, should and should_not", name)
		}
		inner, err := p.list(&v.members[i].value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		operands = append(operands, occur(name, inner))
	}
	return and(operands...), nil
}

func occur(name string, operands []*expression) *expression {
	switch name {
	case "must":
		return and(operands...)
	case "must_not":
		return not(or(operands...))
	case "should":
		return or(operands...)
	}
	return not(and(operands...))
}

// namesOf lists the names of an object in brackets, for messages.
func namesOf(v *value) string {
	if len(v.members) == 0 {
		return ""
	}
	const shown = 5
	var names []string
	for i := range min(shown, len(v.members)) {
		names = append(names, v.members[i].name)
	}
	if len(v.members) > shown {
		names = append(names, "…")
	}
	return " (" + strings.Join(names, ", ") + ")"
}
