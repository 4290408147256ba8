package document

import (
	"context"
	"errors"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// get answers {_id, _source, _version}.
func (c controller) get(ctx context.Context, req *protocol.Request) (any, error) {
	where, id, err := target.Document(req)
	if err != nil {
		return nil, err
	}
	if id == "_search" { // GET /:index/:collection/_search
		return nil, kerror.ServicesStorageSearchAsAnID.New()
	}
	wanted, err := c.Announcer.Doc(ctx, req, announce.BeforeGet, announce.Doc{ID: id})
	if err != nil {
		return nil, err
	}
	stored, err := c.Engine.Get(ctx, where, wanted.ID)
	if err != nil {
		return nil, err
	}
	found := whole(stored)
	seen, err := c.Announcer.Doc(ctx, req, announce.AfterGet, found.doc())
	if err != nil {
		return nil, err
	}
	return found.with(seen), nil
}

// exists answers whether there is such a document.
func (c controller) exists(ctx context.Context, req *protocol.Request) (any, error) {
	where, id, err := target.Document(req)
	if err != nil {
		return nil, err
	}
	wanted, err := c.Announcer.Doc(ctx, req, announce.BeforeGet, announce.Doc{ID: id})
	if err != nil {
		return nil, err
	}
	stored, err := c.Engine.Get(ctx, where, wanted.ID)
	switch {
	case errors.Is(err, kerror.ServicesStorageNotFound):
		return false, nil
	case err != nil:
		return nil, err
	}
	if _, err := c.Announcer.Doc(ctx, req, announce.AfterGet, whole(stored).doc()); err != nil {
		return nil, err
	}
	return true, nil
}
