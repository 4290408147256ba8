package main

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/passwords"
	"github.com/sluicehq/sluice/plugins/sdk/strictjson"
	"github.com/sluicehq/sluice/protocol"
)

const (
	typeJSON = "application/json"
	typeForm = "application/x-www-form-urlencoded"

	maxUserNameChars = 254
	maxPasswordChars = 1024
	maxDeviceIDChars = 256
)

// credentials are what a login presents.
type credentials struct {
	deviceType int64
	instanceID int64
	userName   string // in its normal form
	password   string
	deviceID   string // "" for none given
}

// readCredentials reads a login as far as it goes: with an error, what was read before and beside it.
func readCredentials(r *sdk.Request) (credentials, error) {
	get, err := loginFields(r)
	if err != nil {
		return credentials{}, err
	}
	var c credentials
	var errs [5]error
	c.deviceType, errs[0] = get.integer("deviceType")
	c.instanceID, errs[1] = get.integer("instanceId")
	c.userName, errs[2] = get.text("userName", maxUserNameChars)
	c.userName = normalUserName(c.userName)
	if errs[2] == nil && c.userName == "" {
		errs[2] = invalid("userName")
	}
	if c.password, errs[3] = get.text("password", maxPasswordChars); errs[3] == nil && len(c.password) > passwords.MaxBytes {
		errs[3] = invalid("password")
	}
	if get.has("deviceId") {
		c.deviceID, errs[4] = get.text("deviceId", maxDeviceIDChars)
	}
	for _, err := range errs {
		if err != nil {
			return c, err // the first, in the order of the documentation
		}
	}
	return c, nil
}

// normalUserName is how accounts are found.
func normalUserName(name string) string {
	return strings.ToLower(strings.TrimSpace(norm.NFC.String(name)))
}

// fields are those of a login, from JSON or from a form.
type fields struct {
	json protocol.Args
	form url.Values // nil for JSON
}

func loginFields(r *sdk.Request) (fields, error) {
	if len(r.Body) > maxBodyBytes || len(r.RawBody) > maxBodyBytes {
		return fields{}, refuse(http.StatusRequestEntityTooLarge, errors.New("the body is too large"))
	}
	media, err := mediaType(r.ContentType)
	if err != nil {
		return fields{}, err
	}
	if media != typeForm {
		object, err := bodyOf(r)
		return fields{json: object}, err
	}
	form, err := url.ParseQuery(string(r.RawBody))
	if err != nil {
		return fields{}, unreadable(errors.New("the form cannot be read"))
	}
	for name, values := range form {
		if len(values) > 1 || !utf8.ValidString(name+values[0]) || strings.ContainsRune(name+values[0], 0) {
			return fields{}, unreadable(errors.New("a field of the form is there twice, or is no text"))
		}
	}
	return fields{form: form}, nil
}

// mediaType says what the body is: JSON or a form, in UTF-8. JSON is what says nothing.
func mediaType(header string) (string, error) {
	if header == "" {
		return typeJSON, nil
	}
	media, parameters, err := mime.ParseMediaType(header)
	charset := strings.ToLower(parameters["charset"])
	if err != nil || media != typeJSON && media != typeForm || charset != "" && charset != "utf-8" && charset != "utf8" {
		return "", unreadable(errors.New("the media type is not one of a login"))
	}
	return media, nil
}

func (f fields) has(name string) bool {
	if f.form != nil {
		return f.form.Has(name)
	}
	return f.json.Raw(name) != nil
}

func (f fields) integer(name string) (int64, error) {
	var n int64
	var err error
	if f.form != nil {
		var u uint64
		u, err = strconv.ParseUint(f.form.Get(name), 10, 53)
		n = int64(u)
	} else {
		n, err = strictjson.Integer(f.json, name)
	}
	if err != nil {
		return 0, invalid(name)
	}
	return n, nil
}

// text gives a text of 1 to limit characters.
func (f fields) text(name string, limit int) (string, error) {
	text := f.form.Get(name)
	if f.form == nil {
		var err error
		if text, err = strictjson.Text(f.json, name); err != nil {
			return "", invalid(name)
		}
	}
	if n := utf8.RuneCountInString(text); n < 1 || n > limit {
		return "", invalid(name)
	}
	return text, nil
}
