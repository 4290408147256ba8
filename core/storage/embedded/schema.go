package embedded

import (
	"bytes"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/mapping"
)

// noMapping is what a collection without mapping is described with.
const noMapping = `{"dynamic":"false","properties":{}}`

// schema is the mapping of a collection. It is immutable; nil is no mapping, which accepts every object.
type schema struct {
	fields *mapping.Mapping
}

// parseSchema reads the mapping of a collection; nil is none.
func parseSchema(c storage.Collection, raw jsontext.Value) (*schema, error) {
	if raw == nil {
		return nil, nil
	}
	m, err := mapping.Parse(raw)
	if err != nil {
		return nil, err
	}
	return &schema{m.For(c.Index, c.Name)}, nil
}

// merge gives the mapping of c with more in it; nil adds nothing.
func (s *schema) merge(c storage.Collection, more jsontext.Value) (*schema, error) {
	if more == nil {
		return s, nil
	}
	added, err := parseSchema(c, more)
	if err != nil {
		return nil, err
	}
	if s == nil {
		if s, err = parseSchema(c, jsontext.Value(noMapping)); err != nil {
			return nil, err
		}
	}
	merged, err := s.fields.Merge(added.fields)
	if err != nil {
		return nil, err
	}
	return &schema{merged}, nil
}

// accept checks a document. It gives the mapping that has the document's new fields, nil when there are none.
func (s *schema) accept(source jsontext.Value, reader *mapping.Document) (*schema, error) {
	if err := s.fields.Fields(source, reader); err != nil {
		return nil, err
	}
	if reader.Grown == nil {
		return nil, nil
	}
	return &schema{reader.Grown}, nil
}

func (s *schema) same(other *schema) bool {
	return s == other || s != nil && other != nil && bytes.Equal(s.json(), other.json())
}

// json gives the whole mapping, in memory of its own.
func (s *schema) json() jsontext.Value {
	if s == nil {
		return jsontext.Value(noMapping)
	}
	return s.fields.JSON(true)
}

// stageMapping writes the mapping of a collection into batch.
func stageMapping(batch *pebble.Batch, collection uint32, s *schema) {
	if s != nil {
		_ = batch.Set(mappingKey(collection), s.json(), nil)
	}
}

// readers are kept for the next documents, since they hold room for all values of one. The zero value is empty.
type readers struct{ pool sync.Pool }

func (r *readers) get() *mapping.Document {
	if d, ok := r.pool.Get().(*mapping.Document); ok {
		return d
	}
	return new(mapping.Document)
}

func (r *readers) put(d *mapping.Document) { r.pool.Put(d) }
