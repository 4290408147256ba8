package analysis

import (
	"context"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// Budget bounds the work of taking texts apart, whatever their analyzers make of them: that of all texts of one document, or of one
// search. Work is counted and not timed, so that a document that was accepted once is accepted whenever it is read again. When there is
// too much of it, nothing more is made of any text, and Err says so: what was made until then means nothing. The zero value is
// the budget of a document. It belongs to one goroutine.
type Budget struct {
	ctx context.Context //nolint:containedctx // it lives as long as one search, and ends its analysis
	// most is 0 for a document.
	most, used int
	// pause is how much may be used before ctx is looked at again.
	pause int
	err   error
	// places are those of ShareWith; within says that one of them is taken.
	places chan struct{}
	within bool
}

const (
	// DocumentWork is how much work a document may be. Work is a byte that is read and written once; what costs more counts for
	// several. A million takes some 10 ms.
	DocumentWork = 64 << 20
	// SearchWork is how much work a search may be.
	SearchWork = 16 << 20
	// wordWork is what a word costs beside its bytes. It is sorted and indexed, and needs about a hundred bytes until then.
	wordWork = 24
	// changeWork is what it costs that a stemmer or another filter of several rules changes a word.
	changeWork = 48
	// pauseWork is how much work is done between two looks at the context, and maxStep what is counted at once.
	pauseWork = 1 << 16
	// smallWork is how much may be done without one of the places of ShareWith. It takes some megabytes.
	smallWork = 1 << 20
	maxStep   = 1 << 40
)

// NewBudget gives the budget of a search, which ends with ctx.
func NewBudget(ctx context.Context, most int) *Budget { return &Budget{ctx: ctx, most: most} }

// Reset makes it the budget of another document.
func (b *Budget) Reset() { *b = Budget{places: b.places, within: b.within} }

// ShareWith makes who has much work wait for one of the places that several budgets share, so that only so many need much memory at
// once. Leave gives it back when the work is done; nothing may be waited for meanwhile.
func (b *Budget) ShareWith(places chan struct{}) { b.places = places }

// Leave gives back the place that was taken, if one was.
func (b *Budget) Leave() {
	if b.within {
		b.within = false
		<-b.places
	}
}

// Err gives services.storage.unexpected_bad_request when there was too much work, or the error of the context when it ended before.
func (b *Budget) Err() error { return b.err }

// Take uses some of the budget for work that is done with a text elsewhere. It reports whether there was enough.
func (b *Budget) Take(work int) bool {
	b.used += min(work, maxStep)
	return b.used < b.pause || b.look()
}

// word takes what a word costs.
func (b *Budget) word(term []byte) bool { return b.Take(wordWork + len(term)/8) }

// filter takes what a filter of one word costs.
func (b *Budget) filter(term []byte) bool { return b.Take(1 + len(term)/2) }

// change takes what a filter of several rules costs, which may move the rest of the word for every character that it changes.
func (b *Budget) change(term []byte) bool { return b.Take(changeWork + len(term)*len(term)/64) }

func (b *Budget) look() bool {
	most := b.most
	if most == 0 {
		most = DocumentWork
	}
	switch {
	case b.err != nil:
	case b.used > most:
		b.err = errWork
	case b.ctx != nil:
		b.err = b.ctx.Err()
	}
	if b.err != nil {
		b.used, b.pause = 0, 0
		return false
	}
	if b.places != nil && !b.within && b.used > smallWork {
		b.places <- struct{}{}
		b.within = true
	}
	b.pause = min(b.used+pauseWork, most)
	return true
}

var errWork = kerror.ServicesStorageUnexpectedBadRequest.New(
	"the analyzers have too much to do with the text: shorten it, copy it to fewer fields, or have filters that make less of it")
