package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/upstream"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// audit is a row of what administrators did.
type audit struct {
	At         string `json:"at"`
	Actor      string `json:"actor"`
	Action     string `json:"action"`
	Subject    string `json:"subject"`
	Outcome    string `json:"outcome"`
	Correlator string `json:"correlator"`
}

// audited writes down what was done; it fails with it.
func (p *plugin) audited(ctx context.Context, r *sdk.Request, subject string) error {
	_, err := p.audits.Create(ctx, "", audit{
		now(), "user:" + r.User.ID, r.Action, subject, "ok",
		upstream.Correlator(r.Connection.Header.Get(upstream.CorrelatorHeader)),
	})
	return err
}

// refused is an error of an action of administrators.
func refused(k kind, message string) error {
	return sdk.ServiceError(id, k.code, k.number, k.status, message)
}

func badRequest(message string) error { return refused(invalidArgument, message) }

type keyRequest struct {
	grant
	// ExpiresIn is in seconds; 0 is never.
	ExpiresIn int64 `json:"expiresIn"`
}

// maxKeyLife bounds keys that end; it keeps sums of seconds in their range.
const maxKeyLife = 100 * 365 * 24 * 3600

func (k *keyRequest) check(routes []string) error {
	switch {
	case k.Consumer == "" || len(k.Consumer) > 128:
		return badRequest("consumer must have 1 to 128 characters.")
	case len(k.Classes) == 0 || len(k.Classes) > 3:
		return badRequest("classes must name one class or more.")
	case slices.ContainsFunc(k.Classes, func(c class) bool { return c != internalClass && c != publicClass && c != kernelClass }):
		return badRequest("classes are internal, public and kernel.")
	case k.Mode != readMode && k.Mode != readWriteMode:
		return badRequest("mode must be r or rw.")
	case slices.ContainsFunc(k.Paths, func(path string) bool { return !slices.Contains(routes, path) }):
		return badRequest("paths must be among the routes of the API, such as /users/:auraId.")
	case k.ExpiresIn < 0 || k.ExpiresIn > maxKeyLife:
		return badRequest("expiresIn must be a number of seconds, 0 for never.")
	}
	if k.ChannelID == "" {
		return nil
	}
	var err error
	if k.ChannelID, err = asUUID("channelId", k.ChannelID); err != nil {
		return badRequest("channelId must be a UUID.")
	}
	return nil
}

// createAPIKey makes a key: {kid, apiKey, expiresAt}. The key is told this once: only its kid is stored.
func (p *plugin) createAPIKey(ctx context.Context, r *sdk.Request) (any, error) {
	r.Reply.SetHeader("Cache-Control", "no-store")
	var k keyRequest
	if err := r.ReadBody(&k); err != nil {
		return nil, err
	}
	if err := k.check(p.routes()); err != nil {
		return nil, err
	}
	issued := time.Now()
	key := apiKey{
		V: 1, KID: uuid.NewString(), Env: p.settings.Environment, Svc: auraServices, grant: k.grant,
		IssuedAt: issued.Unix(),
	}
	var expiresAt *string
	if k.ExpiresIn > 0 {
		end := issued.Add(time.Duration(k.ExpiresIn) * time.Second)
		key.ExpiresAt = end.Unix()
		text := stamp(end)
		expiresAt = &text
	}
	content, err := json.Marshal(key)
	if err != nil {
		return nil, err
	}
	if _, err := p.apiKeys.Create(ctx, key.KID, rowOf(&key)); err != nil {
		return nil, err
	}
	if err := p.audited(ctx, r, key.KID); err != nil {
		return nil, err
	}
	return struct {
		KID       string  `json:"kid"`
		APIKey    string  `json:"apiKey"`
		ExpiresAt *string `json:"expiresAt"`
	}{key.KID, p.keys.ring.Seal(p.keyPurpose(), content), expiresAt}, nil
}

func rowOf(k *apiKey) keyRow {
	return keyRow{grant: k.grant, CreatedAt: stamp(time.Unix(k.IssuedAt, 0)), ExpiresAt: k.ExpiresAt}
}

// kidOf gives the key that an action is about: the argument, as the route has it, or a member of the body.
func kidOf(r *sdk.Request) (string, error) {
	if r.Args.Has("kid") {
		return r.Args.String("kid")
	}
	var in struct {
		KID string `json:"kid"`
	}
	if err := r.ReadBody(&in); err != nil {
		return "", err
	}
	if in.KID == "" {
		return "", kerror.APIAssertMissingArgument.New("body.kid")
	}
	return in.KID, nil
}

