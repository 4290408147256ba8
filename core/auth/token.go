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

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// What the text of every session token begins with, and that of every API key.
const (
	prefix    = "kauth-"
	keyPrefix = "kapikey-"
)

// prefixed gives the text as it was issued: a bare JWT is that of a session token.
func prefixed(text string) string {
	if strings.HasPrefix(text, prefix) || isKey(text) {
		return text
	}
	return prefix + text
}

func isKey(text string) bool { return strings.HasPrefix(text, keyPrefix) }

// Token is a verified session token or API key.
type Token struct {
	KUID string
	// Text is the token as it was issued, prefix included.
	Text string
	// ExpiresAt is zero for a token that never expires.
	ExpiresAt time.Time
	// Refreshed is set when another token has taken its place; it ends with its grace period.
	Refreshed bool
	// SingleUse is set for a token that is good for one request; see Confirm.
	SingleUse bool
	// APIKey is set for an API key. It is not refreshed, and does not end with the sessions of its user.
	APIKey bool
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
	SingleUse bool  `json:"singleUse,omitzero"`
	// Used is set once a token for a single use was verified. It stays until it expires: what it subscribed to rests on it.
	Used bool `json:"used,omitzero"`
}

func (r record) token(text string) *Token {
	return &Token{KUID: r.KUID, Text: text, ExpiresAt: expiry(r.ExpiresAt), Refreshed: r.Refreshed, SingleUse: r.SingleUse}
}

// expiry reads a stored time, -1 for never.
func expiry(stored int64) time.Time {
	if stored < 0 {
		return time.Time{}
	}
	return time.UnixMilli(stored)
}

// VerifyOptions refine Verify.
type VerifyOptions struct {
	// AcceptUnprefixed takes the bare JWT of an issued token for that token.
	AcceptUnprefixed bool
	// used takes a token for a single use that was verified before, for the same request.
	used bool
}

// The texts of a refusal in the kuzzle-v1 profile.
const (
	v1Malformed = "Json Web Token Error"
	v1Expired   = "Token expired"
	v1Unknown   = "Invalid token"
)

// Verify says whose the token is. A token that is malformed, forged, expired, revoked or unknown gives
// security.token.invalid, which tells the client to drop it; a failure of the storage is an internal error. It does not
// ask whether the user still exists. A token for a single use is good for one call.
func (s *Service) Verify(ctx context.Context, text string, o VerifyOptions) (*Token, error) {
	if len(text) > maxTokenBytes {
		return nil, kerror.SecurityTokenInvalid.New().WithV1(v1Malformed)
	}
	whole := prefixed(text)
	if whole != text && !o.AcceptUnprefixed {
		return nil, kerror.SecurityTokenInvalid.New().WithV1(v1Malformed)
	}
	id := idOf(whole)
	t, ok := s.verified.Get(id)
	if !ok {
		var err error
		if t, err = s.verify(ctx, id, whole, o.used); err != nil {
			return nil, err
		}
	}
	if t.expired(s.now()) {
		return nil, kerror.SecurityTokenInvalid.New().WithV1(v1Expired)
	}
	return t, nil
}

// verify checks the signature, reads the record and keeps the token, unless a revocation came between.
func (s *Service) verify(ctx context.Context, id tokenID, text string, used bool) (*Token, error) {
	generation := s.generation.Load() // before the keys, so that nothing is kept that was signed with one that is removed meanwhile
	claims, err := s.keys.Load().parse(text)
	if err != nil {
		return nil, kerror.SecurityTokenInvalid.Wrap(err).WithV1(v1Malformed)
	}
	t, err := s.load(ctx, id, text)
	if err == nil && t.KUID != claims.KUID { // the same text, so the record was tampered with
		err = errNotStored
	}
	if err == nil && t.SingleUse && !used {
		err = s.use(ctx, id)
	}
	if errors.Is(err, errNotStored) {
		v1 := v1Unknown
		if claims.Expires != 0 && claims.Expires <= s.now().Unix() {
			v1 = v1Expired // and was removed since
		}
		return nil, kerror.SecurityTokenInvalid.Wrap(err).WithV1(v1)
	}
	if err != nil || t.SingleUse {
		return t, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.generation.Load() == generation {
		s.verified.Add(id, t)
	}
	return t, nil
}

var errNotStored = errors.New("the token is not in the store")

// load gives a token as it is stored, session token or API key; errNotStored when it is not.
func (s *Service) load(ctx context.Context, id tokenID, text string) (*Token, error) {
	if isKey(text) {
		return s.loadKey(ctx, id, text)
	}
	_, r, err := s.read(ctx, id)
	if err != nil {
		return nil, err
	}
	return r.token(text), nil
}

// use marks a token for a single use. Of several who use it at once all but one get errNotStored.
func (s *Service) use(ctx context.Context, id tokenID) error {
	_, err := s.mark(ctx, id, func(r *record) bool {
		fresh := !r.Used
		r.Used = true
		return fresh
	})
	return err
}

// mark stores what change makes of a token; errNotStored when the token is gone, change says no, or somebody else was faster.
func (s *Service) mark(ctx context.Context, id tokenID, change func(*record) bool) (record, error) {
	version, r, err := s.read(ctx, id)
	if err == nil && !change(&r) {
		err = errNotStored
	}
	if err != nil {
		return record{}, err
	}
	source, err := json.Marshal(r)
	if err != nil {
		return record{}, err
	}
	_, err = s.engine.Replace(ctx, tokensCollection, id.String(), source, storage.WriteOptions{IfVersion: version})
	switch {
	case errors.Is(err, kerror.ServicesStorageTooManyChanges) || errors.Is(err, kerror.ServicesStorageNotFound):
		return record{}, errNotStored
	case err != nil:
		return record{}, security.StorageFailed("store a change of a token", err)
	}
	return r, nil
}

// read gives the record of a token and the version of its document; errNotStored when there is none.
func (s *Service) read(ctx context.Context, id tokenID) (int64, record, error) {
	doc, err := s.engine.Get(ctx, tokensCollection, id.String())
	if errors.Is(err, kerror.ServicesStorageNotFound) {
		return 0, record{}, errNotStored
	}
	if err != nil {
		return 0, record{}, security.StorageFailed("read a token", err)
	}
	var r record
	if err := json.Unmarshal(doc.Source, &r); err != nil {
		return 0, record{}, kerror.SecurityTokenVerificationError.Wrap(fmt.Errorf("parse a stored token: %w", err), "its record cannot be read")
	}
	return doc.Version, r, nil
}
