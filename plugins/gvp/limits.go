package main

import (
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// limits bound how often one user may ask on one device, with whatever token: each call opens a paid conversation.
type limits struct {
	perMinute int // 0 bounds nothing
	byDevice  *lru.Cache[string, *rate.Limiter]
}

const maxLimiters = 50_000

func newLimits(perMinute int) (limits, error) {
	byDevice, err := lru.New[string, *rate.Limiter](maxLimiters)
	return limits{perMinute, byDevice}, err
}

func (l limits) allow(device string) bool {
	if l.perMinute == 0 {
		return true
	}
	fresh := rate.NewLimiter(rate.Limit(l.perMinute)/60, l.perMinute)
	limiter, found, _ := l.byDevice.PeekOrAdd(device, fresh)
	if !found {
		limiter = fresh
	} else {
		l.byDevice.Get(device) // used just now
	}
	return limiter.Allow()
}
