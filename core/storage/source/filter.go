package source

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query"
)

// Filter leaves out what a search did not ask for of a document, as Elasticsearch does, which has two ways:
//
//   - When no exclude has a wildcard, * stands for a part of one name, ** for any number of names, and an object or array of
//     which nothing is left is left out.
//   - Else * stands for anything, dots included, and a member that is asked for stays when all in it is excluded.
//
// In both a name stands for all below it, a name with a dot is the same as two names, excludes win, and what no exclude can
// reach into is given as it is.
type Filter struct {
	includes, excludes []pattern
}

// pattern is a path with wildcards. names is nil when * stands for dots too.
type pattern struct {
	path  string
	names []string
}

// NewFilter gives nil for a source that is not filtered.
func NewFilter(s query.Source) *Filter {
	if len(s.Includes) == 0 && len(s.Excludes) == 0 {
		return nil
	}
	crossing := strings.Contains(strings.Join(s.Excludes, ""), "*")
	patterns := func(paths []string) []pattern {
		all := make([]pattern, len(paths))
		for i, path := range paths {
			if all[i].path = path; !crossing {
				all[i].names = strings.Split(path, ".")
			}
		}
		return all
	}
	return &Filter{includes: patterns(s.Includes), excludes: patterns(s.Excludes)}
}

// crossing says which of the two ways it is.
func (f *Filter) crossing() bool { return len(f.excludes) > 0 && f.excludes[0].names == nil }

// Apply gives what is asked for of a stored document, in memory of its own.
func (f *Filter) Apply(source jsontext.Value) (jsontext.Value, error) {
	w := writer{filter: f, in: decoder(source), out: make([]byte, 0, len(source))}
	_, err := w.object("", len(f.includes) == 0)
	return w.out, err
}

// selects reports whether one of the patterns stands for a path or something above it.
func selects(patterns []pattern, path string) bool {
	for _, p := range patterns {
		if p.names == nil && (wildcard(p.path, path) || wildcard(p.path+".*", path)) {
			return true
		}
		if p.names != nil && above(p.names, path) {
			return true
		}
	}
	return false
}

// above matches the names one by one.
func above(names []string, path string) bool {
	if len(names) == 0 {
		return true
	}
	if names[0] == "**" && above(names[1:], path) {
		return true
	}
	if path == "" {
		return false
	}
	name, rest, _ := strings.Cut(path, ".")
	if names[0] == "**" {
		return above(names, rest)
	}
	return wildcard(names[0], name) && above(names[1:], rest)
}

// reach reports whether one of the patterns may stand for something below a path.
func reach(patterns []pattern, path string) bool {
	for _, p := range patterns {
		if p.names != nil && into(p.names, path) {
			return true
		}
		if p.names == nil {
			plain, _, wild := strings.Cut(p.path, "*")
			if strings.HasPrefix(plain, path+".") || wild && strings.HasPrefix(path+".", plain) {
				return true
			}
		}
	}
	return false
}

// into reports whether names are left when those of path are taken away.
func into(names []string, path string) bool {
	for path != "" && len(names) > 0 && names[0] != "**" {
		var name string
		if name, path, _ = strings.Cut(path, "."); !wildcard(names[0], name) {
			return false
		}
		names = names[1:]
	}
	return len(names) > 0
}

// wildcard matches a whole text; each * of the pattern stands for any number of characters. It goes back to the last * only, so
// that it takes no longer than the product of the lengths.
func wildcard(pattern, text string) bool {
	star, again := -1, 0
	i, j := 0, 0
	for j < len(text) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, again = i, j
			i++
		case i < len(pattern) && pattern[i] == text[j]:
			i++
			j++
		case star >= 0:
			again++
			i, j = star+1, again
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}

// writer copies from in to out what the filter lets through.
type writer struct {
	filter *Filter
	in     *jsontext.Decoder
	out    []byte
}

// object copies the object that comes next, and gives how many members are left. included says that all of it is asked for
// but what is excluded.
func (w *writer) object(path string, included bool) (left int, err error) {
	if _, err := w.in.ReadToken(); err != nil {
		return 0, noEOF(err)
	}
	w.out = append(w.out, '{')
	for w.in.PeekKind() != '}' {
		quoted, name, err := readName(w.in)
		if err != nil {
			return 0, err
		}
		if path != "" {
			name = path + "." + name
		}
		start := len(w.out)
		if left > 0 {
			w.out = append(w.out, ',')
		}
		w.out = append(append(w.out, quoted...), ':')
		kept, err := w.member(name, included)
		if err != nil {
			return 0, err
		}
		if kept {
			left++
		} else {
			w.out = w.out[:start]
		}
	}
	_, err = w.in.ReadToken()
	w.out = append(w.out, '}')
	return left, noEOF(err)
}

// member copies the value of a member, and reports whether it is to be kept.
func (w *writer) member(path string, included bool) (kept bool, err error) {
	if selects(w.filter.excludes, path) {
		return false, noEOF(w.in.SkipValue())
	}
	included = included || selects(w.filter.includes, path)
	return w.value(path, included, included && w.filter.crossing())
}

// value copies the value that comes next. keepEmpty keeps it when nothing of it is left.
func (w *writer) value(path string, included, keepEmpty bool) (kept bool, err error) {
	kind := w.in.PeekKind()
	if kind != '{' && kind != '[' || included && !reach(w.filter.excludes, path) {
		raw, err := w.in.ReadValue()
		w.out = append(w.out, raw...)
		return included, noEOF(err)
	}
	copying := w.object
	if kind == '[' {
		copying = w.array
	}
	left, err := copying(path, included)
	return left > 0 || keepEmpty, err
}

// array copies the array that comes next, as object does.
func (w *writer) array(path string, included bool) (left int, err error) {
	if _, err := w.in.ReadToken(); err != nil {
		return 0, noEOF(err)
	}
	w.out = append(w.out, '[')
	for w.in.PeekKind() != ']' {
		start := len(w.out)
		if left > 0 {
			w.out = append(w.out, ',')
		}
		kept, err := w.value(path, included, false)
		if err != nil {
			return 0, err
		}
		if kept {
			left++
		} else {
			w.out = w.out[:start]
		}
	}
	_, err = w.in.ReadToken()
	w.out = append(w.out, ']')
	return left, noEOF(err)
}
