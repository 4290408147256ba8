package document_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/controllertest"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// exported runs document:export as over HTTP: with GET, args are texts of a URL, otherwise members of an envelope.
func exported(t *testing.T, n *controllertest.Node, verb string, args map[string]string, body string) (*protocol.Response, string, error) {
	t.Helper()
	r := &protocol.Request{
		Controller: "document", Action: "export", Index: "i", Collection: "c", Args: protocol.TextArgs(),
		Connection: &protocol.Connection{Protocol: "http", Verb: verb},
	}
	for name, value := range args {
		r.Args.AddText(name, value)
	}
	if body != "" {
		r.Body = jsontext.Value(body)
	}
	a := n.Funnel.Execute(t.Context(), r)
	if a.Stream == nil {
		return a, "", nil
	}
	var out bytes.Buffer
	err := a.Stream(t.Context(), &out)
	return a, out.String(), err
}

// export must succeed.
func mustExport(t *testing.T, n *controllertest.Node, verb string, args map[string]string, body string) string {
	t.Helper()
	a, out, err := exported(t, n, verb, args, body)
	if err != nil || a.Error != nil {
		t.Errorf("%s %v %s: %v %v", verb, args, body, a.Error, err)
	}
	return out
}

// sorted gives lines in order, but for the first: an export has none.
func sorted(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := range lines[1:] {
		for j := range lines[1:] {
			if lines[i+1] < lines[j+1] {
				lines[i+1], lines[j+1] = lines[j+1], lines[i+1]
			}
		}
	}
	return strings.Join(lines, "\n")
}

