package embedded

import (
	"runtime"
	"sync"
)

// fetched is what a fetch found of an id. It is not done when the fetch did not come to it.
type fetched struct {
	current
	done bool
	err  error
}

const (
	// fetchers is how many goroutines read documents at once at most, and fetchedEach from how many ids on another one is worth it.
	fetchers    = 4
	fetchedEach = 64
)

// fetch reads many documents, or the heads of those that are not wanted whole, by several goroutines at once. ids are in order, so
// that those that stand in one file of Pebble are read together. Each goroutine ends when it has its part of most bytes, after
// one document at least.
func (e *Engine) fetch(collection uint32, ids []string, whole func(i int) bool, most int) []fetched {
	all := make([]fetched, len(ids))
	parts := min(runtime.GOMAXPROCS(0), fetchers, 1+len(ids)/fetchedEach)
	for i := range all {
		all[i].whole = whole(i)
	}
	each := (len(ids) + parts - 1) / parts
	var running sync.WaitGroup
	for from := each; from < len(ids); from += each {
		running.Go(func() {
			end := min(from+each, len(ids))
			e.fetchSome(collection, ids[from:end], all[from:end], most/parts)
		})
	}
	end := min(each, len(ids))
	e.fetchSome(collection, ids[:end], all[:end], most/parts)
	running.Wait()
	return all
}

// fetchSome is one goroutine of a fetch. It looks for all documents before it looks for heads, which stand elsewhere.
func (e *Engine) fetchSome(collection uint32, ids []string, found []fetched, most int) {
	stored := lookup{db: e.db}
	defer stored.close()
	n := 0
	for bytes := 0; n < len(ids) && (n == 0 || bytes < most); n++ {
		f := &found[n]
		if f.done = true; f.whole {
			f.record, f.err = stored.document(collection, ids[n])
		}
		bytes += len(f.source)
	}
	for i := range found[:n] {
		if f := &found[i]; f.err == nil && !f.exists() {
			f.head, f.err = stored.head(collection, ids[i])
		}
	}
}
