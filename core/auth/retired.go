package auth

import (
	"context"
	"sync"
	"time"
)

// retiredKept is how long the record of a refreshed token stays after the token ended: far longer than a refresh takes,
// which looks whether the record is still there to learn of a revocation.
const retiredKept = time.Minute

// removable is the time, in milliseconds since 1970, from which the record may be removed; below 0 is never.
func (r record) removable() int64 {
	if r.Refreshed && r.ExpiresAt >= 0 {
		return r.ExpiresAt + retiredKept.Milliseconds()
	}
	return r.ExpiresAt
}

// maxRetired bounds a retiredTokens. The oldest is dropped from a full one, and removed with the expired tokens.
const maxRetired = 65_536

// retiredTokens are the tokens that this node refreshed, in that order, until their records can be removed. What a restart
// loses is removed with the expired tokens. It is safe for concurrent use; its zero value is empty.
type retiredTokens struct {
	mu     sync.Mutex
	tokens []retiredToken
}

type retiredToken struct {
	id tokenID
	// removable is as of record.
	removable int64
}

func (r *retiredTokens) push(t retiredToken) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.tokens) == maxRetired {
		r.tokens = r.tokens[1:]
	}
	r.tokens = append(r.tokens, t)
}

// pop takes the oldest one if its time has come.
func (r *retiredTokens) pop(now int64) (tokenID, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.tokens) == 0 || r.tokens[0].removable > now {
		return tokenID{}, false
	}
	id := r.tokens[0].id
	r.tokens = r.tokens[1:]
	return id, true
}

// removeRetired removes at most n records of refreshed tokens whose time has come.
func (s *Service) removeRetired(ctx context.Context, n int) error {
	now := s.now().UnixMilli()
	for range n {
		id, ok := s.retired.pop(now)
		if !ok {
			return nil
		}
		if err := s.remove(ctx, id.String(), id); err != nil {
			return err
		}
	}
	return nil
}
