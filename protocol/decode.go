package protocol

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// ErrNotJSON is the cause of a decoding error when the bytes are no JSON object at all. Each protocol has its own
// catalogue row for that.
var ErrNotJSON = errors.New("not a JSON object")

// DecodeRequest reads a request envelope into r: the reserved keys into its fields, every other key into Args. Values are
// not copied: r refers to data, which must not change afterwards.
//
// Bytes that are no JSON object give an error that wraps ErrNotJSON; a reserved key of the wrong type gives a
// BadRequestError without id, and r then holds what was read before it, requestId included when it could be read.
// Controller and action may be missing: the funnel says so.
func DecodeRequest(data []byte, r *Request) error {
	var wrong error
	err := forEachMember(data, func(name string, value jsontext.Value) error {
		if err := r.setMember(name, value); err != nil && wrong == nil {
			wrong = err
		}
		return nil
	})
	if err != nil {
		return err
	}
	return wrong
}

func (r *Request) setMember(name string, value jsontext.Value) error {
	null := value.Kind() == 'n'
	var text *string
	switch name {
	case "requestId":
		text = &r.RequestID
	case "controller":
		text = &r.Controller
	case "action":
		text = &r.Action
	case "index":
		text = &r.Index
	case "collection":
		text = &r.Collection
	case "_id":
		text = &r.ID
	case "jwt":
		text = &r.Token
	case "body":
		switch {
		case null:
			return nil
		case value.Kind() != '{' && value.Kind() != '[':
			return wrongType(name, "an object or an array")
		}
		r.Body = value
		return nil
	case "volatile":
		switch {
		case null:
			return nil
		case value.Kind() != '{':
			return wrongType(name, "an object")
		}
		r.Volatile = value
		return nil
	default:
		r.Args.list = append(r.Args.list, Arg{name, value})
		return nil
	}
	if null {
		return nil
	}
	s, ok := unquote(value)
	if !ok {
		switch name {
		case "index", "collection", "_id": // arguments, so an argument's error
			return kerror.APIAssertInvalidType.New(name, "string")
		default:
			return wrongType(name, "a string")
		}
	}
	*text = s
	return nil
}

func wrongType(name, expected string) error {
	return kerror.Bare(kerror.BadRequestError, `The key "`+name+`" of a request must be `+expected+`.`)
}

// BodyFields gives the members of the body; api.assert.body_required when there is none, and api.assert.invalid_type when
// it is not an object.
func (r *Request) BodyFields() (Args, error) {
	body, err := r.BodyObject()
	if err != nil {
		return Args{}, err
	}
	return ParseArgs(body, "body.")
}

// OptBodyFields is BodyFields with an absent body read as an empty one.
func (r *Request) OptBodyFields() (Args, error) {
	if r.Body == nil {
		return Args{prefix: "body."}, nil
	}
	return r.BodyFields()
}

// BodyObject gives the body as it came when it is an object; errors as BodyFields.
func (r *Request) BodyObject() (jsontext.Value, error) {
	switch {
	case r.Body == nil:
		return nil, kerror.APIAssertBodyRequired.New()
	case r.Body.Kind() != '{':
		return nil, kerror.APIAssertInvalidType.New("body", "object")
	}
	return r.Body, nil
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

type decoder struct {
	buf bytes.Buffer
	dec jsontext.Decoder
}

// forEachMember calls visit for each member of a JSON object, which must be the only value in data. Duplicate names and
// invalid UTF-8 are refused. The values are slices of data.
func forEachMember(data []byte, visit func(name string, value jsontext.Value) error) error {
	p := decoders.Get().(*decoder)
	defer decoders.Put(p)
	p.buf = *bytes.NewBuffer(data)
	defer func() { p.buf = bytes.Buffer{} }()
	d := &p.dec
	d.Reset(&p.buf)
	if d.PeekKind() != '{' {
		return notJSON(d)
	}
	if _, err := d.ReadToken(); err != nil {
		return notJSON(d)
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadValue()
		if err != nil {
			return notJSON(d)
		}
		key, ok := unquote(name)
		if !ok {
			return notJSON(d)
		}
		value, err := d.ReadValue()
		if err != nil {
			return errors.Join(ErrNotJSON, err)
		}
		end := d.InputOffset()
		if err := visit(key, data[end-int64(len(value)):end:end]); err != nil {
			return err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return errors.Join(ErrNotJSON, err)
	}
	if _, err := d.ReadToken(); err != io.EOF { //nolint:errorlint // the decoder gives it bare
		return errors.Join(ErrNotJSON, errors.New("something follows the object"))
	}
	return nil
}

// notJSON says why the next token of d cannot be read.
func notJSON(d *jsontext.Decoder) error {
	if _, err := d.ReadToken(); err != nil {
		return errors.Join(ErrNotJSON, err)
	}
	return ErrNotJSON
}
