package auth

import (
	"context"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// draft is a user that is being made. Its credentials are created before it is stored, and what a strategy wants of them may
// depend on its profiles.
type draft struct {
	kuid       string
	profileIDs []string
}

type draftKey struct{}

// withDraft lets ProfileIDs know a user of that content, which was checked.
func withDraft(ctx context.Context, kuid string, content jsontext.Value) (context.Context, error) {
	var fields struct {
		ProfileIDs []string `json:"profileIds"`
	}
	if err := json.Unmarshal(content, &fields); err != nil {
		return nil, err
	}
	return context.WithValue(ctx, draftKey{}, draft{kuid, fields.ProfileIDs}), nil
}

// ProfileIDs gives the profiles of a user, also of the one that is being made on behalf of ctx; security.user.not_found when
// there is none.
func (s *Service) ProfileIDs(ctx context.Context, kuid string) ([]string, error) {
	if d, ok := ctx.Value(draftKey{}).(draft); ok && d.kuid == kuid {
		return d.profileIDs, nil
	}
	u, err := s.users.User(ctx, kuid)
	if err != nil {
		return nil, err
	}
	return u.ProfileIDs, nil
}
