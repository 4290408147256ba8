package query

import (
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/spelling"
)

// Aggregation is one aggregation of a search.
type Aggregation struct {
	Name string
	// Of is a pointer to one of the types of this package: *Metric, *Percentiles, *TopHits, one that makes buckets, such as
	// *TermsAggregation, or one that works on the buckets around it, such as *Derivative.
	Of any
	// Subs are computed for every bucket of Of.
	Subs []Aggregation
	// Pipelines work on the buckets of Of, in this order. They read what Subs and those before them computed.
	Pipelines []Aggregation
	// Meta is an object that the answer repeats; nil when there is none.
	Meta jsontext.Value
}

// MaxBuckets is the most buckets that the answer to a search may hold.
const MaxBuckets = 65536

// aggregationParsers are all that are read. parseAggregation has read what is below the aggregation.
var aggregationParsers = func() map[string]func(p *parser, n *node, a *Aggregation) (any, error) {
	parsers := map[string]func(p *parser, n *node, a *Aggregation) (any, error){
		"terms":          parseTermsAggregation,
		"histogram":      parseHistogram,
		"date_histogram": parseDateHistogram,
		"range":          parseRanges,
		"date_range":     parseDateRanges,
		"ip_range":       parseAddressRanges,
		"geo_distance":   parseDistanceRanges,
		"composite":      parseComposite,
		"geohash_grid":   parseGeohashGrid,
		"missing":        parseMissing,
		"filter":         parseFilter,
		"filters":        parseFilters,
		"nested":         parseNestedAggregation,
		"reverse_nested": parseReverseNested,
		"derivative":     parseDerivative,
		"cumulative_sum": parseCumulativeSum,
		"bucket_sort":    parseBucketSort,
		"percentiles":    parsePercentiles,
		"top_hits":       parseTopHits,
	}
	for _, kind := range metrics {
		parsers[string(kind)] = parseMetric
	}
	return parsers
}()

// laterAggregations are known but not supported yet.
var laterAggregations = set(
	"adjacency_matrix", "auto_date_histogram", "avg_bucket", "boxplot", "categorize_text", "children",
	"cumulative_cardinality", "diversified_sampler", "extended_stats_bucket",
	"frequent_item_sets", "geo_bounds", "geo_centroid", "geo_line", "geohex_grid", "geotile_grid", "global",
	"inference", "ip_prefix", "matrix_stats", "max_bucket", "median_absolute_deviation", "min_bucket", "multi_terms",
	"normalize", "parent", "percentile_ranks", "percentiles_bucket", "random_sampler", "rare_terms", "rate",
	"sampler", "serial_diff", "significant_terms", "significant_text", "stats_bucket", "string_stats", "sum_bucket", "t_test",
	"time_series", "top_metrics", "variable_width_histogram", "weighted_avg",
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
	if err := p.parseType(body, &a); err != nil {
		return a, err
	}
	return a, a.takePipelines(n)
}

func (p *parser) parseType(n *node, a *Aggregation) (err error) {
	if parse := aggregationParsers[n.name]; parse != nil {
		if err := n.wantObject(); err != nil {
			return err
		}
		a.Of, err = parse(p, n, a)
		return err
	}
	if err := refuseScripts(n); err != nil {
		return err
	}
	if laterAggregations[n.name] {
		return n.unsupported()
	}
	return unknownKeyword("aggregation", n.name, spelling.Hint(n.name, slices.Sorted(maps.Keys(aggregationParsers))))
}

// single refuses aggregations below one that makes no buckets.
func (a *Aggregation) single(n *node) error {
	if len(a.Subs) > 0 {
		return n.fail("%s cannot have aggregations below it", n.name)
	}
	return nil
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
