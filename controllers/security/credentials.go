package security

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/protocol"
)

// ofUser gives the strategy and the user that an action on credentials is about.
func ofUser(req *protocol.Request) (strategy, kuid string, err error) {
	if strategy, err = req.Args.String("strategy"); err != nil {
		return "", "", err
	}
	kuid, err = requiredID(req)
	return strategy, kuid, err
}

// withCredentials is ofUser with the credentials in the body.
func withCredentials(req *protocol.Request) (strategy, kuid string, credentials jsontext.Value, err error) {
	if strategy, kuid, err = ofUser(req); err != nil {
		return "", "", nil, err
	}
	credentials, err = req.BodyObject()
	return strategy, kuid, credentials, err
}

// createCredentials answers what the strategy says of the new credentials.
func (c controller) createCredentials(ctx context.Context, req *protocol.Request) (any, error) {
	strategy, kuid, credentials, err := withCredentials(req)
	if err != nil {
		return nil, err
	}
	return c.Accounts.CreateCredentials(ctx, req, kuid, strategy, credentials)
}

// updateCredentials answers what the strategy says of the changed credentials.
func (c controller) updateCredentials(ctx context.Context, req *protocol.Request) (any, error) {
	strategy, kuid, credentials, err := withCredentials(req)
	if err != nil {
		return nil, err
	}
	return c.Accounts.UpdateCredentials(ctx, req, kuid, strategy, credentials)
}

// validateCredentials answers what the strategy says of good credentials, true; of bad ones, an error.
func (c controller) validateCredentials(ctx context.Context, req *protocol.Request) (any, error) {
	strategy, kuid, credentials, err := withCredentials(req)
	if err != nil {
		return nil, err
	}
	return c.Accounts.ValidateCredentials(ctx, req, kuid, strategy, credentials)
}

// acknowledged is the answer of actions that have nothing else to say.
type acknowledged struct {
	Acknowledged bool `json:"acknowledged"`
}

// deleteCredentials takes a user's credentials away. His tokens stay.
func (c controller) deleteCredentials(ctx context.Context, req *protocol.Request) (any, error) {
	strategy, kuid, err := ofUser(req)
	if err != nil {
		return nil, err
	}
	if err := c.Accounts.DeleteCredentials(ctx, req, kuid, strategy); err != nil {
		return nil, err
	}
	return acknowledged{true}, nil
}

// hasCredentials answers whether the user has some.
func (c controller) hasCredentials(ctx context.Context, req *protocol.Request) (any, error) {
	strategy, kuid, err := ofUser(req)
	if err != nil {
		return nil, err
	}
	has, err := c.Accounts.HasCredentials(ctx, req, kuid, strategy)
	if err != nil {
		return nil, err
	}
	return has, nil
}

// getCredentials answers the public part of a user's credentials; {} when the strategy shows none.
func (c controller) getCredentials(ctx context.Context, req *protocol.Request) (any, error) {
	strategy, kuid, err := ofUser(req)
	if err != nil {
		return nil, err
	}
	return c.Accounts.CredentialsInfo(ctx, req, kuid, strategy)
}

// getCredentialsByID is getCredentials for the name that the strategy itself has for a user.
func (c controller) getCredentialsByID(ctx context.Context, req *protocol.Request) (any, error) {
	name, id, err := ofUser(req)
	if err != nil {
		return nil, err
	}
	strategy, err := c.Accounts.Strategies().Get(name)
	if err != nil {
		return nil, err
	}
	describer, ok := strategy.Strategy.(auth.Describer)
	if !ok {
		return struct{}{}, nil
	}
	return describer.ByID(ctx, req, id)
}

// getCredentialFields answers the names of the members of a strategy's credentials.
func (c controller) getCredentialFields(_ context.Context, req *protocol.Request) (any, error) {
	name, err := req.Args.String("strategy")
	if err != nil {
		return nil, err
	}
	strategy, err := c.Accounts.Strategies().Get(name)
	if err != nil {
		return nil, err
	}
	return strategy.Fields(), nil
}

// getAllCredentialFields answers those of every strategy.
func (c controller) getAllCredentialFields(context.Context, *protocol.Request) (any, error) {
	all := map[string][]string{}
	for _, strategy := range c.Accounts.Strategies().All() {
		all[strategy.Name] = strategy.Fields()
	}
	return all, nil
}

// strategies is the answer of getUserStrategies.
type strategies struct {
	Strategies []string `json:"strategies"`
	Total      int      `json:"total"`
}

// getUserStrategies answers the strategies that a user has credentials for.
func (c controller) getUserStrategies(ctx context.Context, req *protocol.Request) (any, error) {
	id, err := requiredID(req)
	if err != nil {
		return nil, err
	}
	u, err := c.Users.ReadUser(ctx, id)
	if err != nil {
		return nil, err
	}
	if u.ID == protocol.AnonymousID {
		return strategies{[]string{}, 0}, nil
	}
	names, err := c.Accounts.StrategiesOf(ctx, req, id)
	if err != nil {
		return nil, err
	}
	return strategies{names, len(names)}, nil
}
