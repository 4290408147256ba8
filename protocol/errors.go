package protocol

import (
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
)

// appendError writes the error object of the kuzzle-v2 profile.
func (a *Response) appendError(dst []byte) []byte {
	e := a.Error
	dst = append(dst, '{')
	if e.ID != "" {
		dst = appendText(append(dst, `"id":`...), e.ID)
		dst = strconv.AppendUint(append(dst, `,"code":`...), uint64(e.Code), 10)
		dst = append(dst, ',')
	}
	dst = appendText(append(dst, `"message":`...), e.Message)
	dst = strconv.AppendInt(append(dst, `,"status":`...), int64(e.Status), 10)
	if e.ID != "" {
		dst = append(dst, `,"props":[`...)
		for i, p := range e.Props {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendText(dst, p)
		}
		dst = append(dst, ']')
	}
	if a.Dev {
		dst = appendText(append(dst, `,"stack":`...), a.stack(e.Message, true))
	}
	if e.Errors != nil {
		if list, err := json.Marshal(e.Errors); err == nil {
			dst = strconv.AppendInt(append(dst, `,"count":`...), int64(len(e.Errors)), 10)
			dst = append(append(dst, `,"errors":`...), list...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.More)) {
		dst = appendText(append(dst, ','), name)
		dst = appendText(append(dst, ':'), e.More[name])
	}
	return append(dst, '}')
}

// appendErrorV1 writes message, status and stack. The stack is always there and, outside development mode, is one line
// that names neither file nor line.
func (a *Response) appendErrorV1(dst []byte) []byte {
	e := a.Error
	message := e.Message
	if e.V1 != "" {
		message = e.V1
	}
	dst = appendText(append(dst, `{"message":`...), message)
	dst = strconv.AppendInt(append(dst, `,"status":`...), int64(e.Status), 10)
	dst = appendText(append(dst, `,"stack":`...), a.stack(message, a.Dev))
	return append(dst, '}')
}

// stack is `Class: message`, in development mode followed by the causes that led there.
func (a *Response) stack(message string, causes bool) string {
	text := string(a.Error.Class) + ": " + message
	if causes {
		if cause := a.Error.Unwrap(); cause != nil {
			text += "\n    caused by: " + cause.Error()
		}
	}
	return text
}
