package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node"
)

// app is what the commands share: the process around them, which tests replace.
type app struct {
	in      *os.File
	out     io.Writer
	err     io.Writer
	env     []string
	runNode func(ctx context.Context, o node.Options, out io.Writer) error

	started bool // the command line was understood; an error from here on is not a mistake in it
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "sluice",
		Short: "Sluice is a plugin platform server that speaks the Kuzzle v2 API",
		Long: `Sluice is a plugin platform server that speaks the Kuzzle v2 API over HTTP and WebSocket.

It needs no configuration and no database: "sluice serve" stores everything in one
folder. Plugins are programs of their own, in any language.`,
		Example: `  sluice serve                              a node on 127.0.0.1:7512, data in ./data
  sluice serve --dev --plugins bin/plugins  with plugins, pinned or not
  curl http://127.0.0.1:7512/_now           ask it for the time`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		PersistentPreRunE: func(*cobra.Command, []string) error { a.started = true; return nil },
	}
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		a.serveCommand(),
		a.group("config", "Check and explain the configuration", a.configCheckCommand(), a.configDocCommand()),
		a.group("plugin", "Decide which plugins may run", a.pluginPinCommand()),
		a.group("admin", "Find the way back when no administrator can log in", a.adminCreateCommand()),
		a.group("audit", "Look after the audit log", a.auditVerifyCommand()),
		a.group("keys", "Tend the keys that sign tokens", a.keysListCommand(), a.keysRotateCommand(), a.keysRemoveCommand()),
		a.group("bench", "Measure this machine", a.benchStorageCommand()),
		a.queryCommand(),
		a.backupCommand(),
		a.restoreCommand(),
		a.migrateCommand(),
		a.versionCommand(),
	)
	return root
}

// group is a command that only holds others.
func (a *app) group(name, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			a.started = false // naming none of the commands is a mistake in the command line
			return errors.New("say which command of " + name + " you mean")
		},
	}
	for _, c := range commands {
		cmd.Example += c.Example + "\n"
	}
	cmd.Example = strings.TrimSuffix(cmd.Example, "\n")
	cmd.AddCommand(commands...)
	return cmd
}

// configFlag adds --config, whose default is the environment's.
func (a *app) configFlag(cmd *cobra.Command) *string {
	file := ""
	for _, entry := range a.env {
		if value, ok := strings.CutPrefix(entry, config.FileVariable+"="); ok {
			file = value
		}
	}
	return cmd.Flags().String("config", file, "YAML file with the settings (or "+config.FileVariable+")")
}
