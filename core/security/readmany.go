package security

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// ReadUsers is ReadUser for many, in the order of ids. Those that are not there are left out.
func (s *Service) ReadUsers(ctx context.Context, ids []string) ([]Stored, error) {
	found, err := s.readMany(ctx, Users, ids)
	if err != nil {
		return nil, err
	}
	users := make([]Stored, 0, len(ids))
	for i, u := range found {
		switch {
		case isAnonymous(ids[i]):
			users = append(users, Stored{protocol.AnonymousID, jsontext.Value(anonymousSource)})
		case u != nil:
			users = append(users, *u)
		}
	}
	return users, nil
}

// ReadProfiles is ReadProfile for many, in the order of ids; security.profile.not_found when one is missing.
func (s *Service) ReadProfiles(ctx context.Context, ids []string) ([]Stored, error) {
	return s.readAll(ctx, Profiles, ids, s.builtIn().profiles, kerror.SecurityProfileNotFound)
}

// ReadRoles is ReadRole for many, in the order of ids; security.role.not_found when one is missing.
func (s *Service) ReadRoles(ctx context.Context, ids []string) ([]Stored, error) {
	return s.readAll(ctx, Roles, ids, s.builtIn().roles, kerror.SecurityRoleNotFound)
}

// readAll fails with missing for the first id that is neither stored nor built in.
func (s *Service) readAll(ctx context.Context, k Kind, ids []string, builtIn map[string]string, missing *kerror.Def) ([]Stored, error) {
	found, err := s.readMany(ctx, k, ids)
	if err != nil {
		return nil, err
	}
	all := make([]Stored, len(ids))
	for i, id := range ids {
		switch {
		case found[i] != nil:
			all[i] = *found[i]
		case builtIn[id] != "":
			all[i] = Stored{id, jsontext.Value(builtIn[id])}
		default:
			return nil, missing.New(id)
		}
	}
	return all, nil
}

// readMany gives what is stored under each id, nil for nothing.
func (s *Service) readMany(ctx context.Context, k Kind, ids []string) ([]*Stored, error) {
	docs, err := s.engine.MGet(ctx, k.collection(), ids)
	if err != nil {
		return nil, StorageFailed("read "+k.collection().Name, err)
	}
	found := make([]*Stored, len(ids))
	for i, doc := range docs {
		if doc != nil {
			found[i] = &Stored{doc.ID, doc.Source}
		}
	}
	return found, nil
}
