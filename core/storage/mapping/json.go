package mapping

import (
	"github.com/go-json-experiment/json/jsontext"
)

// KuzzleInfo is the field that the metadata of documents stands in.
const KuzzleInfo = "_kuzzle_info"

// KuzzleInfoMapping is what collections say of it.
const KuzzleInfoMapping = `{"properties":{"author":{"type":"keyword"},"createdAt":{"type":"date"},"updatedAt":{"type":"date"},"updater":{"type":"keyword"}}}`

// JSON is AppendJSON in memory of its own.
func (m *Mapping) JSON(kuzzleInfo bool) jsontext.Value { return m.AppendJSON(nil, kuzzleInfo) }

// AppendJSON adds {dynamic, _meta?, properties}, with the metadata of documents among the properties or without. Fields are
// sorted by name, as in Elasticsearch, and options stand in the order of options.go after the type; what is at its default is
// left out. Parse gives the same mapping again.
func (m *Mapping) AppendJSON(dst []byte, kuzzleInfo bool) []byte {
	dst = append(dst, `{"dynamic":"`...)
	dst = append(dst, m.root.dynamic.String()...)
	dst = append(dst, '"')
	if m.meta != nil {
		dst = append(dst, `,"_meta":`...)
		dst = append(dst, m.meta...)
	}
	dst = append(dst, `,"properties":`...)
	hidden := KuzzleInfo
	if kuzzleInfo {
		hidden = ""
	}
	dst = m.root.children.appendJSON(dst, hidden)
	return append(dst, '}')
}

func (s *fieldSet) appendJSON(dst []byte, hidden string) []byte {
	dst = append(dst, '{')
	first := len(dst)
	for _, f := range s.list {
		if f.Name == hidden {
			continue
		}
		if len(dst) > first {
			dst = append(dst, ',')
		}
		dst = append(appendQuote(dst, f.Name), ':')
		if f.Type.object() {
			dst = f.appendObject(dst)
		} else {
			dst = f.appendLeaf(dst)
		}
	}
	return append(dst, '}')
}

// appendObject leaves out the type of an object that has properties, as Elasticsearch does.
func (f *Field) appendObject(dst []byte) []byte {
	dst = append(dst, '{')
	first := len(dst)
	property := func(name string) {
		if len(dst) > first {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), name...), '"', ':')
	}
	if f.Type == Nested || len(f.children.list) == 0 {
		property("type")
		dst = appendQuote(dst, f.Type.String())
	}
	if f.Dynamic != Inherit {
		property("dynamic")
		dst = appendQuote(dst, f.Dynamic.String())
	}
	if f.Disabled {
		property("enabled")
		dst = append(dst, "false"...)
	}
	if len(f.children.list) > 0 {
		property("properties")
		dst = f.children.appendJSON(dst, "")
	}
	return append(dst, '}')
}

func (f *Field) appendLeaf(dst []byte) []byte {
	dst = append(dst, `{"type":`...)
	dst = appendQuote(dst, f.Type.String())
	for i := range options {
		o := &options[i]
		if !o.types.has(f.Type) {
			continue
		}
		if v := o.get(f); v != "" {
			dst = append(append(append(dst, `,"`...), o.name...), `":`...)
			dst = append(dst, v...)
		}
	}
	if len(f.subs.list) > 0 {
		dst = append(dst, `,"fields":`...)
		dst = f.subs.appendJSON(dst, "")
	}
	return append(dst, '}')
}
