// Package bulk is the controller `bulk`: documents written as they are, without validation, limits and, but for import,
// without metadata. It is for those who move data. core/node contributes it to the registry.
package bulk

import (
	"context"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/batch"
	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
)

// Engine is what the controller works on.
type Engine interface {
	storage.Bulk
	// Select is that of storage.Searcher.
	Select(ctx context.Context, c storage.Collection, s storage.Selection, visit func([]storage.Document) error) error
}

// Options are what the controller works with.
type Options struct {
	Engine   Engine
	Metadata metadata.Writer
	// Subscribers are told of what write and mWrite store, when a request asks for it.
	Subscribers *announce.Subscribers
}

type controller struct{ Options }

// Actions gives the actions of the controller.
func Actions(o Options) []router.Action {
	c := controller{o}
	action := func(name string, h router.Handler, verb, path string) router.Action {
		return router.Action{Controller: "bulk", Name: name, Handler: h, Routes: []router.Route{{Verb: verb, Path: path}}}
	}
	return []router.Action{
		action("import", c.importData, "POST", "/:index/:collection/_bulk"),
		action("mWrite", c.mWrite, "POST", "/:index/:collection/_mWrite"),
		action("write", c.write, "POST", "/:index/:collection/_write"),
		action("deleteByQuery", c.deleteByQuery, "DELETE", "/:index/:collection/_bulk/_query"),
		action("updateByQuery", c.updateByQuery, "PATCH", "/:index/:collection/_bulk/_query"),
	}
}

// document is the answer for one that was written.
type document struct {
	ID      string         `json:"_id"`
	Source  jsontext.Value `json:"_source"`
	Version int64          `json:"_version"`
}

// write stores a document whether or not the id is taken. Without _id one is made.
func (c controller) write(ctx context.Context, req *protocol.Request) (any, error) {
	where, notify, err := whereTo(req)
	if err != nil {
		return nil, err
	}
	body, err := req.BodyObject()
	if err != nil {
		return nil, err
	}
	ops := []storage.Op{{Kind: storage.OpPut, ID: orNew(req.ID), Source: body}}
	results, err := c.put(ctx, req, where, ops, notify)
	if err != nil {
		return nil, err
	}
	stored := results[0].Document
	return document{stored.ID, stored.Source, stored.Version}, results[0].Err
}

// mWrite is write for many. It answers {successes, errors}, each in the order of the request.
func (c controller) mWrite(ctx context.Context, req *protocol.Request) (any, error) {
	where, notify, err := whereTo(req)
	if err != nil {
		return nil, err
	}
	items, err := batch.Form{Body: "body"}.Items(req)
	if err != nil {
		return nil, err
	}
	ops := make([]storage.Op, 0, len(items))
	for _, item := range items {
		if item.Refused == nil {
			ops = append(ops, storage.Op{Kind: storage.OpPut, ID: orNew(item.ID), Source: item.Body})
		}
	}
	results, err := c.put(ctx, req, where, ops, notify)
	if err != nil {
		return nil, err
	}
	answer := batch.NewResult()
	for _, item := range items {
		failed, stored := item.Refused, storage.Document{}
		if failed == nil {
			failed, stored = results[0].Err, results[0].Document
			results = results[1:]
		}
		if failed != nil {
			answer.Fail(item.Sent, failed)
			continue
		}
		answer.Successes = append(answer.Successes, document{stored.ID, stored.Source, stored.Version})
	}
	return answer.Answer(req)
}

// notifyBatch is how many documents are written at a time when subscribers are told: what was there before takes memory that
// has nothing to do with the size of the request.
const notifyBatch = 200

// put lets the engine do ops, and tells subscribers with notify. A failure after the first batch is that of the ops that are
// left.
func (c controller) put(ctx context.Context, req *protocol.Request, where storage.Collection, ops []storage.Op, notify bool) ([]storage.OpResult, error) {
	o := storage.BulkOptions{Refresh: target.Refresh(req)}
	if !notify {
		return c.Engine.Write(ctx, where, ops, o)
	}
	results := make([]storage.OpResult, 0, len(ops))
	for first := true; first || len(results) < len(ops); first = false {
		left := ops[len(results):]
		done, news, err := c.Subscribers.Write(ctx, c.Engine, req, where, left[:min(len(left), notifyBatch)], o, false)
		if err != nil && first {
			return nil, err
		}
		if err != nil {
			done = slices.Repeat([]storage.OpResult{{Err: err}}, len(left))
		}
		news.Tell(ctx)
		for i := range done {
			done[i].Previous = nil
		}
		results = append(results, done...)
	}
	return results, nil
}

// whereTo reads the target, and whether subscribers are told.
func whereTo(req *protocol.Request) (where storage.Collection, notify bool, err error) {
	if where, err = target.Collection(req); err != nil {
		return where, false, err
	}
	notify, err = req.Args.Bool("notify")
	return where, notify, err
}

func orNew(id string) string {
	if id == "" {
		return uuid.NewString()
	}
	return id
}
