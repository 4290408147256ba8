package node

import (
	"context"
	"path/filepath"
	"time"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/auth/local"
	"github.com/sluicehq/sluice/core/security"
)

// secretFile, in the data folder, holds the key that signs tokens when the settings give none.
const secretFile = "jwt.secret"

// openSecurity makes what knows users and tokens.
func (n *Node) openSecurity(ctx context.Context) error {
	c := n.options.Config
	var err error
	n.users, err = security.Open(ctx, security.Options{
		Engine: n.engine, Dev: c.Dev, Logger: n.options.Logger,
	})
	if err != nil {
		return err
	}
	o := tokenOptions(c)
	o.Engine, o.Users, o.Connections, o.Logger = n.engine, n.users, sessions{n}, n.options.Logger
	if n.tokens, err = auth.Open(ctx, o); err != nil {
		return err
	}
	n.onStop(func(context.Context) error { n.tokens.Close(); return nil })
	return n.addLocalStrategy(ctx, c.Security.PasswordHash)
}

// tokenOptions are those of the settings.
func tokenOptions(c *config.Config) auth.Options {
	t := c.Security.AuthToken
	return auth.Options{
		Algorithm: t.Algorithm, Secret: t.Secret.Reveal(),
		SecretFile: filepath.Join(c.Server.DataDir, secretFile), PrivateKeyFile: t.PrivateKeyFile,
		ExpiresIn: time.Duration(t.ExpiresIn), MaxTTL: time.Duration(t.MaxTTL), GracePeriod: time.Duration(t.GracePeriod),
		MaxKeyTTL: time.Duration(c.Security.APIKey.MaxTTL),
	}
}

func (n *Node) addLocalStrategy(ctx context.Context, cost config.PasswordHash) error {
	strategy, err := local.Open(ctx, local.Options{
		Engine: n.engine, Logger: n.options.Logger,
		Cost: local.Cost{
			MemoryKiB: uint32(cost.MemoryKiB), Iterations: uint32(cost.Iterations), Parallelism: uint8(cost.Parallelism), //nolint:gosec // config checked the bounds
		},
	})
	if err != nil {
		return err
	}
	return n.tokens.Strategies().Add(auth.Named{Name: local.Name, Strategy: strategy})
}
