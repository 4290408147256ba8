package mapping

import (
	"bytes"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/spelling"
	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/query/dates"
)

// rootProperties are what a mapping may hold.
var rootProperties = []string{"properties", "_meta", "dynamic"}

// metadata are names that only the engine uses for what it keeps beside a document.
var metadata = []string{
	"_data_stream_timestamp", "_doc_count", "_field_names", "_id", "_ignored", "_index", "_nested_path", "_routing", "_seq_no", "_source", "_tier",
	"_version",
}

// Parse reads {dynamic?, _meta?, properties?}. It looks at the mapping by itself: what fields say about other fields (the path
// of an alias, copy_to) may be about fields of the mapping it is going to be merged into, so Merge looks at that.
//
// A field can use the analyzers and normalizers that are built in; ParseWith knows those of a collection too.
func Parse(raw jsontext.Value) (*Mapping, error) { return ParseWith(raw, nil) }

// ParseWith is Parse for a collection whose settings define analyzers and normalizers.
func ParseWith(raw jsontext.Value, set *analysis.Set) (*Mapping, error) {
	if !raw.IsValid() {
		return nil, refused("the mapping is not valid JSON, or has a key twice")
	}
	list, err := members(raw)
	if err != nil {
		return nil, notAnObject("mappings")
	}
	root := &Field{Type: Object}
	var meta jsontext.Value
	for _, m := range list {
		switch m.name {
		case "dynamic":
			root.Dynamic, err = parseDynamic("dynamic", m.raw)
		case "_meta":
			meta, err = parseMeta(m.raw)
		case "properties":
			err = parseProperties(root, "", m.raw, 1)
		default:
			err = invalidMapping(m.name, spelling.Hint(m.name, rootProperties))
		}
		if err != nil {
			return nil, err
		}
	}
	for _, f := range root.children.list {
		if isMetadata(f.Name) {
			return nil, invalidMapping("properties."+f.Name, "The name is reserved.")
		}
	}
	return build(root, meta, set)
}

func isMetadata[T string | []byte](name T) bool {
	return len(name) > 0 && name[0] == '_' && slices.Contains(metadata, string(name))
}

func parseMeta(raw jsontext.Value) (jsontext.Value, error) {
	switch raw.Kind() {
	case 'n':
		return nil, nil
	case '{':
		meta := raw.Clone()
		return meta, meta.Compact()
	}
	return nil, notAnObject("_meta")
}

func parseDynamic(path string, raw jsontext.Value) (Dynamic, error) {
	word := string(raw)
	if raw.Kind() == '"' {
		word, _ = text(raw)
	}
	if raw.Kind() == '"' || raw.Kind() == 't' || raw.Kind() == 'f' {
		if i := slices.Index(dynamicNames[1:], word); i >= 0 {
			return Dynamic(i + 1), nil //nolint:gosec // an index of a short list
		}
	}
	suggestion := spelling.Hint(word, dynamicNames[1:])
	if suggestion == "" {
		suggestion = "It can be true, false or strict."
	}
	return Inherit, invalidMapping(path, suggestion)
}

// parseProperties adds the fields of raw to an object at the given depth.
func parseProperties(object *Field, path string, raw jsontext.Value, depth int) error {
	if raw.Kind() == '[' && len(bytes.TrimSpace(raw[1:len(raw)-1])) == 0 { // PHP's empty object, as in Elasticsearch
		return nil
	}
	list, err := members(raw)
	if err != nil {
		return notAnObject(propertyPath(path, "properties"))
	}
	for _, m := range list {
		names, err := parts(m.name)
		if err != nil {
			return invalidMapping(propertyPath(path, "properties")+"."+m.name, "A field needs a name.")
		}
		full := join(path, strings.Join(names, "."))
		if depth+len(names) > maxDepth+1 {
			return tooDeep(full)
		}
		f, err := parseField(names[len(names)-1], full, m.raw, depth+len(names))
		if err != nil {
			return err
		}
		if err := insert(object, path, names[:len(names)-1], f); err != nil {
			return err
		}
	}
	return nil
}

// propertyPath gives the place in the JSON of a property of the object at path.
func propertyPath(path, property string) string {
	if path == "" {
		return property
	}
	return "properties." + strings.ReplaceAll(path, ".", ".properties.") + "." + property
}

// insert puts f into the object that between leads to from object, and merges it with what is there.
func insert(object *Field, path string, between []string, f *Field) error {
	for _, name := range between {
		path = join(path, name)
		next := object.children.byName[name]
		if next == nil {
			next = &Field{Name: name, Path: path, Type: Object}
			object.children.add(next)
		}
		if !next.Type.object() {
			return conflict(path)
		}
		object = next
	}
	f.Path = join(path, f.Name)
	old := object.children.byName[f.Name]
	if old == nil {
		object.children.add(f)
		return nil
	}
	merged, err := mergeField(old, f)
	if err == nil {
		object.children.replace(merged)
	}
	return err
}

