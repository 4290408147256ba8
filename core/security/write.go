package security

import (
	"context"
	"errors"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Write says who writes and when searches must see it.
type Write struct {
	// By is the kuid of whoever asked, "" for the node itself.
	By      string
	Refresh storage.Refresh
}

func (w Write) options() storage.WriteOptions { return storage.WriteOptions{Refresh: w.Refresh} }

// metadataKey is the member of every stored document of this package that says who wrote it and when.
const metadataKey = mapping.KuzzleInfo

// Metadata is what it holds; times are milliseconds since 1970.
type Metadata struct {
	Author    *string `json:"author"`
	CreatedAt int64   `json:"createdAt"`
	UpdatedAt *int64  `json:"updatedAt"`
	Updater   *string `json:"updater"`
}

// NewMetadata is that of a document that is new; by is the kuid of whoever asked, "" for the node itself.
func NewMetadata(by string, now time.Time) Metadata {
	m := Metadata{CreatedAt: now.UnixMilli()}
	if by != "" {
		m.Author = &by
	}
	return m
}

// stamp gives object with the metadata of a document written now over earlier, which is nil when it is new. Whatever the
// client sent as metadata is gone.
func (s *Service) stamp(object, earlier jsontext.Value, w Write) (jsontext.Value, error) {
	args, err := protocol.ParseArgs(object, "body.")
	if err != nil {
		return nil, err
	}
	info := NewMetadata(w.By, s.now())
	by, now := info.Author, info.CreatedAt
	if earlier != nil {
		var old struct {
			Info Metadata `json:"_kuzzle_info"`
		}
		if json.Unmarshal(earlier, &old) == nil && old.Info.CreatedAt != 0 { // what nobody can read is written anew
			info = old.Info
		}
		info.UpdatedAt, info.Updater = &now, by
	}
	raw, err := json.Marshal(info)
	if err != nil {
		return nil, err
	}
	args.Set(metadataKey, raw)
	return args.JSON(), nil
}

// put stores a role or a profile and puts it in force.
func (s *Service) put(ctx context.Context, c storage.Collection, id string, body jsontext.Value, w Write) (Stored, error) {
	earlier, err := s.engine.Get(ctx, c, id)
	if err != nil && !errors.Is(err, kerror.ServicesStorageNotFound) {
		return Stored{}, StorageFailed("read "+c.Name+" "+id, err)
	}
	source, err := s.stamp(body, earlier.Source, w)
	if err != nil {
		return Stored{}, err
	}
	defer s.rightsChanged(ctx) // whatever happened: a write that failed late may be there
	doc, _, err := s.engine.Put(ctx, c, id, source, w.options())
	if err != nil {
		return Stored{}, writeFailed("store "+c.Name+" "+id, err)
	}
	return Stored{doc.ID, doc.Source}, nil
}
