package elastic

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// item is what became of one op of a _bulk.
type item struct {
	Version int64  `json:"_version"`
	Result  string `json:"result"`
	Status  int    `json:"status"`
	Error   *cause `json:"error"`
	Get     struct {
		Source jsontext.Value `json:"_source"`
	} `json:"get"`
}

// send does steps with one request and gives those to be tried again.
func (w *writer) send(ctx context.Context, steps []*step) (again []*step, err error) {
	lines := make([][]byte, len(steps))
	for i, s := range steps {
		lines[i] = w.lines(s)
	}
	w.sent = true
	items, err := w.engine.writes.do(ctx, target{w.c, w.options.Refresh == storage.RefreshWaitFor}, lines)
	if f, ok := errors.AsType[*failure](err); ok && !f.noIndex() {
		return nil, f.public()
	}
	if isNoIndex(err) {
		return w.lost(ctx, steps)
	}
	if err != nil {
		return nil, err
	}
	var lost []*step
	for i, s := range steps {
		switch it := items[i]; {
		case it.Error == nil && it.Status < http.StatusBadRequest:
			w.accept(s, it)
		case w.failed(ctx, s, it):
			again = append(again, s)
		case isNoIndex(&failure{status: it.Status, cause: it.cause()}):
			lost = append(lost, s)
		}
	}
	if len(lost) > 0 {
		lost, err = w.lost(ctx, lost)
	}
	return append(again, lost...), err
}

// bulk writes documents, of which each is what stands in the lines of a _bulk.
func (c *client) bulk(ctx context.Context, to target, lines [][]byte) ([]item, error) {
	query := values("require_alias", "true", "timeout", duration(c.timeout/3)) // for a shard that is not there
	if to.refresh {
		query.Set("refresh", "true")
	}
	var answer struct {
		Items []map[string]item `json:"items"`
	}
	r := request{method: http.MethodPost, path: []string{alias(to.Collection), "_bulk"}, query: query, body: bytes.Join(lines, nil)}
	if err := c.do(ctx, r, &answer); err != nil {
		return nil, err
	}
	items := make([]item, 0, len(lines))
	for _, one := range answer.Items {
		for _, it := range one { // under the name of its action
			items = append(items, it)
		}
	}
	if len(items) != len(lines) {
		return nil, kerror.ServicesStorageUnexpectedError.New("Elasticsearch answered with other documents than were written")
	}
	return items, nil
}

func (i *item) cause() cause {
	if i.Error != nil {
		return *i.Error
	}
	return cause{Type: i.Result}
}

// lines gives what _bulk reads for a step.
func (w *writer) lines(s *step) []byte {
	about := object{"_id": s.ID}
	if s.reads && s.old.Found {
		about["if_seq_no"], about["if_primary_term"] = s.old.SeqNo, s.old.Term
	}
	action, source := "index", s.Source
	switch {
	case s.Kind == storage.OpDelete:
		return append(encode(object{"delete": about}), '\n')
	case s.creates():
		action = "create"
	case s.Kind == storage.OpUpdate || s.Kind == storage.OpUpsert:
		return w.update(s, about)
	}
	if s.Kind == storage.OpUpsert {
		source = s.Default
	}
	head := encode(object{action: about})
	return slices.Concat(head, []byte{'\n'}, source, []byte{'\n'})
}

// creates reports whether a step writes a document only as long as there is none, be it because its reading found none:
// Elasticsearch has no sequence number for that.
func (s *step) creates() bool {
	return s.Kind == storage.OpCreate || s.reads && !s.old.Found && (s.Kind == storage.OpUpsert || s.Kind == storage.OpPut)
}

func (w *writer) update(s *step, about object) []byte {
	if !s.reads {
		about["retry_on_conflict"] = w.options.RetryOnConflict
	}
	about["_source"] = true
	b := append(encode(object{"update": about}), "\n{\"detect_noop\":false,\"doc\":"...)
	b = append(b, s.Source...)
	if s.Kind == storage.OpUpsert && !s.reads { // Elasticsearch has no upsert at a sequence number
		b = append(append(b, `,"upsert":`...), s.Default...)
	}
	return append(b, '}', '\n')
}

// accept takes over the result of a step that was done.
func (w *writer) accept(s *step, it item) {
	r := &w.results[s.at]
	r.Document = storage.Document{ID: s.ID, Version: it.Version, Source: s.Source}
	r.Created = it.Result == "created"
	if w.options.Previous && s.old.Found {
		r.Previous = s.old.Source
	}
	switch {
	case s.Kind == storage.OpDelete:
		r.Document = storage.Document{ID: s.ID, Version: s.old.Version, Source: r.Previous}
	case s.Kind == storage.OpUpsert && r.Created:
		r.Document.Source = s.Default
	case s.Kind == storage.OpUpdate || s.Kind == storage.OpUpsert:
		r.Document.Source = it.Get.Source
	}
	if s.source.grows || s.fallback.grows {
		w.engine.schemas.forget(w.c)
	}
}

// failed takes over the error of a step; it reports whether the step is to be tried again.
func (w *writer) failed(ctx context.Context, s *step, it item) (again bool) {
	f := &failure{status: it.Status, cause: it.cause()}
	r := &w.results[s.at]
	switch {
	case f.noIndex():
		return false // see lost
	case s.reads && (f.conflict() || s.Kind == storage.OpUpsert && f.status == http.StatusNotFound):
		s.tries++
		if w.mayRepeat(s) {
			return true
		}
		r.Err = tooManyChanges(s.ID)
	case f.conflict() && s.Kind == storage.OpCreate:
		r.Err = kerror.ServicesStorageDocumentAlreadyExists.New()
	case f.conflict():
		r.Err = tooManyChanges(s.ID)
	case f.status == http.StatusNotFound:
		r.Err = notFound(w.c, s.ID)
	case f.busy() && s.busy < maxBusy:
		s.busy++
		return true
	default:
		r.Err = w.engine.explain(ctx, w.c, f, s.Source)
	}
	return false
}

// mayRepeat reports whether a step that met another write may be tried again. With IfVersion it will be refused, but for the
// right reason.
func (w *writer) mayRepeat(s *step) bool {
	if !s.repeats && (s.Kind == storage.OpUpdate || s.Kind == storage.OpUpsert) {
		return s.IfVersion != 0 || s.tries <= w.options.RetryOnConflict
	}
	return s.tries < maxTries
}

// maxLost is how often a step is tried again whose collection was not there and is again.
const maxLost = 5

// lost is for steps whose collection was not there: when it is again (Truncate, or dropped and made again), they are tried
// again, since nothing was done.
func (w *writer) lost(ctx context.Context, steps []*step) ([]*step, error) {
	w.engine.schemas.forget(w.c)
	err := w.engine.missing(ctx, w.c)
	if err == nil && steps[0].tries < maxLost {
		for _, s := range steps {
			s.tries++
		}
		return steps, nil
	}
	if err == nil {
		err = unknownCollection(w.c)
	}
	for _, s := range steps {
		w.results[s.at].Err = err
	}
	return nil, nil
}
