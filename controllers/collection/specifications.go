package collection

import (
	"context"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/validation"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// specified is the specification of a collection.
type specified struct {
	Index      string         `json:"index"`
	Collection string         `json:"collection"`
	Validation jsontext.Value `json:"validation"`
}

// getSpecifications answers {index, collection, validation}.
func (c controller) getSpecifications(_ context.Context, req *protocol.Request) (any, error) {
	where, err := target.Public(req)
	if err != nil {
		return nil, err
	}
	spec, err := c.Specifications.Get(where.Index, where.Name)
	if err != nil {
		return nil, err
	}
	return specified{where.Index, where.Name, spec}, nil
}

// updateSpecifications puts a specification in place of any before, and answers it. The collection need not exist yet.
func (c controller) updateSpecifications(ctx context.Context, req *protocol.Request) (any, error) {
	where, body, err := target.PublicBody(req)
	if err != nil {
		return nil, err
	}
	by := ""
	if req.User != nil {
		by = req.User.ID
	}
	if err := c.Specifications.Put(ctx, where.Index, where.Name, body, by); err != nil {
		return nil, err
	}
	return body, nil
}

// checked is the answer of validateSpecifications.
type checked struct {
	Valid       bool     `json:"valid"`
	Description string   `json:"description,omitzero"`
	Details     []string `json:"details,omitzero"`
}

// validateSpecifications says what is wrong with a specification, and changes nothing.
func (c controller) validateSpecifications(_ context.Context, req *protocol.Request) (any, error) {
	if _, err := target.Public(req); err != nil {
		return nil, err
	}
	body, err := req.BodyObject()
	if err != nil {
		return nil, err
	}
	if _, problems := validation.Parse(body, nil); len(problems) > 0 {
		return checked{Description: "The specifications are not valid.", Details: problems}, nil
	}
	return checked{Valid: true}, nil
}

// deleteSpecifications lets the collection take any document; it may have done so before.
func (c controller) deleteSpecifications(ctx context.Context, req *protocol.Request) (any, error) {
	where, err := target.Public(req)
	if err != nil {
		return nil, err
	}
	if err := c.Specifications.Delete(ctx, where.Index, where.Name); err != nil {
		return nil, err
	}
	return acknowledged{true}, nil
}

// defaultSize is how many specifications a search gives that does not say.
const defaultSize = 10

// found is the answer of searchSpecifications and scrollSpecifications.
type found struct {
	Hits     []hit  `json:"hits"`
	ScrollID string `json:"scrollId,omitzero"`
	Total    int    `json:"total"`
}

type hit struct {
	ID     string         `json:"_id"`
	Score  *float32       `json:"_score"`
	Source jsontext.Value `json:"_source,omitzero"`
}

// searchSpecifications searches the specifications of all collections by index and collection.
func (c controller) searchSpecifications(ctx context.Context, req *protocol.Request) (any, error) {
	body, err := req.OptBodyFields()
	if err != nil {
		return nil, err
	}
	s, err := c.Paging.Search(req, &body, defaultSize)
	if err != nil {
		return nil, err
	}
	s.Targets, s.Body = []storage.Collection{validation.Collection}, body.JSON()
	hits, err := c.Engine.Search(ctx, s)
	if err != nil {
		return nil, err
	}
	return showHits(hits), nil
}

// scrollSpecifications answers the next page of a search. A scroll over anything else that the node keeps is as good as none.
func (c controller) scrollSpecifications(ctx context.Context, req *protocol.Request) (any, error) {
	scroll, keep, err := c.Paging.Scroll(req)
	if err != nil {
		return nil, err
	}
	hits, err := c.Engine.NextHits(ctx, storage.Internal, scroll, keep)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(hits.Hits, func(h storage.Hit) bool { return h.Collection != validation.Collection }) {
		return nil, kerror.ServicesStorageUnknownScrollID.New()
	}
	return showHits(hits), nil
}

func showHits(s storage.Found) found {
	f := found{Hits: make([]hit, len(s.Hits)), ScrollID: s.Scroll, Total: s.Total}
	for i, h := range s.Hits {
		f.Hits[i] = hit{h.ID, h.Score, h.Source}
	}
	return f
}
