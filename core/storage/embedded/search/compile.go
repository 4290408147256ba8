package search

import (
	"fmt"
	"math"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// compiler turns queries into clauses over one space of a target.
type compiler struct {
	*target
	// space is the path of the documents that the clauses give.
	space string
	// scores says that scores are wanted, multiplied by boost.
	scores bool
	boost  float32
	// clause is the name of the clause of a text, for errors.
	clause string
}

// compile gives the clause of a query. Fails with services.storage.unexpected_bad_request when the query does not suit the
// mapping.
func (c compiler) compile(q query.Query) (clause, error) {
	made, err := c.clauseOf(q)
	if spent := c.spent(); spent != nil {
		return nil, spent
	}
	return made, err
}

func (c compiler) clauseOf(q query.Query) (clause, error) {
	if c.scores && q.Clause().Boost == 0 { // nothing in it is scored, as Lucene has it
		inner, err := c.filtering().compile(q)
		c.boost = 0
		return c.steady(inner), err
	}
	if err := c.charge(1, clauseBytes); err != nil {
		return nil, err
	}
	c.boost = finite(c.boost * float32(q.Clause().Boost))
	switch q := q.(type) {
	case *query.MatchAll:
		return c.steady(everything{c.space}), nil
	case *query.MatchNone:
		return nothing{}, nil
	case *query.Bool:
		return c.boolean(q)
	case *query.ConstantScore:
		inner, err := c.filtering().compile(q.Filter)
		return c.steady(inner), err
	case *query.Nested:
		return c.nested(q)
	case *query.DisMax:
		return c.disMax(q)
	case *query.Boosting:
		return c.boosting(q)
	case *query.FunctionScore:
		return c.functionScore(q)
	case *query.IDs:
		return c.ids(q.Values)
	case *query.Exists:
		return c.exists(q.Field)
	case *query.Match:
		return c.inside(q.Field)(c.called("match").match(q.Field, q.Full, q.Words))
	case *query.MatchBoolPrefix:
		return c.inside(q.Field)(c.called("match_bool_prefix").boolPrefix(q.Field, q.Full, q.Words))
	case *query.MatchPhrase:
		return c.inside(q.Field)(c.called("match_phrase").phrase(q.Field, q.Full, q.Slop))
	case *query.MatchPhrasePrefix:
		return c.inside(q.Field)(c.called("match_phrase_prefix").phrasePrefix(q.Field, q.Full, q.Slop, q.MaxExpansions))
	case *query.Knn:
		return c.knn(q)
	case *query.MultiMatch:
		return c.called("multi_match").multiMatch(q)
	case *query.QueryString, *query.SimpleQueryString:
		return c.phrased(q)
	case *query.Forgiving:
		return c.forgiving(q)
	}
	return c.leaf(q)
}

// finite gives a score, and the greatest there is for one that has become too great: JSON knows no others.
func finite(score float32) float32 {
	if score <= math.MaxFloat32 {
		return score
	}
	return math.MaxFloat32
}

// called is the compiler of a clause with a name.
func (c compiler) called(clause string) compiler {
	c.clause = clause
	return c
}

// inside gives a function that passes on the clause of a field, or one that matches nothing when the values of the field are
// in other documents than those of the space.
func (c compiler) inside(path string) func(clause, error) (clause, error) {
	return func(inner clause, err error) (clause, error) {
		if f := c.Mapping.Resolve(path); err == nil && f != nil && f.Nested != c.space {
			return nothing{}, nil
		}
		return inner, err
	}
}

// leaf compiles the clauses that look for values of one field.
func (c compiler) leaf(q query.Query) (clause, error) {
	switch q := q.(type) {
	case *query.Term:
		if q.CaseInsensitive {
			return c.inside(q.Field)(c.folded(q))
		}
		return c.inside(q.Field)(c.term(q.Field, q.Value))
	case *query.Terms:
		return c.inside(q.Field)(c.terms(q))
	case *query.Range:
		return c.inside(q.Field)(c.ranged(q))
	case *query.TermsSet:
		return c.inside(q.Field)(c.termsSet(q))
	case *query.Fuzzy:
		return c.inside(q.Field)(c.fuzzy(q.Field, q.Value, q.Fuzzing))
	case *query.Prefix:
		return c.inside(q.Field)(c.prefix(q))
	case *query.Wildcard:
		return c.inside(q.Field)(c.wildcard(q))
	case *query.Regexp:
		return c.inside(q.Field)(c.regexp(q))
	case *query.GeoDistance:
		return c.inside(q.Field)(c.geoDistance(q))
	case *query.GeoBoundingBox:
		return c.inside(q.Field)(c.geoBox(q))
	case *query.GeoPolygon:
		return c.inside(q.Field)(c.geoPolygon(q))
	case *query.GeoShape:
		return c.inside(q.Field)(c.geoShape(q))
	}
	return nil, fmt.Errorf("search: a query of type %T", q)
}

// filtering is the compiler of clauses whose scores do not matter.
func (c compiler) filtering() compiler {
	c.scores, c.boost = false, 1
	return c
}

// steady gives what a clause matches the boost for a score.
func (c compiler) steady(inner clause) clause {
	if _, none := inner.(nothing); none {
		return inner
	}
	return constant{inner, c.boost}
}

// idField is the name under which clauses find documents by their ids.
const idField = "_id"

// indexField is that of the collection, which only exists knows.
const indexField = "_index"

// field finds the field that a clause names, nil when it is not mapped. Fails when it cannot be searched at all.
func (c compiler) field(path string) (*mapping.Field, error) {
	if path == indexField {
		return nil, refuse("failed to create query: documents cannot be found by [%s]: name the collections in targets", path)
	}
	f := c.Mapping.Resolve(path)
	if f == nil || f.Type == mapping.Object || f.Type == mapping.Nested {
		return nil, nil //nolint:nilnil // a field that is not mapped matches nothing
	}
	switch {
	case f.Type == mapping.Binary:
		return nil, refuse("failed to create query: the field [%s] is binary, and binary fields do not support searching", path)
	case f.Type == mapping.GeoShape:
		return nil, exactPlaces(path)
	case f.Type == mapping.DenseVector:
		return nil, refuse("failed to create query: Field [%s] of type [dense_vector] can be searched by [knn] and [exists] only", path)
	case f.Type == mapping.Completion:
		return nil, refuse("failed to create query: the field [%s] is of type completion, which only suggest searches: give it a sub-field of another type", path)
	case f.Type == mapping.Text && !f.Index:
		return nil, refuse("failed to create query: Cannot search on field [%s] since it is not indexed.", path)
	case !f.Index && !f.DocValues:
		return nil, notSearchable(path)
	}
	return f, nil
}

func notSearchable(path string) error {
	return refuse("failed to create query: Cannot search on field [%s] since it is not indexed nor has doc values.", path)
}

// refuse is the error of a query that does not suit the mapping.
func refuse(format string, args ...any) error {
	return kerror.ServicesStorageUnexpectedBadRequest.New(fmt.Sprintf(format, args...))
}

// refuseValue is the error of a value that its field cannot hold.
func refuseValue(f *mapping.Field, value jsontext.Value, reason string) error {
	text := query.Text(value)
	if len(text) > 80 {
		text = text[:80] + "…"
	}
	return refuse("failed to create query: failed to parse [%s] for the field [%s] of type [%s]: %s", text, f.Path, f.Type, reason)
}
