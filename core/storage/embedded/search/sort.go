package search

import (
	"bytes"
	"cmp"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/core/storage/query/dates"
)

// kind is how the values of a sort key are compared.
type kind uint8

const (
	byInt kind = iota
	byFloat
	byText
)

// key is one key of a sort, compiled for one target.
type key struct {
	query.Sort
	kind kind
	// field is nil for what is no field: the score, the position, the id, and a field without a mapping.
	field *mapping.Field
	typ   mapping.Type
	// missing stands for the value of a document without one.
	missing value
}

// value is what a document is sorted by. Values of one key are comparable over all targets.
type value struct {
	// number is, of a float, its bits in an order that is that of the numbers.
	number int64
	text   []byte
	// null is a missing text.
	null bool
}

// relevance is the order of a search that does not say: by score, the best first.
var relevance = []query.Sort{{Field: query.ByScore, Desc: true}}

// sortKeys compiles a sort.
func (t *target) sortKeys(sorts []query.Sort) ([]*key, error) {
	keys := make([]*key, len(sorts))
	for i, s := range sorts {
		k := &key{Sort: s}
		var err error
		switch {
		case s.Distance != nil:
			err = k.resolveDistance(t.Mapping)
		case s.Field == query.ByScore:
			k.kind, k.typ = byFloat, mapping.Float
		case s.Field == query.ByPosition:
			k.kind, k.typ = byInt, mapping.Long
		case s.Field == idField:
			k.kind, k.typ = byText, mapping.Keyword
		default:
			err = k.resolve(t.Mapping)
		}
		if err != nil {
			return nil, err
		}
		keys[i] = k
	}
	return keys, nil
}

// resolve finds the field of a key and what stands for missing values.
func (k *key) resolve(m *mapping.Mapping) error {
	k.field = m.Resolve(k.Field)
	if k.field != nil && (k.field.Type == mapping.Object || k.field.Type == mapping.Nested) {
		k.field = nil
	}
	if k.field != nil {
		k.typ = k.field.Type
		if k.field.Nested != "" {
			return refuse("it is mandatory to set the [nested] context on the nested sort field: [%s].", k.Field)
		}
	} else if err := k.unmapped(); err != nil {
		return err
	}
	if err := k.check(); err != nil {
		return err
	}
	switch t := k.typ; {
	case t.Floating():
		k.kind = byFloat
	case t.Exact() || t == mapping.Text:
		k.kind = byText
	}
	if k.kind == byText && (k.Mode == "sum" || k.Mode == "avg" || k.Mode == "median") {
		return refuse("we only support AVG, MEDIAN and SUM on number based fields")
	}
	return k.setMissing()
}

// unmapped takes the type that the query gives to a field without a mapping.
func (k *key) unmapped() error {
	if k.UnmappedType == "" {
		return refuse("No mapping found for [%s] in order to sort on", k.Field)
	}
	for t := mapping.Keyword; t < mapping.IntegerRange; t++ {
		if t.String() == k.UnmappedType {
			k.typ = t
			return nil
		}
	}
	return refuse("No mapper found for type [%s]", k.UnmappedType)
}

// check refuses types that have no order.
func (k *key) check() error {
	switch {
	case k.typ == mapping.GeoPoint:
		return refuse("can't sort on geo_point or point field without using specific sorting feature, like geo_distance")
	case k.typ == mapping.DenseVector || k.typ == mapping.GeoShape:
		return refuse("Field [%s] of type [%s] doesn't support sort", k.Field, k.typ)
	case k.typ == mapping.Text && (k.field == nil || !k.field.Fielddata):
		return refuse("Fielddata is disabled on [%s]. Text fields are not optimised for operations that require per-document "+
			"field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field "+
			"instead. Alternatively, set fielddata=true on [%s].", k.Field, k.Field)
	case k.typ.Range():
		return refuse("Can't sort on [%s], which is of type [%s]: ranges have no order.", k.Field, k.typ)
	case k.typ == mapping.Binary || k.field != nil && k.typ != mapping.Text && !k.field.DocValues:
		return refuse("Can't load fielddata on [%s] because fielddata is unsupported on fields of type [%s]. Use doc values instead.", k.Field, k.typ)
	}
	return nil
}

// setMissing takes the value for documents without one, by default one that is last in the order.
func (k *key) setMissing() error {
	first := k.MissingFirst != k.Desc // first in ascending order
	switch {
	case k.Missing != nil:
		v, err := k.parseMissing()
		if err != nil {
			return refuseValue(&mapping.Field{Path: k.Field, Type: k.typ}, k.Missing, err.Error())
		}
		k.missing = v
	case k.kind == byText:
		k.missing = value{null: true}
	case k.kind == byFloat && first:
		k.missing.number = orderedBits(math.Inf(-1))
	case k.kind == byFloat:
		k.missing.number = orderedBits(math.Inf(1))
	case first:
		k.missing.number = math.MinInt64
	default:
		k.missing.number = math.MaxInt64
	}
	return nil
}

