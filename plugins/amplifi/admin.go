package main

import (
	"context"
	"errors"
	"net/http"

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
	if err := r.ReadBody(&n); err != nil {
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
	if err := r.ReadBody(&n); err != nil {
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
	userID, err := userOf(r)
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

// userOf gives the user whom an action is about: the argument, as the route has it, or a member of the body.
func userOf(r *sdk.Request) (string, error) {
	if r.Args.Has("userId") {
		return r.Args.String("userId")
	}
	var in struct {
		AFiUserID string `json:"AFiUserId"`
	}
	if err := r.ReadBody(&in); err != nil {
		return "", err
	}
	if in.AFiUserID == "" {
		return "", kerror.APIAssertMissingArgument.New("body.AFiUserId")
	}
	return in.AFiUserID, nil
}

// asAnswer is what administrators are told; errors of the node are theirs as they are.
func asAnswer(err error) error {
	var wrong invalid
	switch {
	case errors.As(err, &wrong):
		return sdk.ServiceError(id, errInvalidField.code, errInvalidField.number, errInvalidField.status, wrong.Error())
	case errors.Is(err, errNameTaken):
		return sdk.ServiceError(id, "userExists", 13, http.StatusPreconditionFailed, "This userName or AFiUserId is taken.")
	case errors.Is(err, errDeviceTaken):
		return sdk.ServiceError(id, "deviceExists", 14, http.StatusPreconditionFailed, "This device is registered already.")
	case errors.Is(err, errNoUser):
		return sdk.ServiceError(id, "userNotFound", 15, http.StatusNotFound, "There is no such user.")
	case errors.Is(err, passwords.ErrBusy):
		return kerror.APIProcessOverloaded.New()
	}
	return err
}
