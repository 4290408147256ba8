package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// keysCollection holds the API keys, expired ones too, under ids that users may choose.
var keysCollection = storage.Collection{Scope: storage.Internal, Index: "kuzzle", Name: "api-keys"}

// keysSpec has the mapping of a Kuzzle 2 for a ttl of type keyword, and otherwise that of earlier versions.
func keysSpec(ttl string) storage.Spec {
	return storage.Spec{
		Keywords: []string{"userId", "fingerprint"},
		Mapping: jsontext.Value(`{"dynamic":"false","properties":{"` + mapping.KuzzleInfo + `":` + mapping.KuzzleInfoMapping +
			`,"userId":{"type":"keyword"},"fingerprint":{"type":"keyword"},` +
			`"description":{"type":"text"},"expiresAt":{"type":"long"},"ttl":{"type":"` + ttl + `"}}}`),
	}
}

func (s *Service) ensureKeys(ctx context.Context) error {
	err := s.engine.Ensure(ctx, keysCollection, keysSpec("keyword"))
	if errors.Is(err, kerror.ServicesStorageCannotChangeMapping) {
		err = s.engine.Ensure(ctx, keysCollection, keysSpec("long"))
	}
	if err != nil {
		return fmt.Errorf("make collection %s: %w", keysCollection.Name, err)
	}
	return nil
}

// Key is an API key: a token that programs keep, with the rights of its user. Its text is shown once, when it is made.
type Key struct {
	ID     string    `json:"_id"`
	Source KeySource `json:"_source"`
}

// KeySource is what there is to know of an API key.
type KeySource struct {
	UserID      string `json:"userId"`
	Description string `json:"description"`
	// ExpiresAt is milliseconds since 1970, TTL milliseconds; both are -1 for never.
	ExpiresAt int64 `json:"expiresAt"`
	TTL       int64 `json:"ttl"`
	// Fingerprint is the SHA-256 of the text, in hexadecimal.
	Fingerprint string `json:"fingerprint"`
	// Token is the text itself. It is never stored.
	Token string `json:"token,omitzero"`
}

// storedKey is the document of a key.
type storedKey struct {
	KeySource
	Info security.Metadata `json:"_kuzzle_info"`
}

// NewKey is an API key to be made.
type NewKey struct {
	// ID is "" for one that is made up.
	ID          string
	KUID        string
	Description string
	// By is the kuid of whoever makes it.
	By string
	// TTL is Infinite for ever.
	TTL     time.Duration
	Refresh storage.Refresh
}

// CreateKey makes an API key and gives its text, which is shown to nobody again. It does not outlive its user:
// security.user.not_found when he does not exist, or is deleted meanwhile. services.storage.document_already_exists for an id
// that is taken.
func (s *Service) CreateKey(ctx context.Context, n NewKey) (Key, error) {
	if err := s.hasUser(ctx, n.KUID); err != nil {
		return Key{}, err
	}
	issued, err := s.sign(keyPrefix, n.KUID, n.TTL)
	if err != nil {
		return Key{}, err
	}
	if n.ID == "" {
		n.ID = uuid.NewString()
	}
	id := idOf(issued.Text)
	k := Key{n.ID, KeySource{
		UserID: n.KUID, Description: n.Description, ExpiresAt: issued.ExpiresAt, TTL: issued.TTL, Fingerprint: id.String(),
	}}
	source, err := json.Marshal(storedKey{k.Source, security.NewMetadata(n.By, s.now())})
	if err != nil {
		return Key{}, err
	}
	_, err = s.engine.Create(ctx, keysCollection, n.ID, source, storage.WriteOptions{Refresh: n.Refresh})
	switch {
	case errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists):
		return Key{}, err
	case err != nil:
		return Key{}, security.StorageFailed("store an API key", err)
	}
	// As with Issue: either a deletion of the user finds this key, or we miss the user.
	if err := s.hasUser(ctx, n.KUID); err != nil {
		return Key{}, errors.Join(err, s.removeKey(context.WithoutCancel(ctx), k, storage.RefreshLater))
	}
	k.Source.Token = issued.Text
	return k, nil
}

// hasUser gives security.user.not_found when there is no such user, and for anonymous: nobody can log in as everybody, and no
// key can speak for everybody.
func (s *Service) hasUser(ctx context.Context, kuid string) error {
	stored, err := s.users.ReadUser(ctx, kuid)
	if err == nil && stored.ID == protocol.AnonymousID {
		return kerror.SecurityUserNotFound.New(kuid)
	}
	return err
}