// parseMissing reads the value for documents without one, which for booleans must be a number.
func (k *key) parseMissing() (value, error) {
	if k.typ == mapping.Boolean {
		return parseInt(query.Text(k.Missing))
	}
	return k.parse(k.Missing)
}

// parse reads a value as Elasticsearch reads those of search_after. null is a document without a value, for numbers too: clients
// that page by what they see in the documents know no better.
func (k *key) parse(v jsontext.Value) (value, error) {
	text := query.Text(v)
	switch {
	case v.Kind() == 'n' && (k.Field == query.ByScore || k.Field == query.ByPosition):
		return value{}, errNumber
	case v.Kind() == 'n':
		return k.missing, nil
	case k.kind == byText && k.typ == mapping.IP:
		address, err := ipOf(v)
		return value{text: address}, err
	case k.kind == byText:
		return value{text: []byte(text)}, nil
	case k.kind == byFloat:
		return k.parseFloat(text)
	case k.typ == mapping.Boolean && v.Kind() != '0':
		n, err := booleanOf(v)
		return value{number: n}, err
	case k.typ == mapping.UnsignedLong:
		return parseUnsigned(text)
	}
	return parseInt(text)
}

func (k *key) parseFloat(text string) (value, error) {
	switch text {
	case "Infinity":
		return value{number: orderedBits(math.Inf(1))}, nil
	case "-Infinity":
		return value{number: orderedBits(math.Inf(-1))}, nil
	}
	x, err := parseFloat(text)
	if k.typ.Single() {
		x = float64(float32(x))
	}
	return value{number: orderedBits(x)}, err
}

// parseInt cuts off a fraction, and goes to the nearest number that there is.
func parseInt(text string) (value, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return value{number: n}, nil
	}
	x, err := parseFloat(text)
	switch {
	case err != nil:
		return value{}, err
	case x >= 1<<63:
		return value{number: math.MaxInt64}, nil
	case x <= -1<<63:
		return value{number: math.MinInt64}, nil
	}
	return value{number: int64(x)}, nil
}

// after reads the values of search_after.
func (t *target) after(keys []*key, values []jsontext.Value) ([]value, error) {
	list := make([]value, len(keys))
	for i, k := range keys {
		if k.typ == mapping.Date && values[i].Kind() == '"' {
			n, _, err := query.DatesOf(k.Field, values[i], t.now, k.dateFormat())
			if err == nil {
				list[i].number = n
				continue
			}
		}
		v, err := k.parse(values[i])
		if err != nil {
			return nil, refuse("Failed to parse search_after value for field [%s]: %v", k.Field, err)
		}
		list[i] = v
	}
	return list, nil
}

// dateFormat is the format of a key of dates; without a mapping it is the default.
func (k *key) dateFormat() *dates.Format {
	if k.field != nil {
		return k.field.DateFormat()
	}
	return defaultDates
}

var defaultDates = compileDates(dates.Default)

// compare gives the order of two values in the direction of the key.
func (k *key) compare(a, b value) int {
	c := 0
	switch {
	case k.kind != byText:
		c = cmp.Compare(a.number, b.number)
	case a.null || b.null:
		c = one(a.null) - one(b.null)
		if k.MissingFirst {
			c = -c
		}
		return c
	default:
		c = bytes.Compare(a.text, b.text)
	}
	if k.Desc {
		return -c
	}
	return c
}

// orderedBits gives the bits of a float in an order that is that of the numbers.
func orderedBits(x float64) int64 {
	bits := int64(math.Float64bits(x)) //nolint:gosec // the bits as they are
	if bits < 0 {
		bits ^= math.MaxInt64
	}
	return bits
}

func fromOrderedBits(bits int64) float64 {
	if bits < 0 {
		bits ^= math.MaxInt64
	}
	return math.Float64frombits(uint64(bits)) //nolint:gosec // the bits as they are
}

// json gives a value as Elasticsearch answers it.
func (k *key) json(v value) jsontext.Value {
	switch {
	case v.null:
		return jsontext.Value("null")
	case k.typ == mapping.UnsignedLong:
		return strconv.AppendUint(nil, mapping.Unshift(v.number), 10)
	case k.kind == byInt:
		return strconv.AppendInt(nil, v.number, 10)
	case k.kind == byText && k.typ == mapping.IP:
		return quote(ipText(v.text))
	case k.kind == byText:
		return quote(string(v.text))
	}
	x := fromOrderedBits(v.number)
	switch {
	case math.IsInf(x, 1):
		return jsontext.Value(`"Infinity"`)
	case math.IsInf(x, -1):
		return jsontext.Value(`"-Infinity"`)
	}
	size := 64
	if k.typ.Single() {
		size = 32
	}
	text := strconv.FormatFloat(x, 'g', -1, size)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return jsontext.Value(text)
}

func quote(s string) jsontext.Value {
	b, err := jsontext.AppendQuote(nil, s)
	if err != nil { // not reached for what was indexed: keywords are valid UTF-8
		return jsontext.Value(`""`)
	}
	return b
}
