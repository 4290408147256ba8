package auth

import (
	"context"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
)

// checkRights answers whether the caller may send the request in the body: {allowed}.
func (c controller) checkRights(ctx context.Context, req *protocol.Request) (any, error) {
	asked, err := security.Asked(req)
	if err != nil {
		return nil, err
	}
	u, err := c.Users.User(ctx, req.User.KUID())
	if err != nil {
		return nil, err
	}
	return map[string]bool{"allowed": c.Snapshot().Permits(c.Users, u, asked)}, nil
}
