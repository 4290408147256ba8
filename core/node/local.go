package node

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/auth/local"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// addLocalStrategy adds the strategy local, and makes the throttle of whatever looks at passwords.
func (n *Node) addLocalStrategy(ctx context.Context) error {
	c := n.options.Config
	var err error
	n.throttle, err = auth.NewThrottle(auth.ThrottleOptions{
		LoginsPerSecond: c.Limits.LoginsPerSecond, FailedLoginsPerMinute: c.Limits.FailedLoginsPerMinute,
	})
	if err != nil {
		return err
	}
	policies, err := passwordPolicies(c.Security.Local.Policies)
	if err != nil {
		return err
	}
	cost := c.Security.PasswordHash
	n.passwords, err = local.Open(ctx, local.Options{
		Engine: n.engine, Logger: n.options.Logger,
		Cost: local.Cost{
			MemoryKiB: uint32(cost.MemoryKiB), Iterations: uint32(cost.Iterations), Parallelism: uint8(cost.Parallelism), //nolint:gosec // config checked the bounds
		},
		Policies: policies, Member: n.member, ResetExpiresIn: c.Security.Local.ResetPasswordExpiresIn.Duration(),
		RequirePassword: c.Security.Local.RequirePassword, Throttle: n.throttle,
	})
	if err != nil {
		return err
	}
	return n.tokens.Strategies().Add(auth.Named{Name: local.Name, Strategy: n.passwords})
}

// passwordPolicies are what the settings say of passwords.
func passwordPolicies(named map[string]config.PasswordPolicy) ([]local.Policy, error) {
	var policies []local.Policy
	for _, name := range slices.Sorted(maps.Keys(named)) {
		p := named[name]
		pattern, err := p.Regex()
		if err != nil {
			return nil, fmt.Errorf("security.local.policies: policy %q: %w", name, err)
		}
		policies = append(policies, local.Policy{
			Users: p.Users, Profiles: p.Profiles, Roles: p.Roles, ExpiresAfter: p.ExpiresAfter.Duration(),
			ForbidUsername: p.ForbidLoginInPassword, Unlike: p.ForbidReusedPasswordCount,
			MustChange: p.MustChangePasswordIfSetByAdmin, Pattern: pattern,
		})
	}
	return policies, nil
}

// member is what policies look at of a user, nothing for one that there is not.
func (n *Node) member(ctx context.Context, kuid string) (local.Member, error) {
	profiles, err := n.tokens.ProfileIDs(ctx, kuid)
	if errors.Is(err, kerror.SecurityUserNotFound) {
		return local.Member{}, nil
	}
	if err != nil {
		return local.Member{}, err
	}
	roles, err := n.users.RoleIDs(ctx, profiles)
	return local.Member{ProfileIDs: profiles, RoleIDs: roles}, err
}
