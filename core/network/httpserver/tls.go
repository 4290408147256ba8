package httpserver

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/time/rate"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/protocol/kerror"
)

const (
	// streamWindow is how much of a body a stream of HTTP/2 may send before it is read. MaxStreams of them fit into
	// connectionWindow, so that bodies that wait for room never keep out the one that has it.
	streamWindow     = 32 << 10
	connectionWindow = 4<<20 - 1
)

// encrypt makes the server speak TLS. WebSocket needs HTTP/1.1, which its clients choose.
func (s *Server) encrypt() {
	c := s.o.TLS.Clone()
	c.NextProtos = append([]string{"h2", "http/1.1"}, c.NextProtos...)
	s.http.TLSConfig = c
	s.http.HTTP2 = &http.HTTP2Config{
		MaxConcurrentStreams:          s.o.MaxStreams,
		MaxReceiveBufferPerStream:     streamWindow,
		MaxReceiveBufferPerConnection: connectionWindow,
		WriteByteTimeout:              s.o.WriteTimeout,
		SendPingTimeout:               s.o.IdleTimeout,
	}
	if s.o.HSTSMaxAge > 0 {
		s.fixed.strictTransport = []string{"max-age=" + strconv.Itoa(int(s.o.HSTSMaxAge/time.Second))}
	}
}

// makeRoom waits until the bodies that come over the same connection of HTTP/2 leave room for one more: together they are no
// larger than the one that HTTP/1.1 carries at a time, small ones aside.
func (x *exchange) makeRoom(b *bodyReader, encodings []string) error {
	small := x.r.ContentLength >= 0 && x.r.ContentLength <= network.UncountedBytes && len(encodings) == 0
	k := socketOf(x.r)
	if x.r.ProtoMajor < 2 || small || k.unfinished == nil {
		return nil
	}
	b.room = network.NewArrival(k.unfinished)
	if err := b.room.Take(x.r.Context(), x.limit, x.server.o.ReadTimeout); err != nil {
		return kerror.NetworkHTTPUnexpectedError.Wrap(err, "other bodies of its connection took too long")
	}
	return nil
}

// errorsPerSecond bounds what net/http may log: anybody can fail a handshake as often as he likes.
const errorsPerSecond = 10

// calm is a handler that lets no more through.
type calm struct {
	slog.Handler
	limit *rate.Limiter
}

func newErrorLog(logger *slog.Logger) slog.Handler {
	return calm{logger.Handler(), rate.NewLimiter(errorsPerSecond, errorsPerSecond)}
}

// Handle drops what is too much.
func (c calm) Handle(ctx context.Context, r slog.Record) error {
	if !c.limit.Allow() {
		return nil
	}
	return c.Handler.Handle(ctx, r)
}
