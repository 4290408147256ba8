package hostapi

import (
	"context"
	"log/slog"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/pluginv1"
)

// maxLogBytes bounds message and attributes of an entry, each.
const maxLogBytes = 8 << 10

// Log implements pluginv1.HostServer. What comes too fast is dropped and counted.
func (s *Server) Log(ctx context.Context, in *pluginv1.LogRequest) (*pluginv1.LogResponse, error) {
	dropped := in.GetDropped()
	for _, e := range in.GetEntries() {
		if !s.lines.Allow() {
			dropped++
			continue
		}
		message := e.GetMessage()
		s.Logger.LogAttrs(ctx, slog.Level(e.GetLevel()), message[:min(len(message), maxLogBytes)], slog.Group("fields", attributes(e.GetAttributes())...))
	}
	if dropped > 0 {
		s.Logger.Warn("log entries of the plugin dropped: it writes faster than they are taken", "entries", dropped)
	}
	return &pluginv1.LogResponse{}, nil
}

// attributes reads the fields of an entry, a JSON object; what is too large or none is left out. A group of its own keeps
// them apart from what the node says.
func attributes(object jsontext.Value) []any {
	if len(object) == 0 || len(object) > maxLogBytes {
		return nil
	}
	fields, err := protocol.ParseArgs(object, "")
	if err != nil {
		return nil
	}
	attrs := make([]any, 0, len(fields.All()))
	for _, f := range fields.All() {
		text := string(f.Value)
		if s, err := fields.String(f.Name); err == nil {
			text = s
		}
		attrs = append(attrs, slog.String(f.Name, text))
	}
	return attrs
}
