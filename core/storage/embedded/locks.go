package embedded

import (
	"hash/maphash"
	"math/bits"
	"sync"
	"sync/atomic"
)

const (
	// lockCount is how many locks the documents share.
	lockCount = 4096
	// placeCount is how many marks they share; those of one mark share a lock.
	placeCount = 16 * lockCount
)

// documentLocks order the writers of one document; documents share a lock by chance only. Who holds several has taken them
// all at once, through lock.
type documentLocks struct {
	seed  maphash.Seed
	mu    [lockCount]sync.Mutex
	marks [placeCount]atomic.Uint32
}

// place gives the number that stands for a document: its mark, and its lock.
func (l *documentLocks) place(collection uint32, id string) uint32 {
	return uint32((maphash.String(l.seed, id) + uint64(collection)) % placeCount)
}

// mark changes with each write of a document of a place, after it is applied and before the lock is given back. So who finds
// the same mark before reading a document without its lock, and later with it, has what is stored.
func (l *documentLocks) mark(place uint32) *atomic.Uint32 { return &l.marks[place] }

// of gives the lock of one document.
func (l *documentLocks) of(collection uint32, id string) *sync.Mutex {
	return &l.mu[l.place(collection, id)%lockCount]
}

// stripes is a set of locks.
type stripes [lockCount / 64]uint64

func (s *stripes) add(place uint32) {
	stripe := place % lockCount
	s[stripe/64] |= 1 << (stripe % 64)
}

// each visits the locks of the set in ascending order.
func (s *stripes) each(visit func(stripe int)) {
	for i, word := range s {
		for ; word != 0; word &= word - 1 {
			visit(i*64 + bits.TrailingZeros64(word))
		}
	}
}

// lock takes all locks of a set. The order keeps two sets from waiting for each other.
func (l *documentLocks) lock(s *stripes) { s.each(func(i int) { l.mu[i].Lock() }) }

func (l *documentLocks) unlock(s *stripes) { s.each(func(i int) { l.mu[i].Unlock() }) }
