package elastic

import (
	"context"
	"maps"
	"net/http"

	"github.com/sluicehq/sluice/core/storage"
)

// pointAlive is how long a point in time waits for the next request.
const pointAlive = "5m"

// point is a collection as it was at one point in time. It is not safe for concurrent use.
type point struct {
	engine *Engine
	id     string
}

func (e *Engine) openPoint(ctx context.Context, c storage.Collection) (*point, error) {
	var answer struct {
		ID string `json:"id"`
	}
	r := request{method: http.MethodPost, path: []string{alias(c), "_pit"}, query: values("keep_alive", pointAlive)}
	if err := e.client.do(ctx, r, &answer); err != nil {
		return nil, e.searchError(ctx, []storage.Collection{c}, err)
	}
	return &point{engine: e, id: answer.ID}, nil
}

// read searches.
func (p *point) read(ctx context.Context, search, options object) ([]hit, error) {
	body := maps.Clone(search)
	maps.Copy(body, options)
	body["pit"] = object{"id": p.id, "keep_alive": pointAlive}
	body["track_total_hits"] = false
	if body["sort"] == nil {
		body["sort"] = []string{"_shard_doc"}
	}
	var answer found
	r := request{method: http.MethodPost, path: []string{"_search"}, query: values("allow_partial_search_results", "false"), body: encode(body)}
	if err := p.engine.client.do(ctx, r, &answer); err != nil {
		return nil, public(err)
	}
	if answer.PIT != "" {
		p.id = answer.PIT
	}
	return answer.Hits.Hits, nil
}

// close frees what the server keeps. It would do so by itself in time.
func (p *point) close(ctx context.Context) {
	r := request{method: http.MethodDelete, path: []string{"_pit"}, body: encode(object{"id": p.id})}
	_ = p.engine.client.do(context.WithoutCancel(ctx), r, nil)
}
