package passkey

import (
	"context"
	stdjson "encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/sluicehq/sluice/core/auth"
)

const (
	// maxAssertionBytes bounds what a browser answers with at a login.
	maxAssertionBytes = 16 << 10
	// maxUsernameBytes bounds the name at a login.
	maxUsernameBytes = 512
)

// Verify begins a login, or finishes it when the body has what the browser made of the options. The answer to an unknown name
// looks like any other.
func (s *Strategy) Verify(ctx context.Context, login auth.Login) (auth.Outcome, error) {
	if login.Body.Raw("response") == nil {
		return s.beginLogin(ctx, login.Field("username"))
	}
	kuid, err := s.finishLogin(ctx, login)
	var no refusal
	switch {
	case errors.As(err, &no):
		return auth.Outcome{Message: no.Error()}, nil
	case err != nil:
		return auth.Outcome{}, err
	}
	return auth.Outcome{KUID: kuid}, nil
}

func (s *Strategy) beginLogin(ctx context.Context, username string) (auth.Outcome, error) {
	if len(username) > maxUsernameBytes { // nobody has such
		return auth.Outcome{Message: refused}, nil
	}
	begins := ceremony{kind: freeLogin}
	var allowed []protocol.CredentialDescriptor
	if username != "" {
		a, err := s.accountNamed(ctx, username)
		if err != nil {
			return auth.Outcome{}, err
		}
		begins = ceremony{namedLogin, a.KUID}
		decoy := s.decoy(username) // made in any case, so that it takes as long
		if allowed = listed(a.Passkeys); len(allowed) == 0 {
			allowed = decoy
		}
	}
	fresh, err := s.seal.newChallenge(begins, s.now().Add(s.timeout))
	if err != nil {
		return auth.Outcome{}, err
	}
	begun, _, err := s.rp.BeginDiscoverableLogin(webauthn.WithChallenge(fresh), webauthn.WithAllowedCredentials(allowed))
	if err != nil {
		return auth.Outcome{}, err
	}
	options, err := stdjson.Marshal(begun.Response) // its types are made for that package
	if err != nil {
		return auth.Outcome{}, err
	}
	return auth.Outcome{Redirect: &auth.Redirect{
		StatusCode: http.StatusOK, Headers: map[string]string{}, More: map[string]jsontext.Value{"options": options},
	}}, nil
}

// accountNamed gives the account of the user whom a name means, an empty one of that id when there is none.
func (s *Strategy) accountNamed(ctx context.Context, username string) (account, error) {
	kuid, err := s.named(ctx, username)
	if err != nil {
		return account{}, err
	}
	if kuid == "" {
		kuid = username
	}
	a, _, err := s.read(ctx, kuid)
	return a, err
}

// listed describes passkeys, newest first.
func listed(passkeys []passkey) []protocol.CredentialDescriptor {
	var list []protocol.CredentialDescriptor
	for _, p := range slices.Backward(passkeys) {
		list = append(list, p.descriptor())
	}
	return list
}

// decoy describes a passkey that is nobody's: always the same for a name, and for no other.
func (s *Strategy) decoy(username string) []protocol.CredentialDescriptor {
	id := s.seal.sum("decoy", username)
	kinds := []struct {
		idBytes    int
		transports []protocol.AuthenticatorTransport
	}{
		{20, []protocol.AuthenticatorTransport{protocol.Hybrid, protocol.Internal}},
		{16, []protocol.AuthenticatorTransport{protocol.Hybrid, protocol.Internal}},
		{32, []protocol.AuthenticatorTransport{protocol.Internal}},
		{32, []protocol.AuthenticatorTransport{protocol.NFC, protocol.USB}},
	}
	kind := kinds[int(s.seal.sum("kind of decoy", username)[0])%len(kinds)]
	return []protocol.CredentialDescriptor{{
		Type: protocol.PublicKeyCredentialType, CredentialID: id[:kind.idBytes], Transport: kind.transports,
	}}
}

