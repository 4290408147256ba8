package mapping

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/query/dates"
)

// Options are what a mapping says about a field beside its type.
type Options struct {
	// Index makes the field searchable, DocValues sortable and aggregatable, Store retrievable by itself.
	Index, DocValues, Store bool
	// Coerce lets a number be given as a text, and cuts fractions off whole numbers.
	Coerce bool
	// IgnoreMalformed drops a value that does not fit instead of refusing the document.
	IgnoreMalformed bool
	// IgnoreAbove is the most UTF-16 units a keyword may have; longer ones are dropped.
	IgnoreAbove int
	// Normalizer names what changes keywords before they are indexed and looked for, empty for nothing.
	Normalizer string
	// Analyzer and SearchAnalyzer name analyzers of a text. Empty stands for the default; see IndexAnalyzer.
	Analyzer, SearchAnalyzer string
	// KeepSeparators tells the words of a Completion apart, KeepHoles where it left out words. MaxInput is how many UTF-16 units of
	// a text it keeps.
	KeepSeparators, KeepHoles bool
	MaxInput                  int
	// Norms weighs matches in a text by its length.
	Norms bool
	// Fielddata makes a text sortable and aggregatable by its words. EagerGlobalOrdinals is a hint.
	Fielddata, EagerGlobalOrdinals bool
	// NullValue is the JSON of the value that null stands for, empty when null is no value.
	NullValue string
	// ScalingFactor is what a ScaledFloat is multiplied by before it is rounded to a whole number.
	ScalingFactor float64
	// DepthLimit is how deep objects may stand in a Flattened. SplitQueries splits texts that it is searched for at blanks.
	DepthLimit   int
	SplitQueries bool
	// Dims is how many numbers a DenseVector has. Bytes says that they are whole ones of 8 bits. Similarity names how two of them are
	// compared, and IndexOptions is the JSON of what Elasticsearch makes of its index; both are empty for the default.
	Dims       int
	Bytes      bool
	Similarity string
	// IndexOptions is the JSON of what Elasticsearch keeps in the index of a text too, and TermVector what beside it; neither
	// changes an answer.
	IndexOptions, TermVector string
	// Left says that the outer rings of a GeoShape go round with the clock, FlattenHeights that heights are passed over.
	Left, FlattenHeights bool
	// Format is the format of dates, empty for dates.Default.
	Format string
	// Target is the path of the field that an alias stands for.
	Target string
	// Meta is what the user wrote to the field, a JSON object of texts, or empty.
	Meta string
	// Dynamic is what the mapping says; see Unmapped.
	Dynamic Dynamic
	// Disabled makes the object a value that is stored only.
	Disabled bool

	saysEnabled bool
}

// noLimit is IgnoreAbove where the mapping says nothing.
const noLimit = math.MaxInt32

// defaults are the options of a field whose mapping names none.
func defaults(t Type) Options {
	o := Options{IgnoreAbove: noLimit, DepthLimit: usualDepth}
	if !t.object() && t != Binary && t != Alias {
		o.Index, o.DocValues = true, t != Text && t != Completion
	}
	if t == Completion {
		o.KeepSeparators, o.KeepHoles, o.MaxInput = true, true, usualInput
	}
	o.Coerce = t.Whole() || t.Floating() || t.Range()
	o.Norms, o.FlattenHeights = t == Text, t == GeoShape
	return o
}

// types is a set of types.
type types uint32

func of(list ...Type) types {
	var set types
	for _, t := range list {
		set |= 1 << t
	}
	return set
}

func (s types) has(t Type) bool { return s>>t&1 == 1 }

// option is an option of fields that are no objects.
type option struct {
	name  string
	types types
	// fixed options keep the value of the first mapping.
	fixed bool
	set   func(f *Field, v jsontext.Value) error
	// get gives the JSON of the value, "" when it is the default.
	get func(f *Field) string
}

