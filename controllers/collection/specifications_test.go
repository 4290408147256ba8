package collection_test

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/controllers/controllertest"
	"github.com/sluicehq/sluice/controllers/index"
	"github.com/sluicehq/sluice/core/storage"
)

const (
	ic      = `"index":"i","collection":"c"`
	days    = `{"strict":true,"fields":{"days":{"type":"integer"}}}`
	wrong   = `{"strict":"yes","fields":{"days":{"type":"int"},"a/b":{"type":"string"}},"validators":[{"x":1}]}`
	reasons = `["Wrong type for \"strict\" in the specification; expected: boolean.",` +
		`"The field \"a/b\" has no specification for the level above it.",` +
		`"The specification of \"days\" has the unknown type \"int\".",` +
		`"The validator's filter is not valid: [0] unknown keyword \"x\"."]`
)

func TestSpecifications(t *testing.T) {
	n := newNode(t)
	controllertest.Run(t, n, []scenario{
		{"there are none", `collection:getSpecifications ` + ic, 404, "validation.assert.not_found", "", ""},
		{"delete none", `collection:deleteSpecifications ` + ic, 200, "", ack, ""},
		{"validate", `collection:validateSpecifications ` + ic + `,"body":` + days, 200, "", `{"valid":true}`, ""},
		{"that stored nothing", `collection:getSpecifications ` + ic, 404, "validation.assert.not_found", "", ""},
		{"validate wrong ones", `collection:validateSpecifications ` + ic + `,"body":` + wrong, 200, "", `{"valid":false,"description":"The specifications are not valid.","details":` + reasons + `}`, ""},
		{"validate nothing", `collection:validateSpecifications ` + ic, 400, "api.assert.body_required", "", ""},
		{"validate nowhere", `collection:validateSpecifications "index":"i","body":{}`, 400, "api.assert.missing_argument", "", ""},
		{"update", `collection:updateSpecifications ` + ic + `,"body":` + days, 200, "", days, ""},
		{"get", `collection:getSpecifications ` + ic, 200, "", `{"index":"i","collection":"c","validation":` + days + `}`, ""},
		{"update with wrong ones", `collection:updateSpecifications ` + ic + `,"body":` + wrong, 400, "validation.assert.invalid_specifications", "", ""},
		{"update with a list", `collection:updateSpecifications ` + ic + `,"body":[]`, 400, "api.assert.invalid_type", "", ""},
		{"update with nothing", `collection:updateSpecifications ` + ic, 400, "api.assert.body_required", "", ""},
		{"update a pattern", `collection:updateSpecifications "index":"i","collection":"*","body":{}`, 400, "services.storage.invalid_multi_index_collection_usage", "", ""},
		{"update what cannot be", `collection:updateSpecifications "index":"i#c","collection":"d","body":{}`, 400, "services.storage.invalid_index_name", "", ""},
		{"update what cannot be either", `collection:updateSpecifications "index":"i","collection":"C","body":{}`, 400, "services.storage.invalid_collection_name", "", ""},
		{"nothing changed", `collection:getSpecifications ` + ic, 200, "", `{"index":"i","collection":"c","validation":` + days + `}`, ""},
		{"an empty one is one", `collection:updateSpecifications ` + ic + `,"body":{}`, 200, "", `{}`, ""},
		{"and replaced the other", `collection:getSpecifications ` + ic, 200, "", `{"index":"i","collection":"c","validation":{}}`, ""},
		{"delete", `collection:deleteSpecifications ` + ic, 200, "", ack, ""},
		{"it is gone", `collection:getSpecifications ` + ic, 404, "validation.assert.not_found", "", ""},
	})
}

func TestASpecificationGoesWithItsCollection(t *testing.T) {
	n := newNode(t)
	n.Contribute(t, "index", index.Actions(index.Options{Engine: n.Engine, Announcer: n.Announcer, Users: n.Users}))
	const id, je, gone = `"index":"i","collection":"d"`, `"index":"j","collection":"e"`, "validation.assert.not_found"
	var all []scenario
	for _, c := range []string{ic, id, je} {
		all = append(all, scenario{"create", `collection:create ` + c, 200, "", ack, "*"}, scenario{"specify", `collection:updateSpecifications ` + c + `,"body":{}`, 200, "", `{}`, ""})
	}
	controllertest.Run(t, n, append(all, []scenario{
		{"truncate", `collection:truncate ` + ic, 200, "", ack, ""},
		{"stays with an empty one", `collection:getSpecifications ` + ic, 200, "", "*", ""},
		{"delete the collection", `collection:delete ` + ic, 200, "", `null`, "*"},
		{"went with it", `collection:getSpecifications ` + ic, 404, gone, "", ""},
		{"another stays", `collection:getSpecifications ` + id, 200, "", "*", ""},
		{"delete the index", `index:delete "index":"i"`, 200, "", ack, "*"},
		{"went with the index", `collection:getSpecifications ` + id, 404, gone, "", ""},
		{"in another it stays", `collection:getSpecifications ` + je, 200, "", "*", ""},
		{"delete several indexes", `index:mDelete "body":{"indexes":["x","j"]}`, 200, "", `{"deleted":["j"]}`, "*"},
		{"went with that too", `collection:getSpecifications ` + je, 404, gone, "", ""},
	}...))
}

