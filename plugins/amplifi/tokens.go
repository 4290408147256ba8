package main

import (
	"context"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/sluicehq/sluice/plugins/sdk"
)

// token is a document of afi_tokens, named by the hash of the token. It leads to the user, who has the last word.
type token struct {
	AFiUserID string    `json:"AFiUserId"`
	Channel   string    `json:"channel"`
	Device    string    `json:"deviceId,omitempty"`
	Created   timestamp `json:"dtsCreated"`
	Expiry    timestamp `json:"dtsExpiry"`
	IP        string    `json:"ip"`
}

// success is the answer of PUT /token.
type success struct {
	Success                     bool      `json:"success"`
	UserID                      string    `json:"userId"`
	AFiUserID                   string    `json:"AFiUserId"`
	Token                       string    `json:"token"`
	Segment                     string    `json:"segment"`
	PostOnboardingStepsRequired *string   `json:"postOnboardingStepsRequired"`
	Expiry                      timestamp `json:"dtsExpiry"`
	IsLocalSavingAllowed        bool      `json:"isLocalSavingAllowed"`
}

var tokenPattern = regexp.MustCompile(`^[a-z]{64}$`)

func tokenKey(text string) string { return keyOf("token", text) }

// issue gives the user of a proof a new token. The document of the token and the user's list are written side by side: one
// without the other is no token.
func (p *plugin) issue(ctx context.Context, c *credentials, by proof, ip string) (*success, error) {
	now := time.Now()
	text := newToken()
	lifetime := by.lifetime
	if lifetime == 0 {
		lifetime = p.settings.lifetime(c.channel)
	}
	doc := token{
		AFiUserID: by.userID, Channel: c.channel, Device: by.device,
		Created: timestampOf(now), Expiry: timestampOf(now.Add(lifetime)), IP: ip,
	}
	var of user
	var aside sync.WaitGroup
	var begun bool
	var failed error
	err := change(ctx, p, p.users, by.userID, func(u *user) error {
		if !u.mayLogIn() {
			return errUserDisabled
		}
		dead := u.enter(liveToken{tokenKey(text), doc.Expiry}, now, p.settings.MaxLiveTokens)
		if !begun {
			begun = true
			aside.Go(func() { _, failed = p.tokens.Create(ctx, tokenKey(text), doc) })
			aside.Go(func() { p.bury(ctx, dead) })
		}
		of = *u
		return nil
	})
	aside.Wait()
	switch {
	case isNotFound(err):
		return nil, errInvalidCredentials
	case err == nil:
		err = failed
	}
	if err != nil {
		return nil, err
	}
	return &success{
		Success: true, UserID: of.AFiUserID, AFiUserID: of.AFiUserID, Token: text, Segment: of.Segment,
		PostOnboardingStepsRequired: of.PostOnboardingStepsRequired, Expiry: doc.Expiry,
		IsLocalSavingAllowed: of.IsLocalSavingAllowed && !slices.Contains(p.settings.LocalSavingForbidden, c.channel),
	}, nil
}

// enter adds a token to those that are live. It ends those that are expired, and the oldest where there are more than most.
// It gives the documents that may go now: those whose end was written earlier, and the expired.
func (u *user) enter(t liveToken, now time.Time, most int) (dead []string) {
	dead = u.Dead
	u.Dead = nil
	live := u.Live[:0:0]
	for _, old := range u.Live {
		if old.Expiry.at.After(now) {
			live = append(live, old)
		} else {
			dead = append(dead, old.Hash)
		}
	}
	for len(live) >= most {
		u.Dead = append(u.Dead, live[0].Hash)
		live = live[1:]
	}
	u.Live = append(live, t)
	return dead
}

// bury removes documents of tokens that are no longer good. What stays when that fails costs its place and nothing else.
func (p *plugin) bury(ctx context.Context, dead []string) {
	if len(dead) == 0 {
		return
	}
	if _, err := p.tokens.Call(ctx, "mDelete", map[string]any{"ids": dead}, nil); err != nil {
		p.host.Logger().WarnContext(ctx, "ended tokens stay in the store", "count", len(dead), "error", err.Error())
	}
}

// bearer gives the user of a token: invalidToken when it is missing, unknown, expired or revoked, or the user disabled.
func (p *plugin) bearer(ctx context.Context, text string) (*user, error) {
	if !tokenPattern.MatchString(text) {
		return nil, errInvalidToken
	}
	key := tokenKey(text)
	var t token
	var u user
	_, err := read(ctx, p.tokens, key, &t)
	if err == nil {
		_, err = read(ctx, p.users, t.AFiUserID, &u)
	}
	switch {
	case isNotFound(err):
		return nil, errInvalidToken
	case err != nil:
		return nil, err
	}
	now := time.Now()
	live := slices.ContainsFunc(u.Live, func(l liveToken) bool { return l.Hash == key && l.Expiry.at.After(now) })
	if !live || !u.mayLogIn() {
		return nil, errInvalidToken
	}
	return &u, nil
}

// revokeToken ends a token. One that is unknown or has ended is ended: that is no failure. Without one there is nothing to
// end, and that is.
func (p *plugin) revokeToken(ctx context.Context, r *sdk.Request) (any, error) {
	text := argument(r, "token", "token")
	if text == "" {
		return nil, errInvalidToken
	}
	ended := map[string]bool{"success": true}
	if !tokenPattern.MatchString(text) {
		return ended, nil
	}
	key := tokenKey(text)
	var t token
	switch _, err := read(ctx, p.tokens, key, &t); {
	case isNotFound(err):
		return ended, nil
	case err != nil:
		return nil, err
	}
	err := change(ctx, p, p.users, t.AFiUserID, func(u *user) error {
		u.Live = slices.DeleteFunc(u.Live, func(l liveToken) bool { return l.Hash == key })
		return nil
	})
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	p.bury(ctx, []string{key})
	return ended, nil
}
