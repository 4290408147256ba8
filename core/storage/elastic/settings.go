package elastic

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// flat gives settings under names with dots that begin with "index.", as Elasticsearch reads them.
func flat(settings jsontext.Value) members {
	all := members{}
	flatten(all, "", settings)
	return all
}

func flatten(to members, name string, v jsontext.Value) {
	var inner members
	if v.Kind() != '{' || json.Unmarshal(v, &inner) != nil {
		if name != "" {
			if !strings.HasPrefix(name, "index.") {
				name = "index." + name
			}
			to[name] = v
		}
		return
	}
	for part, value := range inner {
		if name != "" {
			part = name + "." + part
		}
		flatten(to, part, value)
	}
}

// parseSet reads the analyzers and normalizers that settings define, which must be some that both engines have.
func parseSet(settings jsontext.Value) (*analysis.Set, error) {
	set, err := analysis.ParseSet(settings)
	if err != nil {
		return nil, kerror.ServicesStorageUnexpectedBadRequest.New("settings: " + err.Error())
	}
	return set, nil
}

// gcDeletes is how long the version of a deleted document is known.
const gcDeletes = "1h"

// newSettings are those of a new index: the given ones and those of this engine.
func newSettings(given jsontext.Value) members {
	all := flat(given)
	if all["index.gc_deletes"] == nil {
		all["index.gc_deletes"] = encode(gcDeletes)
	}
	return all
}

// changeSettings gives an index the settings that are new in given; those that were given before and are not any more get
// their default.
func (e *Engine) changeSettings(ctx context.Context, c storage.Collection, l *layout, given jsontext.Value) error {
	old, next, change := flat(l.record.Settings), flat(given), members{}
	for name, value := range next {
		if !bytes.Equal(value, old[name]) {
			change[name] = value
		}
	}
	for name := range old {
		if _, stays := next[name]; !stays {
			change[name] = jsontext.Value("null")
		}
	}
	if value, ok := change["index.number_of_shards"]; ok {
		has := flat(encode(l.settings))["index.number_of_shards"]
		return kerror.ServicesStorageWrongEsStaticSettingsForCollectionRecreation.New(
			c.Name, c.Index, c.Scope.String(), "number_of_shards", string(value), string(has))
	}
	if len(change) == 0 {
		return nil
	}
	put := request{method: http.MethodPut, path: []string{l.physical, "_settings"}, body: encode(change)}
	if !slices.ContainsFunc(slices.Collect(maps.Keys(change)), func(name string) bool { return strings.HasPrefix(name, "index.analysis.") }) {
		return public(e.client.do(ctx, put, nil))
	}
	// Analyzers change while nobody uses them.
	if err := e.client.do(ctx, request{method: http.MethodPost, path: []string{l.physical, "_close"}}, nil); err != nil {
		return public(err)
	}
	err := e.client.do(ctx, put, nil)
	reopened := e.client.do(context.WithoutCancel(ctx), request{method: http.MethodPost, path: []string{l.physical, "_open"}}, nil)
	if err == nil {
		err = reopened
	}
	return public(err)
}
