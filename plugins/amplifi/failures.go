package main

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/passwords"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// failure is an answer of the service that is no success. Values of the request never stand in it.
type failure struct {
	status int
	code   string
	// number is the code in envelopes.
	number  uint32
	message string
	// wait is how long the client should, 0 when that does not help.
	wait time.Duration
}

// Error implements error.
func (f *failure) Error() string { return f.code + ": " + f.message }

// The failures, with what a client should do.
var (
	// Correct the request.
	errInvalidJSON     = &failure{status: http.StatusBadRequest, code: "invalidJson", number: 1, message: "The body must be one JSON object."}
	errMissingField    = &failure{status: http.StatusBadRequest, code: "missingField", number: 2}
	errInvalidField    = &failure{status: http.StatusBadRequest, code: "invalidField", number: 3}
	errInvalidChannel  = &failure{status: http.StatusBadRequest, code: "invalidChannel", number: 4, message: "There is no such channel."}
	errPayloadTooLarge = &failure{status: http.StatusRequestEntityTooLarge, code: "payloadTooLarge", number: 5, message: "The body is too large."}
	// Ask the user for other credentials. One for everything, so that it tells nobody who exists.
	errInvalidCredentials = &failure{status: http.StatusUnauthorized, code: "invalidCredentials", number: 6, message: "The credentials are not valid."}
	// Log in anew.
	errInvalidToken = &failure{status: http.StatusUnauthorized, code: "invalidToken", number: 7, message: "The token is not valid."}
	// Give up.
	errChannelDisabled = &failure{status: http.StatusForbidden, code: "channelDisabled", number: 8, message: "The channel is not available to you."}
	errUserDisabled    = &failure{status: http.StatusForbidden, code: "userDisabled", number: 9, message: "The user may not log in."}
	// Wait and try again.
	errTooManyAttempts    = &failure{status: http.StatusTooManyRequests, code: "tooManyAttempts", number: 10, message: "There were too many attempts; try again later."}
	errServiceUnavailable = &failure{status: http.StatusServiceUnavailable, code: "serviceUnavailable", number: 11, message: "The service is not available; try again later.", wait: time.Second}
	// Report it.
	errInternal = &failure{status: http.StatusInternalServerError, code: "internalError", number: 12, message: "Something went wrong."}
)

// saying is the failure with another message.
func (f *failure) saying(message string) *failure {
	other := *f
	other.message = message
	return &other
}

// after is the failure with a time to wait.
func (f *failure) after(wait time.Duration) *failure {
	other := *f
	other.wait = wait
	return &other
}

// failureBody is how a failure looks on the wire.
type failureBody struct {
	Success   bool   `json:"success"`
	ErrorCode string `json:"errorCode"`
	Message   string `json:"message"`
}

// asFailure gives what the client is told of err. known is false for what its author did not mean for clients.
func asFailure(err error) (f *failure, known bool) {
	if errors.As(err, &f) {
		return f, true
	}
	var answered *kerror.Error
	switch {
	case errors.Is(err, passwords.ErrBusy):
		return errServiceUnavailable, true
	case errors.As(err, &answered), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return errServiceUnavailable, false // whatever the store has, it is not the request's fault
	default:
		return errInternal, false
	}
}

// answer makes err what a handler gives back.
func (f *failure) answer(r *sdk.Request) (any, error) {
	if f.wait > 0 {
		r.Reply.SetHeader("Retry-After", strconv.Itoa(int(math.Ceil(f.wait.Seconds()))))
	}
	return failureBody{false, f.code, f.message}, sdk.ServiceError(id, f.code, f.number, f.status, f.message)
}

// refusals are what the node answers in the service's name.
func refusals() []sdk.Refusal {
	refusal := func(status int, code, message string) sdk.Refusal {
		return sdk.Refusal{
			Status: status,
			Body:   `{"success":false,"errorCode":"` + code + `","message":"` + message + `"}`,
			Header: http.Header{"Cache-Control": {"no-store"}},
		}
	}
	of := func(f *failure) sdk.Refusal { return refusal(f.status, f.code, f.message) }
	contentType := refusal(http.StatusUnsupportedMediaType, errInvalidJSON.code, "The content type must be application/json.")
	contentType.AnswerStatus = http.StatusBadRequest
	late := of(errServiceUnavailable)
	late.Status, late.AnswerStatus = http.StatusGatewayTimeout, http.StatusServiceUnavailable
	rest := of(errInternal)
	rest.Status = 0
	forbidden := refusal(http.StatusForbidden, "forbidden", "")
	forbidden.Body = `{"success":false,"errorCode":"forbidden","message":$message}` // names the setting that lets an origin in
	return []sdk.Refusal{
		of(errInvalidJSON), contentType, of(errPayloadTooLarge), of(errTooManyAttempts), of(errServiceUnavailable), late, rest, forbidden,
		refusal(http.StatusNotFound, "notFound", "There is nothing here."),
		refusal(http.StatusMethodNotAllowed, "methodNotAllowed", "The method is not allowed here."),
	}
}
