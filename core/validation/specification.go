package validation

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/koncorde"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// The bounds of a specification.
const (
	maxSpecBytes = 256 << 10
	maxFields    = 1000
	maxDepth     = 20  // levels of fields
	maxProblems  = 100 // told at once
)

// Specification is what the documents of one collection must be like. It never changes; any number of goroutines may use
// it. nil asks for nothing.
type Specification struct {
	raw        jsontext.Value
	root       *fields
	validators []*koncorde.Normal
	// fills says that some field has a default.
	fills bool
	now   func() time.Time
}

// fields are those of one level.
type fields struct {
	strict bool
	list   []*field
	byName map[string]int
}

func (f *fields) add(one *field) {
	if f.byName == nil {
		f.byName = map[string]int{}
	}
	f.byName[one.name] = len(f.list)
	f.list = append(f.list, one)
}

// field is a declared field.
type field struct {
	name      string
	mandatory bool
	// absent is what is filled in, nil for nothing.
	absent jsontext.Value
	// many is nil for a field that holds one value.
	many  *bounds
	check check
	// listed says that one value may be an array.
	listed bool
	// object says that the field may have fields of its own. children are nil when it takes any.
	object   bool
	own      *bool // strictness that the object asks for
	strict   bool
	children *fields
}

// bounds are how many values there may be.
type bounds struct{ least, most int }

// Parse reads a specification. problems say in words for a client what is wrong with it; it is usable when there are none.
// now is the clock of dates. raw is kept and must not change.
func Parse(raw jsontext.Value, now func() time.Time) (spec *Specification, problems []string) {
	p := &parser{}
	spec = &Specification{raw: raw, root: &fields{}, now: now}
	p.specification(spec)
	return spec, p.problems
}

// parser collects what is wrong.
type parser struct{ problems []string }

func (p *parser) refuse(def *kerror.Def, props ...string) {
	p.say(def.New(props...).Message)
}

func (p *parser) say(problem string) {
	if len(p.problems) < maxProblems {
		p.problems = append(p.problems, problem)
	}
}

func (p *parser) specification(spec *Specification) {
	if len(spec.raw) > maxSpecBytes {
		p.say("A specification may have " + strconv.Itoa(maxSpecBytes) + " bytes, this one has " + strconv.Itoa(len(spec.raw)) + ".")
		return
	}
	o := p.options("", spec.raw, "strict", "fields", "validators")
	spec.root.strict = o.flag("strict")
	if raw := o.take("fields", '{', "object"); raw != nil {
		p.fields(spec, raw)
	}
	if raw := o.take("validators", '[', "array"); raw != nil {
		p.validators(spec, raw)
	}
}

// fields reads all declared fields, those of upper levels first.
func (p *parser) fields(spec *Specification, raw jsontext.Value) {
	args, err := protocol.ParseArgs(raw, "")
	if err != nil {
		p.refuse(kerror.ValidationAssertInvalidType, "fields", "object")
		return
	}
	if len(args.All()) > maxFields {
		p.say("A specification may have " + strconv.Itoa(maxFields) + " fields, this one has " + strconv.Itoa(len(args.All())) + ".")
		return
	}
	declared := map[string]*field{}
	for _, arg := range slices.SortedFunc(slices.Values(args.All()), func(a, b protocol.Arg) int { return comparePaths(a.Name, b.Name) }) {
		level := p.levelOf(arg.Name, spec.root, declared)
		f := p.field(arg.Name, arg.Value)
		if f == nil || level == nil {
			continue
		}
		spec.fills = spec.fills || f.absent != nil
		f.settle(level.strict)
		declared[arg.Name] = f
		level.add(f)
	}
}

// comparePaths puts what is above before what is below it.
func comparePaths(a, b string) int {
	return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/"))
}

// levelOf gives the level on which a path stands, nil when there is none.
func (p *parser) levelOf(path string, root *fields, declared map[string]*field) *fields {
	end := strings.LastIndexByte(path, '/')
	if end < 0 {
		return root
	}
	above := declared[path[:end]]
	switch {
	case strings.Count(path, "/") >= maxDepth:
		p.say("The field \"" + shorten(path) + "\" is more than " + strconv.Itoa(maxDepth) + " levels deep.")
		return nil
	case above == nil:
		p.refuse(kerror.ValidationAssertMissingParent, shorten(path))
		return nil
	case !above.object:
		p.refuse(kerror.ValidationAssertUnexpectedChildren, shorten(path[:end]))
		return nil
	case above.children == nil:
		above.children = &fields{strict: above.strict}
	}
	return above.children
}

// settle makes a level as strict as the one above it unless its object says otherwise. An object that asks to be strict is
// so even without declared fields.
func (f *field) settle(inherited bool) {
	switch {
	case f.own == nil:
		f.strict = inherited
	case *f.own:
		f.strict, f.children = true, &fields{strict: true}
	}
}

func (p *parser) validators(spec *Specification, raw jsontext.Value) {
	i := 0
	err := eachItem(raw, func(item jsontext.Value) bool {
		normal, err := compileFilter(item)
		if err != nil {
			p.refuse(kerror.ValidationAssertInvalidFilters, "["+strconv.Itoa(i)+"] "+err.Error())
		}
		spec.validators = append(spec.validators, normal)
		i++
		return true
	})
	if err != nil {
		p.refuse(kerror.ValidationAssertInvalidType, "validators", "array")
	}
}

// compileFilter reads one filter. Each is compiled by itself: joined by and, they could have too many cases.
func compileFilter(raw jsontext.Value) (*koncorde.Normal, error) {
	if raw.Kind() != '{' || raw[1:].Kind() == '}' { // a filter that matches everything is a mistake here
		return nil, errors.New("must be an object with one keyword")
	}
	filter, err := koncorde.Parse(raw)
	if err != nil {
		return nil, err
	}
	return filter.Normalise(0)
}
