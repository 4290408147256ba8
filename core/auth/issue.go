package auth

import (
	"context"
	"errors"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Infinite is the lifetime of a token that never expires.
const Infinite time.Duration = -1

// Issued is a new token, in the form logins answer with.
type Issued struct {
	KUID string `json:"_id"`
	Text string `json:"jwt"`
	// ExpiresAt is milliseconds since 1970, TTL milliseconds; both are -1 for never.
	ExpiresAt int64 `json:"expiresAt"`
	TTL       int64 `json:"ttl"`
}

// Lifetime reads the argument expiresIn of a request: a number of milliseconds, or text such as "1h"; absent is the
// configured lifetime. Errors: api.assert.invalid_argument, and security.token.ttl_exceeded for more than is allowed.
func (s *Service) Lifetime(args protocol.Args) (time.Duration, error) {
	return lifetime(args, s.options.ExpiresIn, s.options.MaxTTL)
}

// KeyLifetime is Lifetime for an API key, Infinite when absent. Only those that users make themselves are bounded.
func (s *Service) KeyLifetime(args protocol.Args, bounded bool) (time.Duration, error) {
	longest := s.options.MaxKeyTTL
	if !bounded {
		longest = 0
	}
	return lifetime(args, Infinite, longest)
}

// lifetime reads expiresIn; longest is 0 or below for no bound.
func lifetime(args protocol.Args, absent, longest time.Duration) (time.Duration, error) {
	ttl, err := expiresIn(args, absent)
	if err != nil {
		return 0, err
	}
	if longest > 0 && (ttl < 0 || ttl > longest) {
		return 0, kerror.SecurityTokenTTLExceeded.New()
	}
	return ttl, nil
}

func expiresIn(args protocol.Args, absent time.Duration) (time.Duration, error) {
	raw := args.Raw("expiresIn")
	if raw == nil {
		return absent, nil
	}
	text := string(raw)
	if raw.Kind() == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return 0, err
		}
	}
	ttl, err := config.ParseTTL(text)
	if err != nil || ttl == 0 {
		return 0, kerror.APIAssertInvalidArgument.New("expiresIn", `milliseconds above 0, a text such as "1h", or -1 where a token may live for ever`)
	}
	if ttl.IsInfinite() {
		return Infinite, nil
	}
	return ttl.Duration(), nil
}

// Issue makes a token for a user that lives for ttl, Infinite for ever, and stores it. A token does not outlive its user:
// when the user is deleted meanwhile, security.user.not_found.
func (s *Service) Issue(ctx context.Context, kuid string, ttl time.Duration) (Issued, error) {
	return s.issue(ctx, NewToken{KUID: kuid, TTL: ttl}, func() error { return nil })
}

// NewToken is a token to be issued.
type NewToken struct {
	KUID string
	// TTL is Infinite for ever.
	TTL time.Duration
	// SingleUse makes it good for one request, and for what that subscribes to as long as the token would have lived.
	SingleUse bool
}

// IssueBy is Issue for somebody who shows the text of another token, "" for none: unless that one is still good when the new
// one is stored, security.token.invalid. So whoever revokes all tokens of a user revokes those that are being made with them;
// one that was for a single use makes none.
func (s *Service) IssueBy(ctx context.Context, shown string, n NewToken) (Issued, error) {
	return s.issue(ctx, n, func() error {
		if shown == "" {
			return nil
		}
		return s.notRevoked(ctx, prefixed(shown), n.KUID)
	})
}

// issue stores a token, and takes it back when its user is gone or permitted fails afterwards.
func (s *Service) issue(ctx context.Context, n NewToken, permitted func() error) (Issued, error) {
	issued, id, err := s.store(ctx, n)
	if err != nil {
		return Issued{}, err
	}
	// Deletion removes the user first and the tokens after, so either it finds this token or we miss the user.
	if _, err = s.users.User(ctx, n.KUID); err == nil {
		err = permitted()
	}
	if err != nil {
		return Issued{}, errors.Join(err, s.remove(context.WithoutCancel(ctx), id.String(), id))
	}
	return issued, nil
}

