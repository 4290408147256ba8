package storagetest

import (
	"context"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
)

// Faulty is an engine that fails when the test says so; every other call goes to Engine.
//
//	e := storagetest.Faulty{Engine: real, Fail: func(op string, c storage.Collection, id string) error {
//		if op == "Put" && c.Name == "users" {
//			return kerror.ServicesStorageUnexpectedError.New("disk full")
//		}
//		return nil
//	}}
//
// A call that is failed does not reach Engine. A nil Fail fails nothing.
type Faulty struct {
	storage.Engine
	// Fail is asked before each call but Close: op is the name of the method, id is empty where it has none, c where it has
	// none (List, Indexes and NextHits fill in the scope, CreateIndex and DropIndex the index too). It may be called by several goroutines at once.
	Fail func(op string, c storage.Collection, id string) error
}

func (f Faulty) fail(op string, c storage.Collection, id string) error {
	if f.Fail == nil {
		return nil
	}
	return f.Fail(op, c, id)
}

// Get implements storage.Documents.
func (f Faulty) Get(ctx context.Context, c storage.Collection, id string) (storage.Document, error) {
	if err := f.fail("Get", c, id); err != nil {
		return storage.Document{}, err
	}
	return f.Engine.Get(ctx, c, id)
}

// Create implements storage.Documents.
func (f Faulty) Create(ctx context.Context, c storage.Collection, id string, source jsontext.Value, o storage.WriteOptions) (storage.Document, error) {
	if err := f.fail("Create", c, id); err != nil {
		return storage.Document{}, err
	}
	return f.Engine.Create(ctx, c, id, source, o)
}

// Put implements storage.Documents.
func (f Faulty) Put(ctx context.Context, c storage.Collection, id string, source jsontext.Value, o storage.WriteOptions) (storage.Document, bool, error) {
	if err := f.fail("Put", c, id); err != nil {
		return storage.Document{}, false, err
	}
	return f.Engine.Put(ctx, c, id, source, o)
}

// Replace implements storage.Documents.
func (f Faulty) Replace(ctx context.Context, c storage.Collection, id string, source jsontext.Value, o storage.WriteOptions) (storage.Document, error) {
	if err := f.fail("Replace", c, id); err != nil {
		return storage.Document{}, err
	}
	return f.Engine.Replace(ctx, c, id, source, o)
}

// Update implements storage.Documents.
func (f Faulty) Update(ctx context.Context, c storage.Collection, id string, partial jsontext.Value, o storage.UpdateOptions) (storage.Document, error) {
	if err := f.fail("Update", c, id); err != nil {
		return storage.Document{}, err
	}
	return f.Engine.Update(ctx, c, id, partial, o)
}

// Delete implements storage.Documents.
func (f Faulty) Delete(ctx context.Context, c storage.Collection, id string, o storage.WriteOptions) error {
	if err := f.fail("Delete", c, id); err != nil {
		return err
	}
	return f.Engine.Delete(ctx, c, id, o)
}

// Find implements storage.Finder.
func (f Faulty) Find(ctx context.Context, c storage.Collection, field, value string, limit int) ([]storage.Document, error) {
	if err := f.fail("Find", c, ""); err != nil {
		return nil, err
	}
	return f.Engine.Find(ctx, c, field, value, limit)
}

// Scan implements storage.Finder.
func (f Faulty) Scan(ctx context.Context, c storage.Collection, after string, visit func(storage.Document) bool) error {
	if err := f.fail("Scan", c, ""); err != nil {
		return err
	}
	return f.Engine.Scan(ctx, c, after, visit)
}

// Ensure implements storage.Collections.
func (f Faulty) Ensure(ctx context.Context, c storage.Collection, spec storage.Spec) error {
	if err := f.fail("Ensure", c, ""); err != nil {
		return err
	}
	return f.Engine.Ensure(ctx, c, spec)
}

// Describe implements storage.Collections.
func (f Faulty) Describe(ctx context.Context, c storage.Collection) (storage.Spec, error) {
	if err := f.fail("Describe", c, ""); err != nil {
		return storage.Spec{}, err
	}
	return f.Engine.Describe(ctx, c)
}

// Truncate implements storage.Collections.
func (f Faulty) Truncate(ctx context.Context, c storage.Collection) error {
	if err := f.fail("Truncate", c, ""); err != nil {
		return err
	}
	return f.Engine.Truncate(ctx, c)
}

// List implements storage.Collections.
func (f Faulty) List(ctx context.Context, s storage.Scope) ([]storage.Collection, error) {
	if err := f.fail("List", storage.Collection{Scope: s}, ""); err != nil {
		return nil, err
	}
	return f.Engine.List(ctx, s)
}

