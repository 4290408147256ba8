package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

// TestREADME replays the README: every line that begins with $ in a console block is run in one shell, and its output is
// what stands below it, … standing for anything. It runs in a folder of its own with bin in it, as users have it. make run
// and serve run as they stand, but on a free port, to which the others are turned.
func TestREADME(t *testing.T) {
	needs(t, "curl")
	transcript := readTranscript(t, "README.md")
	development, production := splitAt(transcript, "make build")
	if len(development) == 0 || len(production) == 0 {
		t.Fatal("the README shows nothing to replay")
	}
	if nodetest.OnElasticsearch() { // which has snapshots of its own
		production = slices.DeleteFunc(production, func(e exchange) bool { return strings.Contains(e.command, "monday") })
	}
	t.Run("development", func(t *testing.T) { replay(t, makeRun(t), development) })
	t.Run("production", func(t *testing.T) { replay(t, serveLine(t, production), production) })
}

// TestServicesDocument replays docs/services.md, by the administrator whom the README makes.
func TestServicesDocument(t *testing.T) {
	needs(t, "curl")
	_, production := splitAt(readTranscript(t, "README.md"), "make build")
	begin := slices.IndexFunc(production, func(e exchange) bool { return strings.Contains(e.command, "_createFirstAdmin") })
	if begin < 0 {
		t.Fatal("the README makes no first administrator")
	}
	transcript := append(production[begin:begin+1:begin+1], readTranscript(t, "docs/services.md")...)
	replay(t, serveLine(t, production), transcript)
}

// makeRun gives the line that make run ends in.
func makeRun(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-n", "run")
	cmd.Dir = nodetest.Root()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

func serveLine(t *testing.T, all []exchange) string {
	t.Helper()
	for _, e := range all {
		if strings.HasPrefix(e.command, serve) {
			return e.command
		}
	}
	t.Fatal("the README does not show how to serve")
	return ""
}

const serve = "bin/sluice serve"

type exchange struct{ command, output string }

func readTranscript(t *testing.T, file string) []exchange {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(nodetest.Root(), filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	return exchanges(string(text))
}

func exchanges(text string) []exchange {
	var all []exchange
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(block[1]) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				all = append(all, exchange{command: strings.TrimSpace(command)})
			} else if len(all) > 0 {
				all[len(all)-1].output += line
			}
		}
	}
	return all
}

func splitAt(all []exchange, command string) (before, after []exchange) {
	for i, e := range all {
		if e.command == command {
			return all[:i], all[i:]
		}
	}
	return all, nil
}

func replay(t *testing.T, line string, all []exchange) {
	t.Helper()
	args, ok := strings.CutPrefix(line, serve+" ")
	if !ok {
		t.Fatalf("%q does not begin with %s", line, serve)
	}
	folder := t.TempDir()
	if err := os.Symlink(binaries.Dir, filepath.Join(folder, "bin")); err != nil {
		t.Fatal(err)
	}
	n := binaries.ServeIn(t, folder, strings.Fields(args)...)
	shell := exec.CommandContext(t.Context(), "sh")
	in, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	shell.Stderr = shell.Stdout
	shell.Dir = folder
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	defer shell.Wait() // its commands were looked at one by one
	defer in.Close()   // ends the shell
	lines := bufio.NewReader(out)
	for _, e := range all {
		if strings.HasPrefix(e.command, "make ") || strings.HasPrefix(e.command, serve) {
			continue
		}
		command := strings.ReplaceAll(e.command, "127.0.0.1:7512", n.Address)
		if _, err := fmt.Fprintf(in, "%s\necho; echo END-OF-COMMAND\n", command); err != nil {
			t.Fatal(err)
		}
		if got := readUntil(t, lines, "END-OF-COMMAND\n"); !matches(e.output, got) {
			t.Errorf("$ %s\ngot  %s\nwant %s", e.command, got, e.output)
		}
	}
}

func readUntil(t *testing.T, r *bufio.Reader, end string) string {
	t.Helper()
	var got strings.Builder
	for {
		line, err := r.ReadString('\n')
		if line == end {
			return got.String()
		}
		if err != nil {
			t.Fatalf("the shell ended after %q: %v", got.String(), err)
		}
		got.WriteString(line)
	}
}

// matches compares output with what the README shows, in which … stands for anything.
func matches(shown, got string) bool {
	var pattern strings.Builder
	for i, part := range strings.Split(strings.TrimSpace(shown), "…") {
		if i > 0 {
			pattern.WriteString("(?s:.*)")
		}
		pattern.WriteString(regexp.QuoteMeta(part))
	}
	return regexp.MustCompile(`^` + pattern.String() + `$`).MatchString(strings.TrimSpace(got))
}
