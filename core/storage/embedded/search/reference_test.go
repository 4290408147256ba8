package search_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

const modelMapping = `{"properties":{"k":{"type":"keyword"},"t":{"type":"text"},"i":{"type":"integer"},"d":{"type":"double"},"dt":{"type":"date"},
	"n":{"type":"nested","properties":{"x":{"type":"keyword"},"y":{"type":"integer"}}}}}`

// model is a document as the naive evaluator sees it.
type model struct {
	id       string
	position uint64
	values   []mapping.Value
	groups   []mapping.Group
}

func newModel(m *mapping.Mapping, id, doc string, position uint64) model {
	var d mapping.Document
	if err := m.Fields(jsontext.Value(doc), &d); err != nil {
		panic(err)
	}
	for i := range d.Values {
		d.Values[i].Text = bytes.Clone(d.Values[i].Text)
	}
	return model{id, position, d.Values, d.Groups}
}

// of gives the values of a field in a group.
func (d *model) of(path string, group int) []mapping.Value {
	var list []mapping.Value
	for _, v := range d.values {
		if v.Field.Path == path && v.Group == group {
			list = append(list, v)
		}
	}
	return list
}

func (d *model) any(path string, group int, ok func(mapping.Value) bool) bool {
	return slices.ContainsFunc(d.of(path, group), ok)
}

// matches evaluates the clauses that randomQuery makes, on one group of a document.
func (d *model) matches(q query.Query, group int) bool {
	switch q := q.(type) {
	case *query.MatchAll:
		return true
	case *query.Term:
		return d.any(q.Field, group, func(v mapping.Value) bool { return is(v, query.Text(q.Value)) })
	case *query.Terms:
		return slices.ContainsFunc(q.Values, func(text jsontext.Value) bool {
			return d.any(q.Field, group, func(v mapping.Value) bool { return is(v, query.Text(text)) })
		})
	case *query.Range:
		return d.any(q.Field, group, func(v mapping.Value) bool {
			return within(v, q.Lower, -1) && within(v, q.Upper, 1)
		})
	case *query.Exists:
		return len(d.of(q.Field, group)) > 0
	case *query.Prefix:
		return d.any(q.Field, group, func(v mapping.Value) bool { return bytes.HasPrefix(v.Text, []byte(q.Value)) })
	case *query.IDs:
		return slices.Contains(q.Values, d.id)
	case *query.Match:
		wanted := strings.Fields(query.Text(q.Value))
		found := 0
		for _, w := range wanted {
			if d.any(q.Field, group, func(v mapping.Value) bool { return slices.Contains(strings.Fields(string(v.Text)), w) }) {
				found++
			}
		}
		return found > 0 && (!q.All || found == len(wanted))
	case *query.MatchPhrase:
		return d.any(q.Field, group, func(v mapping.Value) bool {
			return strings.Contains(" "+string(v.Text)+" ", " "+query.Text(q.Value)+" ")
		})
	case *query.ConstantScore:
		return d.matches(q.Filter, group)
	case *query.Nested:
		for i, g := range d.groups {
			if g.Path == q.Path && d.matches(q.Query, i) {
				return true
			}
		}
		return false
	case *query.Bool:
		return d.matchesBool(q, group)
	}
	panic(fmt.Sprintf("%T", q))
}

func (d *model) matchesBool(q *query.Bool, group int) bool {
	for _, inner := range slices.Concat(q.Must, q.Filter) {
		if !d.matches(inner, group) {
			return false
		}
	}
	for _, inner := range q.MustNot {
		if d.matches(inner, group) {
			return false
		}
	}
	found := 0
	for _, inner := range q.Should {
		if d.matches(inner, group) {
			found++
		}
	}
	return found >= q.Needed()
}

// is reports whether a value of a keyword, a word of a text or a number is what a text says.
func is(v mapping.Value, text string) bool {
	if v.Field.Type == mapping.Text {
		return slices.Contains(strings.Fields(string(v.Text)), text)
	}
	return order(v, text) == 0
}

func order(v mapping.Value, text string) int {
	switch t := v.Field.Type; {
	case t == mapping.Keyword:
		return strings.Compare(string(v.Text), text)
	case t.Floating():
		var x float64
		fmt.Sscan(text, &x)
		return cmp.Compare(v.Float, x)
	}
	var n int64
	fmt.Sscan(text, &n)
	return cmp.Compare(v.Int, n)
}

func within(v mapping.Value, b query.Bound, outside int) bool {
	if b.Value == nil {
		return true
	}
	o := order(v, query.Text(b.Value))
	return o != outside && (o != 0 || b.Inclusive)
}

// random makes documents and queries.
type random struct{ *rand.Rand }

func (r random) word() string { return string(rune('a' + min(r.IntN(6), r.IntN(6)))) }

