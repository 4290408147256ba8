package httpserver

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/protocol/kerror"
)

const (
	typeJSON      = "application/json"
	typeForm      = "application/x-www-form-urlencoded"
	typeMultipart = "multipart/form-data"
)

// v1BodyText is what Kuzzle 1 says of a body that is no JSON.
const v1BodyText = "Unable to convert HTTP body to JSON"

// readBody reads the body into the request, as the action wants it. Its headers are checked even when it is empty.
func (x *exchange) readBody(a *router.Action) error {
	var media string
	if !a.RawBody || len(a.ContentTypes) > 0 {
		var err error
		if media, err = x.mediaType(a.ContentTypes); err != nil {
			return err
		}
	}
	reader, err := x.openBody()
	if err != nil {
		return err
	}
	if reader == nil {
		return nil
	}
	defer reader.close()
	if a.RawBody {
		return x.readRaw(reader)
	}
	return x.parseBody(reader, media)
}

// readRaw leaves the body as it is.
func (x *exchange) readRaw(reader *bodyReader) error {
	data, err := readAll(reader, x.r.ContentLength)
	if err != nil {
		return bodyError(err)
	}
	x.req.RawBody = data
	if types := x.r.Header["Content-Type"]; len(types) > 0 {
		x.req.ContentType = types[0]
	}
	return nil
}

func (x *exchange) parseBody(reader *bodyReader, media string) error {
	var body jsontext.Value
	var err error
	switch media {
	case typeForm:
		body, err = x.readURLEncoded(reader)
	case typeMultipart:
		body, err = x.readMultipart(reader)
	default:
		if body, err = x.parseJSON(reader); err == nil && body != nil && body.Kind() != '{' && body.Kind() != '[' {
			return kerror.APIAssertInvalidType.New("body", "object or array")
		}
	}
	if err != nil {
		return bodyError(err)
	}
	x.req.Body = body
	return nil
}

// readJSON reads the body, which must not be a form; nil when it is empty or null.
func (x *exchange) readJSON() (jsontext.Value, error) {
	media, err := x.mediaType(nil)
	switch {
	case err != nil:
		return nil, err
	case media == typeForm || media == typeMultipart:
		return nil, kerror.NetworkHTTPUnsupportedContent.New(media)
	}
	reader, err := x.openBody()
	if err != nil || reader == nil {
		return nil, err
	}
	defer reader.close()
	body, err := x.parseJSON(reader)
	return body, bodyError(err)
}

// mediaType checks the header Content-Type. accepted are all that may be, nil for those of the API.
func (x *exchange) mediaType(accepted []string) (string, error) {
	media, parameters := typeJSON, ""
	if values := x.r.Header["Content-Type"]; len(values) > 0 && values[0] != "" && values[0] != typeJSON {
		media, parameters, _ = strings.Cut(values[0], ";")
		media = strings.ToLower(strings.TrimSpace(media))
	}
	if !x.accepts(media, accepted) {
		return "", x.unsupported(media)
	}
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "charset") {
			continue
		}
		charset := strings.ToLower(strings.Trim(strings.TrimSpace(value), `"`))
		if charset != "utf-8" && charset != "utf8" {
			return "", kerror.NetworkHTTPUnsupportedCharset.New(charset)
		}
	}
	return media, nil
}

func (x *exchange) accepts(media string, accepted []string) bool {
	if len(accepted) > 0 {
		return slices.Contains(accepted, media)
	}
	switch media {
	case typeJSON, typeForm, typeMultipart:
		return true
	}
	return slices.Contains(x.server.o.AdditionalContentTypes, media)
}

// parseJSON reads one JSON value, strictly: no duplicate names, no invalid UTF-8, not deeper than network.MaxDepth.
func (x *exchange) parseJSON(reader *bodyReader) (jsontext.Value, error) {
	data, err := readAll(reader, x.r.ContentLength)
	if err != nil {
		return nil, err
	}
	value := jsontext.Value(data)
	switch kind := value.Kind(); {
	case kind == 0 && len(strings.TrimLeft(string(data), " \t\r\n")) == 0:
		return nil, nil
	case network.TooDeep(value):
		return nil, bodyParseFailed(value, errors.New("it is nested too deep"))
	case !value.IsValid():
		return nil, invalidBody(value)
	case kind == 'n':
		return nil, nil
	}
	return value, nil
}

// readAll reads all of r. expected, the length that the client declared, decides about the first buffer only as far as
// it costs little: who declares much and sends nothing gets no memory for it.
func readAll(r io.Reader, expected int64) ([]byte, error) {
	if expected < 0 {
		expected = 512
	}
	data := make([]byte, 0, min(expected, 16<<10)+1)
	for {
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, err
		case len(data) == cap(data):
			data = slices.Grow(data, len(data))
		}
	}
}

// maxPath is how many bytes an error shows of where a key stands.
const maxPath = 256

// invalidBody names a key that is there twice, which the beginning of a body may not show.
func invalidBody(body jsontext.Value) error {
	_, err := jsontext.NewDecoder(bytes.NewReader(body)).ReadValue()
	if found, ok := errors.AsType[*jsontext.SyntacticError](err); ok && errors.Is(err, jsontext.ErrDuplicateName) {
		path := strings.TrimPrefix(string(found.JSONPointer), "/")
		path = path[:min(len(path), maxPath)]
		return kerror.NetworkHTTPBodyParseFailed.Wrap(err, "the key "+strconv.Quote(path)+" is there twice").WithV1(v1BodyText)
	}
	return bodyParseFailed(body, err)
}

// bodyParseFailed names the first 50 characters of the body.
func bodyParseFailed(body []byte, cause error) error {
	text := strings.ToValidUTF8(string(body[:min(len(body), 50*utf8.UTFMax)]), "\ufffd")
	if runes := []rune(text); len(runes) > 50 {
		text = string(runes[:50])
	}
	return kerror.NetworkHTTPBodyParseFailed.Wrap(cause, text).WithV1(v1BodyText)
}

// bodyError turns a failure to read the body into what the client is told.
func bodyError(err error) error {
	var known *kerror.Error
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.As(err, &tooLarge) || errors.Is(err, errInflatedTooLarge):
		return kerror.NetworkHTTPRequestTooLarge.Wrap(err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return kerror.NetworkHTTPUnexpectedError.Wrap(err, "the body did not arrive in time")
	default:
		return kerror.NetworkHTTPUnexpectedError.Wrap(err, "the body cannot be read")
	}
}
