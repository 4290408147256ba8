package e2e

import (
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

// TestRefusalsSayWhatToDo: what cannot be asked for is an error of the catalogue that names what is wrong.
func TestRefusalsSayWhatToDo(t *testing.T) {
	nodetest.NeedsEmbedded(t, "it has texts of its own")
	n := nodetest.Start(t, nodetest.Options{Dev: true})
	n.Must("POST", "/i/_create", "")
	n.Must("PUT", "/i/c", `{"mappings":{"properties":{
		"k":{"type":"keyword"},"t":{"type":"text"},"r":{"type":"integer_range"},"f":{"type":"float_range"},"a":{"type":"ip_range"}}}}`)
	n.Must("POST", "/i/c/1/_create?refresh=wait_for", `{"k":"x"}`)
	for _, c := range []struct{ path, body, id, want string }{
		{"/i/c/_create", `"x"`, "api.assert.invalid_type", "object or array"},
		{"/i/c/_create", `5`, "api.assert.invalid_type", "object or array"},
		{"/i/c/_create", `true`, "api.assert.invalid_type", "object or array"},
		{"/i/c/_create", `{"a":{"b":1,"c":2,"b":3}}`, "network.http.body_parse_failed", `the key "a/b" is there twice`},
		{"/i/c/_count", `{"min_score":1}`, "api.assert.unexpected_argument", "query alone"},
		{"/i/c/_search?from=9999&size=2", `{}`, "services.storage.invalid_argument", "search_after or a scroll"},
		{"/i/c/_search", `{"highlight":{"fields":{"t":{"type":"x"}}}}`, "services.storage.unexpected_bad_request", "expected one of unified, plain"},
		{"/i/c/_search", `{"query":{"term":{"r":"x"}}}`, "services.storage.unexpected_bad_request", "of type [integer_range]"},
		{"/i/c/_search", `{"query":{"range":{"f":{"gt":"x"}}}}`, "services.storage.unexpected_bad_request", "of type [float_range]"},
		{"/i/c/_search", `{"query":{"term":{"a":"x"}}}`, "services.storage.unexpected_bad_request", "of type [ip_range]"},
		{"/i/c/_search", `{"query":{"term":{"_index":"c"}}}`, "services.storage.unexpected_bad_request", "name the collections in targets"},
		{"/i/c/_search", `{"query":{"terms":{"_index":["c"]}}}`, "services.storage.unexpected_bad_request", "name the collections in targets"},
		{"/i/c/_search", `{"aggs":{"a":{"terms":{"field":"_index"}}}}`, "services.storage.unexpected_bad_request", "[_index] is not supported for aggregation [terms]"},
		{"/i/c/_search", `{"aggs":{"a":{"terms":{"field":"_id"}}}}`, "services.storage.unexpected_bad_request", "[_id] is not supported for aggregation [terms]"},
		{"/i/c/_search", `{"collapse":{"field":"k","inner_hits":[{"name":"a"},{"name":"a","size":1}]}}`, "services.storage.unexpected_bad_request", `the name "a" is there twice`},
	} {
		a := n.HTTP("POST", c.path, c.body)
		id, _ := a.Get("error.id").(string)
		message, _ := a.Get("error.message").(string)
		if a.Status != 400 || id != c.id || !strings.Contains(message, c.want) {
			t.Errorf("%s %s: %s, want %s with %q", c.path, c.body, a.Body, c.id, c.want)
		}
	}
}
