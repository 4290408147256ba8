package aggregation_test

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/mapping"
)

// TestElasticsearch compares with what Elasticsearch 8.14 answered to the same aggregations of the same documents.
func TestElasticsearch(t *testing.T) {
	var recorded struct {
		Mappings  jsontext.Value   `json:"mappings"`
		Documents []jsontext.Value `json:"documents"`
		Cases     []struct {
			Aggs  jsontext.Value `json:"aggs"`
			IDs   *[]string      `json:"ids"`
			Want  string         `json:"want"` // byte by byte
			Error string         `json:"error"`
		} `json:"cases"`
	}
	data, err := os.ReadFile("testdata/elasticsearch.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	m := parse(t, string(recorded.Mappings))
	docs := make([]string, len(recorded.Documents))
	for i, d := range recorded.Documents {
		docs[i] = string(d)
	}
	made := map[string]map[string][]part{}
	for _, c := range recorded.Cases {
		ids := "all"
		if c.IDs != nil {
			ids = strings.Join(*c.IDs, " ")
		}
		if made[ids] == nil {
			made[ids] = layouts(t, m, docs, func(i int) bool { return c.IDs == nil || slices.Contains(*c.IDs, strconv.Itoa(i)) })
		}
		for name, parts := range made[ids] {
			got := aggregate(t, string(c.Aggs), parts...)
			switch {
			case c.Want != "" && got != c.Want:
				t.Errorf("%s, %s:\n got %s\nwant %s", c.Aggs, name, got, c.Want)
			case c.Want == "" && !strings.Contains(got, essence(c.Error)):
				t.Errorf("%s, %s:\n got %s\nwant the error %s", c.Aggs, name, got, c.Error)
			}
		}
	}
}

// layouts puts documents into segments in several ways.
func layouts(t *testing.T, m *mapping.Mapping, docs []string, wanted func(i int) bool) map[string][]part {
	t.Helper()
	one := memory(t, m, docs, wanted)
	first, last := memory(t, m, docs[:3], wanted), memory(t, m, docs[3:], func(i int) bool { return wanted(i + 3) })
	return map[string][]part{
		"memory": {one}, "file": {file(t, one)}, "two": {file(t, first), last}, "empty": {memory(t, m, nil, wanted), one},
	}
}

// essence is the part of an error of Elasticsearch that is the same here, where the index has no name and JSON was read before.
func essence(reason string) string {
	if i := strings.Index(reason, "[terms] failed"); i >= 0 {
		return reason[i:]
	}
	reason, _, _ = strings.Cut(reason, " in [c-agg]")
	reason, _, _ = strings.Cut(reason, ": [failed to parse")
	return strings.ReplaceAll(reason, "strict_date_optional_time||epoch_millis]", "")
}
