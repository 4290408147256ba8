package segment

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/vellum"
	"github.com/blevesearch/vellum/regexp"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/mapping"
)

// everyType has fields of every type, in and out of nested objects, with the options that change what is kept.
const everyType = `{
	"k":{"type":"keyword"}, "unique":{"type":"keyword"}, "long_k":{"type":"keyword","index":false}, "no_dv":{"type":"keyword","doc_values":false},
	"nothing":{"type":"keyword","doc_values":false,"index":false},
	"t":{"type":"text","fields":{"raw":{"type":"keyword"},"words":{"type":"text","analyzer":"stop","fielddata":true,"norms":false}}},
	"unsearched":{"type":"text","index":false},
	"l":{"type":"long"}, "i":{"type":"integer","index":false}, "s":{"type":"short","doc_values":false}, "b":{"type":"byte"},
	"d":{"type":"double"}, "f":{"type":"float"}, "h":{"type":"half_float"},
	"o":{"type":"boolean"}, "at":{"type":"date"}, "ip":{"type":"ip"}, "place":{"type":"geo_point"}, "v":{"type":"dense_vector","dims":5,"similarity":"l2_norm"},
	"shape":{"type":"geo_shape"},
	"n":{"type":"nested","properties":{
		"k":{"type":"keyword"}, "t":{"type":"text"}, "l":{"type":"long"}, "place":{"type":"geo_point"}, "v":{"type":"dense_vector","dims":3,"element_type":"byte","index":false}, "shape":{"type":"geo_shape"},
		"deep":{"type":"nested","properties":{"l":{"type":"long"},"d":{"type":"double"}}}}},
	"object":{"properties":{"k":{"type":"keyword"},"many":{"type":"nested","properties":{"t":{"type":"text","fielddata":true}}}}}
}`

// model is a document as it was read, in plain values that do not depend on an Entry.
type model struct {
	id       string
	position uint64
	text     string
	groups   []mapping.Group
	values   []mapping.Value
}

// content is what a segment of some models has to answer.
type content struct {
	models []model
	spaces map[string]*Space
	fields map[string]*fieldContent
}

type fieldContent struct {
	field   *mapping.Field
	present map[uint32]bool
	terms   map[string]map[uint32][]uint32 // positions by document
	ints    map[uint32][]int64
	floats  map[uint32][]float64
	shapes  map[uint32][]byte
	lengths map[uint32]uint32
	total   uint64
}

// expect numbers the documents of the models and gathers their values.
func expect(models []model) *content {
	c := &content{models: models, spaces: map[string]*Space{Root: {}}, fields: map[string]*fieldContent{}}
	for _, m := range models {
		numbers := make([]uint32, len(m.groups))
		for i, g := range m.groups {
			s := c.spaces[g.Path]
			if s == nil {
				s = &Space{ParentPath: m.groups[g.Parent].Path}
				c.spaces[g.Path] = s
			}
			numbers[i] = s.Len
			s.Len++
			if i > 0 {
				s.Parents = append(s.Parents, numbers[g.Parent])
			}
		}
		next := map[string]uint32{} // the position of the next value of a text
		for _, v := range m.values {
			c.value(v, numbers[v.Group], fmt.Sprint(v.Field.Path, v.Group), next)
		}
	}
	for _, f := range c.fields {
		for _, v := range f.ints {
			slices.Sort(v)
		}
		if f.field.Type != mapping.GeoPoint && f.field.Type != mapping.DenseVector {
			for _, v := range f.floats {
				slices.Sort(v)
			}
		}
	}
	return c
}

