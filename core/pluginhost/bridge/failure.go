package bridge

import (
	"context"
	"errors"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// failure says what a client is told about a call without an answer, and the reason for the metrics.
//
//	what happened                      error                           what the client can do
//	no answer in time                  plugin.runtime.action_timeout   ask whether it had its effect, then repeat
//	the process ended under the call   plugin.runtime.interrupted      the same
//	the request is too large           plugin.runtime.request_too_large send less
//	the answer is too large            plugin.runtime.answer_too_large ask for less
//	anything else                      plugin.runtime.unexpected_error tell the author
func (b *Bridge) failure(ctx context.Context, c call, err error, took time.Duration) (*kerror.Error, string) {
	var known *kerror.Error
	if errors.As(err, &known) {
		return known, reasonOf(err)
	}
	s := status.Convert(err)
	switch s.Code() {
	case codes.DeadlineExceeded:
		return b.late(c, took), "timeout"
	case codes.Canceled, codes.Unavailable:
		if errors.Is(ctx.Err(), context.Canceled) {
			return kerror.APIProcessConnectionDropped.Wrap(err), "cancelled"
		}
		if ctx.Err() != nil {
			return b.late(c, took), "timeout"
		}
		return kerror.PluginRuntimeInterrupted.New(b.Plugin, c.what), "crash"
	case codes.ResourceExhausted:
		return kerror.PluginRuntimeAnswerTooLarge.New(b.Plugin, c.what, strconv.Itoa(b.MaxMessageBytes)), "too_large"
	default:
		return kerror.PluginRuntimeUnexpectedError.Wrap(err, s.Message()), "broken"
	}
}

func (b *Bridge) late(c call, took time.Duration) *kerror.Error {
	ms := strconv.FormatInt(took.Milliseconds(), 10)
	if c.kind == "pipe" {
		return kerror.PluginRuntimePipeTimeout.New(b.Plugin, c.what, ms)
	}
	return kerror.PluginRuntimeActionTimeout.New(b.Plugin, c.what, ms)
}

// reasonOf names the errors of this package.
func reasonOf(err error) string {
	var e *kerror.Error
	if !errors.As(err, &e) {
		return "broken"
	}
	switch {
	case errors.Is(e, kerror.APIProcessOverloaded):
		return "overloaded"
	case e.Class == kerror.SizeLimitError:
		return "too_large"
	default:
		return "down"
	}
}
