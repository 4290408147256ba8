package bridge

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// failure says what a client is told about a call without an answer, and the reason for the metrics.
//
//	what happened                      error                           what the client can do
//	no answer in time                  504                             ask whether it had its effect, then repeat
//	the process ended under the call   503                             the same
//	the request is too large           413                             send less
//	the answer is too large            500, names the setting          ask for less
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
			return kerror.Bare(kerror.ServiceUnavailableError, fmt.Sprintf("The call of the plugin %q was cancelled.", b.Plugin)), "cancelled"
		}
		if ctx.Err() != nil {
			return b.late(c, took), "timeout"
		}
		return kerror.Bare(kerror.ServiceUnavailableError, fmt.Sprintf("The plugin %q ended while it worked on %s; the call may have had its effect.", b.Plugin, c.what)), "crash"
	case codes.ResourceExhausted:
		return kerror.Bare(kerror.PluginImplementationError, fmt.Sprintf("The answer of the plugin %q to %s is larger than %d bytes (setting plugins.maxMessageSize).",
			b.Plugin, c.what, b.MaxMessageBytes)), "too_large"
	default:
		return kerror.PluginRuntimeUnexpectedError.Wrap(err, s.Message()), "broken"
	}
}

func (b *Bridge) late(c call, took time.Duration) *kerror.Error {
	if c.kind == "pipe" {
		return kerror.PluginRuntimePipeTimeout.New(b.Plugin, c.what, strconv.FormatInt(took.Milliseconds(), 10))
	}
	return kerror.Bare(kerror.GatewayTimeoutError, fmt.Sprintf("The plugin %q did not answer %s within %s (setting plugins.callTimeout); the call may have had its effect.",
		b.Plugin, c.what, took.Round(time.Millisecond)))
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
