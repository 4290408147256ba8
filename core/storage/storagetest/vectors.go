package storagetest

import (
	"fmt"
	"math"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
)

// vectorsComparison has vectors.
var vectorsComparison = Comparison{
	Name: "Vectors", spec: vectorSpec,
	document: generator.vectorDocument, second: 4,
	written: writtenCases(10, vectorBodies), random: generator.vectorSearch,
	recorded: amount{goldenDocuments, 300}, compared: amount{2 * goldenDocuments, 500},
}

// vectorSpec has a vector of every similarity and element type. The indexes are flat, since Elasticsearch only guesses with others.
var vectorSpec = storage.Spec{Mapping: jsontext.Value(`{"dynamic":"false","properties":{
	"uid":{"type":"keyword"},"kw":{"type":"keyword"},"i":{"type":"integer"},"title":{"type":"text"},
	"cos":{"type":"dense_vector","dims":4,"index_options":{"type":"flat"}},
	"dot":{"type":"dense_vector","dims":4,"similarity":"dot_product","index_options":{"type":"flat"}},
	"l2":{"type":"dense_vector","dims":7,"similarity":"l2_norm","index_options":{"type":"flat"}},
	"mip":{"type":"dense_vector","dims":3,"similarity":"max_inner_product","index_options":{"type":"flat"}},
	"bcos":{"type":"dense_vector","dims":5,"element_type":"byte","index_options":{"type":"flat"}},
	"bdot":{"type":"dense_vector","dims":4,"element_type":"byte","similarity":"dot_product","index_options":{"type":"flat"}},
	"bl2":{"type":"dense_vector","dims":4,"element_type":"byte","similarity":"l2_norm","index_options":{"type":"flat"}},
	"bmip":{"type":"dense_vector","dims":4,"element_type":"byte","similarity":"max_inner_product","index_options":{"type":"flat"}},
	"no":{"type":"dense_vector","dims":3,"index":false},
	"items":{"type":"nested","properties":{"v":{"type":"dense_vector","dims":3,"index_options":{"type":"flat"}},"name":{"type":"keyword"}}},
	"same":{"type":"alias","path":"cos"}
}}`)}

// vectorDims has the fields that neighbours can be looked for in.
var vectorDims = map[string]int{"cos": 4, "dot": 4, "l2": 7, "mip": 3, "bcos": 5, "bdot": 4, "bl2": 4, "bmip": 4, "items.v": 3, "same": 4}