// Drop implements storage.Collections.
func (f Faulty) Drop(ctx context.Context, c storage.Collection) error {
	if err := f.fail("Drop", c, ""); err != nil {
		return err
	}
	return f.Engine.Drop(ctx, c)
}

// CreateIndex implements storage.Indexes.
func (f Faulty) CreateIndex(ctx context.Context, s storage.Scope, index string) error {
	if err := f.fail("CreateIndex", storage.Collection{Scope: s, Index: index}, ""); err != nil {
		return err
	}
	return f.Engine.CreateIndex(ctx, s, index)
}

// Indexes implements storage.Indexes.
func (f Faulty) Indexes(ctx context.Context, s storage.Scope) ([]string, error) {
	if err := f.fail("Indexes", storage.Collection{Scope: s}, ""); err != nil {
		return nil, err
	}
	return f.Engine.Indexes(ctx, s)
}

// DropIndex implements storage.Indexes.
func (f Faulty) DropIndex(ctx context.Context, s storage.Scope, index string) error {
	if err := f.fail("DropIndex", storage.Collection{Scope: s, Index: index}, ""); err != nil {
		return err
	}
	return f.Engine.DropIndex(ctx, s, index)
}

// MGet implements storage.Bulk.
func (f Faulty) MGet(ctx context.Context, c storage.Collection, ids []string) ([]*storage.Document, error) {
	if err := f.fail("MGet", c, ""); err != nil {
		return nil, err
	}
	return f.Engine.MGet(ctx, c, ids)
}

// Write implements storage.Bulk. Fail is asked once, for the whole call.
func (f Faulty) Write(ctx context.Context, c storage.Collection, ops []storage.Op, o storage.BulkOptions) ([]storage.OpResult, error) {
	if err := f.fail("Write", c, ""); err != nil {
		return nil, err
	}
	return f.Engine.Write(ctx, c, ops, o)
}

// Search implements storage.Searcher. Fail is asked once, with the first target.
func (f Faulty) Search(ctx context.Context, s storage.Search) (storage.Found, error) {
	if err := f.fail("Search", first(s.Targets), ""); err != nil {
		return storage.Found{}, err
	}
	return f.Engine.Search(ctx, s)
}

func first(targets []storage.Collection) storage.Collection {
	if len(targets) == 0 {
		return storage.Collection{}
	}
	return targets[0]
}

// NextHits implements storage.Searcher.
func (f Faulty) NextHits(ctx context.Context, scope storage.Scope, scroll string, keep time.Duration) (storage.Found, error) {
	if err := f.fail("NextHits", storage.Collection{Scope: scope}, ""); err != nil {
		return storage.Found{}, err
	}
	return f.Engine.NextHits(ctx, scope, scroll, keep)
}

// Count implements storage.Searcher. Fail is asked once, with the first target.
func (f Faulty) Count(ctx context.Context, targets []storage.Collection, query jsontext.Value) (int, error) {
	if err := f.fail("Count", first(targets), ""); err != nil {
		return 0, err
	}
	return f.Engine.Count(ctx, targets, query)
}

// Select implements storage.Searcher.
func (f Faulty) Select(ctx context.Context, c storage.Collection, s storage.Selection, visit func([]storage.Document) error) error {
	if err := f.fail("Select", c, ""); err != nil {
		return err
	}
	return f.Engine.Select(ctx, c, s, visit)
}

// Refresh implements storage.Searcher.
func (f Faulty) Refresh(ctx context.Context, c storage.Collection) error {
	if err := f.fail("Refresh", c, ""); err != nil {
		return err
	}
	return f.Engine.Refresh(ctx, c)
}

// Size implements storage.Searcher.
func (f Faulty) Size(ctx context.Context, c storage.Collection) (storage.Size, error) {
	if err := f.fail("Size", c, ""); err != nil {
		return storage.Size{}, err
	}
	return f.Engine.Size(ctx, c)
}

// Info implements storage.Engine.
func (f Faulty) Info(ctx context.Context) (storage.Info, error) {
	if err := f.fail("Info", storage.Collection{}, ""); err != nil {
		return storage.Info{}, err
	}
	return f.Engine.Info(ctx)
}

// Healthy implements storage.Engine.
func (f Faulty) Healthy(ctx context.Context) error {
	if err := f.fail("Healthy", storage.Collection{}, ""); err != nil {
		return err
	}
	return f.Engine.Healthy(ctx)
}

var _ storage.Engine = Faulty{}
