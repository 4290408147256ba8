package protocol

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// Target is one entry of the argument targets: collections of one index, by their names.
type Target struct {
	Index       string   `json:"index"`
	Collections []string `json:"collections"`
}

// Targets reads the argument targets, [{index, collections: [name]}], nil when there is none. Every entry names an index and
// at least one collection; patterns and lists in a name are services.storage.invalid_target_format. Rights are decided and
// actions are done by this reading alone, so that both are about the same collections.
func (a Args) Targets() ([]Target, error) {
	raw := a.Raw("targets")
	if raw == nil {
		return nil, nil
	}
	if a.text && raw.Kind() == '"' { // JSON in a URL
		text, _ := unquote(raw)
		raw = []byte(text)
	}
	list := []Target{}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, kerror.APIAssertInvalidType.Wrap(err, "targets", "array of {index, collections}")
	}
	for i, t := range list {
		if err := t.check("targets[" + strconv.Itoa(i) + "]"); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (t Target) check(where string) error {
	switch {
	case t.Index == "":
		return kerror.APIAssertMissingArgument.New(where + ".index")
	case len(t.Collections) == 0 || slices.Contains(t.Collections, ""):
		return kerror.APIAssertMissingArgument.New(where + ".collections")
	case severalNames(t.Index):
		return kerror.ServicesStorageInvalidTargetFormat.New("index", t.Index)
	}
	if i := slices.IndexFunc(t.Collections, severalNames); i >= 0 {
		return kerror.ServicesStorageInvalidTargetFormat.New("collection", t.Collections[i])
	}
	return nil
}

// severalNames reports whether an engine could read name as a list or a pattern.
func severalNames(name string) bool { return strings.ContainsAny(name, ",+*") || name == "_all" }
