package elastictest

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// kuzzleDump is what a Kuzzle 2.56 left in an Elasticsearch 8.14, a line for each index and each document. It had the index library
// (books, with a mapping and an analyzer of their own, and loans, with a specification) and empty-index; a role reader, a profile
// readers, one API key of root, and users whose passwords were hashed in every way that it has: KuzzleAccounts.
//
//go:embed testdata/kuzzle-2.56.jsonl
var kuzzleDump []byte

// KuzzleAccounts are the passwords in the dump by the names of their users for the strategy local.
var KuzzleAccounts = map[string]string{
	"root": "root-Secret-1", "ann@example.org": "ann-Secret-1",
	"u-hmac256": "pw-hmac256", "u-hash512": "pw-hash512", "u-pbkdf256": "pw-pbkdf256",
}

// KuzzleKey is the API key in the dump, which root was shown when it was made.
const KuzzleKey = "kapikey-eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJfaWQiOiJyb290IiwiaWF0IjoxNzk1MzQ0NTkxfQ.LOl-6mhq5sIn3Piyl5_cLMfBbuNtblW47uS9phDptW0" //nolint:gosec // of a node that is gone

// KuzzleIndex is an index of the dump: a collection.
type KuzzleIndex struct {
	Name      string
	Aliases   json.RawMessage
	Mappings  json.RawMessage
	Settings  json.RawMessage
	Documents map[string]KuzzleDocument
}

// KuzzleDocument is a document of the dump.
type KuzzleDocument struct {
	Version int64
	Source  json.RawMessage
}

// Kuzzle gives the indexes of the dump by their names.
func Kuzzle(t testing.TB) map[string]KuzzleIndex {
	t.Helper()
	all := map[string]KuzzleIndex{}
	for line := range bytes.Lines(kuzzleDump) {
		var l struct {
			Index                       string
			Aliases, Mappings, Settings json.RawMessage
			In                          string
			ID                          string          `json:"_id"`
			Version                     int64           `json:"_version"`
			Source                      json.RawMessage `json:"_source"`
		}
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		if l.Index != "" {
			all[l.Index] = KuzzleIndex{l.Index, l.Aliases, l.Mappings, l.Settings, map[string]KuzzleDocument{}}
		} else {
			all[l.In].Documents[l.ID] = KuzzleDocument{l.Version, l.Source}
		}
	}
	return all
}

// LoadKuzzle puts the dump into the Elasticsearch at an address, in the place of all that is there. The server must be the test's
// own: its names are those that every node uses.
func LoadKuzzle(t testing.TB, address string) {
	t.Helper()
	Empty(t, address)
	var bulk bytes.Buffer
	lines := json.NewEncoder(&bulk)
	for name, index := range Kuzzle(t) {
		body, err := json.Marshal(map[string]any{"aliases": index.Aliases, "mappings": index.Mappings, "settings": index.Settings})
		if err != nil {
			t.Fatal(err)
		}
		call(t, http.MethodPut, address+"/"+url.PathEscape(name), string(body))
		for id, doc := range index.Documents {
			action := map[string]any{"_index": name, "_id": id, "version": doc.Version, "version_type": "external"}
			if err := lines.Encode(map[string]any{"index": action}); err != nil {
				t.Fatal(err)
			}
			if err := lines.Encode(doc.Source); err != nil {
				t.Fatal(err)
			}
		}
	}
	if answer := call(t, http.MethodPost, address+"/_bulk?refresh=true", bulk.String()); !strings.Contains(answer, `"errors":false`) {
		t.Fatalf("load the dump: %s", answer)
	}
}

// Empty removes every index of the Elasticsearch at an address, which must be the test's own.
func Empty(t testing.TB, address string) {
	t.Helper()
	for name := range strings.Lines(call(t, http.MethodGet, address+"/_cat/indices?h=index&expand_wildcards=open,closed", "")) {
		call(t, http.MethodDelete, address+"/"+url.PathEscape(strings.TrimSpace(name)), "")
	}
}

// call sends a request to a server, and gives the answer, which must be a success.
func call(t testing.TB, method, address, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Close = true // a test that looks for goroutines left over shall find none
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: %s %s %v", method, address, response.Status, answer, err)
	}
	return string(answer)
}
