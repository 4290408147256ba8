package httpserver

import (
	"errors"
	"net/http"
	"time"

	"github.com/sluicehq/sluice/protocol"
)

// stream lets an action write its answer. It runs as long as the client takes what is written; each piece of it has
// WriteTimeout of its own.
func (x *exchange) stream(resp *protocol.Response) {
	x.room.release() // a piece is small, and the next one comes when it is taken
	ctx := x.r.Context()
	w := &streamWriter{x: x, resp: resp, conn: http.NewResponseController(x.w)}
	err := resp.Stream(ctx, w)
	if err == nil {
		w.begin()
		return
	}
	gone := w.failed || ctx.Err() != nil
	if shown := protocol.AsError(err); !gone && (x.answered || shown.Status >= http.StatusInternalServerError) {
		x.server.o.Logger.Error("stream failed", "requestId", x.req.RequestID, "controller", x.req.Controller, "action", x.req.Action,
			"error", err, "cause", errors.Unwrap(err))
	}
	if x.answered {
		panic(http.ErrAbortHandler) // cuts the connection
	}
	x.answer(x.fail(err))
}

// streamWriter is what a stream writes to. The answer begins with the first byte.
type streamWriter struct {
	x    *exchange
	resp *protocol.Response
	conn *http.ResponseController
	// failed says that the client takes nothing any more.
	failed bool
}

func (w *streamWriter) Write(p []byte) (int, error) {
	w.begin()
	if patience := w.x.server.o.WriteTimeout; patience > 0 {
		_ = w.conn.SetWriteDeadline(time.Now().Add(patience)) // a connection without deadlines has none to extend
	}
	n, err := w.x.w.Write(p)
	w.failed = w.failed || err != nil
	w.x.server.o.Metrics.HTTP.Sent.Add(float64(n))
	return n, err
}

// begin sends the headers, once. The body is not compressed: it would wait in the compressor.
func (w *streamWriter) begin() {
	x := w.x
	if x.answered {
		return
	}
	x.answered = true
	h := x.w.Header()
	x.commonHeaders(h, w.resp)
	copyHeaders(h, w.resp)
	contentType(h, w.resp)
	x.w.WriteHeader(status(w.resp))
}
