package document_test

import (
	"context"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/controllertest"
	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// strictNode is a node whose collection takes documents with an integer n above 0 and a text s, "none" when it is absent.
func strictNode(t *testing.T) *controllertest.Node {
	t.Helper()
	n, specifications := newNodeWithSpecifications(t, true)
	const spec = `{"strict":true,"fields":{"n":{"type":"integer","mandatory":true},"s":{"type":"string","defaultValue":"none"}},"validators":[{"range":{"n":{"gt":0}}}]}`
	if err := specifications.Put(t.Context(), "i", "c", jsontext.Value(spec), "-1"); err != nil {
		t.Fatal(err)
	}
	put(t, n, `{"n":1,"s":"old"}`)
	return n
}

func TestValidate(t *testing.T) {
	controllertest.Run(t, strictNode(t), []scenario{
		{"fits", `document:validate ` + c + `,"body":{"n":1}`, 200, "", `{"valid":true,"errorMessages":{}}`, ""},
		{
			"does not fit", `document:validate ` + c + `,"body":{"n":"x","y":1}`, 200, "",
			`{"valid":false,"errorMessages":{"documentScope":["must not have the field \"y\", which is not declared","the document does not match the filter 0 of the validators"],"fieldScope":{"children":{"n":{"messages":["must be an integer"]}}}}}`, "",
		},
		{"no specification", `document:validate "index":"i","collection":"other","body":{"x":1}`, 200, "", `{"valid":true,"errorMessages":{}}`, ""},
		{"no body", `document:validate ` + c, 400, "api.assert.body_required", "", ""},
		{"a list for a body", `document:validate ` + c + `,"body":[]`, 400, "api.assert.invalid_type", "", ""},
		{"no index", `document:validate "collection":"c","body":{}`, 400, "api.assert.missing_argument", "", ""},
	})
}

// TestSpecificationsHold: the actions on one document that write what the client sends refuse what does not fit and fill in
// defaults; those on many, upsert and deleteFields do not look.
func TestSpecificationsHold(t *testing.T) {
	const (
		field, whole = "validation.check.failed_field", "validation.check.failed_document"
		update       = `generic:document:beforeUpdate [{"_id":"d","_source":{"n":-1}}]` + "\n" + updatedInfo
	)
	controllertest.Run(t, strictNode(t), []scenario{
		{"create", `document:create ` + c + `,"_id":"a","body":{"n":1}`, 200, "", `{"_id":"a","_source":{"n":1,"s":"none",` + fresh + `},"_version":1}`, "*"},
		{"create with a wrong field", `document:create ` + c + `,"_id":"b","body":{"n":"x"}`, 400, field, "", `generic:document:beforeWrite [{"_id":"b","_source":{"n":"x"}}]`},
		{"create with another field", `document:create ` + c + `,"body":{"n":1,"x":1}`, 400, whole, "", "*"},
		{"create what a filter refuses", `document:create ` + c + `,"body":{"n":0}`, 400, whole, "", "*"},
		{"createOrReplace", `document:createOrReplace ` + c + `,"_id":"d","body":{}`, 400, field, "", "*"},
		{"replace", `document:replace ` + c + `,"_id":"d","body":{"n":0}`, 400, whole, "", "*"},
		{"update", `document:update ` + c + `,"_id":"d","body":{"n":2}`, 200, "", `{"_id":"d","_source":{"n":2,` + changes + `},"_version":2}`, "*"},
		{"update with a default", `document:update ` + c + `,"_id":"d","source":true,"body":{"s":null}`, 200, "", `{"_id":"d","_source":{"n":2,"s":"none",` + changes + `},"_version":3}`, "*"},
		{"update with a wrong field", `document:update ` + c + `,"_id":"d","body":{"n":-1}`, 400, whole, "", update},
		{"update what is not there", `document:update ` + c + `,"_id":"x","body":{"n":1}`, 404, "services.storage.not_found", "", "*"},
		{"upsert", `document:upsert ` + c + `,"_id":"u","body":{"changes":{"x":1}}`, 200, "", `{"_id":"u","_version":1,"created":true}`, "*"},
		{"deleteFields", `document:deleteFields ` + c + `,"_id":"d","body":{"fields":["n"]}`, 200, "", `{"_id":"d","_version":4}`, "*"},
		{"mCreate", `document:mCreate ` + c + `,"body":{"documents":[{"_id":"m","body":{"x":1}}]}`, 200, "", "*", "*"},
	})
}

// TestUpdatesAreAdmittedAsTheyLand: who makes a document worse in between does not get it through.
func TestUpdatesAreAdmittedAsTheyLand(t *testing.T) {
	n := strictNode(t)
	where := storage.Collection{Index: "i", Name: "c"}
	n.Pipe(t, announce.BeforeUpdate, func(ctx context.Context, _ string, _ *events.Payload) error {
		_, err := n.Engine.Update(ctx, where, "d", []byte(`{"n":"by others"}`), storage.UpdateOptions{})
		return err
	})
	controllertest.Run(t, n, []scenario{
		{"wrong with what others wrote", `document:update ` + c + `,"_id":"d","body":{"s":"new"}`, 400, "validation.check.failed_field", "", "*"},
	})
	n.Pipe(t, announce.BeforeUpdate, nil)
	races := 0
	n.FailWith(func(op string) error {
		if races--; op == "Write" && races >= 0 {
			return kerror.ServicesStorageTooManyChanges.New("d")
		}
		return nil
	})
	races = 2 // Get counts too
	controllertest.Run(t, n, []scenario{
		{"one race", `document:update ` + c + `,"_id":"d","body":{"n":3}`, 200, "", `{"_id":"d","_source":{"n":3,` + changes + `},"_version":3}`, "*"},
	})
	races = 1000
	controllertest.Run(t, n, []scenario{
		{"nothing but races", `document:update ` + c + `,"_id":"d","body":{"n":3}`, 500, "services.storage.too_many_changes", "", "*"},
	})
}