// vectorBodies are searches that were written by hand.
var vectorBodies = []string{
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":3,"num_candidates":5}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4]},"sort":["uid"]}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":3}}`,
	`{"knn":{"field":"cos","query_vector":["1",2,3,"4"],"k":"3","num_candidates":"5"}}`,
	`{"knn":{"field":"cos","query_vector":"01020304","k":3}}`,
	`{"knn":{"field":"bdot","query_vector":"01ff0380","k":3}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"num_candidates":5}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":5,"num_candidates":3}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":0,"num_candidates":3}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":5,"num_candidates":10001}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":3,"boost":2,"filter":{"term":{"kw":"red"}}}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":3,"boost":-2}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":3,"filter":[{"term":{"kw":"red"}},{"range":{"i":{"gte":0}}}]}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":3,"filter":[]}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":3,"filter":{"match_none":{}}}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":20,"similarity":0.9}}`,
	`{"knn":{"field":"l2","query_vector":[1,2,3,4,5,6,7],"k":20,"similarity":6}}`,
	`{"knn":[{"field":"cos","query_vector":[1,2,3,4],"k":5},{"field":"l2","query_vector":[1,2,3,4,5,6,7],"k":5,"boost":3}]}`,
	`{"knn":[]}`,
	`{"knn":{}}`,
	`{"knn":null}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":3},"query":{"match":{"title":"quick fox"}}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":3},"query":{"match_all":{}}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":3},"query":{"match_none":{}}}`,
	`{"knn":{"field":"no","query_vector":[1,2,3],"k":3}}`,
	`{"knn":{"field":"kw","query_vector":[1,2,3],"k":3}}`,
	`{"knn":{"field":"none","query_vector":[1,2,3],"k":3}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3],"k":3}}`,
	`{"knn":{"field":"cos","query_vector":[],"k":3}}`,
	`{"knn":{"field":"cos","query_vector":5,"k":3}}`,
	`{"knn":{"field":"cos","query_vector":[0,0,0,0],"k":3}}`,
	`{"knn":{"field":"dot","query_vector":[1,2,3,4],"k":3}}`,
	`{"knn":{"field":"dot","query_vector":[0,0.6,0.8,0],"k":3}}`,
	`{"knn":{"field":"l2","query_vector":[0,0,0,0,0,0,0],"k":3}}`,
	`{"knn":{"field":"bcos","query_vector":[1,2,3,4,128],"k":3}}`,
	`{"knn":{"field":"bcos","query_vector":[1,2,3,4,1.5],"k":3}}`,
	`{"knn":{"field":"cos","k":3}}`,
	`{"knn":{"query_vector":[1,2,3,4],"k":3}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":3,"foo":1}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":3,"_name":"x"}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":9},"sort":[{"i":"desc"},"uid"]}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":9},"post_filter":{"term":{"kw":"red"}},"aggs":{"a":{"terms":{"field":"kw"}}}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":30},"collapse":{"field":"i"}}`,
	`{"query":{"knn":{"field":"cos","query_vector":[1,2,3,4],"num_candidates":30}},"collapse":{"field":"i","inner_hits":{"name":"x","size":3,"_source":false}}}`,
	`{"knn":{"field":"cos","query_vector":[1,2,3,4],"k":9},"query":{"match":{"title":"fox"}},"highlight":{"fields":{"title":{}}}}`,
	`{"knn":{"field":"items.v","query_vector":[1,2,3],"k":5}}`,
	`{"knn":{"field":"items.v","query_vector":[1,2,3],"k":5,"filter":{"term":{"kw":"red"}},"boost":2}}`,
	`{"query":{"knn":{"field":"cos","query_vector":[1,2,3,4],"num_candidates":5}}}`,
	`{"query":{"knn":{"field":"cos","query_vector":[1,2,3,4],"num_candidates":0}}}`,
	`{"query":{"knn":{"field":"cos","query_vector":[1,2,3,4],"num_candidates":5,"k":3}}}`,
	`{"query":{"knn":{"field":"cos","query_vector":[1,2,3,4],"num_candidates":5,"filter":{"term":{"kw":"red"}},"boost":3,"_name":"x","similarity":0.5}}}`,
	`{"query":{"bool":{"must":{"knn":{"field":"cos","query_vector":[1,2,3,4],"num_candidates":20}},"filter":{"term":{"kw":"red"}}}}}`,
	`{"query":{"bool":{"must_not":{"knn":{"field":"cos","query_vector":[1,2,3,4],"num_candidates":20}}}}}`,
	`{"query":{"constant_score":{"filter":{"knn":{"field":"cos","query_vector":[1,2,3,4],"num_candidates":20}},"boost":2}}}`,
	`{"query":{"dis_max":{"queries":[{"knn":{"field":"cos","query_vector":[1,2,3,4],"num_candidates":20}},{"match":{"title":"fox"}}],"tie_breaker":0.5}}}`,
	`{"query":{"function_score":{"query":{"knn":{"field":"cos","query_vector":[1,2,3,4],"num_candidates":20}},"weight":2}}}`,
	`{"query":{"nested":{"path":"items","query":{"knn":{"field":"items.v","query_vector":[1,2,3],"num_candidates":5}}}}}`,
	`{"query":{"nested":{"path":"items","score_mode":"sum","query":{"bool":{"must":{"knn":{"field":"items.v","query_vector":[1,2,3],"num_candidates":20}},"should":{"term":{"items.name":"red"}}}}}}}`,
	`{"query":{"knn":{"field":"items.v","query_vector":[1,2,3],"num_candidates":5}}}`,
	`{"query":{"nested":{"path":"items","query":{"knn":{"field":"cos","query_vector":[1,2,3,4],"num_candidates":5}}}}}`,
	`{"query":{"knn":{"field":"cos","query_vector":[1,2,3,4],"num_candidates":9,"filter":{"knn":{"field":"l2","query_vector":[1,2,3,4,5,6,7],"num_candidates":20}}}}}`,
	`{"size":0,"aggs":{"a":{"filter":{"knn":{"field":"cos","query_vector":[1,2,3,4],"num_candidates":7}}}}}`,
	`{"query":{"exists":{"field":"cos"}},"sort":"uid"}`,
	`{"query":{"exists":{"field":"no"}},"sort":"uid"}`,
	`{"query":{"exists":{"field":"bdot"}},"sort":"uid"}`,
	`{"query":{"nested":{"path":"items","query":{"exists":{"field":"items.v"}}}},"sort":"uid"}`,
	`{"query":{"term":{"cos":3}}}`,
	`{"query":{"terms":{"cos":[3]}}}`,
	`{"query":{"match":{"cos":3}}}`,
	`{"query":{"match_phrase":{"cos":"3"}}}`,
	`{"query":{"range":{"cos":{"gte":3}}}}`,
	`{"query":{"prefix":{"cos":"3"}}}`,
	`{"query":{"fuzzy":{"cos":"3"}}}`,
	`{"query":{"multi_match":{"fields":["cos","title"],"query":"fox"}}}`,
	`{"query":{"multi_match":{"fields":["*"],"query":"fox"}}}`,
	`{"query":{"query_string":{"query":"fox red"}}}`,
	`{"query":{"query_string":{"query":"cos:fox"}}}`,
	`{"query":{"query_string":{"query":"_exists_:cos"}},"sort":"uid"}`,
	`{"query":{"simple_query_string":{"query":"fox","fields":["title","cos"]}}}`,
	`{"sort":["cos"]}`,
	`{"aggs":{"a":{"terms":{"field":"cos"}}}}`,
	`{"aggs":{"a":{"value_count":{"field":"cos"}}}}`,
	`{"aggs":{"a":{"missing":{"field":"cos"}}}}`,
}

