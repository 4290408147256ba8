package elastic

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Find gives the documents whose keyword field holds value. They are read in one consistent state and compared with value, since
// Elasticsearch takes more for a match than the seam does: numbers, and arrays in arrays.
func (e *Engine) Find(ctx context.Context, c storage.Collection, field, value string, limit int) ([]storage.Document, error) {
	if err := e.gate.Enter(ctx); err != nil {
		return nil, err
	}
	defer e.gate.Leave()
	l, err := e.describe(ctx, c)
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, kerror.ServicesStorageInvalidArgument.New("limit", "a positive number")
	}
	k, ok := l.keyword(field)
	if !ok {
		return nil, kerror.ServicesStorageInvalidArgument.New("field", "a keyword of the collection")
	}
	var found []storage.Document
	err = e.ordered(ctx, c, k.search(value), "", func(d storage.Document) bool {
		if holds(d.Source, field, value) {
			found = append(found, d)
		}
		return len(found) < limit
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// search is a search for all documents that may hold value.
func (k *keyword) search(value string) object {
	if k.path != "" && len(utf16.Encode([]rune(value))) <= k.most {
		return object{"query": object{"term": object{k.path: object{"value": value}}}}
	}
	if len(value) > maxRuntime { // more than a runtime field can be
		return object{"query": object{"match_all": object{}}}
	}
	return object{
		"query":            object{"term": object{k.name: object{"value": value}}},
		"runtime_mappings": object{k.name: object{"type": "keyword"}},
	}
}

// maxRuntime bounds the values that are looked for in a runtime field.
const maxRuntime = 10_000

// holds reports whether a top-level field is value, or an array with value in it.
func holds(source jsontext.Value, field, value string) bool {
	var all members
	if decode(source, &all) != nil {
		return false
	}
	list := []jsontext.Value{all[field]}
	if all[field].Kind() == '[' && decode(all[field], &list) != nil {
		return false
	}
	return slices.ContainsFunc(list, func(v jsontext.Value) bool {
		if v.Kind() != '"' {
			return false
		}
		plain, err := jsontext.AppendUnquote(nil, v)
		return err == nil && string(plain) == value
	})
}

// Scan visits the documents of a collection in the order of their ids. What it reads stays on the server's disks until it
// returns, or until visit has taken five minutes for a page of at most 1000 documents, which is an error.
func (e *Engine) Scan(ctx context.Context, c storage.Collection, after string, visit func(storage.Document) bool) error {
	if err := e.gate.Enter(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	if err := e.check(ctx, c); err != nil {
		return err
	}
	return e.ordered(ctx, c, object{"query": object{"match_all": object{}}}, after, visit)
}

// A page has as many documents as are expected to have pageBytes together, by those before, and at most maxDocuments; the first
// one has firstPage.
const (
	firstPage    = 100
	maxDocuments = 1000
	pageBytes    = 8 << 20
)

// pageAfter gives how many documents the next page may have, by those of the last one.
func pageAfter(last []hit) int {
	bytes := 1
	for i := range last {
		bytes += len(last[i].Source)
	}
	return min(max(1, pageBytes*len(last)/bytes), maxDocuments)
}

// ordered visits the documents that a search finds in the order of their ids. Elasticsearch does not sort by ids: when there
// are more than a first page it reads all ids first and then the documents page by page, all from one point in time.
func (e *Engine) ordered(ctx context.Context, c storage.Collection, search object, after string, visit func(storage.Document) bool) error {
	if err := e.refresh(ctx, c); err != nil {
		return e.searchError(ctx, []storage.Collection{c}, err)
	}
	p, err := e.openPoint(ctx, c)
	if err != nil {
		return err
	}
	defer p.close(ctx)
	first, err := p.read(ctx, search, object{"size": firstPage, "version": true})
	if err != nil {
		return err
	}
	if len(first) < firstPage {
		_, err := visitAll(ctx, first, after, visit)
		return err
	}
	ids, err := p.ids(ctx, search, after)
	if err != nil {
		return err
	}
	for n, part := pageAfter(first), []string(nil); len(ids) > 0; {
		part, ids = ids[:min(n, len(ids))], ids[min(n, len(ids)):]
		docs, err := p.read(ctx, object{"query": object{"ids": object{"values": part}}}, object{"size": len(part), "version": true})
		if err != nil {
			return err
		}
		n = pageAfter(docs)
		if more, err := visitAll(ctx, docs, after, visit); !more || err != nil {
			return err
		}
	}
	return nil
}

// visitAll visits hits in the order of their ids; more is false when visit has seen enough.
func visitAll(ctx context.Context, hits []hit, after string, visit func(storage.Document) bool) (more bool, err error) {
	slices.SortFunc(hits, func(a, b hit) int { return cmp.Compare(a.ID, b.ID) })
	for i := range hits {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if hits[i].ID > after && !visit(hits[i].document()) {
			return false, nil
		}
	}
	return true, ctx.Err()
}

// ids gives the ids of all documents that a search finds and that come after one, in order.
func (p *point) ids(ctx context.Context, search object, after string) ([]string, error) {
	var ids []string
	options := object{"size": maxPage, "_source": false, "sort": []string{"_shard_doc"}}
	for {
		hits, err := p.read(ctx, search, options)
		if err != nil {
			return nil, err
		}
		for _, h := range hits {
			if h.ID > after {
				ids = append(ids, strings.Clone(h.ID))
			}
		}
		if len(hits) < maxPage {
			slices.Sort(ids)
			return ids, nil
		}
		options["search_after"] = hits[len(hits)-1].Sort
	}
}

// maxPage is the most hits that Elasticsearch gives at once.
const maxPage = 10_000

var _ storage.Finder = (*Engine)(nil)
