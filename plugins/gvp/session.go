package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/strictjson"
	"github.com/sluicehq/sluice/protocol"
)

// session is whose a good token is, and the Aura ID of its device, if there is one.
type session struct {
	claims
	user   user
	auraID string
}

// sessionOf gives the session of the request's token. Every reason for which there is none is the same failure.
func (p *plugin) sessionOf(ctx context.Context, r *sdk.Request) (session, error) {
	token, err := tokenOf(r)
	if err != nil {
		return session{}, err
	}
	c, ok := open(p.ring, token)
	if !ok || time.Now().UnixMilli() >= c.ExpiresAt {
		return session{}, fail(authRequired)
	}
	s, err := p.load(ctx, c, token)
	if err != nil {
		return session{}, err
	}
	if !p.calls.allow(p.ids.binding(c.UserID, c.DeviceID)) {
		p.metrics.throttled.Inc()
		return session{}, fail(tooManyRequests)
	}
	return s, nil
}

// load reads all that a token depends on at once: none of it needs the others to be found.
func (p *plugin) load(ctx context.Context, c claims, token string) (session, error) {
	var (
		row   record[tokenRow]
		owner record[user]
		on    record[device]
		bound record[binding]
		errs  [4]error
		wait  sync.WaitGroup
	)
	wait.Go(func() { row, errs[0] = read[tokenRow](ctx, p.host.Store(tokens), c.ID) })
	wait.Go(func() { owner, errs[1] = read[user](ctx, p.host.Store(users), c.UserID) })
	wait.Go(func() {
		bound, errs[2] = read[binding](ctx, p.host.Store(auraIDs), p.ids.binding(c.UserID, c.DeviceID))
	})
	if c.Trusted {
		wait.Go(func() { on, errs[3] = read[device](ctx, p.host.Store(devices), p.ids.device(c.DeviceID)) })
	}
	wait.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return session{}, err
	}
	if !row.Found || !row.Value.isFor(token) || row.Value.RevokedAt != 0 || time.Now().UnixMilli() >= row.Value.ExpiresAt {
		return session{}, fail(authRequired)
	}
	u := owner.Value
	if !owner.Found || u.Status != active || u.TokenGeneration != row.Value.Generation {
		return session{}, fail(authRequired)
	}
	if c.Trusted && (!on.Found || on.Value.UserID != u.ID || !on.Value.Enabled) {
		return session{}, fail(authRequired)
	}
	return session{c, u, bound.Value.AuraID}, nil
}

// tokenOf gives the token that the request names: in the body, as an argument, or as Bearer. One that is no text is none, and
// different ones are refused.
func tokenOf(r *sdk.Request) (string, error) {
	body, err := bodyOf(r)
	if err != nil {
		return "", err
	}
	var token string
	inBody, inArgs := body.Raw("token"), r.Args.Raw("token")
	named := append(textsOf(inBody), textsOf(inArgs)...)
	wrong := len(named) == 0 && (inBody != nil || inArgs != nil)
	// Over WebSocket the header is that of the upgrade, and may be of another session.
	if bearer := bearerOf(r); bearer != "" && !wrong && r.Connection.Protocol != "websocket" {
		named = append(named, bearer)
	}
	for _, t := range named {
		if token != "" && t != token {
			return "", invalid("token")
		}
		token = t
	}
	return token, nil
}

// textsOf gives the texts in a value: one, those of a repeated parameter, or none.
func textsOf(v jsontext.Value) []string {
	var list []string
	switch v.Kind() {
	case '[':
		_ = json.Unmarshal(v, &list) // what holds other things is no token
	case '"':
		var text string
		if json.Unmarshal(v, &text) == nil && text != "" {
			list = []string{text}
		}
	}
	return list
}

// bearerOf gives a UNIAPI token in the header Authorization; what others keep there is not looked at.
func bearerOf(r *sdk.Request) string {
	scheme, token, _ := strings.Cut(r.Connection.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") && (strings.HasPrefix(token, loggedPrefix) || strings.HasPrefix(token, "AN_")) {
		return token
	}
	return ""
}

// bodyOf reads the JSON body, of a route or of an envelope; none is an empty one.
func bodyOf(r *sdk.Request) (protocol.Args, error) {
	text := []byte(r.Body)
	if text == nil {
		text = r.RawBody
	}
	if len(text) == 0 {
		return protocol.Args{}, nil
	}
	object, err := strictjson.Standard.Object(text)
	if err != nil {
		return protocol.Args{}, unreadable(err)
	}
	return object, nil
}
