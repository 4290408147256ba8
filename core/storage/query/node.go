package query

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// maxNesting bounds the JSON of a search. A query of maxDepth clauses needs about three levels for each.
const maxNesting = 150

// node is one JSON value with its place, so that an error can name it.
type node struct {
	parent *node
	// name is the key in the parent, or empty for an element of an array, which has an index.
	name  string
	index int
	raw   jsontext.Value
	// children are the members of an object in the order of the text, or the elements of an array.
	children []*node
}

// reader builds the tree in one pass. Nodes come out of chunks, each larger than the one before: most searches need one or two.
type reader struct {
	d     *jsontext.Decoder
	all   jsontext.Value
	chunk []node
	// made is how many nodes the last chunk had.
	made int
}

const (
	firstNodes = 8
	mostNodes  = 64
)

// read gives the tree of raw. name stands for the root in paths.
func read(raw jsontext.Value, name string) (*node, error) {
	r := reader{d: jsontext.NewDecoder(bytes.NewBuffer(raw)), all: raw}
	root := r.next(nil, name, 0)
	err := r.value(root, 0)
	if err == nil {
		if _, end := r.d.ReadToken(); end != io.EOF { //nolint:errorlint // the decoder gives it bare
			err = errors.New("something follows it")
		}
	}
	if err == nil {
		return root, nil
	}
	if errors.Is(err, errNesting) {
		return nil, root.fail("nested more than %d levels deep", maxNesting)
	}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) && errors.Is(err, jsontext.ErrDuplicateName) {
		return nil, root.fail("the key %s is there twice", strings.TrimPrefix(string(syntax.JSONPointer), "/"))
	}
	return nil, root.fail("not valid JSON: %v", err)
}

var errNesting = errors.New("nested too deep")

func (r *reader) next(parent *node, name string, index int) *node {
	if len(r.chunk) == 0 {
		r.made = min(max(firstNodes, 2*r.made), mostNodes)
		r.chunk = make([]node, r.made)
	}
	n := &r.chunk[0]
	r.chunk = r.chunk[1:]
	n.parent, n.name, n.index = parent, name, index
	return n
}

// value reads the next value into n.
func (r *reader) value(n *node, depth int) error {
	kind := r.d.PeekKind()
	if kind != '{' && kind != '[' {
		raw, err := r.d.ReadValue()
		if err != nil {
			return err
		}
		end := r.d.InputOffset()
		n.raw = r.all[end-int64(len(raw)) : end : end]
		return nil
	}
	if depth == maxNesting {
		return errNesting
	}
	if _, err := r.d.ReadToken(); err != nil {
		return err
	}
	from := r.d.InputOffset() - 1
	for {
		switch r.d.PeekKind() {
		case '}', ']', jsontext.KindInvalid:
			if _, err := r.d.ReadToken(); err != nil {
				return err
			}
			end := r.d.InputOffset()
			n.raw = r.all[from:end:end]
			return nil
		}
		name := ""
		if kind == '{' {
			token, err := r.d.ReadToken()
			if err != nil {
				return err
			}
			name = token.String()
		}
		child := r.next(n, name, len(n.children))
		n.children = append(n.children, child)
		if err := r.value(child, depth+1); err != nil {
			return err
		}
	}
}

// path is where the value stands, such as "query.bool.must[0].term".
func (n *node) path() string {
	if n.parent == nil {
		return n.name
	}
	up := n.parent.path()
	if n.parent.kind() == '[' {
		return up + "[" + strconv.Itoa(n.index) + "]"
	}
	if up == "" {
		return n.name
	}
	return up + "." + n.name
}

// maxPath is how many bytes of a path an error shows, so that what is wrong there has room.
const maxPath = 256

// shownPath is the path, or the end of a long one.
func (n *node) shownPath() string {
	path := n.path()
	if len(path) <= maxPath {
		return path
	}
	from := len(path) - maxPath
	for from < len(path) && !utf8.RuneStart(path[from]) {
		from++
	}
	return "…" + path[from:]
}

// fail is the error of a malformed value.
func (n *node) fail(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if path := n.shownPath(); path != "" {
		text = path + ": " + text
	}
	return kerror.ServicesStorageUnexpectedBadRequest.New(text)
}

func (n *node) unknownOption() error { return n.fail("unknown option") }

func (n *node) unsupported() error { return n.fail("not supported yet") }

