package batch_test

import (
	"context"
	"errors"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/batch"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// TestAFaultIsTheWholeAnswer: what the node must look into is returned for the funnel to log, not hidden in an entry.
func TestAFaultIsTheWholeAnswer(t *testing.T) {
	r := batch.NewResult()
	r.Fail(jsontext.Value(`{}`), kerror.ServicesStorageDocumentAlreadyExists.New())
	if _, err := r.Answer(&protocol.Request{}); err != nil {
		t.Errorf("an error of the catalogue: %v", err)
	}
	r.FailID(jsontext.Value(`"d"`), context.DeadlineExceeded)
	r.Fail(jsontext.Value(`{}`), errors.New("later"))
	if answer, err := r.Answer(&protocol.Request{}); answer != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, %v", answer, err)
	}
}
