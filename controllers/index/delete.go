package index

import (
	"context"
	"errors"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// acknowledged is the answer of actions that have nothing to say but that it is done.
type acknowledged struct {
	Acknowledged bool `json:"acknowledged"`
}

// delete removes an index with all it holds.
func (c controller) delete(ctx context.Context, req *protocol.Request) (any, error) {
	index, err := target.Index(req)
	if err != nil {
		return nil, err
	}
	if err := c.Engine.DropIndex(ctx, target.Scope(req), index); err != nil {
		return nil, err
	}
	if req.OwnStorage() {
		return acknowledged{true}, nil
	}
	if err := c.Announcer.Index(ctx, announce.IndexDeleted, index); err != nil {
		return nil, err
	}
	return acknowledged{true}, nil
}

// mDelete removes those of the indexes that exist and that the caller may delete, and answers {deleted: [name]}. It says
// nothing of the others, not even whether they exist.
func (c controller) mDelete(ctx context.Context, req *protocol.Request) (any, error) {
	names, err := indexesOf(req)
	if err != nil {
		return nil, err
	}
	allowed, err := c.Users.Further(ctx, req, c.Announcer.Snapshot().Grants())
	if err != nil {
		return nil, err
	}
	deleted := []string{}
	for _, index := range names {
		if !allowed(&protocol.Request{Controller: "index", Action: "delete", Index: index}) {
			continue
		}
		err := c.Engine.DropIndex(ctx, storage.Public, index)
		switch {
		case errors.Is(err, kerror.ServicesStorageUnknownIndex):
		case err != nil:
			return nil, err
		default:
			deleted = append(deleted, index)
		}
	}
	if err := c.Announcer.Indexes(ctx, announce.IndexesDeleted, deleted); err != nil {
		return nil, err
	}
	return map[string][]string{"deleted": deleted}, nil
}

// indexesOf reads the argument indexes of the body; without it there are none.
func indexesOf(req *protocol.Request) ([]string, error) {
	body, err := req.OptBodyFields()
	if err != nil || body.Raw("indexes") == nil {
		return nil, err
	}
	return body.Strings("indexes")
}
