package auth

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
)

// createMyCredentials gives the caller credentials of a strategy and answers with what the strategy says of them.
func (c controller) createMyCredentials(ctx context.Context, req *protocol.Request) (any, error) {
	strategy, credentials, err := myCredentials(req)
	if err != nil {
		return nil, err
	}
	return c.Tokens.CreateCredentials(ctx, req, req.User.ID, strategy, credentials)
}

// updateMyCredentials changes the caller's credentials.
func (c controller) updateMyCredentials(ctx context.Context, req *protocol.Request) (any, error) {
	strategy, credentials, err := myCredentials(req)
	if err != nil {
		return nil, err
	}
	return c.Tokens.UpdateCredentials(ctx, req, req.User.ID, strategy, credentials)
}

// validateMyCredentials answers what the strategy makes of new credentials; what is wrong with them is an error.
func (c controller) validateMyCredentials(ctx context.Context, req *protocol.Request) (any, error) {
	strategy, credentials, err := myCredentials(req)
	if err != nil {
		return nil, err
	}
	return c.Tokens.ValidateCredentials(ctx, req, req.User.ID, strategy, credentials)
}

// deleteMyCredentials takes the caller's credentials away. The session goes on.
func (c controller) deleteMyCredentials(ctx context.Context, req *protocol.Request) (any, error) {
	strategy, err := myStrategy(req)
	if err != nil {
		return nil, err
	}
	if err := c.Tokens.DeleteCredentials(ctx, req, req.User.ID, strategy); err != nil {
		return nil, err
	}
	return acknowledged{true}, nil
}

// getMyCredentials answers the public part of the caller's credentials.
func (c controller) getMyCredentials(ctx context.Context, req *protocol.Request) (any, error) {
	strategy, err := myStrategy(req)
	if err != nil {
		return nil, err
	}
	return c.Tokens.CredentialsInfo(ctx, req, req.User.ID, strategy)
}

// credentialsExist answers whether the caller has credentials of the strategy.
func (c controller) credentialsExist(ctx context.Context, req *protocol.Request) (any, error) {
	strategy, err := myStrategy(req)
	if err != nil {
		return nil, err
	}
	return c.Tokens.HasCredentials(ctx, req, req.User.ID, strategy)
}

// myStrategy gives the strategy that a caller who is logged in names.
func myStrategy(req *protocol.Request) (string, error) {
	if err := loggedIn(req); err != nil {
		return "", err
	}
	return req.Args.String("strategy")
}

// myCredentials is myStrategy with the credentials of the body.
func myCredentials(req *protocol.Request) (string, jsontext.Value, error) {
	strategy, err := myStrategy(req)
	if err != nil {
		return "", nil, err
	}
	credentials, err := req.BodyObject()
	return strategy, credentials, err
}
