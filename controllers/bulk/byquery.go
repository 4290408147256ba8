package bulk

import (
	"bytes"
	"context"
	"errors"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/batch"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// queryBatch is how many documents of a query are written at a time.
const queryBatch = 1000

// deleteByQuery removes the documents that match: {deleted}. It ends with services.storage.incomplete_delete after the batch
// in which a document could not be removed, such as one that somebody wrote in between.
func (c controller) deleteByQuery(ctx context.Context, req *protocol.Request) (any, error) {
	where, query, _, err := byQuery(req)
	if err != nil {
		return nil, err
	}
	deleted := 0
	err = c.Engine.Select(ctx, where, idsOf(query), func(docs []storage.Document) error {
		ops := make([]storage.Op, len(docs))
		for i, d := range docs {
			ops[i] = storage.Op{Kind: storage.OpDelete, ID: d.ID, IfVersion: d.Version}
		}
		results, err := c.Engine.Write(ctx, where, ops, storage.BulkOptions{Refresh: target.Refresh(req)})
		if err != nil {
			return err
		}
		gone, left := batch.Deleted(ops, results)
		deleted += len(gone)
		return left.IncompleteDelete()
	})
	if err != nil && !errors.Is(err, kerror.ServicesStorageIncompleteDelete) {
		return nil, err
	}
	return map[string]int{"deleted": deleted}, err
}

// updateByQuery merges changes into the documents that match: {updated}. It ends with services.storage.incomplete_update after
// the batch in which a document could not be changed, such as one that somebody wrote in between. One that is gone is no
// failure.
func (c controller) updateByQuery(ctx context.Context, req *protocol.Request) (any, error) {
	where, query, body, err := byQuery(req)
	if err != nil {
		return nil, err
	}
	changes, err := body.Object("changes")
	if err != nil {
		return nil, err
	}
	updated := 0
	err = c.Engine.Select(ctx, where, idsOf(query), func(docs []storage.Document) error {
		ops := make([]storage.Op, len(docs))
		for i, d := range docs {
			ops[i] = storage.Op{Kind: storage.OpUpdate, ID: d.ID, Source: changes, IfVersion: d.Version}
		}
		results, err := c.Engine.Write(ctx, where, ops, storage.BulkOptions{Refresh: target.Refresh(req)})
		if err != nil {
			return err
		}
		done, left := changed(ops, results)
		if updated += done; left.Fault() != nil || len(left.Errors) == 0 {
			return left.Fault()
		}
		return kerror.ServicesStorageIncompleteUpdate.New(strconv.Itoa(updated)).WithErrors(left.Errors)
	})
	if err != nil {
		return nil, err
	}
	return map[string]int{"updated": updated}, nil
}

// byQuery reads what both actions share. An empty query is refused: who means everything can say match_all.
func byQuery(req *protocol.Request) (where storage.Collection, query jsontext.Value, body protocol.Args, err error) {
	if where, err = target.Collection(req); err != nil {
		return where, nil, body, err
	}
	if body, err = req.BodyFields(); err != nil {
		return where, nil, body, err
	}
	query, err = body.Object("query")
	if err == nil && isEmpty(query) {
		err = kerror.ServicesStorageMissingArgument.New("body.query")
	}
	return where, query, body, err
}

// idsOf selects the documents to write.
func idsOf(query jsontext.Value) storage.Selection {
	return storage.Selection{Query: query, Batch: queryBatch, NoSource: true}
}

// isEmpty reports whether a query object holds nothing.
func isEmpty(query jsontext.Value) bool {
	return len(bytes.TrimSpace(query[1:len(query)-1])) == 0
}

// sent is an entry of errors as a client would have sent it.
type sent struct {
	ID   string         `json:"_id"`
	Body jsontext.Value `json:"body"`
}

// changed counts the documents that were changed, and collects what failed.
func changed(ops []storage.Op, results []storage.OpResult) (done int, left batch.Result) {
	left = batch.NewResult()
	for i, r := range results {
		switch {
		case r.Err == nil:
			done++
		case errors.Is(r.Err, kerror.ServicesStorageNotFound):
		default:
			entry, _ := json.Marshal(sent{ops[i].ID, ops[i].Source}) // both were read before
			left.Fail(entry, r.Err)
		}
	}
	return done, left
}
