package codec

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
)

// FromAnswer makes the message for what an action answered.
func FromAnswer(result any, reply protocol.Reply, failure *kerror.Error) (*pluginv1.ExecuteResponse, error) {
	m := &pluginv1.ExecuteResponse{
		Error: FromError(failure), Status: int32(reply.Status), //nolint:gosec // an HTTP status
		Headers: FromHeader(reply.Header), Raw: reply.Raw, ContentType: reply.ContentType,
	}
	if failure != nil && result == nil {
		return m, nil
	}
	if reply.Raw {
		switch v := result.(type) {
		case nil:
			return m, nil
		case []byte:
			m.Result = v
			return m, nil
		case string:
			m.Result = []byte(v)
			return m, nil
		}
	}
	var err error
	m.Result, err = FromResult(result)
	return m, err
}

// ToAnswer gives result and error as a router's handler answers them, and fills reply. A result that is no JSON becomes
// plugin.controller.unserializable_response: it would break the envelope around it.
func ToAnswer(m *pluginv1.ExecuteResponse, reply *protocol.Reply) (any, error) {
	*reply = protocol.Reply{
		Status: int(m.GetStatus()), Header: ToHeader(m.GetHeaders()), Raw: m.GetRaw(), ContentType: m.GetContentType(),
	}
	var err error
	if m.GetError() != nil {
		err = ToError(m.GetError())
		if len(m.GetResult()) == 0 {
			return nil, err
		}
	}
	if m.GetRaw() {
		return m.GetResult(), err
	}
	if len(m.GetResult()) > 0 && !jsontext.Value(m.GetResult()).IsValid() {
		return nil, kerror.PluginControllerUnserializableResponse.New()
	}
	return ToResult(m.GetResult()), err
}

// FromResult encodes a result: nothing for protocol.Absent, null for nil.
func FromResult(result any) ([]byte, error) {
	switch v := result.(type) {
	case nil:
		return []byte("null"), nil
	case jsontext.Value:
		return v, nil
	default:
		if result == any(protocol.Absent) {
			return nil, nil
		}
		return json.Marshal(v, json.Deterministic(true))
	}
}

// ToResult is the reverse of FromResult; JSON stays as it came.
func ToResult(b []byte) any {
	if len(b) == 0 {
		return protocol.Absent
	}
	return jsontext.Value(b)
}
