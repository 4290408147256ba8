package elastic

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// own is the name of what this engine keeps in a mapping: a member of _meta, and the field around indexed keywords.
const own = "_sluice"

// maxIndexed is how many UTF-16 units an indexed keyword may have: Lucene takes 32766 bytes, four for each at most.
const maxIndexed = 8191

// keywordScript fills an indexed keyword. What it cannot read is no value of the keyword.
const keywordScript = `def v = params._source[params.name]; if (v instanceof String) { emit(v) } ` +
	`else if (v instanceof List) { for (def x : v) { if (x instanceof String) { emit(x) } } }`

// record is what is kept about a collection in its _meta. Keywords are not among it: of two nodes that change _meta at the same
// time one wins, while fields of both are added.
type record struct {
	Settings jsontext.Value `json:"settings,omitzero"`
}

// keyword is a field that Find answers for.
type keyword struct {
	name string
	// path is the field that it is indexed in, empty when documents must be read; values of more than most UTF-16 units are
	// not in it.
	path string
	most int
}

// mark is the field in the mapping that stands for a keyword: one with a script is indexed, an alias stands for a field of
// Kuzzle's, and one without an index only says that there is the keyword.
type mark struct {
	Type        string         `json:"type"`
	Path        string         `json:"path,omitzero"`
	Index       *bool          `json:"index,omitzero"`
	DocValues   *bool          `json:"doc_values,omitzero"`
	IgnoreAbove int            `json:"ignore_above,omitzero"`
	OnError     string         `json:"on_script_error,omitzero"`
	Script      jsontext.Value `json:"script,omitzero"`
}

// members is a JSON object.
type members map[string]jsontext.Value

// layout is a collection as Elasticsearch describes it.
type layout struct {
	physical string
	// made says that this engine made the collection, or knows it by an Ensure.
	made   bool
	record record
	// mapping is the mapping without what this engine added, which is record and the marks of keywords.
	mapping members
	marks   map[string]mark
	// extra is more for a mapping that cannot be merged here; nil for none.
	extra members
	// settings are what a new index can be given.
	settings members
}

// describe reads a collection.
func (e *Engine) describe(ctx context.Context, c storage.Collection) (layout, error) {
	if err := e.check(ctx, c); err != nil {
		return layout{}, err
	}
	l, err := e.read(ctx, c)
	if !isNoIndex(err) {
		return l, public(err)
	}
	if err := e.missing(ctx, c); err != nil {
		return layout{}, err
	}
	return layout{}, unknownCollection(c) // it was made a moment ago
}

// read is describe without a proper error for a collection that does not exist.
func (e *Engine) read(ctx context.Context, c storage.Collection) (layout, error) {
	var found map[string]struct {
		Mappings members `json:"mappings"`
		Settings struct {
			Index members `json:"index"`
		} `json:"settings"`
	}
	if err := e.client.do(ctx, request{method: http.MethodGet, path: []string{alias(c)}}, &found); err != nil {
		return layout{}, err
	}
	if len(found) != 1 {
		return layout{}, kerror.ServicesStorageMultipleIndiceAlias.New("indexes", "alias "+alias(c))
	}
	var l layout
	for name, f := range found {
		l = layout{physical: name, mapping: f.Mappings, settings: f.Settings.Index}
	}
	for _, given := range []string{"creation_date", "provided_name", "uuid", "version", "routing", "resize", "history"} {
		delete(l.settings, given) // by Elasticsearch
	}
	return l, l.takeApart()
}

// takeApart moves what this engine added out of the mapping.
func (l *layout) takeApart() error {
	if l.mapping == nil {
		l.mapping = members{}
	}
	if l.mapping["dynamic"] == nil {
		l.mapping["dynamic"] = jsontext.Value(`"true"`) // which Elasticsearch leaves out
	}
	meta, err := l.part("_meta")
	if err != nil {
		return err
	}
	if raw, ok := meta[own]; ok {
		l.made = true
		if err := json.Unmarshal(raw, &l.record); err != nil {
			return unexpected("the _meta of a collection cannot be read", err)
		}
		delete(meta, own)
		if l.mapping["_meta"] = encode(meta); len(meta) == 0 {
			delete(l.mapping, "_meta")
		}
	}
	properties, err := l.part("properties")
	if err != nil {
		return err
	}
	if raw, ok := properties[own]; ok {
		var field struct {
			Properties map[string]mark `json:"properties"`
		}
		if err := json.Unmarshal(raw, &field); err != nil {
			return unexpected("the mapping of a collection cannot be read", err)
		}
		l.marks = field.Properties
		delete(properties, own)
	}
	l.mapping["properties"] = encode(properties)
	return nil
}

