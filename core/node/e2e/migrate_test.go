package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/core/storage/elastic/elastictest"
)

// migratedDocuments are enough that a copy is killed in the middle of them.
const migratedDocuments = 20_000

// TestMigrate: what a node left in its data folder goes to Elasticsearch and back, by commands that are killed again and again, and
// nodes on the copies are the node that there was.
func TestMigrate(t *testing.T) {
	nodetest.NeedsEmbedded(t, "it chooses the engines of its nodes itself")
	server := elastictest.Start(t)
	folder := t.TempDir()
	data, back := filepath.Join(folder, "data"), filepath.Join(folder, "back")
	token := fillNode(t, data)
	there := migrateKilled(t, server, "--from", data, "--to", server.URL)
	again := migrateKilled(t, server, "--from", server.URL, "--to", back)
	if there != again || !strings.Contains(there, fmt.Sprintf("public   shop/things: %d documents, SHA-256 ", migratedDocuments)) {
		t.Errorf("there:\n%s\nand back:\n%s", there, again)
	}
	if out, err := sluice(t, "migrate", "--from", data, "--to", server.URL); err == nil || !strings.Contains(out, "is not empty") {
		t.Errorf("a target with documents: %v, %s", err, out)
	}
	keys, err := os.ReadFile(filepath.Join(data, "signing-keys.json"))
	if err == nil {
		err = os.WriteFile(filepath.Join(back, "signing-keys.json"), keys, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SLUICE_STORAGE_ELASTICSEARCH_ADDRESSES", server.URL)
	checkMigrated(t, binaries.Serve(t, "--data", back), token)
	if out, err := sluice(t, "migrate", "--from", back, "--to", server.URL); err == nil || !strings.Contains(out, "a node runs on "+back) {
		t.Errorf("while a node runs on the source: %v, %s", err, out)
	}
	t.Setenv("SLUICE_STORAGE_ENGINE", "elasticsearch")
	n := binaries.Serve(t, "--data", data)
	checkMigrated(t, n, token)
	if out, err := sluice(t, "migrate", "--from", "elasticsearch", "--to", data); err == nil || !strings.Contains(out, "a node runs on "+data) {
		t.Errorf("while a node runs: %v, %s", err, out)
	}
}

// TestMigrateKuzzle: what a Kuzzle left in Elasticsearch goes to a data folder. What the embedded engine cannot have is named before
// anything of it is copied, and without it the migration goes on.
func TestMigrateKuzzle(t *testing.T) {
	nodetest.NeedsEmbedded(t, "it chooses the engines of its nodes itself")
	server := elastictest.Start(t)
	elastictest.LoadKuzzle(t, server.URL)
	data := filepath.Join(t.TempDir(), "data")
	server.Do("PUT", "/&odd.things", `{"aliases":{"@&odd.things":{}},"mappings":{"runtime":{"x":{"type":"long"}}}}`)
	out, err := sluice(t, "migrate", "--from", server.URL, "--to", data)
	if err == nil || !strings.Contains(out, "the public collection odd/things: its mapping or its settings are not for the data folder "+data) {
		t.Errorf("a mapping that only Elasticsearch has: %v, %s", err, out)
	}
	server.Do("DELETE", "/&odd.things", "")
	out, err = sluice(t, "migrate", "--from", server.URL, "--to", data)
	if err != nil || !strings.Contains(out, "public   library/books: 25 documents, SHA-256 ") {
		t.Fatalf("%v, %s", err, out)
	}
	n := binaries.Serve(t, "--data", data)
	root := "Authorization: Bearer " + n.Login("root", elastictest.KuzzleAccounts["root"], "")
	calls(t, n, root, `{"controller":"index","action":"list"}`, `"indexes":["empty-index","library"]`)
	calls(t, n, root, `{"controller":"document","action":"count",`+inBooks+`,"body":{"query":{"match":{"title":"été"}}}}`, `"count":9`)
	if a := calls(t, n, root, `{"controller":"document","action":"get",`+inBooks+`,"_id":"b3"}`); a.Get("result._version") != 2.0 {
		t.Errorf("version: %s", a.Body)
	}
	calls(t, n, "Authorization: Bearer "+elastictest.KuzzleKey, `{"controller":"auth","action":"getCurrentUser"}`, `"_id":"root"`)
	n.Login("ann@example.org", elastictest.KuzzleAccounts["ann@example.org"], "")
}

// fillNode lets a node store something of everything in a data folder, and gives the token of a user.
func fillNode(t *testing.T, data string) string {
	t.Helper()
	n := binaries.Serve(t, "--data", data)
	n.Must("POST", "/_createFirstAdmin/root", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
	root := "Authorization: Bearer " + n.Login("root", "root-Secret-1", "")
	for _, envelope := range []string{
		`{"controller":"index","action":"create","index":"bare"}`,
		`{"controller":"collection","action":"create","index":"shop","collection":"words","body":{"mappings":{"dynamic":"strict","properties":{"title":{"type":"text","analyzer":"fold"}}},"settings":{"analysis":{"analyzer":{"fold":{"type":"custom","tokenizer":"standard","filter":["lowercase","asciifolding"]}}}}}}`,
		`{"controller":"collection","action":"create","index":"shop","collection":"things","body":{"mappings":{"dynamic":"true"}}}`,
		`{"controller":"document","action":"create","index":"shop","collection":"words","_id":"w","body":{"title":"Été"}}`,
		`{"controller":"document","action":"update","index":"shop","collection":"words","_id":"w","body":{"title":"un été"}}`,
		`{"controller":"security","action":"createRole","_id":"reader","body":{"controllers":{"document":{"actions":{"get":true,"search":true}},"auth":{"actions":{"*":true}}}}}`,
		`{"controller":"security","action":"createProfile","_id":"readers","body":{"policies":[{"roleId":"reader"}]}}`,
		`{"controller":"security","action":"createUser","_id":"ann","body":{"content":{"profileIds":["readers"],"name":"Ann"},"credentials":{"local":{"username":"ann","password":"ann-Secret-1"}}}}`,
	} {
		calls(t, n, root, envelope)
	}
	for first := 0; first < migratedDocuments; first += 200 {
		var documents []string
		for i := first; i < first+200; i++ {
			documents = append(documents, fmt.Sprintf(`{"_id":"%d","body":{"n":%d,"price":%d.50,"text":"thing number %d"}}`, i, i, i, i))
		}
		calls(t, n, root, `{"controller":"document","action":"mCreate","index":"shop","collection":"things","body":{"documents":[`+strings.Join(documents, ",")+`]}}`)
	}
	token := n.Login("ann", "ann-Secret-1", "")
	if err := n.Cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := n.Wait(time.Minute); err != nil {
		t.Fatal(err)
	}
	return token
}

// migrateKilled runs a migration until it ends by itself, and gives what it says then. Before, it is killed as soon as it copies, when
// a node does not start on the target, and then at random moments.
func migrateKilled(t *testing.T, server *elastictest.Server, args ...string) string {
	t.Helper()
	for limit := time.Duration(0); ; limit = limit*3/2 + 100*time.Millisecond {
		out, progress := &nodetest.Log{}, &nodetest.Log{}
		cmd := exec.CommandContext(t.Context(), binaries.Sluice, append([]string{"migrate"}, args...)...)
		cmd.Stdout, cmd.Stderr = out, progress
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		signal := syscall.SIGKILL
		if limit > 0 {
			signal = []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT}[rand.IntN(3)]
			time.Sleep(rand.N(limit))
		} else {
			progress.Await(t, "copy   [")
		}
		_ = cmd.Process.Signal(signal) // it may have ended
		err := cmd.Wait()
		switch text := progress.String(); {
		case limit == 0:
			if err == nil {
				t.Fatalf("a killed migration ended well: %s", out)
			}
			startsNot(t, server, args[len(args)-1])
		case err == nil:
			if !strings.Contains(text, "verify [####################] 100 %") {
				t.Errorf("at last it said\n%s", text)
			}
			return out.String()
		case cmd.ProcessState.Exited() && !strings.Contains(text, "run the same command again to go on"):
			t.Fatalf("%v %s", err, text)
		}
	}
}

// startsNot starts a node on an unfinished copy.
func startsNot(t *testing.T, server *elastictest.Server, target string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binaries.Sluice, "serve", "--port", "0", "--data", target)
	if target == server.URL {
		cmd = exec.CommandContext(t.Context(), binaries.Sluice, "serve", "--port", "0", "--data", t.TempDir())
		cmd.Env = append(os.Environ(), "SLUICE_STORAGE_ENGINE=elasticsearch", "SLUICE_STORAGE_ELASTICSEARCH_ADDRESSES="+target)
	}
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "an unfinished copy of the ") {
		t.Errorf("a node on an unfinished copy: %v\n%s", err, out)
	}
}

