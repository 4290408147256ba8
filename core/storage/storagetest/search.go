package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// testSearch: what searching means beside the queries, which comparison.go has.
func testSearch(t *testing.T, open Open) {
	t.Run("Follows", func(t *testing.T) { searchFollows(t, setUp(t, open)) })
	t.Run("Pages", func(t *testing.T) { pages(t, setUp(t, open)) })
	t.Run("Hits", func(t *testing.T) { hits(t, setUp(t, open)) })
	t.Run("Targets", func(t *testing.T) { targets(t, setUp(t, open)) })
	t.Run("Refusals", func(t *testing.T) { searchRefusals(t, setUp(t, open)) })
	t.Run("Scroll", func(t *testing.T) { scrolls(t, setUp(t, open)) })
	t.Run("ScrollEnds", func(t *testing.T) { scrollEnds(t, setUp(t, open)) })
	t.Run("Select", func(t *testing.T) { selects(t, setUp(t, open)) })
	t.Run("Size", func(t *testing.T) { sizes(t, setUp(t, open)) })
	t.Run("Growth", func(t *testing.T) { searchGrowth(t, setUp(t, open)) })
	t.Run("Deep", func(t *testing.T) { deepPages(t, setUp(t, open)) })
}

// numbersMapping is what most of these tests need.
const numbersMapping = `{"properties":{"n":{"type":"long"},"k":{"type":"keyword"},"t":{"type":"text"}}}`

// fill writes n documents with the ids 000, 001, … and the numbers 0, 1, …, which searches see.
func (f fixture) fill(t *testing.T, n int) {
	t.Helper()
	f.ensure(t, numbersMapping)
	ops := make([]storage.Op, n)
	for i := range ops {
		ops[i] = storage.Op{Kind: storage.OpPut, ID: fmt.Sprintf("%03d", i), Source: fmt.Appendf(nil, `{"n":%d,"k":"k%d","t":"some words"}`, i, i%3)}
	}
	results, err := f.Write(t.Context(), f.c, ops, storage.BulkOptions{Refresh: storage.RefreshWaitFor})
	wantErr(t, "Write", err, nil)
	for _, r := range results {
		wantErr(t, "OpPut", r.Err, nil)
	}
}

// search gives what a body finds.
func (f fixture) search(t *testing.T, body string, from, size int) storage.Found {
	t.Helper()
	found, err := f.Search(t.Context(), storage.Search{Targets: []storage.Collection{f.c}, Body: []byte(body), From: from, Size: size})
	if err != nil {
		t.Errorf("Search for %s: %v", body, err)
	}
	return found
}

func hitIDs(found storage.Found) []string {
	var ids []string
	for _, h := range found.Hits {
		ids = append(ids, h.ID)
	}
	return ids
}

// matches gives the ids that a query finds, in order.
func (f fixture) matches(t *testing.T, query string) []string {
	t.Helper()
	ids := hitIDs(f.search(t, `{"query":`+query+`}`, 0, 1000))
	slices.Sort(ids)
	return ids
}

