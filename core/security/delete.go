package security

import (
	"context"
	"errors"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// DeleteRoles removes roles and gives the error of each, in the order of ids: security.role.cannot_delete for a standard
// one, security.role.not_found, and security.role.in_use for one that a profile names. Its own error means that nothing is
// known of any.
func (s *Service) DeleteRoles(ctx context.Context, ids []string, w Write) ([]error, error) {
	done, err := s.refs.alone(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	used, err := s.usedRoles(ctx)
	if err != nil {
		return nil, err
	}
	defer s.rightsChanged(ctx)
	errs := make([]error, len(ids))
	for i, id := range ids {
		errs[i] = s.deleteRole(ctx, id, used)
	}
	return errs, s.Settle(ctx, Roles, w)
}

func (s *Service) deleteRole(ctx context.Context, id string, used map[string]bool) error {
	if slices.Contains(standardIDs, id) {
		return kerror.SecurityRoleCannotDelete.New()
	}
	if used[id] {
		if _, err := s.ReadRole(ctx, id); err != nil {
			return err
		}
		return kerror.SecurityRoleInUse.New(id)
	}
	return s.remove(ctx, Roles, id, kerror.SecurityRoleNotFound)
}

// usedRoles gives the roles that stored profiles name; built-in profiles name standard roles only. A profile that cannot be
// read may name any: nothing can be deleted then.
func (s *Service) usedRoles(ctx context.Context) (map[string]bool, error) {
	used := map[string]bool{}
	var unreadable error
	err := s.engine.Scan(ctx, profilesCollection, "", func(doc storage.Document) bool {
		var body struct {
			Policies []struct {
				RoleID jsontext.Value `json:"roleId"`
			} `json:"policies"`
		}
		if unreadable = json.Unmarshal(doc.Source, &body); unreadable != nil {
			unreadable = kerror.SecurityProfileCannotHydrate.Wrap(unreadable, doc.ID)
			return false
		}
		for _, p := range body.Policies {
			var id string
			if json.Unmarshal(p.RoleID, &id) == nil { // anything else names none
				used[id] = true
			}
		}
		return true
	})
	if err != nil {
		return nil, StorageFailed("look for used roles", err)
	}
	return used, unreadable
}

// DeleteProfile removes a profile: security.profile.cannot_delete for a standard one, security.profile.not_found, and
// security.profile.in_use for one that a user has. With fromUsers it is taken from its users instead; those who have no
// other get the profile anonymous. When that fails half-way some users have it no more, and the call can be repeated.
func (s *Service) DeleteProfile(ctx context.Context, id string, fromUsers bool, w Write) error {
	errs, err := s.deleteProfiles(ctx, []string{id}, fromUsers, w)
	if err != nil {
		return err
	}
	return errs[0]
}

// DeleteProfiles is DeleteProfile for many that no user has, and gives the error of each, in the order of ids. Its own error
// means that nothing is known of any.
func (s *Service) DeleteProfiles(ctx context.Context, ids []string, w Write) ([]error, error) {
	return s.deleteProfiles(ctx, ids, false, w)
}

func (s *Service) deleteProfiles(ctx context.Context, ids []string, fromUsers bool, w Write) ([]error, error) {
	done, err := s.refs.alone(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	defer s.rightsChanged(ctx)
	errs := make([]error, len(ids))
	for i, id := range ids {
		errs[i] = s.deleteProfile(ctx, id, fromUsers, w)
	}
	return errs, s.Settle(ctx, Profiles, w)
}

func (s *Service) deleteProfile(ctx context.Context, id string, fromUsers bool, w Write) error {
	if slices.Contains(standardIDs, id) {
		return kerror.SecurityProfileCannotDelete.New()
	}
	if _, err := s.ReadProfile(ctx, id); err != nil {
		return err
	}
	if err := s.release(ctx, id, fromUsers, w); err != nil {
		return err
	}
	return s.remove(ctx, Profiles, id, kerror.SecurityProfileNotFound)
}

// release returns when no user has the profile.
func (s *Service) release(ctx context.Context, id string, fromUsers bool, w Write) error {
	const batch = 100
	for stripped := false; ; stripped = true {
		users, err := s.engine.Find(ctx, usersCollection, "profileIds", id, batch)
		if err != nil {
			return StorageFailed("look for users of profile "+id, err)
		}
		switch {
		case len(users) == 0 && stripped:
			return s.Settle(ctx, Users, w)
		case len(users) == 0:
			return nil
		}
		if !fromUsers {
			return kerror.SecurityProfileInUse.New(id)
		}
		for _, u := range users {
			if err := s.strip(ctx, u.ID, id, w.By); err != nil {
				return err
			}
		}
	}
}

// strip takes a profile from a user. One who is gone has it no more either.
func (s *Service) strip(ctx context.Context, kuid, profile, by string) error {
	_, err := s.storeChanged(ctx, kuid, Change{Write{By: by}, stripRetries}, func(earlier jsontext.Value) (jsontext.Value, error) {
		var content struct {
			ProfileIDs []string `json:"profileIds"`
		}
		if err := json.Unmarshal(earlier, &content); err != nil {
			return nil, kerror.SecurityUserCannotHydrate.Wrap(err, kuid)
		}
		ids := slices.DeleteFunc(content.ProfileIDs, func(id string) bool { return id == profile })
		if len(ids) == 0 {
			ids = []string{anonymousID}
		}
		raw, err := json.Marshal(map[string][]string{"profileIds": ids})
		if err != nil {
			return nil, err
		}
		return merged(earlier, raw)
	})
	if errors.Is(err, kerror.SecurityUserNotFound) {
		return nil
	}
	return err
}

// stripRetries is how often a user is tried that others change at the same time.
const stripRetries = 10

// remove deletes a role or a profile that nothing refers to.
func (s *Service) remove(ctx context.Context, k Kind, id string, missing *kerror.Def) error {
	err := s.engine.Delete(ctx, k.collection(), id, storage.WriteOptions{})
	switch {
	case errors.Is(err, kerror.ServicesStorageNotFound):
		return missing.New(id)
	case err != nil:
		return StorageFailed("delete "+k.collection().Name+" "+id, err)
	}
	return nil
}
