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

// mGetRoles answers {hits}; one unknown id fails the whole call.
func (c controller) mGetRoles(ctx context.Context, req *protocol.Request) (any, error) {
	return c.readMany(ctx, req, c.Users.ReadRoles)
}

// createRole stores a role that there is none of.
func (c controller) createRole(ctx context.Context, req *protocol.Request) (any, error) {
	id, body, err := c.roleOf(req)
	if err != nil {
		return nil, err
	}
	return answer(c.Users.CreateRole(ctx, id, body, write(req)))
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

// deleteRole removes a role that no profile names.
func (c controller) deleteRole(ctx context.Context, req *protocol.Request) (any, error) {
	id, err := requiredID(req)
	if err != nil {
		return nil, err
	}
	errs, err := c.Users.DeleteRoles(ctx, []string{id}, write(req))
	if err == nil {
		err = errs[0]
	}
	if err != nil {
		return nil, err
	}
	return identified{id}, nil
}

// mDeleteRoles removes roles that no profile names, and answers the ids of those.
func (c controller) mDeleteRoles(ctx context.Context, req *protocol.Request) (any, error) {
	return c.deleteMany(req, func(ids []string) ([]error, error) {
		return c.Users.DeleteRoles(ctx, ids, write(req))
	})
}

// restrictDefaultRights stores the standard roles and profiles over those there are, and answers nothing.
func (c controller) restrictDefaultRights(ctx context.Context, req *protocol.Request) (any, error) {
	if err := c.Users.WriteStandard(ctx, write(req)); err != nil {
		return nil, err
	}
	return protocol.Absent, c.Users.ForgetReset(ctx)
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
