package elastic

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// schemas remembers the mappings of collections, to check documents by. What it says may be old: Elasticsearch decides. The
// zero value is empty.
type schemas struct {
	known sync.Map // storage.Collection → *schema
	// readers are kept for the next documents, since they hold room for all values of one.
	readers sync.Pool
}

// schema is the mapping of a collection. It is immutable.
type schema struct {
	// fields is nil when documents are not to be checked: the mapping has no fields, or core/storage/mapping cannot read it.
	fields *mapping.Mapping
}

func (s *schemas) forget(c storage.Collection) { s.known.Delete(c) }

// schema gives the mapping that is remembered, or reads it.
func (e *Engine) schema(ctx context.Context, c storage.Collection) (*schema, error) {
	if s, ok := e.schemas.known.Load(c); ok {
		return s.(*schema), nil //nolint:forcetypeassert // only schemas are stored
	}
	return e.freshSchema(ctx, c)
}

func (e *Engine) freshSchema(ctx context.Context, c storage.Collection) (*schema, error) {
	l, err := e.describe(ctx, c)
	if err != nil {
		return nil, err
	}
	s := new(schema)
	if m, err := l.fields(c); err == nil && (m.Len() > 0 || m.Root().Unmapped() != mapping.Ignore) {
		s.fields = m
	}
	e.schemas.known.Store(c, s)
	return s, nil
}

// verdict is what a mapping says about a document: it is refused, or it adds fields, or neither.
type verdict struct {
	err   error
	grows bool
}

func (s *schemas) judge(with *schema, source jsontext.Value) verdict {
	if with.fields == nil {
		return verdict{}
	}
	reader, ok := s.readers.Get().(*mapping.Document)
	if !ok {
		reader = new(mapping.Document)
	}
	defer s.readers.Put(reader)
	err := with.fields.Fields(source, reader)
	return verdict{err: err, grows: err == nil && reader.Grown != nil}
}

// judge checks a document. A refusal is by the mapping as it is now.
func (e *Engine) judge(ctx context.Context, c storage.Collection, source jsontext.Value) (verdict, error) {
	s, err := e.schema(ctx, c)
	if err != nil {
		return verdict{}, err
	}
	v := e.schemas.judge(s, source)
	if v.err == nil {
		return v, nil
	}
	if s, err = e.freshSchema(ctx, c); err != nil {
		return verdict{}, err
	}
	return e.schemas.judge(s, source), nil
}

// explain gives the error for a document that Elasticsearch refused.
func (e *Engine) explain(ctx context.Context, c storage.Collection, f *failure, source jsontext.Value) error {
	e.schemas.forget(c)
	if f.status != http.StatusBadRequest {
		return f.public()
	}
	if v, err := e.judge(ctx, c, source); err == nil && v.err != nil {
		return v.err
	}
	if f.Type == "strict_dynamic_mapping_exception" {
		_, field, _ := strings.Cut(f.Reason, "introduction of [")
		field, _, _ = strings.Cut(field, "]")
		return kerror.ServicesStorageStrictMappingRejection.Wrap(f, field, c.Index, c.Name)
	}
	return f.public()
}
