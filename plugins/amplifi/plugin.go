package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/time/rate"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/passwords"
	"github.com/sluicehq/sluice/plugins/sdk/sealed"
	"github.com/sluicehq/sluice/plugins/sdk/throttle"
	"github.com/sluicehq/sluice/protocol"
)

const (
	id              = "amplifi"
	tokenController = id + "/token"
	userController  = id + "/user"
	adminController = id + "/admin"
)

// The plugin's own collections.
const (
	usersCollection   = "afi_users"
	namesCollection   = "afi_names"
	devicesCollection = "afi_devices"
	tokensCollection  = "afi_tokens"
	auditCollection   = "afi_audit"
	keysCollection    = "afi_keys"
)

// New is the plugin.
func New() sdk.Plugin { return newPlugin().describe() }

func newPlugin() *plugin {
	return &plugin{metrics: newMetrics(), hasher: passwords.New(passwords.Standard)}
}

func (p *plugin) describe() sdk.Plugin {
	actions := append(p.service(), p.admin()...)
	return sdk.Plugin{
		ID: id, Version: "1.0.0",
		Description:  "Amplifi's token service: tokens for the credentials of seven kinds of channels.",
		Mount:        "/amplifi",
		Actions:      actions,
		Refusals:     refusals(),
		ConfigSchema: []byte(configSchema),
		Secrets: []sdk.Secret{
			{Name: "keyRing", Description: "Keys that device keys are stored under: id:secret, the active one first; a secret is 32 bytes in hex or base64. " +
				"Without it the channels android_v1, mobile and ios_v1 are off."},
			{Name: "serviceKeys", Description: `Keys of services that speak for users, by channel: {"statementGenerator":["..."],"dicBuilder":[],"chat":[]}, ` +
				"16 characters or more each. A channel without a key is off."},
		},
		Collections: []sdk.Collection{
			{Name: usersCollection},
			{Name: namesCollection},
			{Name: devicesCollection},
			{Name: tokensCollection},
			{Name: auditCollection},
			{Name: keysCollection},
		},
		Start: p.start,
	}
}

func (p *plugin) service() []sdk.Action {
	token := func(name string, h handler, verbs ...string) sdk.Action {
		a := sdk.Action{
			Controller: tokenController, Name: name, Auth: sdk.AuthPlugin, Profile: protocol.Raw,
			RawBody: true, MaxBodyBytes: maxBodyBytes, ContentTypes: []string{"application/json"},
			Handler: p.serve("/token", h),
		}
		for _, verb := range verbs {
			a.Routes = append(a.Routes, sdk.Route{Verb: verb, Path: "/token"})
		}
		return a
	}
	revoke := token("revoke", p.revokeToken, "DELETE")
	revoke.ContentTypes = nil // nobody reads its body
	return []sdk.Action{
		token("create", p.createToken, "PUT", "POST"), // the document's own curl command says POST
		revoke,
		{
			Controller: userController, Name: "get", Auth: sdk.AuthPlugin, Profile: protocol.Raw,
			Routes:  []sdk.Route{{Verb: "GET", Path: "/user"}, {Verb: "HEAD", Path: "/user"}},
			Handler: p.serve("/user", p.getUser),
		},
	}
}

type plugin struct {
	host     *sdk.Host
	settings settings
	services serviceKeys
	// ring is nil when the operator has given no keys.
	ring      *sealed.Ring
	hasher    *passwords.Hasher
	throttle  *throttle.Throttle
	demoUsers *rate.Limiter
	turns     *turns
	metrics   *metrics
	auditKey  []byte

	users, names, devices, tokens, audits sdk.Store
}

func (p *plugin) start(ctx context.Context, host *sdk.Host, config jsontext.Value) error {
	p.host = host
	p.users, p.names, p.devices = host.Store(usersCollection), host.Store(namesCollection), host.Store(devicesCollection)
	p.tokens, p.audits = host.Store(tokensCollection), host.Store(auditCollection)
	var err error
	if p.settings, err = readSettings(config); err != nil {
		return err
	}
	if p.services, err = parseServiceKeys(host.Secret("serviceKeys")); err != nil {
		return err
	}
	if text := host.Secret("keyRing"); text != "" {
		if p.ring, err = sealed.Parse(text); err != nil {
			return err
		}
	}
	if p.throttle, err = throttle.New(p.settings.Throttle); err != nil {
		return err
	}
	p.turns = newTurns()
	perMinute := p.settings.TestChannel.NewUsersPerMinute
	p.demoUsers = rate.NewLimiter(rate.Every(time.Minute/time.Duration(max(perMinute, 1))), perMinute)
	if p.auditKey, err = p.loadAuditKey(ctx); err != nil {
		return err
	}
	p.warn(ctx)
	return p.loadFixture(ctx)
}

// warn tells the operator what is open that should not be in production.
func (p *plugin) warn(ctx context.Context) {
	if p.settings.TestChannel.Enabled {
		p.host.Logger().WarnContext(ctx, "the channel test is on: whoever asks gets a token of a demo user")
	}
	if !p.settings.Android.RequireSignature {
		p.host.Logger().WarnContext(ctx, "the channel android takes devices without a signature: whoever knows a uuid gets a token")
	}
	p.host.Logger().LogAttrs(ctx, slog.LevelInfo, "channels", slog.Any("on", p.channelsOn()))
}
