package batch

import (
	"errors"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Deleted parts the results of deletions of documents that a query found: what is gone now, and what failed. A document that
// somebody else removed in between is in neither.
func Deleted(ops []storage.Op, results []storage.OpResult) (gone []storage.Document, left Result) {
	left = NewResult()
	for i, r := range results {
		switch {
		case r.Err == nil:
			gone = append(gone, r.Document)
		case errors.Is(r.Err, kerror.ServicesStorageNotFound):
		default:
			id, _ := jsontext.AppendQuote(nil, ops[i].ID) // an id is valid UTF-8
			left.FailID(id, r.Err)
		}
	}
	return gone, left
}

// IncompleteDelete is the error of a deletion that left something behind, nil when it did not, and the fault when there was
// one.
func (r Result) IncompleteDelete() error {
	if r.fault != nil || len(r.Errors) == 0 {
		return r.fault
	}
	return kerror.ServicesStorageIncompleteDelete.New(strconv.Itoa(len(r.Errors)) + ", see errors").WithErrors(r.Errors)
}
