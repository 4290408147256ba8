package mapping

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

var errNoName = errors.New("a part of the name is empty or blank")

// refused is a request that the storage refuses; its text carries the reason.
func refused(format string, args ...any) error {
	return kerror.ServicesStorageUnexpectedBadRequest.New(fmt.Sprintf(format, args...))
}

func tooMany(what string, limit int) error {
	return refused("the mapping has more than %d %s", limit, what)
}

func tooDeep(path string) error {
	return refused("the object %q is more than %d levels deep", shortenText(path), maxDepth)
}

func tooNested() error {
	return refused("the document is nested more than %d levels deep", maxNesting)
}

func badOption(field, name, reason string) error {
	return kerror.ServicesStorageInvalidMappingArgument.New(field, name, reason)
}

func conflict(props ...string) error {
	return kerror.ServicesStorageCannotChangeMapping.New(props...)
}

func invalidMapping(path, hint string) error {
	return kerror.ServicesStorageInvalidMapping.New(path, hint)
}

// malformed is the error of a value that does not fit its field.
func malformed(f *Field, raw jsontext.Value, reason string) error {
	return refused("the field %q of type %s cannot hold %s: %s", f.Path, f.Type, shorten(raw), reason)
}

func (m *Mapping) notMapped(path string) error {
	return kerror.ServicesStorageStrictMappingRejection.New(path, m.index, m.collection)
}

// shorten gives JSON for an error.
func shorten(v jsontext.Value) string { return shortenText(string(v)) }

func shortenText(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	end := most
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
