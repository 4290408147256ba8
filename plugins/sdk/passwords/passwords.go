// Package passwords keeps passwords as Argon2id hashes in PHC form, and computes as many of them at a time as there are
// processors, so that their memory is bounded.
//
//	h := passwords.New(passwords.Standard)
//	stored, err := h.Hash(ctx, "secret")
//	ok, err := h.Matches(ctx, stored, "secret") // stored == "": nobody's, false after as long
//	if ok && h.Weak(stored) { … }               // hash anew with what is configured now
//
// It is for plugins with users of their own; those of the node are the node's business. Plugins import it; it imports
// golang.org/x/crypto.
package passwords

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
)

// MaxBytes is the longest password that Hash and Matches take, 1024 characters of any kind; both answer ErrTooLong for more.
const MaxBytes = 4096

// waitersPerSlot bounds how many hashes may wait for each one that runs: at 27 ms a hash, less than two seconds.
const waitersPerSlot = 64

// The errors, beside ErrDamaged and that of the context.
var (
	ErrTooLong = errors.New("the password is too long")
	// ErrBusy says that too many hashes wait already: answer that the service is overloaded.
	ErrBusy = errors.New("too many passwords are being verified")
)

// Hasher computes hashes. It is safe for concurrent use.
type Hasher struct {
	cost Cost
	// decoy is compared with the password of an unknown user, so that it takes as long as a known one.
	decoy   hash
	slots   chan struct{}
	waiting atomic.Int64
	runs    atomic.Int64
}

// New makes a Hasher whose new hashes have the given cost; the zero Cost is Standard.
func New(c Cost) *Hasher {
	if c == (Cost{}) {
		c = Standard
	}
	return &Hasher{
		cost:  c,
		decoy: hash{c, make([]byte, saltBytes), make([]byte, sumBytes)},
		slots: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
}

// Hash gives the PHC form of a new hash.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx, password); err != nil {
		return "", err
	}
	defer h.leave()
	return newHash(password, h.cost).String(), nil
}

// Matches compares a password with a stored hash. "" is that of a user who does not exist: nothing matches it, and that
// takes as long. A stored text that is no hash is ErrDamaged.
func (h *Hasher) Matches(ctx context.Context, phc, password string) (bool, error) {
	stored := h.decoy
	if phc != "" {
		var err error
		if stored, err = parse(phc); err != nil {
			return false, err
		}
	}
	if err := h.enter(ctx, password); err != nil {
		return false, err
	}
	defer h.leave()
	return stored.matches(password) && phc != "", nil
}

// Weak reports whether a stored hash costs less than new ones do. One that is damaged is not weak.
func (h *Hasher) Weak(phc string) bool {
	stored, err := parse(phc)
	return err == nil && stored.weakerThan(h.cost)
}

// Valid reports whether a text is a hash that Matches takes.
func Valid(phc string) bool {
	_, err := parse(phc)
	return err == nil
}

// Runs counts the hashes computed so far.
func (h *Hasher) Runs() int64 { return h.runs.Load() }

func (h *Hasher) enter(ctx context.Context, password string) error {
	if len(password) > MaxBytes {
		return ErrTooLong
	}
	if h.waiting.Add(1) > int64(cap(h.slots)*waitersPerSlot) {
		h.waiting.Add(-1)
		return ErrBusy
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
		h.runs.Add(1)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *Hasher) leave() { <-h.slots }
