package document_test

import (
	"testing"

	"github.com/sluicehq/sluice/controllers/controllertest"
)

func TestGet(t *testing.T) {
	controllertest.Run(t, withDocument(t, `{"a":1}`), []scenario{
		{
			"get", `document:get ` + c + `,"_id":"d"`, 200, "", `{"_id":"d","_source":{"a":1},"_version":1}`,
			`generic:document:beforeGet [{"_id":"d"}]` + "\n" + `generic:document:afterGet [{"_id":"d","_source":{"a":1}}]`,
		},
		{"get none", `document:get ` + c + `,"_id":"x"`, 404, "services.storage.not_found", "", `generic:document:beforeGet [{"_id":"x"}]`},
		{"get without an id", `document:get ` + c, 400, "api.assert.missing_argument", "", ""},
		{"get a search", `document:get ` + c + `,"_id":"_search"`, 400, "services.storage.search_as_an_id", "", ""},
		{"get from no index", `document:get "index":"x","collection":"c","_id":"d"`, 412, "services.storage.unknown_index", "", "*"},
		{"get from no collection", `document:get "index":"i","collection":"x","_id":"d"`, 412, "services.storage.unknown_collection", "", "*"},
		{
			"exists", `document:exists ` + c + `,"_id":"d"`, 200, "", `true`,
			`generic:document:beforeGet [{"_id":"d"}]` + "\n" + `generic:document:afterGet [{"_id":"d","_source":{"a":1}}]`,
		},
		{"does not exist", `document:exists ` + c + `,"_id":"x"`, 200, "", `false`, `generic:document:beforeGet [{"_id":"x"}]`},
		{"exists in no collection", `document:exists "index":"i","collection":"x","_id":"d"`, 412, "services.storage.unknown_collection", "", "*"},
		{"exists without an id", `document:exists ` + c, 400, "api.assert.missing_argument", "", ""},
	})
}

func TestMany(t *testing.T) {
	const found = `{"_id":"d","_source":{"a":1},"_version":1}`
	controllertest.Run(t, withDocument(t, `{"a":1}`), []scenario{
		{
			"mGet", `document:mGet ` + c + `,"body":{"ids":["x","d","y","d"]}`, 200, "", `{"successes":[` + found + `,` + found + `],"errors":["x","y"]}`,
			`generic:document:beforeGet [{"_id":"x"},{"_id":"d"},{"_id":"y"},{"_id":"d"}]` + "\n" +
				`generic:document:afterGet [{"_id":"d","_source":{"a":1}},{"_id":"d","_source":{"a":1}}]`,
		},
		{"mGet beside the body", `document:mGet ` + c + `,"ids":["d"]`, 200, "", `{"successes":[` + found + `],"errors":[]}`, "*"},
		{"mGet none", `document:mGet ` + c + `,"body":{"ids":[]}`, 200, "", `{"successes":[],"errors":[]}`, "*"},
		{"mGet without ids", `document:mGet ` + c, 400, "api.assert.missing_argument", "", ""},
		{"mGet without ids in the body", `document:mGet ` + c + `,"body":{}`, 400, "api.assert.missing_argument", "", ""},
		{"mGet numbers", `document:mGet ` + c + `,"body":{"ids":[1]}`, 400, "api.assert.invalid_type", "", ""},
		{"mGet too many", `document:mGet ` + c + `,"body":{"ids":["1","2","3","4","5"]}`, 413, "services.storage.get_limit_exceeded", "", ""},
		{"mGet strictly", `document:mGet ` + c + `,"strict":true,"body":{"ids":["x","d"]}`, 400, "api.process.incomplete_multiple_request", "", "*"},
		{"mGet strictly what is there", `document:mGet ` + c + `,"strict":true,"body":{"ids":["d"]}`, 200, "", `{"successes":[` + found + `],"errors":[]}`, "*"},
		{"mGet from no collection", `document:mGet "index":"i","collection":"x","body":{"ids":["d"]}`, 412, "services.storage.unknown_collection", "", "*"},
		{"mExists", `document:mExists ` + c + `,"body":{"ids":["x","d"]}`, 200, "", `{"successes":["d"],"errors":["x"]}`, "*"},
		{"mExists strictly", `document:mExists ` + c + `,"strict":true,"body":{"ids":["x","d"]}`, 400, "api.process.incomplete_multiple_request", "", "*"},
		{"mExists too many", `document:mExists ` + c + `,"body":{"ids":["1","2","3","4","5"]}`, 413, "services.storage.get_limit_exceeded", "", ""},
		{"mExists in no index", `document:mExists "index":"x","collection":"x","body":{"ids":["d"]}`, 412, "services.storage.unknown_index", "", "*"},
	})
}
