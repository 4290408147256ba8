package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// undoTimeout bounds taking back a user that could not be completed. The client may be gone by then.
const undoTimeout = 10 * time.Second

// NewUser is a user to be made with its credentials.
type NewUser struct {
	// ID is "" for one made by NewID.
	ID    string
	NewID func() (string, error)
	// Content holds profileIds and whatever else.
	Content jsontext.Value
	// Credentials are those for each strategy, in the order they are created.
	Credentials []protocol.Arg
	security.Write
}

// CreateUser stores the user, then its credentials strategy by strategy. When one of them fails everything is taken back.
// Errors: those of security.CreateUser; security.credentials.unknown_strategy; security.credentials.database_inconsistency
// when credentials of such a user are left from earlier; the strategy's own, or security.credentials.rejected.
func (s *Service) CreateUser(ctx context.Context, req *protocol.Request, n NewUser) (security.Stored, error) {
	return s.createUser(ctx, req, n, func() error { return nil })
}

// CreateFirstAdmin is CreateUser for the first user with the profile admin: api.process.admin_exists when there is one.
// reset then stores the standard roles and profiles. When that fails the administrator is there all the same, and can
// store them.
func (s *Service) CreateFirstAdmin(ctx context.Context, req *protocol.Request, n NewUser, reset bool) (stored security.Stored, err error) {
	err = s.users.FirstAdmin(ctx, func(check func() error) error {
		if stored, err = s.createUser(ctx, req, n, check); err != nil || !reset {
			return err
		}
		return s.users.WriteStandard(context.WithoutCancel(ctx), n.Write)
	})
	if err != nil {
		return security.Stored{}, err
	}
	return stored, nil
}

// createUser stores a user, asks check, and creates the credentials.
func (s *Service) createUser(ctx context.Context, req *protocol.Request, n NewUser, check func() error) (security.Stored, error) {
	var strategies []Named
	for _, c := range n.Credentials {
		strategy, err := s.strategies.Get(c.Name)
		if err != nil {
			return security.Stored{}, err
		}
		if c.Value.Kind() != '{' {
			return security.Stored{}, kerror.APIAssertInvalidType.New("body.credentials."+c.Name, "object")
		}
		strategies = append(strategies, strategy)
	}
	stored, err := s.users.CreateUser(ctx, n.ID, n.NewID, n.Content, n.Write)
	if err != nil {
		return security.Stored{}, err
	}
	var created []Named
	err = check()
	for i, strategy := range strategies {
		if err != nil {
			break
		}
		if err = createCredentials(ctx, req, stored.ID, strategy, n.Credentials[i].Value); err == nil {
			created = append(created, strategy)
		}
	}
	s.credentialsChanged(stored.ID)
	if err == nil {
		return stored, nil
	}
	if undone := s.undo(ctx, req, stored.ID, created, n.Write); undone != nil {
		s.log.ErrorContext(ctx, "a user that could not be completed could not be taken back", "user", stored.ID, "error", undone)
	}
	return security.Stored{}, err
}

func createCredentials(ctx context.Context, req *protocol.Request, kuid string, strategy Named, credentials jsontext.Value) error {
	exists, err := strategy.Exists(ctx, req, kuid)
	if err != nil {
		return fmt.Errorf("look for credentials of strategy %q: %w", strategy.Name, err)
	}
	if exists {
		return kerror.SecurityCredentialsDatabaseInconsistency.New(kuid)
	}
	if _, err := strategy.Validate(ctx, req, kuid, credentials, false); err != nil {
		return rejected(err)
	}
	_, err = strategy.Create(ctx, req, kuid, credentials)
	return err
}

// rejected is what is answered when a strategy does not like credentials: its own error, or its text.
func rejected(err error) error {
	var text Rejection
	if errors.As(err, &text) {
		return kerror.SecurityCredentialsRejected.Wrap(err, string(text))
	}
	return err
}

// undo takes back a user and the credentials that were created.
func (s *Service) undo(ctx context.Context, req *protocol.Request, kuid string, created []Named, w security.Write) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	var problems []error
	for _, strategy := range slices.Backward(created) {
		problems = append(problems, strategy.Delete(ctx, req, kuid))
	}
	s.credentialsChanged(kuid)
	problems = append(problems, s.users.DeleteUser(ctx, kuid, w))
	return errors.Join(problems...)
}

// DeleteUser removes the user with all that hangs on it: credentials of every strategy, tokens, and the user last, so that
// a deletion that failed half-way can be tried again. security.user.not_found when there is none.
func (s *Service) DeleteUser(ctx context.Context, req *protocol.Request, kuid string, w security.Write) error {
	stored, err := s.users.ReadUser(ctx, kuid)
	if err != nil {
		return err
	}
	if stored.ID == protocol.AnonymousID {
		return kerror.SecurityUserNotFound.New(kuid)
	}
	for _, strategy := range s.strategies.All() {
		if err := s.deleteCredentials(ctx, req, kuid, strategy); err != nil {
			return fmt.Errorf("delete credentials of strategy %q: %w", strategy.Name, err)
		}
	}
	if err := s.RevokeAll(ctx, kuid); err != nil {
		return err
	}
	if err := s.users.DeleteUser(ctx, kuid, w); err != nil {
		return err
	}
	return s.RevokeAll(ctx, kuid) // those of logins that were under way; see Issue
}

func (s *Service) deleteCredentials(ctx context.Context, req *protocol.Request, kuid string, strategy Named) error {
	defer s.credentialsChanged(kuid)
	exists, err := strategy.Exists(ctx, req, kuid)
	if err != nil || !exists {
		return err
	}
	return strategy.Delete(ctx, req, kuid)
}
