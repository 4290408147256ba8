package validation

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// maxFailures is how many failures of one document are told.
const maxFailures = 100

// Outcome is what is wrong with a document; the zero value is a document that fits. As JSON it is the errorMessages of the
// API: {documentScope?: [text], fieldScope?: {children: {<name>: {messages?: [text], children?}}}}.
type Outcome struct {
	// Document tells what is wrong with the whole of it.
	Document []string
	// Fields tells what is wrong with single fields, at most 100 of them.
	Fields []FieldFailure
}

// FieldFailure is what is wrong with one field.
type FieldFailure struct {
	// Path are the names that lead to the field. Items of an array have the path of the array.
	Path []string
	// Reason reads well after the name of the field: "must be an integer".
	Reason string
}

// Valid reports whether the document fits.
func (o Outcome) Valid() bool { return len(o.Document) == 0 && len(o.Fields) == 0 }

// Err is the error of a write: nil when the document fits, validation.check.failed_field for the first field that does
// not, else validation.check.failed_document.
func (o Outcome) Err() error {
	switch {
	case len(o.Fields) > 0:
		return kerror.ValidationCheckFailedField.New(strings.Join(o.Fields[0].Path, "."), o.Fields[0].Reason)
	case len(o.Document) > 0:
		return kerror.ValidationCheckFailedDocument.New(o.Document[0])
	}
	return nil
}

// Answer is an outcome as actions that only try answer it.
type Answer struct {
	Valid    bool    `json:"valid"`
	Messages Outcome `json:"errorMessages"`
}

// Answer gives the answer to somebody who only asked.
func (o Outcome) Answer() Answer { return Answer{o.Valid(), o} }

// messages is the form of the API.
type messages struct {
	Document []string `json:"documentScope,omitempty"`
	Field    *told    `json:"fieldScope,omitempty"`
}

type told struct {
	Children map[string]*told `json:"children,omitempty"`
	Messages []string         `json:"messages,omitempty"`
}

// MarshalJSONTo writes the errorMessages of the API.
func (o Outcome) MarshalJSONTo(to *jsontext.Encoder) error {
	m := messages{Document: o.Document}
	for _, failure := range o.Fields {
		if m.Field == nil {
			m.Field = &told{}
		}
		m.Field.add(failure)
	}
	return json.MarshalEncode(to, m, json.Deterministic(true))
}

func (t *told) add(f FieldFailure) {
	for _, name := range f.Path {
		if t.Children == nil {
			t.Children = map[string]*told{}
		}
		if t.Children[name] == nil {
			t.Children[name] = &told{}
		}
		t = t.Children[name]
	}
	if !slices.Contains(t.Messages, f.Reason) {
		t.Messages = append(t.Messages, f.Reason)
	}
}