// searchFollows: searches see a write that asked for it, and every write after Refresh.
func searchFollows(t *testing.T, f fixture) {
	ctx, now := t.Context(), storage.WriteOptions{Refresh: storage.RefreshWaitFor}
	f.ensure(t, numbersMapping)
	sameIDs(t, "search in an empty collection", f.matches(t, `{"match_all":{}}`))
	_, err := f.Create(ctx, f.c, "a", []byte(`{"n":1}`), now)
	wantErr(t, "Create", err, nil)
	sameIDs(t, "n=1 after Create", f.matches(t, `{"term":{"n":1}}`), "a")
	_, _, err = f.Put(ctx, f.c, "b", []byte(`{"n":1}`), now)
	wantErr(t, "Put", err, nil)
	sameIDs(t, "n=1 after Put", f.matches(t, `{"term":{"n":1}}`), "a", "b")
	_, err = f.Replace(ctx, f.c, "a", []byte(`{"n":2}`), now)
	wantErr(t, "Replace", err, nil)
	sameIDs(t, "n=1 after Replace", f.matches(t, `{"term":{"n":1}}`), "b")
	sameIDs(t, "n=2 after Replace", f.matches(t, `{"term":{"n":2}}`), "a")
	_, err = f.Update(ctx, f.c, "a", []byte(`{"k":"x"}`), storage.UpdateOptions{WriteOptions: now})
	wantErr(t, "Update", err, nil)
	sameIDs(t, "k=x and n=2 after Update", f.matches(t, `{"bool":{"filter":[{"term":{"k":"x"}},{"term":{"n":2}}]}}`), "a")
	wantErr(t, "Delete", f.Delete(ctx, f.c, "b", now), nil)
	sameIDs(t, "all after Delete", f.matches(t, `{"match_all":{}}`), "a")
	_, err = f.Create(ctx, f.c, "a", []byte(`{"n":9}`), now)
	wantErr(t, "refused Create", err, kerror.ServicesStorageDocumentAlreadyExists)
	sameIDs(t, "n=9 after a refused Create", f.matches(t, `{"term":{"n":9}}`))

	f.put(t, "c", `{"n":3}`)
	wantErr(t, "Delete", f.Delete(ctx, f.c, "a", storage.WriteOptions{}), nil)
	wantErr(t, "Refresh", f.Refresh(ctx, f.c), nil)
	sameIDs(t, "all after Refresh", f.matches(t, `{"match_all":{}}`), "c")
	wantErr(t, "Truncate", f.Truncate(ctx, f.c), nil)
	sameIDs(t, "all after Truncate", f.matches(t, `{"match_all":{}}`))
	f.fill(t, 3)
	sameIDs(t, "all", f.matches(t, `{"match_all":{}}`), "000", "001", "002")
}

// pages: from, size and search_after cut the same order into pieces.
func pages(t *testing.T, f fixture) {
	f.fill(t, 25)
	var byPage, byAfter []string
	for from := 0; from < 30; from += 10 {
		found := f.search(t, `{"sort":[{"k":"desc"},{"n":"desc"}]}`, from, 10)
		if found.Total != 25 {
			t.Errorf("the total is %d", found.Total)
		}
		byPage = append(byPage, hitIDs(found)...)
	}
	body := `{"sort":[{"k":"desc"},{"n":"desc"}]}`
	for {
		found := f.search(t, body, 0, 4)
		if len(found.Hits) == 0 {
			break
		}
		byAfter = append(byAfter, hitIDs(found)...)
		last := found.Hits[len(found.Hits)-1]
		body = fmt.Sprintf(`{"sort":[{"k":"desc"},{"n":"desc"}],"search_after":[%s,%s]}`, last.Sort[0], last.Sort[1])
	}
	if len(byPage) != 25 || !slices.Equal(byPage, byAfter) {
		t.Errorf("by pages %q, by search_after %q", byPage, byAfter)
	}
	if found := f.search(t, `{"from":3,"size":4}`, 0, 10); len(found.Hits) != 10 {
		t.Errorf("from and size of the body count: %d hits", len(found.Hits))
	}
	if found := f.search(t, `{}`, 0, 0); len(found.Hits) != 0 || found.Total != 25 {
		t.Errorf("size 0 gave %d hits of %d", len(found.Hits), found.Total)
	}
	if found := f.search(t, `{"sort":"n"}`, 9_000, 1_000); len(found.Hits) != 0 || found.Total != 25 {
		t.Errorf("a page behind the end gave %d hits of %d", len(found.Hits), found.Total)
	}
}

// hits: what stands in a hit.
func hits(t *testing.T, f fixture) {
	f.fill(t, 3)
	for _, h := range f.search(t, `{}`, 0, 10).Hits {
		if h.Collection != f.c || h.Score == nil || *h.Score != 1 || h.Sort != nil {
			t.Errorf("without a sort the hit is %+v", h)
		}
	}
	found := f.search(t, `{"sort":[{"n":"desc"}],"query":{"term":{"k":"k2"}}}`, 0, 10)
	if len(found.Hits) != 1 {
		t.Fatalf("k2 gave %q", hitIDs(found))
	}
	h := found.Hits[0]
	if h.Score != nil || len(h.Sort) != 1 || string(h.Sort[0]) != "2" || !sameJSON(h.Source, jsontext.Value(`{"n":2,"k":"k2","t":"some words"}`)) {
		t.Errorf("sorted the hit is %+v", h)
	}
	if h := f.search(t, `{"_source":false}`, 0, 1).Hits[0]; h.Source != nil {
		t.Errorf("_source false gave %s", h.Source)
	}
	if h := f.search(t, `{"_source":["n"]}`, 0, 1).Hits[0]; !strings.HasPrefix(string(h.Source), `{"n":`) {
		t.Errorf("_source n gave %s", h.Source)
	}
}

