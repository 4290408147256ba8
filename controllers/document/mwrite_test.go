package document_test

import (
	"encoding/json"
	"testing"

	"github.com/sluicehq/sluice/controllers/controllertest"
)

const taken = `"status":400,"reason":"A document with this id exists already."`

func TestMCreate(t *testing.T) {
	n := withDocument(t, `{"a":1}`)
	controllertest.Run(t, n, []scenario{
		{
			"create", `document:mCreate ` + c + `,"body":{"documents":[{"_id":"b","body":{"n":1}},{"_id":"d","body":{"n":2}},{"body":{"n":3}},{"_id":7,"body":{}},{"_id":"e"}]}`, 200, "",
			`{"successes":[{"_id":"b","_source":{"n":1,` + fresh + `},"_version":1,"created":true,"result":"created","status":201},` +
				`{"_id":"UUID","_source":{"n":3,` + fresh + `},"_version":1,"created":true,"result":"created","status":201}],` +
				`"errors":[{"document":{"_id":"d","body":{"n":2}},` + taken + `},` +
				`{"document":{"_id":7,"body":{}},"status":400,"reason":"Wrong type for argument \"body.documents[3]._id\"; expected: string."},` +
				`{"document":{"_id":"e"},"status":400,"reason":"Missing argument \"body.documents[4].body\"."}]}`,
			`generic:document:beforeWrite [{"_id":"b","_source":{"n":1}},{"_id":"d","_source":{"n":2}},{"_source":{"n":3}}]` + "\n" + createdInfo + "\n" +
				`generic:document:afterWrite [{"_id":"b","_source":{"n":1,` + fresh + `}},{"_id":"UUID","_source":{"n":3,` + fresh + `}}]`,
		},
		{"the same id twice", `document:mCreate ` + c + `,"body":{"documents":[{"_id":"t","body":{"n":1}},{"_id":"t","body":{"n":2}}]}`, 200, "", `{"successes":[{"_id":"t","_source":{"n":1,` + fresh + `},"_version":1,"created":true,"result":"created","status":201}],"errors":[{"document":{"_id":"t","body":{"n":2}},` + taken + `}]}`, "*"},
		{"none", `document:mCreate ` + c + `,"body":{"documents":[]}`, 200, "", `{"successes":[],"errors":[]}`, "*"},
		{"none in no collection", `document:mCreate "index":"i","collection":"x","body":{"documents":[]}`, 412, "services.storage.unknown_collection", "", "*"},
		{"too many", `document:mCreate ` + c + `,"body":{"documents":[{"body":{}},{"body":{}},{"body":{}},{"body":{}},{"body":{}},{"body":{}}]}`, 413, "services.storage.write_limit_exceeded", "", ""},
		{"_source for body", `document:mCreate ` + c + `,"body":{"documents":[{"_id":"x","_source":{}}]}`, 400, "api.assert.unexpected_argument", "", ""},
		{"a number for a document", `document:mCreate ` + c + `,"body":{"documents":[1]}`, 400, "api.assert.invalid_type", "", ""},
		{"documents are no list", `document:mCreate ` + c + `,"body":{"documents":{}}`, 400, "api.assert.invalid_type", "", ""},
		{"no documents", `document:mCreate ` + c + `,"body":{}`, 400, "api.assert.missing_argument", "", ""},
		{"no body", `document:mCreate ` + c, 400, "api.assert.body_required", "", ""},
		{"refresh with another text", `document:mCreate ` + c + `,"refresh":"x","body":{"documents":[]}`, 400, "services.storage.invalid_argument", "", ""},
	})
}

func TestStrict(t *testing.T) {
	n := withDocument(t, `{"a":1}`)
	a := n.Ask(t, `{"controller":"document","action":"mCreate",`+c+`,"strict":true,"body":{"documents":[{"_id":"d","body":{}},{"_id":"e","body":{}}]}}`)
	if a.Status != 400 || a.Error == nil || a.Error.ID != "api.process.incomplete_multiple_request" || a.Error.Props[0] != "1" {
		t.Fatalf("%d %v", a.Status, a.Error)
	}
	list, err := json.Marshal(a.Error.Errors)
	if err != nil || len(a.Error.Errors) != 1 {
		t.Errorf("%s, %v", list, err)
	}
	controllertest.Run(t, n, []scenario{
		{"what could be written is", `document:exists ` + c + `,"_id":"e"`, 200, "", `true`, "*"},
	})
}

func TestMCreateOrReplace(t *testing.T) {
	controllertest.Run(t, withDocument(t, `{"a":1}`), []scenario{
		{
			"write", `document:mCreateOrReplace ` + c + `,"body":{"documents":[{"_id":"b","body":{"n":1}},{"_id":"d","body":{"n":2}}]}`, 200, "",
			`{"successes":[{"_id":"b","_source":{"n":1,` + fresh + `},"_version":1,"created":true,"result":"created","status":201},` +
				`{"_id":"d","_source":{"n":2,` + fresh + `},"_version":2,"created":false,"result":"updated","status":200}],"errors":[]}`,
			`generic:document:beforeWrite [{"_id":"b","_source":{"n":1}},{"_id":"d","_source":{"n":2}}]` + "\n" + createdInfo + "\n" +
				`generic:document:afterWrite [{"_id":"b","_source":{"n":1,` + fresh + `}},{"_id":"d","_source":{"n":2,` + fresh + `}}]`,
		},
		{"without source", `document:mCreateOrReplace ` + c + `,"source":false,"body":{"documents":[{"_id":"b","body":{"n":1}}]}`, 200, "", `{"successes":[{"_id":"b","_version":2,"created":false,"result":"updated","status":200}],"errors":[]}`, "*"},
		{"source what", `document:mCreateOrReplace ` + c + `,"source":"x","body":{"documents":[]}`, 400, "api.assert.invalid_type", "", ""},
		{"too many", `document:mCreateOrReplace ` + c + `,"body":{"documents":[{"body":{}},{"body":{}},{"body":{}},{"body":{}},{"body":{}},{"body":{}}]}`, 413, "services.storage.write_limit_exceeded", "", ""},
	})
}