func (r random) text() string {
	words := []string{r.word()}
	for range r.IntN(5) {
		words = append(words, r.word())
	}
	return strings.Join(words, " ")
}

func (r random) doc() string {
	d := map[string]any{}
	put := func(name string, one func() any) {
		switch r.IntN(6) {
		case 0:
		case 1:
			d[name] = []any{one(), one()}
		default:
			d[name] = one()
		}
	}
	put("k", func() any { return r.word() + r.word() })
	put("i", func() any { return r.IntN(20) })
	put("d", func() any { return float64(r.IntN(20)) / 4 })
	put("dt", func() any { return 1700000000000 + r.IntN(1000) })
	if r.IntN(5) > 0 {
		d["t"] = r.text()
	}
	put("n", func() any { return map[string]any{"x": r.word(), "y": r.IntN(4)} })
	raw, _ := json.Marshal(d)
	return string(raw)
}

func (r random) leaf(nested bool) string {
	k, i, d := "k", "i", "d"
	if nested {
		k, i, d = "n.x", "n.y", "n.y"
	}
	word := r.word()
	if !nested {
		word += r.word()
	}
	switch r.IntN(9) {
	case 0:
		return fmt.Sprintf(`{"term":{%q:%q}}`, k, word)
	case 1:
		return fmt.Sprintf(`{"terms":{%q:[%q,%q]}}`, k, word, r.word())
	case 2:
		return fmt.Sprintf(`{"range":{%q:{%q:%d,%q:%d}}}`, i, []string{"gt", "gte"}[r.IntN(2)], r.IntN(15), []string{"lt", "lte"}[r.IntN(2)], 5+r.IntN(15))
	case 3:
		return fmt.Sprintf(`{"range":{%q:{"gt":%d}}}`, d, r.IntN(5))
	case 4:
		return fmt.Sprintf(`{"range":{%q:{"lte":%q}}}`, k, word)
	case 5:
		return fmt.Sprintf(`{"exists":{"field":%q}}`, []string{k, i, d}[r.IntN(3)])
	case 6:
		return fmt.Sprintf(`{"prefix":{%q:%q}}`, k, word[:1])
	case 7:
		return fmt.Sprintf(`{"term":{%q:%d}}`, i, r.IntN(10))
	}
	return `{"match_all":{}}`
}

func (r random) query(depth int) string {
	switch r.IntN(8) {
	case 0:
		return fmt.Sprintf(`{"match":{"t":{"query":%q,"operator":%q}}}`, r.text(), []string{"or", "and"}[r.IntN(2)])
	case 1:
		return fmt.Sprintf(`{"match_phrase":{"t":%q}}`, r.word()+" "+r.word())
	case 2:
		return fmt.Sprintf(`{"nested":{"path":"n","query":{"bool":{"must":[%s],"must_not":[%s]}}}}`, r.leaf(true), r.leaf(true))
	case 3:
		return fmt.Sprintf(`{"ids":{"values":["%d","%d"]}}`, r.IntN(200), r.IntN(200))
	case 4, 5:
		if depth > 0 {
			return r.combined(depth)
		}
	}
	return r.leaf(false)
}

func (r random) combined(depth int) string {
	var parts []string
	for _, name := range []string{"must", "filter", "should", "must_not"} {
		var list []string
		for range r.IntN(3) {
			list = append(list, r.query(depth-1))
		}
		if len(list) > 0 && (name != "must_not" || r.IntN(2) == 0) {
			parts = append(parts, fmt.Sprintf("%q:[%s]", name, strings.Join(list, ",")))
			if name == "should" && r.IntN(2) == 0 {
				parts = append(parts, fmt.Sprintf(`"minimum_should_match":%d`, 1+r.IntN(len(list))))
			}
		}
	}
	return `{"bool":{` + strings.Join(parts, ",") + `}}`
}

// world is documents that were written again and again, in some segments, and what is left of them.
func (r random) world() (*collection, []model) {
	c := newCollection(modelMapping)
	latest := map[string]model{}
	for i := range 400 {
		id := fmt.Sprint(r.IntN(200))
		doc := r.doc()
		c.add(id, doc)
		if old, ok := latest[id]; ok {
			c.kill(old.position)
		}
		latest[id] = newModel(c.mapping, id, doc, c.position)
		switch i {
		case 150, 290:
			c.freeze()
		case 350:
			c.rotate()
		}
	}
	list := make([]model, 0, len(latest))
	for _, d := range latest {
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b model) int { return cmp.Compare(a.position, b.position) })
	return c, list
}

// sortKey is a key of a random sort.
type sortKey struct {
	field string
	desc  bool
	first bool // documents without a value come first
}

