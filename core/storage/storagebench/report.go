package storagebench

import (
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Write writes the table, as Markdown that is readable as it is.
func (r Report) Write(out io.Writer) error {
	w := &strings.Builder{}
	fmt.Fprintf(w, "%d documents, %d cores, %s/%s, %s\n\n", r.Documents, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	head := []string{"row", "callers"}
	for i, t := range r.Targets {
		head = append(head, t+" /s", "p50", "p99")
		if i > 0 {
			head = append(head, r.Targets[0]+" / "+t)
		}
	}
	lines := [][]string{head}
	for _, results := range r.rows() {
		lines = append(lines, line(results))
	}
	writeTable(w, lines)
	if len(r.Usages) > 0 {
		w.WriteByte('\n')
		writeTable(w, r.usage())
	}
	_, err := io.WriteString(out, w.String())
	return err
}

// rows gives the results of each row and number of callers, in the order of targets.
func (r Report) rows() [][]Result {
	type key struct {
		row     string
		callers int
	}
	place := map[key]int{}
	var rows [][]Result
	for _, result := range r.Results {
		k := key{result.Row, result.Callers}
		if _, ok := place[k]; !ok {
			place[k] = len(rows)
			rows = append(rows, nil)
		}
		rows[place[k]] = append(rows[place[k]], result)
	}
	return rows
}

// line is a row of the table.
func line(results []Result) []string {
	name := results[0].Row
	if results[0].Unit == documents {
		name += " (documents)"
	}
	cells := []string{name, strconv.Itoa(results[0].Callers)}
	for i, r := range results {
		cells = append(cells, short(r.PerSecond), tidy(r.P50).String(), tidy(r.P99).String())
		if i > 0 {
			cells = append(cells, fmt.Sprintf("%.2f", results[0].PerSecond/r.PerSecond))
		}
	}
	return cells
}

func (r Report) usage() [][]string {
	lines := [][]string{{"after the first load", "memory, MB", "of it no cache of files, MB", "disk, MB"}}
	for _, t := range r.Targets {
		u := r.Usages[t]
		lines = append(lines, []string{t, megabytes(u.Memory), megabytes(u.Own), megabytes(u.Disk)})
	}
	return lines
}

func megabytes(n int64) string {
	if n == 0 {
		return "unknown"
	}
	return strconv.FormatInt(n/1e6, 10)
}

// writeTable aligns the cells; the first line is the head.
func writeTable(w *strings.Builder, lines [][]string) {
	width := make([]int, len(lines[0]))
	for _, cells := range lines {
		for i, c := range cells {
			width[i] = max(width[i], len(c))
		}
	}
	for n, cells := range lines {
		for i, c := range cells {
			if i == 0 {
				fmt.Fprintf(w, "| %-*s ", width[i], c)
			} else {
				fmt.Fprintf(w, "| %*s ", width[i], c)
			}
		}
		w.WriteString("|\n")
		if n > 0 {
			continue
		}
		for i := range cells {
			end := ":"
			if i == 0 {
				end = "-"
			}
			w.WriteString("|" + strings.Repeat("-", width[i]+1) + end)
		}
		w.WriteString("|\n")
	}
}

// short gives three digits that count.
func short(n float64) string {
	digits := 0
	if n < 10 {
		digits = 2
	} else if n < 100 {
		digits = 1
	}
	return strconv.FormatFloat(n, 'f', digits, 64)
}

// tidy rounds to what can be told apart.
func tidy(d time.Duration) time.Duration {
	switch {
	case d < 100*time.Microsecond:
		return d.Round(100 * time.Nanosecond)
	case d < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond)
	default:
		return d.Round(time.Millisecond)
	}
}
