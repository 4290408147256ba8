package mapping

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/spelling"
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

// notAnObject is the error of what stands where an object must.
func notAnObject(path string) error {
	return kerror.ServicesStorageWrongMappingProperty.New(path, "Expected an object.")
}

func unknownType(path, word string) error {
	return kerror.ServicesStorageInvalidMappingType.New(path, shortenText(word), hintOr(word, typeNames[:], "The types are "))
}

// unexpected is the error of an option that the type of f does not have. A sub-field has fewer.
func unexpected(name string, f *Field, sub bool) error {
	known := []string{"type"}
	if f.Type.object() {
		known = append(known, "properties", "dynamic", "enabled")
	}
	for i := range options {
		if o := &options[i]; o.types.has(f.Type) && (!sub || o.name != "copy_to") {
			known = append(known, o.name)
		}
	}
	if !f.Type.alone() && !sub {
		known = append(known, "fields")
	}
	return kerror.ServicesStorageUnexpectedProperties.New(name, f.Path, hintOr(name, known, "A field of type "+f.Type.String()+" can have "))
}

// hintOr suggests the known word that is nearest to a wrong one, or else all of them.
func hintOr(wrong string, known []string, all string) string {
	if hint := spelling.Hint(wrong, known); hint != "" {
		return hint
	}
	return all + strings.Join(known, ", ") + "."
}

func conflict(props ...string) error {
	return kerror.ServicesStorageCannotChangeMapping.New(props...)
}

func invalidMapping(path, hint string) error {
	return kerror.ServicesStorageInvalidMapping.New(path, hint)
}

// malformed is the error of a value that does not fit its field.
func malformed(f *Field, raw jsontext.Value, reason string) error {
	return refused("the field %q of type %s cannot hold %s: %s", shortenText(f.Path), f.Type, shorten(raw), reason)
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
