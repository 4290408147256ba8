package search

import (
	"math/rand/v2"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
)

// TestWindow compares the windows with the plain way over documents that are near and far.
func TestWindow(t *testing.T) {
	v := &view{ctx: t.Context()}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var sets []*roaring.Bitmap
		for range 3 + rng.IntN(4) {
			b := roaring.New()
			for range 1 + rng.IntN(200) {
				b.Add(rng.Uint32N(1 << (6 + rng.IntN(12))))
			}
			sets = append(sets, b)
		}
		needed := 1 + rng.IntN(len(sets))
		parts := func() []scorer {
			var list []scorer
			for i, b := range sets {
				list = append(list, newSteady(b, float32(i+1)))
			}
			return list
		}
		var plain, windows scorer = &anyScorer{v: v, parts: parts(), needed: needed}, &windowScorer{v: v, parts: parts(), needed: needed}
		for at := uint32(0); ; {
			var want, got uint32
			if rng.IntN(3) == 0 {
				at += rng.Uint32N(1 << rng.IntN(14))
				want, got = plain.seek(at), windows.seek(at)
			} else {
				want, got = plain.next(), windows.next()
			}
			if got != want || got != noDoc && (windows.score() != plain.score() || windows.doc() != got) {
				t.Fatalf("at %d: %d, want %d", at, got, want)
			}
			if at = want; at == noDoc {
				break
			}
		}
	}
}
