package bulk

import (
	"context"

	"github.com/sluicehq/sluice/controllers/batch"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
)

// importData does operations given as lines in the form of Elasticsearch's bulk. It answers {successes, errors}, entries
// {<operation>: {_id, status}}, each in the order of the request.
func (c controller) importData(ctx context.Context, req *protocol.Request) (any, error) {
	where, err := target.Collection(req)
	if err != nil {
		return nil, err
	}
	body, err := req.BodyFields()
	if err != nil {
		return nil, err
	}
	lines, err := batch.Array(body, "bulkData", "body.bulkData")
	if err != nil {
		return nil, err
	}
	created, updated, err := c.Metadata.Imported(ctx, req)
	if err != nil {
		return nil, err
	}
	operations, err := parse(lines, stamps{created, updated})
	if err != nil {
		return nil, err
	}
	ops := make([]storage.Op, len(operations))
	for i, o := range operations {
		ops[i] = o.op
	}
	results, err := c.Engine.Write(ctx, where, ops, storage.BulkOptions{Refresh: target.Refresh(req)})
	if err != nil {
		return nil, err
	}
	answer := batch.NewResult()
	for i, o := range operations {
		if err := results[i].Err; err != nil {
			answer.Errors = append(answer.Errors, o.failure(err, answer.Look(err)))
		} else {
			answer.Successes = append(answer.Successes, o.success(results[i].Created))
		}
	}
	return answer.Answer(req)
}
