package sdktest

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TakeTheSame fails the test unless a and b take the same time, so that nobody learns from it which of them it was: the
// medians of 400 calls, a and b by turns, are within 0.8 to 1.25 of each other. Work of others on the machine comes in bursts,
// so that what fails is measured anew, twice at most.
func TakeTheSame(t testing.TB, a, b func()) {
	t.Helper()
	for left := 2; ; left-- {
		ratio := medians(a, b)
		t.Logf("ratio of the medians: %.3f", ratio)
		switch {
		case ratio >= 0.8 && ratio <= 1.25:
			return
		case left == 0:
			t.Errorf("the medians differ by %.2f", ratio)
			return
		}
	}
}

// medians gives the ratio of the medians.
func medians(calls ...func()) float64 {
	var took [2][]time.Duration
	for range 200 {
		for _, which := range rand.Perm(2) { // or other work on the machine falls into step with one of them
			began := time.Now()
			calls[which]()
			took[which] = append(took[which], time.Since(began))
		}
	}
	for _, d := range took {
		slices.Sort(d)
	}
	return float64(took[0][len(took[0])/2]) / float64(took[1][len(took[1])/2])
}
