package elastic

import (
	"strings"

	"github.com/sluicehq/sluice/core/storage"
)

// keep is the collection that keeps an empty index in being.
const keep = "_kuzzle_keep"

func sigil(s storage.Scope) string {
	if s == storage.Internal {
		return "%"
	}
	return "&"
}

// alias is the name that a collection is reached by.
func alias(c storage.Collection) string { return "@" + physical(c) }

// physical is the name of the index behind the alias, unless it was taken.
func physical(c storage.Collection) string { return sigil(c.Scope) + c.Index + "." + c.Name }

// aliases is the pattern of all aliases of an index; every index when it is empty.
func aliases(s storage.Scope, index string) string {
	if index == "" {
		index = "*"
	}
	return "@" + sigil(s) + index + ".*"
}

// collectionOf reads an alias, or a physical name, which may end in a number.
func collectionOf(name string) (storage.Collection, bool) {
	name = strings.TrimPrefix(name, "@")
	var c storage.Collection
	switch {
	case strings.HasPrefix(name, "%"):
		c.Scope = storage.Internal
	case !strings.HasPrefix(name, "&"):
		return c, false
	}
	index, rest, ok := strings.Cut(name[1:], ".")
	if !ok {
		return c, false
	}
	c.Index = index
	c.Name, _, _ = strings.Cut(rest, ".")
	return c, storage.ValidName(c.Index) && storage.ValidName(c.Name)
}
