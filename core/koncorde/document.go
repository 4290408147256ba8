package koncorde

import (
	"errors"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDocumentDepth is how deep a document may be nested.
const maxDocumentDepth = 1000

// Document is a document as filters see it. It never changes, so any number of goroutines may match it.
type Document struct {
	root value
	// dotted says that a name holds a dot, so that two members may have one path.
	dotted bool
}

// NewDocument takes a document apart. source must be a JSON object without duplicate names; empty or null is a document
// without fields. It is copied. id is the value of the field `_id`; when it is empty, `_id` is what source has there.
func NewDocument(id string, source jsontext.Value) (*Document, error) {
	d := &Document{root: value{kind: '{'}}
	if len(source) > 0 && source.Kind() != 'n' {
		root, dotted, err := readTree(source, maxDocumentDepth)
		if err != nil {
			return nil, err
		}
		if root.kind != '{' {
			return nil, errors.New("a document must be an object")
		}
		d.root, d.dotted = root, dotted
	}
	if id != "" {
		d.setID(id)
	}
	return d, nil
}

func (d *Document) setID(id string) {
	v := value{kind: '"', text: id}
	if old := d.root.member("_id"); old != nil {
		*old = v
		return
	}
	d.root.members = append(d.root.members, member{"_id", v})
}

// at gives what is under path, nil when nothing is; the empty path is the document itself.
func (d *Document) at(path string, b *budget) *value {
	if path == "" {
		return &d.root
	}
	return d.root.find(path, b)
}
