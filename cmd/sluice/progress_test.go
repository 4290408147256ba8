package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sluicehq/sluice/core/migrate"
)

func TestProgressLines(t *testing.T) {
	var out bytes.Buffer
	b, begin := newProgressBar(&out), time.Now()
	for _, step := range []struct {
		after     time.Duration
		phase     migrate.Phase
		done, had int
	}{
		{0, migrate.Copying, 0, 2000}, // of an earlier run
		{time.Second, migrate.Copying, 0, 3000},
		{10 * time.Second, migrate.Copying, 1, 6000},
		{11 * time.Second, migrate.Copying, 1, 7000},
		{12 * time.Second, migrate.Copying, 2, 12_000},
		{13 * time.Second, migrate.Verifying, 0, 0},
	} {
		b.show(begin.Add(step.after), migrate.Progress{
			Phase: step.phase, Collections: step.done, AllCollections: 2, Documents: step.had, AllDocuments: 12_000,
		})
	}
	b.end()
	want := `copy   [###-----------------]  17 %  0 of 2 collections  2000 of 12000 documents
copy   [##########----------]  50 %  1 of 2 collections  6000 of 12000 documents  400/s  15s left
copy   [####################] 100 %  2 of 2 collections  12000 of 12000 documents  833/s
verify [--------------------]   0 %  0 of 2 collections  0 of 12000 documents
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
}

// TestProgressOnTerminal: one line is written over, and is never wider than the terminal.
func TestProgressOnTerminal(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	defer terminal.Close()
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 60}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	b, begin := newProgressBar(terminal), time.Now()
	if b.terminal == nil {
		t.Fatal("a terminal is not known to be one")
	}
	b.out = &out
	for i := range 5 {
		b.show(begin.Add(time.Duration(i)*time.Second), migrate.Progress{Phase: migrate.Copying, AllCollections: 1, Documents: i, AllDocuments: 1_000_000})
	}
	b.end()
	text := out.String()
	if strings.Count(text, "\r\x1b[K") != 5 || strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		t.Errorf("got %q", text)
	}
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\r\x1b[K") {
		if len(line) >= 60 {
			t.Errorf("%q is too long", line)
		}
	}
}
