package audit_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/audit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// options are those of a log in a folder of the test, with what it tells operators.
func options(t testing.TB) (audit.Options, *strings.Builder) {
	t.Helper()
	said := &strings.Builder{}
	return audit.Options{
		File:     audit.FileOptions{Path: filepath.Join(t.TempDir(), "audit", "audit.log"), MaxBytes: 1 << 20, MaxFiles: 10},
		Refusals: true, Logger: slog.New(slog.NewTextHandler(said, nil)), Metrics: prometheus.NewRegistry(),
	}, said
}

func open(t *testing.T, o audit.Options) *audit.Log {
	t.Helper()
	o.Metrics = prometheus.NewRegistry() // a log may be opened again
	l, err := audit.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func closeLog(t *testing.T, l *audit.Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// record writes events about targets with one log from its start to its end.
func record(t *testing.T, o audit.Options, targets ...string) {
	t.Helper()
	l := open(t, o)
	for _, target := range targets {
		l.Record(t.Context(), audit.Event{Event: "user", Outcome: audit.Success, Targets: []string{target}})
	}
	closeLog(t, l)
}

// files are all files of a log, oldest first.
func files(t *testing.T, o audit.Options) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(filepath.Dir(o.File.Path), "audit*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// events reads the file in use.
func events(t *testing.T, o audit.Options) []audit.Event {
	t.Helper()
	var all []audit.Event
	for line := range strings.Lines(read(t, o.File.Path)) {
		var e struct {
			audit.Event
			Prev string `json:"prev"`
		}
		if err := json.Unmarshal([]byte(line), &e, json.RejectUnknownMembers(true)); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, e.Event)
	}
	return all
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func verify(t *testing.T, names ...string) audit.Report {
	t.Helper()
	r, err := audit.Verify(names...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
