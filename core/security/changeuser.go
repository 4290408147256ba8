package security

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// UpdateUser writes the members of partial over those of a user, and gives the whole user. profileIds, when it is among
// them, must name profiles that exist. security.user.not_found when there is no such user; anonymous cannot be changed.
func (s *Service) UpdateUser(ctx context.Context, kuid string, partial jsontext.Value, c Change) (Stored, error) {
	members, err := protocol.ParseArgs(partial, "body.")
	if err != nil {
		return Stored{}, err
	}
	return s.changeUser(ctx, kuid, c, func(earlier jsontext.Value) (jsontext.Value, error) {
		if members.Has("profileIds") {
			if err := s.checkProfileIDs(ctx, partial, "body."); err != nil {
				return nil, err
			}
		}
		return merged(earlier, partial)
	})
}

// ReplaceUser stores content in place of that of a user, profileIds included. Errors as UpdateUser.
func (s *Service) ReplaceUser(ctx context.Context, kuid string, content jsontext.Value, c Change) (Stored, error) {
	return s.changeUser(ctx, kuid, c, func(jsontext.Value) (jsontext.Value, error) {
		return content, s.checkProfileIDs(ctx, content, "body.")
	})
}

// changeUser stores what next makes of a user while none of its profiles can be deleted.
func (s *Service) changeUser(ctx context.Context, kuid string, c Change, next func(jsontext.Value) (jsontext.Value, error)) (Stored, error) {
	if isAnonymous(kuid) {
		return Stored{}, kerror.SecurityUserNotFound.New(kuid)
	}
	done, err := s.refs.hold(ctx)
	if err != nil {
		return Stored{}, err
	}
	defer done()
	return s.storeChanged(ctx, kuid, c, next)
}

// storeChanged is changeUser for callers that keep the profiles from being deleted themselves.
func (s *Service) storeChanged(ctx context.Context, kuid string, c Change, next func(jsontext.Value) (jsontext.Value, error)) (Stored, error) {
	defer s.Forget(kuid) // whatever happened: a write that failed late may be there
	absent := func() (jsontext.Value, error) { return nil, kerror.SecurityUserNotFound.New(kuid) }
	return s.change(ctx, Users, kuid, c, absent, next)
}
