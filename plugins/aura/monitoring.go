package main

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/sluicehq/sluice/protocol/kerror"
)

type status struct {
	Status string `json:"status"`
}

// healthTimeout bounds how long the store may take to say that it is there.
const healthTimeout = 2 * time.Second

// healthz answers whether the plugin and the store work; what is outside is not asked.
func (p *plugin) healthz(ctx context.Context, _ *call) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	if _, err := p.apiKeys.Get(ctx, "none"); err != nil && !errors.Is(err, kerror.ServicesStorageNotFound) {
		return nil, &problem{kind: unavailable, message: "the storage cannot be reached", cause: err, body: status{"unavailable"}}
	}
	return status{"ok"}, nil
}

func (p *plugin) ping(context.Context, *call) (any, error) { return status{"ok"}, nil }

// config answers the name of the storage subdomain, and nothing else of the configuration.
func (p *plugin) config(context.Context, *call) (any, error) {
	if p.settings.StorageSubdomain == "" {
		return nil, fail(notFound, "there is no storage subdomain")
	}
	return struct {
		StorageSubdomain string `json:"storageSubdomain"`
	}{p.settings.StorageSubdomain}, nil
}

// showMetrics answers the metrics in the text format of Prometheus, or OpenMetrics where that is asked for.
func (p *plugin) showMetrics(_ context.Context, c *call) (any, error) {
	text, contentType, err := p.metrics.text(c.Connection.Header)
	if err != nil {
		return nil, err
	}
	c.Reply.Raw, c.Reply.ContentType = true, contentType
	return text, nil
}

// fromAllowedAddress reports whether a request without a key comes from where the operator lets scrapers read the metrics.
func (p *plugin) fromAllowedAddress(c *call) bool {
	if c.Connection.Header.Get("Authorization") != "" || c.Args.Has("apiKey") {
		return false
	}
	address, err := netip.ParseAddr(strings.TrimSpace(c.Connection.ClientIP))
	if err != nil {
		return false
	}
	for _, prefix := range p.allowed {
		if prefix.Contains(address.Unmap()) {
			return true
		}
	}
	return false
}
