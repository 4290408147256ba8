package index

import (
	"context"
	"errors"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Sizes are in bytes.
type stats struct {
	Size    int64        `json:"size"`
	Indexes []indexStats `json:"indexes"`
}

type indexStats struct {
	Name        string            `json:"name"`
	Size        int64             `json:"size"`
	Collections []collectionStats `json:"collections"`
}

type collectionStats struct {
	Name      string `json:"name"`
	Documents int    `json:"documentCount"`
	Size      int64  `json:"size"`
}

// stats answers how much indexes and collections hold, whatever the rights of the caller.
func (c controller) stats(ctx context.Context, _ *protocol.Request) (any, error) {
	names, err := c.Engine.Indexes(ctx, storage.Public)
	if err != nil {
		return nil, err
	}
	collections, err := c.Engine.List(ctx, storage.Public)
	if err != nil {
		return nil, err
	}
	all := stats{Indexes: make([]indexStats, len(names))}
	at := make(map[string]*indexStats, len(names))
	for i, name := range names {
		all.Indexes[i] = indexStats{Name: name, Collections: []collectionStats{}}
		at[name] = &all.Indexes[i]
	}
	for _, one := range collections {
		size, err := c.Engine.Size(ctx, one)
		index := at[one.Index]
		if index == nil || isGone(err) { // made or dropped in between
			continue
		}
		if err != nil {
			return nil, err
		}
		index.Collections = append(index.Collections, collectionStats{one.Name, size.Documents, size.Bytes})
		index.Size += size.Bytes
		all.Size += size.Bytes
	}
	return all, nil
}

func isGone(err error) bool {
	return errors.Is(err, kerror.ServicesStorageUnknownIndex) || errors.Is(err, kerror.ServicesStorageUnknownCollection)
}
