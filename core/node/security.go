package node

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/auth/oidc"
	"github.com/sluicehq/sluice/core/auth/passkey"
	"github.com/sluicehq/sluice/core/security"
)

// In the data folder, keysFile holds the keys of tokens. Before they could be rotated, the one key was in secretFile.
const (
	keysFile   = "signing-keys.json"
	secretFile = "jwt.secret"
)

// openSecurity makes what knows users and tokens.
func (n *Node) openSecurity(ctx context.Context) error { return n.openAccounts(ctx, sessions{n}) }

// openAccounts is openSecurity with the connections to link to tokens, nil for none.
func (n *Node) openAccounts(ctx context.Context, connections auth.Connections) error {
	c := n.options.Config
	var err error
	n.users, err = security.Open(ctx, security.Options{
		Engine: n.engine, Dev: c.Dev, Logger: n.options.Logger,
	})
	if err != nil {
		return err
	}
	o := TokenOptions(c)
	o.Engine, o.Users, o.Connections, o.Logger = n.engine, n.users, connections, n.options.Logger
	o.KeysChanged = n.auditKeys
	o.Forget = []auth.Forget{oidc.Forget, passkey.Forget}
	if n.tokens, err = auth.Open(ctx, o); err != nil {
		return err
	}
	n.onStop(func(context.Context) error { n.tokens.Close(); return nil })
	if err := n.addLocalStrategy(ctx); err != nil {
		return err
	}
	if err := n.addPasskeyStrategy(ctx, c.Security.Passkey, n.passwords); err != nil {
		return err
	}
	return n.addOIDCStrategies(ctx, c.Security.OIDC)
}

// TokenOptions are what the settings say of tokens and their keys.
func TokenOptions(c *config.Config) auth.Options {
	t := c.Security.AuthToken
	return auth.Options{
		Algorithm: t.Algorithm, Secret: t.Secret.Reveal(), PrivateKeyFile: t.PrivateKeyFile,
		RetiredSecrets: config.Reveal(t.RetiredSecrets), RetiredKeyFiles: t.RetiredKeyFiles,
		KeysFile: filepath.Join(c.Server.DataDir, keysFile), SecretFile: filepath.Join(c.Server.DataDir, secretFile),
		ExpiresIn: time.Duration(t.ExpiresIn), MaxTTL: time.Duration(t.MaxTTL), GracePeriod: time.Duration(t.GracePeriod),
		MaxKeyTTL: time.Duration(c.Security.APIKey.MaxTTL),
	}
}

// addPasskeyStrategy adds the strategy passkey, if there is to be one. Logins with it name users as those with passwords do.
func (n *Node) addPasskeyStrategy(ctx context.Context, c config.Passkey, names auth.Holder) error {
	if !c.Enabled {
		return nil
	}
	strategy, err := passkey.Open(ctx, passkey.Options{
		Engine: n.engine, RPID: c.RPID, Origins: c.RPOrigins, DisplayName: c.RPDisplayName,
		UserVerification: c.UserVerification, Timeout: c.Timeout, Logger: n.options.Logger,
		Named: func(ctx context.Context, username string) (string, error) {
			credentials, err := json.Marshal(map[string]string{"username": username})
			if err != nil {
				return "", err
			}
			return names.Holder(ctx, nil, credentials)
		},
	})
	if err != nil {
		return fmt.Errorf("security.passkey: %w", err)
	}
	return n.tokens.Strategies().Add(auth.Named{Name: passkey.Name, Strategy: strategy})
}
