package storagebench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Result is what one target reached in one row.
type Result struct {
	Row     string
	Callers int
	Target  string
	// Unit is what PerSecond counts: calls, or documents where a call writes many.
	Unit      string
	PerSecond float64
	// P50 and P99 are of calls.
	P50, P99 time.Duration
}

// load is what the callers of a row do.
type load struct {
	callers int
	// within bounds the time, most the number of calls; both are needed.
	within time.Duration
	most   int
	// call does number i, and gives how many documents it wrote, 1 for anything else.
	call func(ctx context.Context, i int) (int, error)
}

// rate is what a load reached.
type rate struct {
	perSecond float64
	p50, p99  time.Duration
	calls     int
}

// run lets the callers call, each the next number, until the time is over, and each once at least; calls that have begun are
// finished. The first error ends it.
func (l load) run(ctx context.Context) (rate, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next, done atomic.Int64
	took := make([][]time.Duration, l.callers)
	begin := time.Now()
	var callers sync.WaitGroup
	for w := range l.callers {
		callers.Go(func() {
			for first := true; ctx.Err() == nil && (first || time.Since(begin) < l.within); first = false {
				i := int(next.Add(1)) - 1
				if i >= l.most {
					return
				}
				start := time.Now()
				n, err := l.call(ctx, i)
				if err != nil {
					cancel(err)
					return
				}
				took[w] = append(took[w], time.Since(start))
				done.Add(int64(n))
			}
		})
	}
	callers.Wait()
	if err := context.Cause(ctx); err != nil {
		return rate{}, err
	}
	all := slices.Concat(took...)
	if len(all) == 0 {
		return rate{}, errors.New("no call came to an end")
	}
	slices.Sort(all)
	return rate{float64(done.Load()) / time.Since(begin).Seconds(), percentile(all, 50), percentile(all, 99), len(all)}, nil
}

// percentile gives the smallest value that p of a hundred sorted values do not exceed.
func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

// once makes a call that writes one document, or reads.
func once(call func(ctx context.Context, i int) error) func(context.Context, int) (int, error) {
	return func(ctx context.Context, i int) (int, error) { return 1, call(ctx, i) }
}

func (r rate) result(row string, callers int, target, unit string) Result {
	return Result{row, callers, target, unit, r.perSecond, r.p50, r.p99}
}

func (r Result) String() string {
	return fmt.Sprintf("%-24s %2d callers  %-14s %12s %s/s  p50 %-10v p99 %v", r.Row, r.Callers, r.Target, short(r.PerSecond), r.Unit, tidy(r.P50), tidy(r.P99))
}
