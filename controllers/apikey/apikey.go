// Package apikey is what users may do with their own API keys and operators with those of others. The controllers auth and
// security import it: they say whose keys are meant, and are asked whether the caller may.
package apikey

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// defaultSize is how many keys a search gives that does not say.
const defaultSize = 10

// Keys are the API keys of all users.
type Keys struct {
	Tokens *auth.Service
	Paging target.Paging
}

// Create makes a key for a user, and answers {_id, _source} with its text, which nobody is shown again. bounded is whether its
// lifetime is bounded by the settings.
func (k Keys) Create(ctx context.Context, req *protocol.Request, kuid string, bounded bool) (any, error) {
	body, err := req.BodyFields()
	if err != nil {
		return nil, err
	}
	n := auth.NewKey{ID: req.ID, KUID: kuid, By: req.User.KUID(), Refresh: refresh(req, storage.RefreshWaitFor)}
	if n.Description, err = body.String("description"); err != nil {
		return nil, err
	}
	if n.TTL, err = k.Tokens.KeyLifetime(req.Args, bounded); err != nil {
		return nil, err
	}
	created, err := k.Tokens.CreateKey(ctx, n)
	if err != nil {
		return nil, err
	}
	return created, nil
}

// identified is the answer of Delete.
type identified struct {
	ID string `json:"_id"`
}

// Delete ends a key of a user and answers {_id}. absent is how to refresh when the request does not say.
func (k Keys) Delete(ctx context.Context, req *protocol.Request, kuid string, absent storage.Refresh) (any, error) {
	if req.ID == "" {
		return nil, kerror.APIAssertMissingArgument.New("_id")
	}
	if err := k.Tokens.DeleteKey(ctx, kuid, req.ID, refresh(req, absent)); err != nil {
		return nil, err
	}
	return identified{req.ID}, nil
}

// page is the answer of Search: Total is how many hits it holds.
type page struct {
	Hits  []auth.Key `json:"hits"`
	Total int        `json:"total"`
}

// Search answers the keys of a user that match the body, which is a query itself: {hits, total}.
func (k Keys) Search(ctx context.Context, req *protocol.Request, kuid string) (any, error) {
	query := jsontext.Value("{}")
	if req.Body != nil {
		var err error
		if query, err = req.BodyObject(); err != nil {
			return nil, err
		}
	}
	var members protocol.Args
	members.Set("query", query)
	if err := target.Translate(req, &members); err != nil {
		return nil, err
	}
	s, err := k.Paging.Search(req, &members, defaultSize)
	if err != nil {
		return nil, err
	}
	hits, err := k.Tokens.SearchKeys(ctx, kuid, members.Raw("query"), s.From, s.Size)
	if err != nil {
		return nil, err
	}
	return page{hits, len(hits)}, nil
}

// refresh reads the argument of that name, where anything but false asks to wait.
func refresh(req *protocol.Request, absent storage.Refresh) storage.Refresh {
	if !req.Args.Has("refresh") {
		return absent
	}
	return target.Refresh(req)
}
