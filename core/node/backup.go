package node

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/backup"
	"github.com/sluicehq/sluice/core/storage/embedded"
)

// documentsDir is the folder of the engine.
func documentsDir(c *config.Config) string { return documentsIn(c.Server.DataDir) }

// documentsIn is the folder of the engine in a data folder.
func documentsIn(dir string) string { return filepath.Join(dir, "documents") }

// serveBackups lets "sluice backup" reach the node. A node that cannot be backed up serves all the same.
func (n *Node) serveBackups(engine backup.Engine) {
	server, err := backup.Serve(backup.Source{
		DataDir: n.options.Config.Server.DataDir, Version: n.options.Version, Engine: engine, Files: []string{keysFile},
	}, n.options.Logger)
	if err != nil {
		n.options.Logger.Warn("the node cannot be backed up while it runs", "error", err)
		return
	}
	n.onStop(func(context.Context) error { return server.Close() })
}

// Restore makes the data folder of the settings of a backup.
func Restore(ctx context.Context, c *config.Config, from string) error {
	return backup.Restore(ctx, from, c.Server.DataDir, func(ctx context.Context, documents string) error {
		return embedded.Check(ctx, embedded.Options{Dir: documents, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	})
}
