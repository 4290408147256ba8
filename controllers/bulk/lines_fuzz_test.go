package bulk

import (
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
)

// FuzzLines: lines are refused, or each is an action or the document of the one before.
func FuzzLines(f *testing.F) {
	for _, lines := range []string{
		`[]`, `[{"index":{}},{"a":1}]`, `[{"create":{"_id":"1","_index":"other"}},{}]`, `[{"delete":{"_id":"1"}},{"delete":{"_id":"2"}}]`,
		`[{"update":{"_id":"1"}},{"doc":{"a":1},"upsert":{"b":2}}]`, `[{"update":{"_id":"1"}},{"doc":{},"doc_as_upsert":true}]`,
		`[{"update":{"_id":"1"}},{"script":{}}]`, `[{"index":{"_routing":"x"}},{}]`, `[{"index":{}}]`, `[{"index":{},"delete":{}}]`, `[null,1]`,
	} {
		f.Add([]byte(lines))
	}
	s := stamps{jsontext.Value(`{"author":"ann","createdAt":1}`), jsontext.Value(`{"updater":"ann","updatedAt":1}`)}
	f.Fuzz(func(t *testing.T, body []byte) {
		var lines []jsontext.Value
		if json.Unmarshal(body, &lines) != nil {
			return
		}
		operations, err := parse(lines, s)
		if err != nil && operations != nil {
			t.Fatalf("%d operations beside the error %v", len(operations), err)
		}
		used := 0
		for _, o := range operations {
			used++
			if o.sent != nil {
				used++
			}
			if o.op.Kind == storage.OpDelete != (o.sent == nil) {
				t.Errorf("%s with the document %s", o.name, o.sent)
			}
			for _, source := range []jsontext.Value{o.op.Source, o.op.Default} {
				if source != nil && (!source.IsValid() || source.Kind() != '{') {
					t.Errorf("%s would store %s", o.name, source)
				}
			}
		}
		if err == nil && used != len(lines) {
			t.Errorf("%d of %d lines were read", used, len(lines))
		}
	})
}
