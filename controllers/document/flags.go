package document

import (
	"math"

	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
)

// flags are the arguments of actions that write. silent is not among them: the node has no notifications yet.
type flags struct {
	refresh storage.Refresh
	// source asks for the whole document in the answer.
	source bool
	// retries is how often an update that lost a race is tried again.
	retries int
}

func flagsOf(req *protocol.Request) (flags, error) {
	f, err := looseFlagsOf(req)
	if err != nil {
		return f, err
	}
	f.refresh, err = target.StrictRefresh(req)
	return f, err
}

// looseFlagsOf is flagsOf for document:create, where any refresh but false waits.
func looseFlagsOf(req *protocol.Request) (flags, error) {
	f := flags{refresh: target.Refresh(req)}
	if _, err := req.Args.Bool("silent"); err != nil {
		return f, err
	}
	var err error
	if f.source, err = req.Args.Bool("source"); err != nil {
		return f, err
	}
	retries, err := req.Args.OptInt("retryOnConflict", 0)
	f.retries = int(min(max(retries, 0), math.MaxInt32))
	return f, err
}

func (f flags) write() storage.WriteOptions { return storage.WriteOptions{Refresh: f.refresh} }

func (f flags) bulk() storage.BulkOptions {
	return storage.BulkOptions{Refresh: f.refresh, RetryOnConflict: f.retries}
}