// calls calls an action, which succeeds, and looks for texts in the answer.
func calls(t *testing.T, n *nodetest.Process, token, envelope string, texts ...string) nodetest.Answer {
	t.Helper()
	a := n.HTTP("POST", "/_query", envelope, token)
	if a.Status != 200 {
		t.Fatalf("%s: %d %s", envelope, a.Status, a.Body)
	}
	for _, text := range texts {
		if !strings.Contains(a.Body, text) {
			t.Errorf("%s: %s is not in %s", envelope, text, a.Body)
		}
	}
	return a
}

// checkMigrated looks at what fillNode stored.
func checkMigrated(t *testing.T, n *nodetest.Process, token string) {
	t.Helper()
	calls(t, n, "Authorization: Bearer "+token, `{"controller":"auth","action":"getCurrentUser"}`, `"_id":"ann"`)
	ann := "Authorization: Bearer " + n.Login("ann", "ann-Secret-1", "")
	root := "Authorization: Bearer " + n.Login("root", "root-Secret-1", "")
	if a := n.HTTP("DELETE", "/shop/words/w", "", ann); a.Status != 403 {
		t.Errorf("ann deletes: %d %s", a.Status, a.Body)
	}
	if a := n.HTTP("POST", "/_createFirstAdmin/me", `{"content":{},"credentials":{"local":{"username":"me","password":"me-Secret-1"}}}`, root); a.Get("error.id") != "api.process.admin_exists" {
		t.Errorf("another first administrator: %s", a.Body)
	}
	calls(t, n, ann, `{"controller":"document","action":"search","index":"shop","collection":"words","body":{"query":{"match":{"title":"ete"}}}}`, `"total":1`, `"_id":"w"`)
	if a := calls(t, n, ann, `{"controller":"document","action":"get","index":"shop","collection":"words","_id":"w"}`); a.Get("result._version") != 2.0 {
		t.Errorf("version: %s", a.Body)
	}
	calls(t, n, root, `{"controller":"document","action":"count","index":"shop","collection":"things","body":{"query":{"range":{"n":{"lt":1000}}}}}`, `"count":1000`)
	calls(t, n, root, `{"controller":"document","action":"get","index":"shop","collection":"things","_id":"7"}`, `"price":7.50`)
	calls(t, n, root, `{"controller":"index","action":"list"}`, `"indexes":["bare","shop"]`)
	if a := n.HTTP("POST", "/shop/words/x/_create", `{"other":1}`, root); a.Get("error.id") != "services.storage.strict_mapping_rejection" {
		t.Errorf("against the mapping: %s", a.Body)
	}
}
