package document_test

import (
	"testing"

	"github.com/sluicehq/sluice/controllers/controllertest"
)

func TestUpdate(t *testing.T) {
	controllertest.Run(t, withDocument(t, `{"a":{"b":1},"l":[1],"_kuzzle_info":{"author":"ann","createdAt":5,"updatedAt":null,"updater":null}}`), []scenario{
		{
			"update", `document:update ` + c + `,"_id":"d","body":{"a":{"c":2},"l":[]}`, 200, "", `{"_id":"d","_source":{"a":{"c":2},"l":[],` + changes + `},"_version":2}`,
			`generic:document:beforeUpdate [{"_id":"d","_source":{"a":{"c":2},"l":[]}}]` + "\n" + updatedInfo + "\n" +
				`generic:document:afterUpdate [{"_id":"d","_source":{"a":{"b":1,"c":2},"l":[],"_kuzzle_info":{"author":"ann","createdAt":5,"updatedAt":1000,"updater":"-1"}}}]`,
		},
		{"with source", `document:update ` + c + `,"_id":"d","source":true,"body":{"a":1}`, 200, "", `{"_id":"d","_source":{"a":1,"l":[],"_kuzzle_info":{"author":"ann","createdAt":5,"updatedAt":1000,"updater":"-1"}},"_version":3}`, "*"},
		{"metadata is not the client's", `document:update ` + c + `,"_id":"d","body":{"_kuzzle_info":{"author":"me"}}`, 200, "", `{"_id":"d","_source":{` + changes + `},"_version":4}`, "*"},
		{"update none", `document:update ` + c + `,"_id":"x","body":{}`, 404, "services.storage.not_found", "", "*"},
		{"no id", `document:update ` + c + `,"body":{}`, 400, "api.assert.missing_argument", "", ""},
		{"no body", `document:update ` + c + `,"_id":"d"`, 400, "api.assert.body_required", "", ""},
		{"retry", `document:update ` + c + `,"_id":"d","retryOnConflict":3,"body":{}`, 200, "", "*", "*"},
		{"retry how often", `document:update ` + c + `,"_id":"d","retryOnConflict":"x","body":{}`, 400, "api.assert.invalid_type", "", ""},
		{"unknown collection", `document:update "index":"i","collection":"x","_id":"d","body":{}`, 412, "services.storage.unknown_collection", "", "*"},
	})
}

func TestUpsert(t *testing.T) {
	controllertest.Run(t, newNode(t), []scenario{
		{
			"create", `document:upsert ` + c + `,"_id":"d","body":{"changes":{"a":1},"default":{"a":0,"b":0}}`, 200, "", `{"_id":"d","_version":1,"created":true}`,
			`generic:document:beforeUpdate [{"_id":"d","_source":{"a":1}}]` + "\n" + upsertedInfo + "\n" +
				`generic:document:afterUpdate [{"_id":"d","_source":{"a":1,"b":0,` + replaced + `}}]`,
		},
		{"update, with source", `document:upsert ` + c + `,"_id":"d","source":true,"body":{"changes":{"a":2},"default":{"c":0}}`, 200, "", `{"_id":"d","_source":{"a":2,"b":0,` + replaced + `},"_version":2,"created":false}`, "*"},
		{"create without default", `document:upsert ` + c + `,"_id":"e","source":true,"body":{"changes":{"a":2}}`, 200, "", `{"_id":"e","_source":{"a":2,` + replaced + `},"_version":1,"created":true}`, "*"},
		{"no changes", `document:upsert ` + c + `,"_id":"d","body":{"default":{}}`, 400, "api.assert.missing_argument", "", ""},
		{"changes are no object", `document:upsert ` + c + `,"_id":"d","body":{"changes":1}`, 400, "api.assert.invalid_type", "", ""},
		{"default is no object", `document:upsert ` + c + `,"_id":"d","body":{"changes":{},"default":1}`, 400, "api.assert.invalid_type", "", ""},
		{"no body", `document:upsert ` + c + `,"_id":"d"`, 400, "api.assert.body_required", "", ""},
		{"unknown collection", `document:upsert "index":"i","collection":"x","_id":"d","body":{"changes":{}}`, 412, "services.storage.unknown_collection", "", "*"},
	})
}

func TestDeleteFields(t *testing.T) {
	const info = `"_kuzzle_info":{"author":"ann","createdAt":5,"updatedAt":1000,"updater":"-1"}`
	controllertest.Run(t, withDocument(t, `{"a":{"b":1,"c":[1,2.50,{"x":1}]},"d.e":1,"f":1,"_kuzzle_info":{"author":"ann","createdAt":5,"updatedAt":null,"updater":null}}`), []scenario{
		{
			"delete", `document:deleteFields ` + c + `,"_id":"d","body":{"fields":["a.b","nothing","a.x.y","_kuzzle_info.author"]}`, 200, "", `{"_id":"d","_version":2}`,
			`generic:document:beforeUpdate [{"_id":"d","_source":{"a":{"c":[1,2.50,{"x":1}]},"d.e":1,"f":1,"_kuzzle_info":{"author":"ann","createdAt":5,"updatedAt":null,"updater":null}}}]` + "\n" + updatedInfo + "\n" +
				`generic:document:afterUpdate [{"_id":"d","_source":{"a":{"c":[1,2.50,{"x":1}]},"d.e":1,"f":1,` + info + `}}]`,
		},
		{"elements and names with dots, with source", `document:deleteFields ` + c + `,"_id":"d","source":true,"body":{"fields":["a.c[0]","a[\"c\"][2].x","d.e"]}`, 200, "", `{"_id":"d","_source":{"a":{"c":[null,2.50,{}]},"f":1,` + info + `},"_version":3}`, "*"},
		{"from none", `document:deleteFields ` + c + `,"_id":"x","body":{"fields":["a"]}`, 404, "services.storage.not_found", "", ""},
		{"no fields", `document:deleteFields ` + c + `,"_id":"d","body":{}`, 400, "api.assert.missing_argument", "", ""},
		{"fields are no list", `document:deleteFields ` + c + `,"_id":"d","body":{"fields":"a"}`, 400, "api.assert.invalid_type", "", ""},
		{"no body", `document:deleteFields ` + c + `,"_id":"d"`, 400, "api.assert.body_required", "", ""},
		{"no id", `document:deleteFields ` + c + `,"body":{"fields":[]}`, 400, "api.assert.missing_argument", "", ""},
		{"unknown collection", `document:deleteFields "index":"i","collection":"x","_id":"d","body":{"fields":[]}`, 412, "services.storage.unknown_collection", "", ""},
	})
}
