package storagetest

import (
	"fmt"
	"slices"
)

type clause = map[string]any

// textFields are analysed, exactFields hold values.
var (
	textFields  = []string{"title", "title.english", "body", "plain", "words", "all", "o.t"}
	exactFields = []string{
		"uid", "kw", "tags", "lower", "nul", "flat", "title.raw", "n", "i", "s", "b", "d", "f", "h", "bad", "unindexed", "bo", "at", "day",
		"ip", "o.k", "o.n", "other", "hidden",
	}
)

// valueFor gives a value that may be in a field; now and then one that does not suit it.
func (g generator) valueFor(field string) any {
	if !g.sound && g.chance(10) {
		return pick(g, any("nonsense"), any(1.5), any(true), any("2021"), any(-3000000000))
	}
	switch field {
	case "uid":
		return fmt.Sprintf("u%04d", g.IntN(400))
	case "n":
		return g.big()
	case "i", "s", "b", "bad", "unindexed", "o.n":
		return g.small()
	case "h":
		return g.half()
	case "d", "f":
		return g.float()
	case "bo":
		return pick[any](g, true, false, "true", "false")
	case "at":
		return g.date()
	case "day":
		return g.day()
	case "ip":
		return pick[any](g, pick(g, ips...), pick(g, ips...), "10.0.0.0/16", "2001:db8::/32")
	case "items.qty", "items.parts.n":
		return g.IntN(10)
	case "title.raw":
		return g.sentence(1)
	case "items.note":
		return g.sentence(2)
	}
	if slices.Contains(textFields, field) {
		return words[g.IntN(len(words))]
	}
	return g.keyword()
}

// query makes a clause; depth is how deep clauses may stand in it.
func (g generator) query(depth int) clause {
	if depth > 0 && g.chance(3) {
		g.sound = true
		if g.chance(5) {
			return g.scored(depth)
		}
		switch g.IntN(4) {
		case 0, 1:
			return clause{"bool": g.boolean(depth)}
		case 2:
			return clause{"constant_score": g.boosted(clause{"filter": g.query(depth - 1)})}
		}
		return g.nested(depth)
	}
	if g.young && g.chance(12) {
		return g.phrasing()
	}
	if g.chance(5) {
		return g.text(pick(g, textFields...))
	}
	return g.leaf(pick(g, exactFields...), pick(g, textFields...))
}

// boosted gives a clause a boost now and then.
func (g generator) boosted(c clause) clause {
	if g.chance(4) {
		c["boost"] = pick[any](g, 2, 0.5, 3.25, 0)
	}
	return c
}

func (g generator) boolean(depth int) clause {
	list := func(most int) any {
		queries := make([]any, g.IntN(most)+1)
		for i := range queries {
			queries[i] = g.query(depth - 1)
		}
		if len(queries) == 1 && g.chance(2) {
			return queries[0]
		}
		return queries
	}
	b := clause{}
	for _, part := range []string{"must", "filter", "must_not"} {
		if g.chance(3) {
			b[part] = list(2)
		}
	}
	if g.chance(2) {
		b["should"] = list(4)
		if g.chance(2) {
			b["minimum_should_match"] = pick[any](g, 0, 1, 2, "1", "-1", "50%", "-25%", "2<75%", 5)
		}
	}
	return g.boosted(b)
}

// nested looks into items, and into their parts.
func (g generator) nested(depth int) clause {
	inner := g.leaf(pick(g, "items.name", "items.qty", "items.parts.code"), "items.note")
	if g.chance(3) {
		inner = clause{"nested": clause{"path": "items.parts", "query": g.leaf(pick(g, "items.parts.code", "items.parts.n"), "items.parts.code")}}
	} else if depth > 1 && g.chance(2) {
		inner = clause{"bool": clause{
			pick(g, "must", "should", "filter"): []any{inner, g.leaf("items.qty", "items.note")},
			pick(g, "must_not", "should"):       g.leaf("items.name", "items.note"),
		}}
	}
	c := clause{"path": "items", "query": inner}
	if g.chance(2) {
		c["score_mode"] = pick(g, "avg", "sum", "min", "max", "none")
	}
	if g.chance(20) {
		c["path"], c["ignore_unmapped"] = "none", true
	}
	return clause{"nested": g.boosted(c)}
}

