package mapping

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// errUnmapped stops a reader at a member that the mapping may learn. No caller of this package sees it.
var errUnmapped = errors.New("a field is not mapped")

// reader goes through the text of a document once, along the mapping.
type reader struct {
	mapping *Mapping
	out     *Document
	// growing stops at members that are new to a dynamic object; otherwise they are passed over.
	growing bool

	doc    jsontext.Value
	buffer bytes.Buffer
	d      jsontext.Decoder
	arena  []byte // for texts that are not the bytes of doc
	// vectors are the places that have one.
	vectors map[vectorPlace]bool
}

// object reads the object that comes next, as f.
func (r *reader) object(f *Field, group int) error {
	if r.d.StackDepth() >= maxNesting {
		return tooNested()
	}
	if _, err := r.d.ReadToken(); err != nil {
		return badJSON(err)
	}
	for {
		switch r.d.PeekKind() {
		case '}', jsontext.KindInvalid:
			_, err := r.d.ReadToken()
			return badJSON(err)
		}
		name, err := r.name()
		if err != nil {
			return err
		}
		if err := r.member(f, name, group); err != nil {
			return err
		}
	}
}

// member reads the value that comes next as the member of f with this name, which may be a path.
func (r *reader) member(f *Field, name []byte, group int) error {
	if child := f.children.byName[string(name)]; child != nil {
		return r.value(child, group)
	}
	if f == r.mapping.root && isMetadata(name) {
		if string(name) == "_doc_count" {
			return r.skip()
		}
		return refused("the field %q belongs to the storage and cannot be in a document", name)
	}
	head, rest, dotted := bytes.Cut(name, []byte{'.'})
	if !dotted {
		if len(bytes.TrimSpace(name)) == 0 {
			return refused("a field of the object %q has an empty or blank name", f.Path)
		}
		return r.unmapped(f, name)
	}
	if _, err := parts(string(name)); err != nil {
		return refused("the name of the field %q: %v", shortenText(string(name)), err)
	}
	if len(bytes.Trim(rest, ".")) == 0 { // "a." is "a"
		return r.member(f, head, group)
	}
	child := f.children.byName[string(head)]
	switch {
	case child == nil:
		return r.unmapped(f, head)
	case child.Disabled:
		return r.skip()
	case child.Type == Nested:
		var err error
		if group, err = r.group(child, group); err != nil {
			return err
		}
	case child.Type == Alias:
		return refused("the field %q is an alias and cannot be written to", child.Path)
	case child.Type != Object:
		return refused("the field %q of type %s cannot hold an object", child.Path, child.Type)
	}
	return r.member(child, rest, group)
}

// unmapped deals with a member that f does not know.
func (r *reader) unmapped(f *Field, name []byte) error {
	switch {
	case f.dynamic == Strict:
		return r.mapping.notMapped(join(f.Path, shortenText(string(name))))
	case f.dynamic == Grow && r.growing && r.d.PeekKind() != 'n':
		return errUnmapped
	}
	return r.skip()
}

// value reads the value that comes next as one of f, or as a list of such.
func (r *reader) value(f *Field, group int) error {
	if f.Type == Alias {
		return refused("the field %q is an alias and cannot be written to", f.Path)
	}
	if f.Disabled {
		return r.skip()
	}
	switch kind := r.d.PeekKind(); {
	case f.Type == DenseVector:
		return r.vector(f, group)
	case kind == '[' && f.Type == GeoPoint:
		return r.geoArray(f, group)
	case kind == '[':
		return r.array(f, group)
	case f.Type == Flattened:
		return r.flattened(f, group)
	case kind == '{' && f.Type.object():
		return r.nextObject(f, group)
	case kind == '{' && (f.Type == GeoPoint || f.Type == GeoShape || f.Type == Completion || f.Type.Range()):
		return r.scalar(f, group)
	case kind == '{' || f.Type.object() && kind != 'n':
		return r.misfit(f)
	case f.Type.object() || f.Type == Binary:
		return r.skip()
	default:
		return r.scalar(f, group)
	}
}

func (r *reader) array(f *Field, group int) error {
	if r.d.StackDepth() >= maxNesting {
		return tooNested()
	}
	if _, err := r.d.ReadToken(); err != nil {
		return badJSON(err)
	}
	for {
		switch r.d.PeekKind() {
		case ']', jsontext.KindInvalid:
			_, err := r.d.ReadToken()
			return badJSON(err)
		case 'n', '[':
			if f.Type == Completion {
				return r.noCompletion(f)
			}
		}
		if err := r.value(f, group); err != nil {
			return err
		}
	}
}

// geoArray reads an array that is a point, when it begins with a number, or a list of points.
func (r *reader) geoArray(f *Field, group int) error {
	rest := r.doc[r.d.InputOffset():]
	rest = bytes.TrimLeft(rest[bytes.IndexByte(rest, '[')+1:], " \t\r\n")
	if len(rest) > 0 && (rest[0] == '-' || rest[0] >= '0' && rest[0] <= '9') {
		return r.scalar(f, group)
	}
	return r.array(f, group)
}

