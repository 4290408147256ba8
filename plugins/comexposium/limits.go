package main

import (
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// limits bound how often one user and one address may ask. The zero value bounds nothing.
type limits struct{ perUser, perIP *buckets }

func newLimits(perUser, perIP int) (limits, error) {
	users, err := newBuckets(perUser)
	if err != nil {
		return limits{}, err
	}
	addresses, err := newBuckets(perIP)
	return limits{users, addresses}, err
}

func (l limits) allow(user, ip string) bool { return l.perUser.allow(user) && l.perIP.allow(ip) }

// buckets hold one token bucket a key, of the keys asked for most recently.
type buckets struct {
	perMinute int
	byKey     *lru.Cache[string, *rate.Limiter]
}

const maxBuckets = 10_000

// newBuckets gives nil, which allows everything, for 0.
func newBuckets(perMinute int) (*buckets, error) {
	if perMinute <= 0 {
		return nil, nil
	}
	byKey, err := lru.New[string, *rate.Limiter](maxBuckets)
	return &buckets{perMinute, byKey}, err
}

func (b *buckets) allow(key string) bool {
	if b == nil {
		return true
	}
	fresh := rate.NewLimiter(rate.Limit(b.perMinute)/60, b.perMinute)
	limiter, found, _ := b.byKey.PeekOrAdd(key, fresh)
	if !found {
		limiter = fresh
	} else {
		b.byKey.Get(key) // asked for just now
	}
	return limiter.Allow()
}
