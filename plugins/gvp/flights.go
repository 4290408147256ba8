package main

import (
	"context"
	"sync"
	"time"
)

// flights run work once for all who ask for the same at the same time. The work does not end with the one who asked first, but
// with the time limit or with the plugin.
type flights struct {
	background context.Context // the plugin's life, not a request's
	limit      time.Duration

	mu      sync.Mutex
	running map[string]*flight
	wait    sync.WaitGroup
}

type flight struct {
	done   chan struct{}
	result string // once done is closed
	err    error
}

func newFlights(background context.Context, limit time.Duration) *flights {
	return &flights{background: background, limit: limit, running: map[string]*flight{}}
}

// do gives the result of work for a key, or the error of ctx when that ends first.
func (f *flights) do(ctx context.Context, key string, work func(context.Context) (string, error)) (string, error) {
	one := f.join(key, work)
	select {
	case <-one.done:
		return one.result, one.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (f *flights) join(key string, work func(context.Context) (string, error)) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	if one := f.running[key]; one != nil {
		return one
	}
	one := &flight{done: make(chan struct{})}
	f.running[key] = one
	f.wait.Go(func() {
		ctx, cancel := context.WithTimeout(f.background, f.limit)
		defer cancel()
		one.result, one.err = work(ctx)
		f.mu.Lock()
		delete(f.running, key)
		f.mu.Unlock()
		close(one.done)
	})
	return one
}
