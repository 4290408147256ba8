package embedded

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

const (
	crashRounds   = 12
	stormWriters  = 4
	idsPerWriter  = 8
	reportingFile = 3
)

// storm is the child that gets killed: it writes without end, and reports on a pipe what it is about to do and what was
// acknowledged. Each id has one writer, so that at most one operation of it is open when the end comes.
func storm(dir string) {
	report := os.NewFile(reportingFile, "report")
	e, err := Open(context.Background(), Options{Dir: dir, Logger: quiet, IndexDocuments: few})
	if err == nil {
		err = e.Ensure(context.Background(), things, storage.Spec{Keywords: []string{"k"}, Mapping: []byte(stormMapping)})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go stormSearches(e)
	for w := range stormWriters {
		go func() {
			for {
				var err error
				if rand.IntN(5) == 0 {
					err = stormBulk(e, report, w)
				} else {
					err = stormOne(e, report, fmt.Sprintf("%d-%d", w, rand.IntN(idsPerWriter)))
				}
				if err != nil {
					fmt.Fprintln(os.Stderr, w, err)
					os.Exit(1)
				}
			}
		}()
	}
	select {}
}

const stormMapping = `{"dynamic":"true","properties":{"k":{"type":"keyword"}}}`

// stormSearches searches without end for what every document has.
func stormSearches(e *Engine) {
	for {
		found, err := e.Search(context.Background(), storage.Search{
			Targets: []storage.Collection{things}, Body: []byte(`{"query":{"term":{"k":"all"}}}`), Size: stormWriters * idsPerWriter,
		})
		seen := map[string]bool{}
		for _, h := range found.Hits {
			if seen[h.ID] {
				err = fmt.Errorf("%s was found twice", h.ID)
			}
			seen[h.ID] = true
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "search:", err)
			os.Exit(1)
		}
	}
}

// stormOne puts or deletes one document.
func stormOne(e *Engine, report *os.File, id string) error {
	ctx := context.Background()
	if rand.IntN(4) == 0 {
		fmt.Fprintf(report, "will %s -\n", id)
		err := e.Delete(ctx, things, id, storage.WriteOptions{})
		if err != nil && !errors.Is(err, kerror.ServicesStorageNotFound) {
			return err
		}
		_, err = fmt.Fprintf(report, "did %s 0\n", id)
		return err
	}
	mark := fmt.Sprintf("%x", rand.Uint64())
	fmt.Fprintf(report, "will %s %s\n", id, mark)
	doc, _, err := e.Put(ctx, things, id, stormSource(mark), storage.WriteOptions{})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(report, "did %s %d\n", id, doc.Version)
	return err
}

// stormSource holds the mark, and now and then a field that the mapping does not know yet.
func stormSource(mark string) []byte {
	return fmt.Appendf(nil, `{"k":["%s","all"],"padding":"%s","f%d":1}`, mark, strings.Repeat("p", rand.IntN(4000)), rand.IntN(200))
}

// stormBulk puts or deletes every document of a writer in one Write.
func stormBulk(e *Engine, report *os.File, writer int) error {
	var ops []storage.Op
	for i := range idsPerWriter {
		op, mark := storage.Op{Kind: storage.OpDelete, ID: fmt.Sprintf("%d-%d", writer, i)}, "-"
		if rand.IntN(4) != 0 {
			mark = fmt.Sprintf("%x", rand.Uint64())
			op.Kind, op.Source = storage.OpPut, stormSource(mark)
		}
		fmt.Fprintf(report, "will %s %s\n", op.ID, mark)
		ops = append(ops, op)
	}
	results, err := e.Write(context.Background(), things, ops, storage.BulkOptions{})
	for i, r := range results {
		if r.Err != nil && !errors.Is(r.Err, kerror.ServicesStorageNotFound) {
			return r.Err
		}
		fmt.Fprintf(report, "did %s %d\n", ops[i].ID, r.Document.Version)
	}
	return err
}

// told is what the parent knows of one id: the last acknowledged state, and the operation that may be open.
type told struct {
	mark, open string // "-" is no document; open is empty when nothing is open
	version    int64
}

// TestKill9 kills a storm of writers at random times and looks for every write that was acknowledged.
func TestKill9(t *testing.T) {
	dir, known, acknowledged := t.TempDir(), map[string]*told{}, 0
	for range crashRounds {
		acknowledged += killOnce(t, dir, known)
		e := openedFew(t, dir, nil)
		for id, want := range known {
			lookFor(t, e, id, want)
		}
		checkConsistent(t, e)
		checkSelect(t, e)
		if e.lost.Load() > 0 {
			t.Error("the kill damaged the search index")
		}
		must(t, e.Close())
		if t.Failed() {
			return
		}
	}
	t.Logf("%d acknowledged writes in %d rounds", acknowledged, crashRounds)
}

