package auth

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// failures counts failures by key: so many at once, which a period makes good again. An attempt reserves one until it is
// known not to be a failure; attempts that are under way together cannot exceed the limit. A key takes room in the bounded
// memory only once it failed. The zero key is not counted. It is not safe for concurrent use.
type failures struct {
	limit    int // 0 or below counts nothing
	refill   rate.Limit
	counted  *lru.Cache[digest, *rate.Limiter]
	reserved map[digest]int
}

func newFailures(limit int, period time.Duration) (*failures, error) {
	counted, err := lru.New[digest, *rate.Limiter](maxTracked)
	if err != nil {
		return nil, err
	}
	return &failures{limit, rate.Limit(float64(limit) / period.Seconds()), counted, map[digest]int{}}, nil
}

// allowed reports whether the key may fail once more.
func (f *failures) allowed(k digest, now time.Time) bool {
	if f.limit <= 0 || k == (digest{}) {
		return true
	}
	left := float64(f.limit)
	if limiter, ok := f.counted.Get(k); ok {
		left = limiter.TokensAt(now)
	}
	return left-float64(f.reserved[k]) >= 1
}

func (f *failures) reserve(k digest) {
	if f.limit > 0 && k != (digest{}) {
		f.reserved[k]++
	}
}

// release gives a reserved failure back, or counts it.
func (f *failures) release(k digest, failed bool, now time.Time) {
	if f.limit <= 0 || k == (digest{}) {
		return
	}
	if f.reserved[k]--; f.reserved[k] == 0 {
		delete(f.reserved, k)
	}
	if !failed {
		return
	}
	limiter, ok := f.counted.Get(k)
	if !ok {
		limiter = rate.NewLimiter(f.refill, f.limit)
		f.counted.Add(k, limiter)
	}
	limiter.AllowN(now, 1)
}
