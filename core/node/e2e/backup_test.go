package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

// sluice runs a command of the binary.
func sluice(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), filepath.Join(binaries.Dir, "sluice"), args...).CombinedOutput()
	return string(out), err
}

// TestBackupAndRestore: a backup of a node that is being written to, restored elsewhere, has every document that was acknowledged
// before, found by searches; who was logged in still is.
func TestBackupAndRestore(t *testing.T) {
	nodetest.NeedsEmbedded(t, "it has snapshots of its own")
	folder := t.TempDir()
	data, backup, restored := filepath.Join(folder, "data"), filepath.Join(folder, "backup"), filepath.Join(folder, "restored")
	n := binaries.Serve(t, "--data", data)
	n.Must("POST", "/_createFirstAdmin/root", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
	bearer := "Authorization: Bearer " + n.Login("root", "root-Secret-1", "")
	n.Must("PUT", "/lab/things", `{"mappings":{"properties":{"n":{"type":"long"}}}}`, bearer)
	var acknowledged atomic.Int64
	stop, done := make(chan struct{}), make(chan struct{})
	started := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if a := n.HTTP("POST", fmt.Sprintf("/lab/things/%d/_create", i), fmt.Sprintf(`{"n":%d}`, i), bearer); a.Status != 200 {
				t.Errorf("create: %d %s", a.Status, a.Body)
				return
			}
			if acknowledged.Store(int64(i + 1)); i == 100 {
				close(started)
			}
		}
	}()
	<-started
	before := acknowledged.Load()
	out, err := sluice(t, "backup", "--data", data, backup)
	close(stop)
	<-done
	if err != nil || !strings.HasPrefix(out, "backed up ") {
		t.Fatalf("backup: %v, %s", err, out)
	}
	if out, err := sluice(t, "backup", "--data", data, backup); err == nil || !strings.Contains(out, "not empty") {
		t.Errorf("a second backup into the same folder: %v, %s", err, out)
	}
	if out, err := sluice(t, "restore", "--data", data, backup); err == nil || !strings.Contains(out, "not empty") {
		t.Errorf("restoring over a running node: %v, %s", err, out)
	}
	if out, err := sluice(t, "restore", "--data", restored, backup); err != nil {
		t.Fatalf("restore: %v, %s", err, out)
	}
	checkRestored(t, binaries.Serve(t, "--data", restored), bearer, before)
	secret, err := os.Stat(filepath.Join(restored, "signing-keys.json"))
	if err != nil || secret.Mode().Perm() != 0o600 {
		t.Errorf("the secret: %v, %v", secret, err)
	}
}

func checkRestored(t *testing.T, n *nodetest.Process, bearer string, before int64) {
	t.Helper()
	all := n.Must("POST", "/lab/things/_count", `{}`, bearer).Get("result.count").(float64)
	if all < float64(before) {
		t.Errorf("%v documents, %d were acknowledged before the backup", all, before)
	}
	for i := range before {
		if a := n.HTTP("GET", fmt.Sprintf("/lab/things/%d", i), "", bearer); a.Status != 200 {
			t.Errorf("document %d: %s", i, a.Body)
		}
	}
	found := n.Must("POST", "/lab/things/_count", fmt.Sprintf(`{"query":{"range":{"n":{"lt":%d}}}}`, before), bearer)
	if found.Get("result.count") != float64(before) {
		t.Errorf("%s are found, not %d", found.Body, before)
	}
}

// TestRestoreOfADamagedBackup: a backup whose documents are damaged is refused, and nothing is left of it.
func TestRestoreOfADamagedBackup(t *testing.T) {
	nodetest.NeedsEmbedded(t, "it has snapshots of its own")
	folder := t.TempDir()
	data, backup, restored := filepath.Join(folder, "data"), filepath.Join(folder, "backup"), filepath.Join(folder, "restored")
	n := binaries.Serve(t, "--data", data, "--dev")
	n.Must("PUT", "/lab/things", `{}`)
	for i := range 20 {
		n.Must("POST", fmt.Sprintf("/lab/things/%d/_create", i), fmt.Sprintf(`{"mark":%q}`, "MARK"+strings.Repeat("x", 9000)))
	}
	if out, err := sluice(t, "backup", "--data", data, backup); err != nil {
		t.Fatalf("backup: %v, %s", err, out)
	}
	logs, err := filepath.Glob(filepath.Join(backup, "documents", "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatal("the backup has no log", err)
	}
	for _, file := range logs {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if at := bytes.Index(b, []byte("MARK")); at >= 0 {
			b[at] ^= 1
		}
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := sluice(t, "restore", "--data", restored, backup)
	if err == nil || !strings.Contains(out, "damaged") {
		t.Errorf("restore: %v, %s", err, out)
	}
	if entries, _ := os.ReadDir(restored); len(entries) != 0 {
		t.Errorf("left %v", entries)
	}
}
