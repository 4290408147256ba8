package migrate

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/sluicehq/sluice/core/storage"
)

// A part of a collection ends after this many documents or, once it has one, at this many bytes. Three parts are in memory at a
// time: one that is read, one that waits and one that is worked on.
const (
	partDocuments = 2000
	partBytes     = 4 << 20
)

// scan reads the documents of a collection behind an id part by part, and calls do with each while the next one is read. It returns
// when both have ended.
func scan(ctx context.Context, e storage.Engine, c storage.Collection, after string, do func([]storage.Document) error) error {
	group, ctx := errgroup.WithContext(ctx)
	parts := make(chan []storage.Document, 1)
	group.Go(func() error {
		defer close(parts)
		return readParts(ctx, e, c, after, parts)
	})
	group.Go(func() error {
		for part := range parts {
			if err := do(part); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	return group.Wait()
}

func readParts(ctx context.Context, e storage.Engine, c storage.Collection, after string, parts chan<- []storage.Document) error {
	var part []storage.Document
	bytes := 0
	send := func() bool {
		select {
		case parts <- part:
			part, bytes = nil, 0
			return true
		case <-ctx.Done():
			return false
		}
	}
	err := e.Scan(ctx, c, after, func(d storage.Document) bool {
		part = append(part, d)
		bytes += len(d.Source)
		return len(part) < partDocuments && bytes < partBytes || send()
	})
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && len(part) > 0 {
		send()
	}
	return err
}
