package query

import (
	"slices"
	"strconv"
	"strings"
)

// BucketOrder is one rule for the order of buckets.
type BucketOrder struct {
	// By is "_count", "_key", or the name of what computes a number in Subs. A number inside of aggregations that make one
	// bucket has their names before its own, with ">" between them.
	By string
	// Of says which number it is when there are several: one of a Stats such as avg, or a percent; empty otherwise.
	Of   string
	Desc bool
}

// keyOrder is the order of the keys.
var keyOrder = []BucketOrder{{By: "_key"}}

// parseOrder reads {"_count": "asc"} or a list of such objects.
func parseOrder(n *node, subs []Aggregation) ([]BucketOrder, error) {
	if len(n.list()) > maxSortKeys {
		return nil, n.fail("more than %d rules", maxSortKeys)
	}
	var order []BucketOrder
	for _, item := range n.list() {
		m, err := item.only("one rule")
		if err != nil {
			return nil, err
		}
		var word string
		if err := m.setWord(&word, "asc", "desc"); err != nil {
			return nil, err
		}
		o, err := bucketOrder(m, subs)
		if err != nil {
			return nil, err
		}
		o.Desc = word == "desc"
		order = append(order, o)
	}
	return order, nil
}

func bucketOrder(m *node, subs []Aggregation) (BucketOrder, error) {
	if m.name == "_count" || m.name == "_key" {
		return BucketOrder{By: m.name}, nil
	}
	by, of, ok := findNumber(m.name, subs)
	if !ok || strings.HasSuffix(m.name, ">_count") { // Elasticsearch reads that in a buckets_path only
		return BucketOrder{}, m.fail("neither _count, _key nor a metric below this aggregation")
	}
	return BucketOrder{By: by, Of: of}, nil
}

// findNumber finds what a path names below an aggregation: "metric", "metric.value", "stats.avg", "stats[avg]" or one of them
// behind the names of aggregations that make one bucket, such as "filter>metric". The name of such an aggregation, and
// "filter>_count", are how many documents are in it.
func findNumber(path string, subs []Aggregation) (by, of string, ok bool) {
	if name, rest, inner := strings.Cut(path, ">"); inner {
		i := slices.IndexFunc(subs, func(a Aggregation) bool { return a.Name == strings.TrimSpace(name) && a.oneBucket() })
		if i < 0 {
			return "", "", false
		}
		if rest = strings.TrimSpace(rest); rest == "_count" {
			return subs[i].Name, "", true
		}
		by, of, ok = findNumber(rest, subs[i].Subs)
		return subs[i].Name + ">" + by, of, ok
	}
	for _, sub := range subs {
		rest, begins := strings.CutPrefix(path, sub.Name)
		if !begins {
			continue
		}
		if of, ok := sub.number(rest); ok {
			return sub.Name, of, true
		}
	}
	return "", "", false
}

// oneBucket reports whether the aggregation makes one bucket, without a key.
func (a *Aggregation) oneBucket() bool {
	switch a.Of.(type) {
	case *Missing, *FilterAggregation, *NestedAggregation, *ReverseNestedAggregation:
		return true
	}
	return false
}

// Numbers of a Stats, and what an ExtendedStats has besides.
var (
	statsNumbers    = []string{"count", "min", "max", "avg", "sum"}
	extendedNumbers = []string{
		"sum_of_squares", "variance", "variance_population", "variance_sampling", "std_deviation", "std_deviation_population",
		"std_deviation_sampling", "std_upper", "std_lower", "std_upper_population", "std_lower_population", "std_upper_sampling",
		"std_lower_sampling",
	}
)

// number reads what follows the name of an aggregation in a path, and says which of its numbers that is.
func (a *Aggregation) number(rest string) (of string, ok bool) {
	if inner, bracket := strings.CutPrefix(rest, "["); bracket && strings.HasSuffix(inner, "]") {
		rest = "." + strings.TrimSuffix(inner, "]")
	}
	of, named := strings.CutPrefix(rest, ".")
	switch agg := a.Of.(type) {
	case *Metric:
		switch agg.Kind {
		case Stats:
			return of, named && slices.Contains(statsNumbers, of)
		case ExtendedStats:
			return of, named && (slices.Contains(statsNumbers, of) || slices.Contains(extendedNumbers, of))
		default:
			return "", rest == "" || rest == ".value"
		}
	case *Percentiles:
		percent, err := strconv.ParseFloat(of, 64)
		return of, named && err == nil && percent >= 0 && percent <= 100
	}
	return "", a.oneBucket() && (rest == "" || rest == "._count" || rest == ".doc_count")
}
