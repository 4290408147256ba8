package validation

import (
	"math"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/koncorde"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// check says what one value of a field must be when it is not, "" when it fits. The value is never null, except in an array.
type check func(value jsontext.Value, now func() time.Time) string

// typed is a type of fields: the names of its typeOptions, and what they compile to.
type typed struct {
	options []string
	compile func(options) check
}

// types are all there are.
var types = map[string]typed{
	"anything":   {nil, func(options) check { return func(jsontext.Value, func() time.Time) string { return "" } }},
	"boolean":    {nil, kinds("must be a boolean", 't', 'f')},
	"date":       {[]string{"formats", "range"}, dateCheck},
	"email":      {[]string{"notEmpty"}, textual("must be an email address", isEmail)},
	"enum":       {[]string{"values"}, enumCheck},
	"geo_point":  {nil, pointCheck},
	"geo_shape":  {[]string{"shapeTypes"}, shapeCheck},
	"integer":    {[]string{"range"}, numberCheck("must be an integer", true)},
	"ip_address": {[]string{"notEmpty"}, textual("must be an IP address", isAddress)},
	"numeric":    {[]string{"range"}, numberCheck("must be a number", false)},
	"object":     {[]string{"strict"}, kinds("must be an object", '{')},
	"string":     {[]string{"length"}, stringCheck},
	"url":        {[]string{"notEmpty"}, textual("must be a URL", isURL)},
}

// kinds is a type without options.
func kinds(reason string, allowed ...jsontext.Kind) func(options) check {
	return func(options) check {
		return func(value jsontext.Value, _ func() time.Time) string {
			if slices.Contains(allowed, value.Kind()) {
				return ""
			}
			return reason
		}
	}
}

func stringCheck(o options) check {
	length := &bounds{0, math.MaxInt}
	if inner, ok := o.inner("length", "min", "max"); ok {
		length = inner.bounds("min", "max")
	}
	return func(value jsontext.Value, _ func() time.Time) string {
		if value.Kind() != '"' {
			return "must be a string"
		}
		switch n := utf8.RuneCountInString(unquote(value)); {
		case n < length.least:
			return "must have at least " + strconv.Itoa(length.least) + " characters"
		case n > length.most:
			return "must have at most " + strconv.Itoa(length.most) + " characters"
		}
		return ""
	}
}

// textual is a type of texts with the option notEmpty: without it, the empty text fits too.
func textual(reason string, fits func(string) bool) func(options) check {
	return func(o options) check {
		notEmpty := o.flag("notEmpty")
		return func(value jsontext.Value, _ func() time.Time) string {
			if value.Kind() != '"' {
				return reason
			}
			if text := unquote(value); text == "" && !notEmpty || text != "" && fits(text) {
				return ""
			}
			return reason
		}
	}
}

func enumCheck(o options) check {
	values := o.texts("values")
	if o.args.Raw("values") == nil {
		o.refuse(kerror.ValidationTypesMissingEnumValues)
	}
	known := make(map[string]bool, len(values))
	for _, value := range values {
		known[value] = true
	}
	reason := "must be one of " + shorten(strings.Join(values, ", "))
	return func(value jsontext.Value, _ func() time.Time) string {
		if value.Kind() == '"' && known[unquote(value)] {
			return ""
		}
		return reason
	}
}

func pointCheck(options) check {
	return func(value jsontext.Value, _ func() time.Time) string {
		if koncorde.IsPoint(value) {
			return ""
		}
		return "must be a point: [lat, lon], \"lat, lon\", a geohash, or an object with lat and lon"
	}
}

func isAddress(text string) bool {
	address, err := netip.ParseAddr(text)
	return err == nil && address.Zone() == ""
}

// isEmail wants a bare address at a full domain, within the lengths of RFC 5321.
func isEmail(text string) bool {
	const longest, longestLocal = 254, 64
	if len(text) > longest {
		return false
	}
	address, err := mail.ParseAddress(text)
	if err != nil || address.Name != "" || address.Address != text {
		return false
	}
	at := strings.LastIndexByte(text, '@')
	return at <= longestLocal && isDomain(text[at+1:])
}

// isURL wants an address on the web or of FTP, which may leave out its scheme.
func isURL(text string) bool {
	const longest = 2083 // what browsers take
	if len(text) > longest || strings.ContainsAny(text, " \t\r\n<>") {
		return false
	}
	bare := !strings.Contains(text, "://")
	if bare {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || !slices.Contains([]string{"http", "https", "ftp"}, u.Scheme) {
		return false
	}
	if bare && u.User != nil { // mailto:ann@example.org
		return false
	}
	return isAddress(u.Hostname()) || isDomain(u.Hostname())
}

// isDomain wants at least two labels, the last of which is no number.
func isDomain(name string) bool {
	const longest, longestLabel = 253, 63
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	if len(name) > longest || len(labels) < 2 {
		return false
	}
	for _, label := range labels {
		if label == "" || len(label) > longestLabel || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool { return r < utf8.RuneSelf && !isLetterDigit(r) && r != '-' && r != '_' }) {
			return false
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

func isLetterDigit(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}
