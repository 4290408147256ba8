package announce

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script drives the line of one document: each word is a step.
//
//	a+  a takes its turn          a=3  a made version 3       a=!  a failed
//	a.  a ends                    a=d3 a deleted version 3
type script struct {
	turns
	mine map[string][]*turn
	ops  map[string][]storage.Op
	told []string
}

func newScript() *script {
	return &script{turns: turns{lines: map[document]*line{}}, mine: map[string][]*turn{}, ops: map[string][]storage.Op{}}
}

func (s *script) run(t *testing.T, steps string) {
	t.Helper()
	for step := range strings.FieldsSeq(steps) {
		name, what := step[:1], step[1:]
		switch what {
		case "+":
			s.ops[name] = []storage.Op{{Kind: storage.OpPut, ID: "x"}}
			s.mine[name] = s.take(t.Context(), storage.Collection{}, s.ops[name])
		case "=!":
			s.made(s.mine[name], s.ops[name], []storage.OpResult{{Err: kerror.ServicesStorageNotFound.New()}})
		case ".":
			s.end(s.mine[name][0], func() { s.told = append(s.told, name) })
		default:
			var version int64
			if text, deleted := strings.CutPrefix(what, "=d"); deleted {
				s.ops[name][0].Kind = storage.OpDelete
				what = "=" + text
			}
			if _, err := fmt.Sscanf(what, "=%d", &version); err != nil {
				t.Fatalf("%s: %v", step, err)
			}
			s.made(s.mine[name], s.ops[name], []storage.OpResult{{Document: storage.Document{Version: version}}})
		}
	}
}

func TestTurns(t *testing.T) {
	for _, c := range []struct{ name, steps, told string }{
		{"one after the other", "a+ a=1 a. b+ b=2 b.", "ab"},
		{"both at once, in order", "a+ b+ a=1 b=2 a. b.", "ab"},
		{"both at once, the second ends first", "a+ b+ a=1 b=2 b. a.", "ab"},
		{"both at once, the one who came second wrote first", "a+ b+ b=1 a=2 a. b.", "ba"},
		{"not known yet who was first", "a+ b+ b=2 b. a=1 a.", "ab"},
		{"the other comes later after all", "a+ b+ b=1 b. a=2 c+ c=3 c. a.", "bac"},
		{"the one before fails", "a+ b+ b=1 b. a=!", "b"},
		{"who came after it was done is no reason to wait", "a+ a=1 b+ a.", "a"},
		{"a deletion comes after the version it found", "a+ b+ b=d1 a=1 b. a.", "ab"},
		{"and before what is created again", "a+ b+ c+ c=2 c. a=d1 b=1 a. b.", "bac"},
		{"three, backwards", "a+ b+ c+ a=1 b=2 c=3 c. b. a.", "abc"},
	} {
		s := newScript()
		s.run(t, c.steps)
		if got := strings.Join(s.told, ""); got != c.told {
			t.Errorf("%s: told %q, want %q", c.name, got, c.told)
		}
		if waiting := strings.Count(c.steps, "+") - strings.Count(c.steps, "."); waiting == 0 && len(s.lines) != 0 {
			t.Errorf("%s: the line is kept", c.name)
		}
	}
}

// TestWhoWritesWhileTelling: word of a write may cause another one, which comes after it.
func TestWhoWritesWhileTelling(t *testing.T) {
	s := newScript()
	s.run(t, "a+ a=1")
	s.end(s.mine["a"][0], func() {
		s.run(t, "b+ b=2 b.")
		s.told = append(s.told, "a")
	})
	if got := strings.Join(s.told, ""); got != "ab" || len(s.lines) != 0 {
		t.Errorf("told %q, %d lines", got, len(s.lines))
	}
}

// TestPanicWhileTelling leaves the line to the next.
func TestPanicWhileTelling(t *testing.T) {
	s := newScript()
	s.run(t, "a+ b+ a=1 b=2 b.")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is gone")
			}
		}()
		s.end(s.mine["a"][0], func() { panic("telling") })
	}()
	s.run(t, "c+ c=3 c.")
	if got := strings.Join(s.told, ""); got != "bc" || len(s.lines) != 0 {
		t.Errorf("told %q, %d lines", got, len(s.lines))
	}
}

// TestLineIsBounded: who finds too many waiting gets no turn.
func TestLineIsBounded(t *testing.T) {
	s := newScript()
	ops := slices.Repeat([]storage.Op{{ID: "x"}}, maxLine+1)
	mine := s.take(t.Context(), storage.Collection{}, ops)
	if mine[maxLine-1] == nil || mine[maxLine] != nil {
		t.Error("the line has another bound")
	}
	s.made(mine, ops, nil)
	if len(s.lines) != 0 {
		t.Error("the line is kept")
	}
}

// TestFullLineIsWaitedFor by who comes next, until there is room or his time is up.
func TestFullLineIsWaitedFor(t *testing.T) {
	s := newScript()
	ops := slices.Repeat([]storage.Op{{ID: "x"}}, maxLine)
	mine := s.take(t.Context(), storage.Collection{}, ops)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if got := s.take(ended, storage.Collection{}, ops[:1]); got[0] != nil {
		t.Error("there was room in a full line")
	}
	later := make(chan []*turn)
	go func() { later <- s.take(t.Context(), storage.Collection{}, ops[:1]) }()
	s.made(mine, ops, nil)
	next := <-later
	if next[0] == nil {
		t.Error("no turn, although there is room")
	}
	s.made(next, ops[:1], nil)
	if len(s.lines) != 0 {
		t.Error("the line is kept")
	}
}

// TestManyWriters: words come in the order of the versions, and each once, whatever writers do between.
func TestManyWriters(t *testing.T) {
	const writers, rounds = 16, 200
	q := turns{lines: map[document]*line{}}
	var mu sync.Mutex // is the lock of the document
	var version int64
	var told []int64
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 0))
			ops := []storage.Op{{Kind: storage.OpPut, ID: "x"}}
			for range rounds {
				mine := q.take(t.Context(), storage.Collection{}, ops)
				if mine[0] == nil { // TestLineIsBounded
					continue
				}
				mu.Lock()
				version++
				made := version
				mu.Unlock()
				if rng.IntN(4) == 0 {
					q.made(mine, ops, nil) // the disk failed
					continue
				}
				q.made(mine, ops, []storage.OpResult{{Document: storage.Document{Version: made}}})
				q.end(mine[0], func() { told = append(told, made) }) // one at a time: the race detector looks on
			}
		})
	}
	wg.Wait()
	if !slices.IsSorted(told) || len(told) == 0 || len(q.lines) != 0 {
		t.Errorf("%d words, %d lines", len(told), len(q.lines))
	}
}
