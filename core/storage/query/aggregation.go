package query

import (
	"math"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/spelling"
)

// Aggregation is one aggregation of a search.
type Aggregation struct {
	Name string
	// Of is *TermsAggregation or *Metric.
	Of any
	// Subs are computed for every bucket of Of.
	Subs []Aggregation
	// Meta is an object that the answer repeats; nil when there is none.
	Meta jsontext.Value
}

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
)

// Metric computes numbers from the values of a field.
type Metric struct {
	Kind  MetricKind
	Field string
	// Missing stands for the value of a document without one; nil when such documents are left out.
	Missing jsontext.Value // a text, a number or a boolean
	// Precision is the number of values up to which Cardinality must be close to exact.
	Precision int
}

// TermsAggregation makes one bucket for each value of a field.
type TermsAggregation struct {
	Field string
	// Size is the most buckets wanted. Clients ask for huge numbers to get all; an answer with more than MaxBuckets buckets
	// must be refused.
	Size        int
	MinDocCount int
	// Order holds at least one rule. Buckets that are equal by all of them stand in the order of their keys.
	Order []BucketOrder
	// Missing stands for the value of a document without one; nil when such documents are left out.
	Missing          jsontext.Value // a text, a number or a boolean
	Include, Exclude *ValueFilter   // nil when absent
}

// MaxBuckets is the most buckets that the answer to a search may hold.
const MaxBuckets = 65536

// BucketOrder is one rule for the order of buckets.
type BucketOrder struct {
	// By is "_count", "_key", or the name of a Metric in Subs.
	By string
	// Of is the number of a Stats that counts: count, min, max, avg or sum; empty for other metrics.
	Of   string
	Desc bool
}

// ValueFilter chooses values: by a regular expression in Lucene's syntax, or by a list.
type ValueFilter struct {
	Regexp string           // empty when Values counts
	Values []jsontext.Value // texts, numbers or booleans
}

// metrics are the metric aggregations.
var metrics = []MetricKind{Min, Max, Avg, Sum, Stats, ValueCount, Cardinality}

// aggregations are all that are read.
var aggregations = func() []string {
	names := []string{"terms"}
	for _, kind := range metrics {
		names = append(names, string(kind))
	}
	return names
}()

// laterAggregations are known but not supported yet.
var laterAggregations = set(
	"adjacency_matrix", "auto_date_histogram", "avg_bucket", "boxplot", "bucket_sort", "categorize_text", "children", "composite",
	"cumulative_cardinality", "cumulative_sum", "date_histogram", "date_range", "derivative", "diversified_sampler", "extended_stats",
	"extended_stats_bucket", "filter", "filters", "frequent_item_sets", "geo_bounds", "geo_centroid", "geo_distance", "geo_line",
	"geohash_grid", "geohex_grid", "geotile_grid", "global", "histogram", "inference", "ip_prefix", "ip_range", "matrix_stats",
	"max_bucket", "median_absolute_deviation", "min_bucket", "missing", "multi_terms", "nested", "normalize", "parent",
	"percentile_ranks", "percentiles", "percentiles_bucket", "random_sampler", "range", "rare_terms", "rate", "reverse_nested",
	"sampler", "serial_diff", "significant_terms", "significant_text", "stats_bucket", "string_stats", "sum_bucket", "t_test",
	"time_series", "top_hits", "top_metrics", "variable_width_histogram", "weighted_avg",
)

