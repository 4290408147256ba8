package security

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

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
	if raw := req.Args.Raw("targets"); raw != nil {
		return u.allowedInAll(controller, req.Action, raw, req.Args.FromText(), g)
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

// target is one entry of the argument targets.
type target struct {
	Index       string   `json:"index"`
	Collections []string `json:"collections"`
}

// allowedInAll decides a request that names its places in targets. Targets that are malformed or that name places by
// pattern are refused, whatever the user may do; without any target the role alone decides.
func (u *User) allowedInAll(controller, action string, raw jsontext.Value, text bool, g Grants) bool {
	if text && raw.Kind() == '"' {
		var inner string
		if json.Unmarshal(raw, &inner) != nil {
			return false
		}
		raw = jsontext.Value(inner)
	}
	var targets []target
	if json.Unmarshal(raw, &targets) != nil || !u.allowedIn(controller, action, "", "", g) {
		return false
	}
	for _, t := range targets {
		if !plainName(t.Index) || len(t.Collections) == 0 {
			return false
		}
		for _, c := range t.Collections {
			if !plainName(c) || !u.allowedIn(controller, action, t.Index, c, g) {
				return false
			}
		}
	}
	return true
}

func plainName(s string) bool { return s != "" && !strings.Contains(s, "*") }

// Denied is the refusal of req: 401 to anonymous, who may log in, 403 to others.
func (s *Service) Denied(u *User, req *protocol.Request) error {
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
