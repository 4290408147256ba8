package security

import (
	"context"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/controllers/batch"
	rights "github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// found is the answer of the actions that read many.
type found struct {
	Hits []rights.Stored `json:"hits"`
}

// readMany answers {hits} for the ids in the body.
func (c controller) readMany(ctx context.Context, req *protocol.Request, read func(context.Context, []string) ([]rights.Stored, error)) (any, error) {
	body, err := req.BodyFields()
	if err != nil {
		return nil, err
	}
	return c.readIDs(ctx, body, read)
}

// readIDs is readMany for ids that may stand elsewhere.
func (c controller) readIDs(ctx context.Context, args protocol.Args, read func(context.Context, []string) ([]rights.Stored, error)) (any, error) {
	ids, err := args.Strings("ids")
	if err != nil {
		return nil, err
	}
	if len(ids) > c.Paging.MaxFetch {
		return nil, kerror.ServicesStorageGetLimitExceeded.New()
	}
	hits, err := read(ctx, ids)
	if err != nil {
		return nil, err
	}
	return found{hits}, nil
}

// deleteMany answers the ids in the body that were deleted, in their order, together with
// services.storage.incomplete_delete when others were not.
func (c controller) deleteMany(req *protocol.Request, remove func(ids []string) ([]error, error)) (any, error) {
	body, err := req.BodyFields()
	if err != nil {
		return nil, err
	}
	ids, err := body.Strings("ids")
	if err != nil {
		return nil, err
	}
	if len(ids) > c.MaxWrite {
		return nil, kerror.ServicesStorageWriteLimitExceeded.New()
	}
	errs, err := remove(ids)
	if err != nil {
		return nil, err
	}
	gone, left := []string{}, batch.NewResult()
	for i, id := range ids {
		if errs[i] == nil {
			gone = append(gone, id)
			continue
		}
		sent, err := json.Marshal(id)
		if err != nil {
			return nil, err
		}
		left.FailID(sent, errs[i])
	}
	if err := left.Fault(); err != nil {
		return nil, err
	}
	return gone, left.IncompleteDelete()
}
