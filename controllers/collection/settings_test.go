package collection_test

import (
	"testing"

	"github.com/sluicehq/sluice/controllers/controllertest"
)

func TestSettings(t *testing.T) {
	const (
		get     = `collection:getSettings ` + ic
		update  = `collection:update ` + ic + `,"body":{"settings":`
		unknown = "api.assert.unexpected_argument"
		invalid = "api.assert.invalid_argument"
		fixed   = "services.storage.wrong_es_static_settings_for_collection_recreation"
		name    = `"provided_name":"&i.c"`
	)
	controllertest.Run(t, newNode(t), []scenario{
		{"create", `collection:create ` + ic + `,"body":{"settings":{"index":{"number_of_shards":3},"refresh_interval":"1s","analysis":{"filter":{"f":{"type":"stop","stopwords":["a",1]}}},"index.hidden":false}}`, 200, "", ack, "*"},
		{"they are texts", get, 200, "", `{"analysis.filter.f.stopwords":["a","1"],"analysis.filter.f.type":"stop","hidden":"false","number_of_replicas":"0","number_of_shards":"3",` + name + `,"refresh_interval":"1s"}`, ""},
		{"change", update + `{"max_result_window":20000,"number_of_replicas":2,"analysis":{"filter":{"f":{"type":null,"stopwords":null}}},"hidden":null}}`, 200, "", `null`, ""},
		{"the others stay", get, 200, "", `{"max_result_window":"20000","number_of_replicas":"2","number_of_shards":"3",` + name + `,"refresh_interval":"1s"}`, ""},
		{"the same shards", update + `{"number_of_shards":"3"}}`, 200, "", `null`, ""},
		{"no shards at all", update + `{"number_of_shards":null}}`, 400, fixed, "", ""},
		{"other shards", update + `{"index.number_of_shards":5}}`, 400, fixed, "", ""},
		{"other shards in another way", `collection:create ` + ic + `,"body":{"settings":{"number_of_shards":1}}`, 400, fixed, "", ""},
		{"unknown", update + `{"number_of_foo":1}}`, 400, unknown, "", ""},
		{"unknown to create", `collection:create "index":"i","collection":"d","body":{"settings":{"index":{"refresh":1}}}`, 400, unknown, "", ""},
		{"a group is none", update + `{"analysis":1}}`, 400, invalid, "", ""},
		{"too many replicas", update + `{"number_of_replicas":5000}}`, 400, invalid, "", ""},
		{"shards that are none", `collection:create "index":"i","collection":"d","body":{"settings":{"number_of_shards":0}}`, 400, invalid, "", ""},
		{"shards that are no number", `collection:create "index":"i","collection":"d","body":{"settings":{"number_of_shards":"many"}}`, 400, invalid, "", ""},
		{"nothing was made", `collection:exists "index":"i","collection":"d"`, 200, "", `false`, ""},
		{"nothing was changed", get, 200, "", `{"max_result_window":"20000","number_of_replicas":"2","number_of_shards":"3",` + name + `,"refresh_interval":"1s"}`, ""},
		{"analysis", update + `{"analysis":{"filter":{"f":{"type":"stop","stopwords":["a"]}},"analyzer":{"a":{"tokenizer":"standard","filter":["f"]}}}}}`, 200, "", `null`, ""},
		{"another setting beside it", update + `{"hidden":true}}`, 200, "", `null`, ""},
		{"all of the group is taken away", update + `{"analysis":null}}`, 200, "", `null`, ""},
		{"and gone", get, 200, "", `{"hidden":"true","max_result_window":"20000","number_of_replicas":"2","number_of_shards":"3",` + name + `,"refresh_interval":"1s"}`, ""},
		{"no analysis for a new one", `collection:create "index":"i","collection":"f","body":{"settings":{"analysis":null}}`, 200, "", ack, "*"},
		{"shards of another", `collection:create "index":"i","collection":"e"`, 200, "", ack, "*"},
		{"that are one", `collection:update "index":"i","collection":"e","body":{"settings":{"number_of_shards":1}}`, 200, "", `null`, ""},
		{"and not two", `collection:update "index":"i","collection":"e","body":{"settings":{"number_of_shards":2}}`, 400, fixed, "", ""},
	})
}
