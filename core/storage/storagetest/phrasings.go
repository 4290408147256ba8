package storagetest

import "strings"

// phrasingsComparison has searches in words. A random one now and then still gets another score, so that side by side they
// are asked with STORAGETEST_YOUNG alone, as clauses of the corpus.
var phrasingsComparison = Comparison{
	Name: "Phrasings", spec: corpusComparison.spec,
	document: generator.document, second: 4,
	written: writtenCases(100, writtenPhrasings, writtenSimplePhrasings, highlightedPhrasings), random: generator.phrasingSearch,
	recorded: amount{goldenDocuments, 400}, compared: amount{documents: goldenDocuments},
}

// writtenPhrasings are searches in words, which were written by hand like writtenBodies.
var writtenPhrasings = phrasings(
	`"query":"quick fox"`,
	`"query":"quick fox","fields":["title"]`,
	`"query":"quick fox","fields":["title","body^2"]`,
	`"query":"quick fox","fields":["t*","kw"],"tie_breaker":0.3`,
	`"query":"quick AND fox","fields":["title"]`,
	`"query":"quick && fox || dog","fields":["title"]`,
	`"query":"quick brown AND fox OR dog","fields":["title"]`,
	`"query":"quick OR fox dog","default_operator":"AND","fields":["title"]`,
	`"query":"quick brown fox","default_operator":"AND","fields":["title","body"]`,
	`"query":"+quick -fox dog","fields":["title"]`,
	`"query":"quick NOT fox","fields":["title"]`,
	`"query":"-fox","fields":["title"]`,
	`"query":"title:(-fox)"`,
	`"query":"(-fox)^2 quick","fields":["title"]`,
	`"query":"! quick - fox + dog","fields":["title","kw"]`,
	`"query":"title:quick body:fox kw:red"`,
	`"query":"title:(quick OR fox) AND body:(the dog)"`,
	`"query":"title:(quick fox)^3 body:lazy^0.5"`,
	`"query":"*:*"`,
	`"query":"*"`,
	`"query":"*","fields":["title","kw"]`,
	`"query":"kw:*"`,
	`"query":"o:* AND items:*"`,
	`"query":"_exists_:title AND NOT _exists_:\"kw\""`,
	`"query":"_exists_:unmapped"`,
	`"query":"kw:\"dark blue\" tags:x\\-1 kw:x\\*y"`,
	`"query":"\"quick brown\"","fields":["title","kw"]`,
	`"query":"\"quick fox\"~2 \"brown dog\"~1^3","fields":["title","body"]`,
	`"query":"\"the quick\"","fields":["body"],"phrase_slop":2`,
	`"query":"\"running dogs\" running","fields":["title"],"quote_field_suffix":".english"`,
	`"query":"\"Running Dogs\" running","fields":["title"],"quote_analyzer":"whitespace"`,
	`"query":"\"\"","fields":["title"]`,
	`"query":"\"\"","fields":["title","kw"]`,
	`"query":""`,
	`"query":"  "`,
	`"query":"quikc~ fxo~1 dgo~2 brwn~AUTO","fields":["title","kw"]`,
	`"query":"quikc~","fields":["title"],"fuzziness":1,"fuzzy_prefix_length":2`,
	`"query":"box~1 foxx~1","fields":["title"],"fuzzy_max_expansions":2,"fuzzy_transpositions":false`,
	`"query":"box~1","fields":["title"],"fuzzy_rewrite":"constant_score"`,
	`"query":"fox~0.5","fields":["title"]`,
	`"query":"fox~3","fields":["title"]`,
	`"query":"qui* Bro* fo*^2","fields":["title","kw","lower"]`,
	`"query":"BL*","fields":["kw","lower","title"]`,
	`"query":"Quick-Fo* the-q*","fields":["title","kw"],"analyze_wildcard":true`,
	`"query":"Quick-Fo* the-q*","fields":["title"],"analyze_wildcard":true,"default_operator":"AND"`,
	`"query":"q?ick J*P? *ox","fields":["title","kw"]`,
	`"query":"*ox","fields":["title"],"allow_leading_wildcard":false`,
	`"query":"fo*","fields":["title"],"allow_leading_wildcard":false`,
	`"query":"title:/qu.*/ kw:/(red|bl.e)/ lower:/RED/"`,
	`"query":"kw:/(/"`,
	`"query":"kw:/(/","lenient":false`,
	`"query":"i:[0 TO 5] AND i:{1 TO *}"`,
	`"query":"i:[* TO *]"`,
	`"query":"i:>=3 d:<0.5 i:>9"`,
	`"query":"kw:[b TO r} title:[F TO J]"`,
	`"query":"title:{fox TO jumps} lower:[\"DARK BLUE\" TO GREEN]"`,
	`"query":"at:[2020 TO 2021]"`,
	`"query":"at:[2020-05-06 TO now]","time_zone":"+10:00"`,
	`"query":"at:2021-05-06 day:2021-05-06","time_zone":"+10:00"`,
	`"query":"2021-05-06","default_field":"at","time_zone":"-03:00"`,
	`"query":"ip:10.0.0.1 ip:\"10.0.0.0/24\" ip:[10.0.0.1 TO 10.0.1.0]"`,
	`"query":"ip:\"2001:db8::1\""`,
	`"query":"bo:true i:3 n:9007199254740993 h:0.1 other:red"`,
	`"query":"i:nonsense"`,
	`"query":"i:nonsense","lenient":false`,
	`"query":"i:nonsense quick","fields":["title"]`,
	`"query":"i:nonsense quick","fields":["title"],"lenient":true`,
	`"query":"i:1*","lenient":false`,
	`"query":"i:1~ i:/1/ i:[a TO b] bo:maybe* at:x","lenient":true`,
	`"query":"unmapped:x unmapped:[1 TO 2] unmapped:a* unmapped:a~"`,
	`"query":"quick","fields":["unmapped"]`,
	`"query":"quick","fields":["unmapped","title"]`,
	`"query":"quick","fields":["o","items","title"]`,
	`"query":"items.name:red OR title:fox"`,
	`"query":"hidden:red unindexed:3 flat:red"`,
	`"query":"loc:x"`,
	`"query":"loc:x","lenient":false`,
	`"query":"loc:x*","lenient":false`,
	`"query":"red","default_field":"kw"`,
	`"query":">3","default_field":"i"`,
	`"query":">3","fields":["i","kw"],"lenient":true`,
	`"query":"quick fox","default_field":"t*"`,
	`"query":"quick","default_field":"title","fields":["body"]`,
	`"query":"quick fox","fields":["title"],"minimum_should_match":2`,
	`"query":"quick fox dog","fields":["title","body"],"minimum_should_match":2`,
	`"query":"quick (fox) dog","fields":["title","body"],"minimum_should_match":2`,
	`"query":"quick (fox dog) the","fields":["title"],"minimum_should_match":"75%"`,
	`"query":"+quick fox dog","fields":["title"],"minimum_should_match":1`,
	`"query":"+quick","fields":["title"],"minimum_should_match":1`,
	`"query":"-quick","fields":["title"],"minimum_should_match":1`,
	`"query":"(quick fox)^2","fields":["title"],"minimum_should_match":2`,
	`"query":"wi-fi","fields":["title"],"minimum_should_match":2`,
	`"query":"wi-fi O'Reilly's","fields":["title"],"default_operator":"AND"`,
	`"query":"quick fox","fields":["title","body"],"type":"most_fields"`,
	`"query":"quick fox","fields":["title","body"],"type":"cross_fields"`,
	`"query":"quick fox","fields":["title","body"],"type":"cross_fields","minimum_should_match":2`,
	`"query":"quick fox","fields":["title","body","kw"],"type":"cross_fields","default_operator":"AND"`,
	`"query":"quick brown","fields":["title","body"],"type":"phrase","phrase_slop":1`,
	`"query":"quick br","fields":["title","body"],"type":"phrase_prefix"`,
	`"query":"quick br","fields":["title","kw"],"type":"phrase_prefix"`,
	`"query":"quick br","fields":["title","body"],"type":"bool_prefix"`,
	`"query":"quick br","fields":["title"],"type":"bool_prefix","minimum_should_match":2`,
	`"query":"quick fo* AND \"the dog\"","fields":["title","body"],"type":"most_fields"`,
	`"query":"running Qu?ck Fo* [A TO Z]","fields":["title","kw"],"analyzer":"english"`,
	`"query":"Quick Fox","fields":["title","kw"],"analyzer":"whitespace"`,
	`"query":"quick","analyzer":"none"`,
	`"query":"the","fields":["title"],"analyzer":"stop"`,
	`"query":"the AND quick","fields":["title"],"analyzer":"stop"`,
	`"query":"quick AND the","fields":["title"],"analyzer":"stop"`,
	`"query":"+the -and (a)","fields":["title"],"analyzer":"stop"`,
	`"query":"quick+fox(the):dog*","fields":["title"],"escape":true`,
	`"query":"quick fox","fields":["title"],"boost":2,"_name":"mine"`,
	`"query":"quick fox","fields":["title^0"]`,
	`"query":"fox","fields":["title"],"rewrite":"constant_score","max_determinized_states":5000,"auto_generate_synonyms_phrase_query":false,"enable_position_increments":true`,
	`"query":42`,
	`"query":"café 日本語 \\u0066ox"`,
	`"query":"user@example.org foo_bar a.b.c 3.14","fields":["title","all"]`,
	`"query":"quick AND"`,
	`"query":"(quick"`,
	`"query":"quick)"`,
	`"query":"\"quick"`,
	`"query":"wi/fi"`,
	`"query":"a:b:c"`,
	`"query":"[a b]"`,
	`"query":"quick^x"`,
	`"query":"quick\\"`,
	`"query":"\\u12"`,
	`"query":"_id:1 _id:2"`,
)

