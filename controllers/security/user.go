package security

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/auth"
	rights "github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// getUser answers {_id, _source}, read from storage each time. The ids -1 and anonymous are the anonymous user.
func (c controller) getUser(ctx context.Context, req *protocol.Request) (any, error) {
	id, err := requiredID(req)
	if err != nil {
		return nil, err
	}
	return answer(c.Users.ReadUser(ctx, id))
}

// createUser stores a user and its credentials, all or nothing, and answers {_id, _source}.
func (c controller) createUser(ctx context.Context, req *protocol.Request) (any, error) {
	body, err := req.BodyFields()
	if err != nil {
		return nil, err
	}
	content, err := body.Object("content")
	if err != nil {
		return nil, err
	}
	n, err := newUser(req, body)
	if err != nil {
		return nil, err
	}
	n.Content = content
	return answer(c.Accounts.CreateUser(ctx, req, n))
}

// createFirstAdmin makes a user with the profile admin and credentials, while there is none. reset then stores the standard
// roles and profiles.
func (c controller) createFirstAdmin(ctx context.Context, req *protocol.Request) (any, error) {
	body, err := req.OptBodyFields()
	if err != nil {
		return nil, err
	}
	reset, err := req.Args.Bool("reset")
	if err != nil {
		return nil, err
	}
	n, err := newUser(req, body)
	if err != nil {
		return nil, err
	}
	if n.Content, err = adminContent(body); err != nil {
		return nil, err
	}
	return answer(c.Accounts.CreateFirstAdmin(ctx, req, n, reset))
}

// adminContent gives the content of the body with the profile admin, which the client does not choose.
func adminContent(body protocol.Args) (jsontext.Value, error) {
	object, err := body.OptObject("content")
	if err != nil {
		return nil, err
	}
	if object == nil {
		object = jsontext.Value("{}")
	}
	content, err := protocol.ParseArgs(object, "body.content.")
	if err != nil {
		return nil, err
	}
	if content.Has("profileIds") {
		return nil, kerror.APIAssertForbiddenArgument.New("body.content.profileIds")
	}
	content.Set("profileIds", jsontext.Value(`["admin"]`))
	return content.JSON(), nil
}

// newUser reads what createUser and createFirstAdmin share.
func newUser(req *protocol.Request, body protocol.Args) (auth.NewUser, error) {
	kind, err := req.Args.OptString("kuid", "")
	if err != nil {
		return auth.NewUser{}, err
	}
	n := auth.NewUser{ID: req.ID, Write: write(req)}
	if n.NewID, err = rights.NewID(kind); err != nil {
		return auth.NewUser{}, err
	}
	object, err := body.OptObject("credentials")
	if err != nil || object == nil {
		return n, err
	}
	credentials, err := protocol.ParseArgs(object, "body.credentials.")
	n.Credentials = credentials.All()
	return n, err
}

// deleteUser removes a user with its credentials and tokens.
func (c controller) deleteUser(ctx context.Context, req *protocol.Request) (any, error) {
	id, err := requiredID(req)
	if err != nil {
		return nil, err
	}
	if err := c.Accounts.DeleteUser(ctx, req, id, write(req)); err != nil {
		return nil, err
	}
	return identified{id}, nil
}

// revokeTokens ends every session of a user and answers null.
func (c controller) revokeTokens(ctx context.Context, req *protocol.Request) (any, error) {
	id, err := requiredID(req)
	if err != nil {
		return nil, err
	}
	return nil, c.Accounts.RevokeAll(ctx, id)
}

// getCredentials answers the public part of a user's credentials; {} when the strategy shows none.
func (c controller) getCredentials(ctx context.Context, req *protocol.Request) (any, error) {
	name, err := req.Args.String("strategy")
	if err != nil {
		return nil, err
	}
	id, err := requiredID(req)
	if err != nil {
		return nil, err
	}
	strategy, err := c.Accounts.Strategies().Get(name)
	if err != nil {
		return nil, err
	}
	describer, ok := strategy.Strategy.(auth.Describer)
	if !ok {
		return struct{}{}, nil
	}
	return describer.Info(ctx, req, id)
}

// answer keeps a failure from being answered together with an empty result.
func answer(stored rights.Stored, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return stored, nil
}
