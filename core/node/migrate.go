package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/migrate"
	"github.com/sluicehq/sluice/core/storage/elastic"
	"github.com/sluicehq/sluice/core/storage/embedded"
)

// Migration says what Migrate copies where. One of From and To is a data folder; the other is the URL of an Elasticsearch, or the word
// elasticsearch for the addresses of the settings, which say in any case who asks there.
type Migration struct {
	Config   *config.Config
	Logger   *slog.Logger
	From, To string
	// Progress is that of migrate.Options.
	Progress func(migrate.Progress)
}

// Migrate copies all documents of nodes that are stopped to another engine. It can be interrupted, and run again to go on.
func Migrate(ctx context.Context, m Migration) (report migrate.Report, err error) {
	if onServer(m.From) == onServer(m.To) {
		return report, errors.New("give a data folder and an Elasticsearch, such as http://127.0.0.1:9200, one as --from and one as --to")
	}
	from, fromPlace, err := m.open(ctx, m.From, lookIn)
	if err != nil {
		return report, fmt.Errorf("--from: %w", err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, toPlace, err := m.open(ctx, m.To, makeFolder)
	if err != nil {
		return report, fmt.Errorf("--to: %w", err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	return migrate.Run(ctx, migrate.Options{From: from, To: to, FromPlace: fromPlace, ToPlace: toPlace, Progress: m.Progress})
}

// onServer reports whether a place is an Elasticsearch and no folder.
func onServer(place string) bool {
	return place == elasticsearch || strings.Contains(place, "://")
}

// open opens a place and names it, the same way each time. prepare is done with a folder before.
func (m *Migration) open(ctx context.Context, place string, prepare func(dir string) error) (migrate.Target, string, error) {
	if onServer(place) {
		return m.openServer(ctx, place)
	}
	dir, err := filepath.Abs(place)
	if err != nil {
		return nil, "", err
	}
	if err := prepare(dir); err != nil {
		return nil, "", err
	}
	if err := checkStopped(ctx, dir); err != nil {
		return nil, "", err
	}
	engine, err := embedded.Open(ctx, embedded.Options{
		Dir: documentsIn(dir), CacheBytes: int64(m.Config.Storage.CacheSize), IndexBytes: int64(m.Config.Storage.IndexSize), Logger: m.Logger,
	})
	if err != nil {
		return nil, "", err
	}
	return engine, "the data folder " + dir, nil
}

// lookIn keeps a folder without documents from being made one with none.
func lookIn(dir string) error {
	if _, err := os.Stat(documentsIn(dir)); err != nil {
		return fmt.Errorf("there are no documents in %s: name the data folder of a node (%w)", dir, err)
	}
	return nil
}

func makeFolder(dir string) error { return os.MkdirAll(dir, 0o700) }

func (m *Migration) openServer(ctx context.Context, place string) (migrate.Target, string, error) {
	settings := m.Config.Storage.Elasticsearch
	if place != elasticsearch {
		u, err := url.Parse(place)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, "", errors.New("expected an URL such as http://127.0.0.1:9200")
		}
		if u.User != nil {
			return nil, "", errors.New("everybody on this machine can read passwords on command lines: give it as SLUICE_STORAGE_ELASTICSEARCH_USERNAME and SLUICE_STORAGE_ELASTICSEARCH_PASSWORD, or in the file of --config")
		}
		settings.CloudID, settings.Addresses = "", []string{strings.TrimRight(place, "/")}
	}
	o, err := elasticOptions(&settings)
	if err != nil {
		return nil, "", err
	}
	o.Logger, o.StartTimeout = m.Logger, 0 // whoever waits for this command wants to know at once
	engine, err := elastic.Open(ctx, o)
	if err != nil {
		return nil, "", err
	}
	return engine, "the Elasticsearch at " + engine.Place(), nil
}
