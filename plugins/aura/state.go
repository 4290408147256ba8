package main

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/protocol"
)

// What a state is good for.
const (
	linkPurpose   = "link"
	unlinkPurpose = "unlink"
)

// Bounds of states.
const (
	maxStateLife   = 10 * time.Minute
	maxStateLength = 2048
)

// state is the content of the ciphered parameter of callbacks.
type state struct {
	Purpose     string `json:"purpose"`
	AuraID      string `json:"auraId,omitempty"`
	UserID      string `json:"userId,omitempty"`
	ChannelID   string `json:"channelId"`
	RedirectURI string `json:"redirectUri,omitempty"`
	Nonce       string `json:"nonce"`
	IssuedAt    int64  `json:"iat"`
	ExpiresAt   int64  `json:"exp"`
}

// usedState is the document whose id is the nonce: there is one when the state was used.
type usedState struct {
	Purpose string `json:"purpose"`
	Exp     int64  `json:"exp"`
	UsedAt  string `json:"usedAt"`
}

// statePurpose keeps states of one purpose and environment from being good for another.
func (p *plugin) statePurpose(purpose string) string {
	return "aura-state|" + purpose + "|" + p.settings.Environment
}

func (p *plugin) sealState(s state) (string, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	return p.keys.ring.Seal(p.statePurpose(s.Purpose), b), nil
}

var errState = fail(unauthenticated, "the state is not valid")

// takeState reads the parameter state, which is good once.
func (p *plugin) takeState(ctx context.Context, c *call, purpose string) (*state, error) {
	text, err := argument(c, "state", true)
	if err != nil {
		return nil, err
	}
	if len(text) > maxStateLength {
		return nil, errState
	}
	content, err := p.keys.ring.Open(p.statePurpose(purpose), text)
	if err != nil {
		return nil, errState
	}
	var s state
	if err := json.Unmarshal(content, &s); err != nil || s.Purpose != purpose || s.Nonce == "" || time.Now().Unix() >= s.ExpiresAt {
		return nil, errState
	}
	fresh, err := documents[usedState]{p.states}.create(ctx, s.Nonce, &usedState{purpose, s.ExpiresAt, now()})
	if err != nil {
		return nil, err
	}
	if !fresh {
		return nil, errState
	}
	return &s, nil
}

// oauthError is what RFC 6749 allows in the parameter error.
var oauthError = regexp.MustCompile(`^[\x20-\x21\x23-\x5B\x5D-\x7E]{1,128}$`)

// linkCallback adds the record of a user who has authorized at Kernel: {auraId}, or a redirect.
func (p *plugin) linkCallback(ctx context.Context, c *call) (any, error) {
	u, failure, err := readLink(c)
	if err != nil {
		return nil, err
	}
	s, err := p.takeState(ctx, c, linkPurpose)
	if err != nil {
		return nil, err
	}
	if failure != "" {
		return p.linkFailed(c, s, failure)
	}
	if u, err = p.linked(ctx, s, u); err != nil {
		return nil, err
	}
	r, err := p.registry.register(ctx, u)
	if err != nil {
		return nil, err
	}
	if s.RedirectURI != "" && p.settings.mayRedirectTo(s.RedirectURI) {
		return redirect(c, s.RedirectURI), nil
	}
	return struct {
		AuraID string `json:"auraId"`
	}{r.AuraID}, nil
}

// linked says whose record it is. Only what is sealed in the state leads to a record that exists: anybody can write a user_id
// into an address. Who is known by his authorization alone gets a record of his own.
func (p *plugin) linked(ctx context.Context, s *state, u newUser) (newUser, error) {
	u.channelID, u.auraID = s.ChannelID, s.AuraID
	claimed := u.userID
	u.userID, u.unproven = s.UserID, s.UserID == ""
	if s.UserID == "" && s.AuraID != "" {
		_, r, err := p.registry.byAuraID(ctx, s.AuraID)
		if err != nil {
			return u, err
		}
		if r != nil && r.Type == authenticatedUser && r.ChannelID == s.ChannelID {
			u.userID, u.unproven = r.UserID, r.UserID == "" && r.AuthorizationID != u.authorizationID
		}
	}
	if claimed != "" && u.userID != "" && claimed != u.userID {
		return u, invalid("user_id", "is not the one that the state is for")
	}
	return u, nil
}