// targets: several collections are searched as one.
func targets(t *testing.T, f fixture) {
	ctx := t.Context()
	f.fill(t, 4)
	other := fixture{f.Engine, f.sibling("other")}
	other.fill(t, 2)
	all := []storage.Collection{other.c, f.c}
	found, err := f.Search(ctx, storage.Search{Targets: all, Body: []byte(`{"sort":[{"n":"desc"}]}`), Size: 10})
	wantErr(t, "Search", err, nil)
	count := map[storage.Collection]int{}
	for _, h := range found.Hits {
		count[h.Collection]++
	}
	if found.Total != 6 || count[f.c] != 4 || count[other.c] != 2 {
		t.Errorf("two targets gave %d hits: %v", found.Total, count)
	}
	n, err := f.Count(ctx, all, []byte(`{"range":{"n":{"gte":1}}}`))
	wantErr(t, "Count", err, nil)
	if n != 4 {
		t.Errorf("Count gave %d", n)
	}
	for _, nothing := range []string{"", "null", "{}"} {
		if n, err = f.Count(ctx, all, []byte(nothing)); n != 6 || err != nil {
			t.Errorf("Count of %q gave %d, %v", nothing, n, err)
		}
	}
}

// searchRefusals: what Search asks for, and what queries must not be.
func searchRefusals(t *testing.T, f fixture) {
	ctx := t.Context()
	f.fill(t, 3)
	here := []storage.Collection{f.c}
	inner := storage.Collection{Scope: storage.Internal, Index: f.c.Index, Name: f.c.Name}
	wantErr(t, "Ensure", f.Ensure(ctx, inner, storage.Spec{}), nil)
	for what, s := range map[string]storage.Search{
		"no target":          {Size: 1},
		"a target twice":     {Targets: []storage.Collection{f.c, f.c}, Size: 1},
		"two scopes":         {Targets: []storage.Collection{f.c, inner}, Size: 1},
		"a negative size":    {Targets: here, Size: -1},
		"a negative from":    {Targets: here, From: -1},
		"too deep":           {Targets: here, From: 9_999, Size: 2},
		"a scroll with from": {Targets: here, From: 1, Size: 1, Scroll: time.Minute},
		"an empty scroll":    {Targets: here, Scroll: time.Minute},
		"a negative scroll":  {Targets: here, Size: 1, Scroll: -1},
	} {
		_, err := f.Search(ctx, s)
		wantErr(t, what, err, kerror.ServicesStorageInvalidArgument)
	}
	for body, def := range map[string]*kerror.Def{
		`{"query":{"nosuch":{}}}`:                              kerror.ServicesStorageUnknownQueryKeyword,
		`{"query":{"script":{}}}`:                              kerror.ServicesStorageInvalidQueryKeyword,
		`{"nosuch":1}`:                                         kerror.ServicesStorageInvalidSearchQuery,
		`{"query":{"term":{"n":"text"}}}`:                      kerror.ServicesStorageUnexpectedBadRequest,
		`{"query":{"range":{"n":{"gte":"text"}}}}`:             kerror.ServicesStorageUnexpectedBadRequest,
		`{"query":{"match_phrase":{"t":{"slop":1}}}}`:          kerror.ServicesStorageUnexpectedBadRequest,
		`{"sort":"t"}`:                                         kerror.ServicesStorageUnexpectedBadRequest,
		`{"sort":"nosuch"}`:                                    kerror.ServicesStorageUnexpectedBadRequest,
		`{"suggest":{"t":{}}}`:                                 kerror.ServicesStorageUnexpectedBadRequest,
		`{"aggs":{"a":{"terms":{"field":"t"}}}}`:               kerror.ServicesStorageUnexpectedBadRequest,
		`{"aggs":{"a":{"avg":{"field":"k"}}}}`:                 kerror.ServicesStorageUnexpectedBadRequest,
		`{"query":{"bool":{"must":{"term":{"n":"text"}}}}}`:    kerror.ServicesStorageUnexpectedBadRequest,
		`{"sort":"n","search_after":["text"]}`:                 kerror.ServicesStorageUnexpectedBadRequest,
		`{"query":{"nested":{"path":"k","query":{}}}}`:         kerror.ServicesStorageUnexpectedBadRequest,
		`{"query":{"match_all":{}},"sort":[{"n":"sideways"}]}`: kerror.ServicesStorageUnexpectedBadRequest,
	} {
		_, err := f.Search(ctx, storage.Search{Targets: here, Body: []byte(body), Size: 1})
		wantErr(t, "Search for "+body, err, def)
	}
	nowhere := storage.Collection{Index: f.c.Index + "-unknown", Name: "c"}
	for c, def := range map[storage.Collection]*kerror.Def{f.sibling("unknown"): kerror.ServicesStorageUnknownCollection, nowhere: kerror.ServicesStorageUnknownIndex} {
		for _, list := range [][]storage.Collection{{c}, {f.c, c}} {
			_, err := f.Search(ctx, storage.Search{Targets: list, Size: 1})
			wantErr(t, "Search", err, def)
			_, err = f.Count(ctx, list, nil)
			wantErr(t, "Count", err, def)
		}
		wantErr(t, "Select", f.Select(ctx, c, storage.Selection{Batch: 1}, func([]storage.Document) error { return nil }), def)
		wantErr(t, "Refresh", f.Refresh(ctx, c), def)
		_, err := f.Size(ctx, c)
		wantErr(t, "Size", err, def)
	}
	_, err := f.Count(ctx, here, []byte(`{"nosuch":{}}`))
	wantErr(t, "Count", err, kerror.ServicesStorageUnknownQueryKeyword)
	err = f.Select(ctx, f.c, storage.Selection{Query: []byte(`{"nosuch":{}}`), Batch: 1}, func([]storage.Document) error { return nil })
	wantErr(t, "Select", err, kerror.ServicesStorageUnknownQueryKeyword)
	_, err = f.NextHits(ctx, storage.Public, "nosuch", 0)
	wantErr(t, "NextHits", err, kerror.ServicesStorageUnknownScrollID)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := f.Search(cancelled, storage.Search{Targets: here, Size: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("Search with a cancelled context: %v", err)
	}
}

// scrolls: a scroll gives all hits as they were when it began, each once.
func scrolls(t *testing.T, f fixture) {
	ctx := t.Context()
	f.fill(t, 25)
	found, err := f.Search(ctx, storage.Search{
		Targets: []storage.Collection{f.c}, Body: []byte(`{"sort":[{"n":"desc"}],"aggs":{"a":{"max":{"field":"n"}}}}`), Size: 10, Scroll: time.Minute,
	})
	wantErr(t, "Search", err, nil)
	if found.Scroll == "" || found.Remaining != 15 || found.Total != 25 || found.Aggregations == nil {
		t.Errorf("the scroll began with %d hits to come of %d, aggregations %s", found.Remaining, found.Total, found.Aggregations)
	}
	_, err = f.NextHits(ctx, storage.Internal, found.Scroll, 0)
	wantErr(t, "NextHits in the other scope", err, kerror.ServicesStorageUnknownScrollID)
	for _, write := range []error{
		f.Delete(ctx, f.c, "003", storage.WriteOptions{Refresh: storage.RefreshWaitFor}),
		f.Delete(ctx, f.c, "024", storage.WriteOptions{Refresh: storage.RefreshWaitFor}),
	} {
		wantErr(t, "Delete", write, nil)
	}
	_, _, err = f.Put(ctx, f.c, "999", []byte(`{"n":1}`), storage.WriteOptions{Refresh: storage.RefreshWaitFor})
	wantErr(t, "Put", err, nil)
	all, name := hitIDs(found), found.Scroll
	for _, remaining := range []int{5, 0} {
		found, err = f.NextHits(ctx, storage.Public, name, time.Minute)
		wantErr(t, "NextHits", err, nil)
		if found.Remaining != remaining || found.Scroll != name || found.Total != 25 {
			t.Errorf("%d hits to come of %d under the name %q, want %d of 25 under %q", found.Remaining, found.Total, found.Scroll, remaining, name)
		}
		all = append(all, hitIDs(found)...)
	}
	var want []string
	for i := range 25 {
		want = append(want, fmt.Sprintf("%03d", 24-i))
	}
	sameIDs(t, "the scroll", all, want...)
	_, err = f.NextHits(ctx, storage.Public, name, 0)
	wantErr(t, "NextHits after the last", err, kerror.ServicesStorageUnknownScrollID)
}

// scrollEnds: a scroll ends with its time, with its hits, and never later than its collection.
func scrollEnds(t *testing.T, f fixture) {
	ctx := t.Context()
	f.fill(t, 5)
	begin := func(size int, keep time.Duration) storage.Found {
		t.Helper()
		found, err := f.Search(ctx, storage.Search{Targets: []storage.Collection{f.c}, Size: size, Scroll: keep})
		wantErr(t, "Search", err, nil)
		return found
	}
	whole := begin(10, time.Minute)
	if whole.Scroll == "" || whole.Remaining != 0 || len(whole.Hits) != 5 {
		t.Errorf("a scroll that gives all at once: %d hits, %d to come, named %q", len(whole.Hits), whole.Remaining, whole.Scroll)
	}
	_, err := f.NextHits(ctx, storage.Public, whole.Scroll, 0)
	wantErr(t, "NextHits after all at once", err, kerror.ServicesStorageUnknownScrollID)
	short := begin(1, 50*time.Millisecond)
	deadline := time.Now().Add(10 * time.Second)
	for err = nil; err == nil && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond) // more than its time
		_, err = f.NextHits(ctx, storage.Public, short.Scroll, 0)
	}
	wantErr(t, "NextHits after its time", err, kerror.ServicesStorageUnknownScrollID)
	left := begin(1, time.Minute)
	wantErr(t, "Drop", f.Drop(ctx, f.c), nil)
	wantErr(t, "Ensure", f.Ensure(ctx, f.c, storage.Spec{}), nil)
	if found, err := f.NextHits(ctx, storage.Public, left.Scroll, 0); err == nil && len(found.Hits) != 1 {
		t.Errorf("a scroll over a dropped collection gave %d hits and no error", len(found.Hits))
	}
}

