package automaton

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxLength is the most characters of a regular expression, which is Elasticsearch's default.
const maxLength = 1000

// maxRepeat bounds the numbers of a repetition.
const maxRepeat = 10_000

// maxDepth is how deep parentheses may stand in each other.
const maxDepth = 250

// flags are the optional operators of Lucene's syntax.
type flags uint8

const (
	flagIntersection flags = 1 << iota // &
	flagComplement                     // ~
	flagEmpty                          // #
	flagAnyText                        // @
	flagInterval                       // <n-m>
)

var flagNames = map[string]flags{
	"INTERSECTION": flagIntersection, "COMPLEMENT": flagComplement, "EMPTY": flagEmpty, "ANYSTRING": flagAnyText, "INTERVAL": flagInterval,
	"NONE": 0, "ALL": flagIntersection | flagComplement | flagEmpty | flagAnyText | flagInterval,
}

func parseFlags(text string) (flags, error) {
	var set flags
	if text == "" {
		return flagNames["ALL"], nil
	}
	for name := range strings.SplitSeq(text, "|") {
		f, ok := flagNames[strings.ToUpper(name)]
		if !ok {
			return 0, fmt.Errorf("unknown regexp flag [%s]", name)
		}
		set |= f
	}
	return set, nil
}

// Regexp accepts what a regular expression in Lucene's syntax describes as a whole. flagText is such as "INTERVAL|EMPTY".
// fold ignores the case of ASCII letters outside of ranges. It fails when the expression is malformed or needs more than
// maxStates states.
func Regexp(pattern, flagText string, fold bool, maxStates int) (*Automaton, error) {
	if n := utf8.RuneCountInString(pattern); n > maxLength {
		return nil, fmt.Errorf("the length of regex [%d] has exceeded the allowed maximum of [%d]", n, maxLength)
	}
	set, err := parseFlags(flagText)
	if err != nil {
		return nil, err
	}
	p := parser{e: newExpressions(), rest: pattern, flags: set, fold: fold}
	root := p.e.empty
	if pattern != "" {
		root = p.union()
		if p.err == nil && p.rest != "" {
			p.fail("unexpected %q", p.rest)
		}
	}
	if p.err != nil {
		return nil, fmt.Errorf("failed to parse the regular expression %q: %w", pattern, p.err)
	}
	return p.e.build(root, maxStates)
}

// parser reads an expression. After an error it reads nothing more.
type parser struct {
	e     *expressions
	rest  string
	flags flags
	fold  bool
	depth int
	err   error
}

func (p *parser) fail(format string, args ...any) id {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
	p.rest = ""
	return p.e.nothing
}

// peek reports whether one of the characters comes next.
func (p *parser) peek(chars string) bool {
	return p.rest != "" && strings.IndexByte(chars, p.rest[0]) >= 0
}

