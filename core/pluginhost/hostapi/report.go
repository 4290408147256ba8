package hostapi

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

// Trigger implements pluginv1.HostServer.
func (s *Server) Trigger(ctx context.Context, in *pluginv1.TriggerRequest) (*pluginv1.TriggerResponse, error) {
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	case <-ctx.Done():
		return stopped(kerror.APIProcessOverloaded.Wrap(ctx.Err())), nil
	}
	p, err := s.payload(in)
	if err != nil {
		return stopped(err), nil
	}
	ctx, cancel := s.limited(ctx)
	defer cancel()
	if err := s.Events.Fire(ctx, in.GetEvent(), p); err != nil {
		return stopped(err), nil
	}
	out := &pluginv1.TriggerResponse{}
	if p.Data != nil {
		if out.Data, err = json.Marshal(p.Data); err != nil {
			return stopped(err), nil
		}
	}
	return out, nil
}

// payload makes that of an event, when the plugin may fire it. Its request says who does, and counts the hops: pipes that
// trigger one another end as calls do.
func (s *Server) payload(in *pluginv1.TriggerRequest) (*events.Payload, error) {
	if !slices.Contains(s.Manifest.GetTriggers(), in.GetEvent()) {
		return nil, kerror.PluginRuntimeTriggerNotListed.New(s.Plugin, in.GetEvent())
	}
	r := &protocol.Request{Connection: &protocol.Connection{Protocol: "internal"}, Internal: &protocol.Internal{}}
	from, _ := s.Calls.find(in.GetCallId())
	s.originate(r, from)
	if r.Internal.Hops > s.MaxHops {
		scope, event, _ := strings.Cut(in.GetEvent(), ":")
		return nil, kerror.PluginRuntimeCallLoop.New(s.Plugin, scope, event, strconv.Itoa(s.MaxHops))
	}
	p := &events.Payload{Request: r}
	if data := jsontext.Value(in.GetData()); len(data) > 0 {
		if !data.IsValid() {
			return nil, kerror.Bare(kerror.BadRequestError, "The data of an event must be JSON.")
		}
		p.Data = data
	}
	return p, nil
}

func stopped(err error) *pluginv1.TriggerResponse {
	return &pluginv1.TriggerResponse{Error: codec.FromError(protocol.AsError(err))}
}

const (
	// noReason stands for a plugin that says that it is degraded and not why.
	noReason       = "no reason given"
	maxReasonBytes = 512
)

// Health implements pluginv1.HostServer.
func (s *Server) Health(_ context.Context, in *pluginv1.HealthRequest) (*pluginv1.HealthResponse, error) {
	reason := ""
	if in.GetDegraded() {
		reason = strings.ToValidUTF8(in.GetReason()[:min(len(in.GetReason()), maxReasonBytes)], "")
		if reason == "" {
			reason = noReason
		}
	}
	s.Options.Health(reason)
	return &pluginv1.HealthResponse{}, nil
}