// leaf makes a clause without clauses in it.
func (g generator) leaf(exact, text string) clause {
	field := exact
	if g.chance(4) {
		field = text
	}
	switch g.IntN(17) {
	case 0, 1:
		c := g.boosted(clause{"value": g.valueFor(field)})
		if g.chance(5) && (!g.sound || g.hasTexts(field)) {
			c["case_insensitive"] = true
		}
		if g.chance(2) {
			return clause{"term": clause{field: c["value"]}}
		}
		return clause{"term": clause{field: c}}
	case 2:
		list := make([]any, g.IntN(5))
		for i := range list {
			list[i] = g.valueFor(field)
		}
		return clause{"terms": g.boosted(clause{field: list})}
	case 3, 4:
		return clause{"range": clause{field: g.boosted(g.bounds(field))}}
	case 5:
		return clause{"exists": g.boosted(clause{"field": pick(g, field, text, "loc", "o", "items", "o.*", "unmapped", "t*")})}
	case 6:
		return clause{"ids": clause{"values": []string{fmt.Sprint(g.IntN(400)), fmt.Sprint(g.IntN(400)), "none"}}}
	case 7, 8:
		other := pick(g, "kw", "tags", "lower", "title", "body", "title.raw", "flat")
		if g.hasTexts(field) || !g.sound && g.chance(4) {
			other = field
		}
		return g.pattern(other)
	case 9, 10, 11:
		if !g.hasTexts(field) && (g.sound || !g.chance(4)) {
			field = text
		}
		field = pick(g, text, field)
		return clause{"match": clause{field: g.match(field)}}
	case 12:
		return g.phrase(text)
	case 13:
		return g.multiMatch()
	case 14, 15:
		return g.geo()
	}
	return pick(g, clause{"match_all": g.boosted(clause{})}, clause{"match_none": clause{}})
}

// hasTexts reports whether a field can be looked for by any text.
func (g generator) hasTexts(field string) bool {
	return slices.Contains(textFields, field) || slices.Contains([]string{
		"uid", "kw", "tags", "lower", "nul", "flat", "title.raw", "o.k", "other", "items.name", "items.note", "items.parts.code",
	}, field)
}

func (g generator) bounds(field string) clause {
	if field == "ip" && g.sound { // networks are no bounds
		return clause{pick(g, "gt", "gte"): pick(g, ips...), pick(g, "lt", "lte"): pick(g, ips...)}
	}
	c := clause{pick(g, "gt", "gte"): g.valueFor(field)}
	if !g.chance(4) {
		c[pick(g, "lt", "lte")] = g.valueFor(field)
	}
	if field == "at" && g.sound { // Elasticsearch reads both bounds as numbers when one is
		c = clause{"gte": g.dateText(), pick(g, "lt", "lte"): g.dateText()}
	}
	if field != "at" && field != "day" {
		return c
	}
	switch n := g.IntN(6); {
	case n == 0:
		c["time_zone"] = pick(g, "+02:00", "Europe/Paris", "-11:30")
	case n == 1 && (field == "at" || !g.sound): // the format of day knows no years
		return clause{pick(g, "gte", "gt"): pick(g, "2021||/y", "2020-05-06||+1M/d", "now-200y/d", "2022-01"), "lt": pick(g, "now+200y", "2024||-1y", "2023-06-30||/M")}
	case n == 2:
		return clause{pick(g, "gte", "gt"): "06/2020", pick(g, "lte", "lt"): "03/2023", "format": "MM/yyyy"}
	}
	return c
}

func (g generator) pattern(field string) clause {
	kind := pick(g, "prefix", "wildcard", "regexp")
	value := map[string][]string{
		"prefix":   {"r", "b", "BL", "x-", "qui", "fox", "", "é", "u00"},
		"wildcard": {"*", "r?d", "*e*", "bl*", "x\\*y", "??", "j*p*", "f?x*", "B*", ""},
		"regexp":   {".*", "[bg].+", "(red|blue)", "x-[0-9]", "jump(s|ed)?", "f.x", "<1-20>", "~(blue)", "[^a-m]+", "@", "run.{0,4}"},
	}[kind]
	c := g.boosted(clause{"value": pick(g, value...)})
	if g.chance(4) {
		c["case_insensitive"] = g.chance(2)
	}
	if g.chance(3) {
		return clause{kind: clause{field: c["value"]}}
	}
	return clause{kind: clause{field: c}}
}