func TestMReplace(t *testing.T) {
	controllertest.Run(t, withDocument(t, `{"a":1}`), []scenario{
		{
			"replace", `document:mReplace ` + c + `,"body":{"documents":[{"_id":"x","body":{}},{"body":{"n":1}},{"_id":"d","body":{"n":2}},{"_id":"","body":{}}]}`, 200, "",
			`{"successes":[{"_id":"d","_source":{"n":2,` + fresh + `},"_version":2,"created":false,"result":"updated","status":200}],` +
				`"errors":[{"document":{"_id":"x","body":{}},"status":404,"reason":"There is no document \"x\" in \"i\":\"c\"."},` +
				`{"document":{"body":{"n":1}},"status":400,"reason":"Missing argument \"body.documents[1]._id\"."},` +
				`{"document":{"_id":"","body":{}},"status":400,"reason":"The argument \"body.documents[3]._id\" must not be empty."}]}`,
			`generic:document:beforeWrite [{"_id":"x","_source":{}},{"_id":"d","_source":{"n":2}}]` + "\n" + createdInfo + "\n" +
				`generic:document:afterWrite [{"_id":"d","_source":{"n":2,` + fresh + `}}]`,
		},
	})
}

func TestMUpdate(t *testing.T) {
	controllertest.Run(t, withDocument(t, `{"a":{"b":1}}`), []scenario{
		{
			"update", `document:mUpdate ` + c + `,"body":{"documents":[{"_id":"x","body":{}},{"_id":"d","body":{"a":{"c":2}}},{"_id":"d","body":{"e":3}}]}`, 200, "",
			`{"successes":[{"_id":"d","_source":{"a":{"b":1,"c":2},` + changes + `},"_version":2,"status":200},` +
				`{"_id":"d","_source":{"a":{"b":1,"c":2},` + changes + `,"e":3},"_version":3,"status":200}],` +
				`"errors":[{"document":{"_id":"x","body":{}},"status":404,"reason":"There is no document \"x\" in \"i\":\"c\"."}]}`,
			`generic:document:beforeUpdate [{"_id":"x","_source":{}},{"_id":"d","_source":{"a":{"c":2}}},{"_id":"d","_source":{"e":3}}]` + "\n" + updatedInfo + "\n" +
				`generic:document:afterUpdate [{"_id":"d","_source":{"a":{"b":1,"c":2},` + changes + `}},{"_id":"d","_source":{"a":{"b":1,"c":2},` + changes + `,"e":3}}]`,
		},
		{"retry", `document:mUpdate ` + c + `,"retryOnConflict":2,"body":{"documents":[]}`, 200, "", `{"successes":[],"errors":[]}`, "*"},
		{"strictly", `document:mUpdate ` + c + `,"strict":true,"body":{"documents":[{"_id":"x","body":{}}]}`, 400, "api.process.incomplete_multiple_request", "", "*"},
		{"strict what", `document:mUpdate ` + c + `,"strict":"x","body":{"documents":[]}`, 400, "api.assert.invalid_type", "", "*"},
	})
}

func TestMUpsert(t *testing.T) {
	controllertest.Run(t, withDocument(t, `{"a":1}`), []scenario{
		{
			"upsert", `document:mUpsert ` + c + `,"body":{"documents":[{"_id":"d","changes":{"b":2},"default":{"c":3}},{"_id":"e","changes":{"b":2},"default":{"b":9,"c":3}},{"_id":"f","changes":{}},{"_id":"g","changes":1},{"_id":"h","changes":{},"default":1}]}`, 200, "",
			`{"successes":[{"_id":"d","_source":{"a":1,"b":2,` + changes + `},"_version":2,"created":false,"status":200},` +
				`{"_id":"e","_source":{"b":9,"c":3,` + replaced + `},"_version":1,"created":true,"status":201},` +
				`{"_id":"f","_source":{` + replaced + `},"_version":1,"created":true,"status":201}],` +
				`"errors":[{"document":{"_id":"g","changes":1},"status":400,"reason":"Wrong type for argument \"body.documents[3].changes\"; expected: object."},` +
				`{"document":{"_id":"h","changes":{},"default":1},"status":400,"reason":"Wrong type for argument \"body.documents[4].default\"; expected: object."}]}`,
			`generic:document:beforeUpdate [{"_id":"d","_source":{"b":2}},{"_id":"e","_source":{"b":2}},{"_id":"f","_source":{}}]` + "\n" + upsertedInfo + "\n" +
				`generic:document:afterUpdate [{"_id":"d","_source":{"a":1,"b":2,` + changes + `}},{"_id":"e","_source":{"b":9,"c":3,` + replaced + `}},{"_id":"f","_source":{` + replaced + `}}]`,
		},
		{"body for changes", `document:mUpsert ` + c + `,"body":{"documents":[{"_id":"d","body":{}}]}`, 200, "", `{"successes":[],"errors":[{"document":{"_id":"d","body":{}},"status":400,"reason":"Missing argument \"body.documents[0].changes\"."}]}`, "*"},
	})
}
