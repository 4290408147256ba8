package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// wantErr fails the test unless err was made from def; a nil def wants no error.
func wantErr(t *testing.T, what string, err error, def *kerror.Def) {
	t.Helper()
	if def == nil && err != nil {
		t.Errorf("%s: %v, want no error", what, err)
	}
	if def != nil && !errors.Is(err, def) {
		t.Errorf("%s: %v (%s), want %s", what, err, errorID(err), def.ID)
	}
}

// errorID names an error for comparison: its catalogue id, "" for none.
func errorID(err error) string {
	if e, ok := errors.AsType[*kerror.Error](err); ok {
		return e.ID
	}
	if err != nil {
		return "no catalogue error: " + err.Error()
	}
	return ""
}

func wantDocument(t *testing.T, what string, got storage.Document, id string, version int64, source string) {
	t.Helper()
	if got.ID != id || got.Version != version || !sameJSON(got.Source, jsontext.Value(source)) {
		t.Errorf("%s gave %q version %d %s, want %q version %d %s", what, got.ID, got.Version, got.Source, id, version, source)
	}
}

// sameJSON compares two values without regard to order of members and white space; numbers must be spelt alike, since that
// is how a lost digit shows.
func sameJSON(a, b jsontext.Value) bool {
	x, errX := canonical(a)
	y, errY := canonical(b)
	return errX == nil && errY == nil && x == y
}

func canonical(v jsontext.Value) (string, error) {
	if !v.IsValid() {
		return "", fmt.Errorf("not valid JSON: %s", v)
	}
	switch v.Kind() {
	case '{':
		m, err := membersOf(v)
		var parts []string
		for name, value := range m {
			text, err := canonical(value)
			if err != nil {
				return "", err
			}
			parts = append(parts, fmt.Sprintf("%q:%s", name, text))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ",") + "}", err
	case '[':
		list, err := elementsOf(v)
		var parts []string
		for _, e := range list {
			text, err := canonical(e)
			if err != nil {
				return "", err
			}
			parts = append(parts, text)
		}
		return "[" + strings.Join(parts, ",") + "]", err
	case '"':
		plain, err := jsontext.AppendUnquote(nil, v)
		return fmt.Sprintf("%q", plain), err
	}
	return strings.TrimSpace(string(v)), nil
}

func membersOf(v jsontext.Value) (map[string]jsontext.Value, error) {
	m := map[string]jsontext.Value{}
	d := jsontext.NewDecoder(bytes.NewReader(v))
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		m[key] = value.Clone()
	}
	return m, nil
}

func elementsOf(v jsontext.Value) ([]jsontext.Value, error) {
	var list []jsontext.Value
	d := jsontext.NewDecoder(bytes.NewReader(v))
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	for d.PeekKind() != ']' {
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		list = append(list, value.Clone())
	}
	return list, nil
}
