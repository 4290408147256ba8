package catalog_test

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/pluginhost/catalog"
)

func TestLockRoundTrip(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sluice.lock")
	l, err := catalog.ReadLock(path)
	if err != nil || len(l.Paths()) != 0 {
		t.Fatalf("a missing file: %v, %v", l.Paths(), err)
	}
	for _, name := range []string{"gvp/gvp", "aura/aura", "../other/with space", "gvp/gvp"} {
		if err := l.Pin(name, sha256.Sum256([]byte(name+"!"))); err != nil {
			t.Fatal(err)
		}
	}
	if err := catalog.WriteLock(path, l); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) != 4 || lines[3] != "" || !strings.HasSuffix(lines[0], "  ../other/with space") || !strings.HasSuffix(lines[1], "  aura/aura") {
		t.Errorf("got\n%s", text)
	}
	again, err := catalog.ReadLock(path)
	if err != nil || !reflect.DeepEqual(again, l) {
		t.Errorf("read back %v, %v; want %v", again, err, l)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestLockPinReplaces(t *testing.T) {
	var l catalog.Lock
	old, next := catalog.Sum(sha256.Sum256([]byte("old"))), catalog.Sum(sha256.Sum256([]byte("new")))
	for _, sum := range []catalog.Sum{old, next} {
		if err := l.Pin("a/a", sum); err != nil {
			t.Fatal(err)
		}
	}
	if got, ok := l.Sum("a/a"); !ok || got != next || len(l.Paths()) != 1 {
		t.Errorf("got %v, %v of %v", got, ok, l.Paths())
	}
	if _, ok := l.Sum("a/b"); ok {
		t.Error("a file that nobody pinned is trusted")
	}
}

func TestLockRefusesNames(t *testing.T) {
	for _, name := range []string{"", ".", "/a", "a//b", "a/../b", "./a", "a/", "a\nb", "a\x00", `a\b`} {
		var l catalog.Lock
		if err := l.Pin(name, catalog.Sum{1}); err == nil {
			t.Errorf("%q was pinned", name)
		}
	}
}

func TestReadLockRefuses(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	for name, text := range map[string]string{
		"a comment":         "# mine\n",
		"a short sum":       sum[2:] + "  a/a\n",
		"a long sum":        sum + "00  a/a\n",
		"no hexadecimal":    strings.Repeat("zz", 32) + "  a/a\n",
		"one space":         sum + " a/a\n",
		"no path":           sum + "  \n",
		"an absolute path":  sum + "  /a/a\n",
		"an unclean path":   sum + "  a/../a\n",
		"the path twice":    sum + "  a/a\n" + sum + "  a/a\n",
		"the path 2x, zero": strings.Repeat("00", 32) + "  b/b\n" + sum + "  a/a\n" + sum + " *a/a\n",
	} {
		path := filepath.Join(t.TempDir(), "sluice.lock")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := catalog.ReadLock(path)
		if err == nil || !strings.Contains(err.Error(), "line ") || len(l.Paths()) != 0 {
			t.Errorf("%s: %v, %v", name, l.Paths(), err)
		}
	}
	if _, err := catalog.ReadLock(t.TempDir()); err == nil {
		t.Error("a folder was read")
	}
}

func TestReadLockTakesSha256sum(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sluice.lock")
	sum := strings.Repeat("AB", 32)
	if err := os.WriteFile(path, []byte(sum+" *a/a\r\n\n"+sum+"  b/b"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := catalog.ReadLock(path)
	if err != nil || !reflect.DeepEqual(l.Paths(), []string{"a/a", "b/b"}) {
		t.Errorf("%v, %v", l.Paths(), err)
	}
	if got, _ := l.Sum("a/a"); got.String() != strings.ToLower(sum) {
		t.Errorf("got %s", got)
	}
}

func TestWriteLockFails(t *testing.T) {
	if err := catalog.WriteLock(filepath.Join(t.TempDir(), "none", "sluice.lock"), catalog.Lock{}); err == nil {
		t.Error("a file in a missing folder was written")
	}
	folder := t.TempDir()
	occupied := filepath.Join(folder, "sluice.lock")
	if err := os.MkdirAll(filepath.Join(occupied, "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := catalog.WriteLock(occupied, catalog.Lock{}); err == nil {
		t.Error("a folder was replaced")
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestLockName(t *testing.T) {
	dir := t.TempDir()
	for file, want := range map[string]string{"gvp/gvp": "gvp/gvp", "gvp/../aura/aura": "aura/aura", "../gvp": "../gvp"} {
		if got, err := catalog.LockName(filepath.Join(dir, "sluice.lock"), filepath.Join(dir, file)); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", file, got, err, want)
		}
	}
	if got, err := catalog.LockName("plugins/sluice.lock", "plugins/a/a"); err != nil || got != "a/a" {
		t.Errorf("relative: %q, %v", got, err)
	}
	if _, err := catalog.LockName(filepath.Join(dir, "sluice.lock"), dir); err == nil {
		t.Error("the folder itself has a name")
	}
}

func TestHashFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plugin")
	if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := catalog.HashFile(path); err != nil || got != sha256.Sum256([]byte("content")) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := catalog.HashFile(path + "-missing"); err == nil {
		t.Error("a missing file has a sum")
	}
	if _, err := catalog.HashFile(t.TempDir()); err == nil {
		t.Error("a folder has a sum")
	}
}
