package target

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// maxTargets is how many collections one request may name.
const maxTargets = 1000

// Collections gives the public collections to search, each once: those of the argument targets,
// [{index, collections: [name]}], or else the one that index and collection name. core/security has decided about each of
// them by the same reading.
func Collections(req *protocol.Request) ([]storage.Collection, error) {
	raw := req.Args.Raw("targets")
	if raw == nil {
		c, err := Collection(req)
		return []storage.Collection{c}, err
	}
	list, err := targets(raw, req.Args.FromText())
	if err != nil {
		return nil, err
	}
	var collections []storage.Collection
	seen := map[storage.Collection]bool{}
	for i, t := range list {
		if err := t.check("targets[" + strconv.Itoa(i) + "]"); err != nil {
			return nil, err
		}
		for _, name := range t.Collections {
			c := storage.Collection{Scope: storage.Public, Index: t.Index, Name: name}
			if !seen[c] {
				seen[c] = true
				collections = append(collections, c)
			}
		}
	}
	switch {
	case len(collections) == 0:
		return nil, kerror.APIAssertEmptyArgument.New("targets")
	case len(collections) > maxTargets:
		return nil, kerror.APIAssertTooManyArguments.New("targets")
	}
	return collections, nil
}

// entry is one of the list in the argument targets.
type entry struct {
	Index       string   `json:"index"`
	Collections []string `json:"collections"`
}

func targets(raw jsontext.Value, text bool) ([]entry, error) {
	if text && raw.Kind() == '"' { // JSON in a URL
		var inner string
		if err := json.Unmarshal(raw, &inner); err != nil {
			return nil, kerror.APIAssertInvalidType.Wrap(err, "targets", "array")
		}
		raw = jsontext.Value(inner)
	}
	var list []entry
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, kerror.APIAssertInvalidType.Wrap(err, "targets", "array of {index, collections}")
	}
	return list, nil
}

func (e entry) check(where string) error {
	switch {
	case e.Index == "":
		return kerror.APIAssertMissingArgument.New(where + ".index")
	case len(e.Collections) == 0 || slices.Contains(e.Collections, ""):
		return kerror.APIAssertMissingArgument.New(where + ".collections")
	case severalNames(e.Index):
		return kerror.ServicesStorageInvalidTargetFormat.New("index", e.Index)
	}
	if i := slices.IndexFunc(e.Collections, severalNames); i >= 0 {
		return kerror.ServicesStorageInvalidTargetFormat.New("collection", e.Collections[i])
	}
	return nil
}

// severalNames reports whether an engine could read name as a list or a pattern.
func severalNames(name string) bool { return strings.ContainsAny(name, ",+*") || name == "_all" }