// options lists all that is supported, in the order in which it is written. fields, the sub-fields, is read by the parser.
var options = func() []option {
	numbers := of(Long, Integer, Short, Byte, Double, Float, HalfFloat, ScaledFloat)
	exact := numbers | of(Keyword, Boolean, Date, IP, GeoPoint, UnsignedLong)
	ranges := of(IntegerRange, LongRange, FloatRange, DoubleRange, DateRange, IPRange)
	return []option{
		{"element_type", of(DenseVector), true, setElementType, getElementType},
		{"dims", of(DenseVector), true, setDims, getDims},
		flag("index", exact|ranges|of(Text, Flattened, DenseVector, GeoShape), true, func(o *Options) *bool { return &o.Index }),
		flag("doc_values", exact|ranges|of(Flattened, GeoShape), true, func(o *Options) *bool { return &o.DocValues }),
		flag("store", exact|ranges|of(Text, Binary, GeoShape), true, func(o *Options) *bool { return &o.Store }),
		flag("coerce", numbers|ranges|of(GeoShape), false, func(o *Options) *bool { return &o.Coerce }),
		flag("ignore_malformed", exact&^of(Keyword)|of(GeoShape), false, func(o *Options) *bool { return &o.IgnoreMalformed }),
		flag("ignore_z_value", of(GeoShape), false, func(o *Options) *bool { return &o.FlattenHeights }),
		{"orientation", of(GeoShape), false, setOrientation, getOrientation},
		{"similarity", of(DenseVector), true, setSimilarity, func(f *Field) string { return quoteOr(f.Similarity) }},
		{"index_options", of(DenseVector), true, setIndexOptions, func(f *Field) string { return f.IndexOptions }},
		{"index_options", of(Text), true, setPostings, func(f *Field) string { return f.IndexOptions }},
		{"term_vector", of(Text), true, setTermVector, func(f *Field) string { return quoteOr(f.TermVector) }},
		{"position_increment_gap", of(Text), true, checkGap, func(*Field) string { return "" }},
		{"scaling_factor", of(ScaledFloat), true, setScalingFactor, getScalingFactor},
		{"depth_limit", of(Flattened), false, setDepthLimit, getDepthLimit},
		{"ignore_above", of(Keyword, Flattened), false, setIgnoreAbove, getIgnoreAbove},
		{"normalizer", of(Keyword), true, setNormalizer, func(f *Field) string { return quoteOr(f.Normalizer) }},
		{"analyzer", of(Text), true, setAnalyzer(func(o *Options) *string { return &o.Analyzer }), getAnalyzer},
		{"search_analyzer", of(Text), false, setAnalyzer(func(o *Options) *string { return &o.SearchAnalyzer }), getSearchAnalyzer},
		{"analyzer", of(Completion), true, setCompletionAnalyzer, getAnalyzer},
		{"search_analyzer", of(Completion), false, setAnalyzer(func(o *Options) *string { return &o.SearchAnalyzer }), getSearchAnalyzer},
		flag("preserve_separators", of(Completion), true, func(o *Options) *bool { return &o.KeepSeparators }),
		flag("preserve_position_increments", of(Completion), true, func(o *Options) *bool { return &o.KeepHoles }),
		{"max_input_length", of(Completion), false, setMaxInput, getMaxInput},
		flag("norms", of(Text), true, func(o *Options) *bool { return &o.Norms }),
		flag("fielddata", of(Text), false, func(o *Options) *bool { return &o.Fielddata }),
		flag("eager_global_ordinals", of(Text, Keyword, Flattened), false, func(o *Options) *bool { return &o.EagerGlobalOrdinals }),
		flag("split_queries_on_whitespace", of(Flattened), false, func(o *Options) *bool { return &o.SplitQueries }),
		{"format", of(Date, DateRange), true, setFormat, func(f *Field) string { return quoteOr(f.Format) }},
		{"null_value", exact | of(Flattened), true, setNullValue, func(f *Field) string { return f.NullValue }},
		{"path", of(Alias), false, setTarget, func(f *Field) string { return quoteOr(f.Target) }},
		{"meta", exact | ranges | of(Text, Binary, Flattened, DenseVector, Completion, GeoShape), false, setMeta, func(f *Field) string { return f.Meta }},
		{"copy_to", exact | of(Text), false, setCopyTo, getCopyTo},
	}
}()

func optionNamed(name string, t Type) *option {
	for i := range options {
		if o := &options[i]; o.name == name && o.types.has(t) {
			return o
		}
	}
	return nil
}

func flag(name string, types types, fixed bool, at func(*Options) *bool) option {
	return option{name, types, fixed, func(f *Field, v jsontext.Value) error {
		b, err := boolean(v)
		*at(&f.Options) = b
		return err
	}, func(f *Field) string {
		usual := defaults(f.Type)
		if b := *at(&f.Options); b != *at(&usual) {
			return strconv.FormatBool(b)
		}
		return ""
	}}
}

func setNormalizer(f *Field, v jsontext.Value) (err error) {
	f.Normalizer, err = text(v)
	return err
}

func setIgnoreAbove(f *Field, v jsontext.Value) (err error) {
	f.IgnoreAbove, err = count(v)
	return err
}