// parseField reads the definition of one field; an object stands at the given depth.
func parseField(name, path string, raw jsontext.Value, depth int) (*Field, error) {
	list, err := members(raw)
	if err != nil {
		return nil, notAnObject("properties." + strings.ReplaceAll(path, ".", ".properties."))
	}
	t, err := parseType(path, list)
	if err != nil {
		return nil, err
	}
	f := &Field{Name: name, Path: path, Type: t, Options: defaults(t)}
	if t.object() {
		return f, parseObject(f, list, depth)
	}
	return f, parseLeaf(f, list, false)
}

// parseType finds the type. An object need not give its own.
func parseType(path string, list []member) (Type, error) {
	t, said := Object, false
	for _, m := range list {
		switch {
		case m.name == "type" && m.raw.Kind() != 'n':
			word := string(m.raw)
			if m.raw.Kind() == '"' {
				word, _ = text(m.raw)
			}
			var known bool
			if t, known = typeNamed(word); !known {
				return t, unknownType(path, word)
			}
			return t, nil
		case m.name == "properties", m.name == "enabled" && len(list) == 1:
			said = true
		}
	}
	if !said {
		return t, badOption(path, "type", "it is missing")
	}
	return t, nil
}

func parseObject(f *Field, list []member, depth int) error {
	for _, m := range list {
		var err error
		switch m.name {
		case "type":
		case "dynamic":
			f.Dynamic, err = parseDynamic(propertyPath(f.Path, "dynamic"), m.raw)
		case "enabled":
			var enabled bool
			if enabled, err = boolean(m.raw); err != nil {
				return badOption(f.Path, m.name, err.Error())
			}
			f.Disabled, f.saysEnabled = !enabled, true
		case "properties":
			err = parseProperties(f, f.Path, m.raw, depth)
		default:
			err = unexpected(m.name, f, false)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// parseLeaf reads the options of a field that is no object. A sub-field has no sub-fields and copies nothing.
func parseLeaf(f *Field, list []member, sub bool) error {
	if f.Type == Date || f.Type == DateRange {
		f.format = defaultFormat()
	}
	var fields jsontext.Value
	for _, m := range list {
		switch {
		case m.name == "type":
			continue
		case m.name == "fields" && !sub && !f.Type.alone() && f.Type != Completion:
			fields = m.raw
			continue
		}
		o := optionNamed(m.name, f.Type)
		if o == nil || sub && m.name == "copy_to" {
			return unexpected(m.name, f, sub)
		}
		if err := o.set(f, m.raw); err != nil {
			return badOption(f.Path, m.name, err.Error())
		}
	}
	switch {
	case f.Type == Alias && f.Target == "":
		return badOption(f.Path, "path", "it is missing")
	case f.Type == ScaledFloat && f.ScalingFactor == 0:
		return badOption(f.Path, "scaling_factor", "it is missing")
	case f.Type == DenseVector:
		return f.checkVector()
	case f.Fielddata && !f.Index:
		return badOption(f.Path, "fielddata", "the field is not indexed")
	}
	if err := setNull(f); err != nil {
		return badOption(f.Path, "null_value", err.Error())
	}
	if fields == nil {
		return nil
	}
	return parseSubFields(f, fields)
}

func parseSubFields(f *Field, raw jsontext.Value) error {
	if raw.Kind() == '[' && len(bytes.TrimSpace(raw[1:len(raw)-1])) == 0 {
		return nil
	}
	list, err := members(raw)
	if err != nil {
		return badOption(f.Path, "fields", "expected an object")
	}
	for _, m := range list {
		path := join(f.Path, m.name)
		if strings.TrimSpace(m.name) == "" || strings.Contains(m.name, ".") {
			return badOption(f.Path, "fields", "the name of a sub-field is not empty and has no dot")
		}
		inner, err := members(m.raw)
		if err != nil {
			return badOption(path, "fields", "expected an object")
		}
		t, err := parseType(path, inner)
		if err != nil {
			return err
		}
		if t.alone() {
			return badOption(path, "type", "a sub-field cannot be of type "+t.String())
		}
		sub := &Field{Name: m.name, Path: path, Type: t, Options: defaults(t)}
		if err := parseLeaf(sub, inner, true); err != nil {
			return err
		}
		f.subs.add(sub)
	}
	return nil
}

// setNull reads the value that null stands for, and writes it as Elasticsearch would.
func setNull(f *Field) error {
	if f.NullValue == "" {
		return nil
	}
	v := &Value{}
	ok, err := f.convert(v, jsontext.Value(f.NullValue), &reader{out: &Document{}})
	if err != nil {
		return err
	}
	f.NullValue = f.writeNull(v)
	if ok {
		f.null = v
	}
	return nil
}

// defaultFormat is the format of a date field whose mapping names none. Formats are immutable, so one does for all.
var defaultFormat = sync.OnceValue(func() *dates.Format { return mustCompile(dates.Default) })

func mustCompile(spec string) *dates.Format {
	f, err := dates.Compile(spec)
	if err != nil {
		panic(err) // a constant that the tests compile
	}
	return f
}
