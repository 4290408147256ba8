package local

import (
	"context"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// confirm wants the password in force from users who change or delete their own credentials, if they are to give it: 400 without
// it, 403 for a wrong one. Guesses count as those of logins do.
func (s *Strategy) confirm(ctx context.Context, req *protocol.Request, username string, r record) error {
	if !s.requirePassword || !ofOneself(req) {
		return nil
	}
	password, err := currentPassword(req)
	if err != nil {
		return err
	}
	h, err := r.password()
	if err != nil {
		return err
	}
	attempt, err := s.throttle.Begin(ctx, req.Connection, Name, username)
	if err != nil {
		return err
	}
	result := auth.Undecided
	defer func() { attempt.End(result) }()
	ok, err := s.hasher.matches(ctx, networkOf(req), h, password)
	if err != nil {
		return err
	}
	if !ok {
		result = auth.Failed
		return kerror.Bare(kerror.ForbiddenError, "The current password is wrong.")
	}
	result = auth.Succeeded
	return nil
}

// ofOneself reports whether the request changes credentials of the user who sent it. What the controller security changes, it
// changes by the rights of whoever asks.
func ofOneself(req *protocol.Request) bool {
	return req != nil && req.Controller == "auth" && (req.Action == "updateMyCredentials" || req.Action == "deleteMyCredentials")
}

// currentPassword is the member currentPassword of the body or the argument password; that of the body is the new one.
func currentPassword(req *protocol.Request) (string, error) {
	body, err := req.OptBodyFields()
	if err != nil {
		return "", err
	}
	password := auth.Login{Body: body}.Field("currentPassword")
	if password == "" {
		password = auth.Login{Args: req.Args}.Field("password")
	}
	if password == "" {
		return "", kerror.APIAssertMissingArgument.New("body.currentPassword")
	}
	return password, acceptable("currentPassword", password, maxPasswordBytes)
}
