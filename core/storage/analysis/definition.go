package analysis

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// definition is the JSON of an analyzer or a part of one.
type definition map[string]jsontext.Value

// reading is a definition while it is read: the first error counts, and what is not asked for is one.
type reading struct {
	path string
	left definition
	err  error
}

func (d definition) at(path string) *reading { return &reading{path: path, left: maps.Clone(d)} }

func (r *reading) fail(option, format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%s.%s: %s", r.path, option, fmt.Sprintf(format, args...))
	}
}

func (r *reading) take(option string) (jsontext.Value, bool) {
	v, ok := r.left[option]
	delete(r.left, option)
	return v, ok
}

// text reads a text; usual when there is none.
func (r *reading) text(option, usual string) string {
	v, ok := r.take(option)
	if ok && json.Unmarshal(v, &usual) != nil {
		r.fail(option, "expected a text")
	}
	return usual
}

// count reads a whole number from least to most, or the text of one.
func (r *reading) count(option string, usual, least, most int) int {
	v, ok := r.take(option)
	if !ok {
		return usual
	}
	text := string(v)
	if v.Kind() == '"' {
		_ = json.Unmarshal(v, &text) // a text always is one
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		r.fail(option, "expected a whole number from %d to %d", least, most)
	}
	return n
}

// flag reads true or false, or the text of one.
func (r *reading) flag(option string) bool { return r.flagOr(option, false) }

func (r *reading) flagOr(option string, usual bool) bool {
	switch v, ok := r.take(option); {
	case !ok:
		return usual
	case string(v) == "false", string(v) == `"false"`:
		return false
	case string(v) == "true", string(v) == `"true"`:
		return true
	}
	r.fail(option, "expected true or false")
	return false
}

// maxListed is how many words a list may have.
const maxListed = 10_000

// list reads a text or a list of texts.
func (r *reading) list(option string) []string {
	v, ok := r.take(option)
	if !ok {
		return nil
	}
	many := []jsontext.Value{v}
	if v.Kind() == '[' && json.Unmarshal(v, &many) != nil || len(many) > maxListed {
		r.fail(option, "expected a text or a list of at most %d texts", maxListed)
	}
	list := make([]string, len(many))
	for i, item := range many {
		switch item.Kind() {
		case '"':
			_ = json.Unmarshal(item, &list[i]) // a text always is one
		case '0', 't', 'f': // settings are texts, however they are written
			list[i] = string(item)
		default:
			r.fail(option, "expected a text or a list of at most %d texts", maxListed)
		}
	}
	return list
}

// end fails for what was not asked for.
func (r *reading) end() error {
	for _, option := range slices.Sorted(maps.Keys(r.left)) {
		r.fail(option, "not an option of this type, or not supported yet")
	}
	return r.err
}
