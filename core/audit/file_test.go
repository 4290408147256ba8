package audit_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluicehq/sluice/core/audit"
)

func TestFilesRotateAndTheChainGoesOn(t *testing.T) {
	for _, compress := range []bool{false, true} {
		o, _ := options(t)
		o.File.MaxBytes, o.File.MaxFiles, o.File.Compress = 600, 100, compress
		for range 3 { // a node that starts again goes on
			record(t, o, "a")
			record(t, o, "b", "c", "d", "e")
		}
		all := files(t, o)
		if len(all) < 3 {
			t.Fatalf("%v", all)
		}
		for _, name := range all[:len(all)-1] {
			if strings.HasSuffix(name, ".gz") != compress {
				t.Errorf("compress %v: %s", compress, name)
			}
			info, err := os.Stat(name)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v %v", name, info.Mode(), err)
			}
		}
		if r := verify(t, all...); r.Lines != 15 || r.Continues || r.Problems != nil {
			t.Errorf("%+v", r)
		}
		if r := verify(t, all[1:]...); !r.Continues || r.Problems != nil {
			t.Errorf("without the first file: %+v", r)
		}
	}
}

// Nothing is written to the new file before the node is killed.
func TestChainGoesOnFromAnOldFile(t *testing.T) {
	for _, compress := range []bool{false, true} {
		o, _ := options(t)
		o.File.Compress = compress
		record(t, o, "a", "b")
		aside := strings.TrimSuffix(o.File.Path, ".log") + "-2026-01-02T03-04-05.000.log"
		if err := os.Rename(o.File.Path, aside); err != nil {
			t.Fatal(err)
		}
		record(t, o)
		record(t, o, "c")
		if r := verify(t, files(t, o)...); r.Lines != 3 || r.Problems != nil {
			t.Errorf("%+v", r)
		}
	}
}

