package sdk

import (
	"bytes"
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

type listeners struct {
	pluginv1.UnimplementedEventsServer
	*running
}

// Pipe implements pluginv1.EventsServer.
func (l listeners) Pipe(ctx context.Context, in *pluginv1.PipeRequest) (*pluginv1.PipeResponse, error) {
	host, err := l.enter()
	if err != nil {
		return nil, err
	}
	defer l.calls.Done()
	event, err := toEvent(in.GetEvent())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	pipe := l.plugin.Pipes[in.GetEvent().GetListener()]
	if pipe == nil {
		return nil, status.Errorf(codes.Unimplemented, "no pipe on %q", in.GetEvent().GetListener())
	}
	ctx = withServed(ctx, served{in.GetCallId(), in.GetEvent().GetRequest().GetRequestId()})
	if failure := guard(ctx, host, "a pipe on "+event.Name, func() error { return pipe(ctx, event) }); failure != nil {
		return &pluginv1.PipeResponse{Error: codec.FromError(failure)}, nil
	}
	return changes(in.GetEvent(), event), nil
}

// Hooks implements pluginv1.EventsServer.
func (l listeners) Hooks(ctx context.Context, in *pluginv1.HooksRequest) (*pluginv1.HooksResponse, error) {
	host, err := l.enter()
	if err != nil {
		return nil, err
	}
	defer l.calls.Done()
	for _, m := range in.GetEvents() {
		hook := l.plugin.Hooks[m.GetListener()]
		event, err := toEvent(m)
		if err != nil || hook == nil {
			continue
		}
		ctx := withServed(ctx, served{in.GetCallId(), m.GetRequest().GetRequestId()})
		_ = guard(ctx, host, "a hook on "+event.Name, func() error { // a panic was logged; nobody waits for more
			hook(ctx, event)
			return nil
		})
	}
	return &pluginv1.HooksResponse{}, nil
}

func toEvent(m *pluginv1.Event) (*Event, error) {
	e := &Event{
		Name: m.GetName(), Data: m.GetData(),
		Result: m.GetOutcome().GetResult(), Err: codec.ToError(m.GetOutcome().GetError()),
	}
	if len(e.Data) == 0 {
		e.Data = nil
	}
	if len(e.Result) == 0 {
		e.Result = nil
	}
	if m.GetRequest() == nil {
		return e, nil
	}
	e.Request = new(Request)
	return e, codec.ToRequest(m.GetRequest(), &e.Request.Request)
}

// changes says what a pipe made of the event.
func changes(before *pluginv1.Event, after *Event) *pluginv1.PipeResponse {
	out := &pluginv1.PipeResponse{}
	if r := before.GetRequest(); r != nil && after.Request != nil {
		x := &pluginv1.RequestChange{
			Index: after.Request.Index, Collection: after.Request.Collection, Id: after.Request.ID,
			Args: codec.FromArgs(after.Request.Args), Body: after.Request.Body, Volatile: after.Request.Volatile,
		}
		if x.GetIndex() != r.GetIndex() || x.GetCollection() != r.GetCollection() || x.GetId() != r.GetId() ||
			!bytes.Equal(x.GetArgs(), r.GetArgs()) || !bytes.Equal(x.GetBody(), r.GetBody()) || !bytes.Equal(x.GetVolatile(), r.GetVolatile()) {
			out.Request = x
		}
	}
	if !bytes.Equal(after.Result, before.GetOutcome().GetResult()) || !sameError(after.Err, before.GetOutcome().GetError()) {
		out.Outcome = &pluginv1.Outcome{Result: after.Result, Error: codec.FromError(after.Err)}
	}
	if !bytes.Equal(after.Data, before.GetData()) {
		out.Data = append([]byte{}, after.Data...) // present, even when empty
	}
	return out
}

func sameError(after *kerror.Error, before *pluginv1.Error) bool {
	if after == nil || before == nil {
		return after == nil && before == nil
	}
	m := codec.FromError(after)
	return m.GetId() == before.GetId() && m.GetMessage() == before.GetMessage() && m.GetStatus() == before.GetStatus() &&
		m.GetClass() == before.GetClass() && m.GetV1() == before.GetV1() && bytes.Equal(m.GetErrors(), before.GetErrors())
}
