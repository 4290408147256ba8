package main

import (
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// limits bound how often one token may be used: each call opens a paid conversation.
type limits struct {
	perMinute int // 0 bounds nothing
	byToken   *lru.Cache[string, *rate.Limiter]
}

const maxLimiters = 50_000

func newLimits(perMinute int) (limits, error) {
	byToken, err := lru.New[string, *rate.Limiter](maxLimiters)
	return limits{perMinute, byToken}, err
}

func (l limits) allow(token string) bool {
	if l.perMinute == 0 {
		return true
	}
	fresh := rate.NewLimiter(rate.Limit(l.perMinute)/60, l.perMinute)
	limiter, found, _ := l.byToken.PeekOrAdd(token, fresh)
	if !found {
		limiter = fresh
	} else {
		l.byToken.Get(token) // used just now
	}
	return limiter.Allow()
}
