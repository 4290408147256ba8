package auth

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// getCurrentUser answers {_id, _source, strategies}. It is called often: user and strategies come from memory, and the
// answer is put together by hand.
func (c controller) getCurrentUser(ctx context.Context, req *protocol.Request) (any, error) {
	u, err := c.Users.User(ctx, req.User.KUID())
	if err != nil {
		return nil, err
	}
	var strategies []string
	if !u.Anonymous() {
		if strategies, err = c.Tokens.StrategiesOf(ctx, req, u.ID); err != nil {
			return nil, err
		}
	}
	b := make([]byte, 0, len(`{"_id":"","_source":,"strategies":[]}`)+len(u.ID)+len(u.Source)+16*len(strategies))
	b = appendText(append(b, `{"_id":`...), u.ID)
	b = append(append(b, `,"_source":`...), u.Source...)
	b = append(b, `,"strategies":[`...)
	for i, name := range strategies {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, name)
	}
	return jsontext.Value(append(b, "]}"...)), nil
}

func appendText(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s) // invalid UTF-8 is replaced, the rest is written all the same
	return dst
}

// rights is a list of rights.
type rights struct {
	Hits  []security.Right `json:"hits"`
	Total int              `json:"total"`
}

// getMyRights answers what the caller may do, as {hits, total}.
func (c controller) getMyRights(ctx context.Context, req *protocol.Request) (any, error) {
	u, err := c.Users.User(ctx, req.User.KUID())
	if err != nil {
		return nil, err
	}
	hits := c.Users.Rights(u, c.Snapshot().Grants())
	return rights{hits, len(hits)}, nil
}

// getStrategies answers the names of the strategies.
func (c controller) getStrategies(context.Context, *protocol.Request) (any, error) {
	names := []string{}
	for _, strategy := range c.Tokens.Strategies().All() {
		names = append(names, strategy.Name)
	}
	return names, nil
}

// How often updateSelf tries again when others are faster: unless the request says, and at most.
const (
	defaultRetries = 10
	maxRetries     = 1000
)

// updateSelf writes the members of the body over those of the caller and answers {_id, _source}. What a user may do is not his
// to change.
func (c controller) updateSelf(ctx context.Context, req *protocol.Request) (any, error) {
	if err := loggedIn(req); err != nil {
		return nil, err
	}
	body, err := req.BodyFields()
	if err != nil {
		return nil, err
	}
	for _, forbidden := range []string{"_id", "profileIds"} {
		if body.Has(forbidden) {
			return nil, kerror.APIAssertForbiddenArgument.New("body." + forbidden)
		}
	}
	how := security.Change{Write: security.Write{By: req.User.ID, Refresh: storage.RefreshWaitFor}}
	if req.Args.Has("refresh") {
		how.Refresh = target.Refresh(req)
	}
	retries, err := req.Args.OptInt("retryOnConflict", defaultRetries)
	if err != nil {
		return nil, err
	}
	how.Retries = int(min(max(retries, 0), maxRetries))
	stored, err := c.Users.UpdateUser(ctx, req.User.ID, req.Body, how)
	if err != nil {
		return nil, err
	}
	return stored, nil
}
