package document_test

import (
	"testing"

	"github.com/sluicehq/sluice/controllers/controllertest"
)

func TestCreate(t *testing.T) {
	controllertest.Run(t, newNode(t), []scenario{
		{
			"create", `document:create ` + c + `,"_id":"d","body":{"a":1}`, 200, "", `{"_id":"d","_source":{"a":1,` + fresh + `},"_version":1}`,
			`generic:document:beforeWrite [{"_id":"d","_source":{"a":1}}]` + "\n" + createdInfo + "\n" +
				`generic:document:afterWrite [{"_id":"d","_source":{"a":1,` + fresh + `}}]`,
		},
		{"create again", `document:create ` + c + `,"_id":"d","body":{"a":2}`, 400, "services.storage.document_already_exists", "", "*"},
		{
			"generated id", `document:create ` + c + `,"body":{}`, 200, "", `{"_id":"UUID","_source":{` + fresh + `},"_version":1}`,
			`generic:document:beforeWrite [{"_source":{}}]` + "\n" + createdInfo + "\n" +
				`generic:document:afterWrite [{"_id":"UUID","_source":{` + fresh + `}}]`,
		},
		{"metadata is not the client's", `document:create ` + c + `,"_id":"e","body":{"_kuzzle_info":{"author":"me"},"a":1}`, 200, "", `{"_id":"e","_source":{` + fresh + `,"a":1},"_version":1}`, "*"},
		{"no body", `document:create ` + c, 400, "api.assert.body_required", "", ""},
		{"a list", `document:create ` + c + `,"body":[]`, 400, "api.assert.invalid_type", "", ""},
		{"no index", `document:create "collection":"c","body":{}`, 400, "api.assert.missing_argument", "", ""},
		{"no collection", `document:create "index":"i","body":{}`, 400, "api.assert.missing_argument", "", ""},
		{"unknown index", `document:create "index":"x","collection":"c","body":{}`, 412, "services.storage.unknown_index", "", "*"},
		{"unknown collection", `document:create "index":"i","collection":"x","body":{}`, 412, "services.storage.unknown_collection", "", "*"},
		{"a list of collections", `document:create "index":"i","collection":"c,d","body":{}`, 400, "services.storage.invalid_multi_index_collection_usage", "", ""},
		{"a pattern", `document:create "index":"i*","collection":"c","body":{}`, 400, "services.storage.invalid_multi_index_collection_usage", "", ""},
		{"the node's own", `document:create "index":"kuzzle","collection":"users","body":{}`, 412, "services.storage.unknown_index", "", "*"},
		{"refresh", `document:create ` + c + `,"_id":"r1","refresh":"wait_for","body":{}`, 200, "", "*", "*"},
		{"refresh with anything", `document:create ` + c + `,"_id":"r2","refresh":1,"body":{}`, 200, "", "*", "*"},
		{"silent", `document:create ` + c + `,"_id":"s","silent":true,"body":{}`, 200, "", "*", "*"},
		{"silent what", `document:create ` + c + `,"silent":"x","body":{}`, 400, "api.assert.invalid_type", "", ""},
	})
}

func TestCreateOrReplace(t *testing.T) {
	controllertest.Run(t, newNode(t), []scenario{
		{
			"create", `document:createOrReplace ` + c + `,"_id":"d","body":{"a":1}`, 200, "", `{"_id":"d","_source":{"a":1,` + replaced + `},"_version":1,"created":true}`,
			`generic:document:beforeWrite [{"_id":"d","_source":{"a":1}}]` + "\n" + replacedInfo + "\n" +
				`generic:document:afterWrite [{"_id":"d","_source":{"a":1,` + replaced + `}}]`,
		},
		{"replace", `document:createOrReplace ` + c + `,"_id":"d","body":{"b":1}`, 200, "", `{"_id":"d","_source":{"b":1,` + replaced + `},"_version":2,"created":false}`, "*"},
		{"no id", `document:createOrReplace ` + c + `,"body":{}`, 400, "api.assert.missing_argument", "", ""},
		{"no body", `document:createOrReplace ` + c + `,"_id":"d"`, 400, "api.assert.body_required", "", ""},
		{"refresh", `document:createOrReplace ` + c + `,"_id":"d","refresh":"wait_for","body":{}`, 200, "", "*", "*"},
		{"refresh, not", `document:createOrReplace ` + c + `,"_id":"d","refresh":"false","body":{}`, 200, "", "*", "*"},
		{"refresh with another text", `document:createOrReplace ` + c + `,"_id":"d","refresh":"x","body":{}`, 400, "services.storage.invalid_argument", "", ""},
		{"refresh with no text", `document:createOrReplace ` + c + `,"_id":"d","refresh":true,"body":{}`, 400, "api.assert.invalid_type", "", ""},
		{"unknown index", `document:createOrReplace "index":"x","collection":"c","_id":"d","body":{}`, 412, "services.storage.unknown_index", "", "*"},
		{"unknown collection", `document:createOrReplace "index":"i","collection":"x","_id":"d","body":{}`, 412, "services.storage.unknown_collection", "", "*"},
	})
}