// selects: every match once, in batches, whatever visit does to them.
func selects(t *testing.T, f fixture) {
	ctx := t.Context()
	f.fill(t, 50)
	seen := map[string]int{}
	err := f.Select(ctx, f.c, storage.Selection{Query: []byte(`{"term":{"k":"k1"}}`), Batch: 7}, func(docs []storage.Document) error {
		if len(docs) == 0 || len(docs) > 7 {
			t.Errorf("a batch of %d", len(docs))
		}
		for _, d := range docs {
			seen[d.ID]++
			if d.Version != 1 || !strings.Contains(string(d.Source), `"k1"`) {
				t.Errorf("%s has version %d: %s", d.ID, d.Version, d.Source)
			}
			f.put(t, d.ID, `{"k":"k1","n":1}`)
			f.put(t, "new-"+d.ID, `{"k":"k1"}`)
		}
		return f.Refresh(ctx, f.c)
	})
	wantErr(t, "Select", err, nil)
	if len(seen) != 17 {
		t.Errorf("%d documents were visited, want 17", len(seen))
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s was visited %d times", id, n)
		}
	}
	err = f.Select(ctx, f.c, storage.Selection{Query: []byte(`{"term":{"k":"k2"}}`), Batch: 100, NoSource: true}, func(docs []storage.Document) error {
		for _, d := range docs {
			if seen[d.ID]++; d.Version != 1 || d.Source != nil {
				t.Errorf("%s has version %d, and a source that nobody wants: %s", d.ID, d.Version, d.Source)
			}
		}
		return nil
	})
	wantErr(t, "Select without sources", err, nil)
	if len(seen) != 33 {
		t.Errorf("%d documents were visited, want 33", len(seen))
	}
	stop := errors.New("stop")
	visits := 0
	err = f.Select(ctx, f.c, storage.Selection{Batch: 10}, func([]storage.Document) error {
		visits++
		return stop
	})
	if !errors.Is(err, stop) || visits != 1 {
		t.Errorf("visit said stop and was called %d times: %v", visits, err)
	}
	err = f.Select(ctx, f.c, storage.Selection{Query: []byte(`{"term":{"k":"none"}}`), Batch: 10}, func([]storage.Document) error { return stop })
	wantErr(t, "Select of nothing", err, nil)
}

