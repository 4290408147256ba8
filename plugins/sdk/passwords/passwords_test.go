package passwords

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
)

var cheap = Cost{MemoryKiB: 64, Iterations: 1, Parallelism: 1}

func TestHashAndMatch(t *testing.T) {
	h := New(cheap)
	stored, err := h.Hash(t.Context(), "qa")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=64,t=1,p=1$") || !Valid(stored) {
		t.Errorf("PHC form %q", stored)
	}
	again, err := h.Hash(t.Context(), "qa")
	if err != nil || again == stored {
		t.Errorf("no salt: %q %v", again, err)
	}
	for password, want := range map[string]bool{"qa": true, "qb": false, "": false, "qa ": false} {
		if ok, err := h.Matches(t.Context(), stored, password); ok != want || err != nil {
			t.Errorf("%q: %v %v", password, ok, err)
		}
	}
}

func TestNobodyCostsAHash(t *testing.T) {
	h := New(cheap)
	ok, err := h.Matches(t.Context(), "", "qa")
	if ok || err != nil || h.Runs() != 1 {
		t.Errorf("%v %v after %d runs", ok, err, h.Runs())
	}
}

// The reference implementation's own example: `echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 32`.
func TestTheHashesOfOthers(t *testing.T) {
	const theirs = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	h := New(cheap)
	if ok, err := h.Matches(t.Context(), theirs, "password"); !ok || err != nil {
		t.Errorf("%v %v", ok, err)
	}
	if ok, _ := h.Matches(t.Context(), theirs, "Password"); ok {
		t.Error("another password matches")
	}
}

func TestWeak(t *testing.T) {
	stored, err := New(cheap).Hash(t.Context(), "qa")
	if err != nil {
		t.Fatal(err)
	}
	if !New(Standard).Weak(stored) || New(cheap).Weak(stored) || New(Standard).Weak("nonsense") {
		t.Error("weak")
	}
}

func TestDamagedHashes(t *testing.T) {
	h := New(cheap)
	for _, phc := range []string{
		"x", "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=64,t=1,p=1$c2Fs$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$", "$argon2id$v=19$m=64,t=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8",
	} {
		if ok, err := h.Matches(t.Context(), phc, "password"); ok || !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v %v", phc, ok, err)
		}
	}
	if h.Runs() != 0 {
		t.Errorf("%d hashes were computed", h.Runs())
	}
}

func TestALongPasswordIsNotHashed(t *testing.T) {
	h := New(cheap)
	if _, err := h.Hash(t.Context(), strings.Repeat("x", MaxBytes+1)); !errors.Is(err, ErrTooLong) || h.Runs() != 0 {
		t.Errorf("%v after %d runs", err, h.Runs())
	}
	if _, err := h.Hash(t.Context(), strings.Repeat("x", MaxBytes)); err != nil {
		t.Error(err)
	}
}

func TestTheQueueIsBounded(t *testing.T) {
	h := New(cheap)
	for range cap(h.slots) {
		h.slots <- struct{}{} // somebody hashes
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	full := cap(h.slots) * waitersPerSlot
	for range full {
		wait.Go(func() {
			if _, err := h.Hash(ctx, "qa"); !errors.Is(err, context.Canceled) {
				t.Errorf("a waiter got %v", err)
			}
		})
	}
	for h.waiting.Load() < int64(full) {
		runtime.Gosched()
	}
	if _, err := h.Hash(t.Context(), "qa"); !errors.Is(err, ErrBusy) {
		t.Errorf("beyond the bound: %v", err)
	}
	cancel()
	wait.Wait()
	for range cap(h.slots) {
		h.leave()
	}
	if _, err := h.Hash(t.Context(), "qa"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Fuzz(func(t *testing.T, phc string) {
		h, err := parse(phc)
		if err != nil {
			return
		}
		again, err := parse(h.String())
		if err != nil || again.String() != h.String() {
			t.Fatalf("%q became %q: %v", phc, h, err)
		}
	})
}

func BenchmarkMatches(b *testing.B) {
	h := New(Standard)
	stored, err := h.Hash(b.Context(), "qa")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if ok, err := h.Matches(b.Context(), stored, "qa"); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
