package elastic

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/query"
)

// hit is a document that a search found.
type hit struct {
	Index   string           `json:"_index"`
	ID      string           `json:"_id"`
	Version int64            `json:"_version"`
	Score   *float32         `json:"_score"`
	Source  jsontext.Value   `json:"_source"`
	Sort    []jsontext.Value `json:"sort"`

	Highlight   jsontext.Value `json:"highlight"`
	Fields      jsontext.Value `json:"fields"`
	Explanation jsontext.Value `json:"_explanation"`
	InnerHits   map[string]struct {
		Hits struct {
			Hits []hit `json:"hits"`
		} `json:"hits"`
	} `json:"inner_hits"`
}

func (h *hit) document() storage.Document {
	return storage.Document{ID: h.ID, Version: h.Version, Source: h.Source}
}

// found is the answer to a search.
type found struct {
	PIT      string `json:"pit_id"`
	Scroll   string `json:"_scroll_id"`
	Shards   shards `json:"_shards"`
	TimedOut bool   `json:"timed_out"`
	Hits     struct {
		Total struct {
			Value int `json:"value"`
		} `json:"total"`
		Hits []hit `json:"hits"`
	} `json:"hits"`
	Aggregations jsontext.Value `json:"aggregations"`
	Suggest      jsontext.Value `json:"suggest"`
}

// Search checks the body as the embedded engine does and passes it on.
func (e *Engine) Search(ctx context.Context, s storage.Search) (storage.Found, error) {
	if err := e.gate.Enter(ctx); err != nil {
		return storage.Found{}, err
	}
	defer e.gate.Leave()
	parsed, err := query.Read(s)
	if err != nil {
		return storage.Found{}, err
	}
	body, err := searchBody(s, parsed)
	if err != nil {
		return storage.Found{}, err
	}
	for _, c := range s.Targets {
		if err := e.check(ctx, c); err != nil {
			return storage.Found{}, err
		}
	}
	if s.Scroll > 0 {
		return e.openScroll(ctx, s, body)
	}
	answer, err := e.search(ctx, s.Targets, body, values())
	if err != nil {
		return storage.Found{}, err
	}
	f := answer.found()
	if parsed.TotalHits == 0 {
		f.Total = 0
	}
	return f, nil
}

// search posts a body.
func (e *Engine) search(ctx context.Context, targets []storage.Collection, body object, query map[string][]string) (*found, error) {
	var answer found
	r := request{method: http.MethodPost, path: []string{names(targets), "_search"}, query: query, body: encode(body)}
	r.query.Set("allow_partial_search_results", "false")
	if err := e.client.do(ctx, r, &answer); err != nil {
		return nil, e.searchError(ctx, targets, err)
	}
	return &answer, nil
}

// names addresses several collections.
func names(targets []storage.Collection) string {
	var list []string
	for _, c := range targets {
		list = append(list, alias(c))
	}
	return strings.Join(list, ",")
}

// searchError gives the error for the client.
func (e *Engine) searchError(ctx context.Context, targets []storage.Collection, err error) error {
	if !isNoIndex(err) {
		return public(err)
	}
	for _, c := range targets {
		if err := e.missing(ctx, c); err != nil {
			return err
		}
	}
	return unknownCollection(targets[0]) // it was made a moment ago
}

// searchBody gives what Elasticsearch is asked.
func searchBody(s storage.Search, parsed *query.Search) (object, error) {
	body := object{"query": object{"match_all": object{}}, "from": s.From, "size": s.Size, "track_total_hits": true}
	if s.Scroll > 0 {
		delete(body, "from")
	}
	var given members
	if len(s.Body) > 0 {
		if err := decode(s.Body, &given); err != nil {
			return nil, err
		}
	}
	for name, value := range given {
		switch name {
		case "query", "post_filter":
			if !empty(value) {
				body[name] = value
			}
		case "knn", "sort", "search_after", "aggs", "aggregations", "highlight", "collapse", "explain", "suggest":
			body[name] = value
		case "track_total_hits":
			if s.Scroll == 0 { // a scroll counts all
				body[name] = value
			}
		case "search_timeout":
			if parsed.Timeout > 0 {
				body["timeout"] = duration(parsed.Timeout)
			}
		}
	}
	if alone(given) {
		delete(body, "query")
	}
	body["_source"] = source(parsed.Source)
	return body, nil
}

