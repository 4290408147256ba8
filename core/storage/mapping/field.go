package mapping

import (
	"slices"
	"strings"

	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/query/dates"
)

// Type is what a field holds.
type Type uint8

// The types. Segments on disk hold their numbers: a new one comes last.
const (
	Object Type = iota
	Nested
	Keyword
	Text
	Long
	Integer
	Short
	Byte
	Double
	Float
	HalfFloat
	Boolean
	Date
	IP
	GeoPoint
	Binary
	Alias
	ScaledFloat
	UnsignedLong
	Flattened
	IntegerRange
	LongRange
	FloatRange
	DoubleRange
	DateRange
	IPRange
	DenseVector
	Completion
	GeoShape
)

var typeNames = [...]string{
	Object: "object", Nested: "nested", Keyword: "keyword", Text: "text", Long: "long", Integer: "integer", Short: "short", Byte: "byte",
	Double: "double", Float: "float", HalfFloat: "half_float", Boolean: "boolean", Date: "date", IP: "ip", GeoPoint: "geo_point",
	Binary: "binary", Alias: "alias", ScaledFloat: "scaled_float", UnsignedLong: "unsigned_long", Flattened: "flattened",
	IntegerRange: "integer_range", LongRange: "long_range", FloatRange: "float_range", DoubleRange: "double_range",
	DateRange: "date_range", IPRange: "ip_range", DenseVector: "dense_vector", Completion: "completion",
	GeoShape: "geo_shape",
}

// String gives the name that mappings use.
func (t Type) String() string { return typeNames[t] }

// Whole reports whether the values are whole numbers with a sign.
func (t Type) Whole() bool { return t >= Long && t <= Byte }

// Floating reports whether the values are floating-point numbers.
func (t Type) Floating() bool { return t >= Double && t <= HalfFloat || t == ScaledFloat }

// Single reports whether the values are floating-point numbers of 32 bits or fewer.
func (t Type) Single() bool { return t == Float || t == HalfFloat }

// Range reports whether the values are ranges.
func (t Type) Range() bool { return t >= IntegerRange && t <= IPRange }

// Exact reports whether the values are bytes that are indexed as they are: Value.Text.
func (t Type) Exact() bool {
	return t == Keyword || t == IP || t == Flattened || t == Completion || t.Range()
}

// alone reports whether the field has neither sub-fields nor a place among those of another, and is not copied.
func (t Type) alone() bool {
	return t.object() || t == Alias || t == Flattened || t == DenseVector || t == GeoShape || t.Range()
}

func (t Type) object() bool { return t == Object || t == Nested }

func typeNamed(name string) (Type, bool) {
	i := slices.Index(typeNames[:], name)
	return Type(max(i, 0)), i >= 0 //nolint:gosec // an index of a short list
}

// Dynamic says what becomes of members of an object that its mapping does not know.
type Dynamic uint8

// The modes.
const (
	Inherit Dynamic = iota // as the object around it
	Grow                   // "true": they are added to the mapping
	Ignore                 // "false": they are stored and not indexed
	Strict                 // "strict": the document is refused
)

var dynamicNames = [...]string{"", "true", "false", "strict"}

// String gives the word that mappings use, "" for Inherit.
func (d Dynamic) String() string { return dynamicNames[d] }

// Field is a field, a sub-field or an object of a mapping. It belongs to its Mapping and must not be changed; the same field
// of a mapping made from this one is another Field with the same Path.
type Field struct {
	// Name is the last part of Path. Both are empty for the root.
	Name, Path string
	Type       Type
	// Nested is the path of the nearest nested object around the field, "" when there is none.
	Nested string
	Options
	// Key is what the values of one key of a Flattened begin with, nil for every other field. Path is that of all keys.
	Key []byte
	// CopyTo lists the paths of the fields that get every value too.
	CopyTo []string

	// dynamic is Options.Dynamic after inheritance. It is never Inherit.
	dynamic Dynamic
	format  *dates.Format // of a Date
	null    *Value        // what null stands for
	keyed   *Field        // of a Flattened: what holds its values with their keys
	// analyzer is that of a Text or a Completion, and normalizer that of a Keyword, nil when there is none.
	analyzer   *analysis.Analyzer
	normalizer *analysis.Normalizer
	children   fieldSet // of an object
	subs       fieldSet // sub-fields
}

// Properties gives the members of an object in the order of their names.
func (f *Field) Properties() []*Field { return slices.Clone(f.children.list) }

// SubFields gives the sub-fields, which index every value in other ways, in the order of their names.
func (f *Field) SubFields() []*Field { return slices.Clone(f.subs.list) }

// Unmapped says what becomes of members of the object that are not mapped. It is never Inherit.
func (f *Field) Unmapped() Dynamic { return f.dynamic }

// DateFormat is the format of a Date, nil for every other type.
func (f *Field) DateFormat() *dates.Format { return f.format }

// Words is what takes the values of a Text or a Completion apart.
func (f *Field) Words() *analysis.Analyzer { return f.analyzer }

// IndexAnalyzer names the analyzer of a Text or a Completion.
func (f *Field) IndexAnalyzer() string {
	if f.Type == Completion && f.Analyzer == "" {
		return completionAnalyzer
	}
	return known(f.Analyzer)
}

// Normalize gives the keyword that is indexed for a text: text itself or memory of its own. It means nothing when b is used up then.
func (f *Field) Normalize(b *analysis.Budget, text []byte) []byte {
	if f.normalizer == nil {
		return text
	}
	return f.normalizer.Apply(b, text)
}

// QueryAnalyzer names the analyzer of the words that are looked for in a Text or a Completion.
func (f *Field) QueryAnalyzer() string {
	if f.SearchAnalyzer == "" {
		return f.IndexAnalyzer()
	}
	return known(f.SearchAnalyzer)
}

func known(analyzer string) string {
	if analyzer == "" {
		return defaultAnalyzer
	}
	return analyzer
}

// fieldSet is a list of fields with different names. While a mapping is built it is in no order; afterwards it is sorted.
type fieldSet struct {
	list   []*Field
	byName map[string]*Field
}

func (s *fieldSet) add(f *Field) {
	if s.byName == nil {
		s.byName = map[string]*Field{}
	}
	s.byName[f.Name] = f
	s.list = append(s.list, f)
}

func (s *fieldSet) replace(f *Field) {
	s.byName[f.Name] = f
	s.list[slices.IndexFunc(s.list, func(other *Field) bool { return other.Name == f.Name })] = f
}

func (s *fieldSet) sort() {
	slices.SortFunc(s.list, func(a, b *Field) int { return strings.Compare(a.Name, b.Name) })
}

// clone gives a field that can be changed, with everything below it.
func (f *Field) clone() *Field {
	c := *f
	c.children, c.subs = f.children.clone(), f.subs.clone()
	return &c
}

func (s *fieldSet) clone() fieldSet {
	c := fieldSet{list: make([]*Field, 0, len(s.list))}
	for _, f := range s.list {
		c.add(f.clone())
	}
	return c
}
