package document

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
)

// defaultSize is how many hits a search gives that does not say.
const defaultSize = 10

// page is the answer of search and scroll.
type page struct {
	Hits     []hit  `json:"hits"`
	ScrollID string `json:"scrollId,omitzero"`
	// Remaining is nil without a scroll.
	Remaining    *int           `json:"remaining,omitzero"`
	Total        int            `json:"total"`
	Aggregations jsontext.Value `json:"aggregations,omitzero"`
	Suggest      jsontext.Value `json:"suggest,omitzero"`
}

type hit struct {
	ID     string         `json:"_id"`
	Score  *float32       `json:"_score"`
	Source jsontext.Value `json:"_source,omitzero"`
	// Sort has the keys of the sort, which search_after takes; nil when none was asked for.
	Sort        []jsontext.Value `json:"sort,omitzero"`
	Highlight   jsontext.Value   `json:"highlight,omitzero"`
	Fields      jsontext.Value   `json:"fields,omitzero"`
	Explanation jsontext.Value   `json:"_explanation,omitzero"`
	// InnerHits has a list of hits by each name.
	InnerHits  map[string][]hit `json:"inner_hits,omitzero"`
	Index      string           `json:"index"`
	Collection string           `json:"collection"`
}

// shown is a hit as actions show it.
func shown(h storage.Hit) hit {
	s := hit{
		ID: h.ID, Score: h.Score, Source: h.Source, Sort: h.Sort, Highlight: h.Highlight, Fields: h.Fields, Explanation: h.Explanation,
		Index: h.Collection.Index, Collection: h.Collection.Name,
	}
	if h.InnerHits != nil {
		s.InnerHits = make(map[string][]hit, len(h.InnerHits))
	}
	for name, inner := range h.InnerHits {
		list := make([]hit, len(inner))
		for i := range inner {
			list[i] = shown(inner[i])
		}
		s.InnerHits[name] = list
	}
	return s
}

// search answers {hits, total, scrollId?, remaining?, aggregations?, suggest?}.
func (c controller) search(ctx context.Context, req *protocol.Request) (any, error) {
	targets, err := target.Collections(req)
	if err != nil {
		return nil, err
	}
	s, err := c.searchOf(req)
	if err != nil {
		return nil, err
	}
	s.Targets = targets
	found, err := c.find(ctx, req, s)
	if err != nil {
		return nil, err
	}
	return c.page(ctx, req, found)
}

// find searches, and keeps in mind which scroll that opened.
func (c controller) find(ctx context.Context, req *protocol.Request, s storage.Search) (storage.Found, error) {
	if s.Scroll == 0 {
		return c.Engine.Search(ctx, s)
	}
	owner := ownerOf(req)
	if err := c.scrolls.reserve(owner); err != nil {
		return storage.Found{}, err
	}
	found, err := c.Engine.Search(ctx, s)
	if err != nil || found.Remaining == 0 {
		c.scrolls.free(owner)
		return found, err
	}
	c.scrolls.add(found.Scroll, owner, s.Targets, s.Scroll)
	return found, nil
}

// searchOf reads a search without its targets.
func (c controller) searchOf(req *protocol.Request) (s storage.Search, err error) {
	body, err := searchBody(req)
	if err != nil {
		return s, err
	}
	if s, err = c.Paging.Search(req, &body, defaultSize); err != nil {
		return s, err
	}
	if err := target.Translate(req, &body); err != nil {
		return s, err
	}
	s.Body = body.JSON()
	return s, nil
}

// searchBody gives the members of the body. GET has none that counts: there it is JSON in the argument searchBody.
func searchBody(req *protocol.Request) (protocol.Args, error) {
	if !isGet(req) {
		return req.OptBodyFields()
	}
	if req.Args.Raw("searchBody") == nil {
		return protocol.Args{}, nil
	}
	return req.Args.Fields("searchBody")
}

// isGet reports whether the request is a GET of HTTP; that of a WebSocket was its upgrade.
func isGet(req *protocol.Request) bool {
	return req.Connection.Protocol == "http" && req.Connection.Verb == http.MethodGet
}

// page fires the event of documents that were read, and shows what a search found as its pipes left it.
func (c controller) page(ctx context.Context, req *protocol.Request, found storage.Found) (any, error) {
	docs := make([]announce.Doc, len(found.Hits))
	for i, h := range found.Hits {
		docs[i] = announce.Doc{ID: h.ID, Source: h.Source}
	}
	docs, err := c.Announcer.Docs(ctx, req, announce.AfterGet, docs)
	if err != nil {
		return nil, err
	}
	p := page{Hits: make([]hit, len(docs)), ScrollID: found.Scroll, Total: found.Total, Aggregations: found.Aggregations, Suggest: found.Suggest}
	if found.Scroll != "" {
		p.Remaining = &found.Remaining
	}
	for i, h := range found.Hits {
		p.Hits[i] = shown(h)
		p.Hits[i].ID, p.Hits[i].Source = docs[i].ID, docs[i].Source
	}
	return p, nil
}
