package embedded

import (
	"bytes"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
)

// noMapping is what a collection without mapping is described with.
const noMapping = `{"dynamic":"false","properties":{}}`

// schema is the mapping of a collection. It is immutable; nil is no mapping, which accepts every object.
type schema struct {
	raw jsontext.Value
}

// loadSchema reads what was stored; nil is no mapping.
func loadSchema(raw jsontext.Value) (*schema, error) {
	if raw == nil {
		return nil, nil
	}
	return &schema{raw}, nil
}

// merge gives the mapping with more in it; nil adds nothing.
func (s *schema) merge(more jsontext.Value) (*schema, error) {
	if more == nil {
		return s, nil
	}
	raw, err := object("mapping", more)
	if err != nil {
		return nil, err
	}
	return &schema{raw}, nil
}

// accept checks a document. It gives the mapping that has the document's new fields, nil when it has none.
func (s *schema) accept(storage.Collection, jsontext.Value) (*schema, error) {
	return nil, nil
}

func (s *schema) same(other *schema) bool {
	return s == other || s != nil && other != nil && bytes.Equal(s.raw, other.raw)
}

// json gives the mapping as a client writes it.
func (s *schema) json() jsontext.Value {
	if s == nil {
		return jsontext.Value(noMapping)
	}
	return s.raw.Clone()
}

// stageMapping writes the mapping of a collection into batch.
func stageMapping(batch *pebble.Batch, collection uint32, s *schema) {
	if s != nil {
		_ = batch.Set(appendMappingKey(nil, collection), s.raw, nil)
	}
}
