package e2e

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

// fill makes i/c, with as many documents as are wanted: {"n": number, "text": "…"}.
func fill(t *testing.T, n *nodetest.Node, documents int) {
	t.Helper()
	n.Must("PUT", "/i/c", `{"mappings":{"properties":{"n":{"type":"integer"},"text":{"type":"text"}}}}`)
	text := strings.Repeat("long ", 40)
	for from := 0; from < documents; from += 500 {
		var lines []string
		for i := from; i < min(from+500, documents); i++ {
			lines = append(lines, fmt.Sprintf(`{"index":{"_id":"%d"}},{"n":%d,"text":"%s\"%d\", and\nmore"}`, i, i, text, i))
		}
		n.Must("POST", "/i/c/_bulk?refresh=wait_for", `{"bulkData":[`+strings.Join(lines, ",")+`]}`)
	}
}

// TestRoutesOfSearch: every HTTP way to what finds documents leads where it should, and arguments are read from path, query and
// body.
func TestRoutesOfSearch(t *testing.T) {
	n := nodetest.Start(t, nodetest.Options{Dev: true})
	fill(t, n, 5)
	const term, none = `{"query":{"term":{"n":3}}}`, `{"query":{"term":{"n":99}}}`
	query := "?searchBody=" + url.QueryEscape(`{"query":{"term":{"n":3}},"_source":false}`)
	for _, c := range []struct {
		method, path, body, action string
		status                     int
		result                     string // "" is any
	}{
		{"GET", "/i/c/_search" + query, "", "document:search", 200, `{"hits":[{"_id":"3","_score":1,"index":"i","collection":"c"}],"total":1}`},
		{"GET", "/i/c/_search" + query + "&lang=sql", "", "document:search", 400, ""},
		{"GET", "/i/c/_search?size=0", term, "document:search", 200, `{"hits":[],"total":5}`},
		{"GET", "/i/c/_search?from=1&size=0&searchBody", "", "document:search", 400, ""},
		{"GET", "/i/c/_search?searchBody={", "", "document:search", 400, ""},
		{"GET", "/i/c/_search?searchBody=[]", "", "document:search", 400, ""},
		{"GET", "/i/c/_search?size=x", "", "document:search", 400, ""},
		{"GET", "/i/c/_search?targets=" + url.QueryEscape(`[{"index":"i","collections":["c"]}]`), "", "document:search", 400, ""},
		{"POST", "/i/c/_search?size=0", term, "document:search", 200, `{"hits":[],"total":1}`},
		{"POST", "/i/c/_search", `{"query":{"query_string":{"query":"n:[3 TO *] AND NOT n:4"}},"_source":false}`, "document:search", 200, `{"hits":[{"_id":"3","_score":1,"index":"i","collection":"c"}],"total":1}`},
		{"POST", "/i/c/_search?size=0", `{"query":{"simple_query_string":{"query":"lon* + (mor~1 | nothing) -\"long and\"","fields":["text"]}}}`, "document:search", 200, `{"hits":[],"total":5}`},
		{"POST", "/i/c/_search", `{"query":{"query_string":{"query":"n:(3"}}}`, "document:search", 400, ""},
		{"POST", "/i/c/_search?size=10001", "", "document:search", 413, ""},
		{
			"POST", "/i/c/_search?size=1", `{"query":{"term":{"n":3}},"_source":false,"collapse":{"field":"n","inner_hits":{"name":"all","_source":false}}}`,
			"document:search", 200, `{"hits":[{"_id":"3","_score":1,"fields":{"n":[3]},"inner_hits":{"all":[{"_id":"3","_score":1,"index":"i","collection":"c"}]},` +
				`"index":"i","collection":"c"}],"total":1}`,
		},
		{"POST", "/i/x/_search", "", "document:search", 412, ""},
		{"GET", "/_scroll/none", "", "document:scroll", 404, ""},
		{"POST", "/i/c/_count", term, "document:count", 200, `{"count":1}`},
		{"POST", "/i/c/_count", "", "document:count", 200, `{"count":5}`},
		{"POST", "/i/c/_validate", `{"n":1}`, "document:validate", 200, `{"valid":true,"errorMessages":{}}`},
		{"GET", "/i/c/_export?format=xml", "", "document:export", 400, ""},
		{"POST", "/i/x/_export", "", "document:export", 412, ""},
		{"PUT", "/i/c/_query", `{"query":{"term":{"n":99}},"changes":{}}`, "document:updateByQuery", 200, `{"successes":[],"errors":[]}`},
		{"DELETE", "/i/c/_query?source", none, "document:deleteByQuery", 200, `{"documents":[],"ids":[]}`},
		{"PATCH", "/i/c/_bulk/_query", `{"query":{"term":{"n":99}},"changes":{}}`, "bulk:updateByQuery", 200, `{"updated":0}`},
		{"DELETE", "/i/c/_bulk/_query", none, "bulk:deleteByQuery", 200, `{"deleted":0}`},
		{"GET", "/_storageStats", "", "index:stats", 200, ""},
	} {
		a := n.HTTP(c.method, c.path, c.body)
		action, _ := a.Get("action").(string)
		controller, _ := a.Get("controller").(string)
		if controller+":"+action != c.action {
			t.Errorf("%s %s leads to %s:%s: %s", c.method, c.path, controller, action, a.Body)
		}
		if a.Status != c.status || c.result != "" && !strings.Contains(a.Body, `"result":`+c.result+`,"headers"`) {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, a.Status, a.Body, c.status, c.result)
		}
	}
	found := n.Must("POST", "/i/c/_search?size=2&scroll=30s", `{"sort":["n"]}`)
	id, _ := found.Get("result.scrollId").(string)
	if next := n.Must("GET", "/_scroll/"+url.PathEscape(id)+"?scroll=10s", ""); next.Get("result.remaining") != 1.0 || next.Get("result.total") != 5.0 {
		t.Error(next.Body)
	}
	s := n.WebSocket()
	if a := s.Call(`{"requestId":"1","controller":"document","action":"export","index":"i","collection":"c"}`); a.Get("error.id") != "api.assert.unsupported_protocol" {
		t.Error(a.Body)
	}
	if a := n.Query(`{"controller":"document","action":"search","targets":[{"index":"i","collections":["c"]}],"size":0}`); a.Get("result.total") != 5.0 {
		t.Error(a.Body)
	}
}

