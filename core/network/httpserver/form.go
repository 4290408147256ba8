package httpserver

import (
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// form collects the fields of a form, whose names are valid UTF-8; a field given several times becomes an array.
type form struct {
	names  []string
	values map[string][]jsontext.Value
	fields int
}

func (f *form) add(name string, value jsontext.Value) error {
	if f.fields++; f.fields > maxParameters {
		return kerror.NetworkHTTPUnexpectedError.New("too many fields")
	}
	if f.values == nil {
		f.values = map[string][]jsontext.Value{}
	}
	if f.values[name] == nil {
		f.names = append(f.names, name)
	}
	f.values[name] = append(f.values[name], value)
	return nil
}

// json gives the form as an object.
func (f *form) json() jsontext.Value {
	out := []byte{'{'}
	for i, name := range f.names {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendText(out, name), ':')
		values := f.values[name]
		if len(values) == 1 {
			out = append(out, values[0]...)
			continue
		}
		out = append(out, '[')
		for j, v := range values {
			if j > 0 {
				out = append(out, ',')
			}
			out = append(out, v...)
		}
		out = append(out, ']')
	}
	return append(out, '}')
}

func (x *exchange) readURLEncoded(reader *bodyReader) (jsontext.Value, error) {
	data, err := readAll(reader, x.r.ContentLength)
	if err != nil {
		return nil, err
	}
	pairs, err := parsePairs(nil, string(data))
	if err != nil {
		return nil, err
	}
	var f form
	for _, p := range pairs {
		if err := f.add(p.name, appendText(nil, p.value)); err != nil {
			return nil, err
		}
	}
	return f.json(), nil
}

// readMultipart reads fields as texts and files as {encoding, file, filename}, file in base64.
func (x *exchange) readMultipart(reader *bodyReader) (jsontext.Value, error) {
	_, parameters, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if err != nil || parameters["boundary"] == "" {
		return nil, kerror.NetworkHTTPUnexpectedError.Wrap(err, "the form has no boundary")
	}
	var f form
	parts := multipart.NewReader(reader, parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		switch {
		case errors.Is(err, io.EOF):
			return f.json(), nil
		case err != nil:
			return nil, err
		}
		value, err := x.readPart(part)
		if err != nil {
			return nil, err
		}
		if err := f.add(validText(part.FormName()), value); err != nil {
			return nil, err
		}
	}
}

func (x *exchange) readPart(part *multipart.Part) (jsontext.Value, error) {
	data, err := readAll(io.LimitReader(part, x.server.o.MaxFormFileBytes+1), -1)
	if err != nil {
		return nil, err
	}
	if part.FileName() == "" {
		return appendText(nil, string(data)), nil
	}
	if int64(len(data)) > x.server.o.MaxFormFileBytes {
		return nil, kerror.NetworkHTTPFileTooLarge.New()
	}
	out := appendText([]byte(`{"encoding":`), part.Header.Get("Content-Type"))
	out = append(out, `,"file":"`...)
	out = base64.StdEncoding.AppendEncode(out, data)
	out = appendText(append(out, `","filename":`...), part.FileName())
	return append(out, '}'), nil
}

// appendText writes s as a JSON text; invalid UTF-8 is replaced.
func appendText(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s) // the text is written all the same
	return dst
}