func (n *node) kind() jsontext.Kind {
	// Kind would skip blanks, and there are none.
	switch {
	case len(n.raw) == 0:
		return jsontext.KindInvalid
	case n.raw[0] >= '0' && n.raw[0] <= '9' || n.raw[0] == '-':
		return '0'
	}
	return jsontext.Kind(n.raw[0])
}

func (n *node) is(kinds string) bool { return strings.IndexByte(kinds, byte(n.kind())) >= 0 }

// get gives a member of an object, nil when there is none.
func (n *node) get(name string) *node {
	if n.kind() != '{' {
		return nil
	}
	for _, m := range n.children {
		if m.name == name {
			return m
		}
	}
	return nil
}

func (n *node) wantObject() error {
	if n.kind() != '{' {
		return n.fail("expected an object")
	}
	return nil
}

// only gives the single member of an object, such as the field of a term clause.
func (n *node) only(what string) (*node, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	switch len(n.children) {
	case 0:
		return nil, n.fail("expected %s, found nothing", what)
	case 1:
		return n.children[0], nil
	default:
		return nil, n.fail("expected %s only, found %q and %q", what, n.children[0].name, n.children[1].name)
	}
}

// empty reports whether n is null or an object without members.
func (n *node) empty() bool { return n.kind() == 'n' || n.kind() == '{' && len(n.children) == 0 }

// list gives the elements of an array; any other value is a list of itself.
func (n *node) list() []*node {
	if n.kind() == '[' {
		return n.children
	}
	return []*node{n}
}

// setValue takes a text, a number or a boolean as it is.
func (n *node) setValue(to *jsontext.Value) error {
	if !n.is(`"0tf`) {
		return n.fail("expected a text, a number or a boolean")
	}
	*to = n.raw
	return nil
}

// setText takes a text.
func (n *node) setText(to *string) error {
	if n.kind() != '"' {
		return n.fail("expected a text")
	}
	*to = Text(n.raw)
	return nil
}

// setScalarText takes a text, or the text of a number or a boolean.
func (n *node) setScalarText(to *string) error {
	if !n.is(`"0tf`) {
		return n.fail("expected a text")
	}
	*to = Text(n.raw)
	return nil
}

// setTexts takes a text or a list of texts.
func (n *node) setTexts(to *[]string) error {
	list := n.list()
	texts := make([]string, len(list))
	for i, item := range list {
		if err := item.setText(&texts[i]); err != nil {
			return err
		}
	}
	*to = texts
	return nil
}

// setBool takes a boolean, or the text of one.
func (n *node) setBool(to *bool) error {
	switch string(n.raw) {
	case `true`, `"true"`:
		*to = true
	case `false`, `"false"`:
		*to = false
	default:
		return n.fail("expected true or false")
	}
	return nil
}

// setFloat takes a finite number, or the text of one.
func (n *node) setFloat(to *float64) error {
	if n.is(`"0`) {
		if f, err := strconv.ParseFloat(Text(n.raw), 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			*to = f
			return nil
		}
	}
	return n.fail("expected a number")
}

// setBoost takes a number that multiplies scores, or the text of one. Scores have 32 bits.
func (n *node) setBoost(to *float64) error {
	if err := n.setFloat(to); err != nil {
		return err
	}
	switch {
	case *to < 0:
		return n.fail("must not be negative")
	case *to > math.MaxFloat32:
		return n.fail("must be at most %g", math.MaxFloat32)
	}
	return nil
}

// setInt takes a whole number of at least least that fits 32 bits, or the text of one.
func (n *node) setInt(to *int, least int) error {
	var f float64
	if err := n.setFloat(&f); err != nil {
		return err
	}
	if f != math.Trunc(f) || f < float64(least) || f > math.MaxInt32 {
		return n.fail("expected a whole number of at least %d", least)
	}
	*to = int(f)
	return nil
}

// setWord takes one of the words; their case does not matter.
func (n *node) setWord(to *string, words ...string) error {
	var text string
	if err := n.setText(&text); err != nil {
		return err
	}
	for _, word := range words {
		if strings.EqualFold(text, word) {
			*to = word
			return nil
		}
	}
	return n.fail("expected one of %s", strings.Join(words, ", "))
}

// Text gives a text, a number or a boolean of a query as Elasticsearch reads it where it wants a text.
func Text(v jsontext.Value) string {
	if len(v) == 0 || v[0] != '"' {
		return string(v)
	}
	if inner := v[1 : len(v)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	b, err := jsontext.AppendUnquote(nil, v)
	if err != nil { // not reached: the value was read before
		return ""
	}
	return string(b)
}
