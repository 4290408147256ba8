package search_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/query"
)

// slow is a segment whose fields take a while to find.
type slow struct{ segment.Segment }

func (s slow) Field(path string) (*segment.Field, error) {
	time.Sleep(time.Second)
	return s.Segment.Field(path)
}

// TestHeld searches a memory for longer than its lock may be held, and then the same memory without a lock.
func TestHeld(t *testing.T) {
	c := newCollection(`{"properties":{"n":{"type":"long"},"t":{"type":"text"}}}`)
	for i := range 5000 {
		c.add(fmt.Sprint(i), fmt.Sprintf(`{"n":%d,"t":"a b"}`, i))
	}
	synctest.Test(t, func(t *testing.T) {
		held := c.target()
		held.Views[0].Segment = slow{held.Views[0].Segment}
		free := c.target()
		free.Views[0].Segment, free.Views[0].Lock = held.Views[0].Segment, nil
		for _, raw := range []string{`{"bool":{"must":[{"range":{"n":{"gte":0}}},{"exists":{"field":"n"}}]}}`, `{"match":{"t":"a b"}}`, `{"match_phrase":{"t":"a b"}}`} {
			for name, ask := range map[string]func(ctx context.Context, target search.Target) (int, error){
				"Run": func(ctx context.Context, target search.Target) (int, error) {
					body, err := query.ParseSearch(jsontext.Value(`{"query":` + raw + `,"aggs":{"a":{"max":{"field":"n"}}}}`))
					if err != nil {
						t.Fatal(err)
					}
					r, err := search.Run(ctx, []search.Target{target}, search.Request{Search: body, Size: 10, Now: now})
					return r.Total, err
				},
				"Count": func(ctx context.Context, target search.Target) (int, error) {
					return search.Count(ctx, []search.Target{target}, parseQuery(t, raw), now)
				},
				"Match": func(ctx context.Context, target search.Target) (int, error) {
					list, err := search.Match(ctx, target, parseQuery(t, raw), now)
					if err != nil {
						return 0, err
					}
					return int(list[0].GetCardinality()), nil
				},
			} {
				if _, err := ask(t.Context(), held); !errors.Is(err, search.ErrHeld) {
					t.Errorf("%s of %s: %v", name, raw, err)
				}
				if n, err := ask(t.Context(), free); err != nil || n != 5000 {
					t.Errorf("%s of %s without a lock: %d, %v", name, raw, n, err)
				}
				short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				if _, err := ask(short, held); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, search.ErrHeld) {
					t.Errorf("%s of %s that is wanted for a short time: %v", name, raw, err)
				}
				cancel()
			}
		}
	})
	c.add("last", `{}`) // nobody holds the lock any more
}

func parseQuery(t *testing.T, raw string) query.Query {
	t.Helper()
	q, err := query.Parse(jsontext.Value(raw))
	if err != nil {
		t.Fatal(err)
	}
	return q
}
