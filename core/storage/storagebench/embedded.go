package storagebench

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded"
)

// things is the collection of the documents.
var things = storage.Collection{Index: "sluice-bench", Name: "things"}

// embeddedTarget is the embedded engine in this process.
type embeddedTarget struct {
	engine *embedded.Engine
	dir    string
}

// Embedded opens the embedded engine as a node would, in a folder that is made in parent and removed by Close.
func Embedded(ctx context.Context, parent string) (Target, error) {
	dir, err := os.MkdirTemp(parent, "sluice-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the embedded engine: %w", err)
	}
	t := &embeddedTarget{dir: dir}
	if t.engine, err = embedded.Open(ctx, embedded.Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)}); err == nil {
		err = t.engine.Ensure(ctx, things, storage.Spec{Mapping: []byte(mappingText)})
	}
	if err != nil {
		_ = t.Close()
		return nil, fmt.Errorf("open the embedded engine: %w", err)
	}
	return t, nil
}

func (t *embeddedTarget) Name() string { return "embedded" }

// Create has nothing to do for found: searches see every write at once.
func (t *embeddedTarget) Create(ctx context.Context, d Document, _ bool) error {
	_, err := t.engine.Create(ctx, things, d.ID, d.Source, storage.WriteOptions{Refresh: storage.RefreshWaitFor})
	return err
}

func (t *embeddedTarget) Get(ctx context.Context, id string) error {
	_, err := t.engine.Get(ctx, things, id)
	return err
}

func (t *embeddedTarget) Search(ctx context.Context, body jsontext.Value, hits int) (int, error) {
	found, err := t.engine.Search(ctx, storage.Search{Targets: []storage.Collection{things}, Body: body, Size: hits})
	return found.Total, err
}

func (t *embeddedTarget) Count(ctx context.Context, query jsontext.Value) (int, error) {
	return t.engine.Count(ctx, []storage.Collection{things}, query)
}

func (t *embeddedTarget) Bulk(ctx context.Context, documents []Document) error {
	ops := make([]storage.Op, len(documents))
	for i, d := range documents {
		ops[i] = storage.Op{Kind: storage.OpPut, ID: d.ID, Source: d.Source}
	}
	_, err := t.write(ctx, ops)
	return err
}

// write does the ops and gives how many held. A document that changed meanwhile is no error.
func (t *embeddedTarget) write(ctx context.Context, ops []storage.Op) (int, error) {
	results, err := t.engine.Write(ctx, things, ops, storage.BulkOptions{})
	held := 0
	for _, r := range results {
		if r.Err == nil {
			held++
		} else if ops[0].IfVersion == 0 {
			err = r.Err
		}
	}
	return held, err
}

func (t *embeddedTarget) Update(ctx context.Context, query jsontext.Value, qty int) (int, error) {
	return t.byQuery(ctx, query, storage.Op{Kind: storage.OpUpdate, Source: text(`{"qty":%d}`, qty)})
}

func (t *embeddedTarget) Delete(ctx context.Context, query jsontext.Value) (int, error) {
	return t.byQuery(ctx, query, storage.Op{Kind: storage.OpDelete})
}

// byQuery does op to all documents that match, in the batches of the actions that do so.
func (t *embeddedTarget) byQuery(ctx context.Context, query jsontext.Value, op storage.Op) (done int, err error) {
	const batch = 1000
	err = t.engine.Select(ctx, things, storage.Selection{Query: query, Batch: batch, NoSource: true}, func(found []storage.Document) error {
		ops := make([]storage.Op, len(found))
		for i, d := range found {
			ops[i] = op
			ops[i].ID, ops[i].IfVersion = d.ID, d.Version
		}
		held, err := t.write(ctx, ops)
		done += held
		return err
	})
	return done, err
}

func (t *embeddedTarget) Settle(ctx context.Context) error { return t.engine.Refresh(ctx, things) }

func (t *embeddedTarget) Usage(ctx context.Context) (Usage, error) {
	info, err := t.engine.Info(ctx)
	u := resident(os.Getpid())
	u.Disk = info.SpaceBytes
	return u, err
}

func (t *embeddedTarget) Close() error {
	var err error
	if t.engine != nil {
		err = t.engine.Close()
	}
	if failed := os.RemoveAll(t.dir); err == nil {
		err = failed
	}
	return err
}
