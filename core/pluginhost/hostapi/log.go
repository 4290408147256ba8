package hostapi

import (
	"context"
	"log/slog"

	"github.com/go-json-experiment/json/jsontext"

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
		attrs := make([]slog.Attr, 0, 1)
		if fields := jsontext.Value(e.GetAttributes()); len(fields) > 0 && len(fields) <= maxLogBytes && fields.Kind() == '{' && fields.IsValid() {
			attrs = append(attrs, slog.Any("fields", fields))
		}
		message := e.GetMessage()
		s.Logger.LogAttrs(ctx, slog.Level(e.GetLevel()), message[:min(len(message), maxLogBytes)], attrs...)
	}
	if dropped > 0 {
		s.Logger.Warn("log entries of the plugin dropped: it writes faster than they are taken", "entries", dropped)
	}
	return &pluginv1.LogResponse{}, nil
}