// TestIfVersion: a write that names the version it has seen does nothing to another one.
func TestIfVersion(t *testing.T) {
	const lost = "services.storage.too_many_changes"
	at := func(version string) string { return c + `,"_id":"d","ifVersion":` + version }
	controllertest.Run(t, withDocument(t, `{"a":1}`), []scenario{
		{"replace, lost", `document:replace ` + at("2") + `,"body":{"a":2}`, 500, lost, "", "*"},
		{"replace", `document:replace ` + at("1") + `,"body":{"a":2}`, 200, "", "*", "*"},
		{"update, lost", `document:update ` + at("1") + `,"body":{"a":3}`, 500, lost, "", "*"},
		{"update, lost, whatever the retries", `document:update ` + at("1") + `,"retryOnConflict":9,"body":{"a":3}`, 500, lost, "", "*"},
		{"update", `document:update ` + at("2") + `,"source":true,"body":{"b":3}`, 200, "", "*", "*"},
		{"createOrReplace, lost", `document:createOrReplace ` + at("2") + `,"body":{}`, 500, lost, "", "*"},
		{"createOrReplace", `document:createOrReplace ` + at("3") + `,"body":{"f":1,"g":1}`, 200, "", "*", "*"},
		{"create", `document:create ` + at("1") + `,"body":{}`, 400, "services.storage.document_already_exists", "", "*"},
		{"upsert, lost", `document:upsert ` + at("3") + `,"body":{"changes":{}}`, 500, lost, "", "*"},
		{"deleteFields, lost", `document:deleteFields ` + at("3") + `,"body":{"fields":["f"]}`, 500, lost, "", "*"},
		{"deleteFields", `document:deleteFields ` + at("4") + `,"body":{"fields":["f"]}`, 200, "", "*", "*"},
		{"delete, lost", `document:delete ` + at("4"), 500, lost, "", "*"},
		{"no version", `document:delete ` + at("0"), 400, "api.assert.invalid_argument", "", ""},
		{"no number", `document:delete ` + at(`"x"`), 400, "api.assert.invalid_type", "", ""},
		{"delete", `document:delete ` + at("5"), 200, "", "*", "*"},
		{"createOrReplace what is gone", `document:createOrReplace ` + at("5") + `,"body":{}`, 500, lost, "", "*"},
	})
}

func TestReplace(t *testing.T) {
	controllertest.Run(t, withDocument(t, `{"a":1}`), []scenario{
		{
			"replace", `document:replace ` + c + `,"_id":"d","body":{"b":1}`, 200, "", `{"_id":"d","_source":{"b":1,` + replaced + `},"_version":2}`,
			`generic:document:beforeWrite [{"_id":"d","_source":{"b":1}}]` + "\n" + replacedInfo + "\n" +
				`generic:document:afterWrite [{"_id":"d","_source":{"b":1,` + replaced + `}}]`,
		},
		{"replace none", `document:replace ` + c + `,"_id":"x","body":{}`, 404, "services.storage.not_found", "", "*"},
		{"no id", `document:replace ` + c + `,"body":{}`, 400, "api.assert.missing_argument", "", ""},
		{"no body", `document:replace ` + c + `,"_id":"d"`, 400, "api.assert.body_required", "", ""},
		{"refresh with another text", `document:replace ` + c + `,"_id":"d","refresh":"","body":{}`, 400, "services.storage.invalid_argument", "", ""},
		{"unknown collection", `document:replace "index":"i","collection":"x","_id":"d","body":{}`, 412, "services.storage.unknown_collection", "", "*"},
	})
}