// DeleteKey ends an API key of the user, and what was subscribed to with it. services.storage.not_found when he has none of that
// id. When it returns without an error, no Verify that begins afterwards accepts the key.
func (s *Service) DeleteKey(ctx context.Context, kuid, id string, refresh storage.Refresh) error {
	doc, err := s.engine.Get(ctx, keysCollection, id)
	switch {
	case errors.Is(err, kerror.ServicesStorageNotFound):
		return err
	case err != nil:
		return security.StorageFailed("read an API key", err)
	}
	k, err := parseKey(doc.ID, doc.Source)
	if err != nil {
		return err
	}
	if k.Source.UserID != kuid {
		return kerror.ServicesStorageNotFound.New(id, keysCollection.Index, keysCollection.Name)
	}
	return s.removeKey(ctx, k, refresh)
}

// removeKeys ends every API key of a user.
func (s *Service) removeKeys(ctx context.Context, kuid string) error {
	const page = 100
	for {
		docs, err := s.engine.Find(ctx, keysCollection, "userId", kuid, page)
		if err != nil {
			return security.StorageFailed("look for API keys", err)
		}
		if len(docs) == 0 {
			return nil
		}
		for _, doc := range docs {
			k, err := parseKey(doc.ID, doc.Source)
			if err != nil {
				return err
			}
			if err := s.removeKey(ctx, k, storage.RefreshLater); err != nil {
				return err
			}
		}
	}
}

// removeKey ends a key. Its connections are told of even when that fails, for it may have worked.
func (s *Service) removeKey(ctx context.Context, k Key, refresh storage.Refresh) error {
	id, err := parseTokenID(k.Source.Fingerprint)
	if err != nil {
		s.log.WarnContext(ctx, "a stored API key has a malformed fingerprint", "id", k.ID)
	}
	err = s.engine.Delete(ctx, keysCollection, k.ID, storage.WriteOptions{Refresh: refresh})
	s.forget(id) // after the record is gone, so that nobody reads it and keeps it
	s.endLinks(ctx, id)
	if err != nil && !errors.Is(err, kerror.ServicesStorageNotFound) {
		return security.StorageFailed("remove an API key", err)
	}
	return nil
}

// SearchKeys gives API keys of a user: those that match a query as storage.Searcher takes it, {} for all, from a place on and at
// most size.
func (s *Service) SearchKeys(ctx context.Context, kuid string, query jsontext.Value, from, size int) ([]Key, error) {
	filter := []any{map[string]any{"term": map[string]string{"userId": kuid}}}
	if args, err := protocol.ParseArgs(query, ""); err != nil || len(args.All()) > 0 {
		filter = append(filter, query) // beside what it must match, so that it reaches nobody else's
	}
	body, err := json.Marshal(map[string]any{"query": map[string]any{"bool": map[string]any{"filter": filter}}})
	if err != nil {
		return nil, kerror.ServicesStorageInvalidSearchQuery.Wrap(err, "query")
	}
	found, err := s.engine.Search(ctx, storage.Search{
		Targets: []storage.Collection{keysCollection}, Body: body, From: from, Size: size,
	})
	if err != nil {
		return nil, err
	}
	keys := make([]Key, len(found.Hits))
	for i, hit := range found.Hits {
		if keys[i], err = parseKey(hit.ID, hit.Source); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// loadKey is load for an API key.
func (s *Service) loadKey(ctx context.Context, id tokenID, text string) (*Token, error) {
	docs, err := s.engine.Find(ctx, keysCollection, "fingerprint", id.String(), 1)
	if err != nil {
		return nil, security.StorageFailed("look for an API key", err)
	}
	if len(docs) == 0 {
		return nil, errNotStored
	}
	k, err := parseKey(docs[0].ID, docs[0].Source)
	if err != nil {
		return nil, kerror.SecurityTokenVerificationError.Wrap(err, "its record cannot be read")
	}
	return &Token{KUID: k.Source.UserID, Text: text, ExpiresAt: expiry(k.Source.ExpiresAt), APIKey: true}, nil
}

// parseKey reads a stored key, without whatever text a foreign record may hold.
func parseKey(id string, source jsontext.Value) (Key, error) {
	k := Key{ID: id}
	if err := json.Unmarshal(source, &k.Source); err != nil {
		return Key{}, fmt.Errorf("parse API key %q: %w", id, err)
	}
	k.Source.Token = ""
	return k, nil
}
