package document

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/batch"
	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// updateByQuery merges changes into the documents that match. It answers {successes: [{_id, _source?, _version, status}],
// errors: [{document, status, reason}]}; who wrote a document after it was found gets it refused.
func (c controller) updateByQuery(ctx context.Context, req *protocol.Request) (any, error) {
	where, f, body, err := many(req)
	if err != nil {
		return nil, err
	}
	matching, err := selection(req, body)
	if err != nil {
		return nil, err
	}
	changes, err := body.Object("changes")
	if err != nil {
		return nil, err
	}
	found, err := c.selected(ctx, where, matching)
	if err != nil {
		return nil, err
	}
	if err := c.fit(found); err != nil { // pipes get them
		return nil, err
	}
	info, err := c.Metadata.Updated(ctx, req)
	if err != nil {
		return nil, err
	}
	if changes, err = metadata.In(changes, info); err != nil {
		return nil, err
	}
	ops := make([]storage.Op, len(found))
	for i, d := range found {
		ops[i] = storage.Op{Kind: storage.OpUpdate, ID: d.id, Source: changes, IfVersion: d.version}
	}
	results, news, err := c.doAll(ctx, req, where, ops, f)
	if err != nil {
		return nil, err
	}
	defer news.Tell(ctx)
	return c.updatedMany(ctx, req, ops, results, f)
}

// many reads what actions on the documents of a query share.
func many(req *protocol.Request) (where storage.Collection, f flags, body protocol.Args, err error) {
	if where, err = target.Collection(req); err != nil {
		return where, f, body, err
	}
	if f, err = flagsOf(req); err != nil {
		return where, f, body, err
	}
	body, err = req.OptBodyFields()
	return where, f, body, err
}

// match is a document that a query found, without its source.
type match struct {
	id      string
	version int64
	bytes   int // of the source
}

// selected gives the documents that match, as long as they are not more than one request may write.
func (c controller) selected(ctx context.Context, where storage.Collection, matching jsontext.Value) ([]match, error) {
	var found []match
	err := c.Engine.Select(ctx, where, storage.Selection{Query: matching, Batch: c.MaxWrite + 1}, func(docs []storage.Document) error {
		for _, d := range docs {
			found = append(found, match{d.ID, d.Version, len(d.Source)})
		}
		if len(found) > c.MaxWrite {
			return kerror.ServicesStorageWriteLimitExceeded.New()
		}
		return nil
	})
	return found, err
}

// fit fails when documents are too large to be held all at once.
func (c controller) fit(found []match) error {
	bytes := 0
	for _, d := range found {
		bytes += d.bytes
	}
	if bytes > c.MaxBytes {
		return kerror.ServicesStorageAnswerTooLarge.New(fmt.Sprint(c.MaxBytes>>20, " MB"))
	}
	return nil
}

// updatedMany fires the event after with the documents that were changed, and answers.
func (c controller) updatedMany(ctx context.Context, req *protocol.Request, ops []storage.Op, results []storage.OpResult, f flags) (any, error) {
	answered := batch.NewResult()
	var changed []answer
	var docs []announce.Doc
	for i, r := range results {
		if r.Err != nil {
			sent, err := json.Marshal(sentDoc{ops[i].ID, ops[i].Source})
			if err != nil {
				return nil, err
			}
			answered.Fail(sent, r.Err)
			continue
		}
		a := whole(r.Document)
		a.Status = 200
		changed, docs = append(changed, a), append(docs, a.doc())
	}
	if err := answered.Fault(); err != nil {
		return nil, err
	}
	docs, err := c.Announcer.Docs(ctx, req, announce.AfterUpdate, docs)
	if err != nil {
		return nil, err
	}
	for i, a := range changed {
		if a = a.with(docs[i]); !f.source {
			a.Source = nil
		}
		answered.Successes = append(answered.Successes, a)
	}
	return answered, nil
}

// sentDoc is an entry as a client would have sent it, for errors to repeat.
type sentDoc struct {
	ID   string         `json:"_id"`
	Body jsontext.Value `json:"body"`
}

