package security

import (
	"context"

	"github.com/sluicehq/sluice/controllers/apikey"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
)

// keyActions are the actions on the API keys of the user in the argument userId.
func (c controller) keyActions() []router.Action {
	keys := apikey.Keys{Tokens: c.Accounts, Paging: c.Paging}
	action := func(name, verb, path string, run func(ctx context.Context, req *protocol.Request, kuid string) (any, error)) router.Action {
		return router.Action{
			Controller: "security", Name: name, Routes: []router.Route{{Verb: verb, Path: "/users/:userId/api-keys/" + path}},
			Handler: func(ctx context.Context, req *protocol.Request) (any, error) {
				kuid, err := req.Args.String("userId")
				if err != nil {
					return nil, err
				}
				return run(ctx, req, kuid)
			},
		}
	}
	return []router.Action{
		// An operator's word counts for more than the bound on lifetimes.
		action("createApiKey", "POST", "_create", func(ctx context.Context, req *protocol.Request, kuid string) (any, error) {
			return keys.Create(ctx, req, kuid, false)
		}),
		action("searchApiKeys", "POST", "_search", keys.Search),
		action("deleteApiKey", "DELETE", ":_id", func(ctx context.Context, req *protocol.Request, kuid string) (any, error) {
			return keys.Delete(ctx, req, kuid, storage.RefreshWaitFor)
		}),
	}
}