func (c *content) value(v mapping.Value, doc uint32, key string, next map[string]uint32) {
	if !v.Field.Index && (!v.Field.DocValues || v.Field.Type == mapping.Text) {
		return
	}
	f := c.fields[v.Field.Path]
	if f == nil {
		f = &fieldContent{
			field: v.Field, present: map[uint32]bool{}, terms: map[string]map[uint32][]uint32{},
			ints: map[uint32][]int64{}, floats: map[uint32][]float64{}, shapes: map[uint32][]byte{}, lengths: map[uint32]uint32{},
		}
		c.fields[v.Field.Path] = f
	}
	f.present[doc] = true
	term := func(text []byte, position uint32) {
		if f.terms[string(text)] == nil {
			f.terms[string(text)] = map[uint32][]uint32{}
		}
		f.terms[string(text)][doc] = append(f.terms[string(text)][doc], position)
	}
	switch t := v.Field.Type; {
	case t.Exact():
		if f.terms[string(v.Text)] == nil {
			f.terms[string(v.Text)] = map[uint32][]uint32{}
		}
		if _, again := f.terms[string(v.Text)][doc]; !again {
			f.total++
		}
		f.terms[string(v.Text)][doc] = nil
	case t == mapping.Text:
		a := v.Field.Words()
		base := next[key]
		for _, token := range a.Tokens(&analysis.Budget{}, v.Text, nil) {
			term(token.Term, base+token.Position)
			next[key] = base + token.Position + 1
			f.lengths[doc]++
			f.total++
		}
		next[key] += 100
	case t == mapping.GeoPoint:
		lat, lon := place(v.Point.Lat, v.Point.Lon)
		f.floats[doc] = append(f.floats[doc], lat, lon)
	case t.Floating():
		f.floats[doc] = append(f.floats[doc], v.Float)
	case t == mapping.GeoShape:
		f.shapes[doc] = append(f.shapes[doc], v.Text...)
	case t == mapping.DenseVector:
		for _, x := range mapping.VectorOf(nil, v.Text) {
			f.floats[doc] = append(f.floats[doc], float64(x))
		}
	default:
		f.ints[doc] = append(f.ints[doc], v.Int)
	}
}

// fill makes random documents, and adds them to a segment unless that is nil.
func fill(t testing.TB, m *mapping.Mapping, s *Memory, r *rand.Rand, first uint64, n int) []model {
	t.Helper()
	var models []model
	var doc mapping.Document
	var e Entry
	position := first
	for i := range n {
		text := randomObject(r, m.Root(), 0, int(first)+i)
		mod := model{id: fmt.Sprintf("id-%d-%d", first, i), position: position, text: text}
		if err := m.Fields(jsontext.Value(text), &doc); err != nil {
			t.Fatalf("Fields(%s): %v", text, err)
		}
		mod.groups = slices.Clone(doc.Groups)
		for _, v := range doc.Values {
			v.Text = bytes.Clone(v.Text)
			mod.values = append(mod.values, v)
		}
		models = append(models, mod)
		if err := e.Read(&doc); err != nil {
			t.Fatalf("Read(%s): %v", text, err)
		}
		s.Lock()
		if got := s.Add(&e, mod.id, position); got != uint32(i) {
			t.Fatalf("document %d got the number %d", i, got)
		}
		s.Unlock()
		position += 1 + uint64(r.IntN(3))
	}
	return models
}

var vocabulary = strings.Fields(`apple apply ape banana band bandit can cane canal the quick brown fox of jumps é東京 東 zebra zoo zo z over lazy`)

