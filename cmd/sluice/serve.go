package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node"
)

// serveKeys says which setting a flag of serve is.
var serveKeys = map[string]string{
	"dev":       "dev",
	"port":      "server.port",
	"host":      "server.host",
	"data":      "server.dataDir",
	"plugins":   "plugins.dir",
	"log-level": "log.level",
}

func (a *app) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a node until it is told to stop",
		Long: `Run a node until it is told to stop (Ctrl-C or SIGTERM). It then finishes the requests
it has, at most server.shutdownTimeout long; a second signal ends it at once.

Settings come from the defaults, the file of --config, SLUICE_ variables and these
flags; each wins over those before it. "sluice config doc" explains all of them.`,
		Example: `  sluice serve
  sluice serve --port 8080 --host 0.0.0.0 --data /var/lib/sluice
  sluice serve --config sluice.yaml --plugins /opt/sluice/plugins`,
		Args: cobra.NoArgs,
	}
	defaults := config.Defaults()
	flags := cmd.Flags()
	file := a.configFlag(cmd)
	flags.Bool("dev", defaults.Dev, "development mode, for this machine alone: until there are roles everybody may do everything, and plugins need no pin")
	flags.Int("port", defaults.Server.Port, "port of HTTP and WebSocket, 0 for any free one")
	flags.String("host", defaults.Server.Host, "address to listen on, 0.0.0.0 for all")
	flags.String("data", defaults.Server.DataDir, "folder of everything the node stores")
	flags.String("plugins", defaults.Plugins.Dir, "folder with one folder a plugin")
	flags.String("log-level", defaults.Log.Level, "debug, info, warn or error")

	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		set := map[string]string{}
		flags.Visit(func(f *pflag.Flag) {
			if key, ok := serveKeys[f.Name]; ok {
				set[key] = f.Value.String()
			}
		})
		cfg, err := config.Load(config.Sources{File: *file, Env: a.env, Flags: set})
		if err != nil {
			return fmt.Errorf("%w\nCorrect it and start again; \"sluice config doc\" explains every setting", err)
		}
		v, _ := buildVersion()
		return a.runNode(cmd.Context(), node.Options{Config: cfg, ConfigFile: *file, Version: v, Logger: newLogger(cfg.Log, a.err)}, a.out)
	}
	return cmd
}

func newLogger(l config.Log, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: l.SlogLevel()}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
