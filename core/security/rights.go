package security

import (
	"context"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Allowed decides whether u may do what req asks for. It reads nothing and, for a request without targets, allocates
// nothing. One policy that allows is enough; where the request names several places, each needs one.
func (s *Service) Allowed(u *User, req *protocol.Request, g Grants) bool {
	if u == nil {
		return false
	}
	controller := canonical(req.Controller)
	if req.Args.Raw("targets") != nil {
		return u.allowedInAll(controller, req, g)
	}
	return u.allowedIn(controller, req.Action, req.Index, req.Collection, g)
}

func (u *User) allowedIn(controller, action, index, collection string, g Grants) bool {
	for _, p := range u.profiles {
		for i := range p.policies {
			if one := &p.policies[i]; one.reaches(index, collection) && one.role.allows(controller, action, g) {
				return true
			}
		}
	}
	return false
}

// allowedInAll decides a request that names its places in targets. Targets that cannot be read are refused, whatever the user
// may do; without any target the role alone decides.
func (u *User) allowedInAll(controller string, req *protocol.Request, g Grants) bool {
	targets, err := req.Args.Targets()
	if err != nil || !u.allowedIn(controller, req.Action, "", "", g) {
		return false
	}
	for _, t := range targets {
		for _, c := range t.Collections {
			if !u.allowedIn(controller, req.Action, t.Index, c, g) {
				return false
			}
		}
	}
	return true
}

// Further gives the decision on other requests of the caller of req: the one that each would get if it came by itself. A call
// from inside the node that asks for no decision gets none here either.
func (s *Service) Further(ctx context.Context, req *protocol.Request, g Grants) (func(*protocol.Request) bool, error) {
	if req.Internal != nil && !req.Internal.CheckRights {
		return func(*protocol.Request) bool { return true }, nil
	}
	user, err := s.User(ctx, req.User.KUID())
	if err != nil {
		return nil, err
	}
	return func(further *protocol.Request) bool { return s.Allowed(user, further, g) }, nil
}

// Denied is the refusal of req: what is wrong with its targets, which nobody may use like that, else 401 to anonymous, who may
// log in, and 403 to others.
func (s *Service) Denied(u *User, req *protocol.Request) error {
	if _, err := req.Args.Targets(); err != nil {
		return err
	}
	if u == nil || u.Anonymous() {
		return kerror.SecurityRightsUnauthorized.New(req.Controller, req.Action)
	}
	return kerror.SecurityRightsForbidden.New(req.Controller, req.Action, u.ID)
}

// RateLimit is how many requests a second u may make on one node, 0 for unlimited: the highest of its profiles.
func (s *Service) RateLimit(u *User) int {
	highest := 0
	for _, p := range u.profiles {
		if p.rateLimit == 0 {
			return 0
		}
		highest = max(highest, p.rateLimit)
	}
	return highest
}

// everything reports whether u may call whatever action there is.
func (u *User) everything() bool {
	for _, p := range u.profiles {
		for i := range p.policies {
			if p.policies[i].role.everything() {
				return true
			}
		}
	}
	return false
}
