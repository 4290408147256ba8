package auth

import (
	"context"
	"errors"
	"net/http"

	tokens "github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// logout ends the token of the request; global ends all tokens of the user. The network takes the cookie away from who has his
// token there; without a good one in it there is nothing else to do, whatever the rights of anonymous.
func (c controller) logout(ctx context.Context, req *protocol.Request) (any, error) {
	inCookie, err := setsCookie(req)
	switch {
	case err != nil:
		return nil, err
	case inCookie && req.User.Anonymous():
		return acknowledged{true}, nil
	}
	if err := loggedIn(req); err != nil {
		return nil, err
	}
	global, err := req.Args.Bool("global")
	if err != nil {
		return nil, err
	}
	switch {
	case global:
		err = c.Tokens.RevokeAll(ctx, req.User.ID)
	case req.Token != "":
		err = c.Tokens.Revoke(ctx, req.Token)
	}
	if err != nil {
		return nil, err
	}
	return acknowledged{true}, nil
}

// validity is the answer of checkToken: kuid and expiresAt of a token that is good, state of one that is not.
type validity struct {
	Valid bool   `json:"valid"`
	State string `json:"state,omitzero"`
	KUID  string `json:"kuid,omitzero"`
	// ExpiresAt is milliseconds since 1970, -1 for never, null for anonymous; absent when the token is not valid.
	ExpiresAt any `json:"expiresAt,omitzero"`
}

// null is a JSON null that omitzero keeps.
type null struct{}

func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// checkToken says whether the token in the body is good, or that in the cookie. A bad one is an answer, not an error; none at all
// is anonymous.
func (c controller) checkToken(ctx context.Context, req *protocol.Request) (any, error) {
	text, err := checkedToken(req)
	if err != nil {
		return nil, err
	}
	if text == "" {
		return validity{Valid: true, KUID: protocol.AnonymousID, ExpiresAt: null{}}, nil
	}
	t, err := c.Tokens.Verify(ctx, text, tokens.VerifyOptions{})
	if err == nil {
		_, err = c.Users.User(ctx, t.KUID)
	}
	var refused *kerror.Error
	switch {
	case errors.Is(err, kerror.SecurityUserNotFound):
		return validity{State: kerror.SecurityTokenInvalid.New().Message}, nil
	case errors.As(err, &refused) && refused.Status == http.StatusUnauthorized:
		return validity{State: refused.Message}, nil
	case err != nil:
		return nil, err
	}
	expiresAt := int64(-1)
	if !t.ExpiresAt.IsZero() {
		expiresAt = t.ExpiresAt.UnixMilli()
	}
	return validity{Valid: true, KUID: t.KUID, ExpiresAt: expiresAt}, nil
}

// checkedToken gives the token that checkToken is about.
func checkedToken(req *protocol.Request) (string, error) {
	inCookie, err := readsCookie(req)
	switch {
	case err != nil:
		return "", err
	case inCookie:
		return req.Token, nil
	}
	body, err := req.OptBodyFields()
	if err != nil {
		return "", err
	}
	return body.OptString("token", "")
}

// refreshToken answers a new token in place of the request's, as login does. The old one ends after the grace period.
func (c controller) refreshToken(ctx context.Context, req *protocol.Request) (any, error) {
	inCookie, err := setsCookie(req)
	if err != nil {
		return nil, err
	}
	if err := loggedIn(req); err != nil {
		return nil, err
	}
	ttl, err := c.Tokens.Lifetime(req.Args)
	if err != nil {
		return nil, err
	}
	if req.Token == "" { // a call from inside the node has a user without a token
		return nil, kerror.SecurityTokenInvalid.New()
	}
	issued, err := c.Tokens.Refresh(ctx, req.Token, ttl)
	if err != nil {
		return nil, err
	}
	return hand(req, issued, inCookie), nil
}

// madeToken is the answer of createToken. ExpiresAt is milliseconds since 1970, TTL milliseconds.
type madeToken struct {
	Token     string `json:"token"`
	ExpiresAt int64  `json:"expiresAt"`
	TTL       int64  `json:"ttl"`
	SingleUse bool   `json:"singleUse"`
}

// createToken answers another token of the caller, which does not live for ever. One for a single use is good for one
// request: it makes no other token, and what it subscribed to ends when it would have.
func (c controller) createToken(ctx context.Context, req *protocol.Request) (any, error) {
	if err := loggedIn(req); err != nil {
		return nil, err
	}
	singleUse, err := req.Args.Bool("singleUse")
	if err != nil {
		return nil, err
	}
	ttl, err := c.Tokens.Lifetime(req.Args)
	if err != nil {
		return nil, err
	}
	if ttl == tokens.Infinite {
		return nil, kerror.SecurityTokenInvalidExpiration.New("-1")
	}
	issued, err := c.Tokens.IssueBy(ctx, req.Token, tokens.NewToken{KUID: req.User.ID, TTL: ttl, SingleUse: singleUse})
	if err != nil {
		return nil, err
	}
	return madeToken{issued.Text, issued.ExpiresAt, issued.TTL, singleUse}, nil
}
