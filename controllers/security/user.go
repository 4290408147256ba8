package security

import (
	"context"

	"github.com/go-json-experiment/json"
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

// mGetUsers answers {hits}, without those that are not there. The ids stand beside the body or in it.
func (c controller) mGetUsers(ctx context.Context, req *protocol.Request) (any, error) {
	if req.Args.Has("ids") || req.Body == nil {
		return c.readIDs(ctx, req.Args, c.Users.ReadUsers)
	}
	return c.readMany(ctx, req, c.Users.ReadUsers)
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

// createRestrictedUser is createUser for those who may not choose profiles: the settings do.
func (c controller) createRestrictedUser(ctx context.Context, req *protocol.Request) (any, error) {
	body, err := req.OptBodyFields()
	if err != nil {
		return nil, err
	}
	n, err := newUser(req, body)
	if err != nil {
		return nil, err
	}
	if n.Content, err = contentWith(c.RestrictedProfiles, body); err != nil {
		return nil, err
	}
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
	if n.Content, err = contentWith([]string{"admin"}, body); err != nil {
		return nil, err
	}
	return answer(c.Accounts.CreateFirstAdmin(ctx, req, n, reset))
}

// contentWith gives the content of the body with profiles that the client does not choose.
func contentWith(profileIDs []string, body protocol.Args) (jsontext.Value, error) {
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
	ids, err := json.Marshal(profileIDs)
	if err != nil {
		return nil, err
	}
	content.Set("profileIds", ids)
	return content.JSON(), nil
}

// newUser reads what the actions that create users share.
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

// mDeleteUsers is deleteUser for many, and answers the ids of those who are gone.
func (c controller) mDeleteUsers(ctx context.Context, req *protocol.Request) (any, error) {
	return c.deleteMany(req, func(ids []string) ([]error, error) {
		w := write(req)
		errs := make([]error, len(ids))
		for i, id := range ids {
			errs[i] = c.Accounts.DeleteUser(ctx, req, id, rights.Write{By: w.By})
		}
		return errs, c.Users.Settle(ctx, rights.Users, w)
	})
}

// revokeTokens ends every session of a user and answers null.
func (c controller) revokeTokens(ctx context.Context, req *protocol.Request) (any, error) {
	id, err := requiredID(req)
	if err != nil {
		return nil, err
	}
	return nil, c.Accounts.RevokeAll(ctx, id)
}

// answer keeps a failure from being answered together with an empty result.
func answer(stored rights.Stored, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return stored, nil
}
