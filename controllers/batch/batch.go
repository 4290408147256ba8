// Package batch is what actions on many documents share: the list in the body, refusals of single entries, the answer
// {successes, errors} in the order of the request, and the argument strict. The controllers of stored documents import it.
package batch

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Item is one entry of the argument documents.
type Item struct {
	// Sent is the entry as it came; errors repeat it.
	Sent jsontext.Value
	// ID is "" when the entry has none.
	ID   string
	Body jsontext.Value
	// Default is the member default, nil when there is none.
	Default jsontext.Value
	// Refused says what is wrong with the entry, nil for nothing. A refused entry is answered in its place, the others are
	// written all the same.
	Refused error
}

// Form says what entries look like.
type Form struct {
	// Body is the member that holds the document, or what changes.
	Body string
	// NeedsID refuses entries without _id.
	NeedsID bool
	// Default reads the member default.
	Default bool
}

// Items reads the argument documents of the body. What is no list of objects is refused as a whole, and so is _source in
// place of body.
func (f Form) Items(req *protocol.Request) ([]Item, error) {
	body, err := req.BodyFields()
	if err != nil {
		return nil, err
	}
	list, err := Array(body, "documents", "body.documents")
	if err != nil {
		return nil, err
	}
	items := make([]Item, len(list))
	for i, sent := range list {
		where := "body.documents[" + strconv.Itoa(i) + "]"
		if sent.Kind() != '{' {
			return nil, kerror.APIAssertInvalidType.New(where, "object")
		}
		members, err := protocol.ParseArgs(sent, where+".")
		if err != nil {
			return nil, kerror.APIAssertInvalidType.Wrap(err, where, "object")
		}
		if members.Has("_source") {
			return nil, kerror.APIAssertUnexpectedArgument.New(where+"._source", f.Body)
		}
		items[i] = f.item(sent, members, where)
	}
	return items, nil
}

func (f Form) item(sent jsontext.Value, members protocol.Args, where string) Item {
	item := Item{Sent: sent}
	if item.ID, item.Refused = members.OptString("_id", ""); item.Refused != nil {
		return item
	}
	if item.ID == "" && f.NeedsID {
		_, item.Refused = members.String("_id")
		if item.Refused == nil {
			item.Refused = kerror.APIAssertEmptyArgument.New(where + "._id")
		}
		return item
	}
	if item.Body, item.Refused = members.Object(f.Body); item.Refused != nil || !f.Default {
		return item
	}
	item.Default, item.Refused = members.OptObject("default")
	return item
}

// Array gives a required array of args, whose errors call it label.
func Array(args protocol.Args, name, label string) ([]jsontext.Value, error) {
	raw := args.Raw(name)
	if raw == nil {
		return nil, kerror.APIAssertMissingArgument.New(label)
	}
	var list []jsontext.Value
	if raw.Kind() != '[' {
		return nil, kerror.APIAssertInvalidType.New(label, "array")
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, kerror.APIAssertInvalidType.Wrap(err, label, "array")
	}
	return list, nil
}

// Result is the answer of an action on many documents. Both lists are in the order of the request.
type Result struct {
	Successes []any `json:"successes"`
	Errors    []any `json:"errors"`
	// fault is the first error that is nobody's to see: the whole answer is that error, for the funnel to log.
	fault error
}

// NewResult is an answer without entries: its lists are empty, not null.
func NewResult() Result { return Result{Successes: []any{}, Errors: []any{}} }

// failure is an entry of Errors: what failed, and why.
type failure struct {
	Document jsontext.Value `json:"document,omitzero"`
	ID       jsontext.Value `json:"_id,omitzero"`
	Status   int            `json:"status"`
	Reason   string         `json:"reason"`
}

// Fail adds the error of a document that was to be written; sent is the entry as it came.
func (r *Result) Fail(sent jsontext.Value, err error) {
	e := r.Look(err)
	r.Errors = append(r.Errors, failure{Document: sent, Status: e.Status, Reason: e.Message})
}

// FailID adds the error of an id; sent is the id as it came.
func (r *Result) FailID(sent jsontext.Value, err error) {
	e := r.Look(err)
	r.Errors = append(r.Errors, failure{ID: sent, Status: e.Status, Reason: e.Message})
}

// Look gives an error of one document as clients see it. One that is none of the catalogue, such as the end of the
// request's time, becomes the answer to the whole request.
func (r *Result) Look(err error) *kerror.Error {
	var ke *kerror.Error
	if !errors.As(err, &ke) && r.fault == nil {
		r.fault = err
	}
	return protocol.AsError(err)
}

// Fault gives the error that is the answer to the whole request, nil when each entry failed by itself.
func (r Result) Fault() error { return r.fault }

// Answer gives the result, or an error in its place when the request is strict and something failed.
func (r Result) Answer(req *protocol.Request) (any, error) {
	strict, err := req.Args.Bool("strict")
	if err = errors.Join(err, r.fault); err != nil {
		return nil, err
	}
	if strict && len(r.Errors) > 0 {
		return nil, kerror.APIProcessIncompleteMultipleRequest.New(fmt.Sprint(len(r.Errors))).WithErrors(r.Errors)
	}
	return r, nil
}
