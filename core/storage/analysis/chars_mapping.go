package analysis

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// charMapping reads rules such as "ph => f".
func (r *reading) charMapping() charFilter {
	rules := map[string][]byte{}
	lines := r.list("mappings")
	if len(lines) == 0 {
		r.fail("mappings", "it is missing; mappings_path is not supported")
	}
	for _, line := range lines {
		from, to, ok := parseMapping(line)
		_, twice := rules[from]
		switch {
		case !ok:
			r.fail("mappings", "%q is no rule such as \"ph => f\"", line)
		case from == "":
			r.fail("mappings", "%q replaces nothing", line)
		case twice:
			r.fail("mappings", "there are several rules for %q", from)
		}
		rules[from] = []byte(to)
	}
	return mapped(rules)
}

var mappingRule = regexp.MustCompile(`(?s)^(.*)\s*=>\s*(.*)\s*$`)

func parseMapping(line string) (from, to string, ok bool) {
	sides := mappingRule.FindStringSubmatch(line)
	if sides == nil {
		return "", "", false
	}
	from, known := unescaped(strings.TrimSpace(sides[1]))
	to, known2 := unescaped(strings.TrimSpace(sides[2]))
	return from, to, known && known2
}

var escapes = map[byte]byte{'\\': '\\', 'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f'}

// unescaped reads a text with \n, \u0041 and the like. ok is false for one that ends within such.
func unescaped(text string) (plain string, ok bool) {
	var out []uint16
	for text != "" {
		c, size := utf8.DecodeRuneInString(text)
		if c != '\\' {
			out = utf16.AppendRune(out, c)
			text = text[size:]
			continue
		}
		if len(text) < 2 {
			return "", false
		}
		if text[1] != 'u' {
			known, ok := escapes[text[1]]
			if !ok {
				return "", false
			}
			out, text = append(out, uint16(known)), text[2:]
			continue
		}
		if len(text) < 6 {
			return "", false
		}
		n, err := strconv.ParseUint(text[2:6], 16, 16)
		if err != nil {
			return "", false
		}
		out, text = append(out, uint16(n)), text[6:]
	}
	return string(utf16.Decode(out)), true
}

// mapped replaces the longest text that a rule begins with at each place. What is written is not looked at again.
func mapped(rules map[string][]byte) charFilter {
	// lengths are those of the rules that begin with a byte, longest first.
	var lengths [256][]int
	for from := range rules {
		if from != "" && !slices.Contains(lengths[from[0]], len(from)) {
			lengths[from[0]] = append(lengths[from[0]], len(from))
		}
	}
	for _, list := range lengths {
		slices.SortFunc(list, func(a, b int) int { return b - a })
	}
	return func(text []byte, to *rewriting) {
		kept := 0
		for i := 0; i < len(text) && to.budget.Err() == nil; {
			n := longestRule(to.budget, rules, lengths[text[i]], text[i:])
			if n == 0 {
				i++
				continue
			}
			to.keep(text[kept:i])
			to.replace(text[i:i+n], rules[string(text[i:i+n])])
			i += n
			kept = i
		}
		to.keep(text[kept:])
	}
}

// longestRule gives the length of the longest beginning of text that has a rule, of some lengths.
func longestRule(b *Budget, rules map[string][]byte, lengths []int, text []byte) int {
	for _, n := range lengths {
		if n > len(text) {
			continue
		}
		if !b.Take(1 + n/8) {
			return 0
		}
		if _, ok := rules[string(text[:n])]; ok {
			return n
		}
	}
	return 0
}