func sizes(t *testing.T, f fixture) {
	f.fill(t, 12)
	_, err := f.Update(t.Context(), f.c, "003", []byte(`{"n":99}`), storage.UpdateOptions{})
	wantErr(t, "Update", err, nil)
	wantErr(t, "Delete", f.Delete(t.Context(), f.c, "004", storage.WriteOptions{Refresh: storage.RefreshWaitFor}), nil)
	size, err := f.Size(t.Context(), f.c)
	wantErr(t, "Size", err, nil)
	if size.Documents != 11 || size.Bytes <= 0 {
		t.Errorf("Size gave %+v", size)
	}
}

// searchGrowth: fields that documents add can be searched for at once; those that are not mapped cannot.
func searchGrowth(t *testing.T, f fixture) {
	now := storage.WriteOptions{Refresh: storage.RefreshWaitFor}
	f.ensure(t, `{"dynamic":"true"}`)
	_, _, err := f.Put(t.Context(), f.c, "a", []byte(`{"n":1,"t":"Some Words","o":{"b":true}}`), now)
	wantErr(t, "Put", err, nil)
	for _, query := range []string{
		`{"term":{"n":1}}`, `{"match":{"t":"words"}}`, `{"term":{"t.keyword":"Some Words"}}`, `{"term":{"o.b":true}}`,
	} {
		sameIDs(t, query, f.matches(t, query), "a")
	}
	f.ensure(t, `{"dynamic":"false","properties":{"late":{"type":"keyword"}}}`)
	_, _, err = f.Put(t.Context(), f.c, "b", []byte(`{"n":1,"late":"x","other":"x"}`), now)
	wantErr(t, "Put", err, nil)
	sameIDs(t, "n=1", f.matches(t, `{"term":{"n":1}}`), "a", "b")
	sameIDs(t, "late=x", f.matches(t, `{"term":{"late":"x"}}`), "b")
	sameIDs(t, "other=x", f.matches(t, `{"term":{"other":"x"}}`))
}

