package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	oidclib "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/oauth2"
)

const (
	// maxCodeBytes bounds a code; those of the large providers have less than 2 KiB.
	maxCodeBytes = 8 << 10
	// maxSubjectBytes is the bound of the standard.
	maxSubjectBytes = 255
)

// identity is somebody whom the provider vouches for.
type identity struct {
	subject string
	claims  map[string]jsontext.Value
	// found and token are what the user info endpoint is asked with, for what is not among the claims.
	found *endpoints
	token *oauth2.Token
}

// identify gives the code to the provider and looks at the ID token that it gets.
func (s *Strategy) identify(ctx context.Context, l pending, code string) (identity, error) {
	if code == "" || len(code) > maxCodeBytes {
		return identity{}, codeIsNoGood
	}
	found, err := s.provider.get(ctx)
	if err != nil {
		return identity{}, err
	}
	ctx = oidclib.ClientContext(ctx, s.provider.client)
	token, err := found.oauth.Exchange(ctx, code, oauth2.VerifierOption(l.verifier))
	if err != nil {
		return identity{}, s.exchangeFailed(ctx, err)
	}
	id, err := s.verifyIDToken(ctx, found, token, l.nonce)
	if err != nil {
		s.log.WarnContext(ctx, "an answer of an OpenID provider could not be verified", "issuer", s.options.Issuer, "error", shortened(err))
		return identity{}, unverified
	}
	if len(s.options.AllowedDomains) == 0 {
		return id, nil
	}
	claims, err := s.claims(ctx, id, "email", "email_verified")
	if err != nil {
		return identity{}, err
	}
	if !s.allowed(claims) {
		return identity{}, notAllowed
	}
	return id, nil
}

// exchangeFailed tells a code that is no good from a provider that is not. What counts against the client is a refusal: some
// providers answer an invented code as they answer wrong settings, and whoever does not wait for the answer must not get
// around that. What the provider wrote may hold secrets; its code of the error does not.
func (s *Strategy) exchangeFailed(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return wentAway
	}
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return s.provider.unavailable(shortened(err))
	}
	if answer.ErrorCode == "invalid_grant" {
		return codeIsNoGood
	}
	status, code := answer.Response.StatusCode, printable(answer.ErrorCode, maxErrorBytes)
	if status < http.StatusInternalServerError {
		s.log.ErrorContext(ctx, "an OpenID provider does not accept a code, or the settings: look at clientId, clientSecret and redirectUrl in security.oidc",
			"issuer", s.options.Issuer, "status", status, "error", code)
		return notAccepted
	}
	return s.provider.unavailable(fmt.Errorf("it answered the code with status %d, error %q", status, code))
}

// verifyIDToken checks the ID token beside an access token: signature, issuer, audience and time, then the nonce of this
// login, for whom it was issued, and that both tokens belong together.
func (s *Strategy) verifyIDToken(ctx context.Context, found *endpoints, token *oauth2.Token, nonce string) (identity, error) {
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return identity{}, errors.New("there is no ID token beside the access token")
	}
	verified, err := found.idToken.Verify(ctx, raw)
	if err != nil {
		return identity{}, err
	}
	if subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(nonce)) != 1 {
		return identity{}, errors.New("the nonce of the ID token is not that of this login")
	}
	if verified.AccessTokenHash != "" {
		if err := verified.VerifyAccessToken(token.AccessToken); err != nil {
			return identity{}, err
		}
	}
	if verified.Subject == "" || len(verified.Subject) > maxSubjectBytes {
		return identity{}, errors.New("the subject of the ID token is empty or too long")
	}
	id := identity{subject: verified.Subject, found: found, token: token}
	if err := verified.Claims(&id.claims); err != nil {
		return identity{}, fmt.Errorf("parse the claims of the ID token: %w", err)
	}
	if party := text(id.claims["azp"]); party != s.options.ClientID && (party != "" || len(verified.Audience) > 1) {
		return identity{}, fmt.Errorf("the ID token was issued for %q", printable(party, maxErrorBytes))
	}
	return id, nil
}

// claims gives those of the ID token; when one of the wanted is not among them, with those of the user info endpoint.
func (s *Strategy) claims(ctx context.Context, id identity, wanted ...string) (map[string]jsontext.Value, error) {
	lacking := slices.ContainsFunc(wanted, func(name string) bool { return id.claims[name] == nil })
	if !lacking || id.found.UserInfoEndpoint() == "" {
		return id.claims, nil
	}
	ctx = oidclib.ClientContext(ctx, s.provider.client)
	info, err := id.found.UserInfo(ctx, oauth2.StaticTokenSource(id.token))
	if err != nil {
		return nil, s.provider.unavailable(fmt.Errorf("ask who a user is: %w", shortened(err)))
	}
	if info.Subject != id.subject {
		s.log.WarnContext(ctx, "an OpenID provider told of another user than it was asked for", "issuer", s.options.Issuer)
		return nil, unverified
	}
	var all map[string]jsontext.Value
	if err := info.Claims(&all); err != nil {
		return nil, s.provider.unavailable(fmt.Errorf("parse who a user is: %w", err))
	}
	maps.Copy(all, id.claims)
	return all, nil
}

// allowed reports whether the domain of the e-mail address is one of those in the settings.
func (s *Strategy) allowed(claims map[string]jsontext.Value) bool {
	email := text(claims["email"])
	at := strings.LastIndexByte(email, '@')
	verified := string(claims["email_verified"])
	if at < 1 || verified != "true" && verified != `"true"` { // some providers write it as text
		return false
	}
	return slices.ContainsFunc(s.options.AllowedDomains, func(domain string) bool { return strings.EqualFold(domain, email[at+1:]) })
}

// text gives a claim that is a text, "" for any other.
func text(claim jsontext.Value) string {
	var s string
	if claim.Kind() != '"' || json.Unmarshal(claim, &s) != nil {
		return ""
	}
	return s
}
