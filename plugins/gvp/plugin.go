package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/passwords"
	"github.com/sluicehq/sluice/plugins/sdk/sealed"
	"github.com/sluicehq/sluice/plugins/sdk/throttle"
	"github.com/sluicehq/sluice/plugins/sdk/upstream"
	"github.com/sluicehq/sluice/protocol"
)

// New is the plugin.
func New() sdk.Plugin { return newPlugin().describe() }

func newPlugin() *plugin {
	return &plugin{passwords: passwords.New(passwords.Standard), metrics: newMetrics()}
}

type plugin struct {
	host      *sdk.Host
	config    configuration
	answers   answers
	ring      *sealed.Ring
	ids       ids
	passwords *passwords.Hasher
	throttle  *throttle.Throttle
	refusals  *throttle.Throttle // rows of attempts that throttle refused
	calls     limits
	geo       *geo
	signer    *signer
	upstreams upstreams
	platform  *platform
	aura      *auraServices
	flights   *flights
	loginLog  *logins
	metrics   *metrics

	// stop ends what runs beside the requests, and wait waits for it.
	stop context.CancelFunc
	wait sync.WaitGroup
}

const (
	maxBodyBytes = 64 << 10
	// maxLoginBytes is how much of a login the node lets through: what is beyond maxBodyBytes is refused here, because
	// GVP_LogLogin has a row of it.
	maxLoginBytes = 1 << 20
)

func (p *plugin) describe() sdk.Plugin {
	return sdk.Plugin{
		ID: "gvp", WireName: "gvp-uniapi", Version: "1.0.0", Mount: "/uniapi",
		Description:  "GVP's UNIAPI: LoginUserPassword, GetAuraToken and GetAuraId.",
		Actions:      append(p.uniapiActions(), p.adminActions()...),
		Refusals:     refusals(),
		Collections:  collections(),
		Hooks:        map[string]sdk.HookFunc{"identity:erased": p.identityErased},
		Secrets:      secrets(),
		ConfigSchema: []byte(configSchema),
		Start:        p.start,
		Stop:         p.end,
	}
}

func (p *plugin) uniapiActions() []sdk.Action {
	action := func(controller, name string, verbs []string, types []string, do sdk.Handler) sdk.Action {
		a := sdk.Action{
			Controller: controller, Name: name, Auth: sdk.AuthNone, Profile: protocol.Raw, RawBody: true, MaxBodyBytes: maxBodyBytes,
			ContentTypes: types, Handler: p.serve(name, do),
		}
		for _, v := range verbs {
			a.Routes = append(a.Routes, sdk.Route{Verb: v, Path: "/" + name})
		}
		return a
	}
	onlyJSON := []string{typeJSON}
	login := action("gvp-uniapi/authentication", "LoginUserPassword", []string{"POST"}, nil, p.loginUserPassword)
	login.MaxBodyBytes = maxLoginBytes
	return []sdk.Action{
		login,
		action("gvp-uniapi/aura", "GetAuraToken", []string{"GET", "POST"}, onlyJSON, p.getAuraToken),
		action("gvp-uniapi/aura", "GetAuraId", []string{"GET", "POST"}, onlyJSON, p.getAuraID),
		{ // for those whose role allows it
			Controller: "gvp-uniapi/monitoring", Name: "metrics", Routes: []sdk.Route{{Verb: "GET", Path: "/metrics"}, {Verb: "HEAD", Path: "/metrics"}},
			Profile: protocol.Raw, Handler: p.metrics.text,
		},
	}
}

// refusals are what the node answers in the plugin's name, in its shape.
func refusals() []sdk.Refusal {
	body := func(o outcome, detail string) string {
		f := failure{outcome: o, detail: detail}
		return `{"StatusCode":` + number(int64(o.code)) + `,"Severity":` + number(int64(o.severity)) + `,"StatusMessage":"` + f.message() + `","Content":null}`
	}
	unreadable := body(invalidParameter, "body")
	return []sdk.Refusal{
		{Status: 400, Body: unreadable},
		{Status: 413, Body: unreadable},
		{Status: 415, Body: unreadable, AnswerStatus: 400},
		{Status: 401, Body: body(authRequired, "")},
		// Neither another token nor other parameters help: the origin or the right is the operator's, and the text says which.
		{Status: 403, Body: `{"StatusCode":1,"Severity":3,"StatusMessage":$message,"Content":null}`},
		{Status: 404, Body: body(invalidParameter, "path")},
		{Status: 405, Body: body(invalidParameter, "method")},
		{Status: 429, Body: body(tooManyRequests, "")},
		{Body: body(internalError, "")},
	}
}

