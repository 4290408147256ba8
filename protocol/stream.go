package protocol

import (
	"context"
	"io"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// Stream is the result of an action whose answer is too long to be held in memory: it writes the body of the answer, with
// no envelope around it. There are streams over HTTP only; elsewhere such a result is api.assert.forbidden_stream.
//
// It is called once, after the action and its pipes, and outlives limits.requestTimeout. ctx ends when the client has gone;
// w fails then. An error before the first byte is answered like that of an action. A later one cuts the connection, so that
// the client sees that the answer is not whole. Pipes and hooks see it as null.
type Stream func(ctx context.Context, w io.Writer) error

// MarshalJSON gives null.
func (Stream) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// setStream makes a the answer that s writes. Reply says of which type it is.
func (a *Response) setStream(r *Request, s Stream) error {
	if r.Connection == nil || r.Connection.Protocol != "http" {
		return kerror.APIAssertForbiddenStream.New()
	}
	a.Stream, a.ContentType = s, r.Reply.ContentType
	return nil
}
