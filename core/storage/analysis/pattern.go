package analysis

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxPattern is how many bytes a regular expression may have.
const maxPattern = 1024

// patternOf reads a regular expression of Java that Go understands in the same way.
func (r *reading) patternOf(option, usual string) *pattern {
	text := r.text(option, usual)
	if len(text) > maxPattern {
		r.fail(option, "it is longer than %d bytes", maxPattern)
		return empty
	}
	p := javaPattern{rest: text}
	if option == "pattern" {
		p.flags(r)
	}
	made, err := newPattern(p.translate())
	switch {
	case p.wrong != "":
		r.fail(option, "%s is not supported", p.wrong)
	case err != nil:
		r.fail(option, "it is no regular expression, or has what is not supported, such as looking ahead or back: %v", err)
	default:
		return made
	}
	return empty
}

// javaPattern is a regular expression of Java while it is written as one of Go.
type javaPattern struct {
	rest string
	out  strings.Builder
	// wrong is what Go would understand in another way.
	wrong   string
	all     bool // . stands for ends of lines too
	literal bool
	// prefix has the flags that Go has too.
	prefix string
}

// flags reads such as CASE_INSENSITIVE|MULTILINE.
func (p *javaPattern) flags(r *reading) {
	given := r.text("flags", "")
	if given == "" {
		return
	}
	for name := range strings.SplitSeq(given, "|") {
		switch strings.ToUpper(name) {
		case "CASE_INSENSITIVE":
			p.prefix += "i"
		case "MULTILINE":
			p.prefix += "m"
		case "DOTALL":
			p.all = true
		case "LITERAL":
			p.literal = true
		case "UNICODE_CASE", "":
		default:
			r.fail("flags", "%q is not supported; there are CASE_INSENSITIVE, DOTALL, LITERAL, MULTILINE, UNICODE_CASE", name)
		}
	}
}

func (p *javaPattern) translate() string {
	if p.prefix != "" {
		p.out.WriteString("(?" + p.prefix + ")")
	}
	if p.literal {
		return p.out.String() + regexp.QuoteMeta(p.rest)
	}
	for p.rest != "" {
		switch p.rest[0] {
		case '\\':
			p.escape(false)
		case '[':
			p.class()
		case '(':
			p.group()
		case '.':
			p.dot()
		default:
			p.copy(1)
		}
	}
	return p.out.String()
}

func (p *javaPattern) copy(n int) {
	n = min(n, len(p.rest))
	p.out.WriteString(p.rest[:n])
	p.rest = p.rest[n:]
}

func (p *javaPattern) write(instead string, n int) {
	p.out.WriteString(instead)
	p.rest = p.rest[n:]
}

func (p *javaPattern) refuse(what string) {
	if p.wrong == "" {
		p.wrong = what
	}
	p.rest = ""
}

func (p *javaPattern) dot() {
	if p.all {
		p.write(`(?s:.)`, 1)
		return
	}
	p.write(`[^\n\r\x{85}\x{2028}\x{2029}]`, 1)
}

// group takes ( and what says how it is to be understood.
func (p *javaPattern) group() {
	if strings.HasPrefix(p.rest, "(?") && !strings.HasPrefix(p.rest, "(?:") && !strings.HasPrefix(p.rest, "(?i)") {
		name, ok := strings.CutPrefix(p.rest, "(?<")
		if !ok || name == "" || name[0] == '=' || name[0] == '!' {
			p.refuse(strconv.Quote(p.rest[:min(4, len(p.rest))]) + " in a regular expression")
			return
		}
	}
	p.copy(1)
}

// The characters that \s, \S and \h stand for, as the inside of a class. They end with a range, which a hyphen may follow.
var shorthands = map[byte]string{
	's': ` \t-\r`, 'S': `\x00-\x08\x0e-\x1f!-\x{10FFFF}`, 'h': ` \t\x{a0}\x{1680}\x{180e}\x{202f}\x{205f}\x{3000}\x{2000}-\x{200a}`,
}

// escape takes what begins with a backslash.
func (p *javaPattern) escape(inClass bool) {
	if len(p.rest) < 2 {
		p.copy(1)
		return
	}
	switch c := p.rest[1]; {
	case shorthands[c] != "" && inClass:
		p.write(shorthands[c], 2)
	case shorthands[c] != "":
		p.write("["+shorthands[c]+"]", 2)
	case c == 'u' && len(p.rest) >= 6:
		p.write(`\x{`+p.rest[2:6]+`}`, 6)
	case c == 'Q':
		p.quoted(inClass)
	case c == 'p' || c == 'P':
		p.property(inClass)
	case c == 'v' || c == 'C' || '0' <= c && c <= '9':
		p.refuse(strconv.Quote(p.rest[:2]) + " in a regular expression")
	case c >= utf8.RuneSelf:
		p.rest = p.rest[1:]
	default:
		p.copy(2)
	}
}

// quoted takes \Q…\E.
func (p *javaPattern) quoted(inClass bool) {
	if inClass {
		p.refuse(`"\Q" in a class of characters`)
		return
	}
	text, rest, _ := strings.Cut(p.rest[2:], `\E`)
	p.out.WriteString(regexp.QuoteMeta(text))
	p.rest = rest
}

