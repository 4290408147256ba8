package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/plugins/sdk/upstream"
)

const directLineName = "Direct Line"

// directLine asks the Direct Line of the bot for tokens. Nothing it answers is kept.
type directLine struct {
	client *upstream.Client
	secret string
}

func newDirectLine(s directLineSettings, secret string, m *metrics) (*directLine, error) {
	client, err := s.client("directline", m)
	return &directLine{client, secret}, err
}

func (d *directLine) close() {
	if d.client != nil {
		d.client.Close()
	}
}

// directLineToken is the answer of GET /token.
type directLineToken struct {
	Token     string `json:"token"`
	ExpiresIn int    `json:"expires_in"`
}

// conversation is the answer of GET /token/wss.
type conversation struct {
	ConversationID     string  `json:"conversationId"`
	Token              string  `json:"token"`
	ExpiresIn          int     `json:"expires_in"`
	StreamURL          string  `json:"streamUrl"`
	ReferenceGrammarID *string `json:"referenceGrammarId"`
}

// getToken answers a token with which a client may start one conversation.
func (p *plugin) getToken(ctx context.Context, c *call) (any, error) {
	answered, err := p.direct.post(ctx, c, "/v3/directline/tokens/generate")
	if err != nil {
		return nil, err
	}
	return directLineToken{answered.Token, answered.ExpiresIn}, nil
}

// getConversation starts a conversation and answers how to get into it. Its streamUrl must be used within 60 seconds.
func (p *plugin) getConversation(ctx context.Context, c *call) (any, error) {
	answered, err := p.direct.post(ctx, c, "/v3/directline/conversations")
	if err != nil {
		return nil, err
	}
	if answered.ConversationID == "" || answered.StreamURL == "" {
		return nil, fail(badGateway, directLineName+" gave no usable answer")
	}
	return answered, nil
}

// post names no user: an id in the token would take the place of the one that the channel gives.
func (d *directLine) post(ctx context.Context, c *call, path string) (*conversation, error) {
	if d.secret == "" {
		return nil, fail(unavailable, directLineName+" is not set up")
	}
	answer, err := d.client.Do(ctx, upstream.Call{
		Method: http.MethodPost, Path: path, Correlator: c.correlator,
		Header: http.Header{"Authorization": {"Bearer " + strings.TrimSpace(d.secret)}},
	})
	if err != nil {
		return nil, failedUpstream(directLineName, err)
	}
	if answer.Status != http.StatusOK && answer.Status != http.StatusCreated {
		return nil, refusedUpstream(directLineName, answer)
	}
	var answered conversation
	if err := json.Unmarshal(answer.Body, &answered); err != nil || answered.Token == "" || answered.ExpiresIn <= 0 {
		return nil, fail(badGateway, directLineName+" gave no usable answer") // err may show the token
	}
	return &answered, nil
}