func randomObject(r *rand.Rand, f *mapping.Field, depth, serial int) string {
	var b strings.Builder
	b.WriteByte('{')
	for _, child := range f.Properties() {
		if r.IntN(3) == 0 {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		n := 1
		if r.IntN(4) == 0 {
			n = r.IntN(4)
		}
		if r.IntN(200) == 0 && depth == 0 {
			n = 150
		}
		var list []string
		if child.Type == mapping.DenseVector {
			n = 1
		}
		for range n {
			list = append(list, randomValue(r, child, depth, serial))
		}
		fmt.Fprintf(&b, "%q:", child.Name)
		if n == 1 {
			b.WriteString(list[0])
		} else {
			b.WriteString("[" + strings.Join(list, ",") + "]")
		}
	}
	b.WriteByte('}')
	return b.String()
}

func randomValue(r *rand.Rand, f *mapping.Field, depth, serial int) string {
	switch t := f.Type; {
	case t == mapping.Object || t == mapping.Nested:
		return randomObject(r, f, depth+1, serial)
	case t == mapping.Keyword && f.Name == "unique":
		return fmt.Sprintf(`"%08x-%d"`, r.Uint32(), serial)
	case t == mapping.Keyword && f.Name == "long_k" && r.IntN(20) == 0:
		return `"` + strings.Repeat("long", 8000) + fmt.Sprint(r.IntN(3)) + `"`
	case t == mapping.Keyword:
		return `"` + vocabulary[r.IntN(len(vocabulary))] + `"`
	case t == mapping.Text:
		var words []string
		for range r.IntN(12) {
			words = append(words, vocabulary[min(r.IntN(len(vocabulary)), r.IntN(len(vocabulary)))])
		}
		return `"` + strings.Join(words, " ") + `"`
	case t.Whole():
		return fmt.Sprint(r.IntN(100) - 50)
	case t.Floating():
		return fmt.Sprint(float64(r.IntN(1000))/8 - 20)
	case t == mapping.Boolean:
		return fmt.Sprint(r.IntN(2) == 0)
	case t == mapping.Date:
		return fmt.Sprint(r.Int64N(1 << 41))
	case t == mapping.GeoShape:
		west, south := r.IntN(170), r.IntN(80)
		return fmt.Sprintf(`"GEOMETRYCOLLECTION (POINT (%d %d), BBOX (%d, %d, %d, %d))"`, r.IntN(170), south, west, west+1+r.IntN(10), south+1+r.IntN(10), south)
	case t == mapping.DenseVector:
		numbers := make([]string, f.Dims)
		for i := range numbers {
			numbers[i] = fmt.Sprint(r.IntN(200) - 100)
		}
		return "[" + strings.Join(numbers, ",") + "]"
	case t == mapping.IP:
		return fmt.Sprintf(`"10.0.%d.%d"`, r.IntN(2), r.IntN(50))
	default:
		return fmt.Sprintf(`{"lat":%v,"lon":%v}`, r.IntN(181)-90, float64(r.IntN(3601))/10-180)
	}
}

// compare asks a segment for everything that it should know.
func compare(t testing.TB, s Segment, m *mapping.Mapping, models []model, r *rand.Rand) {
	t.Helper()
	c := expect(models)
	if int(s.Len()) != len(models) {
		t.Fatalf("%d documents, want %d", s.Len(), len(models))
	}
	for i, want := range models {
		doc := uint32(i)
		position, err := s.Position(doc)
		if id, failed := s.ID(doc); errors.Join(err, failed) != nil || id != want.id || position != want.position {
			t.Fatalf("document %d is %q at %d (%v), want %q at %d", i, id, position, errors.Join(err, failed), want.id, want.position)
		}
		if got, ok, err := s.At(want.position); !ok || got != doc || err != nil {
			t.Fatalf("At(%d) = %d, %v, %v", want.position, got, ok, err)
		}
		if i > 0 && models[i-1].position+1 < want.position {
			if got, ok, _ := s.At(want.position - 1); ok {
				t.Fatalf("At(%d) = %d, which another write made", want.position-1, got)
			}
		}
	}
	for _, path := range []string{Root, "n", "n.deep", "object.many", "object"} {
		compareSpace(t, s, path, c.spaces[path])
	}
	for f := range m.All() {
		got := field(t, s, f.Path)
		want := c.fields[f.Path]
		if want == nil {
			if got != nil && !got.Present.IsEmpty() {
				t.Errorf("there is a field %q", f.Path)
			}
			continue
		}
		if got == nil {
			t.Errorf("there is no field %q", f.Path)
			continue
		}
		compareField(t, got, want, c.spaces[f.Nested].Len, r)
	}
}

func compareSpace(t testing.TB, s Segment, path string, want *Space) {
	t.Helper()
	got, err := s.Space(path)
	if err != nil {
		t.Fatalf("Space(%q): %v", path, err)
	}
	if got == nil && want == nil {
		return
	}
	if got == nil || want == nil || got.Len != want.Len || got.ParentPath != want.ParentPath || !slices.Equal(got.Parents, want.Parents) {
		t.Fatalf("Space(%q) = %+v, want %+v", path, got, want)
	}
}

func compareField(t testing.TB, got *Field, want *fieldContent, n uint32, r *rand.Rand) {
	t.Helper()
	path := want.field.Path
	if docs := slices.Sorted(maps.Keys(want.present)); !slices.Equal(got.Present.ToArray(), docs) || got.Type != want.field.Type ||
		got.Space != want.field.Nested {
		t.Fatalf("%s: present in %v, want %v", path, got.Present.ToArray(), docs)
	}
	switch typ := got.Type; {
	case typ == mapping.GeoPoint:
		comparePoints(t, got, want, n)
	case typ.Floating():
		compareColumn(t, path, got.Floats, want.floats, n)
	case typ == mapping.GeoShape:
		compareShapes(t, got, want)
	case typ == mapping.DenseVector:
		compareVectors(t, got, want)
	case got.Terms == nil:
		compareColumn(t, path, got.Ints, want.ints, n)
	default:
		compareTerms(t, path, got.Terms, want.terms, r)
		compareOrds(t, got, want, n)
	}
	if (got.Lengths != nil) != (got.Type == mapping.Text && want.field.Norms) || got.TotalLength != want.total || int(got.Worded) != len(want.lengths) {
		t.Fatalf("%s: %d lengths, total %d, worded %d", path, len(got.Lengths), got.TotalLength, got.Worded)
	}
	for doc, code := range got.Lengths {
		if code != EncodeLength(want.lengths[uint32(doc)]) {
			t.Fatalf("%s: the length of %d is %d, want %d", path, doc, code, want.lengths[uint32(doc)])
		}
	}
}

func compareColumn[T int64 | float64 | uint32](t testing.TB, path string, c *Column[T], want map[uint32][]T, n uint32) {
	t.Helper()
	if c.Offsets == nil && len(c.Values) != int(n) || c.Offsets != nil && len(c.Offsets) != int(n)+1 {
		t.Fatalf("%s: %d offsets, %d values for %d documents", path, len(c.Offsets), len(c.Values), n)
	}
	type entry struct {
		v   T
		doc uint32
	}
	var order []entry
	for doc, values := range want {
		if !slices.Equal(c.Of(doc), values) {
			t.Fatalf("%s: document %d has %v, want %v", path, doc, c.Of(doc), values)
		}
		for _, v := range values {
			order = append(order, entry{v, doc})
		}
	}
	if c.Sorted == nil {
		return
	}
	sort.Slice(order, func(i, j int) bool {
		return order[i].v < order[j].v || order[i].v == order[j].v && order[i].doc < order[j].doc
	})
	if len(c.Sorted) != len(order) || len(c.Ranks) != len(order) {
		t.Fatalf("%s: %d and %d sorted, want %d", path, len(c.Sorted), len(c.Ranks), len(order))
	}
	for i, e := range order {
		if c.Sorted[i] != e.doc || c.Ranks[i] != e.v {
			t.Fatalf("%s: entry %d of the order is %d with %v, want %v", path, i, c.Sorted[i], c.Ranks[i], e)
		}
	}
}

func comparePoints(t testing.TB, got *Field, want *fieldContent, n uint32) {
	t.Helper()
	lat, lon := Column[float64]{Offsets: got.Points.Offsets, Values: got.Points.Lat}, Column[float64]{Offsets: got.Points.Offsets, Values: got.Points.Lon}
	lats, lons := map[uint32][]float64{}, map[uint32][]float64{}
	for doc, values := range want.floats {
		for i := 0; i < len(values); i += 2 {
			lats[doc], lons[doc] = append(lats[doc], values[i]), append(lons[doc], values[i+1])
		}
	}
	compareColumn(t, want.field.Path, &lat, lats, n)
	compareColumn(t, want.field.Path, &lon, lons, n)
	for _, b := range []Box{
		{-90, 90, -180, 180},
		{40, 50, 0, 10},
		{40, 50, 170, -170},
		{-90, -80, -180, 180},
		{10, 10, 20, 20},
		{0, 0, -180, -180},
		{-1, 1, 179.9, -179.9},
		{50, 40, 0, 10},
		{-90, 90, 0, -0.00000001},
		{89.9, 90, 179.9, 180},
	} {
		inside, edge := got.Points.Near(b)
		near := roaring.Or(inside, edge)
		for doc := range want.present {
			in := false
			for i := range lats[doc] {
				in = in || b.Has(lats[doc][i], lons[doc][i])
			}
			if in && !near.Contains(doc) || !in && inside.Contains(doc) {
				t.Fatalf("%s: that %d is in %v is %v, which its segment does not know", want.field.Path, doc, b, in)
			}
		}
		if extra := roaring.AndNot(near, got.Present); !extra.IsEmpty() {
			t.Fatalf("%s: %v have no place", want.field.Path, extra)
		}
	}
}

func compareShapes(t testing.TB, got *Field, want *fieldContent) {
	t.Helper()
	for i, doc := range slices.Sorted(maps.Keys(want.present)) {
		shape, err := got.Shapes.At(i)
		if err != nil || !bytes.Equal(shape.Append(nil), want.shapes[doc]) || got.Shapes.Boxes[i] != shape.Box() {
			t.Fatalf("%s: the shape of %d is %v in %v, %v", want.field.Path, doc, shape, got.Shapes.Boxes[i], err)
		}
	}
}

func compareVectors(t testing.TB, got *Field, want *fieldContent) {
	t.Helper()
	if got.Vectors.Dims != want.field.Dims || len(got.Vectors.Values) != len(want.present)*want.field.Dims {
		t.Fatalf("%s: %d numbers of %d dimensions", want.field.Path, len(got.Vectors.Values), got.Vectors.Dims)
	}
	for i, doc := range slices.Sorted(maps.Keys(want.present)) {
		for k, x := range got.Vectors.At(i) {
			if float64(x) != want.floats[doc][k] {
				t.Fatalf("%s: the vector of %d is %v, want %v", want.field.Path, doc, got.Vectors.At(i), want.floats[doc])
			}
		}
	}
}

func compareOrds(t testing.TB, got *Field, want *fieldContent, n uint32) {
	t.Helper()
	path := want.field.Path
	if (got.Ords != nil) != (got.Type == mapping.Text && want.field.Fielddata || got.Type != mapping.Text && want.field.DocValues) {
		t.Fatalf("%s: ordinals %v", path, got.Ords)
	}
	if got.Ords == nil {
		return
	}
	terms := map[uint32][]string{}
	for _, term := range slices.Sorted(maps.Keys(want.terms)) {
		for doc := range want.terms[term] {
			terms[doc] = append(terms[doc], term)
		}
	}
	for doc := range want.present {
		var list []string
		for _, ord := range got.Ords.Of(doc) {
			list = append(list, string(got.Terms.Term(ord)))
		}
		if !slices.Equal(list, terms[doc]) {
			t.Fatalf("%s: document %d has %q, want %q", path, doc, list, terms[doc])
		}
	}
	if n != uint32(len(got.Ords.Values)) && n+1 != uint32(len(got.Ords.Offsets)) {
		t.Fatalf("%s: the ordinals are not those of %d documents", path, n)
	}
}

func compareTerms(t testing.TB, path string, got Terms, want map[string]map[uint32][]uint32, r *rand.Rand) {
	t.Helper()
	sorted := slices.Sorted(maps.Keys(want))
	if got.Len() != len(sorted) {
		t.Fatalf("%s: %d terms, want %d", path, got.Len(), len(sorted))
	}
	for i, term := range sorted {
		ord, ok := got.Find([]byte(term))
		if !ok || string(got.Term(ord)) != term || got.Sorted() && ord != uint32(i) {
			t.Fatalf("%s: Find(%q) = %d, %v", path, term, ord, ok)
		}
		if _, ok := got.Find([]byte(term + "\x00")); ok {
			t.Fatalf("%s: a term is found that is not there", path)
		}
		docs := slices.Sorted(maps.Keys(want[term]))
		if got.DocFreq(ord) != len(docs) || !slices.Equal(got.Documents(ord).ToArray(), docs) {
			t.Fatalf("%s: %q is in %v (%d), want %v", path, term, got.Documents(ord), got.DocFreq(ord), docs)
		}
		compareOccurrences(t, path, got, ord, want[term], docs, r)
	}
	compareBetween(t, path, got, sorted)
}

func compareOccurrences(t testing.TB, path string, got Terms, ord uint32, want map[uint32][]uint32, docs []uint32, r *rand.Rand) {
	t.Helper()
	o := got.Occurrences(ord)
	for _, doc := range docs {
		if !o.Next() || o.Doc() != doc || int(o.Freq()) != max(1, len(want[doc])) {
			t.Fatalf("%s: the next document is %d with %d, want %d with %v", path, o.Doc(), o.Freq(), doc, want[doc])
		}
		for range r.IntN(3) { // they may be asked for never, or twice
			if got := o.Positions(nil); !slices.Equal(got, want[doc]) {
				t.Fatalf("%s: positions %v in %d, want %v", path, got, doc, want[doc])
			}
		}
	}
	if o.Next() {
		t.Fatalf("%s: there is %d after the last document", path, o.Doc())
	}
	o = got.Occurrences(ord)
	for target := uint32(0); ; target += uint32(r.IntN(1 + 2*int(docs[len(docs)-1])/len(docs) + r.IntN(300))) {
		i, _ := slices.BinarySearch(docs, target)
		ok := o.Seek(target)
		if ok != (i < len(docs)) || ok && (o.Doc() != docs[i] || int(o.Freq()) != max(1, len(want[o.Doc()]))) {
			t.Fatalf("%s: Seek(%d) = %v, %d, want %d of %v", path, target, ok, o.Doc(), i, docs)
		}
		if !ok {
			break
		}
		if r.IntN(2) == 0 && !slices.Equal(o.Positions(nil), want[o.Doc()]) {
			t.Fatalf("%s: positions after Seek(%d): %v, want %v", path, target, o.Positions(nil), want[o.Doc()])
		}
	}
}

func compareBetween(t testing.TB, path string, got Terms, sorted []string) {
	t.Helper()
	automata := map[string]vellum.Automaton{"": nil}
	for _, pattern := range []string{`ban.*`, `.*an.*`, `z(oo?)?`, `[a-c].{2,3}`, `東.*`, `nothing`, ``} {
		a, err := regexp.New(pattern)
		if err != nil {
			t.Fatal(err)
		}
		automata["/"+pattern] = a
	}
	for _, b := range [][2]string{{"", ""}, {"b", ""}, {"", "c"}, {"band", "bandit"}, {"bandit", "band"}, {"zz", ""}, {"apple", "zebra"}} {
		var from, to []byte
		if b[0] != "" {
			from = []byte(b[0])
		}
		if b[1] != "" {
			to = []byte(b[1])
		}
		for name, a := range automata {
			var want, list []string
			for _, term := range sorted {
				if term >= b[0] && (to == nil || term < b[1]) && (a == nil || accepts(a, term)) {
					want = append(want, term)
				}
			}
			for ord := range got.Between(from, to, a) {
				list = append(list, string(got.Term(ord)))
			}
			if !slices.Equal(list, want) {
				t.Fatalf("%s: Between(%q, %q, %s) = %q, want %q", path, from, to, name, list, want)
			}
			for ord := range got.Between(from, to, a) {
				if string(got.Term(ord)) != want[0] {
					t.Fatalf("%s: the first term is %q, want %q", path, got.Term(ord), want[0])
				}
				break
			}
		}
	}
}

func accepts(a vellum.Automaton, term string) bool {
	state := a.Start()
	for i := range len(term) {
		state = a.Accept(state, term[i])
	}
	return a.IsMatch(state)
}

// half gives a random set of about that part of n documents, and the models in it.
func half(r *rand.Rand, models []model, part float64) (*Live, []model) {
	live := new(Live)
	var kept []model
	for i, m := range models {
		if r.Float64() < part {
			live = live.With(uint32(i))
			kept = append(kept, m)
		}
	}
	return live, kept
}

func TestSegmentsAgainstModel(t *testing.T) {
	m := parse(t, everyType)
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 7))
		fs, dir := diskOrMemory(t, seed)
		var merged []View
		var all []model
		position := uint64(1)
		for i := range 3 {
			s := NewMemory()
			models := fill(t, m, s, r, position, []int{400, 5, 200}[i])
			position = models[len(models)-1].position + 1 + uint64(r.IntN(5))
			compare(t, s, m, models, r)

			live, kept := half(r, models, []float64{0.9, math.Inf(1), 0.5}[i])
			path := fmt.Sprintf("%s/%d", dir, i)
			if err := Write(fs, path, View{Segment: s, Live: live, Lock: s.RLocker()}); err != nil {
				t.Fatalf("Write: %v", err)
			}
			f := opening(t, fs, path)
			compare(t, f, m, kept, r)

			live, kept = half(r, kept, []float64{0.7, 0, math.Inf(1)}[i])
			view := View{Segment: f, Live: live}
			if i == 2 { // a segment in memory can be merged too
				live, kept = half(r, models, 0.6)
				view = View{Segment: s, Live: live, Lock: s.RLocker()}
			}
			merged, all = append(merged, view), append(all, kept...)
		}
		path := dir + "/merged"
		if err := Merge(t.Context(), fs, path, merged); err != nil {
			t.Fatalf("Merge: %v", err)
		}
		f := opening(t, fs, path)
		compare(t, f, m, all, r)
		if f.Live().Count() != len(all) {
			t.Errorf("%d live documents of %d", f.Live().Count(), len(all))
		}
	}
}

