package document

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
)

// update merges the body into a document. It answers {_id, _source, _version}, where _source is what was merged, or the
// whole document with source.
func (c controller) update(ctx context.Context, req *protocol.Request) (any, error) {
	where, f, err := one(req)
	if err != nil {
		return nil, err
	}
	changes, err := req.BodyObject()
	if err != nil {
		return nil, err
	}
	doc, err := c.changing(ctx, req, changes, metadata.In)
	if err != nil {
		return nil, err
	}
	stored, changes, news, err := c.merge(ctx, req, where, doc, f)
	if err != nil {
		return nil, err
	}
	defer news.Tell(ctx)
	a, err := c.updated(ctx, req, whole(stored))
	if err != nil {
		return nil, err
	}
	if !f.source {
		a.Source = changes
	}
	return a, nil
}

// changing announces what an update is about to write and puts the metadata of the caller into what the pipes leave of it.
func (c controller) changing(ctx context.Context, req *protocol.Request, source jsontext.Value, put func(source, info jsontext.Value) (jsontext.Value, error)) (announce.Doc, error) {
	doc, err := c.Announcer.Doc(ctx, req, announce.BeforeUpdate, announce.Doc{ID: req.ID, Source: source})
	if err != nil {
		return doc, err
	}
	info, err := c.Metadata.Updated(ctx, req)
	if err != nil {
		return doc, err
	}
	doc.Source, err = put(doc.Source, info)
	return doc, err
}

// upsert merges changes into a document, or creates it. It answers {_id, _version, created}, with source also _source.
func (c controller) upsert(ctx context.Context, req *protocol.Request) (any, error) {
	where, f, err := one(req)
	if err != nil {
		return nil, err
	}
	changes, absent, err := upserted(req)
	if err != nil {
		return nil, err
	}
	doc, err := c.Announcer.Doc(ctx, req, announce.BeforeUpdate, announce.Doc{ID: req.ID, Source: changes})
	if err != nil {
		return nil, err
	}
	info, err := c.Metadata.Upserted(ctx, req)
	if err != nil {
		return nil, err
	}
	if absent, err = metadata.Overridden(absent, doc.Source); err != nil {
		return nil, err
	}
	op := storage.Op{Kind: storage.OpUpsert, ID: doc.ID, IfVersion: f.version}
	if op.Source, err = metadata.In(doc.Source, info.Metadata); err != nil {
		return nil, err
	}
	if op.Default, err = metadata.In(absent, info.Default); err != nil {
		return nil, err
	}
	result, news, err := c.do(ctx, req, where, op, f)
	if err != nil {
		return nil, err
	}
	defer news.Tell(ctx)
	a := whole(result.Document)
	a.Created = &result.Created
	if a, err = c.updated(ctx, req, a); err != nil {
		return nil, err
	}
	if !f.source {
		a.Source = nil
	}
	return a, nil
}

// upserted reads the body of an upsert.
func upserted(req *protocol.Request) (changes, absent jsontext.Value, err error) {
	body, err := req.BodyFields()
	if err != nil {
		return nil, nil, err
	}
	if changes, err = body.Object("changes"); err != nil {
		return nil, nil, err
	}
	absent, err = body.OptObject("default")
	if absent == nil {
		absent = jsontext.Value("{}")
	}
	return changes, absent, err
}

// do lets the engine do one op. What it gives without an error is to be told.
func (c controller) do(ctx context.Context, req *protocol.Request, where storage.Collection, op storage.Op, f flags) (storage.OpResult, announce.News, error) {
	results, news, err := c.doAll(ctx, req, where, []storage.Op{op}, f)
	if err != nil {
		return storage.OpResult{}, news, err
	}
	return results[0], news, results[0].Err
}

// doAll is do for many ops of one kind, each of which holds or fails by itself.
func (c controller) doAll(ctx context.Context, req *protocol.Request, where storage.Collection, ops []storage.Op, f flags) ([]storage.OpResult, announce.News, error) {
	o := f.bulk()
	o.Previous = len(ops) > 0 && ops[0].Kind == storage.OpDelete // what was there is answered, and told to subscribers
	return c.Subscribers.Write(ctx, c.Engine, req, where, ops, o, f.silent)
}

// updated tells that a document was changed, and gives it as the pipes left it.
func (c controller) updated(ctx context.Context, req *protocol.Request, a answer) (answer, error) {
	doc, err := c.Announcer.Doc(ctx, req, announce.AfterUpdate, a.doc())
	if err != nil {
		return answer{}, err
	}
	return a.with(doc), nil
}
