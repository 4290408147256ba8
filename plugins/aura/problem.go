package main

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/upstream"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// kind is a row of the table of failures.
type kind struct {
	status int
	number uint32 // in envelopes
	code   string
}

// The kinds, by which clients decide what to do: repeat after 429, 503 and 504, see the parameters for 400, a new key or
// state for 401.
var (
	invalidArgument  = kind{http.StatusBadRequest, 1, "INVALID_ARGUMENT"}
	unauthenticated  = kind{http.StatusUnauthorized, 2, "UNAUTHENTICATED"}
	permissionDenied = kind{http.StatusForbidden, 3, "PERMISSION_DENIED"}
	notFound         = kind{http.StatusNotFound, 4, "NOT_FOUND"}
	alreadyExists    = kind{http.StatusConflict, 5, "ALREADY_EXISTS"}
	tooManyRequests  = kind{http.StatusTooManyRequests, 6, "TOO_MANY_REQUESTS"}
	badGateway       = kind{http.StatusBadGateway, 7, "BAD_GATEWAY"}
	unavailable      = kind{http.StatusServiceUnavailable, 8, "UNAVAILABLE"}
	timeout          = kind{http.StatusGatewayTimeout, 9, "TIMEOUT"}
	internalError    = kind{http.StatusInternalServerError, 10, "INTERNAL"}
)

// problem is a failure as clients see it. Its message never repeats what they sent.
type problem struct {
	kind
	message    string
	retryAfter time.Duration
	cause      error // for the log alone
	body       any   // answered over the routes in place of code and message; nil for these
}

// Error implements error.
func (p *problem) Error() string {
	if p.cause != nil {
		return p.message + ": " + p.cause.Error()
	}
	return p.message
}

// Unwrap gives the cause.
func (p *problem) Unwrap() error { return p.cause }

func fail(k kind, message string) *problem { return &problem{kind: k, message: message} }

func invalid(parameter, what string) *problem {
	return fail(invalidArgument, fmt.Sprintf("%s %s", parameter, what))
}

func missing(parameter string) *problem { return invalid(parameter, "is missing") }

var errNoUser = fail(notFound, "there is no such user")

// failedUpstream is a call outside that brought no answer of use.
func failedUpstream(service string, err error) *problem {
	var failed *upstream.Error
	k, retryAfter, message := badGateway, time.Duration(0), service+" gave no usable answer"
	if errors.As(err, &failed) {
		switch failed.Outcome {
		case upstream.Unreachable, upstream.Open, upstream.Cancelled:
			k, retryAfter, message = unavailable, failed.RetryAfter, service+" cannot be reached"
		case upstream.Timeout:
			k, message = timeout, service+" took too long"
		}
	}
	return &problem{kind: k, message: message, retryAfter: retryAfter, cause: err}
}

// refusedUpstream is an answer outside with a status that is of no use. It is never the client's fault.
func refusedUpstream(service string, a upstream.Answer) *problem {
	err := fmt.Errorf("%s answered %d", service, a.Status)
	if a.Status != http.StatusTooManyRequests {
		return &problem{kind: badGateway, message: service + " gave no usable answer", cause: err}
	}
	wait, _ := strconv.Atoi(a.Header.Get("Retry-After")) // a date, or nothing, is no number: then the client chooses
	return &problem{
		kind: unavailable, message: service + " is busy", cause: err,
		retryAfter: time.Duration(min(max(wait, 0), 86400)) * time.Second,
	}
}

// asProblem makes any error one for clients: our own fault, unless it says otherwise.
func asProblem(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	var stored *kerror.Error
	if errors.As(err, &stored) {
		switch {
		case stored.Status == http.StatusGatewayTimeout:
			return &problem{kind: timeout, message: "the storage took too long", cause: err}
		case stored.Status >= http.StatusInternalServerError:
			return &problem{kind: unavailable, message: "the storage cannot be reached", cause: err}
		}
	}
	return &problem{kind: internalError, message: "internal error", cause: err}
}

// body is how a problem is answered over the routes.
type body struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (p *problem) answer(r *sdk.Request) (any, error) {
	if p.retryAfter > 0 {
		r.Reply.SetHeader("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
	var answered any = body{p.code, p.message}
	if p.body != nil {
		answered = p.body
	}
	return answered, sdk.ServiceError(id, p.code, p.number, p.status, p.message)
}

// refusals are the answers to what the node refuses.
func refusals() []sdk.Refusal {
	refusal := func(status, answered int, code string) sdk.Refusal {
		return sdk.Refusal{
			Status: status, AnswerStatus: answered, Body: `{"code":"` + code + `","message":$message}`,
			Header: http.Header{"Cache-Control": {"no-store"}},
		}
	}
	list := []sdk.Refusal{
		refusal(http.StatusUnsupportedMediaType, http.StatusBadRequest, invalidArgument.code),
		refusal(http.StatusMethodNotAllowed, 0, "METHOD_NOT_ALLOWED"),
		refusal(http.StatusRequestEntityTooLarge, 0, "TOO_LARGE"),
		refusal(0, 0, internalError.code),
	}
	for _, k := range []kind{invalidArgument, unauthenticated, permissionDenied, notFound, tooManyRequests, unavailable, timeout} {
		list = append(list, refusal(k.status, 0, k.code))
	}
	return list
}