// finishLogin gives the user whose passkey signed the challenge.
func (s *Strategy) finishLogin(ctx context.Context, login auth.Login) (string, error) {
	answer, err := parseAssertion(login.Body.Raw("response"))
	if err != nil {
		return "", err
	}
	kuid, err := s.holder(ctx, encode(answer.RawID))
	if err != nil {
		return "", err
	}
	if kuid == "" {
		return "", refusal(refused)
	}
	if login.Known != nil {
		switch known, err := login.Known(ctx, kuid); {
		case err != nil:
			return "", err
		case !known:
			return "", refusal(refused)
		}
	}
	cloned := false
	err = s.change(ctx, kuid, func(a *account) (err error) {
		cloned, err = s.accept(ctx, a, answer)
		return err
	})
	if err == nil && cloned {
		err = refusal(wentBack)
	}
	return kuid, err
}

const wentBack = "This passkey was not accepted: its counter went back, as that of a copy does. Log in another way, remove it and register it anew."

// parseAssertion reads what the browser made of the options of a login.
func parseAssertion(raw []byte) (*protocol.ParsedCredentialAssertionData, error) {
	const unreadable = `The member "response" of the body cannot be read: send what PublicKeyCredential.toJSON() gives.`
	if len(raw) > maxAssertionBytes {
		return nil, refusal(unreadable)
	}
	answer, err := protocol.ParseCredentialRequestResponseBytes(raw)
	if err != nil {
		return nil, refusal(unreadable)
	}
	return answer, nil
}

// accept verifies an answer and writes into the account what follows from it. cloned says that the counter of the passkey
// went back: that is written down too, and nobody is logged in.
func (s *Strategy) accept(ctx context.Context, a *account, answer *protocol.ParsedCredentialAssertionData) (cloned bool, err error) {
	p := a.find(encode(answer.RawID))
	if p == nil {
		return false, refusal(refused)
	}
	asked, err := s.openLogin(a.KUID, answer)
	if err != nil {
		return false, err
	}
	u := s.user(a, "")
	verified, err := s.rp.ValidateLogin(u, webauthn.SessionData{
		Challenge: answer.Response.CollectedClientData.Challenge, UserID: u.handle, UserVerification: s.required,
	}, answer)
	if err != nil {
		return false, s.refuse(ctx, a.KUID, answer.Response.CollectedClientData, err)
	}
	now := s.now()
	if err := a.spend(asked, now); err != nil {
		return false, err
	}
	if verified.Authenticator.CloneWarning {
		s.log.WarnContext(ctx, "the counter of a passkey went back, there may be a copy of it; it was refused", "user", a.KUID, "passkey", p.ID)
		p.CloneSeenAt = now.UnixMilli()
		return true, nil
	}
	p.SignCount, p.BackedUp, p.LastUsedAt = verified.Authenticator.SignCount, verified.Flags.BackupState, now.UnixMilli()
	return false, nil
}

// openLogin reads the challenge of an answer by a passkey of the user. Without a name in the beginning, the authenticator
// must have said whose it is.
func (s *Strategy) openLogin(kuid string, answer *protocol.ParsedCredentialAssertionData) (challenge, error) {
	text := answer.Response.CollectedClientData.Challenge
	if c, ok := s.seal.open(ceremony{namedLogin, kuid}, text); ok {
		return c, nil
	}
	c, ok := s.seal.open(ceremony{kind: freeLogin}, text)
	if !ok || len(answer.Response.UserHandle) == 0 {
		return challenge{}, refusal(refused)
	}
	return c, nil
}

// refuse makes a refusal of what verification found. The origin of a page is no secret to it, and a wrong one is the mistake
// that operators make.
func (s *Strategy) refuse(ctx context.Context, kuid string, client protocol.CollectedClientData, cause error) error {
	s.log.LogAttrs(ctx, slog.LevelDebug, "a passkey was refused", slog.String("user", kuid), slog.Any("error", cause))
	if !protocol.IsOriginInHaystack(client.Origin, s.rp.Config.RPOrigins) {
		return refusal("This passkey was not accepted: the origin of this page is not among those of security.passkey.rpOrigins.")
	}
	return refusal(refused)
}
