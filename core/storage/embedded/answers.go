package embedded

import (
	"context"
	"fmt"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

const (
	// smallBytes is how large the sources of an answer may be that does not wait for others.
	smallBytes = 1 << 20
	// largeAnswers is how many larger ones are read at once. Together they need largeAnswers times storage.MaxAnswerBytes.
	largeAnswers = 2
)

// answers bound the memory for documents that are read to be answered, all of them at once.
type answers struct {
	most, small int // bytes
	// large is taken by who reads more than small.
	large chan struct{}
}

func newAnswers() answers {
	return answers{most: storage.MaxAnswerBytes, small: smallBytes, large: make(chan struct{}, largeAnswers)}
}

// answer is one that is being read. end must follow.
type answer struct {
	of      *answers
	bytes   int
	isLarge bool
}

func (a *answers) begin() *answer { return &answer{of: a} }

// add counts what was read. It waits while too many others read much; what was read before is little then.
func (a *answer) add(ctx context.Context, bytes int) error {
	a.bytes += bytes
	switch {
	case a.bytes > a.of.most:
		return kerror.ServicesStorageAnswerTooLarge.New(fmt.Sprint(a.of.most>>20, " MB"))
	case a.bytes <= a.of.small || a.isLarge:
		return nil
	}
	select {
	case a.of.large <- struct{}{}:
		a.isLarge = true
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *answer) end() {
	if a.isLarge {
		<-a.of.large
	}
}
