package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluicehq/sluice/core/storage/storagebench"
)

// benchStorage is what the flags of "bench storage" say.
type benchStorage struct {
	options                   storagebench.Options
	elasticsearch, pocketbase string
	http                      bool
	data, out                 string
}

func (a *app) benchStorageCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "storage",
		Short: "Measure the embedded engine, and others beside it",
		Long: `Write documents of about 400 bytes, every field indexed, and measure writes, reads, searches and
aggregations of the embedded engine in this process. With --elasticsearch the same is done there,
row by row in turn; both must find the same before anything is measured. It makes an index
"sluice-bench" there, and removes it at the end.

With --http a node is started too, and creates, gets and filtered lists are measured over HTTP; with
--pocketbase also those of a PocketBase, which gets a collection "sluice_bench" for the time.

The tables are printed, and written to the folder of --out with plots. Nothing else should run on the
machine meanwhile.`,
		Example: `  sluice bench storage
  sluice bench storage --documents 1000000 --elasticsearch http://127.0.0.1:9200 --out results
  sluice bench storage --pocketbase http://admin@example.com:secret123@127.0.0.1:8090`,
		Args: cobra.NoArgs,
	}
	b := &benchStorage{}
	flags := cmd.Flags()
	flags.IntVar(&b.options.Documents, "documents", 100_000, "how many documents, at least 1,000")
	flags.DurationVar(&b.options.Time, "time", 2*time.Second, "how long each row takes, for each number of callers and each engine")
	flags.IntSliceVar(&b.options.Callers, "callers", []int{1, 16}, "how many callers at a time")
	flags.StringVar(&b.elasticsearch, "elasticsearch", "", "an Elasticsearch 8 to compare with, http://[user:password@]host:port")
	flags.BoolVar(&b.http, "http", false, "measure a node over HTTP too")
	flags.StringVar(&b.pocketbase, "pocketbase", "", "a PocketBase to compare a node with, http://EMAIL:PASSWORD@host:port with a superuser's")
	flags.StringVar(&b.data, "data", os.TempDir(), "folder in which the data get folders of their own, which are removed")
	flags.StringVar(&b.out, "out", "", "folder for the tables and plots")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		b.options.Log = func(line string) { _, _ = fmt.Fprintln(a.err, line) }
		report, err := b.engines(cmd.Context())
		if err == nil {
			err = b.write(a.out, "storage", report)
		}
		if err != nil || !b.http && b.pocketbase == "" {
			return err
		}
		if report, err = b.servers(cmd.Context()); err != nil {
			return err
		}
		return b.write(a.out, "http", report)
	}
	return cmd
}

// engines measures the embedded engine, and Elasticsearch.
func (b *benchStorage) engines(ctx context.Context) (report storagebench.Report, err error) {
	t, err := storagebench.Embedded(ctx, b.data)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	targets := []storagebench.Target{t}
	if b.elasticsearch != "" {
		t, err := storagebench.Elasticsearch(ctx, b.elasticsearch)
		if err != nil {
			return report, err
		}
		defer func() { err = errors.Join(err, t.Close()) }()
		targets = append(targets, t)
	}
	return storagebench.Engines(ctx, targets, b.options)
}

// servers measures a node of its own, and PocketBase.
func (b *benchStorage) servers(ctx context.Context) (report storagebench.Report, err error) {
	n, err := startBenchNode(ctx, b.data)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, n.stop()) }()
	s, err := storagebench.Node(ctx, n.address)
	if err != nil {
		return report, err
	}
	servers := []storagebench.Server{s}
	if b.pocketbase != "" {
		s, err := storagebench.PocketBase(ctx, b.pocketbase)
		if err != nil {
			return report, err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		servers = append(servers, s)
	}
	return storagebench.Servers(ctx, servers, b.options)
}

// write prints a table, and makes files of it.
func (b *benchStorage) write(out io.Writer, name string, report storagebench.Report) error {
	if err := report.Write(out); err != nil || b.out == "" {
		return err
	}
	if err := os.MkdirAll(b.out, 0o755); err != nil { //nolint:gosec // figures are no secret
		return fmt.Errorf("--out: %w", err)
	}
	if err := writeFile(filepath.Join(b.out, name+".md"), report.Write); err != nil || len(report.Targets) == 1 {
		return err
	}
	return writeFile(filepath.Join(b.out, name+".svg"), report.Plot)
}

func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name) //nolint:gosec // the user names it
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return errors.Join(write(f), f.Close())
}
