package security

import (
	"context"

	rights "github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
)

// listed is a list of rights.
type listed struct {
	Hits  []rights.Right `json:"hits"`
	Total int            `json:"total"`
}

func rightsOf(hits []rights.Right) listed { return listed{hits, len(hits)} }

// getUserRights answers what the user may do, as {hits, total}.
func (c controller) getUserRights(ctx context.Context, req *protocol.Request) (any, error) {
	id, err := requiredID(req)
	if err != nil {
		return nil, err
	}
	u, err := c.Users.User(ctx, id)
	if err != nil {
		return nil, err
	}
	return rightsOf(c.Users.Rights(u, c.Snapshot().Grants())), nil
}

// checkRights answers whether the user may send the request in the body: {allowed}.
func (c controller) checkRights(ctx context.Context, req *protocol.Request) (any, error) {
	id, err := req.Args.String("userId")
	if err != nil {
		return nil, err
	}
	asked, err := rights.Asked(req)
	if err != nil {
		return nil, err
	}
	u, err := c.Users.User(ctx, id)
	if err != nil {
		return nil, err
	}
	return map[string]bool{"allowed": c.Snapshot().Permits(c.Users, u, asked)}, nil
}
