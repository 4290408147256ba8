package backup

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

// documents is an engine with one file.
type documents struct{ err error }

func (d documents) Backup(_ context.Context, dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "index"), 0o700); err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, "index", "1"), []byte("a document"), 0o600), d.err)
}

// served is the data folder of a node.
func served(t *testing.T, e Engine) (dataDir string) {
	t.Helper()
	dataDir = filepath.Join(t.TempDir(), "data")
	must(t, os.MkdirAll(dataDir, 0o700))
	must(t, os.WriteFile(filepath.Join(dataDir, "secret"), []byte("s"), 0o600))
	s, err := Serve(Source{DataDir: dataDir, Version: "1", Engine: e, Files: []string{"secret", "no such file"}}, quiet)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return dataDir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sound(_ context.Context, dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "index", "1"))
	if err == nil && string(text) != "a document" {
		err = errors.New("the document is another one")
	}
	return err
}

func TestThereAndBack(t *testing.T) {
	dataDir, dir := served(t, documents{}), filepath.Join(t.TempDir(), "deep", "backup")
	report, err := Ask(t.Context(), dataDir, dir)
	if must(t, err); report != (Report{Files: 2, Bytes: 11}) {
		t.Errorf("reported %+v", report)
	}
	to := filepath.Join(t.TempDir(), "restored")
	must(t, Restore(t.Context(), dir, to, sound))
	must(t, sound(t.Context(), filepath.Join(to, documentsName)))
	info, err := os.Stat(filepath.Join(to, "secret"))
	if must(t, err); info.Mode().Perm() != 0o600 {
		t.Errorf("the secret has the rights %v", info.Mode())
	}
	entries, err := os.ReadDir(to)
	if must(t, err); len(entries) != 2 {
		t.Errorf("the data folder has %v", entries)
	}
	if _, err := Ask(t.Context(), dataDir, dir); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a second backup into the same folder: %v", err)
	}
	if info, err := os.Stat(filepath.Join(dataDir, socketDir)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("others may enter the folder of the socket: %v, %v", info, err)
	}
}

func TestBackupFails(t *testing.T) {
	dataDir, dir := served(t, documents{errors.New("the disk is full")}), filepath.Join(t.TempDir(), "backup")
	if _, err := Ask(t.Context(), dataDir, dir); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("Ask: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left %v, %v", entries, err)
	}
	if _, err := Ask(t.Context(), t.TempDir(), dir); err == nil || !strings.Contains(err.Error(), "no node answers") {
		t.Errorf("without a node: %v", err)
	}
	if _, err := Ask(t.Context(), strings.Repeat("/long", 30), dir); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("a long path: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Ask(ctx, dataDir, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestSocketLeftBehind: a node that was killed leaves its socket; the next one takes its place.
func TestSocketLeftBehind(t *testing.T) {
	dataDir := t.TempDir()
	s := Source{DataDir: dataDir, Engine: documents{}}
	must(t, os.MkdirAll(filepath.Join(dataDir, socketDir), 0o755))
	must(t, os.WriteFile(filepath.Join(dataDir, socketDir, socketName), nil, 0o600))
	server, err := Serve(s, quiet)
	must(t, err)
	_, err = Ask(t.Context(), dataDir, filepath.Join(t.TempDir(), "b"))
	must(t, err)
	must(t, server.Close())
	if _, err := os.Stat(filepath.Join(dataDir, socketDir, socketName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Close the socket is there: %v", err)
	}
}

func TestRestoreRefusals(t *testing.T) {
	good := func(t *testing.T) string {
		dir := filepath.Join(t.TempDir(), "backup")
		_, err := Ask(t.Context(), served(t, documents{}), dir)
		must(t, err)
		return dir
	}
	document := filepath.Join(documentsName, "index", "1")
	for name, test := range map[string]struct {
		harm func(dir string) error
		says string
	}{
		"no list":       {func(dir string) error { return os.Remove(filepath.Join(dir, listName)) }, "no complete backup"},
		"a broken list": {func(dir string) error { return os.WriteFile(filepath.Join(dir, listName), []byte("{"), 0o600) }, "damaged"},
		"another format": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, listName), []byte(`{"format":9}`), 0o600)
		}, "another version"},
		"a name outside": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, listName), []byte(`{"format":1,"files":[{"name":"../x","size":0}]}`), 0o600)
		}, "not in it"},
		"a file less":  {func(dir string) error { return os.Remove(filepath.Join(dir, document)) }, "incomplete"},
		"a file short": {func(dir string) error { return os.Truncate(filepath.Join(dir, document), 3) }, "has 3 bytes"},
		"a link": {func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "secret")), os.Symlink("/etc/hostname", filepath.Join(dir, "secret")))
		}, "damaged"},
		"other bytes": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, document), []byte("b document"), 0o600)
		}, "another one"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, to := good(t), filepath.Join(t.TempDir(), "restored")
			must(t, test.harm(dir))
			if err := Restore(t.Context(), dir, to, sound); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("Restore: %v; want %q", err, test.says)
			}
			if entries, err := os.ReadDir(to); len(entries) != 0 || err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("left %v, %v", entries, err)
			}
		})
	}
	t.Run("a folder in use", func(t *testing.T) {
		dataDir := served(t, documents{})
		if err := Restore(t.Context(), good(t), dataDir, sound); err == nil || !strings.Contains(err.Error(), "not empty") {
			t.Errorf("Restore: %v", err)
		}
		if _, err := os.Stat(filepath.Join(dataDir, "secret")); err != nil {
			t.Errorf("the folder was touched: %v", err)
		}
	})
}
