package mapping

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query"
)

// The similarities, by the names that mappings use. The first is the default.
const (
	Cosine          = "cosine"
	DotProduct      = "dot_product"
	L2Norm          = "l2_norm"
	MaxInnerProduct = "max_inner_product"
)

var similarities = []string{Cosine, DotProduct, L2Norm, MaxInnerProduct}

// How far the square of the length of a vector may be from 1: unitSlack for one that must be of length 1, and nearUnit for one that
// is not worth scaling to it. They are Elasticsearch's.
const (
	unitSlack = 1e-4
	nearUnit  = 1e-6
)

var (
	errNumbers   = errors.New("expected a list of numbers")
	errMagnitude = errors.New("the cosine similarity does not support vectors with zero magnitude")
	errUnit      = errors.New("the dot_product similarity can only be used with unit-length vectors")
	errExtreme   = errors.New("its numbers are too extreme to fit within a float")
	errTwice     = errors.New("the document has more than one value for it")
)

// Measure names how two vectors of a DenseVector are compared.
func (f *Field) Measure() string {
	if f.Similarity == "" {
		return Cosine
	}
	return f.Similarity
}

// Vector checks a vector that is to be compared with those of the field, and gives the one to compare: for the similarity
// cosine it has the length 1.
func (f *Field) Vector(numbers []float32) ([]float32, error) {
	if len(numbers) != f.Dims {
		return nil, fmt.Errorf("it has %d dimensions where the mapping of the field has %d", len(numbers), f.Dims)
	}
	square := float32(0)
	for i, x := range numbers {
		if err := f.checkNumber(x, i); err != nil {
			return nil, err
		}
		square += x * x
	}
	switch {
	case math.IsInf(float64(square), 0):
		return nil, errExtreme
	case !f.Index:
		return numbers, nil
	case f.Measure() == Cosine && square == 0:
		return nil, errMagnitude
	case f.Measure() == DotProduct && !f.Bytes && math.Abs(float64(square)-1) > unitSlack:
		return nil, errUnit
	case f.Measure() == Cosine && math.Abs(float64(square)-1) > nearUnit:
		return scaled(numbers, 1/math.Sqrt(float64(square))), nil
	}
	return numbers, nil
}

func (f *Field) checkNumber(x float32, i int) error {
	switch {
	case math.IsInf(float64(x), 0):
		return errExtreme
	case !f.Bytes:
	case x != float32(math.Trunc(float64(x))):
		return fmt.Errorf("element_type [byte] vectors only support non-decimal values but found decimal value [%v] at dim [%d]", x, i)
	case x < math.MinInt8 || x > math.MaxInt8:
		return fmt.Errorf("element_type [byte] vectors only support integers between [-128, 127] but found [%v] at dim [%d]", x, i)
	}
	return nil
}

func scaled(numbers []float32, factor float64) []float32 {
	unit := make([]float32, len(numbers))
	for i, x := range numbers {
		unit[i] = float32(float64(x) * factor)
	}
	return unit
}

// AppendVector adds the numbers of a vector as bytes, four for each.
func AppendVector(dst []byte, numbers []float32) []byte {
	for _, x := range numbers {
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(x))
	}
	return dst
}

