package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/node"
)

func (a *app) keysListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Name the keys that sign and verify tokens",
		Long: `Name the keys that sign and verify tokens, those of the settings and those in the data
folder, by their kid, which the header of every token names. No key itself is shown, and
nothing is changed. It must be called by the user that runs the node.

A key that "signs" makes new tokens; "verifies" means that its tokens are good, but no new
ones are made with it.`,
		Example: `  sluice keys list
  sluice keys list --config sluice.yaml --data /var/lib/sluice`,
		Args: cobra.NoArgs,
	}
	settings := a.dataFlags(cmd, "folder of everything the node stores")
	cmd.RunE = func(*cobra.Command, []string) error {
		cfg, err := settings()
		if err != nil {
			return err
		}
		keys, err := auth.ListKeys(node.TokenOptions(cfg))
		if err != nil {
			return fmt.Errorf("list the keys: %w", err)
		}
		if len(keys) == 0 {
			_, err := fmt.Fprintf(a.out, "There are no keys in %s: the node makes one when it is started for the first time.\n", cfg.Server.DataDir)
			return err
		}
		return a.printKeys(keys)
	}
	return cmd
}

func (a *app) printKeys(keys []auth.SigningKey) error {
	table := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KID\tALGORITHM\tUSE\tCREATED\tRETIRED\tFROM") //nolint:errcheck // Flush gives the error
	for _, k := range keys {
		use, from := "verifies", "data folder"
		if k.Signs {
			use = "signs"
		}
		if k.Configured {
			from = "settings"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Algorithm, use, moment(k.Created), moment(k.Retired), from) //nolint:errcheck // as above
	}
	return table.Flush()
}

// moment writes a time, "-" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

func (a *app) keysRotateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Sign new tokens with a new key, without logging anyone out",
		Long: `Make a new key in the data folder that signs tokens from now on. The key before it goes on
verifying, so that nobody is logged out and API keys stay good, until "sluice keys remove"
takes it away. A node that runs on the folder takes the new key over within seconds; a node
that is stopped uses it when it is started.

EdDSA, ES256 and RS256 have a public key that other programs can verify tokens with: the
node publishes it at /.well-known/jwks.json. HS256 has none.

It must be called by the user that runs the node, or by root. Where the settings name the
key (security.authToken.secret or privateKeyFile) the key changes there: this command then
says how.`,
		Example: `  sluice keys rotate
  sluice keys rotate --algorithm EdDSA --data /var/lib/sluice`,
		Args: cobra.NoArgs,
	}
	settings := a.dataFlags(cmd, "folder of everything the node stores")
	algorithm := cmd.Flags().String("algorithm", "", "HS256, EdDSA, ES256 or RS256 (default that of the settings, or of the key before)")
	cmd.RunE = func(*cobra.Command, []string) error {
		cfg, err := settings()
		if err != nil {
			return err
		}
		made, err := auth.RotateKey(node.TokenOptions(cfg), *algorithm)
		if err != nil {
			return fmt.Errorf("rotate the key: %w", err)
		}
		_, err = fmt.Fprintf(a.out, "%s (%s) signs new tokens; those signed before stay good\n", made.ID, made.Algorithm)
		return err
	}
	return cmd
}

func (a *app) keysRemoveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove KID",
		Short: "End everything that was signed with an old key",
		Long: `Take a key that no longer signs out of the data folder. Every token and every API key that
was signed with it ends, within seconds on a node that runs. Users log in again; API keys
must be made anew. "sluice keys list" names the keys. There is no way back, except from a
backup.

Sessions end by themselves, so a retired key is of no use to them any more when
security.authToken.maxTTL has passed since. API keys may live for ever.`,
		Example: `  sluice keys remove 1c6a9cb3b4a1f2b0c7e0f0a44d0d6c55
  sluice keys remove --data /var/lib/sluice kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k`,
		Args: cobra.ExactArgs(1),
	}
	settings := a.dataFlags(cmd, "folder of everything the node stores")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		cfg, err := settings()
		if err != nil {
			return err
		}
		if err := auth.RemoveKey(node.TokenOptions(cfg), args[0]); err != nil {
			return fmt.Errorf("remove the key: %w", err)
		}
		_, err = fmt.Fprintf(a.out, "removed %s: what was signed with it ends\n", args[0])
		return err
	}
	return cmd
}
