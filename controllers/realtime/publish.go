package realtime

import (
	"context"

	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/protocol"
)

type published struct {
	Published bool `json:"published"`
}

// publish answers {published: true}, whether or not anybody listens. The collection need not exist.
func (c controller) publish(ctx context.Context, req *protocol.Request) (any, error) {
	where, body, err := target.PublicBody(req)
	if err != nil {
		return nil, err
	}
	spec, err := c.Validator.Of(where.Index, where.Name)
	if err != nil {
		return nil, err
	}
	if body, err = spec.Admit(req.ID, body); err != nil {
		return nil, err
	}
	info, err := c.Metadata.Published(req)
	if err != nil {
		return nil, err
	}
	if body, err = metadata.In(body, info); err != nil {
		return nil, err
	}
	if err := c.Realtime.Publish(ctx, req, where.Index, where.Name, req.ID, body); err != nil {
		return nil, err
	}
	return published{true}, nil
}

// validate is an older name of document:validate.
func (c controller) validate(ctx context.Context, req *protocol.Request) (any, error) {
	where, body, err := target.PublicBody(req)
	if err != nil {
		return nil, err
	}
	outcome, err := c.Validator.Validate(ctx, where.Index, where.Name, body)
	return outcome.Answer(), err
}
