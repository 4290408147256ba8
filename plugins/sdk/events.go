package sdk

import (
	"context"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

// Trigger fires an event of Plugin.Triggers to the pipes and hooks of all plugins. data encodes to JSON, nil for nothing;
// the answer is data as the pipes left it. An error of a pipe stops the event, and no hook is told. Hooks may be lost: what
// must not be is a stored row and a retried call.
//
// Listeners get an Event whose Request has no more than the request id and Internal, where Plugin is who fired it.
func (h *Host) Trigger(ctx context.Context, event string, data any) (jsontext.Value, error) {
	in := &pluginv1.TriggerRequest{CallId: servedBy(ctx).callID, Event: event}
	if data != nil {
		b, err := json.Marshal(data)
		if err != nil {
			return nil, kerror.PluginRuntimeUnexpectedError.Wrap(err, "data of "+event+": "+err.Error())
		}
		in.Data = b
	}
	out, err := h.client.Trigger(ctx, in)
	if err != nil {
		return nil, h.failed("The event "+event, err)
	}
	if failure := codec.ToError(out.GetError()); failure != nil {
		return nil, failure
	}
	if len(out.GetData()) == 0 {
		return nil, nil
	}
	return out.GetData(), nil
}

// Degraded tells the node that the plugin works but not all of it, and why. Operators and clients see the reason: no
// secrets. It holds until Healthy, or another reason.
func (h *Host) Degraded(ctx context.Context, reason string) error {
	return h.health(ctx, &pluginv1.HealthRequest{Degraded: true, Reason: reason})
}

// Healthy takes Degraded back.
func (h *Host) Healthy(ctx context.Context) error { return h.health(ctx, &pluginv1.HealthRequest{}) }

func (h *Host) health(ctx context.Context, in *pluginv1.HealthRequest) error {
	if _, err := h.client.Health(ctx, in); err != nil {
		return h.failed("The report of health", err)
	}
	return nil
}
