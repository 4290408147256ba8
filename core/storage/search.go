package storage

import (
	"context"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Search is one search.
type Search struct {
	// Targets are the collections to search: at least one, each once, all of one scope.
	Targets []Collection
	// Body is a search body as query.ParseSearch reads it; nil is {}. Its from and size do not count: From and Size do.
	Body jsontext.Value
	// From and Size choose the hits. Neither is negative; From + Size is at most MaxWindow, and From is 0 with Scroll.
	From, Size int
	// Scroll opens a scroll that lives for this long after it was last used; 0 opens none. Size is then positive.
	Scroll time.Duration
}

// MaxWindow is how deep a search can look without a scroll or search_after. It is Elasticsearch's default.
const MaxWindow = 10_000

// MaxAnswerBytes is how large the sources of one answer may be together.
const MaxAnswerBytes = 100 << 20

// Hit is a document that a search found.
type Hit struct {
	Collection Collection
	ID         string
	// Score is what the document was ranked by; nil when it was ranked by something else.
	Score *float32
	// Source is what the body asked for of the document, nil when that is nothing.
	Source jsontext.Value
	// Sort holds the values the document was sorted by, as search_after takes them; nil when the body has no sort.
	Sort []jsontext.Value
	// Highlight is the object of fields with fragments that the body asked for, nil when nothing was found in them.
	Highlight jsontext.Value
	// Fields is {"<field>": [value]} of a search that collapses: the value that the hit shares with those it stands for. It is nil
	// when these have no value.
	Fields jsontext.Value
	// Explanation is {value, description, details} of the score, nil when the body did not ask for it.
	Explanation jsontext.Value
	// InnerHits are the hits that the body asked to show within this one, by their names; nil when it asked for none.
	InnerHits map[string][]Hit
}

// Found is what a search found.
type Found struct {
	Hits []Hit
	// Total is how many documents match in all targets, as far as track_total_hits asked to count.
	Total int
	// Aggregations are answered as Elasticsearch answers them; nil when there were none.
	Aggregations jsontext.Value
	// Suggest is answered as Elasticsearch answers it; nil when nothing was to be suggested.
	Suggest jsontext.Value
	// Scroll is what NextHits takes, and Remaining how many hits it will still give; both are empty without a scroll.
	Scroll    string
	Remaining int
}

// Searcher finds documents by what is in them. A write is seen as its Refresh says. The query language, and the errors of a
// query that cannot be read, are those of core/storage/query. On top of these, a query that does not suit the mapping, such as
// a text in a range of numbers, is services.storage.unexpected_bad_request.
type Searcher interface {
	// Search fails with services.storage.unknown_index or unknown_collection when a target does not exist, and with
	// services.storage.invalid_argument when s is not what Search asks for. An engine may hold answers to
	// MaxAnswerBytes: then more are services.storage.answer_too_large. One scroll too many is services.storage.too_many_scrolls.
	Search(ctx context.Context, s Search) (Found, error)
	// NextHits gives the next hits of a scroll, as they were when the search began, and keeps the scroll for another keep;
	// 0 is as long as before. A scroll that does not exist, was opened in another scope, ran out or gave its last hit before
	// is services.storage.unknown_scroll_id. The answer that gives the last hits closes it, and still carries its name.
	NextHits(ctx context.Context, scope Scope, scroll string, keep time.Duration) (Found, error)
	// Count is how many documents of the targets match a query; nil matches every one.
	Count(ctx context.Context, targets []Collection, query jsontext.Value) (int, error)
	// Select calls visit with all documents of a collection that match, each once, in no particular order. What matches is decided
	// when Select begins; a document that is gone when its turn comes is left out, and one that has changed may be given as it
	// was or as it is. visit may write to the engine; its error ends Select and is returned.
	Select(ctx context.Context, c Collection, s Selection, visit func([]Document) error) error
	// Refresh returns once searches see every write to the collection that was acknowledged before.
	Refresh(ctx context.Context, c Collection) error
	// Size tells how much a collection holds.
	Size(ctx context.Context, c Collection) (Size, error)
}

// Selection is what Select gives.
type Selection struct {
	// Query is what matches; nil is every document.
	Query jsontext.Value
	// Batch is how many documents are given at a time at most, from 1; fewer when they are large.
	Batch int
	// NoSource leaves the sources out, for those who want ids and versions only.
	NoSource bool
}

// Size is how much a collection holds.
type Size struct {
	Documents int
	// Bytes on disk, estimated.
	Bytes int64
}
