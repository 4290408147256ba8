package elastic

import (
	"context"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// maxIDBytes bounds a document id; it is Elasticsearch's limit.
const maxIDBytes = 512

// stored is a document as Elasticsearch gives it. A missing one has the zero value.
type stored struct {
	ID      string         `json:"_id"`
	Found   bool           `json:"found"`
	Version int64          `json:"_version"`
	SeqNo   int64          `json:"_seq_no"`
	Term    int64          `json:"_primary_term"`
	Source  jsontext.Value `json:"_source"`
	Error   *cause         `json:"error"`
}

func (s *stored) document() storage.Document {
	return storage.Document{ID: s.ID, Version: s.Version, Source: s.Source}
}

// load reads documents as they are now, in the order of ids.
func (e *Engine) load(ctx context.Context, c storage.Collection, ids []string) ([]stored, error) {
	docs, err := e.reads.do(ctx, target{Collection: c}, ids)
	for _, d := range docs {
		if d.Error != nil {
			err = &failure{status: d.Error.status(), cause: *d.Error}
			break
		}
	}
	if isNoIndex(err) {
		if err := e.missing(ctx, c); err != nil {
			return nil, err
		}
		return nil, unknownCollection(c) // it was made a moment ago
	}
	return docs, public(err)
}

// mget asks for documents.
func (c *client) mget(ctx context.Context, to target, ids []string) ([]stored, error) {
	var answer struct {
		Docs []stored `json:"docs"`
	}
	r := request{method: http.MethodPost, path: []string{alias(to.Collection), "_mget"}, body: encode(object{"ids": ids})}
	err := c.do(ctx, r, &answer)
	if err == nil && len(answer.Docs) != len(ids) {
		err = kerror.ServicesStorageUnexpectedError.New("Elasticsearch answered with other documents than were asked for")
	}
	return answer.Docs, err
}

// Get reads a document.
func (e *Engine) Get(ctx context.Context, c storage.Collection, id string) (storage.Document, error) {
	docs, err := e.MGet(ctx, c, []string{id})
	if err != nil {
		return storage.Document{}, err
	}
	if docs[0] == nil {
		return storage.Document{}, notFound(c, id)
	}
	return *docs[0], nil
}

// chunkIDs is how many documents are read at once.
const chunkIDs = 1000

// MGet reads documents, up to 1000 with one request. They need not be of one moment.
func (e *Engine) MGet(ctx context.Context, c storage.Collection, ids []string) ([]*storage.Document, error) {
	if err := e.gate.Enter(ctx); err != nil {
		return nil, err
	}
	defer e.gate.Leave()
	if err := e.check(ctx, c); err != nil {
		return nil, err
	}
	var ask []string
	var places []int
	for i, id := range ids {
		if validID(id) {
			ask, places = append(ask, id), append(places, i)
		}
	}
	docs := make([]*storage.Document, len(ids))
	if len(ask) == 0 {
		return docs, e.missing(ctx, c)
	}
	for from := 0; from < len(ask); from += chunkIDs {
		to := min(from+chunkIDs, len(ask))
		got, err := e.load(ctx, c, ask[from:to])
		if err != nil {
			return nil, err
		}
		for i := range got {
			if got[i].Found {
				doc := got[i].document()
				docs[places[from+i]] = &doc
			}
		}
	}
	return docs, nil
}

func validID(id string) bool { return id != "" && len(id) <= maxIDBytes }

// Create writes a new document.
func (e *Engine) Create(ctx context.Context, c storage.Collection, id string, source jsontext.Value, o storage.WriteOptions) (storage.Document, error) {
	r := e.one(ctx, c, storage.Op{Kind: storage.OpCreate, ID: id, Source: source, IfVersion: o.IfVersion}, storage.BulkOptions{Refresh: o.Refresh})
	return r.Document, r.Err
}

// Put writes a document whether or not the id is taken.
func (e *Engine) Put(ctx context.Context, c storage.Collection, id string, source jsontext.Value, o storage.WriteOptions) (storage.Document, bool, error) {
	r := e.one(ctx, c, storage.Op{Kind: storage.OpPut, ID: id, Source: source, IfVersion: o.IfVersion}, storage.BulkOptions{Refresh: o.Refresh})
	return r.Document, r.Created, r.Err
}

// Replace writes over an existing document.
func (e *Engine) Replace(ctx context.Context, c storage.Collection, id string, source jsontext.Value, o storage.WriteOptions) (storage.Document, error) {
	r := e.one(ctx, c, storage.Op{Kind: storage.OpReplace, ID: id, Source: source, IfVersion: o.IfVersion}, storage.BulkOptions{Refresh: o.Refresh})
	return r.Document, r.Err
}

// Update merges partial into an existing document.
func (e *Engine) Update(ctx context.Context, c storage.Collection, id string, partial jsontext.Value, o storage.UpdateOptions) (storage.Document, error) {
	bulk := storage.BulkOptions{Refresh: o.Refresh, RetryOnConflict: o.RetryOnConflict}
	r := e.one(ctx, c, storage.Op{Kind: storage.OpUpdate, ID: id, Source: partial, IfVersion: o.IfVersion}, bulk)
	return r.Document, r.Err
}

// Delete removes a document. Forget has no meaning: index.gc_deletes says how long a version is known.
func (e *Engine) Delete(ctx context.Context, c storage.Collection, id string, o storage.WriteOptions) error {
	return e.one(ctx, c, storage.Op{Kind: storage.OpDelete, ID: id, IfVersion: o.IfVersion}, storage.BulkOptions{Refresh: o.Refresh}).Err
}

// one does a single op.
func (e *Engine) one(ctx context.Context, c storage.Collection, op storage.Op, o storage.BulkOptions) storage.OpResult {
	results, err := e.Write(ctx, c, []storage.Op{op}, o)
	if err != nil {
		return storage.OpResult{Err: err}
	}
	return results[0]
}

// refresh makes searches see what was written.
func (e *Engine) refresh(ctx context.Context, c storage.Collection) error {
	return e.client.do(ctx, request{method: http.MethodPost, path: []string{alias(c), "_refresh"}}, nil)
}

// values is short for the query of a URL.
func values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

var _ storage.Documents = (*Engine)(nil)
