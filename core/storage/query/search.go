package query

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// Search is a whole search body.
type Search struct {
	Query Query
	// PostFilter thins out the hits after the aggregations have counted them; nil when there is none.
	PostFilter Query
	// Sort is empty when the body does not say: then the best score comes first.
	Sort []Sort
	// From and Size are -1 when the body does not say.
	From, Size int
	// SearchAfter holds the sort values of the hit before the first one wanted, one for each of Sort; nil when absent.
	SearchAfter []jsontext.Value // texts, numbers, booleans or null
	Source      Source
	// TotalHits is how far the hits are counted: AllHits, 0 for not at all, or a number.
	TotalHits    int
	Aggregations []Aggregation
	// Highlight is nil when nothing is highlighted.
	Highlight *Highlight
	// Explain says for each hit how its score came about.
	Explain bool
	// Collapse is nil when every hit is shown.
	Collapse    *Collapse
	Suggestions []Suggestion
	// Timeout is search_timeout, 0 when there is none. Elasticsearch calls it timeout.
	Timeout time.Duration
	// Name is _name, which the API allows and nobody reads.
	Name string
	// Unsupported names, in alphabetical order, the parts of the body that are known but not supported yet, such as
	// "explain": an engine that cannot do them refuses them by RefuseUnsupported. They hold no scripts; nothing else of
	// them was checked.
	Unsupported []string
}

// AllHits counts all hits; it is what a body gets that does not say.
const AllHits = -1

// Source says which fields of a document a hit shows.
type Source struct {
	None bool
	// Includes and Excludes are paths that may hold * as a wildcard. No Includes are all.
	Includes, Excludes []string
}

// ParseSearch reads the body of a search. Nothing is the same as {}.
func ParseSearch(body jsontext.Value) (*Search, error) {
	s := &Search{Query: &MatchAll{Common: plain}, From: -1, Size: -1, TotalHits: AllHits}
	if len(body) == 0 {
		return s, nil
	}
	root, err := read(body, "")
	if err != nil {
		return nil, err
	}
	if err := root.wantObject(); err != nil {
		return nil, err
	}
	p := new(parser)
	for _, m := range root.children {
		if err := s.member(p, m); err != nil {
			return nil, err
		}
	}
	if knn := root.get("knn"); knn != nil {
		if err := s.addNeighbours(p, root.get("query"), knn); err != nil {
			return nil, err
		}
	}
	slices.Sort(s.Unsupported)
	if err := s.checkCollapse(root); err != nil {
		return nil, err
	}
	return s, s.check(root)
}

// RefuseUnsupported is the error of an engine that cannot do what is in Unsupported.
func (s *Search) RefuseUnsupported() error {
	if len(s.Unsupported) == 0 {
		return nil
	}
	return kerror.ServicesStorageUnexpectedBadRequest.New(strings.Join(s.Unsupported, ", ") + ": not supported yet")
}

func (s *Search) member(p *parser, m *node) (err error) {
	switch m.name {
	case "knn": // ParseSearch reads it when it knows the query
	case "query":
		s.Query, err = p.root(m)
	case "post_filter":
		s.PostFilter, err = p.root(m)
	case "sort":
		s.Sort, err = parseSort(m)
	case "from":
		err = m.setInt(&s.From, 0)
	case "size":
		err = m.setInt(&s.Size, 0)
	case "search_after":
		err = s.setSearchAfter(m)
	case "_source":
		err = s.Source.set(m)
	case "_source_includes", "_source_excludes":
		err = s.Source.add(m)
	case "track_total_hits":
		err = s.setTotalHits(m)
	case "aggregations", "aggs":
		if s.Aggregations != nil {
			return m.fail("aggregations are given twice")
		}
		if s.Aggregations, err = p.parseAggregations(m); err == nil {
			err = checkPlaces(m, s.Aggregations, place{})
		}
	case "search_timeout":
		err = s.setTimeout(m)
	case "_name":
		err = m.setText(&s.Name)
	case "highlight":
		s.Highlight, err = p.parseHighlight(m)
	case "collapse":
		s.Collapse, err = p.parseCollapse(m)
	case "suggest":
		s.Suggestions, err = parseSuggest(m)
	case "explain":
		err = m.setBool(&s.Explain)
	case "fields":
		if string(m.raw) == "false" { // it asks for nothing
			return nil
		}
		s.Unsupported = append(s.Unsupported, m.name)
		err = refuseScripts(m)
	default:
		err = kerror.ServicesStorageInvalidSearchQuery.New(m.name)
	}
	return err
}

