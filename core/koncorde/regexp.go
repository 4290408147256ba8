package koncorde

import (
	"fmt"
	"regexp"
	"regexp/syntax"
)

// Regexp is a compiled regular expression.
type Regexp interface {
	// MatchString reports whether the expression is found anywhere in s.
	MatchString(s string) bool
}

var _ Regexp = (*regexp.Regexp)(nil)

const (
	maxRegexpBytes = 4096
	// maxRegexpSteps bounds what one character of a document may cost; `.{1000}` is a thousand steps.
	maxRegexpSteps = 2000
)

// compileRE2 reads an expression of the standard library, whose time grows with the length of the text only, and with
// the number of its steps: those are bounded.
func compileRE2(expression, flags string) (Regexp, error) {
	if len(expression) > maxRegexpBytes {
		return nil, fmt.Errorf("longer than %d bytes", maxRegexpBytes)
	}
	if flags != "" {
		expression = "(?" + flags + ")" + expression
	}
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	if len(program.Inst) > maxRegexpSteps {
		return nil, fmt.Errorf("it has %d steps when its repetitions are written out, more than %d", len(program.Inst), maxRegexpSteps)
	}
	return regexp.Compile(expression)
}
