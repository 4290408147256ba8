package highlight

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// maxAnalyzed is how many characters of a field are taken apart, as in Elasticsearch.
const maxAnalyzed = 1_000_000

// Highlighter shows the words of one search in documents of one collection. It belongs to one goroutine.
type Highlighter struct {
	mapping  *mapping.Mapping
	html     bool
	fields   []field
	document mapping.Document
}

// field is one that is shown.
type field struct {
	query.HighlightField
	// name is what it was asked for by, which may be an alias of path.
	name, path string
	// analyzer is nil for a value that is one word.
	analyzer *analysis.Analyzer
	words    *words
}

// New gives the highlighter of a search for q. The clauses of q are known to suit the mapping, those of a highlight_query are not.
// Fails with services.storage.unexpected_bad_request for what cannot be looked for, and when b does.
func New(b *search.Bounds, m *mapping.Mapping, h *query.Highlight, q query.Query) (*Highlighter, error) {
	made := &Highlighter{mapping: m, html: h.HTML}
	places := map[string]int{}
	for _, spec := range h.Fields {
		names, err := namesOf(b, m, spec.Pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			f, err := newField(b, m, name, spec, q)
			switch i, there := places[name]; {
			case err != nil:
				return nil, err
			case there:
				made.fields[i] = f
			default:
				places[name] = len(made.fields)
				made.fields = append(made.fields, f)
			}
		}
	}
	return made, nil
}

// namesOf gives the fields with texts that a pattern stands for.
func namesOf(b *search.Bounds, m *mapping.Mapping, pattern string) ([]string, error) {
	if !strings.Contains(pattern, "*") {
		if hasText(m.Resolve(pattern)) {
			return []string{pattern}, nil
		}
		return nil, nil
	}
	accepts, err := b.Automaton(pattern, &query.Wildcard{}, []byte(pattern))
	if err != nil {
		return nil, err
	}
	var names []string
	for f := range m.All() {
		if accepts.Match([]byte(f.Path)) && hasText(m.Resolve(f.Path)) {
			names = append(names, f.Path)
		}
	}
	return names, b.Charge(len(names))
}

func hasText(f *mapping.Field) bool {
	return f != nil && (f.Type == mapping.Text || f.Type == mapping.Keyword)
}

func newField(b *search.Bounds, m *mapping.Mapping, name string, spec query.HighlightField, q query.Query) (field, error) {
	target := m.Resolve(name)
	f := field{HighlightField: spec, name: name, path: target.Path}
	if target.Type == mapping.Text {
		f.analyzer = target.Words()
	}
	if spec.Query != nil {
		q = spec.Query
	}
	path := target.Path
	if spec.AnyField {
		path = ""
	}
	var err error
	f.words, err = wordsOf(b, m, q, path, spec.Plain || spec.AnyField || hasNested(m, q))
	return f, err
}

// hasNested reports whether a query asks for nested objects: then Elasticsearch does not regard phrases and what has to match.
func hasNested(m *mapping.Mapping, q query.Query) bool {
	found := false
	query.Walk(q, func(q query.Query) bool {
		switch q := q.(type) {
		case *query.Nested:
			found = found || m.Resolve(q.Path) != nil
		case *query.FunctionScore:
			found = found || hasNested(m, q.Query)
			return false
		case *query.Boosting:
			found = found || hasNested(m, q.Positive)
			return false
		}
		return true
	})
	return found
}

// Apply gives the object of the fields in which something was found, with the fragments of each; nil when there is none.
// Fails with services.storage.unexpected_bad_request for a text that is too long, and with the error of ctx.
func (h *Highlighter) Apply(ctx context.Context, source jsontext.Value) (jsontext.Value, error) {
	if err := h.mapping.Fields(source, &h.document); err != nil {
		return nil, nil //nolint:nilerr // a document that was written under another mapping has nothing to show
	}
	values := map[string][]string{}
	for _, v := range h.document.Values {
		if hasText(v.Field) {
			values[v.Field.Path] = append(values[v.Field.Path], string(v.Text))
		}
	}
	out := []byte{'{'}
	for i := range h.fields {
		f := &h.fields[i]
		fragments, err := f.fragments(ctx, values[f.path], h.html)
		if err != nil {
			return nil, err
		}
		if len(fragments) > 0 {
			out = appendMember(out, f.name, fragments)
		}
	}
	if len(out) == 1 {
		return nil, nil
	}
	return append(out, '}'), nil
}

func appendMember(out []byte, name string, fragments []string) []byte {
	if len(out) > 1 {
		out = append(out, ',')
	}
	out = append(appendText(out, name), ":["...)
	for i, fragment := range fragments {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendText(out, fragment)
	}
	return append(out, ']')
}

// appendText writes a text of a document, which is UTF-8, or a tag of a query, which is too.
func appendText(out []byte, text string) []byte {
	quoted, err := jsontext.AppendQuote(out, text)
	if err != nil {
		return append(out, `""`...)
	}
	return quoted
}

// fragments gives what is shown of the values of the field in one document.
func (f *field) fragments(ctx context.Context, values []string, html bool) ([]string, error) {
	if len(values) == 0 {
		return nil, ctx.Err()
	}
	values, err := f.cut(values)
	if err != nil {
		return nil, err
	}
	budget := analysis.NewBudget(ctx, analysis.DocumentWork)
	t := f.read(budget, values)
	if err := budget.Err(); err != nil {
		return nil, err
	}
	matches, err := f.words.find(ctx, t)
	if err != nil {
		return nil, err
	}
	w := writer{text: t, pre: f.Pre, post: f.Post, html: html}
	var shown []string
	if f.Plain {
		shown = f.plain(&w, matches)
	} else {
		shown = f.unified(&w, matches)
	}
	if len(shown) == 0 && f.NoMatchSize > 0 {
		shown = f.beginning(&w)
	}
	return shown, nil
}

// cut leaves of long values what is looked at.
func (f *field) cut(values []string) ([]string, error) {
	most := maxAnalyzed
	if f.MaxAnalyzed > 0 {
		most = min(most, f.MaxAnalyzed)
	}
	list := slices.Clone(values)
	for i, value := range values {
		switch {
		case len(value) <= most || utf8.RuneCountInString(value) <= most:
		case f.MaxAnalyzed == 0:
			return nil, refuse("highlight: the field [%s] of a document has more than %d characters: set max_analyzed_offset to look at its beginning only",
				f.name, maxAnalyzed)
		default:
			list[i] = string([]rune(value)[:most])
		}
	}
	return list, nil
}

func refuse(format string, args ...any) error {
	return kerror.ServicesStorageUnexpectedBadRequest.New(fmt.Sprintf(format, args...))
}
