package auth

import (
	"context"
	"errors"

	tokens "github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// The controller of passwords has the name that it has in Kuzzle, where the strategy local is a plugin.
const (
	passwordOwner      = "kuzzle-plugin-auth-passport-local" //nolint:gosec // a name, no secret
	passwordController = passwordOwner + "/password"
	passwordStrategy   = "local"
)

// Passwords are those of the strategy local.
type Passwords interface {
	// ResetToken makes a token with which whoever has it sets a new password for the user.
	ResetToken(ctx context.Context, kuid string) (string, error)
	// Reset sets the password of the user whom the token is for and gives him.
	Reset(ctx context.Context, req *protocol.Request, token, password string) (kuid string, err error)
}

type passwords struct {
	controller
	Passwords
}

// PasswordActions gives the controller with which passwords are set anew. Everybody may reset: the token says for whom.
func PasswordActions(o Options, p Passwords) router.Contribution {
	c := passwords{controller{o}, p}
	routes := func(verb, end string) []router.Route {
		return []router.Route{
			{Verb: verb, Path: "/_plugin/" + passwordController + end}, {Verb: verb, Path: "/_/" + passwordController + end},
		}
	}
	const reset = "reset"
	return router.Contribution{
		Owner: passwordOwner,
		Actions: []router.Action{
			{
				Controller: passwordController, Name: "getResetPasswordToken", Handler: c.resetToken, Auth: router.AuthRequired,
				Routes: routes("GET", "/resetToken/:_id"),
			},
			{Controller: passwordController, Name: reset, Handler: c.reset, Routes: routes("POST", "/reset")},
		},
		Grants: []security.Grant{
			{Role: "anonymous", Controller: passwordController, Action: reset},
			{Role: "default", Controller: passwordController, Action: reset},
		},
	}
}

// resetToken answers {resetToken} for the user of that id.
func (c passwords) resetToken(ctx context.Context, req *protocol.Request) (any, error) {
	if req.ID == "" {
		return nil, kerror.APIAssertMissingArgument.New("_id")
	}
	if _, err := c.Users.ReadUser(ctx, req.ID); err != nil {
		return nil, err
	}
	token, err := c.ResetToken(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	return struct {
		ResetToken string `json:"resetToken"`
	}{token}, nil
}

// reset sets a password and logs its user in, through all that a login goes through: another step of it is not left out.
func (c passwords) reset(ctx context.Context, req *protocol.Request) (any, error) {
	body, err := req.BodyFields()
	if err != nil {
		return nil, err
	}
	password, err := body.String("password")
	if err != nil {
		return nil, err
	}
	token, err := body.String("token")
	if err != nil {
		return nil, err
	}
	ttl, err := c.Tokens.Lifetime(req.Args)
	if err != nil {
		return nil, err
	}
	kuid, err := c.attempt(ctx, req, token, password)
	if err != nil {
		return nil, err
	}
	stored, err := c.knownUser(ctx, passwordStrategy, kuid)
	if err != nil {
		return nil, err
	}
	user, answer, err := c.announce(ctx, req, passwordStrategy, stored)
	if err != nil || user == "" {
		return answer, err
	}
	return c.issue(ctx, req, user, ttl, false)
}

// attempt resets, unless too many tokens from there were wrong.
func (c passwords) attempt(ctx context.Context, req *protocol.Request, token, password string) (string, error) {
	attempt, err := c.Throttle.Begin(ctx, req.Connection, passwordStrategy, "")
	if err != nil {
		return "", err
	}
	result := tokens.Undecided
	defer func() { attempt.End(result) }()
	kuid, err := c.Reset(ctx, req, token, password)
	switch {
	case err == nil:
		result = tokens.Succeeded
	case errors.Is(err, kerror.PluginLocalInvalidToken) || errors.Is(err, kerror.PluginLocalExpiredToken):
		result = tokens.Failed
	}
	return kuid, err
}
