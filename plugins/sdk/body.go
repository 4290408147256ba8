package sdk

import (
	"errors"
	"reflect"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// ReadBody reads the body, an object, over what into points to. What does not fit is an error for clients that names the
// member and shows nothing of its value: api.assert.body_required; api.assert.forbidden_argument of a member that into does
// not have; api.assert.invalid_type of one that does not fit; api.assert.invalid_argument of a body that names one twice.
func (r *Request) ReadBody(into any) error {
	body, err := r.BodyObject()
	if err != nil {
		return err
	}
	err = json.Unmarshal(body, into, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	var wrong *json.SemanticError
	if !errors.As(err, &wrong) {
		return kerror.APIAssertInvalidArgument.New("body", "JSON that names each member once")
	}
	member := "body"
	for token := range wrong.JSONPointer.Tokens() {
		member += "." + token
	}
	if errors.Is(err, json.ErrUnknownName) {
		return kerror.APIAssertForbiddenArgument.New(member)
	}
	return kerror.APIAssertInvalidType.New(member, expectedOf(wrong.GoType))
}

// expectedOf is what JSON calls values of a type.
func expectedOf(t reflect.Type) string {
	if t == nil {
		return "another type"
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "integer"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Pointer:
		return expectedOf(t.Elem())
	}
	return "another type"
}
