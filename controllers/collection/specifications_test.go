package collection_test

import (
	"testing"

	"github.com/sluicehq/sluice/controllers/controllertest"
	"github.com/sluicehq/sluice/controllers/index"
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