func TestSearchSpecifications(t *testing.T) {
	n := newNode(t)
	hit := func(collection, score string) string {
		return `{"_id":"i#` + collection + `","_score":` + score + `,"_source":{"index":"i","collection":"` + collection + `","validation":{},` +
			`"_kuzzle_info":{"author":"-1","createdAt":1000,"updatedAt":1000,"updater":"-1"}}}`
	}
	const sorted = `"body":{"query":{"term":{"index":"i"}},"sort":["collection"]}`
	scenarios := []scenario{
		{"none", `collection:searchSpecifications`, 200, "", `{"hits":[],"total":0}`, ""},
	}
	for _, c := range []string{"a", "b", "c"} {
		scenarios = append(scenarios, scenario{"specify", `collection:updateSpecifications "index":"i","collection":"` + c + `","body":{}`, 200, "", `{}`, ""})
	}
	controllertest.Run(t, n, append(scenarios, []scenario{
		{"all", `collection:searchSpecifications ` + sorted, 200, "", `{"hits":[` + hit("a", "null") + `,` + hit("b", "null") + `,` + hit("c", "null") + `],"total":3}`, ""},
		{"a part", `collection:searchSpecifications "from":1,"size":1,` + sorted, 200, "", `{"hits":[` + hit("b", "null") + `],"total":3}`, ""},
		{"one", `collection:searchSpecifications "body":{"query":{"bool":{"filter":{"term":{"collection":"b"}}}}}`, 200, "", `{"hits":[` + hit("b", "0") + `],"total":1}`, ""},
		{"what they say is not indexed", `collection:searchSpecifications "body":{"query":{"exists":{"field":"validation.strict"}}}`, 200, "", `{"hits":[],"total":0}`, ""},
		{"by a query that is none", `collection:searchSpecifications "body":{"query":{"equals":{"index":"i"}}}`, 400, "services.storage.unknown_query_keyword", "", ""},
		{"by a list", `collection:searchSpecifications "body":[]`, 400, "api.assert.invalid_type", "", ""},
		{"too many", `collection:searchSpecifications "size":21`, 413, "services.storage.get_limit_exceeded", "", ""},
		{"too long", `collection:searchSpecifications "scroll":"2m"`, 400, "services.storage.scroll_duration_too_great", "", ""},
		{"scroll what is not there", `collection:scrollSpecifications "scrollId":"x"`, 404, "services.storage.unknown_scroll_id", "", ""},
		{"scroll what", `collection:scrollSpecifications`, 400, "api.assert.missing_argument", "", ""},
		{"scroll too long", `collection:scrollSpecifications "scrollId":"x","scroll":"2m"`, 400, "services.storage.scroll_duration_too_great", "", ""},
	}...))
}

func TestScrollSpecifications(t *testing.T) {
	n := newNode(t)
	for _, c := range []string{"a", "b", "c"} {
		n.Ask(t, `{"controller":"collection","action":"updateSpecifications","index":"i","collection":"`+c+`","body":{}}`)
	}
	type page struct {
		Hits []struct {
			ID string `json:"_id"`
		}
		ScrollID string
		Total    int
	}
	ask := func(envelope string) (p page) {
		a := n.Ask(t, `{"controller":"collection",`+envelope+`}`)
		if a.Error != nil {
			t.Fatal(a.Error)
		}
		if err := json.Unmarshal(a.Result, &p, json.MatchCaseInsensitiveNames(true)); err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := ask(`"action":"searchSpecifications","size":2,"scroll":"10s","body":{"sort":["collection"]}`)
	second := ask(`"action":"scrollSpecifications","scrollId":"` + first.ScrollID + `"`)
	if len(first.Hits) != 2 || len(second.Hits) != 1 || second.Hits[0].ID != "i#c" || first.Total != 3 || second.Total != 3 || second.ScrollID == "" {
		t.Errorf("%+v %+v", first, second)
	}
	controllertest.Run(t, n, []scenario{
		{"it is over", `collection:scrollSpecifications "scrollId":"` + second.ScrollID + `"`, 404, "services.storage.unknown_scroll_id", "", ""},
	})
}

// TestScrollsOverUsersAreNotForSpecifications has a scroll over something else that the node keeps.
func TestScrollsOverUsersAreNotForSpecifications(t *testing.T) {
	n := newNode(t)
	users := storage.Collection{Scope: storage.Internal, Index: "kuzzle", Name: "users"}
	for _, id := range []string{"ann", "bob"} {
		if _, err := n.Engine.Create(t.Context(), users, id, []byte(`{"secret":1}`), storage.WriteOptions{Refresh: storage.RefreshWaitFor}); err != nil {
			t.Fatal(err)
		}
	}
	found, err := n.Engine.Search(t.Context(), storage.Search{Targets: []storage.Collection{users}, Size: 1, Scroll: time.Minute})
	if err != nil || found.Scroll == "" {
		t.Fatal(found, err)
	}
	controllertest.Run(t, n, []scenario{
		{"scroll", `collection:scrollSpecifications "scrollId":"` + found.Scroll + `"`, 404, "services.storage.unknown_scroll_id", "", ""},
	})
}