// writtenSimplePhrasings are the same for the language in which no text is an error.
var writtenSimplePhrasings = simplePhrasings(
	`"query":"quick fox"`,
	`"query":"quick fox","fields":["title","body^2"]`,
	`"query":"quick + fox | dog","fields":["title"]`,
	`"query":"quick | fox + dog","fields":["title"]`,
	`"query":"quick fox + dog -the","fields":["title","body"]`,
	`"query":"quick -fox","fields":["title"]`,
	`"query":"quick --fox","fields":["title"]`,
	`"query":"quick -fox","fields":["title"],"default_operator":"and"`,
	`"query":"-(quick fox) + \"the dog\"","fields":["title","body"]`,
	`"query":"\"quick brown\"~2 fox","fields":["title"]`,
	`"query":"\"quick brown\"~","fields":["title"]`,
	`"query":"\"quick brown\"~2+fox","fields":["title"]`,
	`"query":"qui* + fo*","fields":["title","kw"]`,
	`"query":"Qui*","fields":["title","kw","lower"]`,
	`"query":"the-q*","fields":["title"],"analyze_wildcard":true`,
	`"query":"quikc~1 fxo~ dgo~9 brown~0 lazy~x","fields":["title","kw"]`,
	`"query":"quikc~2","fields":["title"],"fuzzy_prefix_length":1,"fuzzy_max_expansions":3,"fuzzy_transpositions":false`,
	`"query":"*"`,
	`"query":" * "`,
	`"query":""`,
	`"query":"()","fields":["title"]`,
	`"query":"quick (","fields":["title"]`,
	`"query":"quick ) \"fox","fields":["title"]`,
	`"query":"quick + () fox","fields":["title"]`,
	`"query":"+ | quick","fields":["title"]`,
	`"query":"quick + | fox","fields":["title"]`,
	`"query":"((quick | brown) + fox) | lazy","fields":["title"]`,
	`"query":"quick \\+ fox\\*","fields":["title"]`,
	`"query":"kw:red title:fox","fields":["title"]`,
	`"query":"quick + fox | dog","fields":["title"],"flags":"OR|AND"`,
	`"query":"quick fox","fields":["title","kw"],"flags":"NONE"`,
	`"query":"qui* -fox","fields":["title"],"flags":"PREFIX|WHITESPACE"`,
	`"query":"quick -fox","fields":["title"],"flags":2`,
	`"query":"quick","flags":"SOME"`,
	`"query":"quick fox dog","fields":["title"],"minimum_should_match":2`,
	`"query":"quick fox dog","fields":["title","body"],"minimum_should_match":2`,
	`"query":"quick | fox dog","fields":["title","body"],"minimum_should_match":"60%"`,
	`"query":"running","fields":["title"],"analyzer":"english"`,
	`"query":"the quick","fields":["title"],"analyzer":"stop","default_operator":"and"`,
	`"query":"\"running dogs\"","fields":["title"],"quote_field_suffix":".english"`,
	`"query":"three","fields":["i"]`,
	`"query":"three","fields":["i"],"lenient":true`,
	`"query":"3 | fox","fields":["i","title"],"lenient":true`,
	`"query":"3*","fields":["i"]`,
	`"query":"fox","fields":["unmapped"]`,
	`"query":"fox* dog~1 \"a b\"","fields":["unmapped"]`,
	`"query":"red","fields":["kw","tags","o.*"],"boost":2`,
	`"query":"quick AND fox: [a TO b] {","fields":["title"]`,
)

