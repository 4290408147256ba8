package sdk

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

var authModes = []pluginv1.AuthMode{
	AuthHost:     pluginv1.AuthMode_AUTH_MODE_HOST,
	AuthRequired: pluginv1.AuthMode_AUTH_MODE_REQUIRED,
	AuthPlugin:   pluginv1.AuthMode_AUTH_MODE_PLUGIN,
	AuthNone:     pluginv1.AuthMode_AUTH_MODE_NONE,
}

// manifest says what p is. The node checks names and routes; here is checked what it cannot see.
func (p *Plugin) manifest() (*pluginv1.Manifest, error) {
	m := &pluginv1.Manifest{
		Id: p.ID, WireName: p.WireName, Version: p.Version, Description: p.Description,
		ApiVersion: pluginv1.APIVersion,
		Pipes:      slices.Sorted(maps.Keys(p.Pipes)), Hooks: slices.Sorted(maps.Keys(p.Hooks)),
		Calls: p.Calls, ConfigSchema: p.ConfigSchema, Mount: p.Mount, Triggers: p.Triggers,
	}
	var problems []error
	for _, a := range p.Actions {
		if a.Handler == nil {
			problems = append(problems, fmt.Errorf("action %s:%s has no handler", a.Controller, a.Name))
		}
		if int(a.Auth) >= len(authModes) {
			problems = append(problems, fmt.Errorf("action %s:%s: unknown AuthMode %d", a.Controller, a.Name, a.Auth))
			continue
		}
		m.Actions = append(m.Actions, &pluginv1.Action{
			Controller: a.Controller, Name: a.Name, Routes: routes(a.Routes),
			Auth: authModes[a.Auth], Profile: a.Profile.String(), RawBody: a.RawBody,
			MaxBodyBytes: uint64(max(a.MaxBodyBytes, 0)), ContentTypes: a.ContentTypes, RateLimit: rateLimit(a.RateLimit),
		})
	}
	for i := range p.Strategies {
		s, err := p.Strategies[i].toManifest()
		m.Strategies = append(m.Strategies, s)
		problems = append(problems, err)
	}
	for _, event := range m.GetPipes() {
		if p.Pipes[event] == nil {
			problems = append(problems, fmt.Errorf("the pipe on %s is nil", event))
		}
	}
	for _, event := range m.GetHooks() {
		if p.Hooks[event] == nil {
			problems = append(problems, fmt.Errorf("the hook on %s is nil", event))
		}
	}
	for _, g := range p.Grants {
		m.Grants = append(m.Grants, &pluginv1.Grant{Role: g.Role, Controller: g.Controller, Action: g.Action})
	}
	for _, s := range p.Secrets {
		m.Secrets = append(m.Secrets, &pluginv1.Secret{Name: s.Name, Required: s.Required, Description: s.Description})
	}
	for _, r := range p.Refusals {
		m.Refusals = append(m.Refusals, &pluginv1.Refusal{
			Status: int32(r.Status), Body: r.Body, ContentType: r.ContentType, //nolint:gosec // the node checks it
			AnswerStatus: int32(r.AnswerStatus), Headers: codec.FromHeader(r.Header), //nolint:gosec // the node checks it
		})
	}
	for _, c := range p.Collections {
		m.Collections = append(m.Collections, &pluginv1.Collection{Index: c.Index, Name: c.Name, Mapping: c.Mapping})
	}
	return m, errors.Join(problems...)
}

// rateLimit is nil for none. What makes no sense is left for the node to refuse.
func rateLimit(r RateLimit) *pluginv1.RateLimit {
	if r == (RateLimit{}) {
		return nil
	}
	per := pluginv1.RateLimit_PER_CLIENT_IP
	if r.Per == PerUser {
		per = pluginv1.RateLimit_PER_USER
	}
	return &pluginv1.RateLimit{Per: per, PerSecond: r.PerSecond, Burst: uint32(max(r.Burst, 1))} //nolint:gosec // a small number
}

func routes(list []Route) []*pluginv1.Route {
	var out []*pluginv1.Route
	for _, r := range list {
		out = append(out, &pluginv1.Route{Verb: r.Verb, Path: r.Path, Deprecated: r.Deprecated})
	}
	return out
}
