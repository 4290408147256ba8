package query

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/spelling"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// The bounds of a search.
const (
	// maxDepth is how deep clauses stand in clauses, and aggregations in aggregations.
	maxDepth = 30
	// maxClauses is how many clauses a search may hold in all, and how many aggregations.
	maxClauses = 1024
	// maxSortKeys is how many keys a sort may have, and the order of buckets rules.
	maxSortKeys = 32
	// maxTerms is how many values a terms clause may list, and the most points of a polygon.
	maxTerms = 65536
)

// Query is one clause: a pointer to one of the types of this package, such as *Term or *Bool.
type Query interface {
	// Clause gives what every clause has.
	Clause() *Common
}

// Common is what every clause has.
type Common struct {
	// Boost multiplies the score of the clause. It is 1 unless the query says otherwise, never negative, and finite in 32 bits.
	Boost float64
	// Name is the _name, empty when there is none.
	Name string
}

// Clause makes the type that holds c a Query.
func (c *Common) Clause() *Common { return c }

// option takes the options that every clause has.
func (c *Common) option(m *node) (taken bool, err error) {
	switch m.name {
	case "boost":
		return true, m.setBoost(&c.Boost)
	case "_name":
		return true, m.setText(&c.Name)
	}
	return false, nil
}

// other takes the option m when every clause has it, and refuses it otherwise.
func (c *Common) other(m *node) error {
	taken, err := c.option(m)
	if !taken {
		return m.unknownOption()
	}
	return err
}

// MatchAll matches every document.
type MatchAll struct{ Common }

// MatchNone matches no document.
type MatchNone struct{ Common }

// Parse reads a query object. Nothing, null and {} match every document.
func Parse(raw jsontext.Value) (Query, error) {
	if len(raw) == 0 {
		return &MatchAll{Common: plain}, nil
	}
	root, err := read(raw, "query")
	if err != nil {
		return nil, err
	}
	return new(parser).root(root)
}

var plain = Common{Boost: 1}

// parser counts what is bounded over a whole search.
type parser struct {
	depth        int
	clauses      int
	aggregations int
}

// root reads a query that may be absent.
func (p *parser) root(n *node) (Query, error) {
	if n.empty() {
		return &MatchAll{Common: plain}, nil
	}
	return p.query(n)
}

// query reads {"<clause>": body}.
func (p *parser) query(n *node) (Query, error) {
	clause, err := n.only("one clause")
	if err != nil {
		return nil, err
	}
	if p.depth++; p.depth > maxDepth {
		return nil, n.fail("clauses are nested more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	if p.clauses++; p.clauses > maxClauses {
		return nil, n.fail("more than %d clauses", maxClauses)
	}
	q, err := p.clause(clause)
	if err != nil {
		return nil, err
	}
	return q, nil
}

func (p *parser) clause(n *node) (Query, error) {
	switch n.name {
	case "match_all":
		q := &MatchAll{Common: plain}
		return q, bare(n, &q.Common)
	case "match_none":
		q := &MatchNone{Common: plain}
		return q, bare(n, &q.Common)
	case "term":
		return parseTerm(n)
	case "terms":
		return parseTerms(n)
	case "range":
		return parseRange(n)
	case "exists":
		return parseExists(n)
	case "ids":
		return parseIDs(n)
	case "prefix":
		return parsePrefix(n)
	case "wildcard":
		return parseWildcard(n)
	case "regexp":
		return parseRegexp(n)
	case "fuzzy":
		return parseFuzzy(n)
	case "terms_set":
		return parseTermsSet(n)
	case "match":
		return parseMatch(n)
	case "match_bool_prefix":
		return parseMatchBoolPrefix(n)
	case "match_phrase":
		return parseMatchPhrase(n)
	case "match_phrase_prefix":
		return parseMatchPhrasePrefix(n)
	case "multi_match":
		return parseMultiMatch(n)
	case "query_string":
		return p.parseQueryString(n)
	case "simple_query_string":
		return p.parseSimpleQueryString(n)
	case "bool":
		return p.parseBool(n)
	case "constant_score":
		return p.parseConstantScore(n)
	case "dis_max":
		return p.parseDisMax(n)
	case "boosting":
		return p.parseBoosting(n)
	case "function_score":
		return p.parseFunctionScore(n)
	case "nested":
		return p.parseNested(n)
	case "knn":
		return p.parseKnn(n, false)
	case "geo_distance":
		return parseGeoDistance(n)
	case "geo_bounding_box":
		return parseGeoBoundingBox(n)
	case "geo_polygon":
		return parseGeoPolygon(n)
	case "geo_shape":
		return parseGeoShape(n)
	default:
		return nil, refuseClause(n)
	}
}

// clauses are those that clause reads.
var clauses = []string{
	"bool", "boosting", "constant_score", "dis_max", "exists", "function_score", "fuzzy", "geo_bounding_box", "geo_distance", "geo_polygon", "geo_shape", "ids", "knn", "match",
	"match_all", "match_bool_prefix", "match_none", "match_phrase", "match_phrase_prefix", "multi_match", "nested", "prefix", "query_string", "range", "regexp",
	"simple_query_string", "term", "terms", "terms_set", "wildcard",
}

// koncordeOnly are the clauses of Koncorde whose translation has another form.
var koncordeOnly = set("and", "or", "not", "missing")

// bare reads the body of a clause that has no options of its own.
func bare(n *node, c *Common) error {
	if err := n.wantObject(); err != nil {
		return err
	}
	for _, m := range n.children {
		if err := c.other(m); err != nil {
			return err
		}
	}
	return nil
}

// later are clauses of Elasticsearch that are not supported yet.
var later = set(
	"combined_fields", "common", "distance_feature", "geo_grid", "has_child",
	"has_parent", "intervals", "more_like_this", "parent_id", "percolate", "pinned",
	"rank_feature", "rule", "semantic", "shape", "span_containing", "span_field_masking", "span_first",
	"span_multi", "span_near", "span_not", "span_or", "span_term", "span_within", "sparse_vector", "text_expansion",
	"weighted_tokens", "wrapper",
)

// scripts are the keys under which scripts hide, wherever a clause, an aggregation or a sort can stand.
var scripts = set(
	"script", "_script", "script_score", "script_fields", "scripted_metric", "bucket_script", "bucket_selector", "moving_fn",
	"minimum_should_match_script", "init_script", "map_script", "combine_script", "reduce_script",
)

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, name := range names {
		m[name] = true
	}
	return m
}

// refuseClause is the error for a clause that parser does not read.
func refuseClause(n *node) error {
	if err := refuseScripts(n); err != nil {
		return err
	}
	if later[n.name] {
		return n.unsupported()
	}
	if _, ok := koncordeNames[n.name]; ok || koncordeOnly[n.name] {
		return unknownKeyword("clause", n.name, `It is Koncorde's, which actions that have the argument lang read when that is "koncorde".`)
	}
	return unknownKeyword("clause", n.name, spelling.Hint(n.name, clauses))
}

// unknownKeyword is the error for a word that means nothing in its place.
func unknownKeyword(what, name, hint string) error {
	return kerror.ServicesStorageUnknownQueryKeyword.New(name, what, hint)
}

// refuseScripts looks for scripts in n and below it.
func refuseScripts(n *node) error {
	if scripts[n.name] {
		return kerror.ServicesStorageInvalidQueryKeyword.New(n.name)
	}
	for _, m := range n.children {
		if err := refuseScripts(m); err != nil {
			return err
		}
	}
	return nil
}