// Long lists are read in blocks and kept as bitmaps.
func TestTermsOfManyDocuments(t *testing.T) {
	m := parse(t, `{"k":{"type":"keyword"},"t":{"type":"text"}}`)
	r := rand.New(rand.NewPCG(31, 32))
	s := NewMemory()
	var models []model
	var doc mapping.Document
	var e Entry
	for i := range 4000 {
		text := fmt.Sprintf(`{"k":["all","k%d"],"t":"%s"}`, r.IntN(20), strings.Repeat("most often ", r.IntN(4))+strings.Repeat("rare ", r.IntN(300)/297))
		if err := m.Fields(jsontext.Value(text), &doc); err != nil {
			t.Fatal(err)
		}
		mod := model{id: fmt.Sprint(i), position: uint64(i), groups: slices.Clone(doc.Groups)}
		for _, v := range doc.Values {
			v.Text = bytes.Clone(v.Text)
			mod.values = append(mod.values, v)
		}
		models = append(models, mod)
		if err := e.Read(&doc); err != nil {
			t.Fatal(err)
		}
		s.Add(&e, mod.id, mod.position)
	}
	compare(t, s, m, models, r)
	fs, dir := diskOrMemory(t, 0)
	live, kept := half(r, models, 0.9)
	if err := Write(fs, dir+"/s", View{Segment: s, Live: live}); err != nil {
		t.Fatal(err)
	}
	f := opening(t, fs, dir+"/s")
	compare(t, f, m, kept, r)

	ord, _ := field(t, f, "t").Terms.Find([]byte("most"))
	docs := field(t, f, "t").Terms.Documents(ord).ToArray()
	for range 2000 { // one jump from the beginning, one from there
		o := field(t, f, "t").Terms.Occurrences(ord)
		for target := range slices.Values([]uint32{r.Uint32N(4100), r.Uint32N(4100)}) {
			i, _ := slices.BinarySearch(docs, target)
			if o.Freq() > 0 && o.Doc() > target {
				continue
			}
			if ok := o.Seek(target); ok != (i < len(docs)) || ok && o.Doc() != docs[i] {
				t.Fatalf("Seek(%d) = %v, %d", target, ok, o.Doc())
			} else if !ok {
				break
			}
		}
	}
}
