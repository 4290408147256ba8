package auth

import (
	"cmp"
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

const (
	// undoTimeout bounds taking back a user that could not be completed. The client may be gone by then.
	undoTimeout = 10 * time.Second
	// finishTimeout bounds what goes on without the client.
	finishTimeout = 30 * time.Second
)

// finishing is the context of steps that belong together, once the first of them is due: they go on when the client leaves, who
// could otherwise stop them half-way whenever he likes.
func finishing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
}

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

// CreateUser checks everything, creates the credentials strategy by strategy and stores the user last: the stored user is
// what makes an account exist. When a step fails everything is taken back. When the node dies before the last one, only
// credentials are left, with which nobody can log in, and the same call can be repeated.
//
// Leftovers of that kind are deleted, under the id of the new user whatever their strategy (or they would be another way
// into the new account), and those that hold a name which the new credentials want. Errors: those of security.DraftUser;
// security.credentials.unknown_strategy; security.credentials.database_inconsistency when a strategy does not let go of
// credentials under that id; the strategy's own, or security.credentials.rejected.
func (s *Service) CreateUser(ctx context.Context, req *protocol.Request, n NewUser) (security.Stored, error) {
	return s.createUser(ctx, req, n, hooks{})
}

// CreateFirstAdmin is CreateUser for the first user with the profile admin: api.process.admin_exists when there is one. An
// administrator without credentials is refused with api.assert.missing_argument: nobody could log in as the one there is,
// nor make another, so it would close the door for ever.
//
// reset then stores the standard roles and profiles. When that fails the administrator is there all the same; he can store
// roles himself, else the next start of the node stores the standard, or the next call.
func (s *Service) CreateFirstAdmin(ctx context.Context, req *protocol.Request, n NewUser, reset bool) (stored security.Stored, err error) {
	err = s.users.FirstAdmin(ctx, func(check func() error) error {
		if len(n.Credentials) == 0 {
			return kerror.APIAssertMissingArgument.New("body.credentials")
		}
		plan := func(string) error { return s.users.ForgetReset(ctx) } // of an earlier call that was cut off
		if reset {
			plan = func(kuid string) error { return s.users.PlanReset(ctx, kuid) }
		}
		stored, err = s.createUser(ctx, req, n, hooks{plan, check})
		if !reset {
			return err
		}
		whole := context.WithoutCancel(ctx)
		if err == nil {
			if err := s.users.WriteStandard(whole, n.Write); err != nil {
				return err
			}
		}
		return errors.Join(err, s.users.ForgetReset(whole))
	})
	if err != nil {
		return security.Stored{}, err
	}
	return stored, nil
}

// hooks are called while a user is created, each may be nil: checked when nothing is written yet and nothing was found to
// be wrong, stored when all is written. Their errors end the creation.
type hooks struct {
	checked func(kuid string) error
	stored  func() error
}

func (s *Service) createUser(ctx context.Context, req *protocol.Request, n NewUser, h hooks) (security.Stored, error) {
	strategies, err := s.strategiesOf(n.Credentials)
	if err != nil {
		return security.Stored{}, err
	}
	draft, err := s.users.DraftUser(ctx, n.ID, n.NewID, n.Content, n.Write)
	if err != nil {
		return security.Stored{}, err
	}
	if err := s.changing.enter(ctx, draft.ID); err != nil {
		return security.Stored{}, err
	}
	defer s.changing.leave(draft.ID)
	// Once more: another call may have stored it while this one waited. Its credentials are no leftovers.
	if draft, err = s.users.DraftUser(ctx, draft.ID, nil, n.Content, n.Write); err != nil {
		return security.Stored{}, err
	}
	if ctx, err = withDraft(ctx, draft.ID, n.Content); err != nil {
		return security.Stored{}, err
	}
	if err := s.checkCredentials(ctx, req, draft.ID, n, strategies); err != nil {
		return security.Stored{}, err
	}
	if h.checked != nil {
		if err := h.checked(draft.ID); err != nil {
			return security.Stored{}, err
		}
	}
	return s.writeUser(ctx, req, draft, n, strategies, h.stored)
}

// strategiesOf gives the strategy of each of the credentials.
func (s *Service) strategiesOf(credentials []protocol.Arg) ([]Named, error) {
	var strategies []Named
	for _, c := range credentials {
		strategy, err := s.strategies.Get(c.Name)
		if err != nil {
			return nil, err
		}
		if c.Value.Kind() != '{' {
			return nil, kerror.APIAssertInvalidType.New("body.credentials."+c.Name, "object")
		}
		strategies = append(strategies, strategy)
	}
	return strategies, nil
}

// checkCredentials removes the leftovers that are in the way of a new user and asks every strategy what is wrong with its
// credentials.
func (s *Service) checkCredentials(ctx context.Context, req *protocol.Request, kuid string, n NewUser, strategies []Named) error {
	if err := s.removeLeftovers(ctx, req, kuid); err != nil {
		return err
	}
	for i, strategy := range strategies {
		credentials := n.Credentials[i].Value
		if err := s.freeName(ctx, req, strategy, credentials); err != nil {
			return err
		}
		if _, err := strategy.Validate(ctx, req, kuid, credentials, false); err != nil {
			return rejected(err)
		}
	}
	return nil
}

