package query

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query/dates"
)

// Composite makes a bucket for each combination of values that occurs, in their order, page by page.
type Composite struct {
	// Sources are 1 to maxSources.
	Sources []CompositeSource
	Size    int
	// After has, for each source, the value of the last bucket of the page before; nil at the first page.
	After []jsontext.Value // texts, numbers, booleans or null
}

// CompositeSource gives one value of a combination: as it is, or that of an interval.
type CompositeSource struct {
	Name, Field string
	// Interval is that of a histogram of numbers, 0 when there is none; Rounding is that of one of dates, nil when there is
	// none.
	Interval float64
	Rounding *dates.Rounding
	// Format writes and reads dates; nil stands for milliseconds.
	Format *dates.Format
	Desc   bool
	// Missing says that documents without a value count, in buckets whose value is null. They come first in ascending order,
	// unless MissingOrder says "first" or "last".
	Missing      bool
	MissingOrder string
}

// maxSources is how many values a combination may have.
const maxSources = 32

func parseComposite(_ *parser, n *node, _ *Aggregation) (any, error) {
	a := &Composite{Size: 10}
	var after *node
	for _, m := range n.children {
		var err error
		switch m.name {
		case "sources":
			err = a.setSources(m)
		case "size":
			err = m.setInt(&a.Size, 1)
		case "after":
			after, err = m, m.wantObject()
		default:
			err = refuseOption(m)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(a.Sources) == 0 {
		return nil, n.fail("expected sources")
	}
	if after == nil {
		return a, nil
	}
	return a, a.setAfter(after)
}

func (a *Composite) setAfter(n *node) error {
	if len(n.children) != len(a.Sources) {
		return n.fail("expected a value for each source")
	}
	for _, s := range a.Sources {
		m := n.get(s.Name)
		if m == nil || !m.is(`"0tfn`) {
			return n.fail("expected a value for the source %s", s.Name)
		}
		if m.kind() == 'n' && !s.Missing {
			return m.fail("null is a value of sources with missing_bucket only")
		}
		a.After = append(a.After, m.raw)
	}
	return nil
}

func (a *Composite) setSources(n *node) error {
	if n.kind() != '[' {
		return n.fail("expected a list of sources")
	}
	if len(n.children) > maxSources {
		return n.fail("more than %d sources", maxSources)
	}
	for _, item := range n.children {
		named, err := item.only("one source")
		if err != nil {
			return err
		}
		kind, err := named.only("one type")
		if err != nil {
			return err
		}
		if err := kind.wantObject(); err != nil {
			return err
		}
		for _, s := range a.Sources {
			if s.Name == named.name {
				return named.fail("the name is there twice")
			}
		}
		s := CompositeSource{Name: named.name}
		if err := s.read(kind); err != nil {
			return err
		}
		a.Sources = append(a.Sources, s)
	}
	return nil
}

func (s *CompositeSource) read(n *node) error {
	var dated DateHistogram
	for _, m := range n.children {
		taken, err := s.common(m)
		switch {
		case taken:
		case n.name == "histogram" && m.name == "interval":
			err = m.setFloat(&s.Interval)
		case n.name == "date_histogram" && (m.name == "calendar_interval" || m.name == "fixed_interval" || m.name == "time_zone" ||
			m.name == "offset" || m.name == "format"):
			err = dated.option(m, nil)
		default:
			err = refuseOption(m)
		}
		if err != nil {
			return err
		}
	}
	switch n.name {
	case "terms":
	case "histogram":
		if s.Interval <= 0 {
			return n.fail("expected an interval greater than 0")
		}
	case "date_histogram":
		if (dated.Rounding.Unit == 0) == (dated.Rounding.Fixed == 0) {
			return n.fail("expected either a calendar_interval or a fixed_interval")
		}
		s.Rounding, s.Format = &dated.Rounding, dated.Format
	default:
		return n.fail("expected terms, histogram or date_histogram")
	}
	return n.wantField(s.Field)
}

func (s *CompositeSource) common(m *node) (taken bool, err error) {
	switch m.name {
	case "field":
		return true, m.setText(&s.Field)
	case "order":
		var word string
		err = m.setWord(&word, "asc", "desc")
		s.Desc = word == "desc"
		return true, err
	case "missing_bucket":
		return true, m.setBool(&s.Missing)
	case "missing_order":
		return true, m.setWord(&s.MissingOrder, "default", "first", "last")
	}
	return false, nil
}

// Zone is where the days of a source of dates begin, nil is UTC.
func (s *CompositeSource) Zone() *time.Location {
	if s.Rounding == nil {
		return nil
	}
	return s.Rounding.Zone
}
