package announce

import (
	"context"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// InjectMetadata is the event whose pipes may change what goes into _kuzzle_info. Its payload is the request and, as Data,
// a *Metadata, or the same as JSON once a plugin has changed it.
const InjectMetadata = "generic:document:injectMetadata"

// Metadata is what is about to be written into _kuzzle_info: JSON objects.
type Metadata struct {
	Metadata jsontext.Value `json:"metadata"`
	// Default is for a document that an upsert creates, nil for other actions.
	Default jsontext.Value `json:"defaultMetadata,omitzero"`
}

// Metadata fires InjectMetadata and gives what the pipes made of m.
func (a Announcer) Metadata(ctx context.Context, req *protocol.Request, m Metadata) (Metadata, error) {
	payload := events.Payload{Request: req, Data: &m}
	if err := a.Bus.Fire(ctx, a.Snapshot().Events, InjectMetadata, &payload); err != nil {
		return m, err
	}
	changed := m
	if data, ok := payload.Data.(jsontext.Value); ok { // out of a plugin
		changed = Metadata{}
		if err := json.Unmarshal(data, &changed); err != nil {
			return m, kerror.PluginRuntimeUnexpectedError.Wrap(err, "a pipe on "+InjectMetadata+" answered without metadata")
		}
	}
	if changed.Metadata.Kind() != '{' || m.Default != nil && changed.Default.Kind() != '{' {
		return m, kerror.PluginRuntimeUnexpectedError.New("a pipe on " + InjectMetadata + " answered without metadata")
	}
	return changed, nil
}