// deletedDocs is the answer of deleteByQuery. The official SDK reads IDs.
type deletedDocs struct {
	Documents []answer `json:"documents"`
	IDs       []string `json:"ids"`
}

// deleteByQuery removes the documents that match. It answers {documents: [{_id, _source?}], ids: [id]} of those that it
// removed; together with services.storage.incomplete_delete when documents that were found could not be removed, such as one
// that somebody wrote in between.
func (c controller) deleteByQuery(ctx context.Context, req *protocol.Request) (any, error) {
	where, f, body, err := many(req)
	if err != nil {
		return nil, err
	}
	matching, err := selectionOrAll(req, body)
	if err != nil {
		return nil, err
	}
	found, err := c.selected(ctx, where, matching)
	if err != nil {
		return nil, err
	}
	if f.source {
		if err := c.fit(found); err != nil {
			return nil, err
		}
	}
	ops, results, err := c.remove(ctx, req, where, found, f)
	if err != nil {
		return nil, err
	}
	gone, left := batch.Deleted(ops, results)
	if err := left.Fault(); err != nil {
		return nil, err
	}
	return c.deletedMany(ctx, req, gone, left, f)
}

// removeBytes is how much is removed at a time: an engine gives the documents that it removed.
const removeBytes = 1 << 20

// remove removes documents some at a time, and keeps their sources only when they are asked for: so subscribers, who get them,
// are told each time, before the event of documents. A failure after the first time is one of the documents that are left.
func (c controller) remove(ctx context.Context, req *protocol.Request, where storage.Collection, found []match, f flags) ([]storage.Op, []storage.OpResult, error) {
	ops := make([]storage.Op, len(found))
	for i, d := range found {
		ops[i] = storage.Op{Kind: storage.OpDelete, ID: d.id, IfVersion: d.version}
	}
	results := make([]storage.OpResult, 0, len(ops))
	for first := true; first || len(results) < len(ops); first = false {
		from := len(results)
		done, news, err := c.doAll(ctx, req, where, ops[from:from+atOnce(found[from:])], f)
		if err != nil && first {
			return nil, nil, err
		}
		if err != nil {
			done = slices.Repeat([]storage.OpResult{{Err: err}}, len(ops)-from)
		}
		news.Tell(ctx)
		results = append(results, without(done, f)...)
	}
	return ops, results, nil
}

// without takes away the sources that nobody asked for.
func without(results []storage.OpResult, f flags) []storage.OpResult {
	for i := range results {
		if !f.source {
			results[i].Document.Source = nil
		}
	}
	return results
}

// atOnce gives how many of the first documents are removed together.
func atOnce(found []match) int {
	n := 0
	for bytes := 0; n < len(found) && bytes < removeBytes; n++ {
		bytes += found[n].bytes
	}
	return n
}

// selectionOrAll is selection that takes nothing at all for every document. A body with other members and no query is more
// likely a mistake than the wish to delete everything.
func selectionOrAll(req *protocol.Request, body protocol.Args) (jsontext.Value, error) {
	if len(body.All()) == 0 {
		return nil, nil
	}
	return selection(req, body)
}

// deletedMany fires the event after with the documents that are gone, and answers.
func (c controller) deletedMany(ctx context.Context, req *protocol.Request, gone []storage.Document, left batch.Result, f flags) (any, error) {
	docs := make([]announce.Doc, len(gone))
	for i, d := range gone {
		docs[i].ID = d.ID
	}
	docs, err := c.Announcer.Docs(ctx, req, announce.AfterDelete, docs)
	if err != nil {
		return nil, err
	}
	answered := deletedDocs{Documents: make([]answer, len(docs)), IDs: make([]string, len(docs))}
	for i, d := range docs {
		answered.Documents[i].ID, answered.IDs[i] = d.ID, d.ID
		if f.source {
			answered.Documents[i].Source = gone[i].Source
		}
	}
	return answered, left.IncompleteDelete()
}