// serve makes a method of the UNIAPI a handler: outcomes become answers, and what is worth knowing is counted and logged.
func (p *plugin) serve(name string, do sdk.Handler) sdk.Handler {
	return func(ctx context.Context, r *sdk.Request) (any, error) {
		started := time.Now()
		correlator := upstream.Correlator(r.Connection.Header.Get(upstream.CorrelatorHeader))
		r.Reply.SetHeader(upstream.CorrelatorHeader, correlator)
		r.Reply.SetHeader("Cache-Control", "no-store")
		content, err := do(ctx, r)
		var f failure
		if f.outcome = okay; err != nil {
			f = asFailure(err)
		}
		p.note(ctx, name, correlator, f, time.Since(started))
		if err != nil {
			return p.answers.failed(r, f), nil
		}
		if _, login := content.(loginObject); login && p.config.Login.Bare {
			return content, nil
		}
		return p.answers.success(content), nil
	}
}

func (p *plugin) note(ctx context.Context, name, correlator string, f failure, took time.Duration) {
	p.metrics.answered(name, f.outcome, took)
	if name == "LoginUserPassword" {
		p.metrics.logins.WithLabelValues(f.name).Inc()
	}
	level := slog.LevelInfo
	attributes := []slog.Attr{
		slog.String("route", name), slog.String("correlator", correlator), slog.Int("code", f.code), slog.String("outcome", f.message()),
	}
	if f.severity == faultOfService {
		level = slog.LevelError
	}
	if f.cause != nil {
		attributes = append(attributes, slog.String("error", f.cause.Error()))
	}
	p.host.Logger().LogAttrs(ctx, level, "request answered", attributes...)
}

func (p *plugin) start(ctx context.Context, host *sdk.Host, text jsontext.Value) error {
	p.host = host
	if err := p.configure(ctx, text); err != nil {
		return err
	}
	background, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.flights = newFlights(background, p.config.Upstream.Timeout.Duration)
	p.platform.flights = p.flights
	if err := p.loadFixture(ctx, p.config.Fixture); err != nil {
		stop()
		return err
	}
	watch := p.watch()
	watch.check(ctx)
	p.wait.Go(func() { watch.run(background) })
	p.wait.Go(func() { p.loginLog.run(background) })
	p.wait.Go(func() { sweeper{host, p.config.LogRetention.Duration}.run(background) })
	return nil
}

func (p *plugin) configure(ctx context.Context, text jsontext.Value) error {
	var err error
	if p.config, err = readConfiguration(text); err != nil {
		return err
	}
	c := p.config
	p.answers = answers{c.UniAPI.HTTPStatus == "mapped", c.UniAPI.StatusCodes}
	if p.ring, p.ids, err = readKeys(ctx, p.host); err != nil {
		return err
	}
	if p.throttle, err = throttle.New(c.Login.Throttle); err != nil {
		return err
	}
	if p.refusals, err = throttle.New(throttle.Limits{FailuresPerMinute: c.Login.RefusalsPerMinute}); err != nil {
		return err
	}
	if p.calls, err = newLimits(c.CallsPerMinute); err != nil {
		return err
	}
	if p.geo, err = newGeo(c.Geo.Overrides); err != nil {
		return err
	}
	p.loginLog = newLogins(p.host, p.metrics)
	p.metrics.hashes(p.passwords.Runs)
	return p.connect()
}

// connect makes the clients of the services outside. Nothing is called yet.
func (p *plugin) connect() error {
	c := p.config
	var err error
	if p.upstreams, err = newUpstreams(c, p.metrics); err != nil {
		return err
	}
	p.signer = &signer{settings: c.FourthPlatform}
	p.platform = &platform{
		settings: c.FourthPlatform, secret: p.host.Secret(secret4PClient), signer: p.signer, auth: p.upstreams.auth, api: p.upstreams.api,
	}
	p.aura = &auraServices{
		id: c.AuraID, token: c.AuraToken, failed: fourthPlatform, idClient: p.upstreams.auraID, tokenClient: p.upstreams.auraTokens,
		internalKey: p.host.Secret(secretAuraInternal), kernelKey: p.host.Secret(secretAuraKernel),
		directLineSecret: p.host.Secret(secretDirectLine),
	}
	if c.AuraEndpointErrorCode == auraEndpoint.code {
		p.aura.failed = auraEndpoint
	}
	p.aura.keys, err = readAuraKeys(p.host.Secret(secretAuraKeys))
	return err
}

func (p *plugin) watch() *files {
	f := &files{host: p.host, every: p.config.WatchFiles.Duration}
	if path := p.config.Geo.Database; path != "" {
		f.watched = append(f.watched, &file{path: path, load: p.geo.load, trouble: "the database of countries is missing or damaged"})
	}
	if path := p.config.FourthPlatform.PrivateKeyFile; path != "" {
		f.watched = append(f.watched, &file{path: path, load: p.signer.load, trouble: "the private key for assertions is missing or not good"})
	}
	return f
}

func (p *plugin) end(ctx context.Context) error {
	p.stop()
	done := make(chan struct{})
	go func() {
		p.wait.Wait()
		p.flights.wait.Wait()
		close(done)
	}()
	defer p.upstreams.close()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