// TestExport streams a collection that is larger than what is held in memory at a time.
func TestExport(t *testing.T) {
	const documents = 3000
	n := nodetest.Start(t, nodetest.Options{Dev: true})
	fill(t, n, documents)
	base := "http://" + n.Client.Address + "/i/c/_export"

	resp, err := http.Get(base + "?format=csv&separator=" + url.QueryEscape(";") + "&fields=" + url.QueryEscape(`["n","text"]`) + "&fieldsName=" + url.QueryEscape(`{"n":"number"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("Content-Type") != "text/csv" || resp.Header.Get("Content-Disposition") != "attachment; filename=i-c.csv" || resp.ContentLength >= 0 || resp.Header.Get("X-Kuzzle-Node") == "" {
		t.Errorf("%+v", resp.Header)
	}
	table := csv.NewReader(resp.Body)
	table.Comma = ';'
	rows, err := table.ReadAll()
	if err != nil || len(rows) != documents+1 || strings.Join(rows[0], " ") != "_id number text" {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		seen[row[0]] = true
		if row[1] != row[0] || !strings.HasSuffix(row[2], `long "`+row[0]+"\", and\nmore") {
			t.Fatalf("%q", row)
		}
	}
	if len(seen) != documents {
		t.Errorf("%d documents", len(seen))
	}

	resp, err = http.Post(base, "application/json", strings.NewReader(`{"query":{"range":{"n":{"lt":1000}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	count := 0
	for ; lines.Scan(); count++ {
		var line struct {
			Type string
			ID   string `json:"_id"`
			Body struct{ N int }
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil || count == 0 && line.Type != "collection" || count > 0 && line.ID != strconv.Itoa(line.Body.N) {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
	}
	if lines.Err() != nil || count != 1001 || resp.Header.Get("Content-Type") != "html/text" {
		t.Errorf("%d lines, %v, %v", count, lines.Err(), resp.Header)
	}
}

// TestExportIsALink, as the Admin Console makes it: the right to read travels in the URL.
func TestExportIsALink(t *testing.T) {
	n := nodetest.Start(t, nodetest.Options{})
	n.Must("POST", "/_createFirstAdmin/root", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
	token := n.Login("root", "root-Secret-1", "")
	n.Must("PUT", "/i/c", "", "Authorization: Bearer "+token)
	if a := n.HTTP("GET", "/i/c/_export?format=csv", ""); a.Status != http.StatusUnauthorized {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	resp, err := http.Get("http://" + n.Client.Address + "/i/c/_export?format=csv&query=%7B%7D&fields=%5B%5D&jwt=" + token)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK || string(body) != "_id\n" {
		t.Errorf("%d %q %v", resp.StatusCode, body, err)
	}
}

// TestExportToNobody: a client that leaves in the middle takes nothing else with it.
func TestExportToNobody(t *testing.T) {
	n := nodetest.Start(t, nodetest.Options{Dev: true})
	fill(t, n, 20000)
	conn, err := net.Dial("tcp", n.Client.Address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /i/c/_export HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 64<<10)); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	n.Must("DELETE", "/i/c", "")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the collection could be deleted after %v", took)
	}
}

// TestNeighbours: a client finds the documents whose vectors are near, and what it does wrong is named.
func TestNeighbours(t *testing.T) {
	nodetest.NeedsEmbedded(t, "its neighbours are approximate")
	n := nodetest.Start(t, nodetest.Options{Dev: true})
	n.Must("PUT", "/i/c", `{"mappings":{"properties":{"v":{"type":"dense_vector","dims":2},"k":{"type":"keyword"}}}}`)
	for id, doc := range map[string]string{"east": `{"v":[1,0],"k":"a"}`, "north": `{"v":[0,1],"k":"a"}`, "west": `{"v":[-1,0],"k":"b"}`} {
		n.Must("POST", "/i/c/"+id+"/_create?refresh=wait_for", doc)
	}
	for _, c := range []struct {
		body   string
		status int
		want   string
	}{
		{`{"knn":{"field":"v","query_vector":[2,1],"k":2},"_source":false}`, 200, `"hits":[{"_id":"east","_score":0.9472136,`},
		{`{"knn":{"field":"v","query_vector":[2,1],"k":2}}`, 200, `"total":2`},
		{`{"knn":{"field":"v","query_vector":[2,1],"k":3,"filter":{"term":{"k":"b"}}},"_source":false}`, 200, `"hits":[{"_id":"west",`},
		{`{"knn":{"field":"v","query_vector":[2,1],"k":1},"query":{"term":{"k":"b"}}}`, 200, `"total":2`},
		{`{"query":{"bool":{"must_not":{"knn":{"field":"v","query_vector":[2,1],"num_candidates":2}}}},"_source":false}`, 200, `"hits":[{"_id":"west",`},
		{`{"knn":{"field":"v","query_vector":[2]}}`, 400, "it has 1 dimensions where the mapping of the field has 2"},
		{`{"knn":{"field":"v","vector":[2,1]}}`, 400, "knn.vector: unknown option"},
	} {
		if a := n.HTTP("POST", "/i/c/_search", c.body); a.Status != c.status || !strings.Contains(a.Body, c.want) {
			t.Errorf("%s: %d %s, want %d %s", c.body, a.Status, a.Body, c.status, c.want)
		}
	}
	if a := n.HTTP("POST", "/i/c/wrong/_create", `{"v":[1,2,3]}`); a.Status != 400 || !strings.Contains(a.Body, "more dimensions") {
		t.Errorf("a vector that is too long: %d %s", a.Status, a.Body)
	}
}

// TestShapes: a client finds documents by where their shapes are, and what it does wrong is named.
func TestShapes(t *testing.T) {
	nodetest.NeedsEmbedded(t, "this build of it has no shapes")
	n := nodetest.Start(t, nodetest.Options{Dev: true})
	n.Must("PUT", "/i/c", `{"mappings":{"properties":{"zone":{"type":"geo_shape"},"at":{"type":"geo_point"}}}}`)
	for id, doc := range map[string]string{
		"paris": `{"zone":{"type":"Polygon","coordinates":[[[2.2,48.8],[2.5,48.8],[2.5,48.9],[2.2,48.9],[2.2,48.8]]]},"at":[2.3,48.85]}`,
		"road":  `{"zone":{"type":"LineString","coordinates":[[2.3,48.85],[5,45.7]]},"at":[5,45.7]}`,
		"fiji":  `{"zone":"BBOX (177, -178, -16, -19)"}`,
	} {
		n.Must("POST", "/i/c/"+id+"/_create?refresh=wait_for", doc)
	}
	for _, c := range []struct {
		clause string
		status int
		want   string
	}{
		{`{"zone":{"shape":"POINT (2.4 48.83)","relation":"contains"}}`, 200, `"hits":[{"_id":"paris",`},
		{`{"zone":{"shape":{"type":"envelope","coordinates":[[2,49],[3,48]]}}}`, 200, `"total":2`},
		{`{"zone":{"shape":{"type":"envelope","coordinates":[[2,49],[3,48]]},"relation":"within"}}`, 200, `"hits":[{"_id":"paris",`},
		{`{"zone":{"shape":{"type":"envelope","coordinates":[[2,49],[3,48]]},"relation":"disjoint"}}`, 200, `"hits":[{"_id":"fiji",`},
		{`{"zone":{"shape":"POINT (180 -17)"}}`, 200, `"hits":[{"_id":"fiji",`},
		{`{"at":{"shape":"POLYGON ((4 45, 6 45, 5 46, 4 45))"}}`, 200, `"hits":[{"_id":"road",`},
		{`{"zone":{"indexed_shape":{"id":"paris"}}}`, 400, "give it as shape"},
		{`{"zone":{"shape":"POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))"}}`, 400, "query.geo_shape.zone.shape: Invalid shape"},
	} {
		if a := n.HTTP("POST", "/i/c/_search", `{"query":{"geo_shape":`+c.clause+`},"_source":false}`); a.Status != c.status || !strings.Contains(a.Body, c.want) {
			t.Errorf("%s: %d %s, want %d %s", c.clause, a.Status, a.Body, c.status, c.want)
		}
	}
	if a := n.HTTP("POST", "/i/c/wrong/_create", `{"zone":{"type":"Point","coordinates":[200,0]}}`); a.Status != 400 || !strings.Contains(a.Body, "invalid longitude 200") {
		t.Errorf("a shape that is not on earth: %d %s", a.Status, a.Body)
	}
}
