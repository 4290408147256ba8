package elastic

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// maxScrolls is how many scrolls may be open; Elasticsearch has the same limit for a node.
const maxScrolls = 500

// scrolls are the open scrolls of this node. The zero value is empty.
type scrolls struct {
	mu   sync.Mutex
	open map[string]*scroll
}

// scroll is a search that is given out page by page.
type scroll struct {
	scope storage.Scope
	// turn is held by the one who reads the next page: Elasticsearch gives each page once.
	turn chan struct{}

	// Whoever has the turn owns these.
	id        string // Elasticsearch's
	remaining int
	keep      time.Duration

	expires time.Time // guarded by scrolls.mu
}

// add names a scroll. When there are too many it fails with services.storage.too_many_operations.
func (s *scrolls) add(sc *scroll) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(s.open, func(_ string, old *scroll) bool { return now.After(old.expires) })
	if len(s.open) >= maxScrolls {
		return "", kerror.ServicesStorageTooManyOperations.New("scrolls")
	}
	if s.open == nil {
		s.open = map[string]*scroll{}
	}
	name := rand.Text()
	sc.expires = now.Add(sc.keep)
	s.open[name] = sc
	return name, nil
}

func (s *scrolls) find(scope storage.Scope, name string) (*scroll, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sc := s.open[name]
	if sc == nil || sc.scope != scope || time.Now().After(sc.expires) {
		return nil, kerror.ServicesStorageUnknownScrollID.New()
	}
	return sc, nil
}

func (s *scrolls) extend(sc *scroll) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sc.expires = time.Now().Add(sc.keep)
}

func (s *scrolls) remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, name)
}

// openScroll begins a scroll. One that gives everything at once is closed again, and still has a name.
func (e *Engine) openScroll(ctx context.Context, s storage.Search, body object) (storage.Found, error) {
	answer, err := e.search(ctx, s.Targets, body, values("scroll", duration(s.Scroll)))
	if err != nil {
		return storage.Found{}, err
	}
	f := answer.found()
	f.Remaining = max(0, f.Total-len(f.Hits))
	sc := &scroll{
		scope: s.Targets[0].Scope, turn: make(chan struct{}, 1), id: answer.Scroll, remaining: f.Remaining, keep: s.Scroll,
	}
	if f.Remaining == 0 || len(f.Hits) == 0 {
		e.closeScroll(ctx, answer.Scroll)
		f.Scroll = rand.Text()
		return f, nil
	}
	if f.Scroll, err = e.scrolls.add(sc); err != nil {
		e.closeScroll(ctx, answer.Scroll)
		return storage.Found{}, err
	}
	return f, nil
}

// NextHits gives the next hits of a scroll. When Elasticsearch cannot be asked the scroll is closed: it may have given the page
// away already.
func (e *Engine) NextHits(ctx context.Context, scope storage.Scope, name string, keep time.Duration) (storage.Found, error) {
	if err := e.gate.Enter(ctx); err != nil {
		return storage.Found{}, err
	}
	defer e.gate.Leave()
	sc, err := e.scrolls.find(scope, name)
	if err != nil {
		return storage.Found{}, err
	}
	select {
	case sc.turn <- struct{}{}:
		defer func() { <-sc.turn }()
	case <-ctx.Done():
		return storage.Found{}, ctx.Err()
	}
	if _, err := e.scrolls.find(scope, name); err != nil { // somebody else had the last page
		return storage.Found{}, err
	}
	if keep > 0 {
		sc.keep = keep
	}
	answer, err := e.nextPage(ctx, sc.id, sc.keep)
	if err != nil {
		e.scrolls.remove(name)
		return storage.Found{}, err
	}
	f := answer.found()
	sc.id, sc.remaining = answer.Scroll, max(0, sc.remaining-len(f.Hits))
	f.Scroll, f.Remaining = name, sc.remaining
	if sc.remaining == 0 || len(f.Hits) == 0 {
		f.Remaining = 0
		e.scrolls.remove(name)
		e.closeScroll(ctx, sc.id)
		return f, nil
	}
	e.scrolls.extend(sc)
	return f, nil
}

// nextPage reads the next page of a scroll of Elasticsearch.
func (e *Engine) nextPage(ctx context.Context, id string, keep time.Duration) (*found, error) {
	var answer found
	body := encode(object{"scroll_id": id, "scroll": duration(keep)})
	err := e.client.do(ctx, request{method: http.MethodPost, path: []string{"_search", "scroll"}, body: body}, &answer)
	if f, ok := errors.AsType[*failure](err); ok && f.status == http.StatusNotFound {
		return nil, kerror.ServicesStorageUnknownScrollID.Wrap(f)
	}
	if err == nil {
		err = answer.Shards.err()
	}
	return &answer, public(err)
}

// closeScroll frees what the server keeps. It would do so by itself in time.
func (e *Engine) closeScroll(ctx context.Context, id string) {
	body := encode(object{"scroll_id": id})
	_ = e.client.do(context.WithoutCancel(ctx), request{method: http.MethodDelete, path: []string{"_search", "scroll"}, body: body}, nil)
}

// selectAlive is how long visit may take for the documents it is given.
const selectAlive = 10 * time.Minute

// Select visits the documents of a scroll as they were when it began. It sees every write that was acknowledged before: whoever
// changes what he is given is held to its version. visit may take ten minutes at most.
func (e *Engine) Select(ctx context.Context, c storage.Collection, s storage.Selection, visit func([]storage.Document) error) error {
	if err := e.gate.Enter(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	if s.Batch <= 0 {
		return kerror.ServicesStorageInvalidArgument.New("batch", "a positive number")
	}
	if _, err := query.Parse(s.Query); err != nil {
		return err
	}
	if err := e.check(ctx, c); err != nil {
		return err
	}
	if err := e.refresh(ctx, c); err != nil {
		return e.searchError(ctx, []storage.Collection{c}, err)
	}
	body := object{
		"query": queryOf(s.Query), "size": min(s.Batch, storage.MaxWindow), "version": true, "sort": []string{"_doc"}, "_source": !s.NoSource,
	}
	answer, err := e.search(ctx, []storage.Collection{c}, body, values("scroll", duration(selectAlive)))
	if err != nil {
		return err
	}
	id := answer.Scroll
	defer func() { e.closeScroll(ctx, id) }()
	for len(answer.Hits.Hits) > 0 {
		docs := make([]storage.Document, len(answer.Hits.Hits))
		for i := range docs {
			docs[i] = answer.Hits.Hits[i].document()
		}
		if err := visit(docs); err != nil {
			return err
		}
		if answer, err = e.nextPage(ctx, id, selectAlive); err != nil {
			return err
		}
		id = answer.Scroll
	}
	return nil
}