// killOnce runs a storm, kills it, and brings known up to date with what it reported.
func killOnce(t *testing.T, dir string, known map[string]*told) (acknowledged int) {
	t.Helper()
	reading, writing, err := os.Pipe()
	must(t, err)
	defer reading.Close()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childEnv+"=storm", dirEnv+"="+dir)
	child.ExtraFiles = []*os.File{writing} // becomes reportingFile
	child.Stderr = os.Stderr
	must(t, child.Start())
	must(t, writing.Close())

	lines := bufio.NewScanner(reading)
	for lines.Scan() {
		var what, id, value string
		if _, err := fmt.Sscan(lines.Text(), &what, &id, &value); err != nil {
			t.Fatalf("report %q: %v", lines.Text(), err)
		}
		if known[id] == nil {
			known[id] = &told{mark: "-"}
		}
		if what == "will" {
			known[id].open = value
			continue
		}
		if acknowledged++; acknowledged == 1 {
			openError(t, Options{Dir: dir}, "stop the other process")
			after := time.Duration(20+rand.IntN(150)) * time.Millisecond
			time.AfterFunc(after, func() { _ = child.Process.Kill() })
		}
		k := known[id]
		k.mark, k.open = k.open, ""
		_, err := fmt.Sscan(value, &k.version)
		must(t, err)
	}
	_ = child.Wait()
	if code := child.ProcessState.ExitCode(); code != -1 {
		t.Fatalf("the child ended by itself with %d", code)
	}
	return acknowledged
}

// lookFor checks one id against what was told of it, and settles an operation that was open.
func lookFor(t *testing.T, e *Engine, id string, want *told) {
	t.Helper()
	doc, err := e.Get(t.Context(), things, id)
	mark := "-"
	if err == nil {
		mark = strings.Split(string(doc.Source), `"`)[3]
	} else if !errors.Is(err, kerror.ServicesStorageNotFound) {
		t.Fatalf("Get(%q): %v", id, err)
	}
	if mark != want.mark && mark != want.open {
		t.Errorf("%s: found %q, acknowledged was %q, open was %q", id, mark, want.mark, want.open)
	}
	if mark == want.mark && mark != "-" && doc.Version != want.version {
		t.Errorf("%s: found version %d, acknowledged was %d", id, doc.Version, want.version)
	}
	if mark != "-" {
		docs, err := e.Find(t.Context(), things, "k", mark, 2)
		if err != nil || len(docs) != 1 || docs[0].ID != id {
			t.Errorf("%s is not found by its keyword: %v, %v", id, docs, err)
		}
		found, err := e.Search(t.Context(), storage.Search{
			Targets: []storage.Collection{things}, Body: fmt.Appendf(nil, `{"query":{"term":{"k":%q}}}`, mark), Size: 2,
		})
		if err != nil || len(found.Hits) != 1 || found.Hits[0].ID != id {
			t.Errorf("%s is not found by a search: %v, %v", id, found, err)
		}
	}
	*want = told{mark: mark, version: doc.Version}
}

// fatal is the child that cannot make or write files whose name contains part; those that are open still take data.
func fatal(dir, part string) {
	var broken toggle
	kinds := map[string][]errorfs.OpKind{".log": {errorfs.OpCreate, errorfs.OpReuseForWrite}}
	e, err := Open(context.Background(), Options{Dir: dir, Logger: quiet, FS: errorfs.Wrap(vfs.Default, broken.on(part, kinds[part]...))})
	if err == nil {
		err = e.Ensure(context.Background(), things, storage.Spec{})
	}
	if err == nil {
		_, _, err = e.Put(context.Background(), things, "acknowledged", []byte(`{}`), storage.WriteOptions{})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(65)
	}
	broken.set(true)
	func() {
		defer func() { _ = recover() }() // as a server does for its requests
		_ = e.db.Flush()
	}()
	time.Sleep(10 * time.Second) // the end may come from another goroutine
	os.Exit(66)                  // must not be reached
}

// TestFatal: what can neither be gone on with nor undone ends the process, and the next start has everything.
func TestFatal(t *testing.T) {
	for part, code := range map[string]int{"MANIFEST": 1, ".log": 2} {
		t.Run(part, func(t *testing.T) {
			dir := t.TempDir()
			child := exec.CommandContext(t.Context(), os.Args[0])
			child.Env = append(os.Environ(), childEnv+"=fatal", dirEnv+"="+dir, partEnv+"="+part)
			out, _ := child.CombinedOutput()
			if got := child.ProcessState.ExitCode(); got != code {
				t.Fatalf("the child ended with %d, want %d: %s", got, code, out)
			}
			e := opened(t, dir, nil)
			_, err := e.Get(t.Context(), things, "acknowledged")
			must(t, err)
		})
	}
}
