package storagetest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
)

// randomSteps is how many operations a sequence has.
const randomSteps = 1500

// seed gives the seed of the random sequences: STORAGETEST_SEED repeats a failure.
func seed(t *testing.T) uint64 {
	text := os.Getenv("STORAGETEST_SEED")
	if text == "" {
		return uint64(time.Now().UnixNano())
	}
	s, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("STORAGETEST_SEED: %v", err)
	}
	return s
}

// testRandom compares random sequences of operations with the model.
func testRandom(t *testing.T, open Open) {
	s := seed(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("repeat with STORAGETEST_SEED=%d", s)
		}
	})
	r := &randomRun{fixture: setUp(t, open), rng: rand.New(rand.NewPCG(s, 0))}
	// A collection that stays keeps the index in being, so that the dropped one is an unknown collection.
	wantErr(t, "Ensure", r.Ensure(t.Context(), r.sibling("stays"), storage.Spec{}), nil)
	wantErr(t, "Ensure", r.Ensure(t.Context(), r.c, storage.Spec{Mapping: []byte(randomMapping)}), nil)
	r.model.ensure(nil)
	steps := randomSteps
	if testing.Short() {
		steps /= 5
	}
	for range steps {
		r.step(t)
		if t.Failed() {
			return
		}
	}
}

// randomMapping has the one field that searches look for.
const randomMapping = `{"properties":{"z":{"type":"long"}}}`

// randomRun is one sequence on one collection.
type randomRun struct {
	fixture
	rng   *rand.Rand
	model model
}

func (r *randomRun) step(t *testing.T) {
	switch n := r.rng.IntN(100); {
	case n < 12:
		r.write(t, "Create")
	case n < 35:
		r.write(t, "Put")
	case n < 43:
		r.write(t, "Replace")
	case n < 58:
		r.write(t, "Update")
	case n < 68:
		r.write(t, "Delete")
	case n < 73:
		r.bulk(t)
	case n < 77:
		r.get(t)
	case n < 80:
		r.searchAll(t)
	case n < 84:
		r.mGet(t)
	case n < 92:
		r.findOne(t)
	case n < 95:
		r.scanSome(t)
	case n < 98:
		r.ensureMore(t)
	case n < 99:
		wantErr(t, "Truncate", r.Truncate(t.Context(), r.c), r.model.address())
		r.model.truncate()
	default:
		wantErr(t, "Drop", r.Drop(t.Context(), r.c), r.model.address())
		r.model = model{}
	}
}

func (r *randomRun) id() string    { return string(rune('a' + r.rng.IntN(12))) }
func (r *randomRun) field() string { return string(rune('p' + r.rng.IntN(3))) }

// value is a keyword, sometimes one too long for an index key.
func (r *randomRun) value() string {
	v := strconv.Itoa(r.rng.IntN(6))
	if r.rng.IntN(5) == 0 {
		return fmt.Sprintf("%0300s", v)
	}
	return v
}

// source is an object with nesting, arrays and numbers that a float would bend.
func (r *randomRun) source(depth int) jsontext.Value {
	out := []byte{'{'}
	if r.rng.IntN(4) > 0 {
		out = fmt.Appendf(out, `"z":%d`, r.rng.IntN(3))
	}
	for f := range 5 {
		if r.rng.IntN(3) == 0 {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, "%s:", quote(string(rune('p'+f))))
		switch n := r.rng.IntN(8); {
		case n < 3:
			out = append(out, quote(r.value())...)
		case n < 5:
			out = fmt.Appendf(out, "[%s,%s,%d]", quote(r.value()), quote(r.value()), r.rng.IntN(9))
		case n < 6 && depth > 0:
			out = append(out, r.source(depth-1)...)
		case n < 7:
			out = fmt.Appendf(out, "%d", r.rng.Int64())
		default:
			out = append(out, "null"...)
		}
	}
	return append(out, '}')
}

func (r *randomRun) write(t *testing.T, how string) {
	id, source, o := r.id(), r.source(2), storage.WriteOptions{Refresh: storage.Refresh(r.rng.IntN(2))}
	if r.rng.IntN(3) == 0 {
		o.IfVersion = max(1, r.model.highest[id]+int64(r.rng.IntN(3)-1))
	}
	var res storage.OpResult
	_, there := r.model.docs[id]
	res.Created = !there // for those that do not tell
	switch how {
	case "Create":
		res.Document, res.Err = r.Create(t.Context(), r.c, id, source, o)
	case "Put":
		res.Document, res.Created, res.Err = r.Put(t.Context(), r.c, id, source, o)
	case "Replace":
		res.Document, res.Err = r.Replace(t.Context(), r.c, id, source, o)
	case "Update":
		res.Document, res.Err = r.Update(t.Context(), r.c, id, source, storage.UpdateOptions{WriteOptions: o})
	case "Delete":
		res.Document = storage.Document{ID: id, Version: r.model.docs[id].version}
		res.Created, res.Err = false, r.Delete(t.Context(), r.c, id, o)
	}
	r.compare(t, how, storage.Op{ID: id, Source: source, IfVersion: o.IfVersion}, res)
	if r.model.exists && o.Refresh == storage.RefreshWaitFor && res.Err == nil {
		r.searchOne(t, id)
	}
}

// searchOne looks for a document that was written a moment ago.
func (r *randomRun) searchOne(t *testing.T, id string) {
	for z := range 3 {
		query := fmt.Sprintf(`{"bool":{"filter":[{"term":{"z":%d}},{"ids":{"values":[%q]}}]}}`, z, id)
		var want []string
		if slices.Contains(r.model.holding(z), id) {
			want = []string{id}
		}
		sameIDs(t, "a search for "+query, r.matches(t, query), want...)
	}
}

