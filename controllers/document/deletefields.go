package document

import (
	"context"
	"errors"

	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// maxFieldRaces is how often deleteFields begins anew because somebody else wrote the document meanwhile.
const maxFieldRaces = 8

// deleteFields takes fields out of a document. It answers {_id, _version}, with source also _source.
func (c controller) deleteFields(ctx context.Context, req *protocol.Request) (any, error) {
	where, f, err := one(req)
	if err != nil {
		return nil, err
	}
	body, err := req.BodyFields()
	if err != nil {
		return nil, err
	}
	fields, err := body.Strings("fields")
	if err != nil {
		return nil, err
	}
	var stored storage.Document
	for range maxFieldRaces {
		if stored, err = c.without(ctx, req, where, fields, f); !errors.Is(err, kerror.ServicesStorageTooManyChanges) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	a, err := c.updated(ctx, req, whole(stored))
	if err != nil {
		return nil, err
	}
	if !f.source {
		a.Source = nil
	}
	return a, nil
}

// without reads the document and writes it back without the fields, unless it was written in between.
func (c controller) without(ctx context.Context, req *protocol.Request, where storage.Collection, fields []string, f flags) (storage.Document, error) {
	stored, err := c.Engine.Get(ctx, where, req.ID)
	if err != nil {
		return stored, err
	}
	if f.version != 0 && f.version != stored.Version {
		return stored, kerror.ServicesStorageTooManyChanges.New(req.ID)
	}
	left, err := dropFields(stored.Source, fields)
	if err != nil {
		return stored, err
	}
	doc, err := c.changing(ctx, req, left, metadata.MergedIn)
	if err != nil {
		return stored, err
	}
	o := f.write()
	o.IfVersion = stored.Version
	return c.Engine.Replace(ctx, where, req.ID, doc.Source, o)
}
