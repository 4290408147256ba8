package document_test

import (
	"testing"

	"github.com/sluicehq/sluice/controllers/controllertest"
)

func TestDelete(t *testing.T) {
	controllertest.Run(t, withDocument(t, `{"a":1}`), []scenario{
		{
			"delete", `document:delete ` + c + `,"_id":"d"`, 200, "", `{"_id":"d"}`,
			`generic:document:beforeDelete [{"_id":"d"}]` + "\n" + `generic:document:afterDelete [{"_id":"d"}]`,
		},
		{"delete again", `document:delete ` + c + `,"_id":"d"`, 404, "services.storage.not_found", "", `generic:document:beforeDelete [{"_id":"d"}]`},
		{"no id", `document:delete ` + c, 400, "api.assert.missing_argument", "", ""},
		{"refresh with another text", `document:delete ` + c + `,"_id":"d","refresh":"x"`, 400, "services.storage.invalid_argument", "", ""},
		{"unknown index", `document:delete "index":"x","collection":"c","_id":"d"`, 412, "services.storage.unknown_index", "", "*"},
		{"unknown collection", `document:delete "index":"i","collection":"x","_id":"d"`, 412, "services.storage.unknown_collection", "", "*"},
	})
	controllertest.Run(t, withDocument(t, `{"a":1}`), []scenario{
		{"with source", `document:delete ` + c + `,"_id":"d","source":true`, 200, "", `{"_id":"d","_source":{"a":1},"_version":1}`, "*"},
	})
}

func TestMDelete(t *testing.T) {
	n := withDocument(t, `{"a":1}`)
	controllertest.Run(t, n, []scenario{
		{"another one", `document:create ` + c + `,"_id":"e","body":{}`, 200, "", "*", "*"},
		{
			"delete", `document:mDelete ` + c + `,"body":{"ids":["x",5,"e","d"]}`, 200, "",
			`{"successes":["e","d"],"errors":[{"_id":"x","status":404,"reason":"There is no document \"x\" in \"i\":\"c\"."},{"_id":5,"status":400,"reason":"Wrong type for argument \"body.ids\"; expected: array of strings."}]}`,
			`generic:document:beforeDelete [{"_id":"x"},{"_id":"e"},{"_id":"d"}]` + "\n" + `generic:document:afterDelete [{"_id":"e"},{"_id":"d"}]`,
		},
		{"delete none", `document:mDelete ` + c + `,"body":{"ids":[]}`, 200, "", `{"successes":[],"errors":[]}`, "*"},
		{"strictly", `document:mDelete ` + c + `,"strict":true,"body":{"ids":["x"]}`, 400, "api.process.incomplete_multiple_request", "", "*"},
		{"too many", `document:mDelete ` + c + `,"body":{"ids":["1","2","3","4","5","6"]}`, 413, "services.storage.write_limit_exceeded", "", ""},
		{"no ids", `document:mDelete ` + c + `,"body":{}`, 400, "api.assert.missing_argument", "", ""},
		{"ids are no list", `document:mDelete ` + c + `,"body":{"ids":"d"}`, 400, "api.assert.invalid_type", "", ""},
		{"no body", `document:mDelete ` + c, 400, "api.assert.body_required", "", ""},
		{"unknown collection", `document:mDelete "index":"i","collection":"x","body":{"ids":["d"]}`, 412, "services.storage.unknown_collection", "", "*"},
	})
}
