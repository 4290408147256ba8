package sdk_test

import (
	"errors"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestReadBody(t *testing.T) {
	type inner struct {
		On    *bool    `json:"on"`
		Names []string `json:"names"`
		Share float64  `json:"share"`
	}
	type body struct {
		Name  string `json:"name"`
		Count int    `json:"count"`
		Inner inner  `json:"inner"`
	}
	for _, c := range []struct{ body, message string }{
		{``, `This action needs a request body.`},
		{`[]`, `Wrong type for argument "body"; expected: object.`},
		{`{"name":5}`, `Wrong type for argument "body.name"; expected: string.`},
		{`{"count":"s3cret"}`, `Wrong type for argument "body.count"; expected: integer.`},
		{`{"count":1.5}`, `Wrong type for argument "body.count"; expected: integer.`},
		{`{"count":99999999999999999999}`, `Wrong type for argument "body.count"; expected: integer.`},
		{`{"inner":[]}`, `Wrong type for argument "body.inner"; expected: object.`},
		{`{"inner":{"on":"s3cret"}}`, `Wrong type for argument "body.inner.on"; expected: boolean.`},
		{`{"inner":{"names":{}}}`, `Wrong type for argument "body.inner.names"; expected: array.`},
		{`{"inner":{"names":["a",{}]}}`, `Wrong type for argument "body.inner.names.1"; expected: string.`},
		{`{"inner":{"share":"s3cret"}}`, `Wrong type for argument "body.inner.share"; expected: number.`},
		{`{"inner":{"odd":"s3cret"}}`, `The argument "body.inner.odd" is not allowed here. Leave it out.`},
		{`{"name":"a","name":"s3cret"}`, `The argument "body" has a value that is not allowed; expected: JSON that names each member once.`},
	} {
		var into body
		r := &sdk.Request{Request: protocol.Request{Body: jsontext.Value(c.body)}}
		if c.body == "" {
			r.Body = nil
		}
		var answered *kerror.Error
		if err := r.ReadBody(&into); !errors.As(err, &answered) || answered.Message != c.message || answered.ID == "" || answered.Status != 400 {
			t.Errorf("%s: %v", c.body, err)
		}
	}
	into := body{Name: "before", Count: 1}
	r := &sdk.Request{Request: protocol.Request{Body: jsontext.Value(`{"count":2,"inner":{"on":true}}`)}}
	if err := r.ReadBody(&into); err != nil || into.Name != "before" || into.Count != 2 || !*into.Inner.On {
		t.Errorf("%+v %v", into, err)
	}
}