// parseAggregations reads {"<name>": {"<type>": body, "aggs": …}, …}.
func (p *parser) parseAggregations(n *node) ([]Aggregation, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	if p.depth++; p.depth > maxDepth {
		return nil, n.fail("aggregations are nested more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	list := make([]Aggregation, 0, len(n.children))
	for _, m := range n.children {
		if p.aggregations++; p.aggregations > maxClauses {
			return nil, n.fail("more than %d aggregations", maxClauses)
		}
		a, err := p.parseAggregation(m)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

func (p *parser) parseAggregation(n *node) (Aggregation, error) {
	a := Aggregation{Name: n.name}
	if n.name == "" || strings.ContainsAny(n.name, "[]>") {
		return a, n.fail("the name of an aggregation must not be empty or hold [, ] or >")
	}
	if err := n.wantObject(); err != nil {
		return a, err
	}
	var body, subs *node
	for _, m := range n.children {
		switch m.name {
		case "meta":
			if err := m.wantObject(); err != nil {
				return a, err
			}
			a.Meta = m.raw
		case "aggs", "aggregations":
			if subs != nil {
				return a, m.fail("aggregations are given twice")
			}
			subs = m
		default:
			if body != nil {
				return a, n.fail("expected one type only, found %q and %q", body.name, m.name)
			}
			body = m
		}
	}
	if body == nil {
		return a, n.fail("expected a type")
	}
	if subs != nil {
		var err error
		if a.Subs, err = p.parseAggregations(subs); err != nil {
			return a, err
		}
	}
	return a, a.parseType(body)
}

func (a *Aggregation) parseType(n *node) error {
	kind := MetricKind(n.name)
	switch {
	case n.name == "terms":
		t, err := parseTermsAggregation(n, a.Subs)
		a.Of = t
		return err
	case slices.Contains(metrics, kind):
		if len(a.Subs) > 0 {
			return n.fail("%s cannot have aggregations below it", kind)
		}
		m, err := parseMetric(n, kind)
		a.Of = m
		return err
	}
	if err := refuseScripts(n); err != nil {
		return err
	}
	if laterAggregations[n.name] {
		return n.unsupported()
	}
	return unknownKeyword("aggregation", n.name, spelling.Hint(n.name, aggregations))
}

// refuseOption is the error for an option of an aggregation that is not read.
func refuseOption(m *node) error {
	if err := refuseScripts(m); err != nil {
		return err
	}
	if m.name == "format" {
		return m.unsupported()
	}
	return m.unknownOption()
}

// defaultPrecision is Elasticsearch's.
const defaultPrecision = 3000

func parseMetric(n *node, kind MetricKind) (*Metric, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	a := &Metric{Kind: kind, Precision: defaultPrecision}
	for _, m := range n.children {
		var err error
		switch {
		case m.name == "field":
			err = m.setText(&a.Field)
		case m.name == "missing":
			err = m.setValue(&a.Missing)
		case m.name == "precision_threshold" && kind == Cardinality:
			err = m.setInt(&a.Precision, 0)
		default:
			err = refuseOption(m)
		}
		if err != nil {
			return nil, err
		}
	}
	if a.Field == "" {
		return nil, n.fail("expected a field")
	}
	return a, nil
}

func parseTermsAggregation(n *node, subs []Aggregation) (*TermsAggregation, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	a := &TermsAggregation{Size: 10, MinDocCount: 1}
	for _, m := range n.children {
		if err := a.option(m, subs); err != nil {
			return nil, err
		}
	}
	if a.Field == "" {
		return nil, n.fail("expected a field")
	}
	if a.Order == nil {
		a.Order = []BucketOrder{{By: "_count", Desc: true}}
	}
	return a, nil
}

func (a *TermsAggregation) option(m *node, subs []Aggregation) (err error) {
	switch m.name {
	case "field":
		err = m.setText(&a.Field)
	case "size":
		err = m.setInt(&a.Size, 1)
	case "min_doc_count":
		err = m.setInt(&a.MinDocCount, 0)
	case "order":
		err = a.setOrder(m, subs)
	case "missing":
		err = m.setValue(&a.Missing)
	case "include":
		a.Include, err = parseValueFilter(m)
	case "exclude":
		a.Exclude, err = parseValueFilter(m)
	case "shard_size": // the rest are hints that change no exact answer
		err = m.setInt(new(int), -math.MaxInt32)
	case "execution_hint":
		err = m.setWord(new(string), "map", "global_ordinals")
	case "collect_mode":
		err = m.setWord(new(string), "depth_first", "breadth_first")
	default:
		err = refuseOption(m)
	}
	return err
}

func parseValueFilter(n *node) (*ValueFilter, error) {
	switch n.kind() {
	case '"':
		f := &ValueFilter{Regexp: Text(n.raw)}
		if f.Regexp == "" { // the empty expression describes the empty text
			f.Values = []jsontext.Value{n.raw}
		}
		return f, nil
	case '[':
	default:
		return nil, n.fail("expected a regular expression or a list of values")
	}
	if len(n.children) > maxTerms {
		return nil, n.fail("more than %d values", maxTerms)
	}
	f := &ValueFilter{Values: make([]jsontext.Value, len(n.children))}
	for i, item := range n.children {
		if err := item.setValue(&f.Values[i]); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// setOrder reads {"_count": "asc"} or a list of such objects.
func (a *TermsAggregation) setOrder(n *node, subs []Aggregation) error {
	if len(n.list()) > maxSortKeys {
		return n.fail("more than %d rules", maxSortKeys)
	}
	for _, item := range n.list() {
		m, err := item.only("one rule")
		if err != nil {
			return err
		}
		var word string
		if err := m.setWord(&word, "asc", "desc"); err != nil {
			return err
		}
		o, err := bucketOrder(m, subs)
		if err != nil {
			return err
		}
		o.Desc = word == "desc"
		a.Order = append(a.Order, o)
	}
	return nil
}

// statsNumbers are the numbers of a Stats.
var statsNumbers = []string{"count", "min", "max", "avg", "sum"}

// bucketOrder finds what a rule names: "_count", "_key", "metric", "metric.value", "stats.avg" or "stats[avg]".
func bucketOrder(m *node, subs []Aggregation) (BucketOrder, error) {
	if m.name == "_count" || m.name == "_key" {
		return BucketOrder{By: m.name}, nil
	}
	for _, sub := range subs {
		rest, ok := strings.CutPrefix(m.name, sub.Name)
		metric, isMetric := sub.Of.(*Metric)
		if !ok || !isMetric {
			continue
		}
		if inner, ok := strings.CutPrefix(rest, "["); ok && strings.HasSuffix(inner, "]") {
			rest = "." + strings.TrimSuffix(inner, "]")
		}
		of := strings.TrimPrefix(rest, ".")
		switch {
		case metric.Kind == Stats && rest != of && slices.Contains(statsNumbers, of):
			return BucketOrder{By: sub.Name, Of: of}, nil
		case metric.Kind != Stats && (rest == "" || rest == ".value"):
			return BucketOrder{By: sub.Name}, nil
		}
	}
	return BucketOrder{}, m.fail("neither _count, _key nor a metric below this aggregation")
}
