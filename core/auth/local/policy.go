package local

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Policy says what the passwords of some users must be like. Without users, profiles and roles it is for everybody.
type Policy struct {
	Users, Profiles, Roles []string
	// ExpiresAfter is the longest age of a password, 0 or below for none.
	ExpiresAfter time.Duration
	// ForbidUsername refuses passwords with the user name in them, in whatever case.
	ForbidUsername bool
	// Unlike is how many passwords, the one in force and those before it, cannot be taken again.
	Unlike int
	// MustChange lets nobody in with a password that another user set. Holders of the role admin are exempt.
	MustChange bool
	// Pattern is what passwords match, nil for anything.
	Pattern *regexp.Regexp
}

// Member is what policies look at of a user.
type Member struct{ ProfileIDs, RoleIDs []string }

// adminRole is the role whose holders may keep passwords that others set.
const adminRole = "admin"

func (p Policy) appliesTo(kuid string, m Member) bool {
	if len(p.Users)+len(p.Profiles)+len(p.Roles) == 0 || slices.Contains(p.Users, kuid) {
		return true
	}
	return meet(p.Profiles, m.ProfileIDs) || meet(p.Roles, m.RoleIDs)
}

func meet(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// rules are all policies for one user in one; the zero value asks for nothing.
type rules struct {
	expiresAfter               time.Duration
	forbidUsername, mustChange bool
	unlike                     int
	patterns                   []*regexp.Regexp
}

// rulesFor gives the rules for a user, or for one that is being made on behalf of ctx.
func (s *Strategy) rulesFor(ctx context.Context, kuid string) (rules, error) {
	if len(s.policies) == 0 {
		return rules{}, nil
	}
	member, err := s.member(ctx, kuid)
	if err != nil {
		return rules{}, err
	}
	var all rules
	for _, p := range s.policies {
		if p.appliesTo(kuid, member) {
			all.add(p)
		}
	}
	all.mustChange = all.mustChange && !slices.Contains(member.RoleIDs, adminRole)
	return all, nil
}

func (r *rules) add(p Policy) {
	if p.ExpiresAfter > 0 && (r.expiresAfter == 0 || p.ExpiresAfter < r.expiresAfter) {
		r.expiresAfter = p.ExpiresAfter
	}
	r.forbidUsername = r.forbidUsername || p.ForbidUsername
	r.mustChange = r.mustChange || p.MustChange
	r.unlike = max(r.unlike, p.Unlike)
	if p.Pattern != nil {
		r.patterns = append(r.patterns, p.Pattern)
	}
}

// check finds what is wrong with a new password, except that it was used before.
func (r rules) check(username, password string) error {
	if r.forbidUsername && username != "" && strings.Contains(strings.ToLower(password), strings.ToLower(username)) {
		return kerror.PluginLocalLoginInPassword.New()
	}
	for _, pattern := range r.patterns {
		if !pattern.MatchString(password) {
			return kerror.PluginLocalWeakPassword.New()
		}
	}
	return nil
}

// due says why a password that is right lets nobody in any more, nil when it does.
func (r rules) due(stored record, now time.Time) *kerror.Error {
	switch {
	case r.mustChange && stored.SetBy != "":
		return kerror.PluginLocalMustChangePassword.New()
	case r.expiresAfter > 0 && now.Sub(time.UnixMilli(stored.SetAt)) >= r.expiresAfter:
		return kerror.PluginLocalExpiredPassword.New()
	default:
		return nil
	}
}

// letIn fails for a password that is right and has to be changed. The error brings the token to change it with.
func (s *Strategy) letIn(ctx context.Context, stored record) error {
	r, err := s.rulesFor(ctx, stored.KUID)
	if err != nil {
		return err
	}
	if due := r.due(stored, s.now()); due != nil {
		return due.With("resetToken", s.resetTokenFor(stored))
	}
	return nil
}

// withPassword gives the record with a new password that its rules allow, for the user name that it is to have.
func (s *Strategy) withPassword(ctx context.Context, req *protocol.Request, username, password string, r record) (record, error) {
	all, err := s.rulesFor(ctx, r.KUID)
	if err != nil {
		return record{}, err
	}
	if err := all.check(username, password); err != nil {
		return record{}, err
	}
	var earlier []string
	if r.Hash != "" {
		earlier = slices.Concat([]string{r.Hash}, r.Earlier)
	}
	earlier = earlier[:min(len(earlier), all.unlike)]
	if err := s.unlike(ctx, networkOf(req), password, earlier); err != nil {
		return record{}, err
	}
	h, err := s.hasher.hash(ctx, networkOf(req), password)
	if err != nil {
		return record{}, err
	}
	r.Hash, r.Earlier = h.String(), earlier[:min(len(earlier), max(all.unlike-1, 0))]
	r.SetAt, r.SetBy = s.now().UnixMilli(), setter(req, r.KUID)
	return r, nil
}

// unlike refuses a password that one of the hashes was made of. A hash that cannot be read is of no password.
func (s *Strategy) unlike(ctx context.Context, network, password string, hashes []string) error {
	for _, text := range hashes {
		h, err := parseStored(text)
		if err != nil {
			continue
		}
		same, err := s.hasher.matches(ctx, network, h, password)
		if err != nil {
			return err
		}
		if same {
			return kerror.PluginLocalReusedPassword.New()
		}
	}
	return nil
}

// setter is the other user who sets a password. Anonymous, who signs up, and a plugin or a node that acts for nobody set it for
// its user.
func setter(req *protocol.Request, kuid string) string {
	if req == nil || req.User.Anonymous() || req.User.ID == kuid {
		return ""
	}
	return req.User.ID
}
