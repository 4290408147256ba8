package mapping

import (
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// usualDepth is how deep objects may stand in a Flattened whose mapping does not say.
const usualDepth = 20

// keyEnd stands between the key and the value of what is in a Flattened.
const keyEnd = 0

var (
	errFlat    = errors.New("expected an object")
	errDepth   = errors.New("its objects stand deeper in each other than depth_limit says")
	errKeyEnd  = errors.New("a key has a zero byte in it")
	errKeyTerm = errors.New("a key and its value of more than 32766 bytes cannot be indexed")
)

func setDepthLimit(f *Field, v jsontext.Value) (err error) {
	f.DepthLimit, err = count(v)
	return err
}

func getDepthLimit(f *Field) string {
	if f.DepthLimit == usualDepth {
		return ""
	}
	return strconv.Itoa(f.DepthLimit)
}

// setKeyed makes the field that holds the values of a Flattened with their keys. It is in no list of fields.
func (f *Field) setKeyed() {
	const name = "_keyed"
	f.keyed = &Field{Name: name, Path: join(f.Path, name), Type: Flattened, Nested: f.Nested, Options: f.Options}
}

// key gives the field that stands for one key of a Flattened, nil when the path leads to none.
func (m *Mapping) key(path string) *Field {
	for i := strings.IndexByte(path, '.'); i >= 0; {
		f := m.fields[path[:i]]
		if f != nil && f.Type == Alias {
			f = m.fields[f.Target]
		}
		if f != nil && f.Type == Flattened {
			keyed := *f.keyed
			keyed.Name, keyed.Key = path[i+1:], append([]byte(path[i+1:]), keyEnd)
			return &keyed
		}
		next := strings.IndexByte(path[i+1:], '.')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return nil
}

// flattened reads the object that comes next as values of f.
func (r *reader) flattened(f *Field, group int) error {
	raw, err := r.raw()
	if err != nil {
		return err
	}
	if raw[0] != '{' {
		if raw[0] == 'n' {
			return nil
		}
		return malformed(f, raw, errFlat.Error())
	}
	if err := r.flat(f, "", raw, group, 1); err != nil {
		return malformed(f, raw, err.Error())
	}
	return nil
}

// flat reads a value that stands under a key, which is empty for the whole object.
func (r *reader) flat(f *Field, key string, raw jsontext.Value, group, depth int) error {
	switch raw[0] {
	case '{':
		return r.flatObject(f, key, raw, group, depth)
	case '[':
		list, err := elements(raw)
		if err != nil {
			return err
		}
		for _, item := range list {
			if err := r.flat(f, key, item, group, depth); err != nil {
				return err
			}
		}
		return nil
	}
	return r.flatValue(f, key, raw, group)
}

func (r *reader) flatObject(f *Field, key string, raw jsontext.Value, group, depth int) error {
	if depth > f.DepthLimit {
		return errDepth
	}
	list, err := members(raw)
	if err != nil {
		return err
	}
	for _, m := range list {
		if strings.IndexByte(m.name, keyEnd) >= 0 {
			return errKeyEnd
		}
		if err := r.flat(f, join(key, m.name), m.raw, group, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// flatValue adds a value twice: by itself, and behind its key.
func (r *reader) flatValue(f *Field, key string, raw jsontext.Value, group int) error {
	if len(r.out.Values)+2 > maxValues {
		return errors.New("the document has too many values")
	}
	v := Value{Field: f, Group: group}
	if raw[0] == 'n' {
		if f.null == nil {
			return nil
		}
		v.Text = f.null.Text
	} else if ok, err := f.convert(&v, raw, r); err != nil || !ok {
		return err
	}
	if len(key)+1+len(v.Text) > maxTerm {
		return errKeyTerm
	}
	from := len(r.arena)
	r.arena = append(append(append(r.arena, key...), keyEnd), v.Text...)
	r.out.Values = append(r.out.Values, v, Value{Field: f.keyed, Group: group, Text: r.arena[from:len(r.arena):len(r.arena)]})
	return nil
}
