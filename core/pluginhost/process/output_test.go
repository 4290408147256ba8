package process

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestOutputCutsAndKeeps(t *testing.T) {
	var log bytes.Buffer
	o := NewOutput(slog.New(slog.NewTextHandler(&log, nil)))
	w := o.stderr()
	for _, part := range []string{"one\ntw", "o\r\n\n", strings.Repeat("x", 3*maxLineBytes), "\n"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	tail := o.Tail()
	if len(tail) != 3 || tail[0] != "one" || tail[1] != "two" || len(tail[2]) != maxLineBytes {
		t.Errorf("%d lines: %.100q", len(tail), tail)
	}
	for i := range 2 * tailLines {
		_, _ = fmt.Fprintf(w, "line %d\n", i)
	}
	if tail := o.Tail(); len(tail) != tailLines || tail[tailLines-1] != fmt.Sprintf("line %d", 2*tailLines-1) {
		t.Errorf("%q", tail)
	}
	if !strings.Contains(log.String(), "level=WARN") {
		t.Error("stderr is not logged as a warning")
	}
}

func TestOutputThatIsTooFastIsDropped(t *testing.T) {
	var log bytes.Buffer
	o := NewOutput(slog.New(slog.NewTextHandler(&log, nil)))
	w := o.stdout()
	for range 10 * lineBurst {
		_, _ = fmt.Fprintln(w, "flood")
	}
	if n := strings.Count(log.String(), "flood"); n > 2*lineBurst {
		t.Errorf("%d lines of %d", n, 10*lineBurst)
	}
	if len(o.Tail()) != 0 {
		t.Error("stdout is in the tail of stderr")
	}
}
