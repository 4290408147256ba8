package security

import (
	"context"
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/auth"
	rights "github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// updateUser writes the members of the body over those of a user and answers the whole user.
func (c controller) updateUser(ctx context.Context, req *protocol.Request) (any, error) {
	return changeUser(ctx, req, c.Users.UpdateUser)
}

// replaceUser stores the body in place of a user.
func (c controller) replaceUser(ctx context.Context, req *protocol.Request) (any, error) {
	return changeUser(ctx, req, c.Users.ReplaceUser)
}

func changeUser(ctx context.Context, req *protocol.Request, store func(context.Context, string, jsontext.Value, rights.Change) (rights.Stored, error)) (any, error) {
	id, err := requiredID(req)
	if err != nil {
		return nil, err
	}
	body, err := req.BodyObject()
	if err != nil {
		return nil, err
	}
	how, err := change(req)
	if err != nil {
		return nil, err
	}
	return answer(store(ctx, id, body, how))
}

// upsertUser updates a user with content, or creates one from default with content over it. Credentials are for a new user
// only: those of one who exists stay.
func (c controller) upsertUser(ctx context.Context, req *protocol.Request) (any, error) {
	id, err := requiredID(req)
	if err != nil {
		return nil, err
	}
	how, err := change(req)
	if err != nil {
		return nil, err
	}
	body, err := req.BodyFields()
	if err != nil {
		return nil, err
	}
	content, err := body.Fields("content")
	if err != nil {
		return nil, err
	}
	if _, err := content.Strings("profileIds"); err != nil {
		return nil, err
	}
	n, err := upserted(req, body, content)
	if err != nil {
		return nil, err
	}
	stored, err := c.Users.UpdateUser(ctx, id, content.JSON(), how)
	if !errors.Is(err, kerror.SecurityUserNotFound) {
		return answer(stored, err)
	}
	stored, err = c.Accounts.CreateUser(ctx, req, n)
	if errors.Is(err, kerror.SecurityUserAlreadyExists) { // somebody else was faster
		return answer(c.Users.UpdateUser(ctx, id, content.JSON(), how))
	}
	return answer(stored, err)
}

// upserted is the user that upsertUser creates.
func upserted(req *protocol.Request, body, content protocol.Args) (auth.NewUser, error) {
	n, err := newUser(req, body)
	if err != nil {
		return n, err
	}
	object, err := body.OptObject("default")
	if err != nil {
		return n, err
	}
	var whole protocol.Args
	if object != nil {
		if whole, err = protocol.ParseArgs(object, "body.default."); err != nil {
			return n, err
		}
	}
	for _, m := range content.All() {
		whole.Set(m.Name, m.Value)
	}
	n.Content = whole.JSON()
	return n, nil
}
