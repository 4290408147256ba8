package embedded

import (
	"hash/maphash"
	"math/bits"
	"sync"
)

// lockCount is how many locks the documents share.
const lockCount = 4096

// documentLocks order the writers of one document; documents share a lock by chance only. Who holds several has taken them
// all at once, through lock.
type documentLocks struct {
	seed maphash.Seed
	mu   [lockCount]sync.Mutex
}

// stripe gives the number of a document's lock.
func (l *documentLocks) stripe(collection uint32, id string) int {
	h := maphash.String(l.seed, id) + uint64(collection)
	return int(h % lockCount)
}

// of gives the lock of one document.
func (l *documentLocks) of(collection uint32, id string) *sync.Mutex {
	return &l.mu[l.stripe(collection, id)]
}

// stripes is a set of locks.
type stripes [lockCount / 64]uint64

func (s *stripes) add(stripe int) { s[stripe/64] |= 1 << (stripe % 64) }

// each visits the locks of the set in ascending order.
func (s stripes) each(visit func(stripe int)) {
	for i, word := range s {
		for ; word != 0; word &= word - 1 {
			visit(i*64 + bits.TrailingZeros64(word))
		}
	}
}

// lock takes all locks of a set. The order keeps two sets from waiting for each other.
func (l *documentLocks) lock(s stripes) { s.each(func(i int) { l.mu[i].Lock() }) }

func (l *documentLocks) unlock(s stripes) { s.each(func(i int) { l.mu[i].Unlock() }) }
