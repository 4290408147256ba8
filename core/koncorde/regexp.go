package koncorde

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxRegexpBytes = 4096
	// maxRegexpSteps bounds what one character of a document may cost; `.{500}` is five hundred steps. Fifty words to choose
	// from fit in, a thousand bytes of text take some 4 ms at worst.
	maxRegexpSteps = 750
	// maxSearchedBytes is the longest text in which something is found.
	maxSearchedBytes = 64 << 10
)

// newPattern reads an expression of the standard library, whose time grows with the length of the text only, and with
// the number of its steps: those are bounded.
func newPattern(source, flags string) (pattern, error) {
	if len(source) > maxRegexpBytes {
		return pattern{}, fmt.Errorf("longer than %d bytes", maxRegexpBytes)
	}
	expression := source
	if flags != "" {
		expression = "(?" + flags + ")" + source
	}
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return pattern{}, err
	}
	parsed = parsed.Simplify()
	program, err := syntax.Compile(parsed)
	if err != nil {
		return pattern{}, err
	}
	if len(program.Inst) > maxRegexpSteps {
		return pattern{}, fmt.Errorf("it has %d steps when its repetitions are written out, more than %d", len(program.Inst), maxRegexpSteps)
	}
	compiled, err := regexp.Compile(expression)
	return pattern{source, flags, compiled, len(program.Inst), gramsOf(parsed)}, err
}

// gram is three bytes of a text, ASCII letters in lower case.
type gram uint32

// gramsOf gives grams that every text has in which re is found, each once.
func gramsOf(re *syntax.Regexp) []gram {
	grams := appendNeeded(nil, re)
	slices.Sort(grams)
	return slices.Compact(grams)
}

func appendNeeded(dst []gram, re *syntax.Regexp) []gram {
	switch re.Op {
	case syntax.OpLiteral:
		return appendLiteral(dst, re.Rune, re.Flags&syntax.FoldCase != 0)
	case syntax.OpConcat, syntax.OpCapture, syntax.OpPlus:
		for _, sub := range re.Sub {
			dst = appendNeeded(dst, sub)
		}
	}
	return dst
}

// appendLiteral gives the grams of a literal. Where case does not count, it is cut at the letters that stand for others than
// their own two forms: those outside of ASCII, and k and s, which are also the Kelvin sign and the long s.
func appendLiteral(dst []gram, literal []rune, anyCase bool) []gram {
	var text []byte
	for _, r := range literal {
		if anyCase && (r >= utf8.RuneSelf || strings.ContainsRune("kKsS", r)) {
			dst, text = appendGrams(dst, string(text)), text[:0]
			continue
		}
		text = utf8.AppendRune(text, r)
	}
	return appendGrams(dst, string(text))
}

func appendGrams(dst []gram, text string) []gram {
	var g gram
	for i := range len(text) {
		if g = g.next(text[i]); i >= 2 {
			dst = append(dst, g)
		}
	}
	return dst
}

// next is the gram that ends with b, one byte further in a text.
func (g gram) next(b byte) gram { return g<<8&0xffffff | gram(lower(b)) }

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}
