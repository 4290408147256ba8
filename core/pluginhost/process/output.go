package process

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"golang.org/x/time/rate"
)

const (
	maxLineBytes   = 8 << 10
	linesPerSecond = 200
	lineBurst      = 1000
	tailLines      = 20
)

// Output is where a plugin's stdout and stderr go: line by line to the node's log, at info and at warn, and the last lines of
// stderr are kept. Longer lines are cut, faster ones dropped and counted. It is safe for concurrent use and outlives the
// process, so that a restarted plugin keeps its history.
type Output struct {
	logger  *slog.Logger
	allowed *rate.Limiter

	mu      sync.Mutex
	tail    []string
	dropped int
}

// NewOutput sends lines to logger.
func NewOutput(logger *slog.Logger) *Output {
	return &Output{logger: logger, allowed: rate.NewLimiter(linesPerSecond, lineBurst)}
}

// Tail gives the last lines of stderr, oldest first.
func (o *Output) Tail() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.tail)
}

func (o *Output) line(level slog.Level, stream, text string) {
	text = strings.TrimRight(text, "\r\n")
	if text == "" {
		return
	}
	o.mu.Lock()
	if stream == "stderr" {
		if len(o.tail) == tailLines {
			o.tail = slices.Delete(o.tail, 0, 1)
		}
		o.tail = append(o.tail, text)
	}
	if !o.allowed.Allow() {
		o.dropped++
		o.mu.Unlock()
		return
	}
	dropped := o.dropped
	o.dropped = 0
	o.mu.Unlock()
	attrs := []slog.Attr{slog.String("stream", stream), slog.String("line", text)}
	if dropped > 0 {
		attrs = append(attrs, slog.Int("linesDroppedBefore", dropped))
	}
	o.logger.LogAttrs(context.Background(), level, "plugin output", attrs...)
}

// lines is a writer of one stream; it is used by one goroutine.
type lines struct {
	output *Output
	level  slog.Level
	stream string
	rest   []byte
}

func (o *Output) stdout() *lines {
	return &lines{output: o, level: slog.LevelInfo, stream: "stdout"}
}

func (o *Output) stderr() *lines {
	return &lines{output: o, level: slog.LevelWarn, stream: "stderr"}
}

// Write never fails: a plugin must not block on its own output.
func (l *lines) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		i := slices.Index(p, '\n')
		if i < 0 {
			l.keep(p)
			break
		}
		l.keep(p[:i])
		l.flush()
		p = p[i+1:]
	}
	return n, nil
}

func (l *lines) keep(p []byte) { l.rest = append(l.rest, p[:min(len(p), maxLineBytes-len(l.rest))]...) }

func (l *lines) flush() {
	l.output.line(l.level, l.stream, string(l.rest))
	l.rest = l.rest[:0]
}

// drain reads r to its end.
func (l *lines) drain(r io.Reader) {
	_, _ = io.Copy(l, r) // the end of a killed process's pipe is no failure
	l.flush()
}

// firstLine reads up to and with the first newline, no further than limit bytes.
func firstLine(r *bufio.Reader, limit int) (string, error) {
	var line []byte
	for len(line) < limit {
		b, err := r.ReadByte()
		if err != nil {
			return string(line), err
		}
		line = append(line, b)
		if b == '\n' {
			return string(line), nil
		}
	}
	return string(line), errors.New("the line has no end")
}
