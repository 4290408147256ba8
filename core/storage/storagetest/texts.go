package storagetest

// writtenTexts are searches for texts and for clauses that combine scores, which were written by hand.
var writtenTexts = []string{
	`{"query":{"fuzzy":{"title":"quikc"}}}`,
	`{"query":{"fuzzy":{"title":{"value":"fox","fuzziness":1}}}}`,
	`{"query":{"fuzzy":{"title":{"value":"fox","fuzziness":2}}}}`,
	`{"query":{"fuzzy":{"title":{"value":"jumpign","fuzziness":1,"transpositions":false}}}}`,
	`{"query":{"fuzzy":{"title":{"value":"dogz","fuzziness":"AUTO:2,4","prefix_length":2,"boost":2}}}}`,
	`{"query":{"fuzzy":{"title":{"value":"box","max_expansions":1}}}}`,
	`{"query":{"fuzzy":{"title":{"value":"box","rewrite":"constant_score","boost":3}}}}`,
	`{"query":{"fuzzy":{"title":{"value":"a","fuzziness":2}}}}`,
	`{"query":{"fuzzy":{"kw":{"value":"rad"}}}}`,
	`{"query":{"fuzzy":{"lower":{"value":"BLEU","fuzziness":1}}}}`,
	`{"query":{"fuzzy":{"hidden":{"value":"rad"}}}}`,
	`{"query":{"fuzzy":{"body":{"value":"cafe","fuzziness":1}}}}`,
	`{"query":{"fuzzy":{"i":{"value":"1"}}}}`,
	`{"query":{"fuzzy":{"none":{"value":"red"}}}}`,
	`{"query":{"match":{"title":{"query":"quikc fxo","fuzziness":"AUTO"}}}}`,
	`{"query":{"match":{"title":{"query":"quikc fxo","fuzziness":1,"operator":"and","fuzzy_transpositions":false}}}}`,
	`{"query":{"match":{"title":{"query":"quick brwn dgo","fuzziness":"1","minimum_should_match":2,"prefix_length":1,"max_expansions":3}}}}`,
	`{"query":{"match":{"i":{"query":"3","fuzziness":1}}}}`,
	`{"query":{"match":{"i":{"query":"3","fuzziness":1,"lenient":true}}}}`,
	`{"query":{"match":{"kw":{"query":"rde","fuzziness":1}}}}`,
	`{"query":{"match_bool_prefix":{"title":"quick brown f"}}}`,
	`{"query":{"match_bool_prefix":{"title":{"query":"quick f","operator":"and"}}}}`,
	`{"query":{"match_bool_prefix":{"title":{"query":"quikc brown f","fuzziness":1,"minimum_should_match":2}}}}`,
	`{"query":{"match_bool_prefix":{"kw":"bl"}}}`,
	`{"query":{"match_bool_prefix":{"i":"3"}}}`,
	`{"query":{"match_bool_prefix":{"title":""}}}`,
	`{"query":{"multi_match":{"query":"quick fox","type":"most_fields","fields":["title^3","body","kw"]}}}`,
	`{"query":{"multi_match":{"query":"quick fox","type":"most_fields","fields":["title","body"],"tie_breaker":0.2}}}`,
	`{"query":{"multi_match":{"query":"quick brown","type":"phrase","fields":["title","body^2"],"slop":1}}}`,
	`{"query":{"multi_match":{"query":"quick br","type":"bool_prefix","fields":["title","title.english","body"]}}}`,
	`{"query":{"multi_match":{"query":"quikc fxo","type":"best_fields","fields":["title","body"],"fuzziness":"AUTO","prefix_length":1}}}`,
	`{"query":{"multi_match":{"query":"quick fox","type":"cross_fields","fields":["title","body"],"operator":"and"}}}`,
	`{"query":{"multi_match":{"query":"quick fox","type":"cross_fields","fields":["title^2","body","o.t"],"tie_breaker":0.3}}}`,
	`{"query":{"multi_match":{"query":"fox red","type":"cross_fields","fields":["title","body","kw"],"minimum_should_match":"50%"}}}`,
	`{"query":{"multi_match":{"query":"red","type":"cross_fields","fields":["kw","tags","o.k"]}}}`,
	`{"query":{"multi_match":{"query":"3","type":"cross_fields","fields":["i","s","kw"]}}}`,
	`{"query":{"multi_match":{"query":"running","type":"cross_fields","fields":["title","title.english","plain"],"analyzer":"english"}}}`,
	`{"query":{"multi_match":{"query":"fox","type":"cross_fields","fields":["title","none"]}}}`,
	`{"query":{"dis_max":{"queries":[{"match":{"title":"quick"}},{"match":{"body":"fox"}},{"term":{"kw":"red"}}]}}}`,
	`{"query":{"dis_max":{"queries":[{"match":{"title":"quick"}},{"match":{"body":"fox"}}],"tie_breaker":0.7,"boost":2}}}`,
	`{"query":{"dis_max":{"queries":{"match_none":{}}}}}`,
	`{"query":{"boosting":{"positive":{"match":{"title":"quick fox"}},"negative":{"term":{"kw":"red"}},"negative_boost":0.25}}}`,
	`{"query":{"boosting":{"positive":{"exists":{"field":"i"}},"negative":{"range":{"i":{"lt":0}}},"negative_boost":0,"boost":4}}}`,
	`{"query":{"boosting":{"positive":{"term":{"i":1}},"negative":{"term":{"i":"nonsense"}},"negative_boost":0.5}}}`,
	`{"query":{"terms_set":{"title":{"terms":["quick","brown","fox"],"minimum_should_match_field":"i"}}}}`,
	`{"query":{"terms_set":{"title":{"terms":["quick","brown","fox","fox"],"minimum_should_match":"50%","boost":2}}}}`,
	`{"query":{"terms_set":{"tags":{"terms":["red","blue"],"minimum_should_match_field":"d"}}}}`,
	`{"query":{"terms_set":{"tags":{"terms":["red","blue"],"minimum_should_match_field":"bo"}}}}`,
	`{"query":{"terms_set":{"tags":{"terms":["red","blue"],"minimum_should_match_field":"none"}}}}`,
	`{"query":{"terms_set":{"i":{"terms":[1,2,3],"minimum_should_match":1}}}}`,
	`{"query":{"terms_set":{"kw":{"terms":[],"minimum_should_match":1}}}}`,
}

