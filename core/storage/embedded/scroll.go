package embedded

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/core/storage/source"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// maxScrolls is how many scrolls are open at once at most, as in Elasticsearch.
const maxScrolls = 500

// parsedFactor is how much larger a request is than its text, once it is read, with its text.
const parsedFactor = 8

// tooMany is the message when there are.
var tooMany = fmt.Sprint("all ", maxScrolls, " that the node has are taken")

// scroll is a search that is given page by page, from the state at its beginning: the parts of the index are pinned, and the
// documents come from a snapshot of the database.
type scroll struct {
	scope    storage.Scope
	snapshot *pebble.Snapshot
	page     page
	request  search.Request
	// bytes is about what the request needs.
	bytes int64
	// total and given count hits.
	total, given int

	// busy is held while a page is being read, and guards all above and below.
	busy   sync.Mutex
	keep   time.Duration
	until  time.Time
	expiry *time.Timer
}

// scrolls are the open scrolls by their names. The zero value has none.
type scrolls struct {
	mu   sync.Mutex
	open map[string]*scroll
}

// openScroll gives the first page.
func (e *Engine) openScroll(ctx context.Context, s storage.Search, body *query.Search) (storage.Found, error) {
	if err := e.scrolls.room(e.budget.half); err != nil {
		return storage.Found{}, err
	}
	all, snapshot, err := e.freezeMoment(s.Targets)
	if err != nil {
		return storage.Found{}, err
	}
	body.TotalHits = query.AllHits // to know what remains
	sc := &scroll{
		scope: s.Targets[0].Scope, snapshot: snapshot, keep: s.Scroll,
		page:    page{engine: e, from: snapshot, pinned: all, filter: source.NewFilter(body.Source)},
		request: search.Request{Search: body, Size: s.Size, Now: time.Now()}, bytes: int64(len(s.Body)) * parsedFactor,
	}
	found, err := sc.next(ctx)
	if err != nil {
		sc.close()
		return storage.Found{}, err
	}
	found.Scroll = rand.Text()
	if found.Remaining == 0 {
		sc.close()
		return found, nil
	}
	sc.busy.Lock()
	defer sc.busy.Unlock()
	if err := e.scrolls.add(found.Scroll, sc); err != nil {
		sc.close()
		return storage.Found{}, err
	}
	sc.until = time.Now().Add(sc.keep)
	sc.expiry = time.AfterFunc(sc.keep, func() { e.expire(found.Scroll) })
	return found, nil
}

// freezeMoment pins collections and takes a snapshot of the database, all at one moment between writes.
func (e *Engine) freezeMoment(addresses []storage.Collection) ([]*pinned, *pebble.Snapshot, error) {
	for {
		colls := make([]*collection, len(addresses))
		for i, address := range addresses {
			var err error
			if colls[i], err = e.catalogue.find(address); err != nil {
				return nil, nil, err
			}
		}
		all, snapshot, err := e.pinMoment(colls)
		if snapshot != nil || err != nil {
			return all, snapshot, err
		}
	}
}

// pinMoment gives nothing when a collection was dropped or truncated since it was found.
func (e *Engine) pinMoment(colls []*collection) (all []*pinned, snapshot *pebble.Snapshot, err error) {
	defer lockAll(append([]*collection(nil), colls...))()
	for _, c := range colls {
		p, err := e.pinOne(c)
		if p == nil {
			letGo(all)
			return nil, nil, err
		}
		all = append(all, p)
	}
	snapshot = e.db.NewSnapshot()
	for _, p := range all {
		p.findIn(snapshot)
	}
	return all, snapshot, nil
}

// NextHits gives the next page of a scroll.
func (e *Engine) NextHits(ctx context.Context, scope storage.Scope, name string, keep time.Duration) (storage.Found, error) {
	if err := e.begin(ctx); err != nil {
		return storage.Found{}, err
	}
	defer e.gate.Leave()
	if keep < 0 {
		return storage.Found{}, searchArgument("scroll", "a duration")
	}
	sc := e.scrolls.find(name)
	if sc == nil || sc.scope != scope {
		return storage.Found{}, kerror.ServicesStorageUnknownScrollID.New()
	}
	sc.busy.Lock()
	defer sc.busy.Unlock()
	sc.expiry.Stop()
	if e.scrolls.find(name) != sc { // it ran out, or gave its last hit, while this waited
		return storage.Found{}, kerror.ServicesStorageUnknownScrollID.New()
	}
	found, err := sc.next(ctx)
	if err == nil && found.Remaining == 0 {
		e.scrolls.remove(name)
		sc.close()
	} else {
		if keep > 0 {
			sc.keep = keep
		}
		sc.until = time.Now().Add(sc.keep)
		sc.expiry.Reset(sc.keep)
	}
	if err != nil {
		return storage.Found{}, err
	}
	found.Scroll = name
	return found, nil
}

// next reads a page; after an error the same page comes again.
func (sc *scroll) next(ctx context.Context) (storage.Found, error) {
	found, after, err := sc.page.find(ctx, sc.request)
	if err != nil {
		return found, err
	}
	if sc.request.After == nil {
		sc.total = found.Total
	} else {
		found.Total, found.Aggregations = sc.total, nil // only the first page has them
	}
	sc.request.After = after
	sc.given += len(found.Hits)
	if after != nil {
		found.Remaining = max(sc.total-sc.given, 0)
	}
	return found, nil
}

func (sc *scroll) close() {
	letGo(sc.page.pinned)
	_ = sc.snapshot.Close() // fails when it is closed already only
}

// expire closes a scroll whose time is up, unless a page was read meanwhile.
func (e *Engine) expire(name string) {
	if e.gate.Enter(context.Background()) != nil {
		return // Close closes all of them
	}
	defer e.gate.Leave()
	sc := e.scrolls.find(name)
	if sc == nil {
		return
	}
	sc.busy.Lock()
	defer sc.busy.Unlock()
	if !time.Now().Before(sc.until) && e.scrolls.remove(name) {
		sc.close()
	}
}

func (s *scrolls) find(name string) *scroll {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[name]
}

// room fails when no scroll can be opened: there are too many, or they need more than so many bytes, with the memories that they pin.
func (s *scrolls) room(bytes int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) >= maxScrolls {
		return kerror.ServicesStorageTooManyScrolls.New(tooMany)
	}
	pinned := map[*segment.Memory]bool{}
	for _, sc := range s.open {
		bytes -= sc.bytes
		for _, p := range sc.page.pinned {
			for _, part := range p.parts {
				if m := part.memory; m != nil && !pinned[m] {
					pinned[m] = true
					bytes -= m.Bytes()
				}
			}
		}
	}
	if bytes < 0 {
		return kerror.ServicesStorageTooManyScrolls.New("they need too much memory")
	}
	return nil
}

func (s *scrolls) add(name string, sc *scroll) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) >= maxScrolls {
		return kerror.ServicesStorageTooManyScrolls.New(tooMany)
	}
	if s.open == nil {
		s.open = map[string]*scroll{}
	}
	s.open[name] = sc
	return nil
}

// remove reports whether the scroll was there.
func (s *scrolls) remove(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, there := s.open[name]
	delete(s.open, name)
	return there
}

// close closes all scrolls. No operation runs any more.
func (s *scrolls) close() {
	for _, sc := range s.open {
		sc.expiry.Stop()
		sc.close()
	}
	s.open = nil
}
