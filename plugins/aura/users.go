package main

import (
	"context"
	"net/http"

	"github.com/sluicehq/sluice/protocol"
)

// identity is the answer of whatever finds or makes a user.
type identity struct {
	AuraID       string `json:"auraId"`
	AuraIDGlobal string `json:"auraIdGlobal"`
	ChannelID    string `json:"channelId"`
}

func identityOf(r *record) identity { return identity{r.AuraID, r.AuraIDGlobal, r.ChannelID} }

// whole is all that is known of a user; null where nothing is.
type whole struct {
	AuraID          string  `json:"auraId"`
	AuraIDGlobal    string  `json:"auraIdGlobal"`
	UserID          *string `json:"userId"`
	AuthorizationID *string `json:"authorizationId"`
	ChannelID       string  `json:"channelId"`
	PhoneNumber     *string `json:"phoneNumber"`
	Type            string  `json:"type"`
	CreatedAt       string  `json:"createdAt"`
	UpdatedAt       string  `json:"updatedAt"`
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// getOrCreate answers the identity of a user in a channel, who is made when there is none.
func (p *plugin) getOrCreate(ctx context.Context, c *call) (any, error) {
	read := readUser
	if c.bearer != "" {
		read = p.introspected
	}
	u, err := read(ctx, c)
	if err != nil {
		return nil, err
	}
	r, err := p.registry.register(ctx, u)
	if err != nil {
		return nil, err
	}
	return identityOf(r), nil
}

func readUser(_ context.Context, c *call) (u newUser, err error) {
	if u.userID, err = name(c, "userId", maxUserID, true); err != nil {
		return u, err
	}
	if u.authorizationID, err = name(c, "authorizationId", maxAuthorizationID, true); err != nil {
		return u, err
	}
	if u.channelID, err = channelID(c); err != nil {
		return u, err
	}
	u.phoneNumber, err = phoneNumber(c, "phoneNumber", false)
	return u, err
}

// createExternal makes a user whose auraId comes from outside. One that exists in the channel is answered as he is.
func (p *plugin) createExternal(ctx context.Context, c *call) (any, error) {
	wanted, err := argument(c, "auraId", true)
	if err != nil {
		return nil, err
	}
	if reserved(wanted) || !auraIDForm.MatchString(wanted) {
		return nil, invalid("auraId", "is not an id that a user can have")
	}
	u := newUser{auraID: wanted, external: true}
	if u.channelID, err = channelID(c); err != nil {
		return nil, err
	}
	if u.phoneNumber, err = phoneNumber(c, "phoneNumber", false); err != nil {
		return nil, err
	}
	_, r, err := p.registry.byAuraID(ctx, wanted)
	if err != nil {
		return nil, err
	}
	if r != nil && r.ChannelID != u.channelID {
		return nil, errTaken
	}
	if r == nil || r.Type == externalUser && u.phoneNumber != "" {
		if r, err = p.registry.register(ctx, u); err != nil {
			return nil, err
		}
	}
	return identityOf(r), nil
}

// getUser answers all that is known of a user and, when the operator wants that, whether Kernel still lets him.
func (p *plugin) getUser(ctx context.Context, c *call) (any, error) {
	wanted, err := auraID(c)
	if err != nil {
		return nil, err
	}
	attempt, wait, err := p.unknown.Begin(ctx, c.Connection.ClientIP, "")
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		p.metrics.throttled.Inc()
		return nil, &problem{kind: tooManyRequests, message: "too many users that do not exist", retryAfter: wait}
	}
	defer attempt.Drop()
	_, r, err := p.registry.byAuraID(ctx, wanted)
	if err != nil {
		return nil, err
	}
	if r == nil {
		attempt.Fail()
		return nil, errNoUser
	}
	if p.settings.Kernel.ValidateOnGet && r.AuthorizationID != "" {
		if err := p.kernel.authorized(ctx, c, r); err != nil {
			return nil, err
		}
	}
	number, err := p.keys.openPhone(r.PhoneNumber)
	if err != nil {
		return nil, err
	}
	return whole{
		r.AuraID, r.AuraIDGlobal, orNull(r.UserID), orNull(r.AuthorizationID), r.ChannelID, orNull(number),
		r.Type, r.CreatedAt, r.UpdatedAt,
	}, nil
}

// lastForGlobal answers the identity of a person in a channel.
func (p *plugin) lastForGlobal(ctx context.Context, c *call) (any, error) {
	text, err := argument(c, "aura_id_global", true)
	if err != nil {
		return nil, err
	}
	auraIDGlobal, err := asUUID("aura_id_global", text)
	if err != nil {
		return nil, err
	}
	channel, err := channelID(c)
	if err != nil {
		return nil, err
	}
	r, err := p.registry.byGlobal(ctx, auraIDGlobal, channel)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, errNoUser
	}
	return identityOf(r), nil
}

// deleteUser removes all that is known of a user.
func (p *plugin) deleteUser(ctx context.Context, c *call) (any, error) {
	wanted, err := auraID(c)
	if err != nil {
		return nil, err
	}
	key, r, err := p.registry.byAuraID(ctx, wanted)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, errNoUser
	}
	if err := p.outbox.erase(ctx, c, key, r); err != nil {
		return nil, err
	}
	c.Reply.Status = http.StatusNoContent
	return protocol.Absent, nil
}

// eraseByPhone removes all users with a telephone number. An operator must see when there was none: 404.
func (p *plugin) eraseByPhone(ctx context.Context, c *call) (any, error) {
	number, err := phoneNumber(c, "phone_number", true)
	if err != nil {
		return nil, err
	}
	hmac := p.keys.phoneHMAC(number)
	keys, err := p.registry.byPhone(ctx, hmac)
	if err != nil {
		return nil, err
	}
	found := false
	for _, key := range keys {
		r, _, err := p.registry.users.get(ctx, key)
		if err != nil {
			return nil, err
		}
		if r == nil || r.PhoneHMAC != hmac { // it is being made, or was cut off while it was
			continue
		}
		if err := p.outbox.erase(ctx, c, key, r); err != nil {
			return nil, err
		}
		found = true
	}
	if !found {
		return nil, fail(notFound, "there is no user with this telephone number")
	}
	c.Reply.Status = http.StatusNoContent
	return protocol.Absent, nil
}