// searchAll looks for all documents.
func (r *randomRun) searchAll(t *testing.T) {
	wantErr(t, "Refresh", r.Refresh(t.Context(), r.c), r.model.address())
	if !r.model.exists {
		return
	}
	for z := range 3 {
		query := fmt.Sprintf(`{"term":{"z":%d}}`, z)
		sameIDs(t, "a search for "+query, r.matches(t, query), r.model.holding(z)...)
	}
	n, err := r.Count(t.Context(), []storage.Collection{r.c}, nil)
	wantErr(t, "Count", err, nil)
	if n != len(r.model.docs) {
		t.Errorf("Count gave %d, want %d", n, len(r.model.docs))
	}
}

// compare checks the result of a write against the model, and takes it over.
func (r *randomRun) compare(t *testing.T, how string, op storage.Op, res storage.OpResult) {
	t.Helper()
	old, there := r.model.docs[op.ID]
	want := r.model.write(how, op.ID, op.IfVersion)
	what := fmt.Sprintf("%s(%s, %s, IfVersion %d)", how, op.ID, op.Source, op.IfVersion)
	wantErr(t, what, res.Err, want)
	if res.Err != nil || want != nil {
		return
	}
	source := op.Source
	switch {
	case how == "Delete":
		wantGone(t, what, res, op.ID, old.version)
		delete(r.model.docs, op.ID)
		return
	case how == "Upsert" && !there:
		source = op.Default
	case how == "Update" || how == "Upsert":
		source = mergeMaps(old.source, source)
	}
	if !r.model.store(op.ID, res.Document.Version, source) || res.Created == there {
		t.Errorf("%s gave version %d, created %v", what, res.Document.Version, res.Created)
	}
	wantDocument(t, what, res.Document, op.ID, res.Document.Version, string(source))
}

// bulk does up to 30 ops on a dozen ids, so that most meet another one.
func (r *randomRun) bulk(t *testing.T) {
	kinds := map[storage.OpKind]string{
		storage.OpCreate: "Create", storage.OpPut: "Put", storage.OpReplace: "Replace",
		storage.OpUpdate: "Update", storage.OpUpsert: "Upsert", storage.OpDelete: "Delete",
	}
	ops := make([]storage.Op, r.rng.IntN(30))
	for i := range ops {
		ops[i] = storage.Op{Kind: storage.OpKind(r.rng.IntN(len(kinds))), ID: r.id(), Source: r.source(1), Default: r.source(1)}
		if r.rng.IntN(4) == 0 {
			ops[i].IfVersion = max(1, r.model.highest[ops[i].ID]+int64(r.rng.IntN(4)-1))
		}
	}
	o := storage.BulkOptions{Refresh: storage.Refresh(r.rng.IntN(2)), Previous: r.rng.IntN(2) == 0}
	results, err := r.Write(t.Context(), r.c, ops, o)
	wantErr(t, "Write", err, r.model.address())
	if err != nil {
		return
	}
	for i, res := range results {
		previous := r.model.docs[ops[i].ID].source
		if !o.Previous || res.Err != nil {
			previous = nil
		}
		wantPrevious(t, kinds[ops[i].Kind]+" of "+ops[i].ID, res, previous)
		r.compare(t, kinds[ops[i].Kind], ops[i], res)
	}
}

func (r *randomRun) mGet(t *testing.T) {
	ids := make([]string, r.rng.IntN(20))
	for i := range ids {
		ids[i] = r.id()
	}
	docs, err := r.MGet(t.Context(), r.c, ids)
	wantErr(t, "MGet", err, r.model.address())
	for i, doc := range docs {
		m, there := r.model.docs[ids[i]]
		if there != (doc != nil) {
			t.Errorf("MGet of %s: found %v", ids[i], doc)
		}
		if there && doc != nil {
			wantDocument(t, "MGet", *doc, ids[i], m.version, string(m.source))
		}
	}
}

func (r *randomRun) get(t *testing.T) {
	id := r.id()
	doc, err := r.Get(t.Context(), r.c, id)
	want := r.model.write("Get", id, 0)
	wantErr(t, "Get("+id+")", err, want)
	if want == nil {
		m := r.model.docs[id]
		wantDocument(t, "Get", doc, id, m.version, string(m.source))
	}
}

func (r *randomRun) findOne(t *testing.T) {
	if !r.model.exists || len(r.model.keywords) == 0 {
		return
	}
	field, value := r.model.keywords[r.rng.IntN(len(r.model.keywords))], r.value()
	sameIDs(t, fmt.Sprintf("Find(%s, %s)", field, value), r.find(t, field, value), r.model.find(field, value)...)
}

func (r *randomRun) scanSome(t *testing.T) {
	if !r.model.exists {
		return
	}
	after := ""
	if r.rng.IntN(2) == 0 {
		after = r.id()
	}
	sameIDs(t, "Scan after "+after, r.scan(t, after), r.model.scan(after)...)
}

func (r *randomRun) ensureMore(t *testing.T) {
	var keywords []string
	if r.rng.IntN(2) == 0 {
		keywords = append(keywords, r.field())
	}
	wantErr(t, "Ensure", r.Ensure(t.Context(), r.c, storage.Spec{Keywords: keywords, Mapping: []byte(randomMapping)}), nil)
	r.model.ensure(keywords)
}
