package segment

import (
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

func members(l *Live) []uint32 {
	var docs []uint32
	l.All(func(doc uint32) { docs = append(docs, doc) })
	return docs
}

func TestLiveAgainstMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	type version struct {
		live *Live
		docs []uint32
	}
	var versions []version
	live, want := new(Live), map[uint32]bool{}
	for range 300 {
		var docs []uint32
		for range r.IntN(5) {
			docs = append(docs, uint32(r.IntN(5*chunkDocs)))
		}
		in := r.IntN(2) == 0
		for _, doc := range docs {
			if in {
				want[doc] = true
			} else {
				delete(want, doc)
			}
		}
		if in {
			live = live.With(docs...)
		} else {
			live = live.Without(docs...)
		}
		var list []uint32
		for doc := range want {
			list = append(list, doc)
		}
		slices.Sort(list)
		versions = append(versions, version{live, list})
	}
	for i, v := range versions { // no version has changed with those after it
		if !slices.Equal(members(v.live), v.docs) || v.live.Count() != len(v.docs) {
			t.Fatalf("version %d is %v, want %v", i, members(v.live), v.docs)
		}
		for _, doc := range v.docs {
			if !v.live.Has(doc) {
				t.Fatalf("version %d has not %d", i, doc)
			}
		}
		for _, n := range []uint32{0, 1, 64, chunkDocs - 1, chunkDocs, 3*chunkDocs + 70, 9 * chunkDocs} {
			dense, below := v.live.Dense(n), 0
			for _, doc := range v.docs {
				if doc < n {
					below++
					if dense[doc/64]>>(doc%64)&1 == 0 {
						t.Fatalf("version %d below %d has not %d", i, n, doc)
					}
				}
			}
			for _, word := range dense {
				below -= bits.OnesCount64(word)
			}
			if below != 0 {
				t.Fatalf("version %d below %d has %d documents too many", i, n, -below)
			}
		}
		if v.live.Has(1 << 30) {
			t.Fatal("a document that is not in the set")
		}
	}
}

func TestLiveTakesADocumentTwice(t *testing.T) {
	l := new(Live).With(7, 7)
	if l.Count() != 1 || l.Without(7, 7).Count() != 0 || l.Without(8).Count() != 1 {
		t.Error("a document given twice counts twice")
	}
}

func TestFull(t *testing.T) {
	for _, n := range []uint32{0, 1, 63, 64, 65, chunkDocs - 1, chunkDocs, chunkDocs + 1, 2*chunkDocs + 640} {
		l := Full(n)
		docs := members(l)
		if l.Count() != int(n) || len(docs) != int(n) || n > 0 && docs[n-1] != n-1 || l.Has(n) {
			t.Errorf("Full(%d) has %d documents, counts %d", n, len(docs), l.Count())
		}
		if n > 0 {
			l.Without(0)
			if less := l.Without(n - 1); less.Count() != int(n)-1 || less.Has(n-1) || !l.Has(n-1) || !Full(n).Has(0) {
				t.Errorf("Full(%d) changes", n)
			}
		}
	}
}
