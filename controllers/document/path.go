package document

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/protocol"
)

// dropFields gives object without the fields at paths such as "a.b", "a[0].b" and `a["b.c"]`. A path that leads nowhere is
// no error, and none leads into the metadata. An element of an array becomes null, so that the others keep their places.
// All values that stay are copied byte by byte.
func dropFields(object jsontext.Value, paths []string) (jsontext.Value, error) {
	for _, path := range paths {
		steps := split(path)
		if members, err := protocol.ParseArgs(object, ""); err == nil && members.Has(path) {
			steps = []string{path} // a name may look like a path
		}
		if len(steps) == 0 || steps[0] == metadata.Key {
			continue
		}
		var err error
		if object, err = drop(object, steps); err != nil {
			return nil, err
		}
	}
	return object, nil
}

// drop gives value without what the steps lead to.
func drop(value jsontext.Value, steps []string) (jsontext.Value, error) {
	switch value.Kind() {
	case '{':
		return dropMember(value, steps)
	case '[':
		return dropElement(value, steps)
	default:
		return value, nil
	}
}

func dropMember(object jsontext.Value, steps []string) (jsontext.Value, error) {
	members, err := protocol.ParseArgs(object, "")
	if err != nil {
		return nil, err
	}
	name := steps[0]
	if len(steps) == 1 {
		members.Remove(name)
		return members.JSON(), nil
	}
	inner := members.Raw(name)
	if inner == nil {
		return object, nil
	}
	if inner, err = drop(inner, steps[1:]); err != nil {
		return nil, err
	}
	members.Set(name, inner)
	return members.JSON(), nil
}

func dropElement(array jsontext.Value, steps []string) (jsontext.Value, error) {
	i, err := strconv.Atoi(steps[0])
	if err != nil {
		return array, nil //nolint:nilerr // no element has such a name
	}
	var elements []jsontext.Value
	if err := json.Unmarshal(array, &elements); err != nil {
		return nil, err
	}
	if i < 0 || i >= len(elements) {
		return array, nil
	}
	if len(steps) == 1 {
		elements[i] = jsontext.Value("null")
	} else if elements[i], err = drop(elements[i], steps[1:]); err != nil {
		return nil, err
	}
	return json.Marshal(elements)
}

// split takes a path apart. Brackets hold an index or a quoted name, in which a backslash takes the meaning from the
// character after it.
func split(path string) []string {
	var steps []string
	for path != "" {
		if path[0] == '[' {
			step, rest := bracket(path[1:])
			steps, path = append(steps, step), strings.TrimPrefix(rest, ".")
			continue
		}
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			return append(steps, path)
		}
		steps = append(steps, path[:end])
		path = strings.TrimPrefix(path[end:], ".")
	}
	return steps
}

// bracket reads the inside of a bracket and gives what follows it. A bracket that does not end holds all that is left.
func bracket(s string) (step, rest string) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		step, rest, _ = strings.Cut(s, "]")
		return step, rest
	}
	quote, inner := s[0], []byte{}
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			inner = append(inner, s[i])
		case s[i] == quote:
			return string(inner), strings.TrimPrefix(s[i+1:], "]")
		default:
			inner = append(inner, s[i])
		}
	}
	return string(inner), ""
}
