package security

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// Right is one line of what a user may do. "*" stands for everything.
type Right struct {
	Controller string `json:"controller"`
	Action     string `json:"action"`
	Index      string `json:"index"`
	Collection string `json:"collection"`
	// Value is "allowed" or "denied".
	Value string `json:"value"`
}

// Rights lists what the roles and grants of u say, one line for each action in each place, sorted. Where two lines speak
// of the same, allowed wins.
func (s *Service) Rights(u *User, g Grants) []Right {
	lines := map[Right]bool{}
	for _, p := range u.profiles {
		for i := range p.policies {
			p.policies[i].list(g, func(r Right, allowed bool) { lines[r] = lines[r] || allowed })
		}
	}
	list := slices.Collect(maps.Keys(lines))
	for i := range list {
		allowed := lines[list[i]]
		list[i].Value = "denied"
		if allowed {
			list[i].Value = "allowed"
		}
	}
	slices.SortFunc(list, func(a, b Right) int {
		return cmp.Or(cmp.Compare(a.Controller, b.Controller), cmp.Compare(a.Action, b.Action),
			cmp.Compare(a.Index, b.Index), cmp.Compare(a.Collection, b.Collection))
	})
	return list
}

// ProfileRights is Rights for somebody who has this profile alone; security.profile.not_found when there is none.
func (s *Service) ProfileRights(ctx context.Context, id string, g Grants) ([]Right, error) {
	if _, err := s.ReadProfile(ctx, id); err != nil {
		return nil, err
	}
	p, err := s.profile(ctx, id)
	switch {
	case errors.Is(err, errUnusable):
		return nil, kerror.SecurityProfileCannotHydrate.Wrap(err, id)
	case err != nil:
		return nil, err
	}
	return s.Rights(&User{profiles: []*profile{p}}, g), nil
}

// list visits every line of one policy.
func (p *policy) list(g Grants, visit func(r Right, allowed bool)) {
	places := p.lines()
	say := func(controller, action string, allowed bool) {
		for _, r := range places {
			r.Controller, r.Action = controller, action
			visit(r, allowed)
		}
	}
	for controller, actions := range p.role.controllers {
		for action, allowed := range actions {
			say(controller, action, allowed)
		}
	}
	for grant := range g.set {
		if _, named := p.role.controllers[grant.Controller]; grant.Role == p.role.id && !named {
			say(grant.Controller, grant.Action, true)
		}
	}
}

// lines gives a line for each place the policy holds in.
func (p *policy) lines() []Right {
	if p.places == nil {
		return []Right{{Index: "*", Collection: "*"}}
	}
	var lines []Right
	for index, collections := range p.places {
		if len(collections) == 0 {
			lines = append(lines, Right{Index: index, Collection: "*"})
		}
		for _, c := range collections {
			lines = append(lines, Right{Index: index, Collection: c})
		}
	}
	return lines
}
