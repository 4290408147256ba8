package analysis

import (
	"io"
	"regexp"
	"regexp/syntax"
	"unicode/utf8"
)

// pattern is a regular expression of which all matches in a text can be found within a budget. A match by itself costs no more than
// the text is long, but where the matcher reads on to the end of the text to make sure of each short match, all of them would
// cost the square of that.
type pattern struct {
	*regexp.Regexp
	// behind matches one character, and then what the pattern finds behind it, as its first group. It is nil for a pattern that does
	// not care for what stands before.
	behind *regexp.Regexp
	// short says that the matcher reads hardly farther than to the end of a match.
	short bool
	// work is what it costs to look at a character.
	work int
}

var empty = &pattern{Regexp: regexp.MustCompile(""), short: true, work: 1}

func newPattern(text string) (*pattern, error) {
	made, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	p := &pattern{Regexp: made, work: 2 + len(program.Inst)}
	for i := range program.Inst {
		if program.Inst[i].Op == syntax.InstEmptyWidth {
			p.behind, err = regexp.Compile(`\A(?s:.)(?s:.*?)(` + text + `)`)
			return p, err
		}
	}
	p.short = endsEarly(parsed)
	return p, nil
}

// maxAhead is how many characters farther than to the end of a match may be read without looking at what they cost.
const maxAhead = 64

// endsEarly reports whether an expression has few characters, and behind them such of one kind at most: all of these belong to the match.
func endsEarly(e *syntax.Regexp) bool {
	switch e.Op {
	case syntax.OpCapture:
		return endsEarly(e.Sub[0])
	case syntax.OpStar, syntax.OpPlus:
		return longest(e.Sub[0]) == 1
	case syntax.OpConcat:
		before := 0
		last := len(e.Sub) - 1
		for _, part := range e.Sub[:last] {
			before += longest(part)
		}
		return before <= maxAhead && endsEarly(e.Sub[last])
	}
	return longest(e) <= maxAhead
}

// longest gives how many characters an expression matches at most; many when that is more than maxAhead.
func longest(e *syntax.Regexp) int {
	const many = maxAhead + 1
	n := 0
	switch e.Op {
	case syntax.OpNoMatch, syntax.OpEmptyMatch:
	case syntax.OpLiteral:
		n = len(e.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		n = 1
	case syntax.OpCapture, syntax.OpQuest:
		n = longest(e.Sub[0])
	case syntax.OpConcat:
		for _, part := range e.Sub {
			n += longest(part)
		}
	case syntax.OpAlternate:
		for _, part := range e.Sub {
			n = max(n, longest(part))
		}
	case syntax.OpRepeat:
		if n = longest(e.Sub[0]) * e.Max; e.Max < 0 {
			n = many
		}
	default:
		n = many
	}
	return min(n, many)
}

// take takes what it costs to look through so many bytes.
func (p *pattern) take(b *Budget, bytes int) bool { return b.Take(p.work * (1 + bytes)) }

// each visits the matches of a pattern, where they and their groups are, as FindAllSubmatchIndex of regexp gives them, and tells whether
// all were wanted.
func (p *pattern) each(b *Budget, text []byte, visit func(match []int) bool) bool {
	source := characters{budget: b, work: p.work, text: text}
	last := -1
	for at := 0; at <= len(text); {
		match := p.next(&source, at)
		switch {
		case b.Err() != nil:
			return false
		case match == nil:
			return true
		}
		// An empty match does not count at the end of the one before.
		if (match[1] > at || match[0] != last) && !visit(match) {
			return false
		}
		last = match[1]
		if match[1] == at {
			at += max(1, sizeAt(text, at))
		} else {
			at = match[1]
		}
	}
	return true
}

// next gives the first match that does not begin before at.
func (p *pattern) next(source *characters, at int) []int {
	source.at = at
	var match []int
	switch {
	case p.short:
		if match = p.FindSubmatchIndex(source.text[at:]); match == nil {
			p.take(source.budget, len(source.text)-at)
		} else {
			p.take(source.budget, match[1])
		}
	case p.behind != nil && at > 0:
		_, size := utf8.DecodeLastRune(source.text[:at])
		at -= size
		source.at = at
		if match = p.behind.FindReaderSubmatchIndex(source); match != nil {
			match = match[2:]
		}
	default:
		match = p.FindReaderSubmatchIndex(source)
	}
	for i := range match {
		if match[i] >= 0 {
			match[i] += at
		}
	}
	return match
}

// characters are what a pattern reads of a text. They end with the budget.
type characters struct {
	budget *Budget
	work   int
	text   []byte
	at     int
}

// ReadRune implements io.RuneReader.
func (c *characters) ReadRune() (r rune, size int, err error) {
	if c.at == len(c.text) || !c.budget.Take(c.work) {
		return 0, 0, io.EOF
	}
	r, size = utf8.DecodeRune(c.text[c.at:])
	c.at += size
	return r, size, nil
}