func TestOldFilesAreRemoved(t *testing.T) {
	o, _ := options(t)
	o.File.MaxBytes, o.File.MaxFiles, o.File.MaxAge = 1, 3, 24*time.Hour
	if err := os.MkdirAll(filepath.Dir(o.File.Path), 0o700); err != nil {
		t.Fatal(err)
	}
	stem := strings.TrimSuffix(o.File.Path, ".log")
	for _, name := range []string{"-2020-01-02T03-04-05.000.log", "-2020-01-02T03-04-05.000.log.gz", "-notes.log"} {
		if err := os.WriteFile(stem+name, []byte("{}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(stem + "-2020-01-02T03-04-05.000.log.gz"); err != nil {
		t.Fatal(err)
	}
	for range 6 {
		record(t, o, "a")
	}
	all := files(t, o)
	if len(all) != 5 || !strings.HasSuffix(all[3], "-notes.log") || strings.Contains(strings.Join(all, " "), "2020") {
		t.Errorf("want three old files, the notes and the file in use: %v", all)
	}
}

// A file that cannot be renamed grows, and says so.
func TestFileThatCannotBeRotatedGrows(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may rename everything")
	}
	o, said := options(t)
	o.File.MaxBytes = 1
	record(t, o, "a")
	if err := os.Chmod(filepath.Dir(o.File.Path), 0o500); err != nil {
		t.Fatal(err)
	}
	record(t, o, "b", "c")
	if len(events(t, o)) != 3 || !strings.Contains(said.String(), "cannot be rotated") {
		t.Errorf("%v %s", events(t, o), said)
	}
}

func TestHalfALineStaysInTheChain(t *testing.T) {
	o, _ := options(t)
	record(t, o, "a", "b")
	whole := read(t, o.File.Path)
	if err := os.WriteFile(o.File.Path, []byte(whole[:len(whole)-9]), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, o.File.Path); r.Torn != 1 || r.Problems != nil {
		t.Errorf("before the next start: %+v", r)
	}
	record(t, o, "c")
	if r := verify(t, o.File.Path); r.Lines != 3 || r.Torn != 1 || r.Problems != nil {
		t.Errorf("after it: %+v", r)
	}
}

func TestWhatIsNoAuditLog(t *testing.T) {
	o, _ := options(t)
	record(t, o, "a", "b")
	whole := read(t, o.File.Path)
	for content, want := range map[string]int{
		"garbage\nmore\n": 2, `{"prev":"x"}`: 0, whole + "garbage\n": 1, whole + `{"prev":"of another li`: 1, whole + `{"pre`: 0, "": 0,
	} {
		name := filepath.Join(t.TempDir(), "audit.log")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := verify(t, name); len(r.Problems) != want {
			t.Errorf("%q: %+v", content, r)
		}
	}
}

// Two logs with one file would break its chain. It is free once the first is closed, also after a rotation.
func TestOneFileHasOneLog(t *testing.T) {
	o, _ := options(t)
	o.File.MaxBytes, o.File.Sync = 1, true
	l := open(t, o)
	refused := func() bool {
		second := o
		second.Metrics = prometheus.NewRegistry()
		other, err := audit.Open(second)
		if err == nil {
			closeLog(t, other)
			return false
		}
		return strings.Contains(err.Error(), "another node writes the audit log "+o.File.Path)
	}
	if !refused() {
		t.Error("a second log opened the file")
	}
	l.Record(t.Context(), audit.Event{Event: "user", Outcome: audit.Success})
	l.Record(t.Context(), audit.Event{Event: "user", Outcome: audit.Success})
	closeLog(t, l)
	l = open(t, o)
	l.Record(t.Context(), audit.Event{Event: "user", Outcome: audit.Success})
	if n := len(files(t, o)); n != 3 {
		t.Errorf("%d files", n)
	}
	if !refused() {
		t.Error("a second log opened the file that a rotation made")
	}
	closeLog(t, l)
	record(t, o, "next")
	if r := verify(t, files(t, o)...); r.Lines != 4 || r.Problems != nil {
		t.Errorf("%+v", r)
	}
}

func TestWideRightsAreNarrowed(t *testing.T) {
	o, _ := options(t)
	record(t, o, "a")
	if err := os.Chmod(o.File.Path, 0o644); err != nil {
		t.Fatal(err)
	}
	record(t, o, "b")
	if info, err := os.Stat(o.File.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestVerifyFindsWhatWasChanged(t *testing.T) {
	o, _ := options(t)
	record(t, o, "a", "b", "c", "d")
	lines := strings.SplitAfter(strings.TrimSuffix(read(t, o.File.Path), "\n"), "\n")
	lines[3] += "\n"
	other, _ := options(t)
	record(t, other, "x")
	stranger := read(t, other.File.Path)
	for name, changed := range map[string]string{
		"changed":       lines[0] + strings.Replace(lines[1], `"b"`, `"x"`, 1) + lines[2] + lines[3],
		"taken out":     lines[0] + lines[2] + lines[3],
		"put in":        lines[0] + lines[1] + stranger + lines[2] + lines[3],
		"exchanged":     lines[0] + lines[2] + lines[1] + lines[3],
		"made garbage":  lines[0] + "garbage\n" + lines[2] + lines[3],
		"begun anew":    lines[0] + stranger,
		"an empty line": lines[0] + "\n" + lines[1] + lines[2],
	} {
		if err := os.WriteFile(o.File.Path, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := verify(t, o.File.Path); r.Problems == nil {
			t.Errorf("%s: nothing was found: %+v", name, r)
		}
	}
	if _, err := audit.Verify(o.File.Path + ".gz"); err == nil {
		t.Error("a file that is not there was read")
	}
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte(`{"prev":"","time":"2026-11-22T20:38:22Z","event":"user","outcome":"success"}` + "\n"))
	f.Add([]byte("garbage\n\n{}\n{"))
	f.Fuzz(func(t *testing.T, content []byte) {
		name := filepath.Join(t.TempDir(), "audit.log")
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := audit.Verify(name)
		if err != nil || len(content) > 0 && r.Head == "" || r.Torn > r.Lines {
			t.Errorf("%+v %v", r, err)
		}
	})
}