// misspelt gives a word with a change or two.
func (g generator) misspelt() string {
	word := []rune(words[g.IntN(len(words))])
	for range 1 + g.IntN(2) {
		i := g.IntN(len(word))
		switch g.IntN(4) {
		case 0:
			word[i] = 'x'
		case 1:
			word = append(word[:i], append([]rune{'o'}, word[i:]...)...)
		case 2:
			if len(word) > 1 {
				word = append(word[:i], word[i+1:]...)
			}
		default:
			if i > 0 {
				word[i-1], word[i] = word[i], word[i-1]
			}
		}
	}
	return string(word)
}

func (g generator) fuzziness() any { return pick[any](g, "AUTO", 1, 2, "AUTO:2,5", 0) }

// text makes a clause that looks for words in more ways than match does.
func (g generator) text(field string) clause {
	switch g.IntN(5) {
	case 0:
		c := g.boosted(clause{"value": g.misspelt(), "fuzziness": g.fuzziness()})
		g.sometimes(c, clause{"prefix_length": g.IntN(3), "transpositions": g.chance(2), "max_expansions": pick(g, 1, 3, 50)})
		return clause{"fuzzy": clause{pick(g, field, "kw", "tags", "lower", "title.raw"): c}}
	case 1:
		c := g.boosted(clause{"query": g.misspelt() + " " + g.sentence(2), "fuzziness": g.fuzziness()})
		g.sometimes(c, clause{"operator": "and", "prefix_length": 1, "minimum_should_match": pick[any](g, 2, "70%"), "max_expansions": 2})
		return clause{"match": clause{field: c}}
	case 2:
		c := g.boosted(clause{"query": g.sentence(2) + pick(g, " f", " j", " q", " th")})
		g.sometimes(c, clause{"operator": "and", "fuzziness": g.fuzziness(), "minimum_should_match": 2})
		return clause{"match_bool_prefix": clause{field: c}}
	case 3:
		terms := []any{g.keyword(), g.keyword(), g.keyword()}
		c := g.boosted(clause{"terms": terms, "minimum_should_match_field": pick(g, "i", "s", "d", "n")})
		if g.chance(3) {
			delete(c, "minimum_should_match_field")
			c["minimum_should_match"] = pick[any](g, 1, 2, "60%")
		}
		return clause{"terms_set": clause{pick(g, "kw", "tags", "nul"): c}}
	}
	return g.severalFields()
}

// sometimes gives a clause some of the options.
func (g generator) sometimes(c, options clause) {
	for _, name := range sorted(options) {
		if g.chance(3) {
			c[name] = options[name]
		}
	}
}

func (g generator) severalFields() clause {
	c := g.boosted(clause{"query": g.sentence(3), "fields": pick(g, []string{"title^2", "body"}, []string{"title", "body", "all"}, []string{"title", "o.t", "plain^0.5"})})
	g.sometimes(c, clause{"operator": "and", "tie_breaker": pick(g, 0.0, 0.4, 1.0)})
	switch g.IntN(4) {
	case 0:
		c["type"] = "most_fields"
		g.sometimes(c, clause{"fuzziness": g.fuzziness(), "minimum_should_match": "60%"})
	case 1:
		c["type"] = "cross_fields"
		g.sometimes(c, clause{"minimum_should_match": pick[any](g, 2, "60%"), "analyzer": "standard"})
	case 2:
		c["type"], c["slop"] = "phrase", g.IntN(3)
	default:
		c["type"] = "bool_prefix"
		g.sometimes(c, clause{"fuzziness": 1, "minimum_should_match": "60%"})
	}
	return clause{"multi_match": c}
}

// scored makes a clause that changes the scores of others.
func (g generator) scored(depth int) clause {
	if g.chance(2) {
		c := g.boosted(clause{"positive": g.query(depth - 1), "negative": g.query(depth - 1), "negative_boost": pick(g, 0.5, 0, 2)})
		return clause{"boosting": c}
	}
	c := g.boosted(clause{"queries": []any{g.query(depth - 1), g.query(depth - 1), g.query(depth - 1)}})
	g.sometimes(c, clause{"tie_breaker": pick(g, 0.3, 1.0)})
	return clause{"dis_max": c}
}