// posix are the names of classes of ASCII that Java writes as properties.
var posix = map[string]string{
	"Lower": "lower", "Upper": "upper", "ASCII": "ascii", "Alpha": "alpha", "Digit": "digit", "Alnum": "alnum", "Punct": "punct",
	"Graph": "graph", "Print": "print", "Blank": "blank", "Cntrl": "cntrl", "XDigit": "xdigit", "Space": "space",
}

// property takes \p{L}, \p{IsLatin}, \p{Alpha} and the like.
func (p *javaPattern) property(inClass bool) {
	inner, ok := strings.CutPrefix(p.rest[2:], "{")
	if !ok {
		p.copy(2)
		return
	}
	name, rest, _ := strings.Cut(inner, "}")
	not := p.rest[1] == 'P'
	switch class := posix[name]; {
	case class != "" && not:
		class = "^" + class
		fallthrough
	case class != "":
		p.out.WriteString(bracketed("[:"+class+":]", inClass))
	case strings.HasPrefix(name, "Is"):
		p.out.WriteString(p.rest[:2] + "{" + strings.TrimPrefix(name, "Is") + "}")
	case len(name) <= 2:
		p.out.WriteString(p.rest[:2] + "{" + name + "}")
	default:
		p.refuse(strconv.Quote(name) + " as a property of characters")
		return
	}
	p.rest = rest
}

func bracketed(class string, inClass bool) string {
	if inClass {
		return class
	}
	return "[" + class + "]"
}

// class takes […].
func (p *javaPattern) class() {
	p.copy(1)
	if strings.HasPrefix(p.rest, "^") {
		p.copy(1)
	}
	for p.rest != "" {
		switch {
		case p.rest[0] == ']':
			p.copy(1)
			return
		case p.rest[0] == '[' || strings.HasPrefix(p.rest, "&&"):
			p.refuse("a class of characters in another")
		case p.rest[0] == '\\':
			p.escape(true)
		default:
			p.copy(1)
		}
	}
}

// replacement is what a pattern is replaced by: texts, and groups of what was found by their number.
type replacement struct {
	pattern *pattern
	parts   []part
}

// part is a text, or a group when that is not negative.
type part struct {
	text  string
	group int
}

// replacement reads a pattern and what it is replaced by.
func (r *reading) replacement() replacement {
	to := replacement{pattern: r.patternOf("pattern", "")}
	if to.pattern.String() == "" {
		r.fail("pattern", "it is missing")
	}
	for rest := r.text("replacement", ""); rest != ""; {
		switch c, size := utf8.DecodeRuneInString(rest); {
		case c == '\\' && len(rest) > 1:
			_, size = utf8.DecodeRuneInString(rest[1:])
			to.parts = append(to.parts, part{rest[1 : 1+size], -1})
			rest = rest[1+size:]
		case c == '\\':
			r.fail("replacement", "it ends with a backslash")
			rest = ""
		case c == '$':
			rest = to.reference(r, rest[1:])
		default:
			to.parts = append(to.parts, part{rest[:size], -1})
			rest = rest[size:]
		}
	}
	return to
}

// reference reads what follows $, the number or the {name} of a group, and gives the rest.
func (to *replacement) reference(r *reading, rest string) string {
	group, n := -1, 0
	if name, after, ok := strings.Cut(strings.TrimPrefix(rest, "{"), "}"); ok && strings.HasPrefix(rest, "{") {
		group, n = to.pattern.SubexpIndex(name), len(rest)-len(after)
	} else {
		// As many digits count as make the number of a group.
		for n < len(rest) && '0' <= rest[n] && rest[n] <= '9' {
			more := max(0, group)*10 + int(rest[n]-'0')
			if n > 0 && more > to.pattern.NumSubexp() {
				break
			}
			group, n = more, n+1
		}
	}
	if group < 0 || group > to.pattern.NumSubexp() {
		r.fail("replacement", "$%s is no group of the pattern", rest)
		return ""
	}
	to.parts = append(to.parts, part{group: group})
	return rest[n:]
}

// expand appends what stands for a match.
func (to *replacement) expand(b *Budget, dst, text []byte, match []int) []byte {
	for _, p := range to.parts {
		if p.group < 0 {
			if b.Take(1 + len(p.text)) {
				dst = append(dst, p.text...)
			}
		} else if from := match[2*p.group]; from >= 0 {
			if group := text[from:match[2*p.group+1]]; b.Take(1 + len(group)) {
				dst = append(dst, group...)
			}
		}
	}
	return dst
}

// charPattern replaces every match in a text.
func charPattern(to replacement) charFilter {
	return func(text []byte, w *rewriting) {
		kept := 0
		var with []byte
		to.pattern.each(w.budget, text, func(match []int) bool {
			with = to.expand(w.budget, with[:0], text, match)
			w.keep(text[kept:match[0]])
			w.replace(text[match[0]:match[1]], with)
			kept = match[1]
			return true
		})
		w.keep(text[kept:])
	}
}

// patternFilter replaces every match in a word, or the first one.
func patternFilter(to replacement, all bool) filter {
	return func(a *arena, term []byte) []byte {
		out, kept, changed := []byte{}, 0, false
		to.pattern.each(a.budget, term, func(match []int) bool {
			out = to.expand(a.budget, append(out, term[kept:match[0]]...), term, match)
			kept, changed = match[1], true
			return all
		})
		if !changed {
			return term
		}
		return append(out, term[kept:]...)
	}
}