// deepPages: a search looks as deep as MaxWindow, and a scroll deeper.
func deepPages(t *testing.T, f fixture) {
	const documents = storage.MaxWindow + 500
	f.ensure(t, numbersMapping)
	ops := make([]storage.Op, documents)
	for i := range ops {
		ops[i] = storage.Op{Kind: storage.OpCreate, ID: fmt.Sprintf("%05d", i), Source: fmt.Appendf(nil, `{"n":%d}`, i)}
	}
	results, err := f.Write(t.Context(), f.c, ops, storage.BulkOptions{Refresh: storage.RefreshWaitFor})
	wantErr(t, "Write", err, nil)
	if i := slices.IndexFunc(results, func(r storage.OpResult) bool { return r.Err != nil }); i >= 0 {
		t.Fatalf("OpCreate: %v", results[i].Err)
	}
	found := f.search(t, `{"sort":"n"}`, 9_998, 2)
	sameIDs(t, "the last page", hitIDs(found), "09998", "09999")
	if found.Total != documents {
		t.Errorf("the total is %d", found.Total)
	}
	scroll, err := f.Search(t.Context(), storage.Search{
		Targets: []storage.Collection{f.c}, Body: []byte(`{"sort":"n","_source":false}`), Size: 6_000, Scroll: time.Minute,
	})
	wantErr(t, "Search", err, nil)
	rest, err := f.NextHits(t.Context(), storage.Public, scroll.Scroll, 0)
	wantErr(t, "NextHits", err, nil)
	if len(rest.Hits) != documents-6_000 || rest.Remaining != 0 || rest.Hits[len(rest.Hits)-1].ID != fmt.Sprintf("%05d", documents-1) {
		t.Errorf("the second page has %d hits, %d to come", len(rest.Hits), rest.Remaining)
	}
}
