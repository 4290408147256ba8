package aggregation

import (
	"math"
	"time"

	"github.com/sluicehq/sluice/core/storage/embedded/search/automaton"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// maxStates bounds the automaton of an expression. It is Elasticsearch's default.
const maxStates = 10_000

// filter says which values get buckets. Its expressions are fixed, its lists are read anew for the kind of each field.
type filter struct {
	include, exclude *chosen // nil when absent
}

// chosen are values that are described.
type chosen struct {
	of         *query.ValueFilter
	expression *automaton.Automaton // nil when there is a list
	texts      map[string]bool
	numbers    map[uint64]bool // keys
}

func newFilter(of *query.TermsAggregation, l *limits) (f filter, err error) {
	if f.include, err = newChosen(of.Include, "include", l); err != nil {
		return f, err
	}
	f.exclude, err = newChosen(of.Exclude, "exclude", l)
	return f, err
}

func newChosen(of *query.ValueFilter, option string, l *limits) (*chosen, error) {
	if of == nil {
		return nil, nil //nolint:nilnil // none was given
	}
	c := &chosen{of: of}
	if of.Regexp != "" {
		var err error
		if c.expression, err = automaton.Regexp(of.Regexp, "ALL", false, maxStates); err != nil {
			return nil, refuse("[terms] failed to parse field [%s]: %s", option, err)
		}
		l.charge(c.expression.Bytes())
	}
	return c, l.err
}

// open reads the lists for keys of a kind, of the field f, which is nil when it is not mapped.
func (f *filter) open(name string, k kind, of *mapping.Field, now time.Time) error {
	for _, c := range []*chosen{f.include, f.exclude} {
		if c == nil {
			continue
		}
		if err := c.open(name, k, of, now); err != nil {
			return err
		}
	}
	return nil
}

func (c *chosen) open(name string, k kind, of *mapping.Field, now time.Time) error {
	if c.expression != nil {
		if k == text || k == unmapped {
			return nil
		}
		values := "numeric values for include/exclude clauses used to filter numeric fields"
		if k == address {
			values = "values for include/exclude clauses"
		}
		return refuse("Aggregation [%s] cannot support regular expression style include/exclude settings as they can only be applied "+
			"to string fields. Use an array of %s", name, values)
	}
	c.texts, c.numbers = map[string]bool{}, map[uint64]bool{}
	for _, raw := range c.of.Values {
		switch k {
		case text, unmapped:
			c.texts[plain(raw)] = true
		case address:
			v, err := parseAddress(raw)
			if err != nil {
				return err
			}
			c.texts[string(v.text)] = true
		case natural:
			v, err := naturalValue(raw)
			if err != nil {
				return err
			}
			c.numbers[v.key(k)] = true
		default:
			v, err := listed(raw, of, now)
			if err != nil {
				return err
			}
			if k == whole && v.kind == floating { // the fraction is cut off, as in Elasticsearch
				*v = value{kind: whole, whole: toWhole(v.floating)}
			}
			c.numbers[v.key(k)] = true
		}
	}
	return nil
}

// text reports whether the value gets a bucket.
func (f *filter) text(b []byte) bool {
	return (f.include == nil || f.include.text(b)) && (f.exclude == nil || !f.exclude.text(b))
}

func (c *chosen) text(b []byte) bool {
	if c.expression != nil {
		return c.expression.Match(b)
	}
	return c.texts[string(b)]
}

// number is text for the key of a number.
func (f *filter) number(key uint64) bool {
	return (f.include == nil || f.include.numbers[key]) && (f.exclude == nil || !f.exclude.numbers[key])
}

// key gives the number as a key of a kind.
func (v *value) key(k kind) uint64 {
	if k == floating {
		return math.Float64bits(v.number())
	}
	return uint64(v.whole) //nolint:gosec // the bits count
}
