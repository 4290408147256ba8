package document

import (
	"encoding/csv"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// columns are those of a table, without the first, which is the id.
type columns struct {
	// paths lead to the fields: names, parted by dots.
	paths []string
	// names are what the heads of columns say in place of their paths.
	names map[string]string
}

// readColumns reads the arguments fields and fieldsName out of the first that have them.
func readColumns(all ...protocol.Args) (c columns, err error) {
	if args := firstWith("fields", all...); args.Raw("fields") != nil {
		paths, err := args.Strings("fields")
		if err != nil {
			return c, err
		}
		for _, path := range paths {
			if path != "_id" && !slices.Contains(c.paths, path) {
				c.paths = append(c.paths, path)
			}
		}
	}
	c.names = map[string]string{}
	args := firstWith("fieldsName", all...)
	if args.Raw("fieldsName") == nil {
		return c, nil
	}
	names, err := args.Fields("fieldsName")
	if err != nil {
		return c, err
	}
	for _, n := range names.All() {
		if c.names[n.Name], err = names.OptString(n.Name, n.Name); err != nil {
			return c, err
		}
	}
	return c, nil
}

// orAll takes every field of a mapping that is no object when there are no columns. The metadata is not among them.
func (c *columns) orAll(mapping jsontext.Value) error {
	if len(c.paths) > 0 || mapping == nil {
		return nil
	}
	return c.add("", mapping)
}

// add takes the fields below an object.
func (c *columns) add(prefix string, object jsontext.Value) error {
	definition, err := protocol.ParseArgs(object, "")
	if err != nil {
		return err
	}
	properties, err := definition.OptObject("properties")
	if err != nil || properties == nil {
		if prefix != "" {
			c.paths = append(c.paths, prefix)
		}
		return err
	}
	fields, err := protocol.ParseArgs(properties, "")
	if err != nil {
		return err
	}
	for _, f := range fields.All() {
		path := f.Name
		if prefix != "" {
			path = prefix + "." + f.Name
		}
		if path == metadata.Key {
			continue
		}
		if err := c.add(path, f.Value); err != nil {
			return err
		}
	}
	return nil
}

// commaOf reads the separator of columns.
func commaOf(text string) (rune, error) {
	comma, size := utf8.DecodeRuneInString(text)
	if size != len(text) || comma == utf8.RuneError || strings.ContainsRune("\"\r\n\x00", comma) {
		return 0, kerror.APIAssertInvalidArgument.New("separator", "one character that is neither a quote nor a line break")
	}
	return comma, nil
}

// csvWriter writes a table. Each row is parsed once, whatever the number of columns.
type csvWriter struct {
	w       *csv.Writer
	columns columns
	// root is the tree of the paths of the columns.
	root *branch
	row  []string
	// cells are the values of a row.
	cells []cell
}

// branch is a step in the paths of columns.
type branch struct {
	// column is where values go, -1 when no path ends here.
	column int
	below  map[string]*branch
}

// cell is what was found for a column: values, more than one below an array.
type cell struct {
	values []jsontext.Value
	list   bool
}

func newCSV(w io.Writer, comma rune, c columns) *csvWriter {
	t := &csvWriter{w: csv.NewWriter(w), columns: c, root: &branch{column: -1}}
	t.w.Comma = comma
	t.row, t.cells = make([]string, len(c.paths)+1), make([]cell, len(c.paths)+1)
	for i, path := range c.paths {
		t.root.grow(path).column = i + 1
	}
	return t
}

// grow gives the end of a path.
func (b *branch) grow(path string) *branch {
	for step := range strings.SplitSeq(path, ".") {
		if b.below == nil {
			b.below = map[string]*branch{}
		}
		if b.below[step] == nil {
			b.below[step] = &branch{column: -1}
		}
		b = b.below[step]
	}
	return b
}

// find gives the end of a path, nil when no column is there or below.
func (b *branch) find(path string) *branch {
	for step := range strings.SplitSeq(path, ".") {
		if b = b.below[step]; b == nil {
			return nil
		}
	}
	return b
}

func (t *csvWriter) head() error {
	for i, path := range append([]string{"_id"}, t.columns.paths...) {
		t.row[i] = path
		if name, ok := t.columns.names[path]; ok {
			t.row[i] = name
		}
	}
	return t.w.Write(t.row)
}

func (t *csvWriter) document(d announce.Doc) error {
	clear(t.cells)
	if err := t.fill(t.root, d.Source, false); err != nil {
		return err
	}
	for i, c := range t.cells {
		var err error
		if t.row[i], err = c.text(); err != nil {
			return err
		}
	}
	t.row[0] = d.ID
	return t.w.Write(t.row)
}

// fill puts what is in value into the cells of b and below. list says that value is in an array.
func (t *csvWriter) fill(b *branch, value jsontext.Value, list bool) error {
	if b.column >= 0 {
		c := &t.cells[b.column]
		c.values, c.list = append(c.values, value), c.list || list
	}
	if b.below == nil {
		return nil
	}
	switch value.Kind() {
	case '{':
		members, err := protocol.ParseArgs(value, "")
		if err != nil {
			return err
		}
		for _, m := range members.All() {
			if below := b.find(m.Name); below != nil {
				if err := t.fill(below, m.Value, list); err != nil {
					return err
				}
			}
		}
	case '[':
		var items []jsontext.Value
		if err := json.Unmarshal(value, &items); err != nil {
			return err
		}
		deeper := branch{column: -1, below: b.below}
		for _, item := range items {
			if err := t.fill(&deeper, item, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// text is the cell as it stands in the table: a text without its quotes, nothing for null, JSON for anything else.
func (c cell) text() (string, error) {
	var value jsontext.Value
	switch {
	case len(c.values) == 0:
		return "", nil
	case c.list || len(c.values) > 1:
		list, err := json.Marshal(c.values)
		if err != nil {
			return "", err
		}
		value = list
	default:
		value = c.values[0]
	}
	switch value.Kind() {
	case 'n':
		return "", nil
	case '"':
		text, err := jsontext.AppendUnquote(nil, value)
		return string(text), err
	case '{', '[':
		value = value.Clone()
		err := value.Compact()
		return string(value), err
	}
	return string(value), nil
}

func (t *csvWriter) flush() error {
	t.w.Flush()
	return t.w.Error()
}
