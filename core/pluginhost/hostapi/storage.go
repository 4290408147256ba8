package hostapi

import (
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

// storage decides which index a call of the plugin as itself works on. own says that the manifest has the index.
//
// An own index becomes an internal one that is named after the plugin. Everything else needs the grant of the operator; an
// action that says in another way than by the argument index where it works, or works on all of them, the grant of "*".
func (s *Server) storage(r *protocol.Request, own bool) error {
	switch {
	case own && (r.Args.Has("targets") || !byIndex(r)):
		return s.notGranted(r, r.Index)
	case own:
		r.Internal.Storage = storage.PluginIndex(s.Plugin, r.Index)
		r.Index = protocol.StorageMark + r.Internal.Storage
		r.Internal.TriggerEvents = false // what is in there is nobody else's business
		return nil
	case r.Internal.CheckRights || !codec.Stores(r.Controller) || slices.Contains(s.Granted, "*"):
		return nil
	}
	if r.Args.Has("targets") {
		return s.targets(r)
	}
	if !byIndex(r) || !slices.Contains(s.Granted, r.Index) {
		return s.notGranted(r, r.Index)
	}
	return nil
}

// targets decides about a search in several indexes.
func (s *Server) targets(r *protocol.Request) error {
	var targets []struct {
		Index string `json:"index"`
	}
	if err := json.Unmarshal(r.Args.Raw("targets"), &targets); err != nil {
		return kerror.APIAssertInvalidType.Wrap(err, "targets", "array of {index, collections}")
	}
	for _, t := range targets {
		if !slices.Contains(s.Granted, t.Index) {
			return s.notGranted(r, t.Index)
		}
	}
	return nil
}

// byIndex reports whether the action works on the argument index and nothing else.
func byIndex(r *protocol.Request) bool {
	return r.Index != "" && (r.Controller != "index" || slices.Contains([]string{"create", "delete", "exists"}, r.Action))
}

func (s *Server) notGranted(r *protocol.Request, index string) error {
	return kerror.PluginRuntimeStorageNotGranted.New(s.Plugin, r.Controller, r.Action, index)
}
