package validation

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query/dates"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// instant is a bound of a range of dates: a time, or the moment at which a document is looked at.
type instant struct {
	at  time.Time
	now bool
	// text is how it was written.
	text string
}

func (i instant) when(now func() time.Time) time.Time {
	if i.now {
		return now()
	}
	return i.at
}

// dateCheck is the type date. Without formats it takes milliseconds since 1970.
func dateCheck(o options) check {
	formats := o.formats()
	least, most := o.dates()
	return func(value jsontext.Value, now func() time.Time) string {
		at, ok := readDate(value, formats)
		switch {
		case !ok:
			return "must be a date of the format " + formatNames(formats)
		case least != nil && at.Before(least.when(now)):
			return "must not be before " + least.text
		case most != nil && at.After(most.when(now)):
			return "must not be after " + most.text
		}
		return ""
	}
}

// formats reads the option of that name.
func (o options) formats() []*dates.Format {
	names := o.texts("formats")
	if names == nil {
		return []*dates.Format{millis}
	}
	var formats []*dates.Format
	var unknown []string
	for _, name := range names {
		if format, err := dates.Compile(name); err == nil {
			formats = append(formats, format)
		} else {
			unknown = append(unknown, shorten(name))
		}
	}
	if unknown != nil {
		o.refuse(kerror.ValidationTypesInvalidDateFormat, strings.Join(unknown, ", "))
	}
	return formats
}

func formatNames(formats []*dates.Format) string {
	names := make([]string, len(formats))
	for i, format := range formats {
		names[i] = format.String()
	}
	return shorten(strings.Join(names, " or "))
}

// dates reads the option range {min, max} of dates, nil for none.
func (o options) dates() (least, most *instant) {
	inner, _ := o.inner("range", "min", "max")
	least, most = inner.instant("min"), inner.instant("max")
	if least != nil && most != nil && !least.now && !most.now && least.at.After(most.at) {
		o.refuse(kerror.ValidationAssertInvalidRange, inner.path, least.text, most.text)
	}
	return least, most
}

// instant reads a date as ISO 8601 or in milliseconds since 1970, or the text NOW.
func (o options) instant(member string) *instant {
	raw := o.args.Raw(member)
	if raw == nil {
		return nil
	}
	text := shorten(literal(raw))
	if text == "NOW" && raw.Kind() == '"' {
		return &instant{now: true, text: text}
	}
	format := iso
	if raw.Kind() == '0' {
		format = millis
	}
	at, ok := readDate(raw, []*dates.Format{format})
	if !ok {
		o.refuse(kerror.ValidationTypesInvalidDate, text)
		return nil
	}
	return &instant{at: at, text: text}
}

// iso and millis are what a range may be written in, millis is also what a field without formats holds.
var (
	iso    = mustCompile("strict_date_optional_time")
	millis = mustCompile("epoch_millis")
)

func mustCompile(name string) *dates.Format {
	format, err := dates.Compile(name)
	if err != nil {
		panic(err) // a constant
	}
	return format
}

// readDate reads a text or a number by the first format that fits.
func readDate(value jsontext.Value, formats []*dates.Format) (time.Time, bool) {
	if kind := value.Kind(); kind != '"' && kind != '0' {
		return time.Time{}, false
	}
	text := literal(value)
	for _, format := range formats {
		if at, err := format.Parse(text, nil); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// literal is the content of a text, or any other value as it was written.
func literal(value jsontext.Value) string {
	if value.Kind() == '"' {
		return unquote(value)
	}
	return string(value)
}
