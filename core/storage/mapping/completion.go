package mapping

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/analysis"
)

const (
	// completionAnalyzer is the analyzer of a Completion whose mapping names none.
	completionAnalyzer = "simple"
	// usualInput is MaxInput where the mapping says nothing.
	usualInput = 50
	// separator stands between the words of a completed text.
	separator = 0x1f
	// textEnd stands behind the words of a text in a term.
	textEnd = 0
	// maxPaths is how many sequences of words the analyzer may make of a text: words at one place multiply.
	maxPaths = 1024
	// maxPathBytes is about how many bytes they may have together.
	maxPathBytes = 1 << 22
)

// reserved are the characters that a text cannot hold, as in Elasticsearch.
const reserved = "\x00\x1e\x1f"

var (
	errPaths        = fmt.Errorf("its analyzer gives more than %d sequences of words", maxPaths)
	errNoCompletion = errors.New("expected a text, or an object with input and weight")
)

func setCompletionAnalyzer(f *Field, v jsontext.Value) error {
	name, err := text(v)
	if f.Analyzer = name; name == completionAnalyzer {
		f.Analyzer = ""
	}
	return err
}

func setMaxInput(f *Field, v jsontext.Value) (err error) {
	if f.MaxInput, err = count(v); err == nil && f.MaxInput == 0 {
		err = errors.New("expected a whole number of at least 1")
	}
	return err
}

func getMaxInput(f *Field) string {
	if f.MaxInput == usualInput {
		return ""
	}
	return strconv.Itoa(f.MaxInput)
}

// completion reads raw, a text or {input, weight}, as values of f.
func (r *reader) completion(f *Field, raw jsontext.Value, group int) error {
	var err error
	switch raw[0] {
	case 'n':
		return nil
	case '"':
		err = r.complete(f, raw, 1, group)
	case '{':
		err = r.completionObject(f, raw, group)
	default:
		err = errNoCompletion
	}
	if err != nil {
		return malformed(f, raw, err.Error())
	}
	return nil
}

// noCompletion refuses what cannot stand in a list of values of f, null among them.
func (r *reader) noCompletion(f *Field) error {
	raw, err := r.raw()
	if err != nil {
		return err
	}
	return malformed(f, raw, errNoCompletion.Error())
}

func (r *reader) completionObject(f *Field, raw jsontext.Value, group int) error {
	list, err := members(raw)
	if err != nil {
		return err
	}
	weight := uint32(1)
	var inputs []jsontext.Value
	for _, m := range list {
		switch m.name {
		case "weight":
			weight, err = completionWeight(m.raw)
		case "input":
			inputs, err = completionInputs(m.raw)
		case "contexts":
			err = errors.New("contexts are not supported yet")
		default:
			err = fmt.Errorf("unknown field name %q, expected input and weight", shortenText(m.name))
		}
		if err != nil {
			return err
		}
	}
	for _, input := range inputs {
		if err := r.complete(f, input, weight, group); err != nil {
			return err
		}
	}
	return nil
}

func completionWeight(raw jsontext.Value) (uint32, error) {
	plain := string(raw)
	if raw.Kind() == '"' {
		plain, _ = text(raw)
	}
	n, err := strconv.ParseInt(plain, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt32 {
		return 0, fmt.Errorf("weight must be a whole number from 0 to %d", math.MaxInt32)
	}
	return uint32(n), nil
}

func completionInputs(raw jsontext.Value) ([]jsontext.Value, error) {
	list := []jsontext.Value{raw}
	if raw.Kind() == '[' {
		var err error
		if list, err = elements(raw); err != nil {
			return nil, err
		}
	}
	for _, item := range list {
		if item.Kind() != '"' {
			return nil, errors.New("input must be a text or a list of texts")
		}
	}
	return list, nil
}

// complete adds a text that can be completed to: a term for each sequence of words that the analyzer makes of it.
func (r *reader) complete(f *Field, raw jsontext.Value, weight uint32, group int) error {
	input := r.unquote(raw)
	if i := bytes.IndexAny(input, reserved); i >= 0 {
		return fmt.Errorf("the text has the character %#x, which is reserved", input[i])
	}
	input = firstUnits(input, f.MaxInput)
	paths, err := f.CompletionPaths(&r.out.budget, f.analyzer, input)
	if err != nil {
		return err
	}
	if len(r.out.Values)+len(paths) > maxValues {
		return errors.New("the document has too many values")
	}
	for _, path := range paths {
		if len(path)+len(input)+5 > maxTerm {
			return errTerm
		}
		from := len(r.arena)
		r.arena = append(append(r.arena, path...), textEnd)
		r.arena = append(binary.BigEndian.AppendUint32(r.arena, weight), input...)
		r.out.Values = append(r.out.Values, Value{Field: f, Group: group, Text: r.arena[from:len(r.arena):len(r.arena)]})
	}
	return nil
}

// firstUnits gives the beginning of a text with about so many UTF-16 units; it ends behind a whole character.
func firstUnits(text []byte, most int) []byte {
	if len(text) <= most {
		return text
	}
	n := 0
	for i := 0; i < len(text); {
		c, size := utf8.DecodeRune(text[i:])
		if n >= most {
			return text[:i]
		}
		if n++; c > 0xffff {
			n++
		}
		i += size
	}
	return text
}

// Completed takes a term of a Completion apart: the words of a text, the text, and its weight. ok is false for what is no such
// term.
func Completed(term []byte) (path, text []byte, weight uint32, ok bool) {
	path, rest, ok := bytes.Cut(term, []byte{textEnd})
	if !ok || len(rest) < 4 {
		return nil, nil, 0, false
	}
	return path, rest[4:], binary.BigEndian.Uint32(rest), true
}

// CompletionPaths gives the sequences of words that an analyzer makes of a text, as terms of a Completion begin with them; none when
// there is no word in it. Words that were left out are empty ones. They mean nothing when b is used up then.
func (f *Field) CompletionPaths(b *analysis.Budget, a *analysis.Analyzer, text []byte) ([][]byte, error) {
	tokens, end := a.Words(b, text, nil)
	if len(tokens) == 0 {
		return nil, nil
	}
	paths := [][]byte{nil}
	next := uint32(0) // the first position that the paths have not reached
	for len(tokens) > 0 {
		position, alike := tokens[0].Position, 1
		for alike < len(tokens) && tokens[alike].Position == position {
			alike++
		}
		if n := len(paths) * alike; n > maxPaths || alike > 1 && n*len(text) > maxPathBytes {
			return nil, errPaths
		}
		between := f.between(int(position-next), next > 0)
		longer := make([][]byte, 0, len(paths)*alike)
		for _, path := range paths {
			for _, t := range tokens[:alike] {
				if !b.Take(len(path) + len(between) + len(t.Term)) {
					return nil, b.Err()
				}
				longer = append(longer, slices.Concat(path, between, t.Term))
			}
		}
		paths, next, tokens = longer, position+1, tokens[alike:]
	}
	if end > next && f.KeepHoles {
		for i, path := range paths {
			paths[i] = append(path, f.between(int(end-next), false)...)
		}
	}
	return paths, nil
}

// between gives what stands before a word that some words were left out before.
func (f *Field) between(left int, follows bool) []byte {
	if !f.KeepSeparators {
		return nil
	}
	if !f.KeepHoles {
		left = 0
	}
	if follows {
		left++
	}
	return bytes.Repeat([]byte{separator}, left)
}
