package query

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// MetricKind is what a Metric computes. It is the word of the query language.
type MetricKind string

// The metrics.
const (
	Min         MetricKind = "min"
	Max         MetricKind = "max"
	Avg         MetricKind = "avg"
	Sum         MetricKind = "sum"
	Stats       MetricKind = "stats"
	ValueCount  MetricKind = "value_count"
	Cardinality MetricKind = "cardinality"
	// ExtendedStats is Stats with how far the values are spread.
	ExtendedStats MetricKind = "extended_stats"
)

// metrics are those that a Metric computes.
var metrics = []MetricKind{Min, Max, Avg, Sum, Stats, ValueCount, Cardinality, ExtendedStats}

// Metric computes numbers from the values of a field.
type Metric struct {
	Kind  MetricKind
	Field string
	// Missing stands for the value of a document without one; nil when such documents are left out.
	Missing jsontext.Value // a text, a number or a boolean
	// Precision is the number of values up to which Cardinality must be close to exact.
	Precision int
	// Sigma is how many standard deviations the bounds of ExtendedStats are away from the average.
	Sigma float64
}

// Percentiles computes below which number how many of the values of a field lie.
type Percentiles struct {
	Field   string
	Missing jsontext.Value // as that of a Metric
	// Percents are from 0 to 100, ascending.
	Percents []float64
	Keyed    bool
	// Compression is how exact the answer is for many values: it is computed from about as many groups of them.
	Compression float64
}

// Elasticsearch's defaults.
const (
	defaultPrecision   = 3000
	defaultSigma       = 2
	defaultCompression = 100
)

func parseMetric(_ *parser, n *node, of *Aggregation) (any, error) {
	if err := of.single(n); err != nil {
		return nil, err
	}
	a := &Metric{Kind: MetricKind(n.name), Precision: defaultPrecision}
	if a.Kind == ExtendedStats {
		a.Sigma = defaultSigma
	}
	for _, m := range n.children {
		var err error
		switch {
		case m.name == "field":
			err = m.setText(&a.Field)
		case m.name == "missing":
			err = m.setValue(&a.Missing)
		case m.name == "precision_threshold" && a.Kind == Cardinality:
			err = m.setInt(&a.Precision, 0)
		case m.name == "sigma" && a.Kind == ExtendedStats:
			err = m.setNotNegative(&a.Sigma)
		default:
			err = refuseOption(m)
		}
		if err != nil {
			return nil, err
		}
	}
	return a, n.wantField(a.Field)
}

// wantField refuses an aggregation without a field.
func (n *node) wantField(field string) error {
	if field == "" {
		return n.fail("expected a field")
	}
	return nil
}

func (n *node) setNotNegative(to *float64) error {
	if err := n.setFloat(to); err != nil {
		return err
	}
	if *to < 0 {
		return n.fail("must not be negative")
	}
	return nil
}

// maxPercents bounds the answer of percentiles.
const maxPercents = 1000

func parsePercentiles(_ *parser, n *node, of *Aggregation) (any, error) {
	if err := of.single(n); err != nil {
		return nil, err
	}
	a := &Percentiles{Percents: []float64{1, 5, 25, 50, 75, 95, 99}, Keyed: true, Compression: defaultCompression}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "field":
			err = m.setText(&a.Field)
		case "missing":
			err = m.setValue(&a.Missing)
		case "keyed":
			err = m.setBool(&a.Keyed)
		case "percents":
			err = a.setPercents(m)
		case "tdigest":
			err = a.setDigest(m)
		case "hdr":
			err = m.unsupported()
		default:
			err = refuseOption(m)
		}
		if err != nil {
			return nil, err
		}
	}
	return a, n.wantField(a.Field)
}

func (a *Percentiles) setPercents(n *node) error {
	list := n.list()
	if len(list) == 0 || len(list) > maxPercents {
		return n.fail("expected 1 to %d numbers", maxPercents)
	}
	a.Percents = make([]float64, len(list))
	for i, m := range list {
		if err := m.setNotNegative(&a.Percents[i]); err != nil {
			return err
		}
		if a.Percents[i] > 100 {
			return m.fail("must not be more than 100")
		}
	}
	slices.Sort(a.Percents)
	return nil
}

// setDigest reads how values are summed up.
func (a *Percentiles) setDigest(n *node) error {
	if err := n.wantObject(); err != nil {
		return err
	}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "compression":
			err = m.setNotNegative(&a.Compression)
		case "execution_hint":
			err = m.setWord(new(string), "default", "high_accuracy")
		default:
			err = m.unknownOption()
		}
		if err != nil {
			return err
		}
	}
	return nil
}
