package node

import (
	"context"
	"maps"
	"slices"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/auth/oidc"
)

// addOIDCStrategies adds a strategy for each OpenID provider of the settings.
func (n *Node) addOIDCStrategies(ctx context.Context, providers map[string]config.OIDCProvider) error {
	for _, name := range slices.Sorted(maps.Keys(providers)) {
		p := providers[name]
		strategy, err := oidc.Open(ctx, oidc.Options{
			Name: name, Issuer: p.Issuer, ClientID: p.ClientID, ClientSecret: p.ClientSecret.Reveal(), RedirectURL: p.RedirectURL,
			Scopes: p.Scopes, CreateUser: p.CreateUser, ProfileIDs: p.ProfileIDs, UserFields: p.UserFields,
			AllowedDomains: p.AllowedDomains, LoginTimeout: p.LoginTimeout, CAFile: p.CAFile, Timeout: p.Timeout,
			Engine: n.engine, Users: n.tokens, Logger: n.options.Logger,
		})
		if err != nil {
			return err
		}
		n.onStop(func(context.Context) error { strategy.Close(); return nil })
		if err := n.tokens.Strategies().Add(auth.Named{Name: name, Strategy: strategy}); err != nil {
			return err
		}
	}
	return nil
}
