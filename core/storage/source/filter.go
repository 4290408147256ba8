package source

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol/kerror"
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

// pattern is a path with wildcards, of which no two stand side by side. names is nil when * stands for dots too.
type pattern struct {
	path  string
	names []string
	// below is the pattern of all below path. plain is what path begins with before the first *, and wild says that there is one.
	below, plain string
	wild         bool
}

// NewFilter gives nil for a source that is not filtered.
func NewFilter(s query.Source) *Filter {
	if len(s.Includes) == 0 && len(s.Excludes) == 0 {
		return nil
	}
	read := patternOfNames
	if strings.Contains(strings.Join(s.Excludes, ""), "*") {
		read = crossingPattern
	}
	patterns := func(paths []string) []pattern {
		all := make([]pattern, len(paths))
		for i, path := range paths {
			all[i] = read(path)
		}
		return all
	}
	return &Filter{includes: patterns(s.Includes), excludes: patterns(s.Excludes)}
}

func patternOfNames(path string) pattern {
	names := strings.Split(path, ".")
	for i, name := range names {
		if name != "**" {
			names[i] = oneStar(name)
		}
	}
	names = slices.CompactFunc(names, func(a, b string) bool { return a == "**" && b == "**" })
	return pattern{path: path, names: names}
}

func crossingPattern(path string) pattern {
	p := pattern{path: oneStar(path)}
	p.below = oneStar(p.path + ".*")
	p.plain, _, p.wild = strings.Cut(p.path, "*")
	return p
}

// oneStar makes one * of several side by side.
func oneStar(text string) string {
	return string(slices.CompactFunc([]byte(text), func(a, b byte) bool { return a == '*' && b == '*' }))
}

// crossing says which of the two ways it is.
func (f *Filter) crossing() bool { return len(f.excludes) > 0 && f.excludes[0].names == nil }

// Apply gives what is asked for of a stored document, in memory of its own. It fails with
// services.storage.unexpected_bad_request when the patterns and the document are so large that comparing them takes too long.
func (f *Filter) Apply(ctx context.Context, source jsontext.Value) (jsontext.Value, error) {
	w := writer{ctx: ctx, filter: f, in: decoder(source), out: make([]byte, 0, len(source))}
	if _, err := w.object("", len(f.includes) == 0); err != nil {
		return nil, err
	}
	if len(w.out) < cap(w.out)/2 {
		return bytes.Clone(w.out), nil // not to hold what was left out
	}
	return w.out, nil
}

// writer copies from in to out what the filter lets through.
type writer struct {
	ctx    context.Context //nolint:containedctx // lives as long as one Apply
	filter *Filter
	in     *jsontext.Decoder
	out    []byte
	match  matcher
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
		w.match.steps += len(name)
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
	if err := w.look(); err != nil {
		return false, err
	}
	if w.match.selects(w.filter.excludes, path) {
		return false, noEOF(w.in.SkipValue())
	}
	included = included || w.match.selects(w.filter.includes, path)
	return w.value(path, included, included && w.filter.crossing())
}

// value copies the value that comes next. keepEmpty keeps it when nothing of it is left.
func (w *writer) value(path string, included, keepEmpty bool) (kept bool, err error) {
	kind := w.in.PeekKind()
	if kind != '{' && kind != '[' || included && !w.match.reach(w.filter.excludes, path) {
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

// look ends a document that takes too long, or that nobody waits for any more.
func (w *writer) look() error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if w.match.steps > maxSteps {
		return kerror.ServicesStorageUnexpectedBadRequest.New("_source has too many patterns for documents as large as these, or too long ones")
	}
	return nil
}
