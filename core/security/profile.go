package security

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// profile is what one profile allows.
type profile struct {
	id string
	// rateLimit is requests per second, 0 for unlimited.
	rateLimit int
	policies  []policy
}

// policy is a role, perhaps only in some places.
type policy struct {
	role *role
	// places are the collections by index; an empty list is all collections of that index. nil is everywhere.
	places map[string][]string
}

// reaches reports whether the policy holds in a place. Without an index there is no place to restrict; an index without
// a collection is the whole index.
func (p *policy) reaches(index, collection string) bool {
	if p.places == nil || index == "" {
		return true
	}
	collections, ok := p.places[index]
	return ok && (len(collections) == 0 || slices.Contains(collections, collection))
}

// profileBody is the stored form of a profile, which may hold other members. A policy may not: a restriction that is
// misspelt must not be no restriction.
type profileBody struct {
	RateLimit int              `json:"rateLimit"`
	Policies  []jsontext.Value `json:"policies"`
}

type policyBody struct {
	RoleID       string `json:"roleId"`
	RestrictedTo []struct {
		Index       string   `json:"index"`
		Collections []string `json:"collections"`
	} `json:"restrictedTo"`
}

// ReadProfile gives the profile as it is stored, or the built-in one; security.profile.not_found when there is neither.
func (s *Service) ReadProfile(ctx context.Context, id string) (Stored, error) {
	doc, err := s.engine.Get(ctx, profilesCollection, id)
	switch {
	case err == nil:
		return Stored{doc.ID, doc.Source}, nil
	case !errors.Is(err, kerror.ServicesStorageNotFound):
		return Stored{}, StorageFailed("read profile "+id, err)
	}
	if source := s.builtIn().profiles[id]; source != "" {
		return Stored{id, jsontext.Value(source)}, nil
	}
	return Stored{}, kerror.SecurityProfileNotFound.New(id)
}

// profile gives the compiled profile, from memory when it is there; errUnusable when it is missing or malformed.
func (s *Service) profile(ctx context.Context, id string) (*profile, error) {
	if p, ok := s.profiles.Get(id); ok {
		return p, nil
	}
	generation := s.current()
	stored, err := s.ReadProfile(ctx, id)
	if errors.Is(err, kerror.SecurityProfileNotFound) {
		return nil, fmt.Errorf("profile %q is missing: %w", id, errUnusable)
	}
	if err != nil {
		return nil, err
	}
	p, err := s.compileProfile(ctx, stored)
	if err != nil {
		return nil, err
	}
	s.keep(generation, func() { s.profiles.Add(id, p) })
	return p, nil
}

// compileProfile resolves the policies of a profile. A policy that cannot be understood is left out and
// logged.
func (s *Service) compileProfile(ctx context.Context, stored Stored) (*profile, error) {
	var body profileBody
	if err := json.Unmarshal(stored.Source, &body); err != nil {
		return nil, fmt.Errorf("parse profile %q: %w: %w", stored.ID, err, errUnusable)
	}
	p := &profile{id: stored.ID, rateLimit: max(body.RateLimit, 0)}
	for _, raw := range body.Policies {
		one, err := s.compilePolicy(ctx, raw)
		if errors.Is(err, errUnusable) {
			s.log.WarnContext(ctx, "policy left out of a profile", "profile", stored.ID, "error", err)
			continue
		}
		if err != nil {
			return nil, err
		}
		p.policies = append(p.policies, one)
	}
	return p, nil
}

// compilePolicy gives a policy with its role; errUnusable when one of them is malformed or there is no such role.
func (s *Service) compilePolicy(ctx context.Context, raw jsontext.Value) (policy, error) {
	var body policyBody
	if err := json.Unmarshal(raw, &body, json.RejectUnknownMembers(true)); err != nil {
		return policy{}, fmt.Errorf("parse policy: %w: %w", err, errUnusable)
	}
	stored, err := s.ReadRole(ctx, body.RoleID)
	if errors.Is(err, kerror.SecurityRoleNotFound) {
		return policy{}, fmt.Errorf("role %q is missing: %w", body.RoleID, errUnusable)
	}
	if err != nil {
		return policy{}, err
	}
	r, err := parseRole(body.RoleID, stored.Source)
	if err != nil {
		return policy{}, err
	}
	one := policy{role: r}
	for _, place := range body.RestrictedTo {
		if one.places == nil {
			one.places = map[string][]string{}
		}
		one.places[place.Index] = append(one.places[place.Index], place.Collections...)
	}
	return one, nil
}
