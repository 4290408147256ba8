package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// lookForKeysEvery is how often a node looks whether its KeysFile is another one. A look costs one system call.
const lookForKeysEvery = time.Second

// keysWatch is what a node knows of its KeysFile.
type keysWatch struct {
	signing key   // zero when the keys of the file sign
	retired []key // of the settings, and of a Kuzzle
	// seen is the file whose keys are in force, nil when there was none.
	seen fs.FileInfo
	// failing is set while the file cannot be taken over, which is told once.
	failing bool
}

// openKeys puts the keys in force, and makes those that are missing.
func (s *Service) openKeys(ctx context.Context) (*keysWatch, error) {
	w := &keysWatch{}
	var err error
	if w.signing, err = configuredKey(s.options); err != nil {
		return nil, err
	}
	if w.retired, err = configuredRetired(s.options); err != nil {
		return nil, err
	}
	theirs, err := s.kuzzleKeys(ctx)
	if err != nil {
		return nil, err
	}
	w.retired = append(w.retired, theirs...)
	var r ring
	if s.options.KeysFile != "" {
		if r, w.seen, err = changeRing(s.options, w.missing(s.options.Algorithm, s.now().UTC())); err != nil {
			return nil, err
		}
	}
	k, err := newKeys(w.signing, w.retired, r)
	if err != nil {
		return nil, err
	}
	s.keys.Store(k)
	s.log.InfoContext(ctx, "keys of tokens", "signs", k.signing.id, "algorithm", k.signing.algorithm(), "verify", len(k.byID))
	return w, nil
}

// missing gives what changeRing needs to store what a node wants of its ring: a key that signs, with the algorithm of the
// settings, unless the settings name that key.
func (w *keysWatch) missing(algorithm string, now time.Time) func(ring, bool) (ring, error) {
	return func(r ring, stored bool) (ring, error) {
		current := r.current()
		switch {
		case w.signing.id == "" && current == nil:
			return r.rotate(cmp.Or(algorithm, "HS256"), now)
		case w.signing.id == "" && algorithm != "" && current.algorithm() != algorithm:
			return r.rotate(algorithm, now)
		case !stored:
			return r, nil // what was a SecretFile, or nothing
		}
		return nil, nil
	}
}

// watchKeysUntil takes over the keys that "sluice keys" changes, until ctx ends.
func (s *Service) watchKeysUntil(ctx context.Context, w *keysWatch) {
	ticker := time.NewTicker(lookForKeysEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.lookForKeys(ctx, w)
		}
	}
}

// lookForKeys takes over the KeysFile when it is another one. When that fails the keys in force stay, and it is tried again.
func (s *Service) lookForKeys(ctx context.Context, w *keysWatch) {
	info, err := os.Stat(s.options.KeysFile)
	switch {
	case w.seen == nil && errors.Is(err, fs.ErrNotExist):
		return
	case err == nil && w.sees(info):
		w.recovered(ctx, s)
		return
	case err == nil:
		err = s.takeKeys(ctx, w)
	}
	switch {
	case err == nil:
		w.recovered(ctx, s)
	case !w.failing && ctx.Err() == nil:
		w.failing = true
		s.log.ErrorContext(ctx, "the keys of tokens cannot be read; those from before stay in force", "error", err)
	}
}

func (w *keysWatch) sees(info fs.FileInfo) bool {
	return w.seen != nil && os.SameFile(w.seen, info) && w.seen.ModTime().Equal(info.ModTime()) && w.seen.Size() == info.Size()
}

func (w *keysWatch) recovered(ctx context.Context, s *Service) {
	if w.failing {
		w.failing = false
		s.log.InfoContext(ctx, "the keys of tokens can be read again")
	}
}

func (s *Service) takeKeys(ctx context.Context, w *keysWatch) error {
	r, info, err := loadRing(s.options)
	if err != nil {
		return err
	}
	if info == nil {
		return fmt.Errorf("%s: %w", s.options.KeysFile, fs.ErrNotExist)
	}
	k, err := newKeys(w.signing, w.retired, r)
	if err != nil {
		return err
	}
	w.seen = info
	s.useKeys(ctx, k)
	return nil
}

// useKeys puts other keys in force. What was signed with one that is gone is refused once it returned, and its connections are
// told.
func (s *Service) useKeys(ctx context.Context, k *keys) {
	s.mu.Lock()
	before := s.keys.Swap(k)
	removed := before.missingIn(k)
	if removed > 0 {
		s.generation.Add(1)
		s.verified.Purge()
	}
	s.mu.Unlock()
	s.log.InfoContext(ctx, "other keys of tokens", "signs", k.signing.id, "algorithm", k.signing.algorithm(), "verify", len(k.byID), "removed", removed)
	if s.options.KeysChanged != nil {
		s.options.KeysChanged(ctx, k.signing.id, len(k.byID), removed)
	}
	if removed == 0 {
		return
	}
	for _, text := range s.links.texts() {
		if _, err := k.parse(text); err != nil {
			s.endLinks(ctx, idOf(text))
		}
	}
}

// missingIn counts the keys that another set has not.
func (k *keys) missingIn(other *keys) int {
	n := 0
	for id := range k.byID {
		if _, ok := other.byID[id]; !ok {
			n++
		}
	}
	return n
}

// PublicKeys is the JSON Web Key Set (RFC 7517) of the keys that verify tokens: of asymmetric ones only, so with HS256 it is
// empty. It must not be changed.
func (s *Service) PublicKeys() []byte { return s.keys.Load().public }
