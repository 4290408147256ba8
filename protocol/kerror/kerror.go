// Package kerror holds the error catalogue of the Kuzzle v2 API as data, and the error value that crosses the wire.
//
// errors.tsv is the catalogue; catalogue_gen.go is generated from it (go generate) and gives one Def per row. Code that
// fails for a reason a client should know answers with such a Def:
//
//	return nil, kerror.APIAssertMissingArgument.New("body.email")
//
// and callers recognise it with errors.Is(err, kerror.APIAssertMissingArgument), never by its text. Every other error is
// internal: the funnel logs it and answers core.fatal.unexpected_error.
//
// Anyone may import this package; it imports the standard library only.
package kerror

import (
	"strings"
	"unicode/utf8"
)

//go:generate go run ./gen

// Class is the family of an error; it decides the HTTP status. The names are those of the Kuzzle API.
type Class string

// The classes of the catalogue.
const (
	BadRequestError           Class = "BadRequestError"
	UnauthorizedError         Class = "UnauthorizedError"
	ForbiddenError            Class = "ForbiddenError"
	NotFoundError             Class = "NotFoundError"
	PreconditionError         Class = "PreconditionError"
	SizeLimitError            Class = "SizeLimitError"
	TooManyRequestsError      Class = "TooManyRequestsError"
	InternalError             Class = "InternalError"
	ExternalServiceError      Class = "ExternalServiceError"
	PluginImplementationError Class = "PluginImplementationError"
	ServiceUnavailableError   Class = "ServiceUnavailableError"
	GatewayTimeoutError       Class = "GatewayTimeoutError"
	PartialError              Class = "PartialError"
	MultipleErrorsError       Class = "MultipleErrorsError"
)

// Status is the HTTP status that goes with the class, 500 for a class the catalogue does not know.
func (c Class) Status() int {
	switch c {
	case BadRequestError, MultipleErrorsError:
		return 400
	case UnauthorizedError:
		return 401
	case ForbiddenError:
		return 403
	case NotFoundError:
		return 404
	case PreconditionError:
		return 412
	case SizeLimitError:
		return 413
	case TooManyRequestsError:
		return 429
	case ServiceUnavailableError:
		return 503
	case GatewayTimeoutError:
		return 504
	case PartialError:
		return 206
	default:
		return 500
	}
}

// Def is one row of the catalogue. It is an error itself, so that it can be the target of errors.Is.
type Def struct {
	// ID is what clients react to, such as "security.token.invalid".
	ID string
	// Code is domain<<24 | subdomain<<16 | number.
	Code uint32
	// Class decides the status.
	Class Class
	// Message is the text for people; {0}, {1} stand for the props.
	Message string
}

func (d *Def) Error() string { return d.ID }

// New makes the error with its placeholder values, which also travel as props, in order and whole. A placeholder without a value stays
// as it is; a value is never searched for placeholders.
func (d *Def) New(props ...string) *Error {
	return &Error{ID: d.ID, Code: d.Code, Class: d.Class, Status: d.Class.Status(), Message: fill(d.Message, props), Props: props}
}

// maxProp is how many bytes of a value a message shows. Clients choose many of them, and repeat them as they like.
const maxProp = 512

// fill puts props in the place of {0}, {1}, as far as maxProp goes. An empty value at the end, such as a hint there was none
// for, takes the space before it along, and a value that is a sentence brings its full stop.
func fill(message string, props []string) string {
	if len(props) == 0 {
		return message
	}
	var b strings.Builder
	for {
		open := strings.IndexByte(message, '{')
		if open < 0 || len(message) < open+3 {
			break
		}
		b.WriteString(message[:open])
		if i := int(message[open+1]) - int('0'); message[open+2] == '}' && i >= 0 && i <= 9 && i < len(props) {
			shown := shorten(props[i])
			if strings.HasPrefix(message[open+3:], ".") {
				shown = strings.TrimSuffix(shown, ".")
			}
			b.WriteString(shown)
		} else {
			b.WriteString(message[open : open+3])
		}
		message = message[open+3:]
	}
	b.WriteString(message)
	return strings.TrimRight(b.String(), " ")
}

func shorten(text string) string {
	if len(text) <= maxProp {
		return text
	}
	end := maxProp
	for end > maxProp-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// Wrap is New with the cause kept for errors.Is, errors.As and the log; the cause is never sent to a client.
func (d *Def) Wrap(cause error, props ...string) *Error {
	e := d.New(props...)
	e.cause = cause
	return e
}

// Error is an error that a client sees.
type Error struct {
	ID      string
	Code    uint32
	Class   Class
	Status  int
	Message string
	Props   []string
	// Errors lists the single failures of a multi error; its length is sent as count.
	Errors []any
	// More are further members of the error, under other names than those that every error has; the v1 profile leaves them out.
	More map[string]string
	// V1 is the text of the kuzzle-v1 wire profile where it differs from Message.
	V1 string

	cause error
}

// Bare is an error without id and code, as the API gives it for violations of the envelope's own types and for refusals
// by strategies.
func Bare(class Class, message string) *Error {
	return &Error{Class: class, Status: class.Status(), Message: message}
}

func (e *Error) Error() string { return e.Message }

// Unwrap gives the cause, nil when there is none.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is the catalogue row this error was made from.
func (e *Error) Is(target error) bool {
	d, ok := target.(*Def)
	return ok && e.ID != "" && d.ID == e.ID
}

// WithV1 sets the text of the kuzzle-v1 profile and returns e.
func (e *Error) WithV1(message string) *Error {
	e.V1 = message
	return e
}

// WithErrors sets the single failures of a multi error and returns e.
func (e *Error) WithErrors(errs []any) *Error {
	e.Errors = errs
	return e
}

// With adds a further member and returns e.
func (e *Error) With(name, value string) *Error {
	if e.More == nil {
		e.More = make(map[string]string, 1)
	}
	e.More[name] = value
	return e
}

// Lookup finds a catalogue row by its id, nil when there is none.
func Lookup(id string) *Def { return byID[id] }

// All gives every row of the catalogue in its order. The slice is the caller's.
func All() []*Def { return append([]*Def(nil), catalogue...) }

var byID = func() map[string]*Def {
	m := make(map[string]*Def, len(catalogue))
	for _, d := range catalogue {
		m[d.ID] = d
	}
	return m
}()
