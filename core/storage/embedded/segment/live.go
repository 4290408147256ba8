package segment

import (
	"math"
	"math/bits"
)

// chunkWords is how many words of 64 documents are copied when one of them changes.
const chunkWords = 64

const chunkDocs = chunkWords * 64

// Live is a set of documents of a segment. It is immutable: a change gives another set, which shares what it does not change,
// so that a search keeps what it saw at its beginning. The zero value is empty.
type Live struct {
	chunks []*[chunkWords]uint64
	count  int
}

// every is a chunk with all documents. It is never changed: sets share it.
var every = func() *[chunkWords]uint64 {
	var chunk [chunkWords]uint64
	for i := range chunk {
		chunk[i] = math.MaxUint64
	}
	return &chunk
}()

// Full gives the set of the first n documents.
func Full(n uint32) *Live {
	l := &Live{chunks: make([]*[chunkWords]uint64, n/chunkDocs), count: int(n)}
	for i := range l.chunks {
		l.chunks[i] = every
	}
	if rest := n % chunkDocs; rest > 0 {
		last := new([chunkWords]uint64)
		copy(last[:], every[:rest/64])
		last[rest/64] |= 1<<(rest%64) - 1
		l.chunks = append(l.chunks, last)
	}
	return l
}

// Has reports whether doc is in the set.
func (l *Live) Has(doc uint32) bool {
	i := int(doc / chunkDocs)
	if i >= len(l.chunks) || l.chunks[i] == nil {
		return false
	}
	return l.chunks[i][doc%chunkDocs/64]>>(doc%64)&1 == 1
}

// Count is how many documents are in the set.
func (l *Live) Count() int { return l.count }

// With gives the set with docs in it too.
func (l *Live) With(docs ...uint32) *Live { return l.change(docs, true) }

// Without gives the set without docs.
func (l *Live) Without(docs ...uint32) *Live { return l.change(docs, false) }

func (l *Live) change(docs []uint32, in bool) *Live {
	next := &Live{chunks: append([]*[chunkWords]uint64(nil), l.chunks...), count: l.count}
	for _, doc := range docs {
		if next.Has(doc) == in {
			continue
		}
		next.own(l, int(doc/chunkDocs))[doc%chunkDocs/64] ^= 1 << (doc % 64)
		if in {
			next.count++
		} else {
			next.count--
		}
	}
	return next
}

// own gives chunk i, which from and l may not share.
func (l *Live) own(from *Live, i int) *[chunkWords]uint64 {
	for i >= len(l.chunks) {
		l.chunks = append(l.chunks, nil)
	}
	if l.chunks[i] == nil {
		l.chunks[i] = new([chunkWords]uint64)
	} else if i < len(from.chunks) && l.chunks[i] == from.chunks[i] {
		c := *l.chunks[i]
		l.chunks[i] = &c
	}
	return l.chunks[i]
}

// Dense gives the documents of the set below n as bits: document d is bit d%64 of word d/64.
func (l *Live) Dense(n uint32) []uint64 {
	words := make([]uint64, (n+63)/64)
	for i, chunk := range l.chunks {
		if from := i * chunkWords; chunk != nil && from < len(words) {
			copy(words[from:], chunk[:])
		}
	}
	if n%64 > 0 {
		words[n/64] &= 1<<(n%64) - 1
	}
	return words
}

// All calls visit for every document of the set in order.
func (l *Live) All(visit func(doc uint32)) {
	for i, chunk := range l.chunks {
		if chunk == nil {
			continue
		}
		for w, word := range chunk {
			for word != 0 {
				visit(uint32(i*chunkDocs + w*64 + bits.TrailingZeros64(word))) //nolint:gosec // a segment has fewer documents than 1<<32
				word &= word - 1
			}
		}
	}
}
