package document

import (
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// maxOwned is how many scrolls one user may have open: a node has room for a few hundred.
const maxOwned = 100

// scrolls are what the controller knows of the scrolls that it opened: whose they are, and where they look. The zero value has
// none. One that ran out stays until somebody opens another.
type scrolls struct {
	mu   sync.Mutex
	open map[string]*scroll
	// owned counts the scrolls of each owner, those that are being opened too.
	owned map[string]int
}

// scroll is guarded by scrolls.mu; owner and targets do not change.
type scroll struct {
	owner   string
	targets []storage.Collection
	until   time.Time
	// readers are who is reading a page: it does not run out meanwhile.
	readers int
}

// ownerOf gives who a scroll counts for: "" for a call from inside the node that nobody holds to rights.
func ownerOf(req *protocol.Request) string {
	if req.Internal != nil && !req.Internal.CheckRights {
		return ""
	}
	return req.User.KUID()
}

// reserve makes room for a scroll of an owner. add or free must follow.
func (s *scrolls) reserve(owner string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(s.open, func(_ string, old *scroll) bool {
		over := old.readers == 0 && now.After(old.until)
		if over {
			s.freeLocked(old.owner)
		}
		return over
	})
	if owner != "" && s.owned[owner] >= maxOwned {
		return kerror.ServicesStorageTooManyScrolls.New(fmt.Sprint("a user may have ", maxOwned))
	}
	if s.owned == nil {
		s.owned, s.open = map[string]int{}, map[string]*scroll{}
	}
	s.owned[owner]++
	return nil
}

// free gives back what was reserved.
func (s *scrolls) free(owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.freeLocked(owner)
}

func (s *scrolls) freeLocked(owner string) {
	if s.owned[owner]--; s.owned[owner] == 0 {
		delete(s.owned, owner)
	}
}

// add puts a scroll in the place that was reserved.
func (s *scrolls) add(id, owner string, targets []storage.Collection, keep time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[id] = &scroll{owner: owner, targets: targets, until: time.Now().Add(keep)}
}

// take gives a scroll to read a page of, nil when there is none. put must follow.
func (s *scrolls) take(id string) *scroll {
	s.mu.Lock()
	defer s.mu.Unlock()
	sc := s.open[id]
	if sc != nil {
		sc.readers++
	}
	return sc
}

func (s *scrolls) put(sc *scroll) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sc.readers--
}

func (s *scrolls) extend(sc *scroll, keep time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sc.until = time.Now().Add(keep)
}

func (s *scrolls) remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sc := s.open[id]; sc != nil { // else somebody else did
		delete(s.open, id)
		s.freeLocked(sc.owner)
	}
}
