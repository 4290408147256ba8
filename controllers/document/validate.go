package document

import (
	"context"
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/validation"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// validate answers {valid, errorMessages} for the body, which is not written. The collection need not exist.
func (c controller) validate(ctx context.Context, req *protocol.Request) (any, error) {
	where, body, err := target.PublicBody(req)
	if err != nil {
		return nil, err
	}
	outcome, err := c.Validator.Validate(ctx, where.Index, where.Name, body)
	return outcome.Answer(), err
}

// admit gives a document that fits the specifications, with their defaults in it.
func (c controller) admit(where storage.Collection, doc announce.Doc) (jsontext.Value, error) {
	spec, err := c.specification(where)
	if err != nil {
		return nil, err
	}
	return spec.Admit(doc.ID, doc.Source)
}

// specification finds what documents there must be like, nil for nothing. What a plugin stores for itself has none.
func (c controller) specification(where storage.Collection) (*validation.Specification, error) {
	if where.Scope != storage.Public {
		return nil, nil
	}
	return c.Validator.Of(where.Index, where.Name)
}

// maxAdmitRaces is how often at least an update begins anew because somebody else wrote the document after it was found to fit.
const maxAdmitRaces = 8

// merge writes changes into a document and gives both as they were written. What they make of the document together must fit the
// specifications; where there are none, the document need not be read first.
func (c controller) merge(ctx context.Context, req *protocol.Request, where storage.Collection, changes announce.Doc, f flags) (storage.Document, jsontext.Value, announce.News, error) {
	spec, err := c.specification(where)
	if err != nil {
		return storage.Document{}, nil, announce.News{}, err
	}
	if spec == nil {
		stored, news, err := c.put(ctx, req, where, storage.OpUpdate, changes, f)
		return stored.Document, changes.Source, news, err
	}
	for races := 0; ; races++ {
		stored, source, news, err := c.mergeAdmitted(ctx, req, where, changes, spec, f)
		if !errors.Is(err, kerror.ServicesStorageTooManyChanges) || races >= max(f.retries, maxAdmitRaces) {
			return stored, source, news, err
		}
	}
}

// mergeAdmitted reads the document, and writes to it unless it was written in between.
func (c controller) mergeAdmitted(ctx context.Context, req *protocol.Request, where storage.Collection, changes announce.Doc, spec *validation.Specification, f flags) (storage.Document, jsontext.Value, announce.News, error) {
	current, err := c.Engine.Get(ctx, where, changes.ID)
	if err != nil {
		return current, nil, announce.News{}, err
	}
	if f.version != 0 && f.version != current.Version {
		return current, nil, announce.News{}, kerror.ServicesStorageTooManyChanges.New(changes.ID)
	}
	admitted, err := spec.AdmitUpdate(changes.ID, current.Source, changes.Source)
	if err != nil {
		return current, nil, announce.News{}, err
	}
	op := storage.Op{Kind: storage.OpUpdate, ID: changes.ID, Source: admitted, IfVersion: current.Version}
	stored, news, err := c.do(ctx, req, where, op, f)
	return stored.Document, admitted, news, err
}