// highlightedPhrasings are searches in words whose hits show what was found.
var highlightedPhrasings = []string{
	`{"query":{"query_string":{"query":"quick OR \"the dog\" -lazy fo*","fields":["title","body"]}},"highlight":{"fields":{"*":{}}},"sort":"uid"}`,
	`{"query":{"query_string":{"query":"title:(quick AND fox) body:/ju.*/"}},"highlight":{"fields":{"title":{},"body":{"type":"plain"}}},"sort":"uid"}`,
	`{"query":{"query_string":{"query":"quikc~ kw:red","default_field":"title"}},"highlight":{"fields":{"title":{},"kw":{}}},"sort":"uid"}`,
	`{"query":{"simple_query_string":{"query":"quick + (fox | dog) jum*","fields":["title"]}},"highlight":{"fields":{"title":{}}},"sort":"uid"}`,
	`{"query":{"simple_query_string":{"query":"\"the quick\"","fields":["body"]}},"highlight":{"fields":{"body":{"number_of_fragments":0}}},"sort":"uid"}`,
}

func phrasings(options ...string) []string { return bodiesOf("query_string", options) }

func simplePhrasings(options ...string) []string { return bodiesOf("simple_query_string", options) }

func bodiesOf(clause string, options []string) []string {
	bodies := make([]string, len(options))
	for i, o := range options {
		bodies[i] = `{"query":{"` + clause + `":{` + o + `}}}`
	}
	return bodies
}

