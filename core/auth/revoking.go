package auth

import "sync"

// revoking counts for each user the calls of RevokeAll in progress. It is safe for concurrent use; its zero value is empty.
type revoking struct {
	mu    sync.Mutex
	users map[string]int
}

func (r *revoking) enter(kuid string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.users == nil {
		r.users = map[string]int{}
	}
	r.users[kuid]++
}

func (r *revoking) leave(kuid string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.users[kuid]--; r.users[kuid] == 0 {
		delete(r.users, kuid)
	}
}

func (r *revoking) has(kuid string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.users[kuid] > 0
}