// vector makes a vector that suits a field.
func (g generator) vector(field string) any {
	numbers := make([]float64, vectorDims[field])
	square := 0.0
	for i := range numbers {
		numbers[i] = math.Round(g.NormFloat64()*1e4) / 1e3
		if field[0] == 'b' {
			numbers[i] = float64(g.IntN(256) - 128)
		}
		square += numbers[i] * numbers[i]
	}
	if field == "dot" {
		for i := range numbers {
			numbers[i] /= math.Sqrt(square)
		}
	}
	return numbers
}

// vectorDocument makes a document in which about a third of the fields is missing.
func (g generator) vectorDocument(i int) jsontext.Value {
	fields := map[string]any{"uid": fmt.Sprintf("u%04d", i), "kw": g.keyword(), "i": g.small(), "title": g.sentence(6), "no": []int{1, 2, i}}
	for _, field := range sorted(vectorDims) {
		if field != "same" && field != "items.v" && !g.chance(3) {
			fields[field] = g.vector(field)
		}
	}
	items := make([]any, g.IntN(4))
	for k := range items {
		items[k] = clause{"name": g.keyword(), "v": g.vector("items.v")}
	}
	fields["items"] = items
	return marshal(fields)
}

// neighbours makes a search for neighbours, of a section or of a clause.
func (g generator) neighbours(section bool) clause {
	field := pick(g, sorted(vectorDims)...)
	for !section && field == "items.v" {
		field = pick(g, sorted(vectorDims)...)
	}
	c := g.boosted(clause{"field": field, "query_vector": g.vector(field), "num_candidates": 30 + g.IntN(20)})
	if section {
		c["k"] = 1 + g.IntN(30)
	}
	if g.chance(3) {
		c["filter"] = pick[any](g, clause{"term": clause{"kw": g.keyword()}}, clause{"range": clause{"i": clause{"gte": g.small()}}},
			[]any{clause{"exists": clause{"field": "l2"}}, clause{"match": clause{"title": g.sentence(3)}}})
	}
	if g.chance(4) {
		c["similarity"] = pick(g, 0.1, 0.5, 0.9, 8)
	}
	return c
}

func (g generator) vectorSearch() searchCase {
	body := clause{}
	if g.chance(2) {
		body["knn"] = g.neighbours(true)
		if g.chance(3) {
			body["knn"] = []any{g.neighbours(true), g.neighbours(true)}
		}
		if g.chance(3) {
			body["query"] = clause{"match": clause{"title": g.sentence(3)}}
		}
	} else {
		body["query"] = clause{"bool": clause{
			pick(g, "must", "should", "filter"): clause{"knn": g.neighbours(false)}, "should": clause{"term": clause{"kw": g.keyword()}},
		}}
	}
	if g.chance(3) {
		body["sort"] = []any{clause{"i": pick(g, "asc", "desc")}, "uid"}
	}
	if g.chance(4) {
		body["aggs"] = clause{"a": clause{"stats": clause{"field": "i"}}}
	}
	s := searchCase{Body: marshal(body), Size: 1 + g.IntN(40)}
	if g.chance(6) && (body["knn"] == nil || body["query"] == nil) { // beside a section Elasticsearch weighs words over all collections
		s.Targets = []string{secondCollection, mainCollection, emptyCollection}
	}
	return s
}
