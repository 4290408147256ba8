package auth

import (
	"context"

	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/protocol"
)

// checkRights answers whether the caller may send the request in the body: {allowed}.
func (c controller) checkRights(ctx context.Context, req *protocol.Request) (any, error) {
	body, err := req.BodyFields()
	if err != nil {
		return nil, err
	}
	for _, required := range []string{"controller", "action"} {
		if _, err := body.String(required); err != nil {
			return nil, err
		}
	}
	asked := &protocol.Request{Connection: req.Connection, User: req.User}
	if err := protocol.DecodeRequest(req.Body, asked); err != nil {
		return nil, err
	}
	u, err := c.Users.User(ctx, req.User.KUID())
	if err != nil {
		return nil, err
	}
	snapshot := c.Snapshot()
	allowed := c.Users.Allowed(u, asked, snapshot.Grants())
	if entry, _ := snapshot.Action(asked.Controller, asked.Action); entry != nil && entry.Auth == router.AuthRequired && u.Anonymous() {
		allowed = false
	}
	return map[string]bool{"allowed": allowed}, nil
}
