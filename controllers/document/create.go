package document

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
)

// create answers {_id, _source, _version}. Without _id one is made, after the pipes, who may give one too.
func (c controller) create(ctx context.Context, req *protocol.Request) (any, error) {
	where, err := target.Collection(req)
	if err != nil {
		return nil, err
	}
	f, err := looseFlagsOf(req)
	if err != nil {
		return nil, err
	}
	doc, err := c.toWrite(ctx, req, where, c.Metadata.Created)
	if err != nil {
		return nil, err
	}
	if doc.ID == "" {
		doc.ID = uuid.NewString()
	}
	stored, news, err := c.put(ctx, req, where, storage.OpCreate, doc, f)
	if err != nil {
		return nil, err
	}
	defer news.Tell(ctx)
	return c.written(ctx, req, whole(stored.Document))
}

// createOrReplace answers {_id, _source, _version, created}.
func (c controller) createOrReplace(ctx context.Context, req *protocol.Request) (any, error) {
	where, f, err := one(req)
	if err != nil {
		return nil, err
	}
	doc, err := c.toWrite(ctx, req, where, c.Metadata.Replaced)
	if err != nil {
		return nil, err
	}
	stored, news, err := c.put(ctx, req, where, storage.OpPut, doc, f)
	if err != nil {
		return nil, err
	}
	defer news.Tell(ctx)
	a := whole(stored.Document)
	a.Created = &stored.Created
	return c.written(ctx, req, a)
}

// replace answers {_id, _source, _version}.
func (c controller) replace(ctx context.Context, req *protocol.Request) (any, error) {
	where, f, err := one(req)
	if err != nil {
		return nil, err
	}
	doc, err := c.toWrite(ctx, req, where, c.Metadata.Replaced)
	if err != nil {
		return nil, err
	}
	stored, news, err := c.put(ctx, req, where, storage.OpReplace, doc, f)
	if err != nil {
		return nil, err
	}
	defer news.Tell(ctx)
	return c.written(ctx, req, whole(stored.Document))
}

// one reads what actions on one document share.
func one(req *protocol.Request) (storage.Collection, flags, error) {
	where, _, err := target.Document(req)
	if err != nil {
		return where, flags{}, err
	}
	f, err := flagsOf(req)
	return where, f, err
}

// toWrite gives the document of the body as the pipes left it, held to the specifications, with its metadata.
func (c controller) toWrite(ctx context.Context, req *protocol.Request, where storage.Collection, info func(context.Context, *protocol.Request) (jsontext.Value, error)) (announce.Doc, error) {
	body, err := req.BodyObject()
	if err != nil {
		return announce.Doc{}, err
	}
	doc, err := c.Announcer.Doc(ctx, req, announce.BeforeWrite, announce.Doc{ID: req.ID, Source: body})
	if err != nil {
		return doc, err
	}
	if doc.Source, err = c.admit(where, doc); err != nil {
		return doc, err
	}
	m, err := info(ctx, req)
	if err != nil {
		return doc, err
	}
	doc.Source, err = metadata.In(doc.Source, m)
	return doc, err
}

// put writes a document whole.
func (c controller) put(ctx context.Context, req *protocol.Request, where storage.Collection, kind storage.OpKind, doc announce.Doc, f flags) (storage.OpResult, announce.News, error) {
	return c.do(ctx, req, where, storage.Op{Kind: kind, ID: doc.ID, Source: doc.Source, IfVersion: f.version}, f)
}

// written tells that a document was written, and answers it.
func (c controller) written(ctx context.Context, req *protocol.Request, a answer) (any, error) {
	doc, err := c.Announcer.Doc(ctx, req, announce.AfterWrite, a.doc())
	if err != nil {
		return nil, err
	}
	return a.with(doc), nil
}
