package security

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	rights "github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// The mappings of users, profiles and roles. Fields can be added, so that searches find them; dynamic and all else in the
// body stays what it is. What was stored before is found by a new field once it is written again: nothing is indexed anew.

func (c controller) getUserMapping(ctx context.Context, _ *protocol.Request) (any, error) {
	return c.mapping(ctx, rights.Users)
}

func (c controller) getProfileMapping(ctx context.Context, _ *protocol.Request) (any, error) {
	return c.mapping(ctx, rights.Profiles)
}

func (c controller) getRoleMapping(ctx context.Context, _ *protocol.Request) (any, error) {
	return c.mapping(ctx, rights.Roles)
}

func (c controller) updateUserMapping(ctx context.Context, req *protocol.Request) (any, error) {
	return c.addMapping(ctx, req, rights.Users)
}

func (c controller) updateProfileMapping(ctx context.Context, req *protocol.Request) (any, error) {
	return c.addMapping(ctx, req, rights.Profiles)
}

func (c controller) updateRoleMapping(ctx context.Context, req *protocol.Request) (any, error) {
	return c.addMapping(ctx, req, rights.Roles)
}

// mapping answers {mapping}: the fields alone.
func (c controller) mapping(ctx context.Context, kind rights.Kind) (any, error) {
	whole, err := c.Users.Mapping(ctx, kind)
	if err != nil {
		return nil, err
	}
	members, err := protocol.ParseArgs(whole, "")
	if err != nil {
		return nil, err
	}
	return map[string]jsontext.Value{"mapping": members.Raw("properties")}, nil
}

// addMapping answers the whole mapping as it is then, {dynamic, properties}.
func (c controller) addMapping(ctx context.Context, req *protocol.Request, kind rights.Kind) (any, error) {
	body, err := req.BodyFields()
	if err != nil {
		return nil, err
	}
	properties, err := body.Object("properties")
	if err != nil {
		return nil, err
	}
	if err := c.Users.AddMapping(ctx, kind, properties); err != nil {
		return nil, err
	}
	whole, err := c.Users.Mapping(ctx, kind)
	if err != nil {
		return nil, err
	}
	return whole, nil
}

// refresh answers null once searches see all that was written before. What was changed around the node counts from now on.
func (c controller) refresh(ctx context.Context, req *protocol.Request) (any, error) {
	if req.Collection == "" {
		return nil, kerror.APIAssertMissingArgument.New("collection")
	}
	kind, ok := rights.KindOf(req.Collection)
	if !ok {
		return nil, kerror.APIAssertUnexpectedArgument.New(req.Collection, "users, profiles, roles")
	}
	return nil, c.Users.Refresh(ctx, kind)
}
