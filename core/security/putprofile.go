package security

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// The writes of profiles check the whole body: its shape, that its roles exist (security.role.not_found), and with strict
// that the indexes and collections do to which it restricts policies (services.storage.unknown_index, unknown_collection).

// CreateProfile stores a profile that there is none of, not even a built-in one: services.storage.document_already_exists.
func (s *Service) CreateProfile(ctx context.Context, id string, body jsontext.Value, strict bool, w Write) (Stored, error) {
	return s.writeProfile(ctx, id, body, strict, func() (Stored, error) {
		if s.builtIn().profiles[id] != "" {
			return Stored{}, kerror.ServicesStorageDocumentAlreadyExists.New()
		}
		return s.create(ctx, Profiles, id, body, w)
	})
}

// PutProfile stores a profile whether or not there was one.
func (s *Service) PutProfile(ctx context.Context, id string, body jsontext.Value, strict bool, w Write) (Stored, error) {
	return s.writeProfile(ctx, id, body, strict, func() (Stored, error) {
		return s.put(ctx, profilesCollection, id, body, w)
	})
}

// UpdateProfile writes the members of partial over those of a profile, built-in ones included; security.profile.not_found
// when there is none. What results is checked as a whole.
func (s *Service) UpdateProfile(ctx context.Context, id string, partial jsontext.Value, strict bool, c Change) (Stored, error) {
	done, err := s.refs.hold(ctx)
	if err != nil {
		return Stored{}, err
	}
	defer done()
	defer s.rightsChanged(ctx) // whatever happened: a write that failed late may be there
	absent := func() (jsontext.Value, error) {
		if source := s.builtIn().profiles[id]; source != "" {
			return jsontext.Value(source), nil
		}
		return nil, kerror.SecurityProfileNotFound.New(id)
	}
	stored, err := s.change(ctx, Profiles, id, c, absent, func(earlier jsontext.Value) (jsontext.Value, error) {
		whole, err := merged(earlier, partial)
		if err != nil {
			return nil, err
		}
		return whole, s.profileIsRight(ctx, id, whole, strict)
	})
	if err != nil {
		return Stored{}, err
	}
	return stored, s.forgetResetOf(ctx, id)
}

// writeProfile stores a profile while none of its roles can be deleted.
func (s *Service) writeProfile(ctx context.Context, id string, body jsontext.Value, strict bool, store func() (Stored, error)) (Stored, error) {
	done, err := s.refs.hold(ctx)
	if err != nil {
		return Stored{}, err
	}
	defer done()
	if err := s.profileIsRight(ctx, id, body, strict); err != nil {
		return Stored{}, err
	}
	stored, err := store()
	if err != nil {
		return Stored{}, err
	}
	return stored, s.forgetResetOf(ctx, id)
}

func (s *Service) profileIsRight(ctx context.Context, id string, body jsontext.Value, strict bool) error {
	checked, err := checkProfile(id, body)
	if err != nil {
		return err
	}
	return s.exist(ctx, checked, strict)
}
