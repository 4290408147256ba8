package security

import (
	"context"
	"errors"
)

// RoleIDs gives the roles of profiles, restricted ones too, some perhaps twice. Profiles and roles that cannot be understood are
// left out: nobody has them.
func (s *Service) RoleIDs(ctx context.Context, profileIDs []string) ([]string, error) {
	var ids []string
	for _, id := range profileIDs {
		p, err := s.profile(ctx, id)
		if errors.Is(err, errUnusable) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, policy := range p.policies {
			ids = append(ids, policy.role.id)
		}
	}
	return ids, nil
}
