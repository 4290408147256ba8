package document

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// count answers how many documents match: {count}.
func (c controller) count(ctx context.Context, req *protocol.Request) (any, error) {
	where, err := target.Collection(req)
	if err != nil {
		return nil, err
	}
	body, err := req.OptBodyFields()
	if err != nil {
		return nil, err
	}
	for _, member := range body.All() {
		if member.Name != "query" {
			return nil, kerror.APIAssertUnexpectedArgument.New("body."+member.Name, "query alone")
		}
	}
	if err := target.Translate(req, &body); err != nil {
		return nil, err
	}
	n, err := c.Engine.Count(ctx, []storage.Collection{where}, body.Raw("query"))
	if err != nil {
		return nil, err
	}
	return map[string]int{"count": n}, nil
}

// selection reads which documents an action on many is about: those that match the query of the body.
func selection(req *protocol.Request, body protocol.Args) (jsontext.Value, error) {
	if _, err := body.Object("query"); err != nil {
		return nil, err
	}
	if err := target.Translate(req, &body); err != nil {
		return nil, err
	}
	return body.Raw("query"), nil
}
