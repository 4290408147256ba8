package security

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	rights "github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
)

// getRole answers {_id, _source}.
func (c controller) getRole(ctx context.Context, req *protocol.Request) (any, error) {
	id, err := requiredID(req)
	if err != nil {
		return nil, err
	}
	return answer(c.Users.ReadRole(ctx, id))
}

// getProfile answers {_id, _source}.
func (c controller) getProfile(ctx context.Context, req *protocol.Request) (any, error) {
	id, err := requiredID(req)
	if err != nil {
		return nil, err
	}
	return answer(c.Users.ReadProfile(ctx, id))
}

// createOrReplaceRole stores a role whether or not there was one.
func (c controller) createOrReplaceRole(ctx context.Context, req *protocol.Request) (any, error) {
	id, body, err := c.roleOf(req)
	if err != nil {
		return nil, err
	}
	return answer(c.Users.PutRole(ctx, id, body, write(req)))
}

// updateRole stores a role over an existing one. Nothing is merged: what the body does not hold is gone.
func (c controller) updateRole(ctx context.Context, req *protocol.Request) (any, error) {
	id, body, err := c.roleOf(req)
	if err != nil {
		return nil, err
	}
	return answer(c.Users.ReplaceRole(ctx, id, body, write(req)))
}

// roleOf reads and checks a role. force lets it name actions that do not exist (yet).
func (c controller) roleOf(req *protocol.Request) (string, jsontext.Value, error) {
	id, err := requiredID(req)
	if err != nil {
		return "", nil, err
	}
	body, err := req.BodyObject()
	if err != nil {
		return "", nil, err
	}
	force, err := req.Args.Bool("force")
	if err != nil {
		return "", nil, err
	}
	var known rights.Known
	if !force {
		known = rights.Known{}
		for _, a := range c.Snapshot().Actions() {
			known[a.Controller] = append(known[a.Controller], a.Name)
		}
	}
	return id, body, rights.CheckRole(id, body, known)
}