// check looks at what must fit together.
func (s *Search) check(root *node) error {
	if s.SearchAfter == nil {
		return nil
	}
	if s.From > 0 {
		return root.fail("search_after: from must be 0 with it")
	}
	if len(s.SearchAfter) != len(s.Sort) {
		return root.fail("search_after: it has %d values but the sort has %d", len(s.SearchAfter), len(s.Sort))
	}
	return nil
}

func (s *Search) setSearchAfter(m *node) error {
	if m.kind() != '[' || len(m.children) == 0 {
		return m.fail("expected a list of sort values")
	}
	s.SearchAfter = make([]jsontext.Value, len(m.children))
	for i, item := range m.children {
		if !item.is(`"0tfn`) {
			return item.fail("expected a text, a number, a boolean or null")
		}
		s.SearchAfter[i] = item.raw
	}
	return nil
}

func (s *Search) setTotalHits(m *node) error {
	var all bool
	if m.setBool(&all) == nil {
		s.TotalHits = 0
		if all {
			s.TotalHits = AllHits
		}
		return nil
	}
	return m.setInt(&s.TotalHits, AllHits)
}

// timeUnits are the units of Elasticsearch's durations; a unit stands before those that it ends with.
var timeUnits = []struct {
	word string
	unit time.Duration
}{
	{"nanos", time.Nanosecond},
	{"micros", time.Microsecond},
	{"ms", time.Millisecond},
	{"s", time.Second},
	{"m", time.Minute},
	{"h", time.Hour},
	{"d", 24 * time.Hour},
}

// setTimeout reads a duration such as "500ms"; -1 is none.
func (s *Search) setTimeout(m *node) error {
	var text string
	if err := m.setScalarText(&text); err != nil {
		return err
	}
	if text == "-1" || text == "0" {
		return nil
	}
	d, ok := parseDuration(strings.ToLower(text))
	if !ok {
		return m.fail("expected a duration such as \"500ms\"")
	}
	s.Timeout = d
	return nil
}

// parseDuration reads a duration such as "500ms" that is not negative.
func parseDuration(text string) (time.Duration, bool) {
	for _, u := range timeUnits {
		if number, ok := strings.CutSuffix(text, u.word); ok {
			f, err := strconv.ParseFloat(number, 64)
			limit := float64(1<<62) / float64(u.unit)
			return time.Duration(f * float64(u.unit)), err == nil && f >= 0 && f < limit
		}
	}
	return 0, false
}

// set reads _source: a boolean, names, or an object of names.
func (s *Source) set(m *node) error {
	switch m.kind() {
	case 't', 'f':
		s.None = m.kind() == 'f'
		return nil
	case '{':
		for _, list := range m.children {
			if err := s.add(list); err != nil {
				return err
			}
		}
		return nil
	}
	return s.append(m, &s.Includes)
}

func (s *Source) add(m *node) error {
	switch m.name {
	case "includes", "include", "_source_includes":
		return s.append(m, &s.Includes)
	case "excludes", "exclude", "_source_excludes":
		return s.append(m, &s.Excludes)
	}
	return m.unknownOption()
}

func (s *Source) append(m *node, to *[]string) error {
	var names []string
	if err := m.setTexts(&names); err != nil {
		return err
	}
	if len(names) > maxClauses {
		return m.fail("more than %d names", maxClauses)
	}
	if len(names) == 1 && strings.HasPrefix(m.name, "_source_") { // as in a URL, where a comma parts names
		names = strings.Split(names[0], ",")
	}
	*to = append(*to, names...)
	return nil
}
