package validation

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/source"
	"github.com/sluicehq/sluice/protocol"
)

// Admit holds a document that is about to be written to the specification and gives it with its defaults filled in. id is ""
// when it has none yet. The error is that of Outcome.Err.
func (s *Specification) Admit(id string, document jsontext.Value) (jsontext.Value, error) {
	if s == nil {
		return document, nil
	}
	if err := s.Validate(id, document).Err(); err != nil {
		return nil, err
	}
	return s.fill(document, false)
}

// AdmitUpdate is Admit for changes to a document: what they make of stored must fit, and defaults are filled in where
// changes write null. Both must be valid JSON objects.
func (s *Specification) AdmitUpdate(id string, stored, changes jsontext.Value) (jsontext.Value, error) {
	if s == nil {
		return changes, nil
	}
	merged, err := source.Merge(stored, changes)
	if err != nil {
		return nil, err
	}
	if err := s.Validate(id, merged).Err(); err != nil {
		return nil, err
	}
	return s.fill(changes, true)
}

// fill writes defaults: in a whole document where a field is absent or null, in changes where it is null.
func (s *Specification) fill(document jsontext.Value, update bool) (jsontext.Value, error) {
	if !s.fills {
		return document, nil
	}
	return s.root.fill(document, update)
}

func (l *fields) fill(object jsontext.Value, update bool) (jsontext.Value, error) {
	members, err := protocol.ParseArgs(object, "body.")
	if err != nil {
		return nil, err
	}
	list, seen := members.All(), make([]bool, len(l.list))
	for i := range list {
		at, declared := l.byName[list[i].Name]
		if !declared {
			continue
		}
		seen[at] = true
		if list[i].Value, err = l.list[at].fill(list[i].Value, update); err != nil {
			return nil, err
		}
	}
	for i, f := range l.list {
		if !update && !seen[i] && f.absent != nil {
			list = append(list, protocol.Arg{Name: f.name, Value: f.absent})
		}
	}
	return appendObject(make([]byte, 0, len(object)), list), nil
}

// fill gives what a field is to hold.
func (f *field) fill(value jsontext.Value, update bool) (jsontext.Value, error) {
	switch {
	case value.Kind() == 'n' && f.absent != nil:
		return f.absent, nil
	case f.children != nil && value.Kind() == '{':
		return f.children.fill(value, update)
	case f.children != nil && value.Kind() == '[':
		return f.fillEach(value)
	}
	return value, nil
}

// fillEach fills the objects of an array. An update writes an array whole, so each is a whole one.
func (f *field) fillEach(array jsontext.Value) (jsontext.Value, error) {
	out, failed := []byte{'['}, error(nil)
	err := eachItem(array, func(item jsontext.Value) bool {
		if len(out) > 1 {
			out = append(out, ',')
		}
		if item, failed = f.children.fill(item, false); failed != nil {
			return false
		}
		out = append(out, item...)
		return true
	})
	if err != nil {
		return nil, err
	}
	return append(out, ']'), failed
}

func appendObject(dst []byte, members []protocol.Arg) jsontext.Value {
	dst = append(dst, '{')
	for i, member := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst, _ = jsontext.AppendQuote(dst, member.Name) // invalid UTF-8 is replaced
		dst = append(append(dst, ':'), member.Value...)
	}
	return append(dst, '}')
}
