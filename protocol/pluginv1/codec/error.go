package codec

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
)

// FromError makes the message for e, nil for nil. Its cause stays behind.
func FromError(e *kerror.Error) *pluginv1.Error {
	if e == nil {
		return nil
	}
	m := &pluginv1.Error{
		Id: e.ID, Code: e.Code, Class: string(e.Class), Status: int32(e.Status), //nolint:gosec // an HTTP status
		Message: e.Message, Props: e.Props, V1: e.V1,
	}
	if e.Errors != nil {
		if list, err := json.Marshal(e.Errors); err == nil { // what does not encode could not be sent to a client either
			m.Errors = list
		}
	}
	return m
}

// ToError reads an error, nil for nil. A status that is no HTTP error becomes the one of the class.
func ToError(m *pluginv1.Error) *kerror.Error {
	if m == nil {
		return nil
	}
	e := &kerror.Error{
		ID: m.GetId(), Code: m.GetCode(), Class: kerror.Class(m.GetClass()), Status: int(m.GetStatus()),
		Message: m.GetMessage(), Props: m.GetProps(), V1: m.GetV1(),
	}
	if e.Class == "" {
		e.Class = kerror.PluginImplementationError
	}
	if e.Status < 200 || e.Status > 599 {
		e.Status = e.Class.Status()
	}
	if len(m.GetErrors()) > 0 {
		var list []jsontext.Value // as it came: numbers keep their digits
		if err := json.Unmarshal(m.GetErrors(), &list); err == nil {
			for _, x := range list {
				e.Errors = append(e.Errors, x)
			}
		}
	}
	return e
}
