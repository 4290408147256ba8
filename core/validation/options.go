package validation

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// options are the members of an object of a specification. What is wrong with them goes to the parser; null is absent.
type options struct {
	*parser
	path string
	args protocol.Args
}

// options reads an object that has no members but those allowed. path is "" for the specification itself.
func (p *parser) options(path string, raw jsontext.Value, allowed ...string) options {
	o := options{parser: p, path: path}
	name := path
	if name == "" {
		name = "specification"
	}
	args, err := protocol.ParseArgs(raw, "")
	if err != nil {
		p.refuse(kerror.ValidationAssertInvalidType, name, "object")
		return o
	}
	o.args = args
	for _, arg := range args.All() {
		if !slices.Contains(allowed, arg.Name) {
			p.refuse(kerror.ValidationAssertUnexpectedProperties, name, strings.Join(allowed, ", "))
			break
		}
	}
	return o
}

// name is how messages call a member.
func (o options) name(member string) string {
	if o.path == "" {
		return member
	}
	return o.path + "." + member
}

func (o options) wrongType(member, expected string) {
	o.refuse(kerror.ValidationAssertInvalidType, o.name(member), expected)
}

// take gives a member that begins with kind, nil when it is absent or something else.
func (o options) take(member string, kind jsontext.Kind, expected string) jsontext.Value {
	raw := o.args.Raw(member)
	if raw != nil && raw.Kind() != kind {
		o.wrongType(member, expected)
		return nil
	}
	return raw
}

// optFlag gives a boolean, nil when there is none.
func (o options) optFlag(member string) *bool {
	raw := o.args.Raw(member)
	if raw == nil {
		return nil
	}
	is := raw.Kind() == 't'
	if !is && raw.Kind() != 'f' {
		o.wrongType(member, "boolean")
		return nil
	}
	return &is
}

// flag gives a boolean, false when there is none.
func (o options) flag(member string) bool {
	is := o.optFlag(member)
	return is != nil && *is
}

// text gives a text, "" when there is none.
func (o options) text(member string) string {
	raw := o.take(member, '"', "string")
	if raw == nil {
		return ""
	}
	return unquote(raw)
}

// count gives a whole number of at least 0, or absent.
func (o options) count(member string, absent int) int {
	raw := o.args.Raw(member)
	if raw == nil {
		return absent
	}
	n, err := strconv.Atoi(string(raw))
	if err != nil || n < 0 {
		o.wrongType(member, "integer of at least 0")
		return absent
	}
	return n
}

// texts gives a list of at least one text, nil when there is none.
func (o options) texts(member string) []string {
	raw := o.args.Raw(member)
	if raw == nil {
		return nil
	}
	list, err := o.args.Strings(member)
	if err != nil || len(list) == 0 {
		o.wrongType(member, "array of at least one string")
		return nil
	}
	return list
}

// inner gives the options in a member, none when it is absent.
func (o options) inner(member string, allowed ...string) (options, bool) {
	raw := o.take(member, '{', "object")
	if raw == nil {
		return options{parser: o.parser, path: o.name(member)}, false
	}
	return o.options(o.name(member), raw, allowed...), true
}

// eachItem calls visit with the items of an array, until it returns false.
func eachItem(array jsontext.Value, visit func(jsontext.Value) bool) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(array))
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		item, err := d.ReadValue()
		if err != nil {
			return err
		}
		if !visit(item) {
			return nil
		}
	}
	return nil
}

// unquote gives the content of a JSON string.
func unquote(raw jsontext.Value) string {
	text, err := jsontext.AppendUnquote(nil, raw)
	if err != nil { // invalid UTF-8 became U+FFFD
		_ = err
	}
	return string(text)
}

// shorten makes a name of a client's fit for a message.
func shorten(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