// nextObject reads the object that comes next as one of f.
func (r *reader) nextObject(f *Field, group int) error {
	if f.Type == Nested {
		var err error
		if group, err = r.group(f, group); err != nil {
			return err
		}
	}
	return r.object(f, group)
}

func (r *reader) group(f *Field, parent int) (int, error) {
	if len(r.out.Groups) > maxGroups {
		return 0, refused("the document has more than %d nested documents", maxGroups)
	}
	r.out.Groups = append(r.out.Groups, Group{Parent: parent, Path: f.Path})
	return len(r.out.Groups) - 1, nil
}

// scalar reads one value of f, and gives it to its sub-fields and to what it is copied to.
func (r *reader) scalar(f *Field, group int) error {
	raw, err := r.raw()
	if err != nil {
		return err
	}
	if err := r.put(f, raw, group); err != nil {
		return err
	}
	if len(f.CopyTo) == 0 {
		return nil
	}
	return r.copies(f, raw, group)
}

// put adds the value raw of f and its sub-fields.
func (r *reader) put(f *Field, raw jsontext.Value, group int) error {
	if f.Type == Completion {
		return r.completion(f, raw, group)
	}
	n := len(r.out.Values)
	if n == maxValues {
		return refused("the document has more than %d values", maxValues)
	}
	r.out.Values = append(r.out.Values, Value{})
	v := &r.out.Values[n]
	ok := false
	if raw[0] == 'n' {
		if ok = f.null != nil; ok {
			*v = *f.null
		}
	} else {
		var err error
		ok, err = f.convert(v, raw, r)
		switch {
		case err == nil:
		case f.IgnoreMalformed:
			ok = false
		default:
			return malformed(f, raw, err.Error())
		}
	}
	if ok {
		v.Field, v.Group = f, group
	} else {
		r.out.Values = r.out.Values[:n]
	}
	for _, sub := range f.subs.list {
		if sub.Type == Binary {
			continue
		}
		if err := r.put(sub, raw, group); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) copies(f *Field, raw jsontext.Value, group int) error {
	if raw[0] == '{' || raw[0] == '[' {
		return refused("the field %q is copied to others and cannot hold objects or arrays as points", f.Path)
	}
	for _, path := range f.CopyTo {
		target := r.mapping.fields[path]
		switch {
		case target == nil:
			if err := r.copyUnmapped(path, raw); err != nil {
				return err
			}
			continue
		case target.Type == Alias || target.Type == DenseVector || target.Type.object():
			return refused("the field %q cannot be copied to %q, which is of type %s", f.Path, path, target.Type)
		case target.Type == Binary:
			continue
		}
		to := group
		for to > 0 && r.out.Groups[to].Path != target.Nested {
			to = r.out.Groups[to].Parent
		}
		if err := r.put(target, raw, to); err != nil {
			return err
		}
	}
	return nil
}

// copyUnmapped deals with a value that is copied to a field that does not exist.
func (r *reader) copyUnmapped(path string, raw jsontext.Value) error {
	around := r.mapping.root
	for part := range strings.SplitSeq(path, ".") {
		child := around.children.byName[part]
		if child == nil || !child.Type.object() {
			break
		}
		around = child
	}
	switch {
	case around.dynamic == Strict:
		return r.mapping.notMapped(path)
	case around.dynamic == Grow && !around.Disabled && r.growing && raw[0] != 'n':
		return errUnmapped
	}
	return nil
}

// misfit is the error of an object where a value is expected, or the other way round.
func (r *reader) misfit(f *Field) error {
	raw, err := r.raw()
	if err != nil {
		return err
	}
	if f.Type.object() {
		return malformed(f, raw, "expected an object")
	}
	return malformed(f, raw, "expected a single value, found an object")
}

// name reads the name of a member. The result is valid until the next name.
func (r *reader) name() ([]byte, error) {
	raw, err := r.raw()
	if err != nil {
		return nil, err
	}
	return r.unquote(raw), nil
}

// raw reads the next value.
func (r *reader) raw() (jsontext.Value, error) {
	v, err := r.d.ReadValue()
	if err != nil {
		return nil, badJSON(err)
	}
	end := r.d.InputOffset()
	return r.doc[end-int64(len(v)) : end : end], nil
}

func (r *reader) skip() error { return badJSON(r.d.SkipValue()) }

// unquote gives the text of a JSON text, which is valid.
func (r *reader) unquote(raw jsontext.Value) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	from := len(r.arena)
	if !r.out.budget.Take(len(raw)) {
		return nil
	}
	r.arena, _ = jsontext.AppendUnquote(r.arena, raw)
	return r.arena[from:len(r.arena):len(r.arena)]
}

// end checks that nothing follows.
func (r *reader) end() error {
	if _, err := r.d.ReadToken(); !errors.Is(err, io.EOF) {
		return refused("something follows the document")
	}
	return nil
}

// badJSON says that the document is at fault; errors of this package stay as they are.
func badJSON(err error) error {
	if err == nil {
		return nil
	}
	if known := (*kerror.Error)(nil); errors.As(err, &known) {
		return err
	}
	return refused("the document is not valid JSON: %s", shortenText(err.Error()))
}
