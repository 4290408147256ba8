package main

import (
	"errors"
	"net/http"

	"github.com/sluicehq/sluice/plugins/sdk"
)

// outcome is a row of the table of StatusCodes. status is the HTTP status in the mode "mapped".
type outcome struct {
	code, severity, status int
	name                   string
}

// The severities.
const (
	fine           = 1
	faultOfCaller  = 2
	faultOfService = 3
)

// The outcomes. 0, 30, 318 and 320 to 322 are public numbers of the UNIAPI; the others are this plugin's, and can be changed
// by uniapi.statusCodes.
var (
	okay              = outcome{0, fine, http.StatusOK, "OK"}
	internalError     = outcome{1, faultOfService, http.StatusInternalServerError, "InternalError"}
	invalidParameter  = outcome{2, faultOfCaller, http.StatusBadRequest, "InvalidParameter"}
	authRequired      = outcome{30, faultOfCaller, http.StatusUnauthorized, "AuthenticationRequired"}
	invalidUser       = outcome{31, faultOfCaller, http.StatusUnauthorized, "InvalidUserException"}
	notYetActivated   = outcome{32, faultOfCaller, http.StatusForbidden, "UserNotYetActivatedException"}
	userSuspended     = outcome{33, faultOfCaller, http.StatusForbidden, "UserSuspendedException"}
	userExcluded      = outcome{34, faultOfCaller, http.StatusForbidden, "UserExcludedException"}
	roaming           = outcome{35, faultOfCaller, http.StatusForbidden, "UserTryingToRoamingException"}
	deviceUnknown     = outcome{36, faultOfCaller, http.StatusForbidden, "DeviceNotRegisteredException"}
	deviceDisabled    = outcome{37, faultOfCaller, http.StatusForbidden, "DeviceNotEnabledException"}
	tooManyRequests   = outcome{38, faultOfCaller, http.StatusTooManyRequests, "TooManyRequests"}
	invalidInstance   = outcome{39, faultOfCaller, http.StatusBadRequest, "InvalidInstanceException"}
	invalidDeviceType = outcome{40, faultOfCaller, http.StatusBadRequest, "InvalidDeviceTypeException"}
	auraEndpoint      = outcome{318, faultOfService, http.StatusServiceUnavailable, "AuraEndpointNotAvailable"}
	fourthPlatform    = outcome{320, faultOfService, http.StatusServiceUnavailable, "FourthPlatformNotAvailable"}
	userNotFoundIn4P  = outcome{321, faultOfCaller, http.StatusNotFound, "UserNotFoundInFourthPlatform"}
	bearerGeneration  = outcome{322, faultOfService, http.StatusInternalServerError, "AuraBearerGenerationException"}
)

var outcomes = []outcome{
	okay, internalError, invalidParameter, authRequired, invalidUser, notYetActivated, userSuspended, userExcluded, roaming,
	deviceUnknown, deviceDisabled, tooManyRequests, invalidInstance, invalidDeviceType, auraEndpoint, fourthPlatform,
	userNotFoundIn4P, bearerGeneration,
}

// failure is an outcome that ends a request.
type failure struct {
	outcome
	// detail follows the name in the answer: the name of a field.
	detail string
	// refusal is the HTTP status in both modes of a body that is none, 0 for other failures.
	refusal int
	// cause is for the log alone.
	cause error
}

// Error implements error.
func (f failure) Error() string {
	if f.cause != nil {
		return f.name + ": " + f.cause.Error()
	}
	return f.message()
}

// Unwrap gives the cause.
func (f failure) Unwrap() error { return f.cause }

func (f failure) message() string {
	if f.detail != "" {
		return f.name + ": " + f.detail
	}
	return f.name
}

func fail(o outcome) error                   { return failure{outcome: o} }
func failBecause(o outcome, err error) error { return failure{outcome: o, cause: err} }
func invalid(field string) error             { return failure{outcome: invalidParameter, detail: field} }

func unreadable(why error) error {
	return refuse(http.StatusBadRequest, why)
}

func refuse(status int, why error) error {
	return failure{outcome: invalidParameter, detail: "body", refusal: status, cause: why}
}

// asFailure makes any error an outcome: our own fault, unless it is one already.
func asFailure(err error) failure {
	var f failure
	if errors.As(err, &f) {
		return f
	}
	return failure{outcome: internalError, cause: err}
}

// envelope is the answer of every UNIAPI method, its keys in this order.
type envelope struct {
	StatusCode    int
	Severity      int
	StatusMessage string
	Content       any
}

// answers writes outcomes as the operator wants them.
type answers struct {
	mapped bool
	codes  map[string]int
}

func (a answers) number(o outcome) int {
	if n, changed := a.codes[o.name]; changed {
		return n
	}
	return o.code
}

func (a answers) success(content any) envelope {
	return envelope{a.number(okay), okay.severity, okay.name, content}
}

// failed is the answer to a failure. Only routes have an HTTP status of it: in envelopes the code is in the result.
func (a answers) failed(r *sdk.Request, f failure) envelope {
	switch {
	case !overRoute(r):
	case f.refusal != 0:
		r.Reply.Status = f.refusal
	case a.mapped || f.outcome == internalError:
		r.Reply.Status = f.status
	}
	return envelope{a.number(f.outcome), f.severity, f.message(), nil}
}

// overRoute reports whether the request came over one of the plugin's own routes, and not in an envelope.
func overRoute(r *sdk.Request) bool { return r.Args.FromText() }
