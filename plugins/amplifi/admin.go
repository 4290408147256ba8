package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/passwords"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// admin are the actions of those whom a role of the node allows them; no standard role but that of administrators does.
func (p *plugin) admin() []sdk.Action {
	action := func(name, verb, path string, h sdk.Handler) sdk.Action {
		return sdk.Action{
			Controller: adminController, Name: name, Routes: []sdk.Route{{Verb: verb, Path: path}},
			Auth: sdk.AuthRequired, Profile: protocol.KuzzleV2, MaxBodyBytes: maxBodyBytes, Handler: h,
		}
	}
	return []sdk.Action{
		action("createUser", http.MethodPost, "/admin/users", p.createUser),
		action("registerDevice", http.MethodPost, "/admin/devices", p.registerDevice),
		action("disableUser", http.MethodPost, "/admin/users/:userId/_disable", p.disableUser),
		action("metrics", http.MethodGet, "/admin/metrics", p.showMetrics),
	}
}

// createUser answers the new user as GET /user does, and its name.
func (p *plugin) createUser(ctx context.Context, r *sdk.Request) (any, error) {
	var n newUser
	if err := readBody(r, &n); err != nil {
		return nil, err
	}
	u, err := p.addUser(ctx, n)
	if err != nil {
		p.audit(ctx, r, normalName(n.UserName), err)
		return nil, asAnswer(err)
	}
	p.audit(ctx, r, u.AFiUserID, nil)
	return struct {
		profile
		UserName string `json:"userName"`
	}{u.profile(), u.UserName}, nil
}

// registerDevice answers the device, and what was made for it: a deviceId, a deviceKey. Nobody is told again.
func (p *plugin) registerDevice(ctx context.Context, r *sdk.Request) (any, error) {
	var n newDevice
	if err := readBody(r, &n); err != nil {
		return nil, err
	}
	r.Reply.SetHeader("Cache-Control", "no-store")
	answer, err := p.addDevice(ctx, n)
	p.audit(ctx, r, n.AFiUserID, err)
	if err != nil {
		return nil, asAnswer(err)
	}
	return answer, nil
}

// disableUser answers since when the user is disabled, and how many tokens have ended.
func (p *plugin) disableUser(ctx context.Context, r *sdk.Request) (any, error) {
	userID, err := r.Args.String("userId")
	if err != nil {
		return nil, err
	}
	at, ended, err := p.disable(ctx, userID)
	p.audit(ctx, r, userID, err)
	if err != nil {
		return nil, asAnswer(err)
	}
	return struct {
		AFiUserID string    `json:"AFiUserId"`
		Disabled  timestamp `json:"disabledAt"`
		Revoked   int       `json:"revokedTokens"`
	}{userID, at, ended}, nil
}

func readBody(r *sdk.Request, v any) error {
	body, err := r.BodyObject()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, v, json.RejectUnknownMembers(true)); err != nil {
		return kerror.Bare(kerror.BadRequestError, "The body has a member that is unknown or of the wrong type.")
	}
	return nil
}

// asAnswer is what administrators are told; errors of the node are theirs as they are.
func asAnswer(err error) error {
	var wrong invalid
	switch {
	case errors.As(err, &wrong):
		return kerror.Bare(kerror.BadRequestError, wrong.Error())
	case errors.Is(err, errNameTaken):
		return kerror.Bare(kerror.PreconditionError, "This userName or AFiUserId is taken.")
	case errors.Is(err, errDeviceTaken):
		return kerror.Bare(kerror.PreconditionError, "This device is registered already.")
	case errors.Is(err, errNoUser):
		return kerror.Bare(kerror.NotFoundError, "There is no such user.")
	case errors.Is(err, passwords.ErrBusy):
		return kerror.APIProcessOverloaded.New()
	}
	return err
}
