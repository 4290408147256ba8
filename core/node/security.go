package node

import (
	"context"
	"path/filepath"
	"time"

	"github.com/sluicehq/sluice/config"
	authcontroller "github.com/sluicehq/sluice/controllers/auth"
	securitycontroller "github.com/sluicehq/sluice/controllers/security"
	"github.com/sluicehq/sluice/controllers/server"
	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/auth/local"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/security"
)

// apiVersion is the version of the Kuzzle API that the node speaks; clients look at it.
const apiVersion = "2.56.0"

// openSecurity makes what knows users and tokens.
func (n *Node) openSecurity(ctx context.Context) error {
	c := n.options.Config
	var err error
	n.users, err = security.Open(ctx, security.Options{
		Engine: n.engine, Dev: c.Dev, Logger: n.options.Logger, RestrictedProfileIDs: c.Security.RestrictedProfileIDs,
	})
	if err != nil {
		return err
	}
	o := tokenOptions(c)
	o.Engine, o.Users, o.Logger = n.engine, n.users, n.options.Logger
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
		SecretFile: filepath.Join(c.Server.DataDir, "jwt.secret"), PrivateKeyFile: t.PrivateKeyFile,
		ExpiresIn: time.Duration(t.ExpiresIn), MaxTTL: time.Duration(t.MaxTTL), GracePeriod: time.Duration(t.GracePeriod),
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

// contribute registers the built-in controllers.
func (n *Node) contribute() error {
	limits := n.options.Config.Limits
	throttle, err := auth.NewThrottle(auth.ThrottleOptions{
		LoginsPerSecond: limits.LoginsPerSecond, FailedLoginsPerMinute: limits.FailedLoginsPerMinute,
	})
	if err != nil {
		return err
	}
	snapshot := n.registry.Current
	for _, c := range []router.Contribution{
		{Owner: "auth", Actions: authcontroller.Actions(authcontroller.Options{
			Tokens: n.tokens, Users: n.users, Throttle: throttle, Bus: n.bus, Snapshot: snapshot,
		})},
		{Owner: "security", Actions: securitycontroller.Actions(securitycontroller.Options{
			Accounts: n.tokens, Users: n.users, Snapshot: snapshot,
		})},
		{Owner: "server", Actions: server.Actions(server.Options{
			Users: n.users, Engine: n.engine, Routes: snapshot, Plugins: n.runningPlugins,
			Version: n.options.Version, API: apiVersion, Started: n.started,
			Limits: map[string]int{
				"concurrentRequests":  limits.ConcurrentRequests,
				"requestsBufferSize":  limits.RequestsBufferSize,
				"loginsPerSecond":     limits.LoginsPerSecond,
				"documentsFetchCount": limits.DocumentsFetchCount,
				"documentsWriteCount": limits.DocumentsWriteCount,
			},
		})},
	} {
		if err := n.registry.Set(c); err != nil {
			return err
		}
	}
	return nil
}
