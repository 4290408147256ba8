package storagebench_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/core/storage/storagebench"
)

// little is a run that takes a second for each target.
var little = storagebench.Options{Documents: 1000, Time: 20 * time.Millisecond, Callers: []int{1, 3}, Log: func(string) {}}

// rowNames are the rows that every engine has.
var rowNames = []string{
	"first load", "get", "term", "bool, range, sort", "match", "match_all, sort", "geo, 200 km", "terms aggregation",
	"filtered aggregation", "date_histogram", "count", "search during upserts", "upserts during searches", "create",
	"create, then found", "bulk", "updateByQuery", "deleteByQuery",
}

func TestEngines(t *testing.T) {
	parent := t.TempDir()
	targets := []storagebench.Target{open(t, func() (storagebench.Target, error) { return storagebench.Embedded(t.Context(), parent) })}
	if address := os.Getenv("SLUICE_TEST_ELASTICSEARCH"); address != "" {
		targets = append(targets, open(t, func() (storagebench.Target, error) { return storagebench.Elasticsearch(t.Context(), address) }))
	} else if os.Getenv("SLUICE_TEST_ALL") != "" {
		t.Fatal("SLUICE_TEST_ALL is set and SLUICE_TEST_ELASTICSEARCH is not")
	}
	report, err := storagebench.Engines(t.Context(), targets, little)
	if err != nil {
		t.Fatal(err)
	}
	var table, plot bytes.Buffer
	if err := report.Write(&table); err != nil {
		t.Fatal(err)
	}
	for _, name := range rowNames {
		if !strings.Contains(table.String(), "\n| "+name) {
			t.Errorf("the table has no row %q:\n%s", name, table.String())
		}
	}
	for _, r := range report.Results {
		if r.PerSecond <= 0 || r.P50 <= 0 || r.P99 < r.P50 {
			t.Errorf("%s", r)
		}
	}
	for _, target := range targets {
		if err := target.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(parent); len(left) > 0 || err != nil {
		t.Errorf("%d folders are left, %v", len(left), err)
	}
	if len(targets) == 1 {
		return
	}
	if err := report.Plot(&plot); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plot.String(), "updateByQuery, 3") {
		t.Error("the plot names no row")
	}
	for d := xml.NewDecoder(&plot); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the plot is no XML: %v", err)
		}
	}
}

func open(t *testing.T, target func() (storagebench.Target, error)) storagebench.Target {
	t.Helper()
	opened, err := target()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	return opened
}

// forgetful loses every tenth document.
type forgetful struct{ storagebench.Target }

func (forgetful) Name() string { return "forgetful" }

func (f forgetful) Bulk(ctx context.Context, documents []storagebench.Document) error {
	var kept []storagebench.Document
	for i, d := range documents {
		if i%10 != 0 {
			kept = append(kept, d)
		}
	}
	return f.Target.Bulk(ctx, kept)
}

func TestEnginesMustAgree(t *testing.T) {
	embedded := func() storagebench.Target {
		return open(t, func() (storagebench.Target, error) { return storagebench.Embedded(t.Context(), t.TempDir()) })
	}
	_, err := storagebench.Engines(t.Context(), []storagebench.Target{embedded(), forgetful{embedded()}}, little)
	if err == nil || !strings.Contains(err.Error(), "forgetful: ") || !strings.Contains(err.Error(), "documents match") {
		t.Errorf("an engine that finds less than the other gives %v", err)
	}
}

func TestNothingToMeasure(t *testing.T) {
	for _, o := range []storagebench.Options{{}, {Documents: 10, Time: time.Second, Callers: []int{1}}, {Documents: 1000, Time: time.Second}} {
		if _, err := storagebench.Engines(t.Context(), nil, o); err == nil {
			t.Errorf("%+v is measured", o)
		}
	}
}

// TestElasticsearchIsChecked: a server of another kind, and an index of somebody else, are refused before anything is changed.
func TestElasticsearchIsChecked(t *testing.T) {
	for want, c := range map[string]struct{ version, mappings string }{
		`its version is "7.17.0"`:                         {`{"number":"7.17.0"}`, ""},
		`its version is "opensearch 8.0.0"`:               {`{"number":"8.0.0","distribution":"opensearch"}`, ""},
		`its version is ""`:                               {`{}`, ""},
		`an index "sluice-bench" which this did not make`: {`{"number":"8.14.1"}`, `{"sluice-bench":{"mappings":{"properties":{}}}}`},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Elastic-Product", "Elasticsearch")
			switch {
			case r.Method != http.MethodGet:
				t.Errorf("%s %s", r.Method, r.URL)
			case r.URL.Path == "/":
				_, _ = io.WriteString(w, `{"version":`+c.version+`}`)
			default:
				_, _ = io.WriteString(w, c.mappings)
			}
		}))
		if _, err := storagebench.Elasticsearch(t.Context(), s.URL); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		s.Close()
	}
}

func TestAddresses(t *testing.T) {
	for _, address := range []string{"nowhere", "127.0.0.1:9200", "ftp://127.0.0.1:9200", "http://a:hush@%zz"} {
		_, err := storagebench.Elasticsearch(t.Context(), address)
		if err == nil || !strings.Contains(err.Error(), "such as http://127.0.0.1:9200") || strings.Contains(err.Error(), "hush") {
			t.Errorf("the address %s gives %v", address, err)
		}
	}
	if _, err := storagebench.PocketBase(t.Context(), "http://127.0.0.1:1"); err == nil || !strings.Contains(err.Error(), "EMAIL:PASSWORD") {
		t.Errorf("an address without a superuser gives %v", err)
	}
}
