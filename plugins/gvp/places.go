package main

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"

	"github.com/sluicehq/sluice/plugins/sdk"
)

// place is where the row of a token is stored. A user has login.maxTokens of them, so that he cannot have more tokens, and no
// list of them is to be kept.
type place struct {
	id      string
	version int64 // of the row there, 0 for none
}

// storeToken seals a token and stores its row at a place of its user's that is free, else over that of his oldest token, which
// ends. One place is tried unseen: most users have few tokens.
func (p *plugin) storeToken(ctx context.Context, c claims, row tokenRow) (token string, at place, err error) {
	at = place{id: p.ids.token(c.UserID, rand.IntN(p.config.Login.MaxTokens))} //nolint:gosec // no secret
	for {
		c.ID = at.id
		if token, err = seal(p.ring, c); err != nil {
			return "", at, err
		}
		row.TokenHash = hashToken(token)
		at.version, err = p.storeAt(ctx, at, row)
		if err == nil || !lostRace(err) {
			return token, at, err
		}
		if at, err = p.findPlace(ctx, c.UserID); err != nil {
			return "", at, err
		}
	}
}

func (p *plugin) storeAt(ctx context.Context, at place, row tokenRow) (version int64, err error) {
	var d sdk.Document
	if at.version == 0 {
		d, err = p.host.Store(tokens).Create(ctx, at.id, row)
	} else {
		d, err = p.host.Store(tokens).Replace(ctx, at.id, row, sdk.IfVersion(at.version))
	}
	return d.Version, err
}

// findPlace gives a place that is free, any of them, so that many logins at once seldom meet; or that of the oldest token.
func (p *plugin) findPlace(ctx context.Context, userID string) (place, error) {
	names := make([]string, p.config.Login.MaxTokens)
	for i, n := range rand.Perm(len(names)) { //nolint:gosec // no secret
		names[i] = p.ids.token(userID, n)
	}
	taken, err := readMany[tokenRow](ctx, p.host.Store(tokens), names)
	if err != nil {
		return place{}, err
	}
	for _, name := range names {
		if !taken[name].Found {
			return place{id: name}, nil
		}
	}
	oldest := slices.MinFunc(names, func(a, b string) int { return cmp.Compare(taken[a].Value.IssuedAt, taken[b].Value.IssuedAt) })
	return place{oldest, taken[oldest].Version}, nil
}
