package security

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// getProfile answers {_id, _source}.
func (c controller) getProfile(ctx context.Context, req *protocol.Request) (any, error) {
	id, err := requiredID(req)
	if err != nil {
		return nil, err
	}
	return answer(c.Users.ReadProfile(ctx, id))
}

// mGetProfiles answers {hits}; one unknown id fails the whole call.
func (c controller) mGetProfiles(ctx context.Context, req *protocol.Request) (any, error) {
	return c.readMany(ctx, req, c.Users.ReadProfiles)
}

// createProfile stores a profile that there is none of.
func (c controller) createProfile(ctx context.Context, req *protocol.Request) (any, error) {
	p, err := profileOf(req)
	if err != nil {
		return nil, err
	}
	return answer(c.Users.CreateProfile(ctx, p.id, p.body, p.strict, write(req)))
}

// createOrReplaceProfile stores a profile whether or not there was one.
func (c controller) createOrReplaceProfile(ctx context.Context, req *protocol.Request) (any, error) {
	p, err := profileOf(req)
	if err != nil {
		return nil, err
	}
	return answer(c.Users.PutProfile(ctx, p.id, p.body, p.strict, write(req)))
}

// updateProfile writes the members of the body over those of a profile and answers the whole of it.
func (c controller) updateProfile(ctx context.Context, req *protocol.Request) (any, error) {
	p, err := profileOf(req)
	if err != nil {
		return nil, err
	}
	how, err := change(req)
	if err != nil {
		return nil, err
	}
	return answer(c.Users.UpdateProfile(ctx, p.id, p.body, p.strict, how))
}

// profileArgs are what the writes of profiles have in common.
type profileArgs struct {
	id   string
	body jsontext.Value
	// strict wants the indexes and collections to exist to which policies are restricted.
	strict bool
}

func profileOf(req *protocol.Request) (p profileArgs, err error) {
	if p.id, err = requiredID(req); err != nil {
		return p, err
	}
	if p.body, err = req.BodyObject(); err != nil {
		return p, err
	}
	p.strict, err = req.Args.Bool("strict")
	return p, err
}

// deleteProfile removes a profile that nobody has, or with onAssignedUsers=remove takes it from its users first.
func (c controller) deleteProfile(ctx context.Context, req *protocol.Request) (any, error) {
	id, err := requiredID(req)
	if err != nil {
		return nil, err
	}
	fromUsers, err := onAssignedUsers(req)
	if err != nil {
		return nil, err
	}
	if err := c.Users.DeleteProfile(ctx, id, fromUsers, write(req)); err != nil {
		return nil, err
	}
	return identified{id}, nil
}

// mDeleteProfiles removes profiles that nobody has, and answers the ids of those.
func (c controller) mDeleteProfiles(ctx context.Context, req *protocol.Request) (any, error) {
	return c.deleteMany(req, func(ids []string) ([]error, error) {
		return c.Users.DeleteProfiles(ctx, ids, write(req))
	})
}

// onAssignedUsers reads the argument of that name: fail, or remove.
func onAssignedUsers(req *protocol.Request) (remove bool, err error) {
	const fail, take = "fail", "remove"
	text, err := req.Args.OptString("onAssignedUsers", fail)
	if err == nil && text != fail && text != take {
		err = kerror.APIAssertInvalidArgument.New("onAssignedUsers", fail+", "+take)
	}
	return text == take, err
}

// getProfileRights answers what the profile allows, as {hits, total}.
func (c controller) getProfileRights(ctx context.Context, req *protocol.Request) (any, error) {
	id, err := requiredID(req)
	if err != nil {
		return nil, err
	}
	hits, err := c.Users.ProfileRights(ctx, id, c.Snapshot().Grants())
	if err != nil {
		return nil, err
	}
	return rightsOf(hits), nil
}
