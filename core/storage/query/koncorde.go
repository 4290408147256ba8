package query

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/spelling"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Koncorde gives the Elasticsearch query that stands for a Koncorde filter; nothing, null and {} give {}, which matches
// every document.
//
// The filter is translated and checked no further than safety asks: a list without an element and a range without a bound
// are refused, because their translations match every document, or do below a not. The clauses of Elasticsearch are passed on
// as they are. The query follows the rules of the engines, analysed texts and mappings included, and not those of realtime
// filters. The operator bool is refused with api.assert.koncorde_restricted_keyword, what cannot be translated with
// services.koncorde.elastic_translation_error, and a clause that neither language has with
// services.storage.unknown_query_keyword.
func Koncorde(filter jsontext.Value) (jsontext.Value, error) {
	if len(filter) == 0 {
		return jsontext.Value("{}"), nil
	}
	n, err := read(filter, "query")
	if err != nil {
		return nil, err
	}
	if n.kind() == 'n' || n.kind() == '{' && len(n.children) == 0 {
		return jsontext.Value("{}"), nil
	}
	return appendKoncorde(make([]byte, 0, len(filter)+len(filter)/2), n, 1)
}

func untranslatable(n *node, text string) error {
	return kerror.ServicesKoncordeElasticTranslationError.New(n.shownPath() + ": " + text)
}

// koncordeNames are the clauses that have another name in Elasticsearch, and the same content.
var koncordeNames = map[string]string{
	"equals":         "term",
	"in":             "terms",
	"geoBoundingBox": "geo_bounding_box",
	"geoDistance":    "geo_distance",
	"geoPolygon":     "geo_polygon",
}

// koncordeClauses are those that have a translation, in the order in which errors name them.
var koncordeClauses = []string{
	"and", "or", "not", "equals", "in", "ids", "range", "exists", "missing", "match", "regexp", "geoBoundingBox", "geoDistance", "geoPolygon",
}

// realtimeClauses are those that only realtime filters have.
var realtimeClauses = set("select", "nothing", "geoDistanceRange")

// appendKoncorde translates one filter.
func appendKoncorde(dst []byte, n *node, depth int) ([]byte, error) {
	switch {
	case depth > maxDepth:
		return nil, untranslatable(n, "filters are nested more than "+strconv.Itoa(maxDepth)+" deep")
	case n.kind() != '{' || len(n.children) == 0:
		return nil, untranslatable(n, "expected an object with one clause")
	case len(n.children) > 1:
		// The original reads the first and forgets the others, which would delete too much in a deleteByQuery.
		return nil, untranslatable(n, "expected one clause only, found "+strconv.Quote(n.children[0].name)+" and "+strconv.Quote(n.children[1].name))
	}
	m := n.children[0]
	switch m.name {
	case "bool":
		return nil, kerror.APIAssertKoncordeRestrictedKeyword.New("operator", "bool")
	case "and":
		return appendKoncordeList(dst, m, "filter", depth)
	case "or":
		return appendKoncordeList(dst, m, "should", depth)
	case "not":
		dst, err := appendKoncorde(append(dst, `{"bool":{"must_not":`...), m, depth+1)
		return append(dst, "}}"...), err
	case "exists":
		return appendExists(dst, m)
	case "missing":
		dst, err := appendExists(append(dst, `{"bool":{"must_not":`...), m)
		return append(dst, "}}"...), err
	}
	return appendLeaf(dst, m)
}

// appendLeaf passes on a clause that holds no filters.
func appendLeaf(dst []byte, n *node) ([]byte, error) {
	if err := knownToEither(n); err != nil {
		return nil, err
	}
	if err := notEmpty(n); err != nil {
		return nil, err
	}
	name := n.name
	if other, ok := koncordeNames[name]; ok {
		name = other
	}
	dst = append(appendName(append(dst, '{'), name), ':')
	return append(append(dst, n.raw...), '}'), nil
}

// knownToEither refuses what is a clause of neither language. Parse refuses scripts, and what is not supported yet.
func knownToEither(n *node) error {
	switch {
	case slices.Contains(koncordeClauses, n.name), slices.Contains(clauses, n.name), later[n.name], scripts[n.name]:
		return nil
	case realtimeClauses[n.name]:
		return unknownKeyword("clause", n.name, "It works in realtime filters only.")
	}
	hint := spelling.Hint(n.name, koncordeClauses)
	if hint == "" {
		hint = "The clauses of Koncorde are " + strings.Join(koncordeClauses, ", ") + "."
	}
	return unknownKeyword("clause", n.name, hint)
}

// notEmpty refuses a list without an element, and a range without a bound: it would match what exists, or nothing, and
// everything below a not.
func notEmpty(n *node) error {
	switch n.name {
	case "range":
		for _, field := range n.children {
			if !slices.ContainsFunc(field.children, isBound) {
				return untranslatable(field, "expected at least one of gt, gte, lt, lte")
			}
		}
	case "in", "ids":
		for _, list := range n.children {
			if list.kind() == '[' && len(list.children) == 0 {
				return untranslatable(list, "expected at least one value")
			}
		}
	}
	return nil
}

func isBound(n *node) bool {
	switch n.name {
	case "gt", "gte", "lt", "lte":
		return n.kind() != 'n'
	}
	return false
}

func appendName(dst []byte, name string) []byte {
	dst, err := jsontext.AppendQuote(dst, name)
	_ = err // the name was read before
	return dst
}

func appendKoncordeList(dst []byte, n *node, as string, depth int) ([]byte, error) {
	if n.kind() != '[' || len(n.children) == 0 {
		return nil, untranslatable(n, "expected a list of at least one filter")
	}
	dst = append(appendName(append(dst, `{"bool":{`...), as), `:[`...)
	for i, item := range n.children {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendKoncorde(dst, item, depth+1); err != nil {
			return nil, err
		}
	}
	return append(dst, "]}}"...), nil
}

// appendExists translates "path", "path[value]" and {"field": either}.
func appendExists(dst []byte, n *node) ([]byte, error) {
	text := n
	if n.kind() == '{' && len(n.children) == 1 && n.children[0].name == "field" {
		text = n.children[0]
	}
	if text.kind() != '"' {
		return nil, untranslatable(n, "expected a field")
	}
	path, value, ok := splitPath(Text(text.raw))
	if !ok || path == "" {
		return nil, untranslatable(n, "expected a field, or field[value] with a JSON value")
	}
	exists := append(appendName([]byte(`{"exists":{"field":`), path), "}}"...)
	if value == nil || value.Kind() == 'n' { // no index holds null
		return append(dst, exists...), nil
	}
	dst = append(append(dst, `{"bool":{"filter":[`...), exists...)
	dst = append(appendName(append(dst, `,{"range":{`...), path), `:{"gte":`...)
	dst = append(append(append(dst, value...), `,"lte":`...), value...)
	return append(dst, "}}}]}}"...), nil
}

// splitPath parts `tags["a"]` into the path and the value; value is nil when there is none. A bracket that belongs to the
// name has a \ before it.
func splitPath(text string) (path string, value jsontext.Value, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text) && (text[i+1] == '[' || text[i+1] == ']'):
			i++
			b.WriteByte(text[i])
		case c == '[':
			inner, closed := strings.CutSuffix(text[i+1:], "]")
			value = jsontext.Value(inner)
			if !closed || !value.IsValid() || value.Kind() == '{' || value.Kind() == '[' {
				return "", nil, false
			}
			return b.String(), value, true
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil, true
}