func (g generator) phrasingSearch() searchCase {
	g.sound = g.chance(2)
	return searchCase{Body: marshal(clause{"query": g.phrasing()}), Size: 20}
}

// phrasing makes a query in words.
func (g generator) phrasing() clause {
	c := g.boosted(clause{})
	if g.chance(3) {
		c["query"] = g.simpleText()
		g.sometimes(c, clause{"flags": pick[any](g, "ALL", "OR|AND|PREFIX|WHITESPACE", "PHRASE|NOT|WHITESPACE|FUZZY", 511)})
		g.phrasingOptions(c)
		return clause{"simple_query_string": c}
	}
	c["query"] = g.queryText(2)
	g.sometimes(c, clause{"type": pick(g, multiMatchTypes...), "tie_breaker": pick(g, 0.0, 0.4, 1.0), "phrase_slop": g.IntN(3), "fuzziness": g.fuzziness()})
	g.sometimes(c, clause{"time_zone": "+05:00", "quote_analyzer": pick(g, "english", "whitespace")})
	if g.chance(4) {
		c["default_field"] = pick(g, "title", "body", "kw", "i", "t*", "*", "unmapped")
	}
	g.phrasingOptions(c)
	return clause{"query_string": c}
}

var multiMatchTypes = []string{"best_fields", "most_fields", "cross_fields", "phrase"}

