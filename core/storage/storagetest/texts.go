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
	`{"query":{"match_bool_prefix":{"title":"quick f "}}}`,
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
	`{"query":{"multi_match":{"query":"3","type":"cross_fields","fields":["i^2","kw","s"],"tie_breaker":0.3}}}`,
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
	`{"query":{"function_score":{}}}`,
	`{"query":{"function_score":{"query":{"match":{"title":"fox"}},"functions":[]}}}`,
	`{"query":{"function_score":{"query":{"match":{"title":"fox"}},"weight":3,"boost":2}}}`,
	`{"query":{"function_score":{"boost":0,"boost_mode":"max","functions":[{"weight":3}]}}}`,
	`{"query":{"bool":{"boost":0,"must":{"match":{"title":"fox"}},"should":{"function_score":{"boost_mode":"replace","weight":3}}}}}`,
	`{"query":{"function_score":{"functions":[{"weight":3}],"score_mode":"avg"}}}`,
	`{"query":{"function_score":{"functions":[{"weight":3,"filter":{"match_all":{}}}],"score_mode":"avg"}}}`,
	`{"query":{"function_score":{"functions":[{"weight":3,"filter":{"exists":{"field":"uid"}}}],"score_mode":"avg"}}}`,
	`{"query":{"function_score":{"query":{"match":{"title":"fox"}},"functions":[{"filter":{"term":{"kw":"red"}},"weight":3},{"weight":2}],"score_mode":"avg","boost_mode":"sum"}}}`,
	`{"query":{"function_score":{"query":{"match":{"title":"fox"}},"functions":[{"filter":{"term":{"kw":"red"}},"weight":3},{"filter":{"exists":{"field":"i"}},"weight":5}],"score_mode":"first","boost_mode":"replace","max_boost":4}}}`,
	`{"query":{"function_score":{"functions":[{"filter":{"term":{"kw":"red"}},"weight":3}],"min_score":2}}}`,
	`{"query":{"constant_score":{"filter":{"function_score":{"functions":[{"filter":{"term":{"kw":"red"}},"weight":3}],"min_score":2}}}}}`,
	`{"query":{"function_score":{"field_value_factor":{"field":"i","missing":1,"modifier":"square","factor":2}}}}`,
	`{"query":{"function_score":{"query":{"range":{"i":{"gte":0}}},"field_value_factor":{"field":"s","missing":12,"modifier":"reciprocal"}}}}`,
	`{"query":{"function_score":{"field_value_factor":{"field":"o.n","missing":1,"factor":-1}}}}`,
	`{"query":{"function_score":{"field_value_factor":{"field":"none","missing":3}}}}`,
	`{"query":{"function_score":{"field_value_factor":{"field":"kw","missing":3}}}}`,
	`{"query":{"function_score":{"gauss":{"i":{"origin":2,"scale":3,"offset":1,"decay":0.3}}}}}`,
	`{"query":{"function_score":{"linear":{"d":{"origin":"1.5","scale":"2"},"multi_value_mode":"sum"}}}}`,
	`{"query":{"function_score":{"exp":{"h":{"origin":0,"scale":10},"multi_value_mode":"max"}}}}`,
	`{"query":{"function_score":{"gauss":{"at":{"origin":"2021-05-06","scale":"300d","offset":"12h"}}}}}`,
	`{"query":{"function_score":{"exp":{"day":{"origin":"06/05/2021","scale":"1000d"},"multi_value_mode":"avg"}}}}`,
	`{"query":{"function_score":{"gauss":{"loc":{"origin":"48.5,2.5","scale":"50km","offset":"1km"}}}}}`,
	`{"query":{"function_score":{"linear":{"loc":{"origin":{"lat":48,"lon":2},"scale":"5000km"},"multi_value_mode":"avg"}}}}`,
	`{"query":{"function_score":{"gauss":{"i":{"scale":3}}}}}`,
	`{"query":{"function_score":{"gauss":{"i":{"origin":1,"scale":0}}}}}`,
	`{"query":{"function_score":{"gauss":{"none":{"origin":1,"scale":1}}}}}`,
	`{"query":{"function_score":{"gauss":{"at":{"origin":"2021","scale":"nonsense"}}}}}`,
	`{"query":{"function_score":{"random_score":{"seed":1,"field":"none"}}}}`,
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

