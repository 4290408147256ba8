package storagetest

// bucketAggregation makes an aggregation with buckets, other than terms.
func (g generator) bucketAggregation(depth int) map[string]any {
	a := map[string]any{}
	switch g.IntN(11) {
	case 0:
		a["histogram"] = g.histogram()
	case 1, 2:
		a["date_histogram"] = g.dateHistogram()
	case 3:
		a["range"] = g.keyed(map[string]any{
			"field":  pick(g, "i", "d", "o.n", "unindexed", "none"),
			"ranges": []any{map[string]any{"to": g.small()}, map[string]any{"from": g.small(), "to": g.small()}, map[string]any{"from": g.small(), "key": "k"}},
		})
	case 4:
		a["date_range"] = g.keyed(map[string]any{
			"field": "at", "time_zone": pick(g, "UTC", "+02:00", "Europe/Paris"),
			"ranges": []any{map[string]any{"to": "2021-06"}, map[string]any{"from": "2020||/y", "to": "2022-03-27||+1d/d"}},
		})
	case 5:
		a["ip_range"] = g.keyed(map[string]any{
			"field":  "ip",
			"ranges": []any{map[string]any{"mask": "10.0.0.0/23"}, map[string]any{"from": pick(g, ips...)}, map[string]any{"to": pick(g, ips...)}},
		})
	case 6:
		a["geo_distance"] = g.keyed(map[string]any{
			"field": "loc", "origin": "48.5,2.5", "unit": "km",
			"ranges": []any{map[string]any{"to": 40}, map[string]any{"from": 40, "to": 100}, map[string]any{"from": 100}},
		})
	case 7:
		// Below one of an unmapped field, Elasticsearch counts the documents of all buckets in a date_histogram.
		a["missing"] = map[string]any{"field": pick(g, "kw", "tags", "i", "d", "at", "ip", "loc")}
	case 8:
		g.sound = true
		a["filter"] = g.query(1)
	case 9:
		a["geohash_grid"] = map[string]any{"field": "loc", "precision": 1 + g.IntN(6)}
	default:
		return g.nestedAggregation()
	}
	if depth > 0 && g.chance(2) {
		a["aggs"] = g.aggregations(depth - 1)
	}
	return a
}

func (g generator) keyed(m map[string]any) map[string]any {
	if g.chance(3) {
		m["keyed"] = true
	}
	return m
}

func (g generator) histogram() map[string]any {
	m := g.keyed(map[string]any{"field": pick(g, "i", "o.n", "unindexed", "none"), "interval": pick[any](g, 1, 3, 2.5, 0.5)})
	if g.chance(3) {
		m["offset"] = pick[any](g, 1, 0.25)
	}
	if g.chance(3) {
		m["min_doc_count"] = pick(g, 1, 3)
	} else if g.chance(3) {
		m["extended_bounds"] = map[string]any{"min": -12, "max": 14}
	}
	if g.chance(4) {
		m["order"] = map[string]any{pick(g, "_count", "_key"): pick(g, "asc", "desc")}
	}
	return m
}

func (g generator) dateHistogram() map[string]any {
	m := g.keyed(map[string]any{"field": pick(g, "at", "day"), "min_doc_count": g.IntN(2)})
	if g.chance(2) {
		m["calendar_interval"] = pick(g, "year", "1q", "month", "1w")
	} else {
		m["fixed_interval"] = pick(g, "30d", "1000h", "100d")
	}
	if g.chance(2) {
		m["time_zone"] = pick(g, "Europe/Paris", "America/New_York", "-05:30", "Asia/Kolkata")
	}
	if g.chance(3) {
		m["offset"] = pick(g, "+6h", "-1d")
	}
	if g.chance(3) {
		m["format"] = pick(g, "yyyy-MM-dd", "yyyy/MM/dd HH:mm Z", "epoch_millis")
	}
	return m
}

func (g generator) nestedAggregation() map[string]any {
	return map[string]any{"nested": map[string]any{"path": "items"}, "aggs": map[string]any{
		"n": map[string]any{
			"terms": map[string]any{"field": "items.name", "size": 100},
			"aggs": map[string]any{
				"q": map[string]any{pick(g, "stats", "extended_stats", "percentiles"): map[string]any{"field": "items.qty"}},
				"r": map[string]any{"reverse_nested": map[string]any{}, "aggs": map[string]any{"m": g.metric()}},
			},
		},
		"p": map[string]any{"nested": map[string]any{"path": "items.parts"}, "aggs": map[string]any{
			"c": map[string]any{"terms": map[string]any{"field": "items.parts.code", "size": 100}},
		}},
	}}
}
