package query

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// Sort is one key of a sort.
type Sort struct {
	// Field is a name, ByScore or ByPosition.
	Field string
	Desc  bool
	// Missing stands for the value of a document without one: a text, a number or a boolean. Without it such documents come
	// last, or first when MissingFirst is set, in either order.
	Missing      jsontext.Value
	MissingFirst bool
	// Mode chooses from several values of one document: min, max, sum, avg or median; empty for min in ascending and max in
	// descending order.
	Mode string
	// UnmappedType is the type of a field that has no mapping; empty when such a field is an error.
	UnmappedType string
	// Distance is set when the key is how far the points of the field are away; Missing and UnmappedType are then unused.
	Distance *DistanceSort
}

// What else a search can be sorted by.
const (
	ByScore    = "_score"
	ByPosition = "_doc"
)

func parseSort(n *node) ([]Sort, error) {
	var keys []Sort
	for _, item := range n.list() {
		switch item.kind() {
		case '"':
			field := *item
			field.name = Text(item.raw)
			key, err := newSort(&field)
			if err != nil {
				return nil, err
			}
			keys = append(keys, key)
		case '{':
			for _, m := range item.children {
				key, err := parseSortKey(m)
				if err != nil {
					return nil, err
				}
				keys = append(keys, key)
			}
		default:
			return nil, item.fail("expected a field")
		}
	}
	return keys, checkSort(n, keys)
}

// checkSort bounds what is read of every document, and kept of every hit.
func checkSort(n *node, keys []Sort) error {
	if len(keys) > maxSortKeys {
		return n.fail("more than %d keys", maxSortKeys)
	}
	for i, k := range keys {
		if slices.ContainsFunc(keys[:i], func(other Sort) bool { return other.same(k) }) {
			return n.fail("the key %s is there twice", k.Field)
		}
	}
	return nil
}

// same says that a key cannot tell documents apart that another does not, whatever its order. Distances are not compared.
func (s Sort) same(other Sort) bool {
	return s.Distance == nil && other.Distance == nil && s.Field == other.Field && s.Mode == other.Mode
}

// newSort begins the key that is named by n.
func newSort(n *node) (Sort, error) {
	switch n.name {
	case "_script":
		return Sort{}, kerror.ServicesStorageInvalidQueryKeyword.New(n.name)
	case "":
		return Sort{}, n.fail("a field has no name")
	}
	return Sort{Field: n.name, Desc: n.name == ByScore}, nil
}

// parseSortKey reads {"field": "desc"} and {"field": {"order": "desc", …}}.
func parseSortKey(n *node) (Sort, error) {
	if n.name == "_geo_distance" || n.name == "_geoDistance" {
		return parseDistanceSort(n)
	}
	s, err := newSort(n)
	if err != nil {
		return s, err
	}
	if n.kind() == '"' {
		return s, s.setOrder(n)
	}
	if err := n.wantObject(); err != nil {
		return s, err
	}
	special := s.Field == ByScore || s.Field == ByPosition
	for _, m := range n.children {
		switch {
		case m.name == "order":
			err = s.setOrder(m)
		case special:
			err = m.unknownOption()
		default:
			err = s.option(m)
		}
		if err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s *Sort) setOrder(m *node) error {
	var word string
	err := m.setWord(&word, "asc", "desc")
	s.Desc = word == "desc"
	return err
}

func (s *Sort) option(m *node) error {
	switch m.name {
	case "missing":
		switch string(m.raw) {
		case `"_last"`:
			return nil
		case `"_first"`:
			s.MissingFirst = true
			return nil
		}
		return m.setValue(&s.Missing)
	case "mode":
		return m.setWord(&s.Mode, "min", "max", "sum", "avg", "median")
	case "unmapped_type":
		return m.setText(&s.UnmappedType)
	case "nested", "numeric_type", "format":
		if err := refuseScripts(m); err != nil {
			return err
		}
		return m.unsupported()
	}
	return m.unknownOption()
}
