package document

import (
	"math"

	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// flags are the arguments of actions that write.
type flags struct {
	refresh storage.Refresh
	// silent keeps the write from subscribers.
	silent bool
	// source asks for the whole document in the answer.
	source bool
	// retries is how often an update that lost a race is tried again.
	retries int
	// version is the one that the document must have, 0 for any.
	version int64
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
	var err error
	if f.silent, err = req.Args.Bool("silent"); err != nil {
		return f, err
	}
	if f.source, err = req.Args.Bool("source"); err != nil {
		return f, err
	}
	retries, err := req.Args.OptInt("retryOnConflict", 0)
	f.retries = int(min(max(retries, 0), math.MaxInt32))
	if err != nil {
		return f, err
	}
	f.version, err = ifVersion(req)
	return f, err
}

// ifVersion reads the argument of that name: a _version that an action answered.
func ifVersion(req *protocol.Request) (int64, error) {
	if req.Args.Raw("ifVersion") == nil {
		return 0, nil
	}
	version, err := req.Args.OptInt("ifVersion", 0)
	if err == nil && version < 1 {
		err = kerror.APIAssertInvalidArgument.New("ifVersion", "a version of the document")
	}
	return version, err
}

func (f flags) bulk() storage.BulkOptions {
	return storage.BulkOptions{Refresh: f.refresh, RetryOnConflict: f.retries}
}
