package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/sluicehq/sluice/plugins/sdk"
)

// createToken answers PUT /token: a token for credentials.
func (p *plugin) createToken(ctx context.Context, r *sdk.Request) (any, error) {
	c, err := p.settings.readCredentials(r)
	if err != nil {
		return nil, err
	}
	answer, err := p.logIn(ctx, r, c)
	p.metrics.login(c.channel, err)
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (p *plugin) logIn(ctx context.Context, r *sdk.Request, c *credentials) (*success, error) {
	if !p.on(c.channel) {
		return nil, errChannelDisabled
	}
	if c.channel == "test" { // there is nothing to guess
		return p.verify(ctx, c, r.Connection.ClientIP)
	}
	attempt, wait, err := p.throttle.Begin(ctx, r.Connection.ClientIP, c.account())
	switch {
	case err != nil:
		return nil, err
	case wait > 0:
		p.metrics.throttled.Inc()
		return nil, errTooManyAttempts.after(wait)
	}
	defer attempt.Drop()
	if err := p.services.allow(c.channel, argument(r, "x-service-key", "serviceKey")); err != nil {
		if errors.Is(err, errWrongKey) {
			attempt.Fail()
		}
		return nil, errChannelDisabled
	}
	answer, err := p.verify(ctx, c, r.Connection.ClientIP)
	switch {
	case err == nil:
		attempt.Succeed()
	case errors.Is(err, errInvalidCredentials):
		attempt.Fail()
	}
	return answer, err
}

func (p *plugin) verify(ctx context.Context, c *credentials, ip string) (*success, error) {
	by, err := proofs[c.channel](p, ctx, c, ip)
	if err != nil {
		return nil, err
	}
	return p.issue(ctx, c, by, ip)
}

// on reports whether the operator has the channel on, and has given what it needs.
func (p *plugin) on(channel string) bool {
	switch {
	case slices.Contains(p.settings.DisabledChannels, channel):
		return false
	case channel == "test":
		return p.settings.TestChannel.Enabled
	case slices.Contains(sealedChannels, channel):
		return p.ring != nil
	case slices.Contains(serviceChannels, channel):
		return len(p.services[channel]) > 0
	}
	return true
}

func (p *plugin) channelsOn() []string {
	return slices.DeleteFunc(slices.Clone(channelNames), func(name string) bool { return !p.on(name) })
}

var (
	sealedChannels  = []string{"android_v1", "mobile", "ios_v1"}
	serviceChannels = []string{"statementGenerator", "dicBuilder", "chat"}
)

// serviceKeys are the SHA-256 of the keys of services, by channel.
type serviceKeys map[string][][sha256.Size]byte

var (
	errNoKey    = errors.New("no service key")
	errWrongKey = errors.New("wrong service key")
)

// allow lets channels pass that are nobody's, and services that know a key of theirs. All keys are compared, in constant time.
func (k serviceKeys) allow(channel, key string) error {
	switch {
	case !slices.Contains(serviceChannels, channel):
		return nil
	case key == "":
		return errNoKey
	}
	sum, found := digest(key), 0
	for _, known := range k[channel] {
		found |= subtle.ConstantTimeCompare(known[:], sum[:])
	}
	if found != 1 {
		return errWrongKey
	}
	return nil
}

func encode(sum [sha256.Size]byte) string { return hex.EncodeToString(sum[:]) }
