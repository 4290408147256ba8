package local

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// The key of reset tokens stands in a collection of its own beside the users.
var configCollection = storage.Collection{Scope: storage.Internal, Index: usersCollection.Index, Name: "config"}

const (
	resetKeyID    = "resetTokenSecret"
	resetKeyBytes = 32
	// maxResetToken is more than the token of the longest id of a user has.
	maxResetToken = 1024
)

// storedKey is the key as it is stored.
type storedKey struct {
	Secret []byte `json:"secret"`
}

// loadResetKey reads the key, and makes it when there is none. Of two nodes that start together one makes it.
func (s *Strategy) loadResetKey(ctx context.Context) error {
	if err := s.engine.Ensure(ctx, configCollection, storage.Spec{}); err != nil {
		return fmt.Errorf("make the collection of the key of reset tokens: %w", err)
	}
	fresh := storedKey{make([]byte, resetKeyBytes)}
	_, _ = rand.Read(fresh.Secret) // never fails: the runtime ends the process instead
	source, err := json.Marshal(fresh)
	if err != nil {
		return err
	}
	_, err = s.engine.Create(ctx, configCollection, resetKeyID, source, storage.WriteOptions{})
	if err != nil && !errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists) {
		return fmt.Errorf("store the key of reset tokens: %w", err)
	}
	doc, err := s.engine.Get(ctx, configCollection, resetKeyID)
	if err != nil {
		return fmt.Errorf("read the key of reset tokens: %w", err)
	}
	var stored storedKey
	if err := json.Unmarshal(doc.Source, &stored); err != nil || len(stored.Secret) < resetKeyBytes {
		return errors.Join(errors.New("the stored key of reset tokens is damaged"), err)
	}
	s.resetKey = stored.Secret
	return nil
}

// resetClaims are what a reset token says. It is no secret: only the signature makes it worth something.
type resetClaims struct {
	kuid string
	// expires is in milliseconds since 1970, 0 for never.
	expires int64
}

// payload is the form that is signed.
func (c resetClaims) payload() []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(c.expires)), c.kuid...) //nolint:gosec // back again in parseResetToken
}

// resetTokenFor makes a token for the password of the record: with another one it is worth nothing, so it can be used once.
func (s *Strategy) resetTokenFor(r record) string {
	c := resetClaims{kuid: r.KUID}
	if s.resetExpiresIn > 0 {
		c.expires = s.now().Add(s.resetExpiresIn).UnixMilli()
	}
	b64 := base64.RawURLEncoding
	return b64.EncodeToString(c.payload()) + "." + b64.EncodeToString(s.signReset(c, r))
}

func (s *Strategy) signReset(c resetClaims, r record) []byte {
	mac := hmac.New(sha256.New, s.resetKey)
	payload := c.payload()
	_, _ = fmt.Fprintf(mac, "sluice password reset %d %s%s", len(payload), payload, r.Hash) // never fails
	return mac.Sum(nil)
}

// parseResetToken reads a token whose signature is still to be looked at.
func parseResetToken(token string) (c resetClaims, signature []byte, err error) {
	first, second, ok := strings.Cut(token, ".")
	if !ok || len(token) > maxResetToken {
		return resetClaims{}, nil, kerror.PluginLocalInvalidToken.New()
	}
	b64 := base64.RawURLEncoding.Strict()
	payload, err := b64.DecodeString(first)
	if err != nil || len(payload) <= 8 {
		return resetClaims{}, nil, kerror.PluginLocalInvalidToken.Wrap(err)
	}
	if signature, err = b64.DecodeString(second); err != nil {
		return resetClaims{}, nil, kerror.PluginLocalInvalidToken.Wrap(err)
	}
	return resetClaims{string(payload[8:]), int64(binary.BigEndian.Uint64(payload))}, signature, nil //nolint:gosec // as it was written
}

// ResetToken makes a token with which whoever has it sets a new password for the user, once; 412 when the user has no
// credentials.
func (s *Strategy) ResetToken(ctx context.Context, kuid string) (string, error) {
	doc, err := s.oneOf(ctx, kuid)
	if err != nil {
		return "", err
	}
	r, err := parse(doc)
	if err != nil {
		return "", err
	}
	return s.resetTokenFor(r), nil
}

// Reset sets the password of the user whom the token is for and gives him. A token that is wrong, or for a password that is not in
// force any more, is invalid_token; one that is too old expired_token; a password that the policies refuse leaves it as it is.
func (s *Strategy) Reset(ctx context.Context, req *protocol.Request, token, password string) (kuid string, err error) {
	if err := acceptable("password", password, maxPasswordBytes); err != nil {
		return "", err
	}
	c, signature, err := parseResetToken(token)
	if err != nil {
		return "", err
	}
	doc, old, err := s.signedFor(ctx, c, signature)
	if err != nil {
		return "", err
	}
	if c.expires != 0 && !s.now().Before(time.UnixMilli(c.expires)) {
		return "", kerror.PluginLocalExpiredToken.New()
	}
	fresh, err := s.withPassword(ctx, nil, doc.ID, password, old)
	if err != nil {
		return "", err
	}
	done, err := s.beginWrite(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	if err := s.unchanged(ctx, doc); err != nil {
		return "", err
	}
	return c.kuid, s.replace(ctx, doc.ID, fresh, doc.Version)
}

// signedFor finds the record of the user whose password the token was made for.
func (s *Strategy) signedFor(ctx context.Context, c resetClaims, signature []byte) (storage.Document, record, error) {
	docs, err := s.ofUser(ctx, c.kuid)
	if err != nil {
		return storage.Document{}, record{}, err
	}
	for _, doc := range docs {
		r, err := parse(doc)
		if err != nil {
			return storage.Document{}, record{}, err
		}
		if hmac.Equal(signature, s.signReset(c, r)) {
			return doc, r, nil
		}
	}
	return storage.Document{}, record{}, kerror.PluginLocalInvalidToken.New()
}

// unchanged wants that nobody wrote the credentials since they were read: what was checked then, holds now.
func (s *Strategy) unchanged(ctx context.Context, read storage.Document) error {
	now, err := s.engine.Get(ctx, usersCollection, read.ID)
	switch {
	case errors.Is(err, kerror.ServicesStorageNotFound) || err == nil && now.Version != read.Version:
		return kerror.Bare(kerror.PreconditionError, "The credentials were changed meanwhile. Try again.")
	case err != nil:
		return security.StorageFailed("read credentials", err)
	}
	return nil
}
