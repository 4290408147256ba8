package audit_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluicehq/sluice/core/audit"
)

func TestWhatWasRecordedIsThereAfterClose(t *testing.T) {
	o, _ := options(t)
	l := open(t, o)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range 200 {
				l.Record(t.Context(), audit.Event{Event: "user", Outcome: audit.Success, Targets: []string{fmt.Sprint(i, " ", j)}})
			}
		})
	}
	all.Wait()
	closeLog(t, l)
	if n := len(events(t, o)); n != 800 {
		t.Errorf("%d events, want 800", n)
	}
	if r := verify(t, o.File.Path); r.Lines != 800 || r.Torn != 0 || r.Continues || r.Problems != nil {
		t.Errorf("%+v", r)
	}
	info, err := os.Stat(o.File.Path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	l.Record(t.Context(), audit.Event{Event: "late"}) // must not block or panic
}

func TestSyncedEventsAreInTheFileAtOnce(t *testing.T) {
	o, _ := options(t)
	o.File.Sync = true
	l := open(t, o)
	defer closeLog(t, l)
	l.Record(t.Context(), audit.Event{Event: "user", Outcome: audit.Success})
	if len(events(t, o)) != 1 {
		t.Error("Record came back before the line was written")
	}
}

func TestNilLogRecordsNothing(t *testing.T) {
	var l *audit.Log
	l.Record(t.Context(), audit.Event{})
	if err := l.Admit("auth", "login"); err != nil || l.Blocking() || l.Close() != nil {
		t.Error("a node without an audit log refuses something")
	}
}

