package document

import (
	"context"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/batch"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// mGet answers {successes: [{_id, _source, _version}], errors: [id]}.
func (c controller) mGet(ctx context.Context, req *protocol.Request) (any, error) {
	return c.read(ctx, req, func(a answer) any { return a })
}

// mExists answers {successes: [id], errors: [id]}.
func (c controller) mExists(ctx context.Context, req *protocol.Request) (any, error) {
	return c.read(ctx, req, func(a answer) any { return a.ID })
}

// read reads many documents and shows those that are there.
func (c controller) read(ctx context.Context, req *protocol.Request, show func(answer) any) (any, error) {
	where, err := target.Collection(req)
	if err != nil {
		return nil, err
	}
	ids, err := c.idsToRead(ctx, req)
	if err != nil {
		return nil, err
	}
	stored, err := c.Engine.MGet(ctx, where, ids)
	if err != nil {
		return nil, err
	}
	result := batch.NewResult()
	var found []answer
	var docs []announce.Doc
	for i, document := range stored {
		if document == nil {
			result.Errors = append(result.Errors, ids[i])
			continue
		}
		a := whole(*document)
		found, docs = append(found, a), append(docs, a.doc())
	}
	if docs, err = c.Announcer.Docs(ctx, req, announce.AfterGet, docs); err != nil {
		return nil, err
	}
	for i, a := range found {
		result.Successes = append(result.Successes, show(a.with(docs[i])))
	}
	return result.Answer(req)
}

// idsToRead gives the argument ids, beside the body or in it, as the pipes left them.
func (c controller) idsToRead(ctx context.Context, req *protocol.Request) ([]string, error) {
	args := req.Args
	if !args.Has("ids") && req.Body != nil {
		var err error
		if args, err = req.BodyFields(); err != nil {
			return nil, err
		}
	}
	ids, err := args.Strings("ids")
	if err != nil {
		return nil, err
	}
	if len(ids) > c.Paging.MaxFetch {
		return nil, kerror.ServicesStorageGetLimitExceeded.New()
	}
	docs := make([]announce.Doc, len(ids))
	for i, id := range ids {
		docs[i].ID = id
	}
	if docs, err = c.Announcer.Docs(ctx, req, announce.BeforeGet, docs); err != nil {
		return nil, err
	}
	for i, doc := range docs {
		ids[i] = doc.ID
	}
	return ids, nil
}
