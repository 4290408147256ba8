package query

import (
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
)

// Collapse shows only the best hit of those that share a value.
type Collapse struct {
	Field string
	// InnerHits are shown within each hit, out of those that share its value.
	InnerHits []InnerHits
}

// InnerHits are hits that are shown within another one.
type InnerHits struct {
	Name string
	Shown
	// Collapse is a field by which the inner hits are collapsed once more, empty when they are not.
	Collapse string
}

// Shown says which hits are shown within something, and what they show.
type Shown struct {
	From, Size int
	// Sort is empty when the best score comes first.
	Sort   []Sort
	Source Source
	// Highlight is nil when nothing is highlighted.
	Highlight *Highlight
}

// maxInnerHits bounds how often each hit is asked for inner hits.
const maxInnerHits = 32

func (p *parser) parseCollapse(n *node) (*Collapse, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	if err := refuseScripts(n); err != nil {
		return nil, err
	}
	c := &Collapse{}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "field":
			err = m.setText(&c.Field)
		case "inner_hits":
			c.InnerHits, err = p.parseInnerHits(m)
		case "max_concurrent_group_searches": // a hint
			err = m.setInt(new(int), 1)
		default:
			err = m.unknownOption()
		}
		if err != nil {
			return nil, err
		}
	}
	if c.Field == "" {
		return nil, n.fail("expected a field")
	}
	return c, nil
}

// parseInnerHits reads one or a list.
func (p *parser) parseInnerHits(n *node) ([]InnerHits, error) {
	var all []InnerHits
	for _, item := range n.list() {
		h, err := p.parseInner(item)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(other InnerHits) bool { return other.Name == h.Name }) {
			return nil, item.fail("the name %s is there twice", strconv.Quote(h.Name))
		}
		all = append(all, h)
	}
	if len(all) > maxInnerHits {
		return nil, n.fail("more than %d", maxInnerHits)
	}
	return all, nil
}

func (p *parser) parseInner(n *node) (InnerHits, error) {
	h := InnerHits{Shown: Shown{Size: 3}}
	if err := n.wantObject(); err != nil {
		return h, err
	}
	if n.get("name") == nil {
		return h, n.fail("inner_hits must have a name")
	}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "name":
			err = m.setText(&h.Name)
		case "collapse":
			h.Collapse, err = parseInnerCollapse(m)
		case "sort":
			if m.kind() == '"' { // Elasticsearch does not read a text here
				return h, m.fail("expected a list or an object")
			}
			err = h.option(p, m)
		case "ignore_unmapped": // there is no path that could be missing
			err = m.setBool(new(bool))
		default:
			err = h.option(p, m)
		}
		if err != nil {
			return h, err
		}
	}
	return h, h.check(n, storage.MaxWindow)
}

func parseInnerCollapse(n *node) (field string, err error) {
	m, err := n.only("a field")
	if err != nil {
		return "", err
	}
	if m.name != "field" {
		return "", m.unknownOption()
	}
	return field, m.setText(&field)
}

// check refuses more hits than most.
func (s *Shown) check(n *node, most int) error {
	if s.From > most-s.Size {
		return n.fail("from + size must be at most %d", most)
	}
	return nil
}

// option reads what hits show and which they are.
func (s *Shown) option(p *parser, m *node) (err error) {
	switch m.name {
	case "from":
		return m.setInt(&s.From, 0)
	case "size":
		return m.setInt(&s.Size, 0)
	case "sort":
		s.Sort, err = parseSort(m)
	case "_source":
		return s.Source.set(m)
	case "highlight":
		s.Highlight, err = p.parseHighlight(m)
	case "explain", "track_scores", "version", "seq_no_primary_term":
		if string(m.raw) != "false" {
			return m.unsupported()
		}
	case "stored_fields", "docvalue_fields", "fields":
		return m.unsupported()
	default:
		return m.unknownOption()
	}
	return err
}

// checkCollapse looks at what fits a collapse together.
func (s *Search) checkCollapse(root *node) error {
	if s.Collapse == nil || s.SearchAfter == nil {
		return nil
	}
	if len(s.Sort) != 1 || s.Sort[0].Field != s.Collapse.Field || s.Sort[0].Distance != nil {
		return root.fail("collapse: with search_after the search must be sorted by the field %s alone", strconv.Quote(s.Collapse.Field))
	}
	return nil
}

// Within is the search for inner hits of a hit of s, which share a value; nil stands for those without one.
func (s *Search) Within(h InnerHits, value jsontext.Value) *Search {
	group := &Bool{Common: plain, Must: []Query{s.Query}}
	if value == nil {
		group.MustNot = []Query{&Exists{Common: plain, Field: s.Collapse.Field}}
	} else {
		group.Filter = []Query{&Term{Common: plain, Field: s.Collapse.Field, Value: value}}
	}
	inner := &Search{
		Query: group, PostFilter: s.PostFilter, Sort: h.Sort, From: h.From, Size: h.Size,
		Source: h.Source, Highlight: h.Highlight, Timeout: s.Timeout,
	}
	if h.Collapse != "" {
		inner.Collapse = &Collapse{Field: h.Collapse}
	}
	return inner
}
