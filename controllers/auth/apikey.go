package auth

import (
	"context"

	"github.com/sluicehq/sluice/controllers/apikey"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
)

func (c controller) keys() apikey.Keys { return apikey.Keys{Tokens: c.Tokens, Paging: c.Paging} }

// createApiKey makes an API key for the caller.
func (c controller) createAPIKey(ctx context.Context, req *protocol.Request) (any, error) {
	if err := loggedIn(req); err != nil {
		return nil, err
	}
	return c.keys().Create(ctx, req, req.User.ID, true)
}

// deleteApiKey ends an API key of the caller, be it the one he shows.
func (c controller) deleteAPIKey(ctx context.Context, req *protocol.Request) (any, error) {
	if err := loggedIn(req); err != nil {
		return nil, err
	}
	return c.keys().Delete(ctx, req, req.User.ID, storage.RefreshLater)
}

// searchApiKeys answers API keys of the caller.
func (c controller) searchAPIKeys(ctx context.Context, req *protocol.Request) (any, error) {
	if err := loggedIn(req); err != nil {
		return nil, err
	}
	return c.keys().Search(ctx, req, req.User.ID)
}