// breakLog has the file removed and a folder put in its place, which nobody can write to, not root either.
func breakLog(t *testing.T, o audit.Options) (mend func()) {
	t.Helper()
	if err := os.Rename(o.File.Path, o.File.Path+".aside"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(o.File.Path, 0o700); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(o.File.Path); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(o.File.Path+".aside", o.File.Path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEventsWaitWhileTheFileCannotBeWritten(t *testing.T) {
	o, said := options(t)
	o.File.MaxBytes = 1 << 30
	synctest.Test(t, func(t *testing.T) {
		l := open(t, o)
		mend := breakLog(t, o)
		time.Sleep(2 * time.Second) // it notices that its file is gone
		for i := range 10000 {
			l.Record(t.Context(), audit.Event{Event: "user", Outcome: audit.Success, Targets: []string{fmt.Sprint(i)}})
			if i == 0 {
				synctest.Wait()
			}
		}
		time.Sleep(2 * time.Second)
		if err := l.Admit("auth", "login"); err != nil {
			t.Errorf("the log is not required, and yet: %v", err)
		}
		synctest.Wait() // or it could try in the middle
		mend()
		time.Sleep(5 * time.Second)
		closeLog(t, l)
	})
	all := events(t, o)
	written, lost := 0, 0
	for _, e := range all {
		switch e.Event {
		case "user":
			written++
		case audit.Lost:
			lost += e.Count
		}
	}
	if written < 4096 || lost == 0 || written+lost != 10000 {
		t.Errorf("%d events, %d lost, want 10000 together", written, lost)
	}
	if r := verify(t, o.File.Path); r.Problems != nil {
		t.Errorf("%v", r.Problems)
	}
	for _, text := range []string{"somebody took the audit log away", "the audit log cannot be written", "can be written again"} {
		if n := strings.Count(said.String(), text); n != 1 {
			t.Errorf("%q stands %d times in the log", text, n)
		}
	}
}

func TestRequiredLogRefusesWhatItCannotRecord(t *testing.T) {
	o, _ := options(t)
	o.Required = true
	synctest.Test(t, func(t *testing.T) {
		l := open(t, o)
		mend := breakLog(t, o)
		time.Sleep(2 * time.Second)
		l.Record(t.Context(), audit.Event{Event: "user", Outcome: audit.Success})
		synctest.Wait()
		if err := l.Admit("security", "deleteUser"); err == nil || !l.Blocking() {
			t.Error("an action that cannot be recorded is let through")
		}
		if err := l.Admit("document", "get"); err != nil {
			t.Errorf("an action that is not recorded is refused: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for range 2*4096 + 1 {
			l.Record(ctx, audit.Event{Event: "user", Outcome: audit.Success})
		}
		if ctx.Err() == nil {
			t.Error("an event was dropped without waiting for a place")
		}
		synctest.Wait() // or it could try in the middle
		mend()
		time.Sleep(5 * time.Second)
		if err := l.Admit("security", "deleteUser"); err != nil {
			t.Errorf("it can be written again, and yet: %v", err)
		}
		closeLog(t, l)
	})
}

// Nobody waits for a line that cannot be written.
func TestSyncedEventsDoNotHangWhileTheFileCannotBeWritten(t *testing.T) {
	o, _ := options(t)
	o.File.Sync = true
	synctest.Test(t, func(t *testing.T) {
		l := open(t, o)
		mend := breakLog(t, o)
		time.Sleep(2 * time.Second)
		began := time.Now()
		for range 100 {
			l.Record(t.Context(), audit.Event{Event: "user", Outcome: audit.Success})
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("they waited %s", took)
		}
		synctest.Wait() // or it could try in the middle
		mend()
		closeLog(t, l)
	})
	if n := len(events(t, o)); n != 100 {
		t.Errorf("%d events", n)
	}
}

func TestWhatIsLostAtTheEndIsSaid(t *testing.T) {
	o, said := options(t)
	synctest.Test(t, func(t *testing.T) {
		l := open(t, o)
		breakLog(t, o)
		time.Sleep(2 * time.Second)
		l.Record(t.Context(), audit.Event{Event: "user", Outcome: audit.Success})
		closeLog(t, l)
	})
	if !strings.Contains(said.String(), "events of the audit log are lost") {
		t.Error(said)
	}
}

func TestWhatIsNoFileIsRefused(t *testing.T) {
	o, _ := options(t)
	if err := os.MkdirAll(o.File.Path, 0o700); err != nil {
		t.Fatal(err)
	}
	if l, err := audit.Open(o); err == nil {
		closeLog(t, l)
		t.Error("a folder was opened as the log")
	}
	o, _ = options(t)
	o.File.Path = filepath.Join(os.DevNull, "audit.log")
	if l, err := audit.Open(o); err == nil {
		closeLog(t, l)
		t.Error("there cannot be such a folder")
	}
}

func TestLongTextsAreCut(t *testing.T) {
	o, _ := options(t)
	l := open(t, o)
	long := strings.Repeat("\xff\x00", 1<<20)
	targets := make([]string, 5000)
	for i := range targets {
		targets[i] = long
	}
	l.Record(t.Context(), audit.Event{Event: "user", Outcome: audit.Success, Request: long, Targets: targets, Profiles: targets})
	l.Record(t.Context(), audit.Event{Event: "user", Outcome: audit.Success, Request: strings.Repeat("\"", 128), Targets: []string{strings.Repeat("é", 128)}})
	l.Record(t.Context(), audit.Event{Event: "user", Outcome: audit.Success, Targets: []string{"whole…"}})
	closeLog(t, l)
	record(t, o, "next")
	if r := verify(t, files(t, o)...); r.Lines != 4 || r.Problems != nil {
		t.Errorf("%+v", r)
	}
	lines := slices.Collect(strings.Lines(read(t, o.File.Path)))
	if n := len(lines[0]); n > 600<<10 {
		t.Errorf("a line has %d bytes", n)
	}
	all := events(t, o)
	if e := all[0]; !e.Cut || len(e.Targets) != 1001 || e.Targets[1000] != "…" || !strings.HasSuffix(e.Request, "…") {
		t.Errorf("what was cut does not say so: %v, %d targets, request %q", e.Cut, len(e.Targets), e.Request)
	}
	if e := all[1]; e.Cut || len(e.Request) != 128 || len(e.Targets[0]) != 256 {
		t.Errorf("texts that a line has room for are cut: %+v", e)
	}
	if all[2].Cut {
		t.Error("a client makes a text look cut")
	}
}
