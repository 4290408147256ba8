package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluicehq/sluice/core/audit"
)

func TestAuditVerify(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.log")
	l, err := audit.Open(audit.Options{
		File:   audit.FileOptions{Path: file, MaxBytes: 1 << 20, MaxFiles: 1},
		Logger: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"ann", "bob", "eve"} {
		l.Record(t.Context(), audit.Event{Event: "user", Outcome: audit.Success, Targets: []string{user}})
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if r := execute(t, nil, nil, "audit", "verify", file); r.code != exitOK || !strings.HasPrefix(r.out, "ok: 3 lines") {
		t.Errorf("%+v", r)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, strings.Replace(string(content), "bob", "rob", 1))
	if r := execute(t, nil, nil, "audit", "verify", file); r.code != exitError || !strings.Contains(r.out, "audit.log:3: ") {
		t.Errorf("%+v", r)
	}
	if r := execute(t, nil, nil, "audit", "verify", file+".gz"); r.code != exitError || !strings.Contains(r.err, "no such file") {
		t.Errorf("%+v", r)
	}
	if r := execute(t, nil, nil, "audit", "verify", write(t, file, "")); r.code != exitOK || !strings.Contains(r.out, "no line") {
		t.Errorf("%+v", r)
	}
}
