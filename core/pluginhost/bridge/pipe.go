package bridge

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

// pipe is what the plugin listens to under one name.
type pipe struct {
	bridge   *Bridge
	listener string
}

// Pipe implements events.Pipe. Whatever keeps the plugin from answering is an error: the request stops.
func (p pipe) Pipe(ctx context.Context, event string, payload *events.Payload) error {
	b := p.bridge
	ctx, cancel := context.WithTimeout(ctx, b.CallTimeout)
	defer cancel()
	m, err := toEvent(b.Plugin, event, p.listener, payload)
	if err != nil {
		return fmt.Errorf("tell the plugin %q of %s: %w", b.Plugin, event, err)
	}
	request := payload.Request
	if request == nil {
		request = &protocol.Request{}
	}
	var out *pluginv1.PipeResponse
	err = b.call(ctx, call{kind: "pipe", what: event, request: request}, func(t Transport, id uint64) error {
		in := &pluginv1.PipeRequest{Event: m, CallId: id}
		err := b.fits(in)
		if err == nil {
			out, err = t.Pipe(ctx, in)
		}
		return err
	}, func() bool { return out.GetError() != nil })
	switch {
	case errors.Is(err, kerror.APIProcessOverloaded):
		return kerror.PluginRuntimeTooManyPipes.Wrap(err)
	case err != nil:
		return err
	case out.GetError() != nil:
		return codec.ToError(out.GetError())
	case hidden(b.Plugin, payload):
		return nil // it saw nothing that it could change
	}
	return apply(out, payload)
}

// hidden reports whether the request of an event is another plugin's private matter: it may carry passwords and tokens that
// this plugin has nothing to do with.
func hidden(plugin string, p *events.Payload) bool {
	return p.Request != nil && p.Request.Private != "" && p.Request.Private != plugin
}

// toEvent makes the message that tells the plugin of an event. Nothing in it may change afterwards.
func toEvent(plugin, name, listener string, p *events.Payload) (*pluginv1.Event, error) {
	m := &pluginv1.Event{Name: name, Listener: listener}
	if p.Request != nil {
		m.Request = codec.FromRequest(p.Request, plugin)
	}
	var err error
	if p.Result != nil || p.Err != nil {
		m.Outcome = &pluginv1.Outcome{}
		if p.Result != nil && !hidden(plugin, p) {
			if m.Outcome.Result, err = fromResult(p.Result, p.Request); err != nil {
				return nil, fmt.Errorf("encode the result: %w", err)
			}
		}
		if p.Err != nil {
			m.Outcome.Error = codec.FromError(protocol.AsError(p.Err))
		}
	}
	if p.Data != nil {
		if m.Data, err = json.Marshal(p.Data); err != nil {
			return nil, fmt.Errorf("encode what the event is about: %w", err)
		}
	}
	return m, nil
}

// fromResult encodes a result; the content of a raw answer crosses as text.
func fromResult(result any, req *protocol.Request) ([]byte, error) {
	if content, ok := result.([]byte); ok && req != nil && req.Reply.Raw {
		return json.Marshal(string(content), jsontext.AllowInvalidUTF8(true))
	}
	return codec.FromResult(result)
}

// apply makes the changes of a pipe, or none of them.
func apply(out *pluginv1.PipeResponse, p *events.Payload) error {
	for _, b := range [][]byte{out.GetOutcome().GetResult(), out.GetData()} {
		if len(b) > 0 && !jsontext.Value(b).IsValid() {
			return kerror.PluginRuntimeUnexpectedError.New("a pipe answered with something that is no JSON")
		}
	}
	if c := out.GetRequest(); c != nil && p.Request != nil {
		if err := codec.ApplyChange(c, p.Request); err != nil {
			return err
		}
	}
	if o := out.GetOutcome(); o != nil {
		p.Result, p.Err = codec.ToResult(o.GetResult()), nil
		if o.GetError() != nil {
			p.Err = codec.ToError(o.GetError())
			if len(o.GetResult()) == 0 {
				p.Result = nil
			}
		}
	}
	if out.Data != nil { // nil is "unchanged", which GetData does not tell from empty
		p.Data = nil
		if len(out.GetData()) > 0 {
			p.Data = jsontext.Value(out.GetData())
		}
	}
	return nil
}

var _ events.Pipe = pipe{}
