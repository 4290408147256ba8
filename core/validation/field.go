package validation

import (
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// field reads the declaration of a field, nil when its type is not known.
func (p *parser) field(path string, raw jsontext.Value) *field {
	name := shorten(path)
	o := p.options(name, raw, "type", "mandatory", "defaultValue", "description", "multivalued", "typeOptions")
	f := &field{
		name:      path[strings.LastIndexByte(path, '/')+1:],
		mandatory: o.flag("mandatory"),
		absent:    o.args.Raw("defaultValue"),
		many:      o.multivalued(name),
	}
	o.text("description")
	if !p.typed(f, name, o) {
		return nil
	}
	return f
}

// typed reads the type and its options.
func (p *parser) typed(f *field, name string, o options) bool {
	kind := o.text("type")
	if kind == "" {
		if raw := o.args.Raw("type"); raw == nil || raw.Kind() == '"' {
			p.refuse(kerror.ValidationAssertMissingType, name)
		}
		return false
	}
	t, ok := types[kind]
	if !ok {
		p.refuse(kerror.ValidationAssertUnknownType, name, shorten(kind))
		return false
	}
	inner, _ := o.inner("typeOptions", t.options...)
	f.check = t.compile(inner)
	f.object, f.listed = kind == "object", kind == "geo_point"
	if f.object {
		f.own = inner.optFlag("strict")
	}
	return true
}

// multivalued reads how many values there may be, nil for one.
func (o options) multivalued(field string) *bounds {
	inner, ok := o.inner("multivalued", "value", "minCount", "maxCount")
	if !ok {
		return nil
	}
	if inner.args.Raw("value") == nil {
		o.refuse(kerror.ValidationAssertMissingValue, field)
		return nil
	}
	if !inner.flag("value") {
		for _, property := range []string{"minCount", "maxCount"} {
			if inner.args.Raw(property) != nil {
				o.refuse(kerror.ValidationAssertNotMultivalued, field, property)
			}
		}
		return nil
	}
	return inner.bounds("minCount", "maxCount")
}

// bounds reads two counts, the first of which is not above the second.
func (o options) bounds(least, most string) *bounds {
	b := &bounds{o.count(least, 0), o.count(most, math.MaxInt)}
	if b.least > b.most {
		o.refuse(kerror.ValidationAssertInvalidRange, o.path, strconv.Itoa(b.least), strconv.Itoa(b.most))
	}
	return b
}
