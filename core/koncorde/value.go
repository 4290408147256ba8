package koncorde

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// value is a JSON value taken apart.
type value struct {
	// kind is one of n t f " 0 { [.
	kind jsontext.Kind
	// text is the content of a string, or the exact part of a number.
	text string
	// num is the float of a number.
	num float64
	// items are those of an array, members those of an object, in their order.
	items   []value
	members []member
}

type member struct {
	name  string
	value value
}

// scalar identifies a string, number, boolean or null: equal scalars are equal as Go values.
type scalar struct {
	kind jsontext.Kind
	text string
	num  float64
}

func (v *value) isScalar() bool { return v.kind != '{' && v.kind != '[' }

// scalar must not be asked of objects and arrays.
func (v *value) scalar() scalar { return scalar{v.kind, v.text, v.num} }

func (v *value) number() number { return number{v.num, v.text} }

func (s scalar) value() *value { return &value{kind: s.kind, text: s.text, num: s.num} }

// member gives a member of an object, nil when there is none of that name.
func (v *value) member(name string) *value {
	for i := range v.members {
		if v.members[i].name == name {
			return &v.members[i].value
		}
	}
	return nil
}

// find gives what an object holds under a dotted path, nil when it holds nothing there. Names may hold dots themselves; of
// several values under one path the last one counts.
func (v *value) find(path string, b *budget) *value {
	if !b.pass(len(v.members)) {
		return nil
	}
	var found *value
	for i := range v.members {
		m := &v.members[i]
		if !strings.HasPrefix(path, m.name) {
			continue
		}
		if len(m.name) == len(path) {
			found = &m.value
			continue
		}
		if path[len(m.name)] == '.' && m.value.kind == '{' {
			if inner := m.value.find(path[len(m.name)+1:], b); inner != nil {
				found = inner
			}
		}
	}
	return found
}

// kindName names the type of a value in messages.
func (v *value) kindName() string {
	switch v.kind {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '[':
		return "an array"
	}
	return "an object"
}

// treeReader makes values of one JSON text. It is used again for the next one.
type treeReader struct {
	buf bytes.Buffer
	dec jsontext.Decoder
	// text is a copy of the input: strings of the tree share it.
	text     string
	maxDepth int
	// dotted says that the name of a member holds a dot.
	dotted bool
	// items and members are those of the arrays and objects that have begun, until it is known how many they are.
	items   []value
	members []member
}

var readers = sync.Pool{New: func() any { return new(treeReader) }}

// maxKept bounds the items and members that a reader keeps room for.
const maxKept = 1024

// readTree reads a JSON text that holds one value. Duplicate names, invalid UTF-8 and objects or arrays nested deeper than
// maxDepth are refused. The tree does not refer to raw. dotted reports whether any name holds a dot.
func readTree(raw jsontext.Value, maxDepth int) (v value, dotted bool, err error) {
	r := readers.Get().(*treeReader)
	defer r.release()
	r.buf = *bytes.NewBuffer(raw)
	r.dec.Reset(&r.buf)
	r.text, r.maxDepth, r.dotted = string(raw), maxDepth, false
	if v, err = r.value(0); err != nil {
		return value{}, false, fmt.Errorf("invalid JSON: %w", unexpectedEnd(err))
	}
	if _, err := r.dec.ReadToken(); err != io.EOF { //nolint:errorlint // the decoder gives it bare
		return value{}, false, errors.New("invalid JSON: something follows the value")
	}
	return v, r.dotted, nil
}

// release forgets the text.
func (r *treeReader) release() {
	r.buf, r.text = bytes.Buffer{}, ""
	r.items, r.members = keep(r.items), keep(r.members)
	readers.Put(r)
}

func keep[T any](list []T) []T {
	if cap(list) > maxKept {
		return nil
	}
	clear(list) // of a text that was left half read
	return list[:0]
}

// cut takes away what came after begin and gives it in memory of its own, with room for some more.
func cut[T any](list []T, begin, more int) (rest, taken []T) {
	if begin < len(list) {
		taken = append(make([]T, 0, len(list)-begin+more), list[begin:]...)
		clear(list[begin:])
	}
	return list[:begin], taken
}

func (r *treeReader) value(depth int) (value, error) {
	switch kind := r.dec.PeekKind(); kind {
	case '{', '[':
		if depth++; depth > r.maxDepth {
			return value{}, fmt.Errorf("nested deeper than %d levels", r.maxDepth)
		}
		if _, err := r.dec.ReadToken(); err != nil {
			return value{}, err
		}
		v := value{kind: kind}
		err := r.content(&v, depth)
		return v, err
	}
	raw, err := r.dec.ReadValue()
	if err != nil {
		return value{}, err
	}
	v := value{kind: raw.Kind()}
	switch v.kind {
	case '"':
		v.text, err = r.unquote(raw)
	case '0':
		n := parseNumber(r.sharedText(raw))
		v.num, v.text = n.f, n.exact
	}
	return v, err
}

// content reads members or items until the object or array ends.
func (r *treeReader) content(v *value, depth int) error {
	items, members := len(r.items), len(r.members)
	for end := v.kind + 2; r.dec.PeekKind() != end; { // '{' + 2 is '}', '[' + 2 is ']'
		if v.kind == '[' {
			item, err := r.value(depth)
			if err != nil {
				return err
			}
			r.items = append(r.items, item)
			continue
		}
		raw, err := r.dec.ReadValue()
		if err != nil {
			return err
		}
		name, err := r.unquote(raw)
		if err != nil {
			return err
		}
		r.dotted = r.dotted || strings.Contains(name, ".")
		inner, err := r.value(depth)
		if err != nil {
			return err
		}
		r.members = append(r.members, member{name, inner})
	}
	id := 0
	if depth == 1 {
		id = 1 // see Document.setID
	}
	r.items, v.items = cut(r.items, items, 0)
	r.members, v.members = cut(r.members, members, id)
	_, err := r.dec.ReadToken()
	return err
}

// unquote reads the JSON string that was read last.
func (r *treeReader) unquote(raw jsontext.Value) (string, error) {
	if !bytes.Contains(raw, []byte{'\\'}) {
		s := r.sharedText(raw)
		return s[1 : len(s)-1], nil
	}
	plain, err := jsontext.AppendUnquote(nil, raw)
	return string(plain), err
}

// sharedText gives the value that was read last as a part of the copied input.
func (r *treeReader) sharedText(raw jsontext.Value) string {
	end := r.dec.InputOffset()
	return r.text[end-int64(len(raw)) : end]
}

func unexpectedEnd(err error) error {
	if err == io.EOF { //nolint:errorlint // the decoder gives it bare
		return io.ErrUnexpectedEOF
	}
	return err
}

// appendValue writes a value so that equal values give equal bytes, whatever the order of members, and of items too: in
// a match it does not count.
func appendValue(dst []byte, v *value) []byte {
	switch v.kind {
	case '"':
		return appendString(dst, v.text)
	case '0':
		return v.number().append(dst)
	case '{':
		return appendSorted(dst, '{', len(v.members), func(dst []byte, i int) []byte {
			dst = append(appendString(dst, v.members[i].name), ':')
			return appendValue(dst, &v.members[i].value)
		})
	case '[':
		return appendSorted(dst, '[', len(v.items), func(dst []byte, i int) []byte { return appendValue(dst, &v.items[i]) })
	}
	return append(dst, v.kind.String()...)
}