func TestExportLines(t *testing.T) {
	n := library(t, newNode(t), 3)
	const head = `{"type":"collection","index":"i","collection":"c"}`
	a, out, err := exported(t, n, "GET", nil, "")
	want := head + "\n" + `{"_id":"b0","body":` + source(0) + "}\n" + `{"_id":"b1","body":` + source(1) + "}\n" + `{"_id":"b2","body":` + source(2) + "}"
	if err != nil || sorted(out) != want || !strings.HasSuffix(out, "\n") {
		t.Errorf("%v\n%s", err, out)
	}
	if a.ContentType != "html/text" || a.Header.Get("Content-Disposition") != "attachment; filename=i-c.jsonl" {
		t.Errorf("%s %v", a.ContentType, a.Header)
	}
	if fired := n.Fired(); !strings.HasPrefix(fired, `generic:document:afterGet [{"_id":"b`) {
		t.Error(fired)
	}
	odd := head + "\n" + `{"_id":"b1","body":` + source(1) + "}\n"
	for name, got := range map[string]string{
		"GET":                mustExport(t, n, "GET", map[string]string{"query": `{"term":{"tag":"odd"}}`, "size": "1"}, ""),
		"GET, koncorde":      mustExport(t, n, "GET", map[string]string{"query": `{"equals":{"tag":"odd"}}`, "lang": "koncorde"}, ""),
		"POST":               mustExport(t, n, "POST", map[string]string{"format": "jsonl", "scroll": "1m"}, `{"query":{"term":{"tag":"odd"}},"sort":[{"n":"asc"}]}`),
		"GET ignores a body": mustExport(t, n, "GET", map[string]string{"query": `{"term":{"tag":"odd"}}`}, `{"query":{"ids":{"values":[]}}}`),
	} {
		if got != odd {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := mustExport(t, n, "POST", nil, `{"query":{"term":{"tag":"odd"}},"collapse":{"field":"tag"}}`); got != odd {
		t.Errorf("collapsed: %s", got)
	}
	if got := mustExport(t, n, "POST", nil, `{"query":{"ids":{"values":[]}}}`); got != head+"\n" {
		t.Errorf("none: %s", got)
	}
	where := storage.Collection{Index: "i", Name: "c"}
	if _, _, err := n.Engine.Put(t.Context(), where, "b\n", []byte("{\n \"a\" : \"\\n\"\n}"), storage.WriteOptions{Refresh: storage.RefreshWaitFor}); err != nil {
		t.Fatal(err)
	}
	if got := mustExport(t, n, "POST", nil, `{"query":{"ids":{"values":["b\n"]}}}`); got != head+"\n"+`{"_id":"b\n","body":{"a":"\n"}}`+"\n" {
		t.Errorf("line breaks: %s", got)
	}
}

func TestExportTable(t *testing.T) {
	n := library(t, newNode(t), 2)
	where := storage.Collection{Index: "i", Name: "c"}
	const odd = `{"n":9,"big":18014398509481985,"tag":"a \"b\",\nc;d","by":[{"name":"x"},{"age":1},{"name":["y",null]}],"by.name":"z","deep":{"a":{"b":true}},"list":["p",1.50],"gone":null,"text":""}`
	if _, _, err := n.Engine.Put(t.Context(), where, "b9", []byte(odd), storage.WriteOptions{Refresh: storage.RefreshWaitFor}); err != nil {
		t.Fatal(err)
	}
	a, out, err := exported(t, n, "GET", map[string]string{"format": "csv", "query": `{"term":{"tag":"odd"}}`}, "")
	if err != nil || out != "_id,by.name,n,tag\nb1,ic,1,odd\n" {
		t.Errorf("all fields: %v %q", err, out)
	}
	if a.ContentType != "text/csv" || a.Header.Get("Content-Disposition") != "attachment; filename=i-c.csv" {
		t.Errorf("%s %v", a.ContentType, a.Header)
	}
	const b9 = `"query":{"ids":{"values":["b9"]}}`
	for _, c := range []struct{ name, separator, body, want string }{
		{"quotes", ",", `"fields":["tag","big"]`, "_id,tag,big\nb9,\"a \"\"b\"\",\nc;d\",18014398509481985\n"},
		{"another separator", ";", `"fields":["tag","big"]`, "_id;tag;big\nb9;\"a \"\"b\"\",\nc;d\";18014398509481985\n"},
		{"a wide separator", "→", `"fields":["big"]`, "_id→big\nb9→18014398509481985\n"},
		{"nested", ",", `"fields":["deep.a.b","deep.a","deep","deep.x"]`, "_id,deep.a.b,deep.a,deep,deep.x\nb9,true,\"{\"\"b\"\":true}\",\"{\"\"a\"\":{\"\"b\"\":true}}\",\n"},
		{"below a list", ",", `"fields":["by.name"]`, "_id,by.name\nb9,\"[\"\"x\"\",[\"\"y\"\",null],\"\"z\"\"]\"\n"},
		{"lists, null and nothing", ",", `"fields":["list","gone","none","text"]`, "_id,list,gone,none,text\nb9,\"[\"\"p\"\",1.50]\",,,\n"},
		{"named", ",", `"fields":["big","tag"],"fieldsName":{"big":"number, whole","_id":"id","x":"y"}`, "id,\"number, whole\",tag\nb9,18014398509481985,\"a \"\"b\"\",\nc;d\"\n"},
		{"twice", ",", `"fields":["big","_id","big"]`, "_id,big\nb9,18014398509481985\n"},
	} {
		got := mustExport(t, n, "POST", map[string]string{"format": "csv", "separator": c.separator}, `{`+b9+`,`+c.body+`}`)
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	args := map[string]string{"format": "csv", "fields": "tag,n", "fieldsName": `{"n":"N"}`, "query": `{"term":{"tag":"odd"}}`}
	if got := mustExport(t, n, "POST", args, ""); got != "_id,tag,N\nb1,odd,1\n" {
		t.Errorf("POST with all in the URL: %q", got)
	}
	if got := mustExport(t, n, "POST", args, `{"fields":["n"],"fieldsName":{}}`); got != "_id,n\nb1,1\n" {
		t.Errorf("the body comes first: %q", got)
	}
	get := map[string]string{"format": "csv", "query": `{"term":{"tag":"odd"}}`, "fields": `["n"]`, "fieldsName": `{"n":"N"}`}
	if got := mustExport(t, n, "GET", get, ""); got != "_id,N\nb1,1\n" {
		t.Errorf("GET: %q", got)
	}
	get["fields"] = "tag,n"
	if got := mustExport(t, n, "GET", get, ""); got != "_id,tag,N\nb1,odd,1\n" {
		t.Errorf("GET, fields as the SDK writes them: %q", got)
	}
}

func TestExportRefusals(t *testing.T) {
	n := library(t, newNode(t), 3)
	for _, c := range []struct {
		verb string
		args map[string]string
		body string
		id   string
	}{
		{"GET", map[string]string{"format": "xml"}, "", "api.assert.invalid_argument"},
		{"GET", map[string]string{"format": "csv", "separator": ""}, "", "api.assert.invalid_argument"},
		{"GET", map[string]string{"format": "csv", "separator": "||"}, "", "api.assert.invalid_argument"},
		{"GET", map[string]string{"format": "csv", "separator": `"`}, "", "api.assert.invalid_argument"},
		{"GET", map[string]string{"query": `{"term"`}, "", "api.assert.invalid_type"},
		{"GET", map[string]string{"query": `[]`}, "", "api.assert.invalid_type"},
		{"GET", map[string]string{"query": `{"near":{}}`}, "", "services.storage.unknown_query_keyword"},
		{"GET", map[string]string{"fieldsName": `["a"]`}, "", "api.assert.invalid_type"},
		{"GET", map[string]string{"fields": `[1]`}, "", "api.assert.invalid_type"},
		{"GET", map[string]string{"size": "5"}, "", "services.storage.get_limit_exceeded"},
		{"GET", map[string]string{"size": "x"}, "", "api.assert.invalid_type"},
		{"GET", map[string]string{"scroll": "2m"}, "", "services.storage.scroll_duration_too_great"},
		{"GET", map[string]string{"lang": "sql"}, "", "api.assert.invalid_argument"},
		{"POST", nil, `[]`, "api.assert.invalid_type"},
		{"POST", nil, `{"query":"*"}`, "api.assert.invalid_type"},
		{"POST", nil, `{"query":{"script":{}}}`, "services.storage.invalid_query_keyword"},
		{"POST", nil, `{"collapse":"n"}`, "api.assert.invalid_type"},
		{"POST", nil, `{"fields":"n"}`, "api.assert.invalid_type"},
		{"POST", nil, `{"fieldsName":{"n":1}}`, "api.assert.invalid_type"},
	} {
		a, _, _ := exported(t, n, c.verb, c.args, c.body)
		if a.Error == nil || a.Error.ID != c.id {
			t.Errorf("%s %v %s: %v, want %s", c.verb, c.args, c.body, a.Error, c.id)
		}
	}
	controllertest.Run(t, n, []scenario{
		{"over WebSocket", `document:export ` + c, 500, "api.assert.unsupported_protocol", "", ""},
	})
	for _, c := range []struct{ index, collection, id string }{
		{"x", "c", "services.storage.unknown_index"},
		{"i", "x", "services.storage.unknown_collection"},
		{"i", "*", "services.storage.invalid_multi_index_collection_usage"},
		{"", "c", "api.assert.missing_argument"},
	} {
		r := &protocol.Request{
			Controller: "document", Action: "export", Index: c.index, Collection: c.collection,
			Connection: &protocol.Connection{Protocol: "http", Verb: "POST"},
		}
		if a := n.Funnel.Execute(t.Context(), r); a.Error == nil || a.Error.ID != c.id {
			t.Errorf("%s/%s: %v, want %s", c.index, c.collection, a.Error, c.id)
		}
	}
}

// full takes some bytes and fails then.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

// TestExportThatFails: what goes wrong while it runs ends the stream.
func TestExportThatFails(t *testing.T) {
	n := library(t, newNode(t), 4)
	r := func() *protocol.Request {
		return &protocol.Request{
			Controller: "document", Action: "export", Index: "i", Collection: "c", Body: jsontext.Value(`{}`),
			Connection: &protocol.Connection{Protocol: "http", Verb: "POST"},
		}
	}
	if err := n.Funnel.Execute(t.Context(), r()).Stream(t.Context(), &full{10}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a client that takes nothing: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Funnel.Execute(t.Context(), r()).Stream(gone, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that is gone: %v", err)
	}
	unsuited := r()
	unsuited.Body = jsontext.Value(`{"query":{"range":{"n":{"gt":"x"}}}}`)
	var out bytes.Buffer
	if err := n.Funnel.Execute(t.Context(), unsuited).Stream(t.Context(), &out); !errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) || out.Len() > 0 {
		t.Errorf("a query that does not suit: %v, %s", err, &out)
	}
	collapsed := r()
	collapsed.Body = jsontext.Value(`{"collapse":{"field":"none"}}`)
	if err := n.Funnel.Execute(t.Context(), collapsed).Stream(t.Context(), &out); !errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) || out.Len() > 0 {
		t.Errorf("collapse by a field that is not mapped: %v, %s", err, &out)
	}
	n.Pipe(t, announce.AfterGet, controllertest.Refuse)
	if err := n.Funnel.Execute(t.Context(), r()).Stream(t.Context(), &out); err == nil || out.Len() > 0 {
		t.Errorf("a pipe that refuses: %v, %s", err, &out)
	}
	n.Pipe(t, announce.AfterGet, plugin(`[{"_id":"a"},{"_id":"b"},{"_id":"c"},{"_id":"d"}]`))
	if err := n.Funnel.Execute(t.Context(), r()).Stream(t.Context(), &out); err != nil || !strings.Contains(out.String(), `{"_id":"d","body":null}`) {
		t.Errorf("a pipe that takes the source away: %v, %s", err, &out)
	}
}
