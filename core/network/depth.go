package network

import "bytes"

// MaxDepth is how deep objects and arrays of a request may be nested.
const MaxDepth = 512

// TooDeep reports whether a JSON text is nested deeper than MaxDepth. What is no JSON gives any answer; the parser
// decides about that.
func TooDeep(data []byte) bool {
	// Most texts do not hold that many brackets at all, and counting them is much faster than reading.
	if bytes.Count(data, []byte{'{'})+bytes.Count(data, []byte{'['}) <= MaxDepth {
		return false
	}
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
