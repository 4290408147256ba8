package security

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/auth"
	rights "github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// page is the answer of the searches and scrolls. It does not say where something is stored.
type page struct {
	Hits         []rights.Stored `json:"hits"`
	ScrollID     string          `json:"scrollId,omitzero"`
	Total        int             `json:"total"`
	Aggregations jsontext.Value  `json:"aggregations,omitzero"`
}

// searchUsers answers {hits, total, scrollId?, aggregations?}.
func (c controller) searchUsers(ctx context.Context, req *protocol.Request) (any, error) {
	body, err := req.OptBodyFields()
	if err != nil {
		return nil, err
	}
	return c.search(ctx, req, rights.Users, body)
}

// searchProfiles is searchUsers for profiles. The member roles of the body, in place of a query, finds those that name one of
// them.
func (c controller) searchProfiles(ctx context.Context, req *protocol.Request) (any, error) {
	body, err := req.OptBodyFields()
	if err != nil {
		return nil, err
	}
	if body.Raw("roles") == nil {
		body.Remove("roles")
		return c.search(ctx, req, rights.Profiles, body)
	}
	if _, err := alone(body, "roles"); err != nil {
		return nil, err
	}
	body.Set("query", append(append(jsontext.Value(`{"terms":{"policies.roleId":`), body.Raw("roles")...), `}}`...))
	body.Remove("roles")
	return c.find(ctx, req, rights.Profiles, body)
}

// searchRoles is searchUsers for roles, without scrolls. The member controllers of the body, in place of a query, keeps those
// that speak of one of them or of all.
func (c controller) searchRoles(ctx context.Context, req *protocol.Request) (any, error) {
	body, err := req.OptBodyFields()
	if err != nil {
		return nil, err
	}
	if body.Raw("controllers") == nil {
		body.Remove("controllers")
		return c.search(ctx, req, rights.Roles, body)
	}
	controllers, err := alone(body, "controllers")
	if err != nil {
		return nil, err
	}
	s, err := c.paging(req, &body)
	if err != nil {
		return nil, err
	}
	all, err := c.Users.RolesFor(ctx, controllers)
	if err != nil {
		return nil, err
	}
	from := min(s.From, len(all))
	return page{Hits: all[from:min(from+s.Size, len(all))], Total: len(all)}, nil
}

// alone reads a list of the body that stands in place of a query.
func alone(body protocol.Args, name string) ([]string, error) {
	list, err := body.Strings(name)
	if err != nil {
		return nil, err
	}
	if body.Raw("query") != nil {
		return nil, kerror.APIAssertMutuallyExclusive.New("body."+name, "body.query")
	}
	return list, nil
}

// search finds by a query in the language that the argument lang names.
func (c controller) search(ctx context.Context, req *protocol.Request, kind rights.Kind, body protocol.Args) (any, error) {
	if err := target.Translate(req, &body); err != nil {
		return nil, err
	}
	return c.find(ctx, req, kind, body)
}

func (c controller) find(ctx context.Context, req *protocol.Request, kind rights.Kind, body protocol.Args) (any, error) {
	s, err := c.paging(req, &body)
	if err != nil {
		return nil, err
	}
	if kind == rights.Roles { // nothing would read on
		s.Scroll = 0
	}
	s.Body = body.JSON()
	return shown(c.Users.Search(ctx, kind, s))
}

// defaultCredentials is how many hits a search by credentials gives that does not say.
const defaultCredentials = 10

// searchUsersByCredentials answers {hits: [{kuid, …}], total}, as far as the strategy shows credentials. Of the body only query
// and sort count.
func (c controller) searchUsersByCredentials(ctx context.Context, req *protocol.Request) (any, error) {
	strategy, err := req.Args.String("strategy")
	if err != nil {
		return nil, err
	}
	body, err := req.OptBodyFields()
	if err != nil {
		return nil, err
	}
	s, err := c.Paging.Search(req, &body, defaultCredentials)
	if err != nil {
		return nil, err
	}
	if err := target.Translate(req, &body); err != nil {
		return nil, err
	}
	found, err := c.Accounts.SearchCredentials(ctx, req, strategy, auth.CredentialSearch{
		Query: body.Raw("query"), Sort: body.Raw("sort"), From: s.From, Size: s.Size,
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// paging reads which hits are wanted: without a word, as many as one search can give.
func (c controller) paging(req *protocol.Request, body *protocol.Args) (storage.Search, error) {
	given := req.Args.Raw("size") != nil || body.Raw("size") != nil
	s, err := c.Paging.Search(req, body, storage.MaxWindow)
	if err == nil && !given {
		s.Size = min(s.Size, max(storage.MaxWindow-s.From, 0))
	}
	return s, err
}

// scrollUsers answers the next page of searchUsers.
func (c controller) scrollUsers(ctx context.Context, req *protocol.Request) (any, error) {
	return c.scroll(ctx, req, rights.Users)
}

// scrollProfiles answers the next page of searchProfiles.
func (c controller) scrollProfiles(ctx context.Context, req *protocol.Request) (any, error) {
	return c.scroll(ctx, req, rights.Profiles)
}

func (c controller) scroll(ctx context.Context, req *protocol.Request, kind rights.Kind) (any, error) {
	id, keep, err := c.Paging.Scroll(req)
	if err != nil {
		return nil, err
	}
	return shown(c.Users.NextHits(ctx, kind, id, keep))
}

func shown(found storage.Found, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	p := page{Hits: make([]rights.Stored, len(found.Hits)), ScrollID: found.Scroll, Total: found.Total, Aggregations: found.Aggregations}
	for i, h := range found.Hits {
		p.Hits[i] = rights.Stored{ID: h.ID, Source: h.Source}
	}
	return p, nil
}
