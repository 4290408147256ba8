package nodetest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/storage/elastic/elastictest"
)

// engineEnv chooses the engine of all nodes that tests start: embedded unless it says elasticsearch. Then they keep their documents
// in the Elasticsearch that all tests share, a new data folder begins with an empty one, and only one package may be tested at a
// time (go test -p 1).
const engineEnv = "SLUICE_TEST_ENGINE"

// OnElasticsearch reports whether nodes of tests keep their documents in Elasticsearch.
func OnElasticsearch() bool { return os.Getenv(engineEnv) == "elasticsearch" }

// NeedsEmbedded skips a test of what only a node with the embedded engine has.
func NeedsEmbedded(t testing.TB, why string) {
	t.Helper()
	if OnElasticsearch() {
		t.Skip("not on Elasticsearch: " + why)
	}
}

// chooseEngine sets the engine of a node in the process of the test.
func chooseEngine(t testing.TB, c *config.Config) {
	if !OnElasticsearch() {
		return
	}
	c.Storage.Engine, c.Storage.Elasticsearch.Addresses = "elasticsearch", []string{elastictest.Shared(t)}
	begin(t, c.Server.DataDir)
}

// engineSettings are the variables of a node in a process of its own, which is started with args in a folder.
func engineSettings(t testing.TB, folder string, args []string) []string {
	if !OnElasticsearch() {
		return nil
	}
	data := "data"
	if i := slices.Index(args, "--data"); i >= 0 && i+1 < len(args) {
		data = args[i+1]
	}
	if !filepath.IsAbs(data) {
		data = filepath.Join(folder, data)
	}
	begin(t, data)
	return []string{"SLUICE_STORAGE_ENGINE=elasticsearch", "SLUICE_STORAGE_ELASTICSEARCH_ADDRESSES=" + elastictest.Shared(t)}
}

var begun = struct {
	sync.Mutex
	folders map[string]bool
}{folders: map[string]bool{}}

// begin empties Elasticsearch when a data folder is a new one.
func begin(t testing.TB, dataDir string) {
	t.Helper()
	begun.Lock()
	defer begun.Unlock()
	if begun.folders[dataDir] {
		return
	}
	begun.folders[dataDir] = true
	var names []string
	for _, i := range indexes(t) {
		if strings.HasPrefix(i, "&") || strings.HasPrefix(i, "%") {
			names = append(names, i)
		}
	}
	for some := range slices.Chunk(names, 20) { // a path has a bound
		ask(t, http.MethodDelete, "/"+url.PathEscape(strings.Join(some, ",")), nil)
	}
}

// indexes gives the names of all indexes.
func indexes(t testing.TB) []string {
	t.Helper()
	var all []struct {
		Index string `json:"index"`
	}
	ask(t, http.MethodGet, "/_cat/indices?format=json&h=index&expand_wildcards=all", &all)
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].Index
	}
	return names
}

// ask sends a request to Elasticsearch, and decodes the answer.
func ask(t testing.TB, method, path string, to any) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, elastictest.Shared(t)+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s", method, path, resp.Status)
	}
	if to == nil {
		return
	}
	if err := json.NewDecoder(resp.Body).Decode(to); err != nil {
		t.Fatal(err)
	}
}
