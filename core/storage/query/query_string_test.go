package query_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query"
)

// shape writes down what a text was read as.
func shape(members []query.Member) string {
	var list []string
	for _, m := range members {
		text := map[query.Join]string{query.AndJoin: "&", query.OrJoin: "|", query.Unjoin: "#"}[m.Join]
		text += map[query.Sign]string{query.Required: "+", query.Excluded: "-"}[m.Sign]
		if m.Run {
			text += "run:"
		}
		if m.Piece != nil {
			text += pieceShape(m.Piece)
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

var pieceNames = map[query.PieceKind]string{
	query.PhrasePiece: "phrase", query.PrefixPiece: "prefix", query.WildcardPiece: "wildcard", query.RegexpPiece: "regexp",
	query.FuzzyPiece: "fuzzy", query.RangePiece: "range",
}

func pieceShape(p *query.Piece) string {
	text := pieceNames[p.Kind] + "<" + p.Text + ">"
	switch p.Kind {
	case query.GroupPiece:
		text = "(" + shape(p.Members) + ")"
	case query.RangePiece:
		text = "range" + ends(p.Lower) + ends(p.Upper)
	}
	if p.Field != "" {
		text = p.Field + "=" + text
	}
	if p.Boost != 1 {
		text += "^"
	}
	return text + strings.Repeat("~", p.Slop)
}

func ends(b query.Bound) string {
	if b.Inclusive {
		return "[" + string(b.Value) + "]"
	}
	return "{" + string(b.Value) + "}"
}

func parseText(t *testing.T, clause, text, options string) (query.Query, error) {
	t.Helper()
	quoted, err := jsontext.AppendQuote(nil, text)
	if err != nil {
		t.Fatal(err)
	}
	return query.Parse(jsontext.Value(`{"` + clause + `":{"query":` + string(quoted) + options + `}}`))
}

func TestQueryString(t *testing.T) {
	for in, want := range map[string]string{
		`quick fox`:                   `run:<quick fox>`,
		`a b:c d`:                     `<a> b=<c> <d>`,
		`a b c:d`:                     `run:<a b> c=<d>`,
		`a b AND c`:                   `<a> <b> &<c>`,
		`a b c~1 d`:                   `run:<a b> fuzzy<c> <d>`,
		`a && -b || !c NOT d`:         `<a> &-<b> |-<c> -<d>`,
		`+a - b + "c d"~2^3`:          `+<a> <-> <b> <+> phrase<c d>^~~`,
		`f:(a OR b)^2`:                `f=(f=<a> |f=<b>)^`,
		`f:[1 TO *} {a TO "b c"]^2`:   `f=range["1"]{} range{"a"}["b c"]^`,
		`*:* _exists_:f f:* *`:        `*=wildcard<*> _exists_=<f> f=wildcard<*> wildcard<*>`,
		`a* a?b *a a*b* a\*`:          `prefix<a> wildcard<a?b> wildcard<*a> wildcard<a*b*> <a*>`,
		`/a\/b/ k:/c/d`:               `regexp<a\/b> k=regexp<c> <d>`,
		`a\:b\"c A`:                   `run:<a:b"c A>`,
		`ANDROID "AND" a&&b`:          `<ANDROID> phrase<AND> <a&&b>`,
		"a\u3000b\tc":                 `run:<a b c>`,
		`a^2~1 b~1^2`:                 `fuzzy<a>^ fuzzy<b>^`,
		`f:>=3 >2`:                    `f=<>=3> <>2>`,
		`"a \" b" ""`:                 `phrase<a " b> phrase<>`,
		`((a)) -(b)`:                  `((<a>)) -(<b>)`,
		`[TO TO TO] ["" TO "a\"b" ]`:  `range["TO"]["TO"] range["\"\""]["a\"b"]`,
		`😀 \😀`:                        `run:<😀 😀>`,
		``:                            ``,
		" \t":                         ``,
		`user@example.org,3.14 foo_b`: `run:<user@example.org,3.14 foo_b>`,
	} {
		q, err := parseText(t, "query_string", in, "")
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := shape(q.(*query.QueryString).Members); got != want {
			t.Errorf("%s is read as %s, want %s", in, got, want)
		}
	}
}

// TestQueryStringRefused: the error says at which character the text cannot be read, and what to do.
func TestQueryStringRefused(t *testing.T) {
	for in, says := range map[string]string{
		`a AND`:      `at character 6, "": expected a word, a phrase`,
		`AND a`:      `at character 1, "AND a"`,
		`é (a`:       `at character 5, "": expected )`,
		`a) b`:       `at character 2, ") b": expected AND, OR or a word. Write \ before`,
		`"a`:         `at character 1`,
		`wi/fi`:      `at character 3, "/fi"`,
		`a:b:c`:      `at character 4, ":c"`,
		`[a b]`:      `expected TO`,
		`[a TO b c]`: `expected ] or }`,
		`[a TO b`:    `use simple_query_string`,
		`a^x`:        `at character 3`,
		`a^ 2`:       `at character 3`,
		`a\`:         `at character 2`,
		`]`:          `at character 1`,
		`()`:         `at character 2`,
		`+-a`:        `at character 2`,
		`~`:          `at character 1`,
		`a~3`:        `expected ~, ~0, ~1, ~2 or ~AUTO`,
		`a~0.5`:      `expected ~, ~0`,
		`\u12`:       `four hexadecimal digits`,
		`["a" TO \]`: `nothing stands behind \`,
		strings.Repeat("(", 31) + "a" + strings.Repeat(")", 31): `nested more than 30 deep`,
		strings.Repeat("a OR ", 1024) + "a":                     `more than 1024 clauses`,
		strings.Repeat("(", 100_000):                            `nested more than 30 deep`,
	} {
		_, err := parseText(t, "query_string", in, "")
		refusal{in, bad, says}.check(t, err)
	}
	for options, says := range map[string]string{
		`,"default_field":"a","fields":["b"]`:                   `fields cannot stand beside default_field`,
		`,"fields":"b"`:                                         `expected a list of fields`,
		`,"enable_position_increments":false`:                   `not supported yet`,
		`,"rewrite":"scoring_boolean"`:                          `expected one of constant_score`,
		`,"time_zone":"Mars"`:                                   `query.query_string.time_zone`,
		`,"split_on_whitespace":true`:                           `query.query_string.split_on_whitespace: unknown option`,
		`,"allow_leading_wildcard":false,"default_operator":""`: `expected one of or, and`,
	} {
		_, err := parseText(t, "query_string", "a", options)
		refusal{options, bad, says}.check(t, err)
	}
	_, err := parseText(t, "query_string", "a *b", `,"allow_leading_wildcard":false`)
	refusal{"*b", bad, `lets no pattern begin with`}.check(t, err)
}

func TestQueryStringEscape(t *testing.T) {
	q, err := parseText(t, "query_string", `a+b (c):d* "e" /f/`, `,"escape":true`)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := shape(q.(*query.QueryString).Members), `run:<a+b (c):d* "e" /f/>`; got != want {
		t.Errorf("read as %s, want %s", got, want)
	}
}

func TestSimpleQueryString(t *testing.T) {
	for in, want := range map[string]string{
		`a + b|c`:              `<a> & <b> | <c>`,
		`-a --b -"c"`:          `-<a> <b> -phrase<c>`,
		`- a`:                  `<a>`,
		`a- b-c`:               `<a-> <b-c>`,
		`"a b"~2 "c"~ "d"~x e`: `phrase<a b>~~ phrase<c>~~ phrase<d> <e>`,
		`"a b"~`:               `phrase<a b>`,
		`"a b"~1+c`:            `phrase<a b>~ <c>`,
		`a* *a a\* *`:          `prefix<a> <*a> <a*> <*>`,
		`a~ b~1 c~9 d~0 e~x ~`: `fuzzy<a> fuzzy<b> fuzzy<c> <d> <e> <~>`,
		`(a | (b)) c`:          `(<a> | (<b>)) <c>`,
		`(a "b c)`:             `(<a> <b> <c>)`,
		`((a) ) "" ()`:         `((<a>)) # #`,
		`( (a`:                 `<a>`,
		`a\(b \"c`:             `<a(b> <"c>`,
		`a\`:                   `<a>`,
		``:                     ``,
		`f:a [x TO`:            `<f:a> <[x> <TO>`,
	} {
		q, err := parseText(t, "simple_query_string", in, "")
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := shape(q.(*query.SimpleQueryString).Members); !strings.HasPrefix(in, "*") && got != want {
			t.Errorf("%s is read as %s, want %s", in, got, want)
		}
	}
	for flags, want := range map[string]string{
		`"NONE"`: `<a + b* -"c d">`, `"WHITESPACE|PREFIX"`: `<a> <+> prefix<b> <-"c> <d">`, `"ALL"`: `<a> & prefix<b> -phrase<c d>`, `""`: `<a> & prefix<b> -phrase<c d>`,
		`136`: `<a> <+> prefix<b> <-"c> <d">`, `"or|none"`: `<a + b* -"c d">`, `-1`: `<a> & prefix<b> -phrase<c d>`,
	} {
		q, err := parseText(t, "simple_query_string", `a + b* -"c d"`, `,"flags":`+flags)
		if err != nil {
			t.Errorf("%s: %v", flags, err)
			continue
		}
		if got := shape(q.(*query.SimpleQueryString).Members); got != want {
			t.Errorf("with the flags %s: %s, want %s", flags, got, want)
		}
	}
	for options, says := range map[string]string{
		`,"flags":"SOME"`:       `there is no flag "SOME"`,
		`,"type":"phrase"`:      `query.simple_query_string.type: unknown option`,
		`,"default_field":"a"`:  `unknown option`,
		`,"fields":["a^-1"]`:    `the weight of`,
		`,"lenient":"perhaps"`:  `expected true or false`,
		`,"analyzer":{}`:        `expected a text`,
		`,"fields":["a"],"x":1`: `unknown option`,
	} {
		_, err := parseText(t, "simple_query_string", "a", options)
		refusal{options, bad, says}.check(t, err)
	}
	for in, says := range map[string]string{
		strings.Repeat("(", 31) + "a" + strings.Repeat(")", 31): `nested more than 30 deep`,
		strings.Repeat("a ", 1025):                              `more than 1024 clauses`,
	} {
		_, err := parseText(t, "simple_query_string", in, "")
		refusal{in, bad, says}.check(t, err)
	}
}

// TestManyBrackets: no text takes long, however many brackets it opens.
func TestManyBrackets(t *testing.T) {
	q, err := parseText(t, "simple_query_string", strings.Repeat("(", 1_000_000)+"a", "")
	if err != nil || shape(q.(*query.SimpleQueryString).Members) != "<a>" {
		t.Errorf("%v", err)
	}
}

// TestLenientByItself: who asks every field forgives those that a text does not suit.
func TestLenientByItself(t *testing.T) {
	for options, want := range map[string]bool{
		``: true, `,"fields":["*"]`: true, `,"default_field":"*"`: true, `,"fields":["a"]`: false, `,"default_field":"a*"`: false, `,"lenient":false`: false,
		`,"fields":["a"],"lenient":true`: true,
	} {
		q, err := parseText(t, "query_string", "x", options)
		if err != nil || q.(*query.QueryString).Lenient != want {
			t.Errorf("%s: lenient should be %v; %v", options, want, err)
		}
	}
	if got := query.Fields(&query.QueryString{Phrasing: query.Phrasing{
		Fields: []query.WeightedField{{Pattern: "a"}}, Members: []query.Member{{Piece: &query.Piece{Kind: query.GroupPiece, Members: []query.Member{{Piece: &query.Piece{Field: "b"}}}}}, {}},
	}}); strings.Join(got, " ") != "a b" {
		t.Errorf("asks for the fields %v", got)
	}
}