func (s *Service) store(ctx context.Context, n NewToken) (Issued, tokenID, error) {
	issued, err := s.sign(prefix, n.KUID, n.TTL)
	if err != nil {
		return Issued{}, tokenID{}, err
	}
	r := record{KUID: n.KUID, IssuedAt: s.now().UnixMilli(), ExpiresAt: issued.ExpiresAt, SingleUse: n.SingleUse}
	source, err := json.Marshal(r)
	if err != nil {
		return Issued{}, tokenID{}, kerror.SecurityTokenGenerationFailed.Wrap(err, "storing failed")
	}
	id := idOf(issued.Text)
	if _, err := s.engine.Create(ctx, tokensCollection, id.String(), source, storage.WriteOptions{}); err != nil {
		return Issued{}, tokenID{}, security.StorageFailed("store a token", err)
	}
	return issued, id, nil
}

// sign makes the text of a token or API key. Nothing is stored.
func (s *Service) sign(kind, kuid string, ttl time.Duration) (Issued, error) {
	if kuid == "" || kuid == protocol.AnonymousID {
		return Issued{}, kerror.SecurityTokenUnknownUser.New()
	}
	now := s.now()
	issued := Issued{KUID: kuid, ExpiresAt: -1, TTL: -1}
	var expires time.Time
	if ttl >= 0 {
		expires = now.Add(ttl)
		issued.ExpiresAt, issued.TTL = expires.UnixMilli(), ttl.Milliseconds()
	}
	text, err := s.keys.Load().sign(newPayload(kuid, now, expires))
	if err != nil {
		return Issued{}, kerror.SecurityTokenGenerationFailed.Wrap(err, "signing failed")
	}
	issued.Text = kind + text
	return issued, nil
}

// Refresh makes a new token in the place of a valid one, which stays usable for the grace period and cannot be refreshed
// again: security.token.invalid. An API key or a token that never expires is refused: security.token.refresh_forbidden. The
// connections of the old token are those of the new one.
//
// The new token is in force only if the old one was not revoked before it was stored. Whoever revokes all tokens of a user
// therefore revokes those that are being refreshed too: see RevokeAll.
func (s *Service) Refresh(ctx context.Context, text string, ttl time.Duration) (Issued, error) {
	t, err := s.Verify(ctx, text, VerifyOptions{AcceptUnprefixed: true})
	if err != nil {
		return Issued{}, err
	}
	switch {
	case t.APIKey:
		return Issued{}, kerror.SecurityTokenRefreshForbidden.New("it is an API key")
	case t.SingleUse:
		return Issued{}, kerror.SecurityTokenRefreshForbidden.New("it was for a single use")
	case t.ExpiresAt.IsZero():
		return Issued{}, kerror.SecurityTokenRefreshForbidden.New("it never expires")
	case t.Refreshed:
		return Issued{}, kerror.SecurityTokenInvalid.New().WithV1(v1Unknown)
	}
	id := idOf(t.Text)
	if err := s.retire(ctx, id); err != nil {
		return Issued{}, err
	}
	issued, err := s.issue(ctx, NewToken{KUID: t.KUID, TTL: ttl}, func() error { return s.notRevoked(ctx, t.Text, t.KUID) })
	if err == nil {
		err = s.relink(ctx, id, issued.Text)
	}
	if err != nil {
		s.links.expireBy(id, s.now().Add(s.options.GracePeriod))
		return Issued{}, err
	}
	// Two for the one that was retired: however fast somebody refreshes, retired tokens do not pile up.
	if err := s.removeRetired(ctx, 2); err != nil {
		s.log.WarnContext(ctx, "refreshed tokens could not be removed; they will be with the expired ones", "error", err)
	}
	return issued, nil
}

