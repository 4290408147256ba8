package security

import (
	"context"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// AdminExists reports whether any user has the profile admin.
func (s *Service) AdminExists(ctx context.Context) (bool, error) {
	admins, err := s.admins(ctx)
	return admins > 0, err
}

// admins counts users with the profile admin as 0, 1 or 2 for more.
func (s *Service) admins(ctx context.Context) (int, error) {
	const enough = 2
	found, err := s.engine.Find(ctx, usersCollection, "profileIds", adminID, enough)
	if err != nil {
		return 0, StorageFailed("look for administrators", err)
	}
	return len(found), nil
}

// FirstAdmin runs create, which makes a user with the profile admin, unless there is one: api.process.admin_exists. One
// call runs at a time. In a cluster two nodes may run one each; create therefore calls check once the user is stored, and
// takes the user back when check fails. Because a look-up sees every stored user, at most one of them finds itself alone;
// both may be refused, and neither has then changed anything.
//
// When there is an administrator whose reset was cut off, FirstAdmin finishes it before it refuses.
func (s *Service) FirstAdmin(ctx context.Context, create func(check func() error) error) error {
	select {
	case s.adminSlot <- struct{}{}:
		defer func() { <-s.adminSlot }()
	case <-ctx.Done():
		return ctx.Err()
	}
	exists, err := s.AdminExists(ctx)
	if err != nil {
		return err
	}
	if exists {
		if err := s.FinishReset(ctx, Write{}); err != nil {
			return err
		}
		return kerror.APIProcessAdminExists.New()
	}
	return create(func() error {
		n, err := s.admins(ctx)
		if err == nil && n > 1 {
			return kerror.APIProcessAdminExists.New()
		}
		return err
	})
}
