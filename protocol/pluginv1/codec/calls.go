package codec

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/protocol/pluginv1"
)

// IndexOf is the index of one of a plugin's collections.
func IndexOf(m *pluginv1.Manifest, c *pluginv1.Collection) string {
	return cmp.Or(c.GetIndex(), m.GetId())
}

// storedBy are the controllers that work on stored documents.
var storedBy = []string{"document", "bulk", "collection", "index"}

// Stores reports whether actions of a controller work on an index that they name.
func Stores(controller string) bool { return slices.Contains(storedBy, controller) }

// Owns reports whether a call works on the plugin's own storage: which it may without listing the action.
func Owns(m *pluginv1.Manifest, controller, index string) bool {
	return Stores(controller) && slices.ContainsFunc(m.GetCollections(), func(c *pluginv1.Collection) bool { return IndexOf(m, c) == index })
}

// Lists reports whether a manifest's calls list an action: by name, or as `<controller>:*`.
func Lists(calls []string, controller, action string) bool {
	for _, c := range calls {
		i := strings.LastIndexByte(c, ':')
		if i >= 0 && c[:i] == controller && (c[i+1:] == action || c[i+1:] == "*") {
			return true
		}
	}
	return false
}
