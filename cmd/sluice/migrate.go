package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/migrate"
	"github.com/sluicehq/sluice/core/node"
)

func (a *app) migrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate --from PLACE --to PLACE",
		Short: "Copy all documents between a data folder and Elasticsearch",
		Long: `Copy everything that nodes store as documents from a data folder to Elasticsearch, or from
Elasticsearch to a data folder: indexes, collections with their mappings and settings, users
and their credentials, roles, profiles, API keys, sessions, what plugins keep, and all documents
with their versions. One PLACE is the data folder of a node, which is made when it is the target;
the other is the URL of an Elasticsearch, or the word "elasticsearch" for the addresses of the
settings. Who asks there, and TLS, are in the settings of the section storage.elasticsearch, in
the file of --config or in the environment, as for "sluice serve"; no password belongs into an URL.

Stop every node on either of the two first. The documents of the source are not changed. The
target must be empty. Interrupt the command whenever you like and run it again as before: it
goes on where it was. In the end all of both is read and compared; the exit code is 1 when
anything differs. Nodes refuse to start on a copy that is not complete.

The keys for tokens and the audit log are in the data folder, not among the documents. Let nodes
that move to Elasticsearch keep their data folder, and copy back into the one they have: then
sessions and API keys stay good.`,
		Example: `  sluice migrate --from ./data --to http://127.0.0.1:9200
  sluice migrate --from http://127.0.0.1:9200 --to ./data
  sluice migrate --config sluice.yaml --from /var/lib/sluice --to elasticsearch`,
		Args: cobra.NoArgs,
	}
	file := a.configFlag(cmd)
	m := node.Migration{}
	cmd.Flags().StringVar(&m.From, "from", "", "where the documents are: a data folder, or the URL of an Elasticsearch")
	cmd.Flags().StringVar(&m.To, "to", "", "where they shall be, the other of the two")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if m.From == "" || m.To == "" {
			a.started = false // a mistake in the command line
			return errors.New("say with --from where the documents are, and with --to where they shall be")
		}
		if m.Config, err = config.Load(config.Sources{File: *file, Env: a.env}); err != nil {
			return err
		}
		return a.migrate(cmd.Context(), m)
	}
	return cmd
}

func (a *app) migrate(ctx context.Context, m node.Migration) error {
	bar := newProgressBar(a.err)
	m.Logger = slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	m.Progress = func(p migrate.Progress) { bar.show(time.Now(), p) }
	report, err := node.Migrate(ctx, m)
	bar.end()
	var different *migrate.Difference
	switch {
	case err == nil:
		return summarize(a.out, report)
	case ctx.Err() != nil:
		return errors.New("migrate: interrupted; run the same command again to go on")
	case errors.As(err, &different):
		return fmt.Errorf("migrate: %w", different)
	}
	return fmt.Errorf("migrate: %w", err)
}

// summarize tells what is the same on both sides.
func summarize(out io.Writer, r migrate.Report) error {
	for _, c := range r.Collections {
		if _, err := fmt.Fprintf(out, "%-8s %s/%s: %d documents, SHA-256 %x\n", c.Scope, c.Index, c.Name, c.Documents, c.Checksum); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "copied and verified: %d indexes, %d collections, %d documents\n", r.Indexes, len(r.Collections), r.Documents)
	return err
}
