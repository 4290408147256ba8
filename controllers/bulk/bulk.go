// Package bulk is the controller `bulk`: documents written as they are, without validation, limits and, but for import,
// without metadata. It is for those who move data. core/node contributes it to the registry.
package bulk

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/sluicehq/sluice/controllers/batch"
	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
)

// Engine is what the controller works on.
type Engine interface {
	storage.Documents
	storage.Bulk
	// Select is that of storage.Searcher.
	Select(ctx context.Context, c storage.Collection, query jsontext.Value, batch int, visit func([]storage.Document) error) error
}

// Options are what the controller works with.
type Options struct {
	Engine   Engine
	Metadata metadata.Writer
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
	where, err := whereTo(req)
	if err != nil {
		return nil, err
	}
	body, err := req.BodyObject()
	if err != nil {
		return nil, err
	}
	stored, _, err := c.Engine.Put(ctx, where, orNew(req.ID), body, storage.WriteOptions{Refresh: target.Refresh(req)})
	if err != nil {
		return nil, err
	}
	return document{stored.ID, stored.Source, stored.Version}, nil
}

// mWrite is write for many. It answers {successes, errors}, each in the order of the request.
func (c controller) mWrite(ctx context.Context, req *protocol.Request) (any, error) {
	where, err := whereTo(req)
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
	results, err := c.Engine.Write(ctx, where, ops, storage.BulkOptions{Refresh: target.Refresh(req)})
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

// whereTo reads the target, and checks notify, which has no meaning until the node has notifications.
func whereTo(req *protocol.Request) (storage.Collection, error) {
	where, err := target.Collection(req)
	if err != nil {
		return where, err
	}
	_, err = req.Args.Bool("notify")
	return where, err
}

func orNew(id string) string {
	if id == "" {
		return uuid.NewString()
	}
	return id
}
