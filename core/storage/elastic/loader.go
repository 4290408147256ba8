package elastic

import (
	"context"
	"fmt"
	"net/http"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Load writes documents with the versions that they have. One whose stored version is higher is an error: it was written by
// somebody else. Afterwards Elasticsearch counts versions on by itself.
func (e *Engine) Load(ctx context.Context, c storage.Collection, docs []storage.Document) error {
	if err := e.gate.Enter(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	if err := e.check(ctx, c); err != nil {
		return err
	}
	if len(docs) == 0 {
		return e.missing(ctx, c)
	}
	for len(docs) > 0 {
		n, bytes := 0, 0
		for ; n < len(docs) && n < chunkOps && bytes < chunkBytes; n++ {
			if d := docs[n]; !validID(d.ID) || d.Version < 1 || !isObject(d.Source) {
				return refusedDocument(d, kerror.ServicesStorageInvalidArgument.New("document", "an id of 1 to 512 bytes, a version and a JSON object"))
			}
			bytes += len(docs[n].Source)
		}
		if err := e.loadAll(ctx, c, docs[:n]); err != nil {
			return err
		}
		docs = docs[n:]
	}
	return nil
}

// loadAll loads with one request, and once more those that Elasticsearch had no time for.
func (e *Engine) loadAll(ctx context.Context, c storage.Collection, docs []storage.Document) error {
	for try := 0; len(docs) > 0; try++ {
		if try > 0 && !wait(ctx, backoff(try-1)) {
			return ctx.Err()
		}
		items, err := e.loadOnce(ctx, c, docs)
		if err != nil {
			return err
		}
		var busy []storage.Document
		for i := range items {
			f := &failure{status: items[i].Status, cause: items[i].cause()}
			switch {
			case items[i].Error == nil && items[i].Status < http.StatusBadRequest:
			case f.busy() && try < maxBusy:
				busy = append(busy, docs[i])
			case f.noIndex():
				return unknownCollection(c)
			case f.conflict():
				return refusedDocument(docs[i], tooManyChanges(docs[i].ID))
			default:
				return refusedDocument(docs[i], e.explain(ctx, c, f, docs[i].Source))
			}
		}
		docs = busy
	}
	return nil
}

// loadOnce gives what became of each document.
func (e *Engine) loadOnce(ctx context.Context, c storage.Collection, docs []storage.Document) ([]item, error) {
	var body []byte
	for _, d := range docs {
		about := object{"_id": d.ID, "version": d.Version, "version_type": "external_gte"}
		body = append(append(body, encode(object{"index": about})...), '\n')
		body = append(append(body, oneLine(d.Source)...), '\n')
	}
	var answer struct {
		Items []struct {
			Index item `json:"index"`
		} `json:"items"`
	}
	query := values("require_alias", "true", "timeout", duration(e.client.timeout/3))
	err := e.client.do(ctx, request{method: http.MethodPost, path: []string{alias(c), "_bulk"}, query: query, body: body}, &answer)
	if isNoIndex(err) {
		if err := e.missing(ctx, c); err != nil {
			return nil, err
		}
		return nil, unknownCollection(c) // it was made a moment ago
	}
	if err == nil && len(answer.Items) != len(docs) {
		return nil, kerror.ServicesStorageUnexpectedError.New("Elasticsearch answered with other documents than were written")
	}
	items := make([]item, len(answer.Items))
	for i := range answer.Items {
		items[i] = answer.Items[i].Index
	}
	return items, public(err)
}

// refusedDocument says which document an error is about.
func refusedDocument(d storage.Document, err error) error {
	return fmt.Errorf("document %q: %w", d.ID, err)
}

var _ storage.Loader = (*Engine)(nil)
