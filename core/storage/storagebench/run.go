package storagebench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Options say what to measure.
type Options struct {
	// Documents is how many there are; at least 1,000.
	Documents int
	// Time is how long each row takes for each number of callers and each target.
	Time time.Duration
	// Callers are the numbers of callers.
	Callers []int
	// Log takes a line for each result.
	Log func(line string)
}

const (
	// minDocuments is as many as make portions of a few documents.
	minDocuments = 1000
	// longest is how long a first load may take: an hour.
	longest = time.Hour
)

// Report is what was measured.
type Report struct {
	Documents int
	// Targets are the names, in the order of columns. The first is compared with the others.
	Targets []string
	Results []Result
	// Usages are what engines took after the first load, by name; none of servers.
	Usages map[string]Usage
}

// Check says what is wrong with the options.
func (o Options) Check() error {
	switch {
	case o.Documents < minDocuments:
		return fmt.Errorf("documents: %d, expected %d or more", o.Documents, minDocuments)
	case o.Time <= 0:
		return fmt.Errorf("time: %s, expected a duration such as 2s", o.Time)
	case len(o.Callers) == 0 || slices.Min(o.Callers) < 1:
		return errors.New("callers: expected one number or more, each 1 or more, such as 1,16")
	}
	return nil
}

// Engines measures the targets, which must be empty, row by row.
func Engines(ctx context.Context, targets []Target, o Options) (Report, error) {
	b, err := newBench(targets, o)
	if err != nil {
		return Report{}, err
	}
	e := engines{b}
	for _, step := range []func(context.Context) error{e.fill, e.agree, e.reads, e.upserts, e.writes} {
		if err := step(ctx); err != nil {
			return b.report, err
		}
	}
	return b.report, nil
}

// named is what can be measured.
type named interface{ Name() string }

// bench is a run.
type bench[T named] struct {
	Options
	targets []T
	corpus  corpus
	report  Report
}

func newBench[T named](targets []T, o Options) (*bench[T], error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if len(targets) == 0 {
		return nil, errors.New("nothing to measure")
	}
	b := &bench[T]{Options: o, targets: targets, corpus: newCorpus(o.Documents), report: Report{Documents: o.Documents, Usages: map[string]Usage{}}}
	for _, t := range targets {
		b.report.Targets = append(b.report.Targets, t.Name())
	}
	return b, nil
}

func (b *bench[T]) add(results ...Result) {
	for _, r := range results {
		b.report.Results = append(b.report.Results, r)
		b.Log(r.String())
	}
}

// each does something for every target, and says which one failed.
func (b *bench[T]) each(ctx context.Context, do func(context.Context, T) error) error {
	for _, t := range b.targets {
		if err := do(ctx, t); err != nil {
			return fmt.Errorf("%s: %w", t.Name(), err)
		}
	}
	return nil
}

// measure measures rows: all targets in turn for each row and each number of callers, and settle after each. No number of a row
// comes twice for a target.
func (b *bench[T]) measure(ctx context.Context, rows []row[T], settle func(context.Context, T) error) error {
	for _, r := range rows {
		next := map[string]int{} // by target
		for _, callers := range b.Callers {
			err := b.each(ctx, func(ctx context.Context, t T) error {
				begin := next[t.Name()]
				reached, err := load{callers, b.Time, r.most, func(ctx context.Context, i int) (int, error) {
					return r.call(ctx, t, b.corpus, begin+i)
				}}.run(ctx)
				if err != nil {
					return fmt.Errorf("%s: %w", r.name, err)
				}
				next[t.Name()] += reached.calls + callers
				b.add(reached.result(r.name, callers, t.Name(), r.unit))
				return settle(ctx, t)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// engines is a run of engines.
type engines struct{ *bench[Target] }

// fill writes all documents, in bulks from one caller, and measures that and what they take.
func (e engines) fill(ctx context.Context) error {
	return e.each(ctx, func(ctx context.Context, t Target) error {
		reached, err := load{1, longest, (e.Documents + batch - 1) / batch, func(ctx context.Context, i int) (int, error) {
			var all []Document
			for n := i * batch; n < min((i+1)*batch, e.Documents); n++ {
				all = append(all, e.corpus.document(n))
			}
			return len(all), t.Bulk(ctx, all)
		}}.run(ctx)
		if err != nil {
			return err
		}
		e.add(reached.result("first load", 1, t.Name(), documents))
		if err := t.Settle(ctx); err != nil {
			return err
		}
		e.report.Usages[t.Name()], err = t.Usage(ctx)
		return err
	})
}

// variants is how many searches of a row the targets are compared by.
const variants = 8

// agree makes sure that all targets find the same, and warms them.
func (e engines) agree(ctx context.Context) error {
	for _, q := range questions {
		for i := range variants {
			body := q.body(e.corpus, i)
			if err := e.sameTotal(ctx, body, func(ctx context.Context, t Target) (int, error) { return t.Search(ctx, body, q.hits) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// sameTotal makes sure that all targets give the same total.
func (b *bench[T]) sameTotal(ctx context.Context, asked any, total func(context.Context, T) (int, error)) error {
	want := -1
	return b.each(ctx, func(ctx context.Context, t T) error {
		n, err := total(ctx, t)
		if err == nil && want >= 0 && n != want {
			err = fmt.Errorf("%d documents match %s, for %s it was %d", n, asked, b.targets[0].Name(), want)
		}
		want = n
		return err
	})
}

func (e engines) reads(ctx context.Context) error { return e.measure(ctx, reads(), settle) }

func (e engines) upserts(ctx context.Context) error {
	return e.each(ctx, func(ctx context.Context, t Target) error {
		results, err := upserts(ctx, t, e.corpus, 2*e.Time)
		e.add(results...)
		return errors.Join(err, t.Settle(ctx))
	})
}

func (e engines) writes(ctx context.Context) error { return e.measure(ctx, writes(), settle) }

func settle(ctx context.Context, t Target) error { return t.Settle(ctx) }