// writeUser creates the credentials and stores the user, and takes everything back when one of them or check fails. A client
// that leaves stops it only before it begins.
func (s *Service) writeUser(ctx context.Context, req *protocol.Request, draft security.Draft, n NewUser, strategies []Named, check func() error) (security.Stored, error) {
	if err := ctx.Err(); err != nil {
		return security.Stored{}, err
	}
	ctx, cancel := finishing(ctx)
	defer cancel()
	created, err := s.createCredentials(ctx, req, draft.ID, n.Credentials, strategies)
	if err != nil {
		s.takeBack(ctx, req, draft.ID, created, nil)
		return security.Stored{}, err
	}
	stored, err := s.users.StoreUser(ctx, draft, n.Write)
	if errors.Is(err, kerror.SecurityUserAlreadyExists) { // made by another node: not ours to delete
		s.takeBack(ctx, req, draft.ID, created, nil)
		return security.Stored{}, err
	}
	if err == nil && check != nil {
		err = check()
	}
	if err != nil {
		s.takeBack(ctx, req, draft.ID, created, func(ctx context.Context) error {
			err := s.users.DeleteUser(ctx, draft.ID, n.Write)
			if errors.Is(err, kerror.SecurityUserNotFound) {
				return nil
			}
			return err
		})
		return security.Stored{}, err
	}
	return stored, nil
}

// createCredentials creates credentials until one fails, and gives the strategies that did.
func (s *Service) createCredentials(ctx context.Context, req *protocol.Request, kuid string, credentials []protocol.Arg, strategies []Named) ([]Named, error) {
	defer s.credentialsChanged(kuid)
	for i, strategy := range strategies {
		if _, err := strategy.Create(ctx, req, kuid, credentials[i].Value); err != nil {
			return strategies[:i], err
		}
	}
	return strategies, nil
}

// rejected is what is answered when a strategy does not like credentials: its own error, or its text.
func rejected(err error) error {
	var text Rejection
	if errors.As(err, &text) {
		return kerror.SecurityCredentialsRejected.Wrap(err, string(text))
	}
	return err
}

// takeBack undoes a creation: the user first, and only then its credentials. A user without credentials would be an account
// that nobody gets into; credentials without a user are leftovers.
func (s *Service) takeBack(ctx context.Context, req *protocol.Request, kuid string, created []Named, deleteUser func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	var err error
	if deleteUser != nil {
		err = deleteUser(ctx)
	}
	for _, strategy := range slices.Backward(created) {
		if err == nil {
			err = strategy.Delete(ctx, req, kuid)
		}
	}
	s.credentialsChanged(kuid)
	if err != nil {
		s.log.ErrorContext(ctx, "a user that could not be completed could not be taken back", "user", kuid, "error", err)
	}
}

// DeleteUser removes the user with all that hangs on it: credentials of every strategy, tokens, API keys, and the user last, so that
// a deletion that failed half-way can be tried again. A client that leaves stops it only before it begins.
// security.user.not_found when there is none.
func (s *Service) DeleteUser(ctx context.Context, req *protocol.Request, kuid string, w security.Write) error {
	if err := s.changing.enter(ctx, kuid); err != nil {
		return err
	}
	defer s.changing.leave(kuid)
	if err := cmp.Or(s.hasUser(ctx, kuid), ctx.Err()); err != nil {
		return err
	}
	ctx, cancel := finishing(ctx)
	defer cancel()
	for _, strategy := range s.strategies.All() {
		if err := s.deleteCredentials(ctx, req, kuid, strategy); err != nil {
			return err
		}
	}
	if err := s.forgetUser(ctx, kuid); err != nil {
		return err
	}
	if err := s.RevokeAll(ctx, kuid); err != nil {
		return err
	}
	if err := s.removeKeys(ctx, kuid); err != nil {
		return err
	}
	if err := s.users.DeleteUser(ctx, kuid, w); err != nil {
		return err
	}
	// Those that were being made; see Issue and CreateKey.
	return errors.Join(s.revokeAll(ctx, kuid), s.removeKeys(ctx, kuid))
}

// deleteCredentials removes the credentials of a user, if there are some.
func (s *Service) deleteCredentials(ctx context.Context, req *protocol.Request, kuid string, strategy Named) error {
	defer s.credentialsChanged(kuid)
	exists, err := exists(ctx, req, kuid, strategy)
	if err != nil || !exists {
		return err
	}
	if err := strategy.Delete(ctx, req, kuid); err != nil {
		return fmt.Errorf("delete credentials of strategy %q: %w", strategy.Name, err)
	}
	return nil
}

func exists(ctx context.Context, req *protocol.Request, kuid string, strategy Named) (bool, error) {
	exists, err := strategy.Exists(ctx, req, kuid)
	if err != nil {
		return false, fmt.Errorf("look for credentials of strategy %q: %w", strategy.Name, err)
	}
	return exists, nil
}