func (r random) sort() (string, []sortKey) {
	fields := []string{"k", "i", "d", "dt"}
	r.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	var keys []sortKey
	var parts []string
	for range 1 + r.IntN(2) {
		k := sortKey{fields[len(keys)], r.IntN(2) == 0, r.IntN(3) == 0}
		keys = append(keys, k)
		parts = append(parts, fmt.Sprintf(`{%q:{"order":%q,"missing":%q}}`, k.field, map[bool]string{true: "desc", false: "asc"}[k.desc], map[bool]string{true: "_first", false: "_last"}[k.first]))
	}
	return `"sort":[` + strings.Join(parts, ",") + `]`, keys
}

// compare gives the order of two documents by a key.
func (k sortKey) compare(a, b *model) int {
	x, y := a.of(k.field, 0), b.of(k.field, 0)
	if len(x) == 0 || len(y) == 0 {
		o := cmp.Compare(min(len(y), 1), min(len(x), 1))
		if k.first {
			return -o
		}
		return o
	}
	byValue := func(v, w mapping.Value) int {
		return cmp.Or(bytes.Compare(v.Text, w.Text), cmp.Compare(v.Int, w.Int), cmp.Compare(v.Float, w.Float))
	}
	if k.desc {
		return byValue(slices.MaxFunc(y, byValue), slices.MaxFunc(x, byValue))
	}
	return byValue(slices.MinFunc(x, byValue), slices.MinFunc(y, byValue))
}

func TestAgainstModel(t *testing.T) {
	for seed := range uint64(6) {
		r := random{rand.New(rand.NewPCG(seed, 7))}
		c, docs := r.world()
		for range 250 {
			raw := r.query(2)
			sort, keys := r.sort()
			q, err := query.Parse(jsontext.Value(raw))
			if err != nil {
				t.Fatal(err)
			}
			var want []model
			for _, d := range docs {
				if d.matches(q, 0) {
					want = append(want, d)
				}
			}
			slices.SortStableFunc(want, func(a, b model) int {
				for _, k := range keys {
					if o := k.compare(&a, &b); o != 0 {
						return o
					}
				}
				return 0
			})
			ids := make([]string, len(want))
			for i, d := range want {
				ids[i] = d.id
			}
			check(t, r, c, raw, sort, ids)
		}
		if t.Failed() {
			return
		}
	}
}

// check compares all that a query can give with the ids in their order.
func check(t *testing.T, r random, c *collection, raw, sort string, want []string) {
	t.Helper()
	body := `{"query":` + raw + `,` + sort + `,"size":1000}`
	result, err := run(t, c.targets(), body)
	if err != nil || result.Total != len(want) || idsOf(result.Hits) != strings.Join(want, " ") {
		t.Errorf("%s: %s of %d, %v, want %v", body, idsOf(result.Hits), result.Total, err, want)
		return
	}
	scored, err := run(t, c.targets(), `{"query":`+raw+`,"size":1000}`)
	got, sorted := strings.Fields(idsOf(scored.Hits)), slices.Sorted(slices.Values(want))
	if slices.Sort(got); err != nil || !slices.Equal(got, sorted) {
		t.Errorf("%s: scored: %v, %v, want %v", raw, got, err, sorted)
	}
	if len(want) == 0 {
		return
	}
	s, err := query.ParseSearch(jsontext.Value(body))
	if err != nil {
		t.Fatal(err)
	}
	size := 1 + r.IntN(20)
	pages := search.Request{Search: s, Size: size, Now: now}
	var paged []string
	for {
		page, err := patient(func() (search.Result, error) { return search.Run(context.Background(), c.targets(), pages) })
		if err != nil {
			t.Fatal(err)
		}
		paged = append(paged, strings.Fields(idsOf(page.Hits))...)
		if pages.After = page.Next; pages.After == nil {
			break
		}
	}
	if !slices.Equal(paged, want) {
		t.Errorf("%s: pages of %d: %v, want %v", body, size, paged, want)
	}
	checkAfter(t, r, c, body, result.Hits)
}

// checkAfter continues behind a hit whose sort values no other has.
func checkAfter(t *testing.T, r random, c *collection, body string, hits []search.Hit) {
	t.Helper()
	i := r.IntN(len(hits))
	if i+1 < len(hits) && sortsOf(hits[i:i+1]) == sortsOf(hits[i+1:i+2]) {
		return
	}
	after, _ := json.Marshal(hits[i].Sort)
	result, err := run(t, c.targets(), strings.TrimSuffix(body, "}")+`,"search_after":`+string(after)+`}`)
	if err != nil || idsOf(result.Hits) != idsOf(hits[i+1:]) {
		t.Errorf("%s after %s: %s, %v, want %s", body, after, idsOf(result.Hits), err, idsOf(hits[i+1:]))
	}
}