// phrasingOptions adds options that both languages have.
func (g generator) phrasingOptions(c clause) {
	if c["default_field"] == nil && !g.chance(4) {
		c["fields"] = pick(g, []string{"title"}, []string{"title", "body"}, []string{"title^2", "kw", "lower"}, []string{"t*", "o.*"}, []string{"plain", "unmapped", "tags"})
	}
	if g.sound || g.chance(2) {
		c["lenient"] = true
	}
	g.sometimes(c, clause{"default_operator": "and", "minimum_should_match": pick[any](g, 1, 2, "60%", "-1")})
	g.sometimes(c, clause{"analyze_wildcard": true, "fuzzy_prefix_length": 1, "quote_field_suffix": ".english"})
	if g.chance(8) {
		c["analyzer"] = pick(g, "english", "whitespace", "stop")
	}
}

// queryText makes a text in the language of query_string; depth is how deep groups stand in it.
func (g generator) queryText(depth int) string {
	text := ""
	for i := range 1 + g.IntN(4) {
		if i > 0 {
			text += pick(g, " ", " ", " ", " AND ", " OR ", " && ", " || ")
		}
		text += pick(g, "", "", "", "", "", "+", "-", "NOT ", "!") + g.queryPiece(depth)
	}
	return text
}

func (g generator) queryPiece(depth int) string {
	field := pick(g, "", "", "", "title:", "body:", "kw:", "i:", "d:", "at:", "lower:", "unmapped:", "title.english:")
	boost := pick(g, "", "", "", "", "^2", "^0.5")
	word := words[g.IntN(len(words))]
	if strings.ContainsAny(word, "'") {
		word = "fox"
	}
	switch g.IntN(14) {
	case 0, 1:
		if depth > 0 {
			return field + "(" + g.queryText(depth-1) + ")" + boost
		}
	case 2, 3:
		return field + `"` + strings.ReplaceAll(g.sentence(3), `"`, "") + `"` + pick(g, "", "~1", "~2") + boost
	case 4:
		return field + beginning(word) + "*" + boost
	case 5:
		return field + pick(g, "q?ick", "*ox", "j*p?", "Bl*e", "*") + boost
	case 6:
		return field + pick(g, "/(qu|br).*/", "/f.x/", "/[a-j].*/") + boost
	case 7:
		return field + g.misspelt() + pick(g, "~", "~1", "~2") + boost
	case 8:
		return "title:" + pick(g, "[", "{") + pick(g, "*", "a", "F") + " TO " + pick(g, "*", "jumps", "q") + pick(g, "]", "}") + boost
	case 9:
		return pick(g, "i:", "d:", "b:") + pick(g, "[-2 TO 5]", "{0 TO *]", ">=3", "<0", "7")
	case 10:
		return pick(g, "at:[2020 TO 2022]", "at:>2021", "day:2021-05-06", "_exists_:kw", "ip:[10.0.0.1 TO *]", "bo:true", "kw:\"dark blue\"", "*:*")
	}
	return field + word + boost
}

// simpleText makes a text in the language of simple_query_string.
func (g generator) simpleText() string {
	text := ""
	for range 1 + g.IntN(5) {
		word := words[g.IntN(len(words))]
		text += pick(g, " ", " ", " + ", " | ", "+", "|", " -", "(", ") ", `"`)
		text += pick(g, word, word, beginning(word)+"*", g.misspelt()+pick(g, "~", "~1", "~2"), `"`+g.sentence(2)+`"`+pick(g, "", "~1"), "("+g.sentence(2)+")")
	}
	return text
}

// beginning is the first character of a word.
func beginning(word string) string { return string([]rune(word)[:1]) }
