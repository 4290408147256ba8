package target

import (
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
	if req.Args.Raw("targets") == nil {
		c, err := Collection(req)
		return []storage.Collection{c}, err
	}
	list, err := req.Args.Targets()
	if err != nil {
		return nil, err
	}
	var collections []storage.Collection
	seen := map[storage.Collection]bool{}
	for _, t := range list {
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
