package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/migrate"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/elastic"
	"github.com/sluicehq/sluice/core/storage/embedded"
)

// elasticsearch is the value of storage.engine for documents in Elasticsearch.
const elasticsearch = "elasticsearch"

// openStorage opens the engine that the settings name.
func (n *Node) openStorage(ctx context.Context) error {
	c := n.options.Config
	if err := os.MkdirAll(c.Server.DataDir, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w (choose another with --data)", err)
	}
	n.warnOfOpenFolder(c.Server.DataDir)
	open := n.openEmbedded
	if c.Storage.Engine == elasticsearch {
		open = n.openElastic
	}
	engine, err := open(ctx, c)
	if err != nil {
		return err
	}
	if err := migrate.Unfinished(ctx, engine); err != nil {
		return err
	}
	n.engine = engine
	if n.options.WrapEngine != nil {
		n.engine = n.options.WrapEngine(engine)
	}
	return nil
}

// warnOfOpenFolder: in a folder that others may write they can put files of theirs in the place of the keys. One that the node
// makes is its own.
func (n *Node) warnOfOpenFolder(dir string) {
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o022 != 0 {
		n.options.Logger.Warn("other users of this machine may change the data folder: take the right away with chmod go-w",
			"folder", dir, "mode", info.Mode().Perm().String())
	}
}

func (n *Node) openEmbedded(ctx context.Context, c *config.Config) (storage.Engine, error) {
	engine, err := embedded.Open(ctx, embedded.Options{
		Dir: documentsDir(c), CacheBytes: int64(c.Storage.CacheSize), IndexBytes: int64(c.Storage.IndexSize), Logger: n.options.Logger,
	})
	if err != nil {
		return nil, err
	}
	n.onStop(func(context.Context) error { return engine.Close() })
	n.serveBackups(engine)
	return engine, nil
}

// openElastic connects to Elasticsearch. Its documents are backed up by snapshots of its own.
func (n *Node) openElastic(ctx context.Context, c *config.Config) (storage.Engine, error) {
	o, err := elasticOptions(&c.Storage.Elasticsearch)
	if err != nil {
		return nil, err
	}
	o.Logger, o.Metrics = n.options.Logger, n.metrics
	engine, err := elastic.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	n.elastic = engine
	n.onStop(func(context.Context) error { return engine.Close() })
	n.serveBackups(elsewhere{})
	return engine, nil
}

// storageImpaired reports whether documents are kept in fewer copies than they should be.
func (n *Node) storageImpaired() bool { return n.elastic != nil && n.elastic.Impaired() }

// elasticOptions reads the files that the settings name.
func elasticOptions(e *config.Elasticsearch) (elastic.Options, error) {
	o := elastic.Options{
		Addresses: e.Addresses, Username: e.Username, Password: e.Password.Reveal(), APIKey: e.APIKey.Reveal(),
		Timeout: e.Timeout, ConnectTimeout: e.ConnectTimeout, StartTimeout: e.StartTimeout, MaxRequests: e.MaxConcurrentRequests,
		BreakerFailures: e.BreakerFailures, ProbeInterval: e.ProbeInterval,
	}
	if e.CloudID != "" {
		o.Addresses, o.CloudID = nil, e.CloudID
	}
	var err error
	if e.CAFile != "" {
		if o.CACert, err = os.ReadFile(e.CAFile); err != nil {
			return o, fmt.Errorf("storage.elasticsearch.caFile: %w", err)
		}
	}
	if e.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(e.CertFile, e.KeyFile)
		if err != nil {
			return o, fmt.Errorf("storage.elasticsearch.certFile and keyFile: %w", err)
		}
		o.Certificate = &pair
	}
	return o, nil
}

// elsewhere refuses a backup of documents that are not in the data folder.
type elsewhere struct{}

func (elsewhere) Backup(context.Context, string) error {
	return errors.New("the documents of this node are in Elasticsearch: take a snapshot there; of the data folder only the file " + keysFile + " is needed beside it")
}