// notRevoked gives security.token.invalid for a token that was revoked, is about to be with all others of its user, or was for
// a single use. API keys are not among those of the user.
func (s *Service) notRevoked(ctx context.Context, text, kuid string) error {
	t, err := s.load(ctx, idOf(text), text)
	if err == nil && (t.SingleUse || !t.APIKey && s.revoking.has(kuid)) {
		err = errNotStored
	}
	if errors.Is(err, errNotStored) {
		return kerror.SecurityTokenInvalid.Wrap(err).WithV1(v1Unknown)
	}
	return err
}

// retire marks a token as refreshed. Of two refreshes of one token one fails.
func (s *Service) retire(ctx context.Context, id tokenID) error {
	defer s.forget(id)
	r, err := s.mark(ctx, id, func(r *record) bool {
		fresh := !r.Refreshed
		r.Refreshed = true
		r.ExpiresAt = min(r.ExpiresAt, s.now().Add(s.options.GracePeriod).UnixMilli())
		return fresh
	})
	if errors.Is(err, errNotStored) {
		return kerror.SecurityTokenInvalid.Wrap(err).WithV1(v1Unknown)
	}
	if err != nil {
		return err
	}
	s.retired.push(retiredToken{id, r.removable()})
	return nil
}

// Revoke ends one session token; one that is not in force is no error, nor is an API key, which stays. When it returns without
// an error, no Verify that begins afterwards accepts the token.
func (s *Service) Revoke(ctx context.Context, text string) error {
	if isKey(text) {
		return nil
	}
	id := idOf(prefixed(text))
	return s.revoke(ctx, id.String(), id)
}

// revoke ends a token by the id of its document. Its connections are told of even when that fails, for it may have worked.
func (s *Service) revoke(ctx context.Context, documentID string, id tokenID) error {
	err := s.remove(ctx, documentID, id)
	s.endLinks(ctx, id)
	return err
}

// remove removes the record of a token. What it is linked to stays, until it expires.
func (s *Service) remove(ctx context.Context, documentID string, id tokenID) error {
	defer s.forget(id) // after the record is gone, so that nobody reads it and keeps it
	err := s.engine.Delete(ctx, tokensCollection, documentID, storage.WriteOptions{Forget: true})
	if err != nil && !errors.Is(err, kerror.ServicesStorageNotFound) {
		return security.StorageFailed("remove a token", err)
	}
	return nil
}

// RevokeAll ends every session token of a user, as Revoke does each of them, until none is left: those that are issued meanwhile
// too. Once it returned, only a login makes a token of that user.
//
// Refreshes look for it once their new token is stored, so that nobody outruns it by refreshing again and again: the one
// that looks before it began stored a token that is found; the one that looks meanwhile takes its token back; the one that
// looks after it returned finds that its old token, which was there when it was retired, is gone. Refreshes through another
// node of a cluster only notice the latter, and can keep it busy until they are slower than it.
func (s *Service) RevokeAll(ctx context.Context, kuid string) error {
	err := s.revokeAll(ctx, kuid)
	if s.options.Connections != nil {
		s.options.Connections.UserEnded(ctx, kuid, func(connection string) bool { return s.links.onKey(connection, kuid) })
	}
	return err
}

func (s *Service) revokeAll(ctx context.Context, kuid string) error {
	s.revoking.enter(kuid)
	defer s.revoking.leave(kuid)
	const page = 1000
	for {
		docs, err := s.engine.Find(ctx, tokensCollection, "kuid", kuid, page)
		if err != nil {
			return security.StorageFailed("look for tokens", err)
		}
		if len(docs) == 0 {
			return nil
		}
		for _, doc := range docs {
			id, err := parseTokenID(doc.ID)
			if err != nil {
				s.log.WarnContext(ctx, "a stored token has a malformed id", "id", doc.ID)
			}
			if err := s.revoke(ctx, doc.ID, id); err != nil {
				return err
			}
		}
	}
}

// forget drops what is kept of a token, and what is being read of any.
func (s *Service) forget(id tokenID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation.Add(1)
	s.verified.Remove(id)
}