// revokeAPIKey ends a key for good: {kid, revokedAt}.
func (p *plugin) revokeAPIKey(ctx context.Context, r *sdk.Request) (any, error) {
	kid, err := kidOf(r)
	if err != nil {
		return nil, err
	}
	revokedAt := ""
	err = documents[keyRow]{p.apiKeys}.edit(ctx, kid, func(row *keyRow) (*keyRow, bool) {
		if row == nil {
			return nil, false
		}
		if row.RevokedAt == "" {
			row.RevokedAt = now()
			revokedAt = row.RevokedAt
			return row, true
		}
		revokedAt = row.RevokedAt
		return row, false
	})
	if err != nil {
		return nil, adminError(err)
	}
	if revokedAt == "" {
		return nil, refused(notFound, "There is no API key with this kid.")
	}
	if err := p.audited(ctx, r, kid); err != nil {
		return nil, err
	}
	return struct {
		KID       string `json:"kid"`
		RevokedAt string `json:"revokedAt"`
	}{kid, revokedAt}, nil
}

// adminError makes a problem an error of the usual form.
func adminError(err error) error {
	var p *problem
	if errors.As(err, &p) && p.status == http.StatusServiceUnavailable {
		return refused(p.kind, p.message)
	}
	return err
}

type stateRequest struct {
	Purpose     string `json:"purpose"`
	AuraID      string `json:"auraId"`
	UserID      string `json:"userId"`
	ChannelID   string `json:"channelId"`
	RedirectURI string `json:"redirectUri"`
	// ExpiresIn is in seconds; 0 is as long as possible.
	ExpiresIn int64 `json:"expiresIn"`
}

func (s *stateRequest) check(settings *settings) error {
	switch {
	case s.Purpose != linkPurpose && s.Purpose != unlinkPurpose:
		return badRequest("purpose must be link or unlink.")
	case s.Purpose == unlinkPurpose && s.AuraID == "" && s.UserID == "":
		return badRequest("auraId or userId must say whom to unlink.")
	case s.AuraID != "" && (reserved(s.AuraID) || !auraIDForm.MatchString(s.AuraID)):
		return badRequest("auraId is not an id that a user can have.")
	case len(s.UserID) > maxUserID:
		return badRequest("userId is too long.")
	case s.RedirectURI != "" && (!settings.mayRedirectTo(s.RedirectURI) || len(s.RedirectURI) > maxStateLength/2):
		return badRequest("redirectUri is not among the setting redirectUris.")
	case s.ExpiresIn < 0 || s.ExpiresIn > int64(maxStateLife/time.Second):
		return badRequest("expiresIn must be a number of seconds, 600 at most.")
	}
	var err error
	if s.ChannelID, err = asUUID("channelId", s.ChannelID); err != nil {
		return badRequest("channelId must be a UUID.")
	}
	return nil
}

// createState makes the parameter state of a callback: {state, expiresAt}.
func (p *plugin) createState(ctx context.Context, r *sdk.Request) (any, error) {
	r.Reply.SetHeader("Cache-Control", "no-store")
	var s stateRequest
	if err := r.ReadBody(&s); err != nil {
		return nil, err
	}
	if err := s.check(&p.settings); err != nil {
		return nil, err
	}
	life := maxStateLife
	if s.ExpiresIn > 0 {
		life = time.Duration(s.ExpiresIn) * time.Second
	}
	issued := time.Now()
	sealed := state{
		Purpose: s.Purpose, AuraID: s.AuraID, UserID: s.UserID, ChannelID: s.ChannelID, RedirectURI: s.RedirectURI,
		Nonce: uuid.NewString(), IssuedAt: issued.Unix(), ExpiresAt: issued.Add(life).Unix(),
	}
	text, err := p.sealState(sealed)
	if err != nil {
		return nil, err
	}
	if err := p.audited(ctx, r, p.keys.hmac("nonce", sealed.Nonce)); err != nil {
		return nil, err
	}
	return struct {
		State     string `json:"state"`
		ExpiresAt string `json:"expiresAt"`
	}{text, stamp(issued.Add(life))}, nil
}
