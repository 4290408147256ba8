package httpserver

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/network"
)

// An indented answer is at most maxIndentFactor times as large as the plain one, and maxIndentExtra bytes. Beyond, it is
// nested so deep that indenting helps nobody to read it, and its size is the square of what the client sent.
const (
	maxIndentFactor = 4
	maxIndentExtra  = 64 << 10
)

// indent makes a JSON text readable, unless that would make it too large.
func indent(buf *network.Buffer) {
	if !indentFits(buf.B, maxIndentFactor*len(buf.B)+maxIndentExtra) {
		return
	}
	v := jsontext.Value(buf.B)
	if v.Indent(jsontext.WithIndent("  ")) == nil {
		buf.B = v
	}
}

// indentFits reports whether a valid JSON text has at most limit bytes when it is indented by two spaces.
func indentFits(text []byte, limit int) bool {
	size, depth := 0, 0
	quoted := false
	var last byte // the last one that is no white space
	for i := 0; i < len(text) && size <= limit; i++ {
		c := text[i]
		switch {
		case quoted:
			size++
			if c == '\\' {
				i++
				size++
			}
			quoted = c != '"'
			continue
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			continue
		case c == '}' || c == ']':
			depth--
			if last != '{' && last != '[' {
				size += 1 + 2*depth
			}
		case last == '{' || last == '[' || last == ',':
			size += 1 + 2*depth
		case last == ':':
			size++
		}
		size++
		quoted = c == '"'
		if c == '{' || c == '[' {
			depth++
		}
		last = c
	}
	return size <= limit
}
