package sdktest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

// host is the node behind a plugin under test.
type host struct {
	pluginv1.UnimplementedHostServer
	t        testing.TB
	manifest *pluginv1.Manifest
	answer   func(context.Context, *protocol.Request) (any, error)
	trigger  func(context.Context, string, jsontext.Value) (jsontext.Value, error)

	mu       sync.Mutex
	last     uint64
	serving  map[uint64]*protocol.Request
	degraded string
}

// serve names a request while the plugin works on it.
func (h *host) serve(r *protocol.Request) (id uint64, end func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	id = h.last
	h.serving[id] = r
	return id, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.serving, id)
	}
}

// Call implements pluginv1.HostServer.
func (h *host) Call(ctx context.Context, in *pluginv1.CallRequest) (*pluginv1.CallResponse, error) {
	r, err := h.request(in)
	if err == nil && h.answer == nil {
		err = fmt.Errorf("the plugin called %s:%s, and the test has no Options.Host", in.GetController(), in.GetAction())
	}
	var result any
	if err == nil {
		result, err = h.answer(ctx, r)
	}
	if err != nil {
		r = &protocol.Request{}
	}
	a := protocol.NewResponse(r, result, err)
	out := &pluginv1.CallResponse{Status: int32(a.Status), Result: a.Result, Error: codec.FromError(a.Error)}
	if a.Raw {
		out.Result = a.Content
	}
	return out, nil
}

// Trigger implements pluginv1.HostServer.
func (h *host) Trigger(ctx context.Context, in *pluginv1.TriggerRequest) (*pluginv1.TriggerResponse, error) {
	var err error
	data := jsontext.Value(in.GetData())
	switch {
	case !slices.Contains(h.manifest.GetTriggers(), in.GetEvent()):
		err = kerror.PluginRuntimeTriggerNotListed.New(h.manifest.GetId(), in.GetEvent())
	case h.trigger != nil:
		data, err = h.trigger(ctx, in.GetEvent(), data)
	}
	if err != nil {
		return &pluginv1.TriggerResponse{Error: codec.FromError(protocol.AsError(err))}, nil
	}
	return &pluginv1.TriggerResponse{Data: data}, nil
}

// Health implements pluginv1.HostServer.
func (h *host) Health(_ context.Context, in *pluginv1.HealthRequest) (*pluginv1.HealthResponse, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.degraded = ""
	if in.GetDegraded() {
		h.degraded = in.GetReason()
	}
	return &pluginv1.HealthResponse{}, nil
}

// Log implements pluginv1.HostServer.
func (h *host) Log(_ context.Context, in *pluginv1.LogRequest) (*pluginv1.LogResponse, error) {
	for _, e := range in.GetEntries() {
		h.t.Logf("%s %s %s", slog.Level(e.GetLevel()), e.GetMessage(), e.GetAttributes())
	}
	return &pluginv1.LogResponse{}, nil
}

func (h *host) request(in *pluginv1.CallRequest) (*protocol.Request, error) {
	own := !in.GetAsUser() && codec.Owns(h.manifest, in.GetController(), in.GetIndex())
	if !own && !codec.Lists(h.manifest.GetCalls(), in.GetController(), in.GetAction()) {
		return nil, kerror.Bare(kerror.ForbiddenError, "Plugin.Calls does not list "+in.GetController()+":"+in.GetAction()+".")
	}
	h.mu.Lock()
	serving := h.serving[in.GetCallId()]
	h.mu.Unlock()
	r := &protocol.Request{}
	if err := codec.ToCall(in, r); err != nil {
		return nil, err
	}
	r.Internal.Plugin = h.manifest.GetId()
	if own {
		r.Internal.Storage = in.GetIndex()
	}
	if serving != nil {
		r.RequestID = serving.RequestID
		if serving.Internal != nil {
			r.Internal.Hops = serving.Internal.Hops
		}
	}
	r.Internal.Hops++
	if in.GetAsUser() {
		if serving == nil || serving.User == nil {
			return nil, kerror.Bare(kerror.ForbiddenError, "A call as the user belongs to a request whose user is known.")
		}
		r.User = serving.User
	}
	return r, nil
}

var _ pluginv1.HostServer = (*host)(nil)
