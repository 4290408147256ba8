package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	tokens "github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// authenticatedEvent is piped once a strategy knows the user, before the token is made.
const authenticatedEvent = "auth:strategyAuthenticated"

// authenticated is the data of that event. A pipe that puts something other than a user into content makes it the answer
// of the login, without a token: the login takes more steps.
type authenticated struct {
	Content  any    `json:"content"`
	Strategy string `json:"strategy"`
}

// login hands the request's fields to a strategy and answers {_id, jwt, expiresAt, ttl}. The connection is linked to the
// token at once. A redirecting strategy answers {statusCode, headers} and has them sent.
func (c controller) login(ctx context.Context, req *protocol.Request) (any, error) {
	inCookie, err := setsCookie(req)
	if err != nil {
		return nil, err
	}
	name, err := req.Args.String("strategy")
	if err != nil {
		return nil, err
	}
	strategy, err := c.Tokens.Strategies().Get(name)
	if err != nil {
		return nil, err
	}
	ttl, err := c.Tokens.Lifetime(req.Args)
	if err != nil {
		return nil, err
	}
	outcome, err := c.verify(ctx, req, strategy)
	if err != nil {
		return nil, err
	}
	if outcome.Redirect != nil {
		return redirect(req, outcome.Redirect), nil
	}
	if outcome.KUID == "" {
		return nil, kerror.PluginStrategyMissingUser.New(outcome.Message)
	}
	stored, err := c.knownUser(ctx, name, outcome.KUID)
	if err != nil {
		return nil, err
	}
	user, answer, err := c.announce(ctx, req, name, stored)
	if err != nil || user == "" {
		return answer, err
	}
	return c.issue(ctx, req, user, ttl, inCookie)
}

// issue makes the token and links the connection to it.
func (c controller) issue(ctx context.Context, req *protocol.Request, kuid string, ttl time.Duration, inCookie bool) (any, error) {
	issued, err := c.Tokens.LogIn(ctx, req.Connection, kuid, ttl)
	if err != nil {
		return nil, err
	}
	return hand(req, issued, inCookie), nil
}

// verify asks the strategy, unless there were too many attempts.
func (c controller) verify(ctx context.Context, req *protocol.Request, strategy tokens.Named) (tokens.Outcome, error) {
	login := tokens.Login{Request: req, Args: req.Args, Known: c.known}
	var err error
	if login.Body, err = req.OptBodyFields(); err != nil {
		return tokens.Outcome{}, err
	}
	account := ""
	if namer, ok := strategy.Strategy.(tokens.AccountNamer); ok {
		account = namer.Account(login)
	}
	attempt, err := c.Throttle.Begin(ctx, req.Connection, strategy.Name, account)
	if err != nil {
		return tokens.Outcome{}, err
	}
	result := tokens.Undecided
	defer func() { attempt.End(result) }()
	outcome, err := strategy.Verify(ctx, login)
	switch {
	case err != nil || outcome.Redirect != nil:
	case outcome.KUID == "":
		result = tokens.Failed
	default:
		result = tokens.Succeeded
	}
	return outcome, err
}

func (c controller) known(ctx context.Context, kuid string) (bool, error) {
	_, err := c.Users.User(ctx, kuid)
	if errors.Is(err, kerror.SecurityUserNotFound) {
		return false, nil
	}
	return err == nil, err
}

// knownUser reads the user that a strategy gave.
func (c controller) knownUser(ctx context.Context, strategy, kuid string) (security.Stored, error) {
	u, err := c.Users.User(ctx, kuid)
	if errors.Is(err, kerror.SecurityUserNotFound) || err == nil && u.Anonymous() {
		return security.Stored{}, kerror.PluginStrategyUnknownKuid.Wrap(err, "Strategy "+strategy)
	}
	if err != nil {
		return security.Stored{}, err
	}
	return security.Stored{ID: u.ID, Source: u.Source}, nil
}

// announce fires the event and reads what its pipes made of it: the user to log in, or an answer in place of a token.
func (c controller) announce(ctx context.Context, req *protocol.Request, strategy string, user security.Stored) (kuid string, answer any, err error) {
	payload := events.Payload{Request: req, Data: &authenticated{user, strategy}}
	if err := c.Bus.Fire(ctx, c.Snapshot().Events, authenticatedEvent, &payload); err != nil {
		return "", nil, err
	}
	content, err := contentOf(payload.Data)
	if err != nil {
		return "", nil, err
	}
	switch content := content.(type) {
	case security.Stored:
		return content.ID, nil, nil
	case jsontext.Value: // out of a plugin, where users are JSON
		var other security.Stored
		if json.Unmarshal(content, &other) != nil || other.ID == "" || other.Source == nil {
			return "", content, nil
		}
		if _, err := c.knownUser(ctx, strategy, other.ID); err != nil {
			return "", nil, err
		}
		return other.ID, nil, nil
	default:
		return "", content, nil
	}
}

// contentOf reads the content of the event's data after its pipes.
func contentOf(data any) (any, error) {
	switch data := data.(type) {
	case *authenticated:
		return data.Content, nil
	case jsontext.Value:
		var changed struct {
			Content jsontext.Value `json:"content"`
		}
		if err := json.Unmarshal(data, &changed); err != nil || changed.Content == nil {
			return nil, kerror.PluginRuntimeUnexpectedError.Wrap(err, "a pipe on "+authenticatedEvent+" answered without content")
		}
		return changed.Content, nil
	default:
		return nil, kerror.PluginRuntimeUnexpectedError.Wrap(fmt.Errorf("data is a %T", data), "a pipe on "+authenticatedEvent+" answered without content")
	}
}

// redirect has the strategy's status and headers sent.
func redirect(req *protocol.Request, r *tokens.Redirect) any {
	req.Reply.Status = r.StatusCode
	for name, value := range r.Headers {
		req.Reply.SetHeader(name, value)
	}
	return r
}