// VectorOf appends the numbers that AppendVector wrote.
func VectorOf(dst []float32, b []byte) []float32 {
	for ; len(b) >= 4; b = b[4:] {
		dst = append(dst, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return dst
}

// vectorPlace is a field of a nested document.
type vectorPlace struct {
	field *Field
	group int
}

// vector reads the vector that comes next, of which a document may have one for each field.
func (r *reader) vector(f *Field, group int) error {
	raw, err := r.raw()
	if err != nil {
		return err
	}
	if raw[0] == 'n' {
		return nil
	}
	if err := r.putVector(f, raw, group); err != nil {
		return malformed(f, raw, err.Error())
	}
	return nil
}

func (r *reader) putVector(f *Field, raw jsontext.Value, group int) error {
	at := vectorPlace{f, group}
	switch {
	case r.vectors[at]:
		return errTwice
	case len(r.out.Values) == maxValues:
		return errors.New("the document has too many values")
	}
	numbers, err := f.numbers(raw)
	if err != nil {
		return err
	}
	if numbers, err = f.Vector(numbers); err != nil {
		return err
	}
	if r.vectors == nil {
		r.vectors = map[vectorPlace]bool{}
	}
	r.vectors[at] = true
	from := len(r.arena)
	r.arena = AppendVector(r.arena, numbers)
	r.out.Values = append(r.out.Values, Value{Field: f, Group: group, Text: r.arena[from:len(r.arena):len(r.arena)]})
	return nil
}

// numbers reads a list of numbers, or the bytes of a text of hexadecimal digits.
func (f *Field) numbers(raw jsontext.Value) ([]float32, error) {
	if f.Bytes && raw[0] == '"' {
		plain, err := text(raw)
		if err != nil {
			return nil, err
		}
		return query.HexVector(plain)
	}
	if raw[0] != '[' {
		return nil, errNumbers
	}
	numbers := make([]float32, 0, f.Dims)
	for rest := bytes.TrimSpace(raw[1 : len(raw)-1]); len(rest) > 0; {
		var item []byte
		item, rest, _ = bytes.Cut(rest, []byte{','})
		x, err := strconv.ParseFloat(string(bytes.TrimSpace(item)), 32)
		if err != nil && !errors.Is(err, strconv.ErrRange) { // what is out of range is infinite
			return nil, errNumbers
		}
		if len(numbers) == f.Dims {
			return nil, fmt.Errorf("it has more dimensions than the mapping of the field, which has %d", f.Dims)
		}
		numbers = append(numbers, float32(x))
	}
	return numbers, nil
}

// checkVector looks at what must fit together in the options of a DenseVector.
func (f *Field) checkVector() error {
	switch {
	case f.Dims == 0:
		return badOption(f.Path, "dims", "it is missing")
	case !f.Index && f.Similarity != "":
		return badOption(f.Path, "similarity", "the field is not indexed")
	case !f.Index && f.IndexOptions != "":
		return badOption(f.Path, "index_options", "the field is not indexed")
	case f.Bytes && strings.Contains(f.IndexOptions, "int8"):
		return badOption(f.Path, "index_options", "element_type cannot be byte with this type of index")
	}
	if f.Similarity == Cosine {
		f.Similarity = ""
	}
	if f.IndexOptions == usualIndex && !f.Bytes {
		f.IndexOptions = ""
	}
	return nil
}

func setDims(f *Field, v jsontext.Value) error {
	n, fraction, err := wholePart(v)
	if err != nil || v.Kind() != '0' || fraction || n < 1 || n > query.MaxDims {
		return fmt.Errorf("expected a whole number in the range [1, %d]", query.MaxDims)
	}
	f.Dims = int(n)
	return nil
}

func getDims(f *Field) string { return strconv.Itoa(f.Dims) }

func setElementType(f *Field, v jsontext.Value) error {
	word, err := text(v)
	switch {
	case err != nil:
		return err
	case word != "float" && word != "byte":
		return fmt.Errorf("invalid element_type [%s]; available types are [byte, float]", shortenText(word))
	}
	f.Bytes = word == "byte"
	return nil
}

func getElementType(f *Field) string {
	if f.Bytes {
		return `"byte"`
	}
	return ""
}

func setSimilarity(f *Field, v jsontext.Value) error {
	if v.Kind() == 'n' {
		return nil
	}
	word, err := text(v)
	if err != nil {
		return err
	}
	if slices.Contains(similarities, word) {
		f.Similarity = word
		return nil
	}
	return fmt.Errorf("unknown value [%s] - accepted values are [%s]", shortenText(word), strings.Join(similarities, ", "))
}

// usualIndex is what Elasticsearch does with a vector whose mapping does not say.
const usualIndex = `{"type":"int8_hnsw","m":16,"ef_construction":100}`

// indexOptions are what the types of an index can have beside it.
var indexOptions = map[string][]string{
	"hnsw": {"m", "ef_construction"}, "int8_hnsw": {"m", "ef_construction", "confidence_interval"},
	"flat": nil, "int8_flat": {"confidence_interval"},
}

// setIndexOptions keeps what is said about the index of Elasticsearch, as that writes it. It changes no answer of the embedded
// engine, which compares with every vector.
func setIndexOptions(f *Field, v jsontext.Value) error {
	if v.Kind() == 'n' {
		return nil
	}
	list, err := members(v)
	if err != nil {
		return errors.New("expected an object")
	}
	values := map[string]string{"m": "16", "ef_construction": "100"}
	kind := ""
	if i := slices.IndexFunc(list, func(m member) bool { return m.name == "type" }); i >= 0 {
		if kind, err = text(list[i].raw); err != nil {
			return err
		}
	}
	known, ok := indexOptions[kind]
	switch {
	case kind == "":
		return errors.New("it has no type")
	case !ok:
		return fmt.Errorf("unknown type [%s]: it can be hnsw, int8_hnsw, flat or int8_flat", shortenText(kind))
	}
	for _, m := range list {
		if m.name == "type" {
			continue
		}
		if err := setIndexOption(known, m, values); err != nil {
			return err
		}
	}
	dst := `{"type":"` + kind + `"`
	for _, name := range known {
		if value := values[name]; value != "" {
			dst += `,"` + name + `":` + value
		}
	}
	f.IndexOptions = dst + "}"
	return nil
}

func setIndexOption(known []string, m member, values map[string]string) error {
	if !slices.Contains(known, m.name) {
		return fmt.Errorf("unknown option [%s]", shortenText(m.name))
	}
	_, fraction, err := wholePart(m.raw)
	if m.raw.Kind() != '0' || m.name != "confidence_interval" && (err != nil || fraction) {
		return fmt.Errorf("%s: expected a number", m.name)
	}
	values[m.name] = string(m.raw)
	return nil
}
