package main

import (
	"context"
	"errors"
	"net/netip"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/throttle"
)

const id = "aura"

// The controllers.
const (
	usersController      = "aura-authentication-api/users"
	tokenController      = "aura-authentication-api/token"
	openIDController     = "aura-authentication-api/openid"
	monitoringController = "aura-authentication-api/monitoring"
	adminController      = "aura-authentication-api/admin"
)

// The plugin's own collections. All are read by document id alone, so that each answer is of this moment.
const (
	usersCollection     = "aura_users"      // record by key: see record
	auraIDsCollection   = "aura_ids"        // key of the record by auraId
	globalsCollection   = "aura_globals"    // global by person
	globalIDsCollection = "aura_global_ids" // person by auraIdGlobal
	phonesCollection    = "aura_phones"     // keys of records by HMAC of the telephone number
	statesCollection    = "aura_states"     // used states by nonce
	apiKeysCollection   = "aura_api_keys"   //nolint:gosec // a name: API keys by kid
	erasuresCollection  = "aura_erasures"   // what was erased, and whether the others know
	pendingCollection   = "aura_pending"    // ids of erasures that the others do not know of yet
	auditCollection     = "aura_audit"      // what administrators did
	keysCollection      = "aura_keys"       // secrets that the operator has not set
)

// New is the plugin.
func New() sdk.Plugin {
	p := &plugin{metrics: newMetrics()}
	return sdk.Plugin{
		ID: id, WireName: "aura-authentication-api", Version: "1.0.0",
		Description:  "Aura Authentication API: users of channels, Direct Line tokens, the bot's public keys.",
		Mount:        "/aura-services/v1",
		Actions:      p.actions(),
		Refusals:     refusals(),
		ConfigSchema: []byte(configSchema),
		Secrets:      secrets,
		Collections: []sdk.Collection{
			{Name: usersCollection},
			{Name: auraIDsCollection},
			{Name: globalsCollection},
			{Name: globalIDsCollection},
			{Name: phonesCollection},
			{Name: statesCollection, Mapping: []byte(`{"dynamic":"false","properties":{"exp":{"type":"long"}}}`)},
			{Name: apiKeysCollection},
			{Name: erasuresCollection, Mapping: []byte(`{"dynamic":"false","properties":{"at":{"type":"date"},"delivered":{"type":"boolean"}}}`)},
			{Name: pendingCollection},
			{Name: auditCollection, Mapping: []byte(`{"dynamic":"false","properties":{"at":{"type":"date"},"action":{"type":"keyword"}}}`)},
			{Name: keysCollection},
		},
		Calls:    []string{forgetController + ":" + forgetAction},
		Triggers: []string{erasedEvent},
		Start:    p.start,
		Stop:     p.stop,
	}
}

type plugin struct {
	host     *sdk.Host
	settings settings
	keys     keys
	metrics  *metrics
	registry registry
	direct   *directLine
	kernel   *kernel
	outbox   *outbox
	allowed  []netip.Prefix // who may read the metrics without a key

	failures  *throttle.Throttle // of credentials
	callbacks *throttle.Throttle // failures of states
	unknown   *throttle.Throttle // look-ups of users that do not exist

	apiKeys, states, audits sdk.Store

	stopWork context.CancelFunc
	work     sync.WaitGroup
}

func (p *plugin) start(ctx context.Context, host *sdk.Host, config jsontext.Value) error {
	p.host = host
	var err error
	if p.settings, err = readSettings(config); err != nil {
		return err
	}
	if p.allowed, err = p.settings.Metrics.prefixes(); err != nil {
		return err
	}
	if p.keys, err = loadKeys(ctx, host); err != nil {
		return err
	}
	if err := p.connect(); err != nil {
		return err
	}
	if err := p.throttles(); err != nil {
		return err
	}
	p.apiKeys, p.states, p.audits = host.Store(apiKeysCollection), host.Store(statesCollection), host.Store(auditCollection)
	p.registry = newRegistry(host, &p.keys)
	p.outbox = newOutbox(host, &p.keys, p.registry, p.settings.Erasure)
	if err := p.loadFixture(ctx); err != nil {
		return err
	}
	working, stop := context.WithCancel(context.Background()) //nolint:contextcheck // longer than this call: until stop
	p.stopWork = stop
	p.work.Go(func() { p.outbox.run(working) })
	p.work.Go(func() { p.purgeStates(working) })
	return nil
}

func (p *plugin) throttles() error {
	var errs [3]error
	failures := throttle.Limits{FailuresPerMinute: p.settings.Limits.FailuresPerMinute}
	p.failures, errs[0] = throttle.New(failures)
	p.callbacks, errs[1] = throttle.New(failures)
	p.unknown, errs[2] = throttle.New(throttle.Limits{FailuresPerMinute: p.settings.Limits.UnknownUsersPerMinute})
	return errors.Join(errs[:]...)
}

// connect makes the clients of the services outside; nothing is sent yet.
func (p *plugin) connect() error {
	var err error
	if p.direct, err = newDirectLine(p.settings.DirectLine, p.host.Secret("directLineSecret"), p.metrics); err != nil {
		return err
	}
	if p.kernel, err = newKernel(p.settings.Kernel, p.host.Secret("kernelClientSecret"), p.keys.bot, p.metrics); err != nil {
		return err
	}
	if p.settings.Kernel.ValidateOnGet && len(p.keys.bot) == 0 {
		return errors.New("kernel.validateOnGet needs the secret botKey: assertions are signed with it")
	}
	return nil
}

func (p *plugin) stop(context.Context) error {
	p.stopWork()
	p.work.Wait()
	p.direct.close()
	p.kernel.close()
	return nil
}
