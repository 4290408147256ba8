package oidc

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// maxClaimBytes bounds a claim that is copied into a user; a longer one is left out.
const maxClaimBytes = 4 << 10

// account gives the user of an identity, who is made when the settings say so; noAccount when there is none. Credentials
// whose user is not there count as none.
func (s *Strategy) account(ctx context.Context, login auth.Login, id identity) (string, error) {
	kuid, err := s.user(ctx, login, id.subject)
	if kuid != "" || err != nil {
		return kuid, err
	}
	if !s.options.CreateUser {
		return "", noAccount
	}
	select {
	case s.making <- struct{}{}:
		defer func() { <-s.making }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if kuid, err = s.user(ctx, login, id.subject); kuid != "" || err != nil { // made while this login waited
		return kuid, err
	}
	kuid, err = s.makeUser(ctx, login.Request, id)
	if errors.Is(err, errTaken) { // by another node
		if kuid, err := s.user(ctx, login, id.subject); kuid != "" || err != nil {
			return kuid, err
		}
	}
	return kuid, err
}

// user gives the user that has the subject, "" for nobody.
func (s *Strategy) user(ctx context.Context, login auth.Login, subject string) (string, error) {
	r, err := s.read(ctx, subject)
	if errors.Is(err, errNone) {
		return "", nil
	}
	if err != nil || login.Known == nil {
		return r.KUID, err
	}
	known, err := login.Known(ctx, r.KUID)
	if err != nil || !known {
		return "", err
	}
	return r.KUID, nil
}

func (s *Strategy) makeUser(ctx context.Context, req *protocol.Request, id identity) (string, error) {
	claims, err := s.claims(ctx, id, slices.Collect(maps.Values(s.options.UserFields))...)
	if err != nil {
		return "", err
	}
	content, err := s.content(claims)
	if err != nil {
		return "", err
	}
	credentials, err := json.Marshal(map[string]string{"subject": id.subject})
	if err != nil {
		return "", err
	}
	newID, err := security.NewID("")
	if err != nil {
		return "", err
	}
	stored, err := s.options.Users.CreateUser(ctx, req, auth.NewUser{
		NewID: newID, Content: content, Credentials: []protocol.Arg{{Name: s.options.Name, Value: credentials}},
	})
	if errors.Is(err, kerror.SecurityProfileNotFound) { // a fault of the settings, not of the client
		return "", kerror.CoreFatalUnexpectedError.Wrap(err, "a profile of security.oidc."+s.options.Name+".profileIds does not exist")
	}
	if err != nil {
		return "", err
	}
	s.log.InfoContext(ctx, "a user was made at the first login with an OpenID provider", "user", stored.ID)
	return stored.ID, nil
}

// content is that of a new user: its profiles and the claims that the settings name.
func (s *Strategy) content(claims map[string]jsontext.Value) (jsontext.Value, error) {
	profiles, err := json.Marshal(s.options.ProfileIDs)
	if err != nil {
		return nil, err
	}
	var content protocol.Args
	for field, claim := range s.options.UserFields {
		if value := claims[claim]; value != nil && len(value) <= maxClaimBytes {
			content.Set(field, value)
		}
	}
	content.Set("profileIds", profiles)
	return content.JSON(), nil
}
