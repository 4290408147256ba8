package realtime

import (
	"context"

	"github.com/sluicehq/sluice/protocol"
)

// count answers {count}: 0 for a room that is not there.
func (c controller) count(_ context.Context, req *protocol.Request) (any, error) {
	room, err := roomID(req)
	if err != nil {
		return nil, err
	}
	return struct {
		Count int `json:"count"`
	}{c.Realtime.Count(room)}, nil
}

// list answers {index: {collection: {roomId: count}}} of the collections that the caller may subscribe to.
func (c controller) list(ctx context.Context, req *protocol.Request) (any, error) {
	show, err := c.subscribable(ctx, req)
	if err != nil {
		return nil, err
	}
	return c.Realtime.List(show), nil
}
