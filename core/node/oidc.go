package node

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/audit"
	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/auth/oidc"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
)

// addOIDCStrategies adds a strategy for each OpenID provider of the settings.
func (n *Node) addOIDCStrategies(ctx context.Context, providers map[string]config.OIDCProvider) error {
	for _, name := range slices.Sorted(maps.Keys(providers)) {
		o := providerOptions(name, providers[name])
		o.Engine, o.Users, o.Logger = n.engine, recordedUsers{n, name}, n.options.Logger
		strategy, err := oidc.Open(ctx, o)
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

// recordedUsers makes the users of first logins: the request says that somebody logged in, so the audit log is told that he is new.
type recordedUsers struct {
	node     *Node
	strategy string
}

// CreateUser implements oidc.Users.
func (r recordedUsers) CreateUser(ctx context.Context, req *protocol.Request, u auth.NewUser) (security.Stored, error) {
	stored, err := r.node.tokens.CreateUser(ctx, req, u)
	if err != nil {
		return stored, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditPatience)
	defer cancel()
	r.node.audit.Record(ctx, audit.Event{
		Event: audit.NewUser, Outcome: audit.Success, User: stored.ID, Strategy: r.strategy, Targets: []string{stored.ID},
		IP: req.Connection.ClientIP, Protocol: req.Connection.Protocol, Connection: req.Connection.ID, Request: req.RequestID,
	})
	return stored, nil
}

// providerOptions are what the settings say of a provider.
func providerOptions(name string, p config.OIDCProvider) oidc.Options {
	return oidc.Options{
		Name: name, Issuer: p.Issuer, ClientID: p.ClientID, ClientSecret: p.ClientSecret.Reveal(), RedirectURL: p.RedirectURL,
		Scopes: p.Scopes, CreateUser: p.CreateUser, ProfileIDs: p.ProfileIDs, UserFields: p.UserFields,
		AllowedDomains: p.AllowedDomains, LoginTimeout: p.LoginTimeout, CAFile: p.CAFile, Timeout: p.Timeout,
	}
}

// checkProviders finds certificates of providers that cannot be read.
func checkProviders(providers map[string]config.OIDCProvider) error {
	problems := make([]error, 0, len(providers))
	for _, name := range slices.Sorted(maps.Keys(providers)) {
		problems = append(problems, oidc.Check(providerOptions(name, providers[name])))
	}
	return errors.Join(problems...)
}