// count reads a number of something, or the text of one.
func count(v jsontext.Value) (int, error) {
	t := v
	if v.Kind() == '"' {
		s, err := text(v)
		if err != nil {
			return 0, err
		}
		t = jsontext.Value(s)
	}
	n, fraction, err := wholePart(t)
	if err != nil || fraction || n < 0 || n > noLimit {
		return 0, errors.New("expected a whole number of at least 0")
	}
	return int(n), nil
}

func getIgnoreAbove(f *Field) string {
	if f.IgnoreAbove == noLimit {
		return ""
	}
	return strconv.Itoa(f.IgnoreAbove)
}

// setPostings takes what changes no answer: without frequencies and positions scores were others, and phrases not found.
func setPostings(f *Field, v jsontext.Value) error {
	word, err := text(v)
	switch {
	case err != nil:
		return err
	case word == "positions": // the default
	case word == "offsets":
		f.IndexOptions = `"offsets"`
	case word == "docs" || word == "freqs":
		return fmt.Errorf("%s is not supported, since phrases need positions: leave it out, or use positions or offsets", word)
	default:
		return errors.New("expected positions or offsets")
	}
	return nil
}

// termVectors are what Elasticsearch can keep of a document's words.
var termVectors = []string{
	"no", "yes", "with_positions", "with_offsets", "with_positions_offsets", "with_positions_payloads", "with_positions_offsets_payloads",
}

func setTermVector(f *Field, v jsontext.Value) error {
	word, err := text(v)
	if err != nil {
		return err
	}
	if !slices.Contains(termVectors, word) {
		return fmt.Errorf("expected one of %s", strings.Join(termVectors, ", "))
	}
	if f.TermVector = word; word == "no" {
		f.TermVector = ""
	}
	return nil
}

// checkGap takes what lies between two values of a text anyway.
func checkGap(_ *Field, v jsontext.Value) error {
	if n, err := count(v); err != nil || n != analysis.Gap {
		return fmt.Errorf("only %d is supported, which it is without this option too", analysis.Gap)
	}
	return nil
}

func setFormat(f *Field, v jsontext.Value) error {
	spec, err := text(v)
	if err != nil {
		return err
	}
	if f.format, err = dates.Compile(spec); err != nil {
		return err
	}
	if f.Format = spec; spec == dates.Default {
		f.Format = ""
	}
	return nil
}

// setNullValue keeps the value; the parser checks it when all options are known.
func setNullValue(f *Field, v jsontext.Value) error {
	f.NullValue = string(v)
	if v.Kind() == 'n' {
		f.NullValue = ""
	}
	return nil
}

func setTarget(f *Field, v jsontext.Value) error {
	var err error
	f.Target, err = text(v)
	return err
}

func setMeta(f *Field, v jsontext.Value) error {
	list, err := members(v)
	if err != nil || len(list) > 5 {
		return errors.New("expected an object of at most 5 texts")
	}
	slices.SortFunc(list, member.compare)
	dst := []byte{'{'}
	for i, m := range list {
		if m.raw.Kind() != '"' || len(m.name) > 20 || len(m.raw) > 52 {
			return fmt.Errorf("%q: expected a text of at most 50 bytes under a name of at most 20", m.name)
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(appendQuote(dst, m.name), ':'), m.raw...)
	}
	f.Meta = string(append(dst, '}'))
	return nil
}

func setCopyTo(f *Field, v jsontext.Value) error {
	list := []jsontext.Value{v}
	if v.Kind() == '[' {
		var err error
		if list, err = elements(v); err != nil {
			return err
		}
	}
	if len(list) > maxFields {
		return fmt.Errorf("expected at most %d paths", maxFields)
	}
	f.CopyTo = nil
	for _, item := range list {
		path, err := text(item)
		if err == nil {
			_, err = parts(path)
		}
		if err != nil {
			return err
		}
		f.CopyTo = append(f.CopyTo, path)
	}
	return nil
}

func getCopyTo(f *Field) string {
	if len(f.CopyTo) == 0 {
		return ""
	}
	dst := []byte{'['}
	for i, path := range f.CopyTo {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendQuote(dst, path)
	}
	return string(append(dst, ']'))
}

func boolean(v jsontext.Value) (bool, error) {
	switch string(v) {
	case `true`, `"true"`:
		return true, nil
	case `false`, `"false"`:
		return false, nil
	}
	return false, errors.New("expected true or false")
}

func text(v jsontext.Value) (string, error) {
	if v.Kind() != '"' {
		return "", errors.New("expected a text")
	}
	b, err := jsontext.AppendUnquote(nil, v)
	return string(b), err
}

func quoteOr(s string) string {
	if s == "" {
		return ""
	}
	return string(appendQuote(nil, s))
}

// appendQuote adds s, which came out of valid JSON, as a JSON text.
func appendQuote(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}
