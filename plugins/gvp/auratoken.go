package main

import (
	"context"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/upstream"
)

// getAuraToken makes sure that the token's device has an Aura ID, and opens a conversation: a new one for each call.
func (p *plugin) getAuraToken(ctx context.Context, r *sdk.Request) (any, error) {
	s, err := p.sessionOf(ctx, r)
	if err != nil {
		return nil, err
	}
	correlator := correlatorOf(r)
	ctx, cancel := context.WithTimeout(ctx, p.config.Upstream.Timeout.Duration)
	defer cancel()
	if _, err := p.auraIDOf(ctx, s, correlator); err != nil {
		return nil, lateIs(ctx, err)
	}
	c, err := p.aura.open(ctx, s.DeviceType, correlator)
	if err != nil {
		return nil, err
	}
	return c, nil
}

type auraIDContent struct {
	AuraID string `json:"auraId"`
}

// getAuraID gives the Aura ID itself.
func (p *plugin) getAuraID(ctx context.Context, r *sdk.Request) (any, error) {
	s, err := p.sessionOf(ctx, r)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, p.config.Upstream.Timeout.Duration)
	defer cancel()
	auraID, err := p.auraIDOf(ctx, s, correlatorOf(r))
	if err != nil {
		return nil, lateIs(ctx, err)
	}
	return auraIDContent{auraID}, nil
}

// lateIs makes the end of the time for calls what it is: the platform took too long.
func lateIs(ctx context.Context, err error) error {
	if ctx.Err() != nil && asFailure(err).outcome == internalError {
		return failBecause(fourthPlatform, err)
	}
	return err
}

func correlatorOf(r *sdk.Request) string {
	return r.Reply.Header.Get(upstream.CorrelatorHeader) // serve has set it
}
