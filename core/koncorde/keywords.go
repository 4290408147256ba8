package koncorde

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// maxMatchContainers bounds the objects and arrays inside arrays of a match: each of them may have to be tried with each
// element of an array of the document.
const maxMatchContainers = 100

// field reads an object with exactly one member, whose name is a path.
func field(v *value) (path string, content *value, err error) {
	if v.kind != '{' {
		return "", nil, fmt.Errorf("must be an object with one field, not %s", v.kindName())
	}
	if len(v.members) != 1 {
		return "", nil, fmt.Errorf("must have exactly one field, this one has %d%s", len(v.members), namesOf(v))
	}
	if v.members[0].name == "" {
		return "", nil, errors.New("the name of the field is empty")
	}
	return v.members[0].name, &v.members[0].value, nil
}

func (p *parsing) equals(v *value) (*expression, error) {
	path, want, err := field(v)
	if err != nil {
		return nil, err
	}
	if !want.isScalar() {
		return nil, fmt.Errorf("%q must be a string, a number, a boolean or null, not %s", path, want.kindName())
	}
	return test(path, equals{want.scalar()}), p.count(1)
}

func (p *parsing) in(v *value) (*expression, error) {
	path, values, err := field(v)
	if err != nil {
		return nil, err
	}
	return p.anyOf(path, values)
}

func (p *parsing) ids(v *value) (*expression, error) {
	name, values, err := field(v)
	if err != nil || name != "values" {
		return nil, errors.New(`must be an object with "values" alone`)
	}
	for i := range values.items {
		if item := &values.items[i]; item.kind == '"' && item.text == "" {
			return nil, fmt.Errorf("values[%d] is empty", i)
		}
	}
	e, err := p.anyOf("_id", values)
	if err != nil {
		return nil, fmt.Errorf("values: %w", err)
	}
	return e, nil
}

// anyOf reads a non-empty array of strings.
func (p *parsing) anyOf(path string, values *value) (*expression, error) {
	if values.kind != '[' || len(values.items) == 0 {
		return nil, fmt.Errorf("%q must be an array of strings, and not empty", path)
	}
	if err := p.count(len(values.items)); err != nil {
		return nil, err
	}
	operands := make([]*expression, len(values.items))
	for i := range values.items {
		item := &values.items[i]
		if item.kind != '"' {
			return nil, fmt.Errorf("%q must hold strings only, not %s", path, item.kindName())
		}
		operands[i] = test(path, equals{item.scalar()})
	}
	return or(operands...), nil
}

func (p *parsing) missing(v *value) (*expression, error) {
	e, err := p.exists(v)
	if err != nil {
		return nil, err
	}
	return not(e), nil
}

// exists reads 'path', {field: 'path'}, and 'path[scalar]'.
func (p *parsing) exists(v *value) (*expression, error) {
	if v.kind == '{' {
		name, content, err := field(v)
		if err != nil || name != "field" {
			return nil, errors.New(`must be the name of a field, or an object with "field" alone`)
		}
		v = content
	}
	if v.kind != '"' {
		return nil, fmt.Errorf("the name of the field must be a string, not %s", v.kindName())
	}
	path, held, err := cutBrackets(v.text)
	if err != nil {
		return nil, err
	}
	if held == nil {
		return test(path, exists{}), p.count(1)
	}
	return test(path, holds{*held}), p.count(1)
}

// cutBrackets takes 'path[scalar]' apart; held is nil without brackets. `\[` and `\]` are brackets of the name.
func cutBrackets(text string) (path string, held *scalar, err error) {
	var name strings.Builder
	i := 0
	for ; i < len(text) && text[i] != '['; i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && (text[i+1] == '[' || text[i+1] == ']'):
			i++
		case text[i] == ']':
			return "", nil, fmt.Errorf("%q has a bracket that was not opened; in a name write \\]", text)
		}
		name.WriteByte(text[i])
	}
	if name.Len() == 0 {
		return "", nil, errors.New("the name of the field is empty")
	}
	if i == len(text) {
		return name.String(), nil, nil
	}
	inner, closed := strings.CutSuffix(text[i+1:], "]")
	if !closed {
		return "", nil, fmt.Errorf("%q does not end with the closing bracket", text)
	}
	v, _, err := readTree([]byte(inner), 1)
	if err != nil || !v.isScalar() {
		return "", nil, fmt.Errorf("%q must have a JSON string, number, boolean or null in its brackets", text)
	}
	s := v.scalar()
	return name.String(), &s, nil
}

func (p *parsing) span(v *value) (*expression, error) {
	path, content, err := field(v)
	if err != nil {
		return nil, err
	}
	if content.kind != '{' || len(content.members) == 0 {
		return nil, fmt.Errorf("%q must be an object with some of gt, gte, lt and lte", path)
	}
	var s span
	for i := range content.members {
		if err := s.set(content.members[i].name, &content.members[i].value); err != nil {
			return nil, fmt.Errorf("%q: %w", path, err)
		}
	}
	if s.lower.set && s.upper.set && s.lower.at.compare(s.upper.at) >= 0 {
		return nil, fmt.Errorf("%q: the lower bound must be less than the upper one", path)
	}
	return test(path, s), p.count(1)
}

