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
"sluice-bench" there, and removes it at the end. An index of this name that it did not make is an
error.

With --http a node is started too, and creates, gets and filtered lists are measured over HTTP; with
--pocketbase also those of a PocketBase, which gets a collection "sluice_bench" for the time.

The tables are printed, and written to the folder of --out: storage.md, and http.md of what was
measured over HTTP. Plots show how many times as much as another one Sluice does, so there is
storage.svg with --elasticsearch and http.svg with --pocketbase only.

With the defaults a run takes little more than a minute for each engine, and half a minute for each
server. A million documents add a minute and take 200 MB of memory and 2 GB of free disk in the
folder of --data; the other engine and the other server need theirs. All flags are checked before
anything is measured. Nothing else should run on the machine meanwhile.`,
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
	flags.StringVar(&b.elasticsearch, "elasticsearch", "", "an Elasticsearch 8 to compare with, http://[user:password@]host:port, such as http://127.0.0.1:9200")
	flags.BoolVar(&b.http, "http", false, "measure a node over HTTP too")
	flags.StringVar(&b.pocketbase, "pocketbase", "", "a PocketBase to compare a node with, http://EMAIL:PASSWORD@host:port with a superuser's")
	flags.StringVar(&b.data, "data", os.TempDir(), "folder in which the data get folders of their own, which are removed")
	flags.StringVar(&b.out, "out", "", "folder for the tables, and for plots of what is compared")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		b.options.Log = func(line string) { _, _ = fmt.Fprintln(a.err, line) }
		return b.run(cmd.Context(), a.out)
	}
	return cmd
}

// run checks the flags, and measures.
func (b *benchStorage) run(ctx context.Context, out io.Writer) (err error) {
	if err := b.check(); err != nil {
		return err
	}
	var servers []storagebench.Server
	if b.pocketbase != "" {
		s, err := storagebench.PocketBase(ctx, b.pocketbase)
		if err != nil {
			return fmt.Errorf("--pocketbase: %w", err)
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		servers = append(servers, s)
	}
	report, err := b.engines(ctx)
	if err == nil {
		err = b.write(out, "storage", report)
	}
	if err != nil || !b.http && len(servers) == 0 {
		return err
	}
	if report, err = b.servers(ctx, servers); err != nil {
		return err
	}
	return b.write(out, "http", report)
}

// check looks at the flags that are about this machine.
func (b *benchStorage) check() error {
	if err := b.options.Check(); err != nil {
		return fmt.Errorf("--%w", err)
	}
	if err := writable(b.data); err != nil {
		return fmt.Errorf("--data: expected a folder that can be written to, such as /tmp: %w", err)
	}
	if b.out == "" {
		return nil
	}
	err := os.MkdirAll(b.out, 0o755) //nolint:gosec // figures are no secret
	if err == nil {
		err = writable(b.out)
	}
	if err != nil {
		return fmt.Errorf("--out: expected a folder that can be written to, such as ./results: %w", err)
	}
	return nil
}

// writable fails when no file can be made in a folder.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, "sluice-bench-")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// engines measures the embedded engine, and Elasticsearch.
func (b *benchStorage) engines(ctx context.Context) (report storagebench.Report, err error) {
	var others []storagebench.Target
	if b.elasticsearch != "" {
		t, err := storagebench.Elasticsearch(ctx, b.elasticsearch)
		if err != nil {
			return report, fmt.Errorf("--elasticsearch: %w", err)
		}
		defer func() { err = errors.Join(err, t.Close()) }()
		others = append(others, t)
	}
	t, err := storagebench.Embedded(ctx, b.data)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	return storagebench.Engines(ctx, append([]storagebench.Target{t}, others...), b.options)
}

// servers measures a node of its own, and others.
func (b *benchStorage) servers(ctx context.Context, others []storagebench.Server) (report storagebench.Report, err error) {
	n, err := startBenchNode(ctx, b.data)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, n.stop()) }()
	s, err := storagebench.Node(ctx, n.address)
	if err != nil {
		return report, err
	}
	return storagebench.Servers(ctx, append([]storagebench.Server{s}, others...), b.options)
}

// write prints a table, and makes files of it.
func (b *benchStorage) write(out io.Writer, name string, report storagebench.Report) error {
	if err := report.Write(out); err != nil || b.out == "" {
		return err
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
