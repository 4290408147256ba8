package security

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// User is a user with the rights that belong to it, in a form made for deciding. It never changes: a change of the user or
// of its rights makes another one.
type User struct {
	protocol.User
	// profiles are those that could be read.
	profiles []*profile
}

// anonymousSource is what the API shows of the anonymous user.
const anonymousSource = `{"profileIds":["anonymous"],"name":"Anonymous"}`

// User gives the user with its rights, from memory when it is there; security.user.not_found when there is none. A profile
// or role that cannot be understood is left out, so that it allows nothing; a storage failure is an internal error.
func (s *Service) User(ctx context.Context, kuid string) (*User, error) {
	if isAnonymous(kuid) {
		return s.Anonymous(ctx)
	}
	if u, ok := s.users.Get(kuid); ok {
		return u, nil
	}
	generation := s.current()
	stored, err := s.ReadUser(ctx, kuid)
	if err != nil {
		return nil, err
	}
	u, err := s.compile(ctx, stored)
	if err != nil {
		return nil, err
	}
	if len(stored.Source) <= maxCachedUserBytes {
		s.keep(generation, func() { s.users.Add(kuid, u) })
	}
	return u, nil
}

// Anonymous gives the user of requests without a token. It is not stored; its profile may be.
func (s *Service) Anonymous(ctx context.Context) (*User, error) {
	if u := s.anonymous.Load(); u != nil {
		return u, nil
	}
	generation := s.current()
	u, err := s.compile(ctx, Stored{ID: protocol.AnonymousID, Source: jsontext.Value(anonymousSource)})
	if err != nil {
		return nil, err
	}
	s.keep(generation, func() {
		s.wideOpen.Store(u.everything())
		s.anonymous.Store(u)
	})
	return u, nil
}

// Stored is a user, a profile or a role as it is stored.
type Stored struct {
	ID     string         `json:"_id"`
	Source jsontext.Value `json:"_source"`
}

// ReadUser gives the user as it is stored, read from storage each time; security.user.not_found when there is none. The
// ids "-1" and "anonymous" are the anonymous user.
func (s *Service) ReadUser(ctx context.Context, kuid string) (Stored, error) {
	if isAnonymous(kuid) {
		return Stored{protocol.AnonymousID, jsontext.Value(anonymousSource)}, nil
	}
	if kuid == "" {
		return Stored{}, kerror.SecurityUserNotFound.New(kuid)
	}
	doc, err := s.engine.Get(ctx, usersCollection, kuid)
	if errors.Is(err, kerror.ServicesStorageNotFound) {
		return Stored{}, kerror.SecurityUserNotFound.New(kuid)
	}
	if err != nil {
		return Stored{}, StorageFailed("read user "+kuid, err)
	}
	return Stored{doc.ID, doc.Source}, nil
}

func isAnonymous(kuid string) bool { return kuid == protocol.AnonymousID || kuid == "anonymous" }

// compile works out the rights of a stored user.
func (s *Service) compile(ctx context.Context, stored Stored) (*User, error) {
	var content struct {
		ProfileIDs []string `json:"profileIds"`
	}
	if err := json.Unmarshal(stored.Source, &content); err != nil {
		return nil, kerror.SecurityUserCannotHydrate.Wrap(err, stored.ID)
	}
	if len(content.ProfileIDs) == 0 {
		return nil, kerror.SecurityUserNoProfile.New(stored.ID)
	}
	u := &User{User: protocol.User{ID: stored.ID, ProfileIDs: content.ProfileIDs, Source: stored.Source}}
	for _, id := range content.ProfileIDs {
		p, err := s.profile(ctx, id)
		switch {
		case errors.Is(err, errUnusable):
			s.log.WarnContext(ctx, "profile left out of a user", "user", stored.ID, "profile", id, "error", err)
		case err != nil:
			return nil, err
		default:
			u.profiles = append(u.profiles, p)
		}
	}
	return u, nil
}

// errUnusable marks a profile or role that is not there or cannot be understood. It allows nothing.
var errUnusable = errors.New("unusable")

// StorageFailed makes an internal error of whatever an engine answered: an engine's "no such index" is no fault of the
// client that asked for a user. The end of ctx stays what it is. What keeps tokens and credentials uses it too.
func StorageFailed(doing string, err error) error {
	err = fmt.Errorf("%s: %w", doing, err)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return kerror.CoreFatalServiceUnavailable.Wrap(err, "storage")
}

// writeFailed is StorageFailed, but for an id that no engine takes and content that does not suit the mapping, which are the
// client's.
func writeFailed(doing string, err error) error {
	for _, theirs := range []*kerror.Def{
		kerror.ServicesStorageInvalidArgument, kerror.ServicesStorageUnexpectedBadRequest, kerror.ServicesStorageStrictMappingRejection,
	} {
		if errors.Is(err, theirs) {
			return err
		}
	}
	return StorageFailed(doing, err)
}
