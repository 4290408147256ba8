package collection

import (
	"bytes"
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
)

// getMapping answers {dynamic, _meta?, properties}, without _kuzzle_info unless includeKuzzleMeta asks for it.
func (c controller) getMapping(ctx context.Context, req *protocol.Request) (any, error) {
	where, err := target.Collection(req)
	if err != nil {
		return nil, err
	}
	full, err := req.Args.Bool("includeKuzzleMeta")
	if err != nil {
		return nil, err
	}
	spec, err := c.Engine.Describe(ctx, where)
	if err != nil {
		return nil, err
	}
	return show(spec.Mapping, full)
}

// updateMapping adds to the mapping, and answers what it is then, _kuzzle_info included.
func (c controller) updateMapping(ctx context.Context, req *protocol.Request) (any, error) {
	where, err := target.Collection(req)
	if err != nil {
		return nil, err
	}
	body, err := req.BodyObject()
	if err != nil {
		return nil, err
	}
	mapping, err := withMetadata(body)
	if err != nil {
		return nil, err
	}
	if _, err := c.Engine.Describe(ctx, where); err != nil { // Ensure would make it
		return nil, err
	}
	if err := c.Engine.Ensure(ctx, where, storage.Spec{Mapping: mapping}); err != nil {
		return nil, err
	}
	spec, err := c.Engine.Describe(ctx, where)
	if err != nil {
		return nil, err
	}
	return show(spec.Mapping, true)
}

// withMetadata gives a mapping with that of _kuzzle_info in it; nil is an empty one. What else is in it, the engine checks.
func withMetadata(mapping jsontext.Value) (jsontext.Value, error) {
	if mapping == nil {
		mapping = jsontext.Value("{}")
	}
	root, err := protocol.ParseArgs(mapping, "")
	if err != nil {
		return nil, err
	}
	properties := root.Raw("properties")
	switch {
	case properties == nil, isEmptyArray(properties):
		properties = jsontext.Value("{}")
	case properties.Kind() != '{': // the engine says what is wrong with it
		return mapping, nil
	}
	fields, err := protocol.ParseArgs(properties, "")
	if err != nil {
		return nil, err
	}
	fields.Set(metadata.Key, metadata.Mapping)
	root.Set("properties", fields.JSON())
	return root.JSON(), nil
}

// isEmptyArray reports whether v is what PHP writes for an empty object.
func isEmptyArray(v jsontext.Value) bool {
	return v.Kind() == '[' && len(bytes.TrimSpace(v[1:len(v)-1])) == 0
}

type mapping struct {
	Dynamic    string         `json:"dynamic"`
	Meta       jsontext.Value `json:"_meta,omitzero"`
	Properties jsontext.Value `json:"properties"`
}

// notDynamic is the dynamic of a mapping that does not say.
const notDynamic = "false"

// show gives the mapping of an engine in the form of the API, where dynamic is a text.
func show(stored jsontext.Value, full bool) (m mapping, err error) {
	if stored == nil {
		stored = jsontext.Value("{}")
	}
	root, err := protocol.ParseArgs(stored, "")
	if err != nil {
		return m, err
	}
	m = mapping{Dynamic: notDynamic, Meta: root.Raw("_meta"), Properties: jsontext.Value("{}")}
	if dynamic, err := root.OptString("dynamic", m.Dynamic); err == nil {
		m.Dynamic = dynamic
	} else {
		m.Dynamic = string(root.Raw("dynamic")) // true and false
	}
	properties := root.Raw("properties")
	if properties == nil {
		return m, nil
	}
	fields, err := protocol.ParseArgs(properties, "")
	if err != nil {
		return m, err
	}
	if !full {
		fields.Remove(metadata.Key)
	}
	m.Properties = fields.JSON()
	return m, nil
}
