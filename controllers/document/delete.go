package document

import (
	"context"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/batch"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// delete answers {_id}, with source {_id, _source, _version} as they were.
func (c controller) delete(ctx context.Context, req *protocol.Request) (any, error) {
	where, f, err := one(req)
	if err != nil {
		return nil, err
	}
	doc, err := c.Announcer.Doc(ctx, req, announce.BeforeDelete, announce.Doc{ID: req.ID})
	if err != nil {
		return nil, err
	}
	gone, news, err := c.do(ctx, req, where, storage.Op{Kind: storage.OpDelete, ID: doc.ID, IfVersion: f.version}, f)
	if err != nil {
		return nil, err
	}
	defer news.Tell(ctx)
	if doc, err = c.Announcer.Doc(ctx, req, announce.AfterDelete, announce.Doc{ID: doc.ID}); err != nil {
		return nil, err
	}
	if !f.source {
		return answer{ID: doc.ID}, nil
	}
	a := whole(gone.Document)
	a.ID = doc.ID
	return a, nil
}

// mDelete answers {successes: [id], errors: [{_id, status, reason}]}, each in the order of the request.
func (c controller) mDelete(ctx context.Context, req *protocol.Request) (any, error) {
	where, err := target.Collection(req)
	if err != nil {
		return nil, err
	}
	f, err := flagsOf(req)
	if err != nil {
		return nil, err
	}
	body, err := req.BodyFields()
	if err != nil {
		return nil, err
	}
	sent, err := batch.Array(body, "ids", "body.ids")
	if err != nil {
		return nil, err
	}
	if len(sent) > c.MaxWrite {
		return nil, kerror.ServicesStorageWriteLimitExceeded.New()
	}
	docs, err := c.Announcer.Docs(ctx, req, announce.BeforeDelete, idsIn(sent))
	if err != nil {
		return nil, err
	}
	ops := make([]storage.Op, len(docs))
	for i, doc := range docs {
		ops[i] = storage.Op{Kind: storage.OpDelete, ID: doc.ID}
	}
	results, news, err := c.doAll(ctx, req, where, ops, f)
	if err != nil {
		return nil, err
	}
	defer news.Tell(ctx)
	return c.deleted(ctx, req, sent, docs, results)
}

// idsIn gives the texts of a list as documents; whatever else is in it is left out.
func idsIn(sent []jsontext.Value) []announce.Doc {
	docs := make([]announce.Doc, 0, len(sent))
	for _, raw := range sent {
		var doc announce.Doc
		if raw.Kind() == '"' && json.Unmarshal(raw, &doc.ID) == nil {
			docs = append(docs, doc)
		}
	}
	return docs
}

// deleted sorts what was sent into successes and errors; docs and results are those of the texts in it.
func (c controller) deleted(ctx context.Context, req *protocol.Request, sent []jsontext.Value, docs []announce.Doc, results []storage.OpResult) (any, error) {
	answer := batch.NewResult()
	var gone []announce.Doc
	next := 0
	for _, raw := range sent {
		if raw.Kind() != '"' {
			answer.FailID(raw, kerror.APIAssertInvalidType.New("body.ids", "array of strings"))
			continue
		}
		if err := results[next].Err; err != nil {
			answer.FailID(raw, err)
		} else {
			gone = append(gone, docs[next])
		}
		next++
	}
	gone, err := c.Announcer.Docs(ctx, req, announce.AfterDelete, gone)
	if err != nil {
		return nil, err
	}
	for _, doc := range gone {
		answer.Successes = append(answer.Successes, doc.ID)
	}
	return answer.Answer(req)
}