// part is an object in the mapping, empty when there is none.
func (l *layout) part(name string) (members, error) {
	m := members{}
	if raw := l.mapping[name]; raw != nil {
		if err := json.Unmarshal(raw, &m); err != nil {
			return nil, unexpected("the mapping of a collection cannot be read", err)
		}
	}
	return m, nil
}

// body is the mapping to send.
func (l *layout) body() (members, error) {
	body := maps.Clone(l.mapping)
	if l.extra != nil {
		body = maps.Clone(l.extra)
	}
	meta, err := l.part("_meta")
	if err != nil {
		return nil, err
	}
	if given := l.extra["_meta"]; given != nil {
		meta = members{}
		if err := decode(given, &meta); err != nil {
			return nil, err
		}
	}
	meta[own] = encode(l.record)
	body["_meta"] = encode(meta)
	if len(l.marks) == 0 {
		return body, nil
	}
	properties := members{}
	if given := body["properties"]; given != nil {
		if err := decode(given, &properties); err != nil {
			return nil, err
		}
	}
	properties[own] = encode(object{"properties": l.marks})
	body["properties"] = encode(properties)
	return body, nil
}

// fields reads the mapping; it fails when core/storage/mapping does not know what is in it.
func (l *layout) fields(c storage.Collection) (*mapping.Mapping, error) {
	set, _ := parseSet(l.record.Settings) // checked before, or from before that was done
	m, err := mapping.ParseWith(encode(l.mapping), set)
	if err != nil {
		return nil, err
	}
	return m.For(c.Index, c.Name), nil
}

// setFields puts another mapping in the place of the one there is.
func (l *layout) setFields(m *mapping.Mapping) error {
	l.mapping = nil
	if err := json.Unmarshal(m.JSON(true), &l.mapping); err != nil {
		return unexpected("the mapping cannot be written", err)
	}
	return nil
}

// spec is what Describe answers.
func (l *layout) spec(c storage.Collection) storage.Spec {
	s := storage.Spec{Mapping: encode(l.mapping), Settings: l.record.Settings}
	if m, err := l.fields(c); err == nil {
		s.Mapping = m.JSON(true)
	}
	if !l.made && len(l.settings) > 0 {
		s.Settings = encode(l.settings)
	}
	s.Keywords = slices.Sorted(maps.Keys(l.marks))
	return s
}

// keyword finds a keyword by its name.
func (l *layout) keyword(name string) (keyword, bool) {
	m, ok := l.marks[name]
	k := keyword{name: name}
	switch {
	case m.Script != nil:
		k.path, k.most = own+"."+name, m.IgnoreAbove
	case m.Type == "alias":
		if f := l.indexed(m.Path); f != nil {
			k.path, k.most = m.Path, min(f.IgnoreAbove, maxIndexed)
		}
	}
	return k, ok
}

// addKeywords adds those that are new. before is the collection as it is now: a field that is new has not got what the documents
// hold. nil says that the collection does not exist yet, so that keywords can be indexed.
func (l *layout) addKeywords(names []string, before *layout) {
	l.marks = maps.Clone(l.marks)
	for _, name := range names {
		if _, had := l.marks[name]; had {
			continue
		}
		if l.marks == nil {
			l.marks = map[string]mark{}
		}
		switch {
		case before == nil:
			l.marks[name] = mark{
				Type: "keyword", IgnoreAbove: maxIndexed, OnError: "continue",
				Script: encode(object{"source": keywordScript, "lang": "painless", "params": object{"name": name}}),
			}
		case !before.made && before.indexed(name) != nil:
			l.marks[name] = mark{Type: "alias", Path: name}
		default:
			l.marks[name] = mark{Type: "keyword", Index: new(bool), DocValues: new(bool)}
		}
	}
}

// indexed gives the field of the mapping that can answer for a keyword, nil when there is none.
func (l *layout) indexed(name string) *mapping.Field {
	m, err := l.fields(storage.Collection{})
	if err != nil {
		return nil
	}
	f := m.Field(name)
	if f == nil || f.Type != mapping.Keyword || !f.Index || f.Normalizer != "" {
		return nil
	}
	return f
}

func (l *layout) same(other *layout) bool {
	return l.made == other.made && len(l.marks) == len(other.marks) &&
		bytes.Equal(encode(l.mapping), encode(other.mapping)) && bytes.Equal(encode(l.record), encode(other.record))
}
