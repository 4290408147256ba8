package embedded

import (
	"bytes"
	"errors"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// noMapping is what a collection without mapping is described with.
const noMapping = `{"dynamic":"false","properties":{}}`

// schema is the mapping of a collection. It is immutable; nil is no mapping, which accepts every object.
type schema struct {
	fields *mapping.Mapping
}

// parseSet reads the analyzers and normalizers that the settings of a collection define.
func parseSet(settings jsontext.Value) (*analysis.Set, error) {
	set, err := analysis.ParseSet(settings)
	if err != nil {
		return nil, kerror.ServicesStorageUnexpectedBadRequest.New("settings: " + err.Error())
	}
	return set, nil
}

// parseSchema reads the mapping of a collection; nil is none.
func parseSchema(c storage.Collection, raw jsontext.Value, set *analysis.Set) (*schema, error) {
	if raw == nil {
		return nil, nil
	}
	m, err := mapping.ParseWith(raw, set)
	if err != nil {
		return nil, err
	}
	return &schema{m.For(c.Index, c.Name)}, nil
}

// under gives the mapping with the analyzers of other settings.
func (s *schema) under(set *analysis.Set) (*schema, error) {
	if s == nil {
		return nil, nil
	}
	m, err := s.fields.With(set)
	if err != nil {
		return nil, err
	}
	return &schema{m}, nil
}

// merge gives the mapping of c with more in it, which may use the analyzers of set; nil adds nothing.
func (s *schema) merge(c storage.Collection, more jsontext.Value, set *analysis.Set) (*schema, error) {
	if more == nil {
		return s, nil
	}
	added, err := parseSchema(c, more, set)
	if err != nil {
		return nil, err
	}
	if s == nil {
		if s, err = parseSchema(c, jsontext.Value(noMapping), set); err != nil {
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

// unmapped is the mapping of a collection that has none.
var unmapped = sync.OnceValue(func() *mapping.Mapping {
	m, err := mapping.Parse(jsontext.Value(noMapping))
	if err != nil {
		panic(err) // it is a constant
	}
	return m
})

// mapping gives the mapping that searches use.
func (s *schema) mapping() *mapping.Mapping {
	if s == nil {
		return unmapped()
	}
	return s.fields
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

// reader takes one document apart and analyses it.
type reader struct {
	document mapping.Document
	entry    segment.Entry
	// unmapped says that there was no mapping to read by: the document has no fields.
	unmapped bool
}

// noFields is what any document is without mapping.
var noFields = mapping.Document{Groups: []mapping.Group{{}}}

// fields gives what was read.
func (r *reader) fields() *mapping.Document {
	if r.unmapped {
		return &noFields
	}
	return &r.document
}

// again reads a stored document by what the mapping is now. It fits: what the mapping does not know of it is left out, all of
// it when it has come to contradict the mapping.
func (r *reader) again(s *schema, source jsontext.Value) error {
	r.unmapped = s == nil
	if s != nil {
		grown, err := s.accept(source, &r.document)
		if err != nil {
			r.unmapped = true
		} else if grown != nil {
			r.document.Values = slices.DeleteFunc(r.document.Values, func(v mapping.Value) bool { return s.fields.Field(v.Field.Path) == nil })
		}
	}
	err := r.entry.Read(r.fields())
	if errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) { // its analyzers have come to make too much of it
		r.unmapped = true
		err = r.entry.Read(r.fields())
	}
	return err
}

// readers are kept for the next documents, since they hold room for all values of one. Those with much to do share heavy: the memory
// that long texts need while they are taken apart is that of as many documents as there are processors.
type readers struct {
	pool  sync.Pool
	heavy chan struct{}
}

func (r *readers) get() *reader {
	if d, ok := r.pool.Get().(*reader); ok {
		return d
	}
	d := new(reader)
	d.document.Budget().ShareWith(r.heavy)
	return d
}

func (r *readers) put(d *reader) { r.pool.Put(d) }
