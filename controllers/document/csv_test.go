package document

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/announce"
)

// FuzzTable: whatever a document holds, a reader of CSV finds one row with the columns that were asked for, and a text in it
// as it was.
func FuzzTable(f *testing.F) {
	f.Add(`{"a":{"b":1}}`, "a.b", ",", "id")
	f.Add(`{"a":[{"b":"\"x\",\r\n"},{"b":null}],"a.b":[[{}]]}`, "a.b", "\t", "=1+1")
	f.Add(`{"":{"":"\u0000\ud83d\ude00"}}`, ".", "→", "\"")
	f.Add(`[]`, "a", ";", "")
	f.Fuzz(func(t *testing.T, source, path, separator, id string) {
		comma, err := commaOf(separator)
		if err != nil || !jsontext.Value(source).IsValid() {
			return
		}
		var out bytes.Buffer
		w := newCSV(&out, comma, columns{paths: []string{path}})
		if err := w.document(announce.Doc{ID: id, Source: jsontext.Value(source)}); err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		if err := w.flush(); err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(&out)
		r.Comma = comma
		rows, err := r.ReadAll()
		if err != nil || len(rows) != 1 || len(rows[0]) != 2 {
			t.Fatalf("%q: %q %v", out.String(), rows, err)
		}
		carriageReturns := strings.NewReplacer("\r\n", "\n") // the reader turns them
		if rows[0][0] != carriageReturns.Replace(id) {
			t.Errorf("id %q: %q", id, rows[0][0])
		}
		var flat map[string]string
		if json.Unmarshal([]byte(source), &flat) == nil && rows[0][1] != carriageReturns.Replace(flat[path]) {
			t.Errorf("%s: %q", source, rows[0][1])
		}
	})
}