// match takes a character when it comes next.
func (p *parser) match(char byte) bool {
	if p.rest == "" || p.rest[0] != char {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *parser) optional(f flags, char byte) bool { return p.flags&f != 0 && p.match(char) }

func (p *parser) union() id {
	if p.depth++; p.depth > maxDepth {
		return p.fail("parentheses are nested more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	parts := []id{p.intersection()}
	for p.match('|') {
		parts = append(parts, p.intersection())
	}
	return p.e.union(parts...)
}

func (p *parser) intersection() id {
	parts := []id{p.concat()}
	for p.optional(flagIntersection, '&') {
		parts = append(parts, p.concat())
	}
	return p.e.intersection(parts...)
}

func (p *parser) concat() id {
	parts := []id{p.repeat()}
	for p.rest != "" && !p.peek(")|") && (p.flags&flagIntersection == 0 || !p.peek("&")) {
		parts = append(parts, p.repeat())
	}
	return p.e.sequence(parts)
}

func (p *parser) repeat() id {
	n := p.complement()
	for p.peek("?*+{") {
		switch {
		case p.match('?'):
			n = p.e.repeat(n, 0, 1)
		case p.match('*'):
			n = p.e.repeat(n, 0, unlimited)
		case p.match('+'):
			n = p.e.repeat(n, 1, unlimited)
		case p.match('{'):
			n = p.times(n)
		}
	}
	return n
}

// times reads the rest of {n}, {n,} and {n,m}.
func (p *parser) times(n id) id {
	least := p.count()
	most := least
	if p.match(',') {
		if most = unlimited; !p.peek("}") {
			most = p.count()
		}
	}
	if !p.match('}') {
		return p.fail("expected '}'")
	}
	if most < least {
		return p.fail("the repetition ends before it begins")
	}
	return p.e.repeat(n, least, most)
}

func (p *parser) count() int32 {
	digits := p.digits()
	n, err := strconv.Atoi(digits)
	if err != nil || n > maxRepeat {
		p.fail("expected a number of at most %d", maxRepeat)
		return 0
	}
	return int32(n) //nolint:gosec // at most maxRepeat
}

func (p *parser) digits() string {
	i := 0
	for i < len(p.rest) && p.rest[i] >= '0' && p.rest[i] <= '9' {
		i++
	}
	digits := p.rest[:i]
	p.rest = p.rest[i:]
	return digits
}

func (p *parser) complement() id {
	negated := false
	for p.optional(flagComplement, '~') {
		negated = !negated
	}
	n := p.class()
	if negated {
		return p.e.complement(n)
	}
	return n
}

// class reads [abc], [^a-c] and what is no such class.
func (p *parser) class() id {
	if !p.match('[') {
		return p.simple()
	}
	negated := p.match('^')
	parts := []id{p.member()}
	for p.rest != "" && !p.peek("]") {
		parts = append(parts, p.member())
	}
	if !p.match(']') {
		return p.fail("expected ']'")
	}
	n := p.e.union(parts...)
	if negated {
		return p.e.intersection(p.e.anyRune(), p.e.complement(n))
	}
	return n
}

// member reads a character, a range or a predefined class inside of brackets.
func (p *parser) member() id {
	if n, ok := p.predefined(); ok {
		return n
	}
	from := p.char()
	if !p.match('-') {
		return p.e.char(from, p.fold)
	}
	to := p.char()
	if p.err == nil && from > to {
		return p.fail("the range from %q to %q is empty", from, to)
	}
	if p.err != nil {
		return p.e.nothing
	}
	return p.e.runes(from, to)
}

func (p *parser) simple() id {
	switch {
	case p.match('.'):
		return p.e.anyRune()
	case p.optional(flagEmpty, '#'):
		return p.e.nothing
	case p.optional(flagAnyText, '@'):
		return p.e.all
	case p.match('"'):
		text, rest, ok := strings.Cut(p.rest, `"`)
		if !ok {
			return p.fail("expected '\"'")
		}
		p.rest = rest
		return p.quoted(text)
	case p.match('('):
		if p.match(')') {
			return p.e.empty
		}
		n := p.union()
		if !p.match(')') {
			return p.fail("expected ')'")
		}
		return n
	case p.optional(flagInterval, '<'):
		return p.interval()
	}
	if n, ok := p.predefined(); ok {
		return n
	}
	r := p.char()
	if p.err != nil {
		return p.e.nothing
	}
	return p.e.char(r, p.fold)
}

func (p *parser) quoted(text string) id {
	parts := make([]id, 0, len(text))
	for _, r := range text {
		parts = append(parts, p.e.char(r, p.fold))
	}
	return p.e.sequence(parts)
}

// char reads one character, which a backslash may stand before.
func (p *parser) char() rune {
	p.match('\\')
	if p.rest == "" {
		p.fail("unexpected end")
		return 0
	}
	r, size := utf8.DecodeRuneInString(p.rest)
	p.rest = p.rest[size:]
	return r
}

// predefined reads \d, \w, \s and their opposites, which know ASCII only.
func (p *parser) predefined() (id, bool) {
	if len(p.rest) < 2 || p.rest[0] != '\\' {
		return 0, false
	}
	var n id
	switch p.rest[1] | 0x20 {
	case 'd':
		n = p.e.runes('0', '9')
	case 'w':
		n = p.e.union(p.e.runes('a', 'z'), p.e.runes('A', 'Z'), p.e.runes('0', '9'), p.e.runes('_', '_'))
	case 's':
		n = p.e.union(p.e.runes(' ', ' '), p.e.runes('\t', '\t'), p.e.runes('\n', '\n'), p.e.runes('\r', '\r'))
	default:
		return 0, false
	}
	if c := p.rest[1]; c >= 'A' && c <= 'Z' {
		n = p.e.intersection(p.e.anyRune(), p.e.complement(n))
	} else if c < 'A' {
		return 0, false
	}
	p.rest = p.rest[2:]
	return n, true
}