// fuzzily looks for several words, all or two of them. Where one is enough Lucene counts a term that is near to two of them once, by
// how many documents hold the neighbours of either.
func (g generator) fuzzily(c clause) clause {
	c["fuzziness"] = g.fuzziness()
	delete(c, "minimum_should_match")
	if c["operator"] = "and"; g.chance(2) {
		delete(c, "operator")
		c["minimum_should_match"] = 2
	}
	return c
}

// text makes a clause that looks for words in more ways than match does.
func (g generator) text(field string) clause {
	switch g.IntN(5) {
	case 0:
		c := g.boosted(clause{"value": g.misspelt(), "fuzziness": g.fuzziness()})
		g.sometimes(c, clause{"prefix_length": g.IntN(3), "transpositions": g.chance(2), "max_expansions": pick(g, 1, 3, 50)})
		return clause{"fuzzy": clause{pick(g, field, "kw", "tags", "lower", "title.raw"): c}}
	case 1:
		c := g.boosted(clause{"query": g.misspelt() + " " + g.sentence(2)})
		g.sometimes(c, clause{"prefix_length": 1, "max_expansions": 2})
		return clause{"match": clause{field: g.fuzzily(c)}}
	case 2:
		c := g.boosted(clause{"query": g.sentence(2) + pick(g, " f", " j", " q", " th")})
		g.sometimes(c, clause{"operator": "and", "minimum_should_match": 2})
		if g.chance(3) {
			c = g.fuzzily(c)
		}
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
		g.sometimes(c, clause{"minimum_should_match": "60%"})
		if g.chance(3) {
			c = g.fuzzily(c)
		}
	case 1:
		c["type"] = "cross_fields"
		g.sometimes(c, clause{"minimum_should_match": pick[any](g, 2, "60%"), "analyzer": "standard"})
	case 2:
		c["type"], c["slop"] = "phrase", g.IntN(3)
	default:
		c["type"] = "bool_prefix"
		g.sometimes(c, clause{"minimum_should_match": "60%"})
		if g.chance(3) {
			c = g.fuzzily(c)
		}
	}
	return clause{"multi_match": c}
}

// scored makes a clause that changes the scores of others.
func (g generator) scored(depth int) clause {
	switch g.IntN(4) {
	case 0, 1:
		return g.functions(depth)
	case 2:
		c := g.boosted(clause{"positive": g.query(depth - 1), "negative": g.query(depth - 1), "negative_boost": pick(g, 0.5, 0, 2)})
		return clause{"boosting": c}
	}
	c := g.boosted(clause{"queries": []any{g.query(depth - 1), g.query(depth - 1), g.query(depth - 1)}})
	g.sometimes(c, clause{"tie_breaker": pick(g, 0.3, 1.0)})
	return clause{"dis_max": c}
}

func (g generator) functions(depth int) clause {
	list := make([]any, 1+g.IntN(3))
	for i := range list {
		f := clause{"weight": pick(g, 0.5, 2, 3)}
		if g.chance(2) {
			f["filter"] = g.query(depth - 1)
		}
		g.sometimes(f, clause{pick(g, "gauss", "linear", "exp"): g.decay()})
		if len(f) < 3 && g.chance(3) {
			f["field_value_factor"] = g.factor()
		}
		list[i] = f
	}
	c := g.boosted(clause{"query": g.query(depth - 1), "functions": list})
	g.sometimes(c, clause{"score_mode": pick(g, "sum", "avg", "first", "max", "min"), "max_boost": 2})
	g.sometimes(c, clause{"boost_mode": pick(g, "replace", "sum", "avg", "max", "min")})
	return clause{"function_score": c}
}

// factor makes a function that no document has a negative score for: how many documents Elasticsearch looks at is not known.
func (g generator) factor() clause {
	if g.chance(2) {
		return clause{"field": "b", "missing": 2, "factor": 0.5, "modifier": "square"}
	}
	return clause{"field": "at", "missing": 1e9, "factor": 1e-6, "modifier": pick(g, "none", "sqrt", "ln", "log1p", "reciprocal")}
}

func (g generator) decay() clause {
	var c clause
	switch field := pick(g, "i", "d", "at", "loc"); field {
	case "at":
		c = clause{field: clause{"origin": g.dateText(), "scale": pick(g, "10d", "500d"), "decay": 0.4}}
	case "loc":
		c = clause{field: clause{"origin": "48.5,2.5", "scale": pick(g, "20km", "3000km"), "offset": "1km"}}
	default:
		c = clause{field: clause{"origin": g.small(), "scale": 1 + g.IntN(5), "offset": g.IntN(2)}}
	}
	g.sometimes(c, clause{"multi_value_mode": pick(g, "max", "avg", "sum")})
	return c
}
