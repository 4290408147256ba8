package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// prefix begins the text of every session token.
const prefix = "kauth-"

// Token is a verified token.
type Token struct {
	KUID string
	// Text is the token as it was issued, prefix included.
	Text string
	// ExpiresAt is zero for a token that never expires.
	ExpiresAt time.Time
	// Refreshed is set when another token has taken its place; it ends with its grace period.
	Refreshed bool
}

func (t *Token) expired(now time.Time) bool { return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) }

// tokenID is the SHA-256 of a token's text: what is stored and compared instead of the text, so that neither a stolen
// store nor the time a look-up takes gives a token away.
type tokenID [sha256.Size]byte

func idOf(text string) tokenID { return sha256.Sum256([]byte(text)) }

func (id tokenID) String() string { return hex.EncodeToString(id[:]) }

// tokensCollection holds one record for each token in force, under its id.
var tokensCollection = storage.Collection{Scope: storage.Internal, Index: "kuzzle", Name: "tokens"}

// record is a stored token. Times are milliseconds since 1970.
type record struct {
	KUID string `json:"kuid"`
	// ExpiresAt is -1 for never.
	ExpiresAt int64 `json:"expiresAt"`
	IssuedAt  int64 `json:"issuedAt"`
	Refreshed bool  `json:"refreshed,omitzero"`
}

func (r record) token(text string) *Token {
	t := &Token{KUID: r.KUID, Text: text, Refreshed: r.Refreshed}
	if r.ExpiresAt >= 0 {
		t.ExpiresAt = time.UnixMilli(r.ExpiresAt)
	}
	return t
}

// VerifyOptions refine Verify.
type VerifyOptions struct {
	// AcceptUnprefixed takes the bare JWT of an issued token for that token.
	AcceptUnprefixed bool
}

// The texts of a refusal in the kuzzle-v1 profile.
const (
	v1Malformed = "Json Web Token Error"
	v1Expired   = "Token expired"
	v1Unknown   = "Invalid token"
)

// Verify says whose the token is. A token that is malformed, forged, expired, revoked or unknown gives
// security.token.invalid, which tells the client to drop it; a failure of the storage is an internal error. It does not
// ask whether the user still exists.
func (s *Service) Verify(ctx context.Context, text string, o VerifyOptions) (*Token, error) {
	if len(text) > maxTokenBytes {
		return nil, kerror.SecurityTokenInvalid.New().WithV1(v1Malformed)
	}
	if !strings.HasPrefix(text, prefix) {
		if !o.AcceptUnprefixed {
			return nil, kerror.SecurityTokenInvalid.New().WithV1(v1Malformed)
		}
		text = prefix + text
	}
	id := idOf(text)
	t, ok := s.verified.Get(id)
	if !ok {
		var err error
		if t, err = s.verify(ctx, id, text); err != nil {
			return nil, err
		}
	}
	if t.expired(s.now()) {
		return nil, kerror.SecurityTokenInvalid.New().WithV1(v1Expired)
	}
	return t, nil
}

// verify checks the signature, reads the record and keeps the token, unless a revocation came between.
func (s *Service) verify(ctx context.Context, id tokenID, text string) (*Token, error) {
	claims, err := s.key.parse(s.parser, text[len(prefix):])
	if err != nil {
		return nil, kerror.SecurityTokenInvalid.Wrap(err).WithV1(v1Malformed)
	}
	generation := s.generation.Load()
	_, r, err := s.read(ctx, id)
	if errors.Is(err, errNotStored) {
		v1 := v1Unknown
		if claims.Expires != 0 && claims.Expires <= s.now().Unix() {
			v1 = v1Expired // and was removed since
		}
		return nil, kerror.SecurityTokenInvalid.Wrap(err).WithV1(v1)
	}
	if err != nil {
		return nil, err
	}
	if r.KUID != claims.KUID { // the same text, so the record was tampered with
		return nil, kerror.SecurityTokenInvalid.Wrap(errNotStored).WithV1(v1Unknown)
	}
	t := r.token(text)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.generation.Load() == generation {
		s.verified.Add(id, t)
	}
	return t, nil
}

var errNotStored = errors.New("the token is not in the store")

// read gives the record of a token and the version of its document; errNotStored when there is none.
func (s *Service) read(ctx context.Context, id tokenID) (int64, record, error) {
	doc, err := s.engine.Get(ctx, tokensCollection, id.String())
	if errors.Is(err, kerror.ServicesStorageNotFound) {
		return 0, record{}, errNotStored
	}
	if err != nil {
		return 0, record{}, storageFailed("read a token", err)
	}
	var r record
	if err := json.Unmarshal(doc.Source, &r); err != nil {
		return 0, record{}, kerror.SecurityTokenVerificationError.Wrap(fmt.Errorf("parse a stored token: %w", err), "its record cannot be read")
	}
	return doc.Version, r, nil
}
