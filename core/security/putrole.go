package security

import (
	"context"
	"errors"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// CreateRole stores a role that there is none of, not even a built-in one: services.storage.document_already_exists. The
// body must have passed CheckRole.
func (s *Service) CreateRole(ctx context.Context, id string, body jsontext.Value, w Write) (Stored, error) {
	if s.builtIn().roles[id] != "" {
		return Stored{}, kerror.ServicesStorageDocumentAlreadyExists.New()
	}
	return s.create(ctx, Roles, id, body, w)
}

// PutRole stores a role whether or not there was one. The body must have passed CheckRole. Whoever stores a standard role
// has taken rights into his own hands: a reset that was cut off is not finished over it.
func (s *Service) PutRole(ctx context.Context, id string, body jsontext.Value, w Write) (Stored, error) {
	stored, err := s.put(ctx, rolesCollection, id, body, w)
	if err != nil {
		return Stored{}, err
	}
	return stored, s.forgetResetOf(ctx, id)
}

// ReplaceRole stores a role over an existing one, or over a built-in one; services.storage.not_found when there is
// neither. It is PutRole otherwise.
func (s *Service) ReplaceRole(ctx context.Context, id string, body jsontext.Value, w Write) (Stored, error) {
	if _, err := s.ReadRole(ctx, id); errors.Is(err, kerror.SecurityRoleNotFound) {
		return Stored{}, kerror.ServicesStorageNotFound.New(id, rolesCollection.Index, rolesCollection.Name)
	} else if err != nil {
		return Stored{}, err
	}
	return s.PutRole(ctx, id, body, w)
}

// forgetResetOf drops a planned reset when a role or profile of this id belongs to it.
func (s *Service) forgetResetOf(ctx context.Context, id string) error {
	if !slices.Contains(standardIDs, id) {
		return nil
	}
	return s.ForgetReset(ctx)
}
