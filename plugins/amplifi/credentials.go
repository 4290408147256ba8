package main

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/strictjson"
	"github.com/sluicehq/sluice/protocol"
)

const maxBodyBytes = 64 << 10

// Bounds of what no schema names: deviceData, specifics and unknown members.
const (
	maxExtraBytes = 16 << 10
	maxExtraDepth = 8
)

// credentials are what a client sends for a token. The members of its channel's schema are there and well-formed.
type credentials struct {
	channel string
	fields  map[string]string
	// deviceData is a JSON object, nil for none.
	deviceData jsontext.Value
}

// time is dtsValueString; ok is false when there is none.
func (c *credentials) time() (t time.Time, ok bool) {
	text, ok := c.fields[dts.name]
	if !ok {
		return t, false
	}
	t, err := time.Parse(time.RFC3339, text)
	return t, err == nil
}

// readCredentials reads the body. Errors name fields, never values.
func (s *settings) readCredentials(r *sdk.Request) (*credentials, error) {
	body := r.RawBody
	if body == nil { // an envelope
		body = r.Body
	}
	members, err := strictjson.Standard.Object(body)
	switch {
	case errors.Is(err, strictjson.ErrTooLarge):
		return nil, errPayloadTooLarge
	case err != nil:
		return nil, errInvalidJSON
	}
	c := &credentials{}
	schema, err := c.readChannel(members)
	if err != nil {
		return nil, err
	}
	if err := c.readFields(members, schema, s); err != nil {
		return nil, err
	}
	return c, c.readExtras(members, schema)
}

func (c *credentials) readChannel(members protocol.Args) ([]field, error) {
	var err error
	switch c.channel, err = strictjson.Text(members, "channel"); {
	case errors.Is(err, strictjson.ErrMissing):
		return nil, missingFields("channel")
	case err != nil:
		return nil, invalidFields("channel")
	}
	schema, known := schemas[c.channel]
	if !known {
		return nil, errInvalidChannel
	}
	return schema, nil
}

func (c *credentials) readFields(members protocol.Args, schema []field, s *settings) error {
	c.fields = make(map[string]string, len(schema))
	var missing, invalid []string
	for _, f := range schema {
		text, err := strictjson.Text(members, f.name)
		switch {
		case errors.Is(err, strictjson.ErrMissing):
			if !f.optional && !s.lacks(c.channel, f.name) {
				missing = append(missing, f.name)
			}
		case err != nil || !f.check(s, text):
			invalid = append(invalid, f.name)
		default:
			c.fields[f.name] = text
		}
	}
	switch {
	case missing != nil:
		return missingFields(missing...)
	case invalid != nil:
		return invalidFields(invalid...)
	}
	return nil
}

// lacks reports whether the operator lets clients leave out what the schema demands.
func (s *settings) lacks(channel, name string) bool {
	return channel == "android" && name == "signature" && !s.Android.RequireSignature
}

func (c *credentials) readExtras(members protocol.Args, schema []field) error {
	var invalid []string
	for _, m := range members.All() {
		if m.Name == "channel" || slices.ContainsFunc(schema, func(f field) bool { return f.name == m.Name }) {
			continue
		}
		isObject := m.Name != "deviceData" || m.Value.Kind() == '{' || m.Value.Kind() == 'n'
		if len(m.Value) > maxExtraBytes || depth(m.Value) > maxExtraDepth || !isObject {
			invalid = append(invalid, m.Name)
		}
	}
	if invalid != nil {
		return invalidFields(invalid...)
	}
	c.deviceData = members.Raw("deviceData")
	return nil
}

// depth is how deep objects and arrays stand in each other in a valid value.
func depth(v jsontext.Value) (deepest int) {
	d := jsontext.NewDecoder(bytes.NewReader(v))
	for {
		if _, err := d.ReadToken(); err != nil { // its end
			return deepest
		}
		deepest = max(deepest, d.StackDepth())
	}
}

func missingFields(names ...string) error {
	return errMissingField.saying("Missing: " + strings.Join(names, ", ") + ".")
}

// invalidFields names those that clients may know; others may be anything.
func invalidFields(names ...string) error {
	for i, name := range names {
		if !slices.Contains(knownNames, name) {
			names[i] = "an unknown field"
		}
	}
	return errInvalidField.saying("Not valid: " + strings.Join(names, ", ") + ".")
}

var knownNames = func() []string {
	names := []string{"channel", "deviceData", "specifics"}
	for _, schema := range schemas {
		for _, f := range schema {
			names = append(names, f.name)
		}
	}
	return names
}()
