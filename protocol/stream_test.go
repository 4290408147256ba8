package protocol

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestStream(t *testing.T) {
	s := Stream(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, "text")
		return err
	})
	r := request()
	r.Connection = &Connection{Protocol: "http"}
	r.Reply.ContentType = "text/csv"
	if a := NewResponse(r, s, nil); a.Stream == nil || a.Error != nil || a.ContentType != "text/csv" || a.Status != 200 {
		t.Errorf("over http: %+v", a)
	}
	if a := NewResponse(r, s, errors.New("late")); a.Stream != nil || a.Error == nil {
		t.Errorf("with an error: %+v", a)
	}
	for _, protocol := range []string{"websocket", "internal", ""} {
		r.Connection.Protocol = protocol
		if a := NewResponse(r, s, nil); a.Stream != nil || !errors.Is(a.Error, kerror.APIAssertForbiddenStream) {
			t.Errorf("over %q: %+v", protocol, a)
		}
	}
	if shown, err := json.Marshal(map[string]any{"result": s}); err != nil || string(shown) != `{"result":null}` {
		t.Errorf("as pipes see it: %s, %v", shown, err)
	}
}
