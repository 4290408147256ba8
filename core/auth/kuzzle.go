package auth

import (
	"context"
	"errors"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// A Kuzzle 2 that is given no secret for tokens makes one and keeps it here, as text.
var (
	configCollection = storage.Collection{Scope: storage.Internal, Index: "kuzzle", Name: "config"}
	kuzzleSecretID   = "security.jwt.secret" //nolint:gosec // the name of a document
)

// kuzzleKeys gives the key of a Kuzzle 2 whose data this is, if there is one. It only verifies: the API keys that were made there
// are stored, and stay good. One that cannot be read is told of, and is none.
func (s *Service) kuzzleKeys(ctx context.Context) ([]key, error) {
	doc, err := s.engine.Get(ctx, configCollection, kuzzleSecretID)
	switch {
	case errors.Is(err, kerror.ServicesStorageNotFound), errors.Is(err, kerror.ServicesStorageUnknownIndex),
		errors.Is(err, kerror.ServicesStorageUnknownCollection):
		return nil, nil
	case err != nil:
		return nil, security.StorageFailed("look for the secret of a Kuzzle", err)
	}
	var stored struct {
		Seed string `json:"seed"`
	}
	err = json.Unmarshal(doc.Source, &stored)
	var k key
	if err == nil {
		k, err = secretKey([]byte(stored.Seed))
	}
	if err != nil {
		s.log.ErrorContext(ctx, "the secret of a Kuzzle cannot be read; API keys that were made with it are refused", "document", kuzzleSecretID, "error", err)
		return nil, nil
	}
	s.log.InfoContext(ctx, "the secret of a Kuzzle verifies the API keys that were made with it", "key", k.id)
	return []key{k}, nil
}