func (s *span) set(operator string, v *value) error {
	at := &s.lower
	switch operator {
	case "gt", "gte":
	case "lt", "lte":
		at = &s.upper
	default:
		return fmt.Errorf("unknown bound %q; there are gt, gte, lt and lte", operator)
	}
	if at.set {
		return errors.New("there may be one lower and one upper bound")
	}
	if v.kind != '0' {
		return fmt.Errorf("%s must be a number, not %s", operator, v.kindName())
	}
	*at = bound{at: v.number(), set: true, inclusive: len(operator) == len("gte")}
	return nil
}

func (p *parsing) regexp(v *value) (*expression, error) {
	path, content, err := field(v)
	if err != nil {
		return nil, err
	}
	source, flags := content, ""
	if content.kind == '{' {
		if source, flags, err = regexpParts(content); err != nil {
			return nil, fmt.Errorf("%q: %w", path, err)
		}
	}
	if source.kind != '"' {
		return nil, fmt.Errorf("%q must be a regular expression, not %s", path, source.kindName())
	}
	compiled, err := newPattern(source.text, flags)
	if err != nil {
		return nil, fmt.Errorf("%q: invalid regular expression: %w", path, err)
	}
	return test(path, compiled), p.count(1)
}

// regexpParts reads {value, flags?}.
func regexpParts(v *value) (source *value, flags string, err error) {
	for i := range v.members {
		content := &v.members[i].value
		switch name := v.members[i].name; {
		case name == "value":
			source = content
		case name == "flags" && content.kind == '"':
			if flags, err = regexpFlags(content.text); err != nil {
				return nil, "", err
			}
		default:
			return nil, "", fmt.Errorf(`unexpected %q; there are "value" and "flags", both strings`, name)
		}
	}
	if source == nil {
		return nil, "", errors.New(`"value" is missing`)
	}
	return source, flags, nil
}

// regexpFlags gives those flags that change what an expression finds, sorted. Texts are Unicode already (u), and whether
// an expression is found does not depend on how often (g).
func regexpFlags(flags string) (string, error) {
	var kept []byte
	for _, c := range []byte(flags) {
		if !strings.ContainsRune("gimsu", rune(c)) {
			return "", fmt.Errorf("unknown flag in %q; there are g, i, m, s and u", flags)
		}
		if c != 'g' && c != 'u' {
			kept = append(kept, c)
		}
	}
	slices.Sort(kept)
	return string(slices.Compact(kept)), nil
}

func (p *parsing) match(v *value) (*expression, error) {
	if v.kind != '{' || len(v.members) == 0 {
		return nil, errors.New("must be an object, and not empty")
	}
	containers := 0
	if err := p.countValues(v, false, &containers); err != nil {
		return nil, err
	}
	return test("", contains{*v}), nil
}

// countValues counts the values inside v, and the objects and arrays that are elements of arrays.
func (p *parsing) countValues(v *value, element bool, containers *int) error {
	if err := p.count(1); err != nil {
		return err
	}
	if element && !v.isScalar() {
		*containers++
	}
	if *containers > maxMatchContainers {
		return fmt.Errorf("may hold %d objects and arrays inside arrays, this one has more", maxMatchContainers)
	}
	for i := range v.items {
		if err := p.countValues(&v.items[i], true, containers); err != nil {
			return err
		}
	}
	for i := range v.members {
		if err := p.countValues(&v.members[i].value, false, containers); err != nil {
			return err
		}
	}
	return nil
}

func (p *parsing) selection(v *value) (*expression, error) {
	if v.kind != '{' || len(v.members) != 3 {
		return nil, errors.New("must be an object with field, index and query")
	}
	name, index, query := v.member("field"), v.member("index"), v.member("query")
	if name == nil || index == nil || query == nil {
		return nil, errors.New("must be an object with field, index and query")
	}
	if name.kind != '"' || name.text == "" {
		return nil, errors.New("field must be the name of a field")
	}
	at, ok := wholeIndex(index)
	if !ok {
		return nil, errors.New("index must be a whole number")
	}
	inner, err := p.filter(query)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	return &expression{op: opQuery, query: &selection{name.text, at, inner}}, nil
}

// wholeIndex reads an index. One that no array can have is as good as any other such.
func wholeIndex(v *value) (int, bool) {
	if v.kind != '0' || v.num != math.Trunc(v.num) {
		return 0, false
	}
	return int(max(math.MinInt32, min(math.MaxInt32, v.num))), true
}

func (p *parsing) nothing(*value) (*expression, error) { return or(), nil }