// alone reports whether only neighbours are looked for, and not the documents of a query too.
func alone(given members) bool {
	q, asked := given["query"]
	var list []jsontext.Value
	none := json.Unmarshal(given["knn"], &list) == nil && len(list) == 0
	return len(given["knn"]) > 0 && !none && (!asked || empty(q))
}

// empty reports whether a query is one of those that match everything without saying so.
func empty(v jsontext.Value) bool {
	var m members
	return v.Kind() == 'n' || v.Kind() == '{' && json.Unmarshal(v, &m) == nil && len(m) == 0
}

func source(s query.Source) any {
	if s.None {
		return false
	}
	if len(s.Includes)+len(s.Excludes) == 0 {
		return true
	}
	return object{"includes": append([]string{}, s.Includes...), "excludes": append([]string{}, s.Excludes...)}
}

// duration writes d as Elasticsearch reads it.
func duration(d time.Duration) string { return fmt.Sprintf("%dms", max(1, d.Milliseconds())) }

// found gives the answer of the seam.
func (f *found) found() storage.Found {
	answer := storage.Found{Total: f.Hits.Total.Value, Aggregations: f.Aggregations, Suggest: f.Suggest}
	answer.Hits = storedHits(f.Hits.Hits)
	return answer
}

// storedHits gives hits of the seam, with those in them.
func storedHits(hits []hit) []storage.Hit {
	if len(hits) == 0 {
		return nil
	}
	list := make([]storage.Hit, 0, len(hits))
	for i := range hits {
		h := &hits[i]
		c, _ := collectionOf(h.Index)
		shown := storage.Hit{
			Collection: c, ID: h.ID, Score: h.Score, Source: h.Source, Sort: h.Sort, Highlight: h.Highlight, Fields: h.Fields,
			Explanation: h.Explanation,
		}
		for name, inner := range h.InnerHits {
			if shown.InnerHits == nil {
				shown.InnerHits = make(map[string][]storage.Hit, len(h.InnerHits))
			}
			shown.InnerHits[name] = storedHits(inner.Hits.Hits)
		}
		list = append(list, shown)
	}
	return list
}

// Count counts.
func (e *Engine) Count(ctx context.Context, targets []storage.Collection, q jsontext.Value) (int, error) {
	if err := e.gate.Enter(ctx); err != nil {
		return 0, err
	}
	defer e.gate.Leave()
	if err := query.CheckTargets(targets); err != nil {
		return 0, err
	}
	if _, err := query.Parse(q); err != nil {
		return 0, err
	}
	for _, c := range targets {
		if err := e.check(ctx, c); err != nil {
			return 0, err
		}
	}
	var answer struct {
		Count  int    `json:"count"`
		Shards shards `json:"_shards"`
	}
	r := request{method: http.MethodPost, path: []string{names(targets), "_count"}, body: encode(object{"query": queryOf(q)})}
	if err := e.client.do(ctx, r, &answer); err != nil {
		return 0, e.searchError(ctx, targets, err)
	}
	return answer.Count, answer.Shards.err()
}

// queryOf is a query that may be absent.
func queryOf(q jsontext.Value) any {
	if len(bytes.TrimSpace(q)) == 0 || empty(q) {
		return object{"match_all": object{}}
	}
	return q
}

// Refresh lets searches see what was written.
func (e *Engine) Refresh(ctx context.Context, c storage.Collection) error {
	if err := e.gate.Enter(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	if err := e.check(ctx, c); err != nil {
		return err
	}
	if err := e.refresh(ctx, c); err != nil {
		return e.searchError(ctx, []storage.Collection{c}, err)
	}
	return nil
}

// Size counts the documents that searches see.
func (e *Engine) Size(ctx context.Context, c storage.Collection) (storage.Size, error) {
	n, err := e.Count(ctx, []storage.Collection{c}, nil)
	if err != nil {
		return storage.Size{}, err
	}
	if err := e.gate.Enter(ctx); err != nil {
		return storage.Size{}, err
	}
	defer e.gate.Leave()
	bytes, err := e.stored(ctx, alias(c))
	return storage.Size{Documents: n, Bytes: bytes}, err
}

var _ storage.Searcher = (*Engine)(nil)
