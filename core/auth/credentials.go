package auth

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
)

// The credentials of users who exist. Every method fails with security.credentials.unknown_strategy when there is no such
// strategy, and otherwise as the strategy does.

// CreateCredentials gives a user credentials, once the strategy has found nothing wrong with them, and answers with what
// the strategy says of them. security.user.not_found when there is no such user. Leftovers that hold their name are deleted.
func (s *Service) CreateCredentials(ctx context.Context, req *protocol.Request, kuid, name string, credentials jsontext.Value) (any, error) {
	return s.setCredentials(ctx, req, kuid, name, credentials, false)
}

// UpdateCredentials changes the credentials of a user; it is CreateCredentials otherwise.
func (s *Service) UpdateCredentials(ctx context.Context, req *protocol.Request, kuid, name string, credentials jsontext.Value) (any, error) {
	return s.setCredentials(ctx, req, kuid, name, credentials, true)
}

func (s *Service) setCredentials(ctx context.Context, req *protocol.Request, kuid, name string, credentials jsontext.Value, update bool) (any, error) {
	strategy, err := s.strategies.Get(name)
	if err != nil {
		return nil, err
	}
	return s.changeCredentials(ctx, kuid, func() (any, error) {
		if err := s.freeName(ctx, req, strategy, credentials); err != nil {
			return nil, err
		}
		if _, err := strategy.Validate(ctx, req, kuid, credentials, update); err != nil {
			return nil, rejected(err)
		}
		if update {
			return strategy.Update(ctx, req, kuid, credentials)
		}
		return strategy.Create(ctx, req, kuid, credentials)
	})
}

// DeleteCredentials takes the credentials of one strategy away from a user. His tokens stay.
func (s *Service) DeleteCredentials(ctx context.Context, req *protocol.Request, kuid, name string) error {
	strategy, err := s.strategies.Get(name)
	if err != nil {
		return err
	}
	_, err = s.changeCredentials(ctx, kuid, func() (any, error) { return nil, strategy.Delete(ctx, req, kuid) })
	return err
}

// changeCredentials runs change for a user who exists, and is not being deleted meanwhile.
func (s *Service) changeCredentials(ctx context.Context, kuid string, change func() (any, error)) (any, error) {
	if err := s.changing.enter(ctx, kuid); err != nil {
		return nil, err
	}
	defer s.changing.leave(kuid)
	if err := s.hasUser(ctx, kuid); err != nil {
		return nil, err
	}
	defer s.credentialsChanged(kuid) // whatever happened: a change that failed late may be there
	return change()
}

// ValidateCredentials says what CreateCredentials would refuse, and changes nothing.
func (s *Service) ValidateCredentials(ctx context.Context, req *protocol.Request, kuid, name string, credentials jsontext.Value) (any, error) {
	strategy, err := s.strategies.Get(name)
	if err != nil {
		return nil, err
	}
	valid, err := strategy.Validate(ctx, req, kuid, credentials, false)
	if err != nil {
		return nil, rejected(err)
	}
	return valid, nil
}

// HasCredentials reports whether the strategy has credentials of the user.
func (s *Service) HasCredentials(ctx context.Context, req *protocol.Request, kuid, name string) (bool, error) {
	strategy, err := s.strategies.Get(name)
	if err != nil {
		return false, err
	}
	return exists(ctx, req, kuid, strategy)
}

// CredentialsInfo gives the public part of a user's credentials, {} when the strategy shows none.
func (s *Service) CredentialsInfo(ctx context.Context, req *protocol.Request, kuid, name string) (any, error) {
	strategy, err := s.strategies.Get(name)
	if err != nil {
		return nil, err
	}
	describer, ok := strategy.Strategy.(Describer)
	if !ok {
		return struct{}{}, nil
	}
	return describer.Info(ctx, req, kuid)
}