// readLink reads the parameters beside the state, so that a request that lacks one does not use the state up. failure is
// what Kernel reports in place of an authorization.
func readLink(c *call) (u newUser, failure string, err error) {
	if failure, err = argument(c, "error", false); err != nil || failure != "" {
		if !oauthError.MatchString(failure) {
			failure = "invalid_request"
		}
		return u, failure, err
	}
	if u.authorizationID, err = name(c, "authorization_id", maxAuthorizationID, true); err != nil {
		return u, "", err
	}
	u.userID, err = name(c, "user_id", maxUserID, false)
	return u, "", err
}

// linkFailed passes on what Kernel reports; there is no record.
func (p *plugin) linkFailed(c *call, s *state, failure string) (any, error) {
	if s.RedirectURI == "" || !p.settings.mayRedirectTo(s.RedirectURI) {
		return nil, fail(invalidArgument, "error: the authorization failed")
	}
	target, err := url.Parse(s.RedirectURI)
	if err != nil {
		return nil, err
	}
	query := target.Query()
	query.Set("error", failure)
	if description, err := argument(c, "error_description", false); err == nil && oauthError.MatchString(description) {
		query.Set("error_description", description)
	}
	target.RawQuery = query.Encode()
	return redirect(c, target.String()), nil
}

// unlinkCallback removes the record of a user who has logged out at Kernel: {status}, or a redirect. Nobody to remove is
// success: browsers repeat requests.
func (p *plugin) unlinkCallback(ctx context.Context, c *call) (any, error) {
	s, err := p.takeState(ctx, c, unlinkPurpose)
	if err != nil {
		return nil, err
	}
	key, r, err := p.recordOf(ctx, s)
	if err != nil {
		return nil, err
	}
	if r != nil {
		if err := p.outbox.erase(ctx, c, key, r); err != nil {
			return nil, err
		}
	}
	if s.RedirectURI != "" && p.settings.mayRedirectTo(s.RedirectURI) {
		return redirect(c, s.RedirectURI), nil
	}
	return status{"ok"}, nil
}

// recordOf finds whom a state names: by auraId, which must be of the state's channel, else by channel and user.
func (p *plugin) recordOf(ctx context.Context, s *state) (string, *record, error) {
	if s.AuraID == "" {
		return p.registry.byPerson(ctx, s.ChannelID, p.registry.person(newUser{userID: s.UserID}))
	}
	key, r, err := p.registry.byAuraID(ctx, s.AuraID)
	if r != nil && r.ChannelID != s.ChannelID {
		return "", nil, err
	}
	return key, r, err
}

func redirect(c *call, uri string) any {
	c.Reply.Status = http.StatusFound
	c.Reply.SetHeader("Location", uri)
	return protocol.Absent
}

// purgeStates removes used states that have run out, until ctx ends: they would be refused without.
func (p *plugin) purgeStates(ctx context.Context) {
	every := time.NewTicker(time.Hour)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		if err := p.purgeStatesBefore(ctx, time.Now()); err != nil && ctx.Err() == nil {
			p.host.Logger().WarnContext(ctx, "used states are not removed", "error", err.Error())
		}
	}
}

const purgeBatch = 100

func (p *plugin) purgeStatesBefore(ctx context.Context, t time.Time) error {
	query := map[string]any{"query": map[string]any{"range": map[string]any{"exp": map[string]any{"lt": t.Unix()}}}}
	for {
		result, err := p.states.Call(ctx, "search", query, map[string]any{"size": purgeBatch})
		if err != nil {
			return err
		}
		var found struct {
			Hits []struct {
				ID string `json:"_id"`
			} `json:"hits"`
		}
		if err := result.Decode(&found); err != nil || len(found.Hits) == 0 {
			return err
		}
		ids := make([]string, len(found.Hits))
		for i, hit := range found.Hits {
			ids[i] = hit.ID
		}
		if _, err := p.states.Call(ctx, "mDelete", map[string][]string{"ids": ids}, map[string]any{"refresh": "wait_for"}); err != nil {
			return err
		}
		if len(ids) < purgeBatch {
			return nil
		}
	}
}
