package audit

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Report is what Verify found.
type Report struct {
	Lines int
	// Torn counts lines that a crash cut short. They are part of the chain, so nobody else did it.
	Torn        int
	First, Last time.Time
	// Continues is whether the first line follows another, in a file that was not given.
	Continues bool
	// Head is the hash of the last line. Whoever keeps it elsewhere can tell later that the end was not taken away.
	Head string
	// Problems name lines that were changed or taken out, "FILE:LINE: what".
	Problems []string
}

// maxProblems bounds a report; one change is one problem.
const maxProblems = 100

// Verify reads files, oldest first, compressed or not, and checks that every line follows the one before. It finds what was
// changed, taken out or put in between, by whoever did not compute all later lines anew. It does not find what happened to the
// last line or was cut off after it: for that there is Report.Head.
func Verify(files ...string) (Report, error) {
	var v verification
	for _, name := range files {
		number := 0
		err := eachLine(name, func(line []byte, _ bool) {
			number++
			v.follow(fmt.Sprintf("%s:%d", name, number), line)
		})
		if err != nil {
			return v.Report, fmt.Errorf("read %s: %w", name, err)
		}
	}
	if v.torn { // nothing follows that would say what it was
		v.Torn++
	}
	return v.Report, nil
}

// verification is one run of Verify.
type verification struct {
	Report
	// torn is whether the line before cannot be read.
	torn bool
}

// follow checks one line against those before.
func (v *verification) follow(where string, line []byte) {
	v.Lines++
	before, torn := v.Head, v.torn
	v.Head = hashOf(line)
	var l chained
	if json.Unmarshal(line, &l) != nil {
		if v.torn = v.begins(line, before); !v.torn {
			v.problem(where + ": this is no line of an audit log, nor the beginning of one")
		}
		return
	}
	v.torn = false
	if v.First.IsZero() {
		v.First = l.Time
	}
	v.Last = l.Time
	switch {
	case v.Lines == 1:
		v.Continues = l.Prev != begin
	case l.Prev == before && torn:
		v.Torn++
	case l.Prev == before:
	case l.Prev == begin:
		v.problem(where + ": a new log begins here: what was before it was removed or moved")
	default:
		v.problem(where + ": the line before was changed, or lines between the two were taken out")
	}
}

// begins reports whether a line that cannot be read is the beginning of one that follows the line with the hash before.
func (v *verification) begins(line []byte, before string) bool {
	start := `{"prev":"`
	if v.Lines > 1 {
		start += before + `"`
	}
	n := min(len(line), len(start))
	return string(line[:n]) == start[:n]
}

func (r *Report) problem(text string) {
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, text)
	}
}

// maxLineBytes bounds what is read as one line.
const maxLineBytes = 8 << 20

// eachLine gives the lines of a file without their ends; whole is false for a last one that has none.
func eachLine(name string, do func(line []byte, whole bool)) error {
	f, err := os.Open(name) //nolint:gosec // the operator names the file
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it was only read
	var r io.Reader = f
	if strings.HasSuffix(name, compressed) {
		if r, err = gzip.NewReader(f); err != nil {
			return err
		}
	}
	lines := bufio.NewReaderSize(r, 1<<16)
	for {
		line, err := readLine(lines)
		whole := err == nil
		if len(line) > 0 || whole {
			do(line, whole)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// readLine is ReadBytes with a bound.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLineBytes:
			return nil, fmt.Errorf("a line is longer than %d bytes: this is no audit log", maxLineBytes)
		case errors.Is(err, bufio.ErrBufferFull):
		case err == nil:
			return line[:len(line)-1], nil
		default:
			return line, err
		}
	}
}
