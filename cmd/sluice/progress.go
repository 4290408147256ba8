package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/sluicehq/sluice/core/migrate"
)

const (
	// barCells is the length of a bar.
	barCells = 20
	// barPause lies between two pictures of a bar, linePause between two lines where there is no terminal.
	barPause, linePause = 100 * time.Millisecond, 10 * time.Second
)

// progressBar shows how far a migration is: one line that is written over on a terminal, else a line now and then.
type progressBar struct {
	out io.Writer
	// terminal is out when it is one.
	terminal *os.File
	phase    migrate.Phase
	// begun is when the phase began, which had this many documents then.
	begun time.Time
	had   int
	shown time.Time
	// open says that the line on the terminal has no end yet.
	open bool
}

func newProgressBar(out io.Writer) *progressBar {
	b := &progressBar{out: out}
	if f, ok := out.(*os.File); ok && isTerminal(f) {
		b.terminal = f
	}
	return b
}

// show tells the progress when it is time to. The beginning and the end of a phase are always told.
func (b *progressBar) show(now time.Time, p migrate.Progress) {
	begins, ends := p.Phase != b.phase, p.Collections == p.AllCollections
	if begins {
		b.end()
		b.phase, b.begun, b.had = p.Phase, now, p.Documents
	}
	pause := linePause
	if b.terminal != nil {
		pause = barPause
	}
	if !begins && !ends && now.Sub(b.shown) < pause {
		return
	}
	b.shown = now
	line := b.line(now, p)
	if b.terminal == nil {
		_, _ = fmt.Fprintln(b.out, line) // a migration does not end because nobody listens
		return
	}
	if width := terminalWidth(b.terminal); width > 1 && len(line) >= width {
		line = line[:width-1] // or it could not be written over
	}
	_, _ = fmt.Fprint(b.out, "\r\x1b[K"+line)
	b.open = true
}

// line is such as "copy   [#####---------------]  25 %  3 of 12 collections  30000 of 120000 documents  11300/s  8s left".
func (b *progressBar) line(now time.Time, p migrate.Progress) string {
	part := 1.0
	if p.AllDocuments > 0 {
		part = min(1, float64(p.Documents)/float64(p.AllDocuments))
	}
	full := int(part * barCells)
	line := fmt.Sprintf("%-6s [%s%s] %3.0f %%  %d of %d collections  %d of %d documents", p.Phase,
		strings.Repeat("#", full), strings.Repeat("-", barCells-full), part*100, p.Collections, p.AllCollections, p.Documents, p.AllDocuments)
	took := now.Sub(b.begun).Seconds()
	if took < 0.1 || p.Documents <= b.had {
		return line
	}
	perSecond := float64(p.Documents-b.had) / took
	line += fmt.Sprintf("  %.0f/s", perSecond)
	if left := p.AllDocuments - p.Documents; left > 0 {
		line += fmt.Sprintf("  %s left", time.Duration(float64(left)/perSecond*float64(time.Second)).Round(time.Second))
	}
	return line
}

// end ends the line that is written over.
func (b *progressBar) end() {
	if b.open {
		_, _ = fmt.Fprintln(b.out) // as above
		b.open = false
	}
}
