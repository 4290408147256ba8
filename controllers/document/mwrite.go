package document

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/batch"
	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// writing is one way of writing many documents.
type writing struct {
	form          batch.Form
	before, after string
	// info makes the metadata, once for all documents.
	info func(context.Context, *protocol.Request) (announce.Metadata, error)
	// op is what the engine does for an entry.
	op func(item batch.Item, info announce.Metadata) (storage.Op, error)
	// show is the answer for a document that was written.
	show func(storage.OpResult) answer
}

// mCreate creates documents. Without _id one is made.
func (c controller) mCreate(ctx context.Context, req *protocol.Request) (any, error) {
	return c.write(ctx, req, c.wholeDocuments(storage.OpCreate, true))
}

// mCreateOrReplace writes documents, whether or not they are there. source, true unless it is false, shows them whole.
func (c controller) mCreateOrReplace(ctx context.Context, req *protocol.Request) (any, error) {
	source := true
	if req.Args.Raw("source") != nil {
		var err error
		if source, err = req.Args.Bool("source"); err != nil {
			return nil, err
		}
	}
	return c.write(ctx, req, c.wholeDocuments(storage.OpPut, source))
}

// mReplace writes documents over those that are there.
func (c controller) mReplace(ctx context.Context, req *protocol.Request) (any, error) {
	w := c.wholeDocuments(storage.OpReplace, true)
	w.form.NeedsID = true
	return c.write(ctx, req, w)
}

// wholeDocuments is the way of the actions that write documents whole: metadata is that of new ones for all of them.
func (c controller) wholeDocuments(kind storage.OpKind, source bool) writing {
	return writing{
		form: batch.Form{Body: "body"}, before: announce.BeforeWrite, after: announce.AfterWrite,
		info: single(c.Metadata.Created),
		op: func(item batch.Item, info announce.Metadata) (storage.Op, error) {
			if item.ID == "" {
				item.ID = uuid.NewString()
			}
			body, err := metadata.In(item.Body, info.Metadata)
			return storage.Op{Kind: kind, ID: item.ID, Source: body}, err
		},
		show: func(r storage.OpResult) answer {
			a := whole(r.Document)
			a.Created, a.Result, a.Status = &r.Created, "updated", 200
			if r.Created {
				a.Result, a.Status = "created", 201
			}
			if !source {
				a.Source = nil
			}
			return a
		},
	}
}

// mUpdate merges changes into documents, and shows them whole.
func (c controller) mUpdate(ctx context.Context, req *protocol.Request) (any, error) {
	return c.write(ctx, req, writing{
		form: batch.Form{Body: "body", NeedsID: true}, before: announce.BeforeUpdate, after: announce.AfterUpdate,
		info: single(c.Metadata.Updated),
		op: func(item batch.Item, info announce.Metadata) (storage.Op, error) {
			changes, err := metadata.In(item.Body, info.Metadata)
			return storage.Op{Kind: storage.OpUpdate, ID: item.ID, Source: changes}, err
		},
		show: func(r storage.OpResult) answer {
			a := whole(r.Document)
			a.Status = 200
			return a
		},
	})
}

// mUpsert merges changes into documents, or creates them from changes with default over them: the reverse of upsert.
func (c controller) mUpsert(ctx context.Context, req *protocol.Request) (any, error) {
	return c.write(ctx, req, writing{
		form: batch.Form{Body: "changes", NeedsID: true, Default: true}, before: announce.BeforeUpdate, after: announce.AfterUpdate,
		info: c.Metadata.Upserted,
		op:   upsertOp,
		show: func(r storage.OpResult) answer {
			a := whole(r.Document)
			a.Created, a.Status = &r.Created, 200
			if r.Created {
				a.Status = 201
			}
			return a
		},
	})
}

func upsertOp(item batch.Item, info announce.Metadata) (storage.Op, error) {
	op := storage.Op{Kind: storage.OpUpsert, ID: item.ID, Default: item.Body}
	var err error
	if item.Default != nil {
		if op.Default, err = metadata.Overridden(item.Body, item.Default); err != nil {
			return op, err
		}
	}
	if op.Default, err = metadata.In(op.Default, info.Default); err != nil {
		return op, err
	}
	op.Source, err = metadata.In(item.Body, info.Metadata)
	return op, err
}

// single makes metadata without a default.
func single(info func(context.Context, *protocol.Request) (jsontext.Value, error)) func(context.Context, *protocol.Request) (announce.Metadata, error) {
	return func(ctx context.Context, req *protocol.Request) (announce.Metadata, error) {
		m, err := info(ctx, req)
		return announce.Metadata{Metadata: m}, err
	}
}

// write answers {successes, errors}, each in the order of the request.
func (c controller) write(ctx context.Context, req *protocol.Request, w writing) (any, error) {
	where, err := target.Collection(req)
	if err != nil {
		return nil, err
	}
	f, err := flagsOf(req)
	if err != nil {
		return nil, err
	}
	items, err := w.form.Items(req)
	if err != nil {
		return nil, err
	}
	if len(items) > c.MaxWrite {
		return nil, kerror.ServicesStorageWriteLimitExceeded.New()
	}
	ops, err := c.ops(ctx, req, w, items)
	if err != nil {
		return nil, err
	}
	results, news, err := c.doAll(ctx, req, where, ops, f)
	if err != nil {
		return nil, err
	}
	defer news.Tell(ctx)
	return c.outcome(ctx, req, w, items, results)
}

// ops fires the event before, and makes the ops of the entries that were not refused, in their order.
func (c controller) ops(ctx context.Context, req *protocol.Request, w writing, items []batch.Item) ([]storage.Op, error) {
	docs := make([]announce.Doc, 0, len(items))
	for _, item := range items {
		if item.Refused == nil {
			docs = append(docs, announce.Doc{ID: item.ID, Source: item.Body})
		}
	}
	docs, err := c.Announcer.Docs(ctx, req, w.before, docs)
	if err != nil {
		return nil, err
	}
	info, err := w.info(ctx, req)
	if err != nil {
		return nil, err
	}
	ops := make([]storage.Op, 0, len(docs))
	for _, item := range items {
		if item.Refused != nil {
			continue
		}
		doc := docs[len(ops)]
		item.ID, item.Body = doc.ID, doc.Source
		op, err := w.op(item, info)
		if err != nil {
			return nil, err
		}
		ops = append(ops, op)
	}
	return ops, nil
}

// outcome fires the event after with the documents that were written, and sorts the entries into successes and errors.
func (c controller) outcome(ctx context.Context, req *protocol.Request, w writing, items []batch.Item, results []storage.OpResult) (any, error) {
	answer := batch.NewResult()
	var written []storage.OpResult
	var docs []announce.Doc
	for _, item := range items {
		failed := item.Refused
		if failed == nil {
			if failed = results[0].Err; failed == nil {
				written = append(written, results[0])
				docs = append(docs, whole(results[0].Document).doc())
			}
			results = results[1:]
		}
		if failed != nil {
			answer.Fail(item.Sent, failed)
		}
	}
	docs, err := c.Announcer.Docs(ctx, req, w.after, docs)
	if err != nil {
		return nil, err
	}
	for i, r := range written {
		r.Document.ID, r.Document.Source = docs[i].ID, docs[i].Source
		answer.Successes = append(answer.Successes, w.show(r))
	}
	return answer.Answer(req)
}