func (g generator) match(field string) any {
	if g.chance(3) {
		return g.sentence(3)
	}
	c := g.boosted(clause{"query": g.sentence(4)})
	if g.chance(3) {
		c["operator"] = pick(g, "or", "and", "AND")
	}
	if g.chance(3) {
		c["minimum_should_match"] = pick[any](g, 1, 2, "75%", "-1", "1<50%")
	}
	if g.chance(8) {
		c["analyzer"] = pick(g, "english", "simple", "whitespace", "stop", "keyword")
	}
	if g.chance(8) && field != "items.parts.code" { // which is looked for a level too high
		c["zero_terms_query"], c["query"], c["analyzer"] = pick(g, "none", "all"), "the and", "stop"
	}
	if g.chance(3) {
		c["lenient"] = true
	}
	return c
}

func (g generator) phrase(field string) clause {
	kind := pick(g, "match_phrase", "match_phrase", "match_phrase_prefix")
	if g.sound && field == "items.parts.code" { // which has no positions
		kind = "match_phrase"
	}
	text := g.sentence(2)
	if g.chance(2) {
		text = pick(g, "quick brown", "the quick brown fox", "the quick", "lazy dog", "over a", "fox foxes", "quick br", "jumps ov", "the the")
	}
	c := g.boosted(clause{"query": text})
	if g.chance(3) {
		c["slop"] = g.IntN(4)
	}
	if kind == "match_phrase_prefix" && g.chance(4) {
		c["max_expansions"] = pick(g, 1, 2, 10)
	}
	return clause{kind: clause{field: c}}
}

func (g generator) multiMatch() clause {
	c := g.boosted(clause{"query": g.sentence(3), "type": pick(g, "best_fields", "best_fields", "phrase_prefix")})
	switch g.IntN(4) {
	case 0:
		c["fields"] = []string{"title^2", "body", "all^0.5"}
	case 1:
		c["fields"] = []string{"t*", "plain"}
	case 2:
		c["fields"] = []string{"title", "kw", "o.t"}
	default:
		c["fields"] = []string{pick(g, textFields...)}
	}
	if g.sound && c["type"] == "phrase_prefix" {
		c["fields"] = []string{"title^2", "body", pick(g, textFields...)}
	}
	if g.chance(3) {
		c["tie_breaker"] = pick(g, 0.3, 1.0)
	}
	if g.chance(4) {
		c["operator"] = "and"
	}
	if g.chance(4) && c["type"] == "best_fields" {
		c["minimum_should_match"] = pick[any](g, 2, "50%")
	}
	if g.chance(3) {
		c["lenient"] = true
	}
	return clause{"multi_match": c}
}

func (g generator) geo() clause {
	if g.young && g.chance(3) {
		return g.geoShape()
	}
	lat, lon := g.coordinates()
	switch g.IntN(3) {
	case 0:
		return clause{"geo_distance": g.boosted(clause{"loc": g.point(), "distance": pick[any](g, "10km", "50km", "100000", "200mi", 30000, "5000km")})}
	case 1:
		top, left := lat, lon
		bottom, right := max(-90, lat-g.Float64()*20), lon+g.Float64()*20
		if right > 180 {
			right -= 360
		}
		return clause{"geo_bounding_box": clause{"loc": clause{
			"top_left": clause{"lat": min(90, top), "lon": max(-180, min(180, left))}, "bottom_right": clause{"lat": bottom, "lon": right},
		}}}
	}
	size := g.Float64() * 2
	return clause{"geo_polygon": clause{"loc": clause{"points": []any{
		clause{"lat": 48.0, "lon": 2.0}, clause{"lat": 48 + size, "lon": 2.1}, clause{"lat": 48.9, "lon": 2 + size}, clause{"lat": 47.9, "lon": 3.0},
	}}}}
}
