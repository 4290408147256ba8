package announce

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/protocol"
)

// paths gives the dotted paths of the values that an update brings, without those of the metadata. A value is whatever
// replaces what was there: all but objects, and objects without members.
func paths(changes jsontext.Value) []string { return appendPaths([]string{}, "", changes) }

func appendPaths(list []string, prefix string, object jsontext.Value) []string {
	members, err := protocol.ParseArgs(object, "")
	if err != nil {
		return list // the engine has read it: it is an object
	}
	for _, m := range members.All() {
		path := prefix + m.Name
		if path == mapping.KuzzleInfo {
			continue
		}
		before := len(list)
		if m.Value.Kind() == '{' {
			list = appendPaths(list, path+".", m.Value)
		}
		if len(list) == before {
			list = append(list, path)
		}
	}
	return list
}
