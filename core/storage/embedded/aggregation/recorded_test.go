package aggregation_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/query"
)

var recording = flag.Bool("record", false, "write testdata/recorded.json from the answers of the Elasticsearch at SLUICE_TEST_ELASTICSEARCH")

const recordedFile = "testdata/recorded.json"

// recorded are documents, and what Elasticsearch 8.14 answered to aggregations of them.
type recorded struct {
	Documents []string   `json:"documents"`
	Answers   []answered `json:"answers"`
}

type answered struct {
	Aggs string `json:"aggs"`
	// Want is the answer, empty for an error. The order of its members does not count.
	Want string `json:"want"`
}

const recordedMapping = `{"dynamic":"false","properties":{"uid":{"type":"keyword"},"k":{"type":"keyword"},"tags":{"type":"keyword"},"l":{"type":"long"},"i":{"type":"integer"},
	"d":{"type":"double"},"b":{"type":"boolean"},"at":{"type":"date"},"day":{"type":"date","format":"yyyy/MM/dd||epoch_second"},"ip":{"type":"ip"},
	"loc":{"type":"geo_point"},"t":{"type":"text"},"flat":{"type":"keyword","doc_values":false},
	"items":{"type":"nested","properties":{"name":{"type":"keyword"},"qty":{"type":"integer"},"parts":{"type":"nested","properties":{"code":{"type":"keyword"},"n":{"type":"integer"}}}}}}}`

// recordedDocuments makes documents: dates around the nights in which clocks are changed, several values and none.
func recordedDocuments() []string {
	r := rand.New(rand.NewPCG(8, 8))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	several := func(next func() string) string {
		if r.IntN(5) == 0 {
			return "[" + next() + "," + next() + "]"
		}
		return next()
	}
	date := func() string {
		return fmt.Sprintf(`"%s-%02dT%02d:%02d:%02d.%03dZ"`, pick("2021-03", "2021-10", "2021-12", "2022-01", "2022-06", "2020-02"), 1+r.IntN(29), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1000))
	}
	fields := []struct {
		name string
		next func() string
	}{
		{"k", func() string { return pick(`"red"`, `"green"`, `"blue"`, `"x y"`) }},
		{"tags", func() string { return pick(`"a"`, `"b"`, `"c"`, `"d"`, `"e"`) }},
		{"l", func() string { return fmt.Sprint(r.IntN(200) - 50) }},
		{"i", func() string { return fmt.Sprint(r.IntN(20)) }},
		{"d", func() string { return fmt.Sprint(float64(r.IntN(4000))/16 - 20) }},
		{"b", func() string { return pick("true", "false") }},
		{"at", date},
		{"day", func() string { return fmt.Sprintf(`"2021/%02d/%02d"`, 1+r.IntN(12), 1+r.IntN(28)) }},
		{"ip", func() string { return fmt.Sprintf(`"10.%d.%d.%d"`, r.IntN(2), r.IntN(3), r.IntN(256)) }},
		{"loc", func() string { return fmt.Sprintf(`{"lat":%v,"lon":%v}`, 48+r.Float64()*2, 2+r.Float64()*2) }},
		{"t", func() string { return pick(`"quick fox"`, `"lazy dog"`, `"fox and dog and fox"`) }},
		{"items", func() string {
			return fmt.Sprintf(`{"name":%s,"qty":%d,"parts":[{"code":%s,"n":%d},{"code":%s}]}`,
				pick(`"bolt"`, `"nut"`, `"gear"`), r.IntN(9), pick(`"p"`, `"q"`), r.IntN(5), pick(`"p"`, `"r"`))
		}},
	}
	docs := make([]string, 60)
	for n := range docs {
		members := []string{fmt.Sprintf(`"uid":"u%02d"`, n)}
		for _, f := range fields {
			if r.IntN(5) > 0 {
				members = append(members, fmt.Sprintf("%q:%s", f.name, several(f.next)))
			}
		}
		docs[n] = "{" + strings.Join(members, ",") + "}"
	}
	docs[7] = `{"uid":"u07"}`
	return docs
}

// TestRecorded compares with what Elasticsearch answered.
func TestRecorded(t *testing.T) {
	if *recording {
		recordAnswers(t)
	}
	data, err := os.ReadFile(recordedFile)
	if err != nil {
		t.Fatal(err)
	}
	var file recorded
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	layouts := layouts(t, parse(t, recordedMapping), file.Documents, all)
	for _, c := range file.Answers {
		for name, parts := range layouts {
			if got := found(t, c.Aggs, parts...); canonical(t, got) != canonical(t, c.Want) {
				t.Errorf("%s, %s:\n got %s\nwant %s", c.Aggs, name, got, c.Want)
			}
		}
	}
	if len(file.Answers) != len(recordedCases) {
		t.Errorf("%d answers of %d cases: record again", len(file.Answers), len(recordedCases))
	}
}

func canonical(t *testing.T, answer string) string {
	t.Helper()
	if answer == "" {
		return ""
	}
	var v any
	if err := json.Unmarshal([]byte(answer), &v); err != nil {
		t.Fatalf("%s: %v", answer, err)
	}
	same, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return string(same)
}

// found searches for all documents and gives the aggregations, empty for an error.
func found(t *testing.T, aggs string, parts ...part) string {
	t.Helper()
	s, err := query.ParseSearch(jsontext.Value(`{"aggs":` + aggs + `}`))
	if err != nil {
		return ""
	}
	target := search.Target{Mapping: parts[0].mapping}
	for _, p := range parts {
		target.Views = append(target.Views, segment.View{Segment: p.view.Segment, Live: p.view.Live, Lock: p.view.Lock})
	}
	r, err := search.Run(t.Context(), []search.Target{target}, search.Request{Search: s, Now: now})
	if err != nil {
		return ""
	}
	return string(r.Aggregations)
}

func recordAnswers(t *testing.T) {
	t.Helper()
	at := os.Getenv("SLUICE_TEST_ELASTICSEARCH") + "/b-aggregations"
	send(t, http.MethodDelete, at, "")
	send(t, http.MethodPut, at, `{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":`+recordedMapping+`}`)
	file := recorded{Documents: recordedDocuments()}
	for i, d := range file.Documents {
		send(t, http.MethodPut, fmt.Sprintf("%s/_doc/%d", at, i), d)
	}
	send(t, http.MethodPost, at+"/_refresh", "")
	for _, aggs := range recordedCases {
		answer := send(t, http.MethodPost, at+"/_search", `{"size":0,"aggs":`+aggs+`}`)
		var body struct {
			Aggregations jsontext.Value `json:"aggregations"`
			Error        jsontext.Value `json:"error"`
		}
		if err := json.Unmarshal(answer, &body); err != nil {
			t.Fatal(err)
		}
		if body.Error != nil {
			t.Logf("%s: %.400s", aggs, body.Error)
		}
		file.Answers = append(file.Answers, answered{aggs, string(body.Aggregations)})
	}
	send(t, http.MethodDelete, at, "")
	out, err := json.Marshal(file, jsontext.WithIndent(" "))
	if err == nil {
		err = os.WriteFile(recordedFile, out, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func send(t *testing.T, method, url, body string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Close = true
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
