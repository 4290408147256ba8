package validation_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/storagetest"
	"github.com/sluicehq/sluice/core/validation"
	"github.com/sluicehq/sluice/protocol/kerror"
)

const whole = `{"fields":{"n":{"type":"integer"}}}`

func put(t testing.TB, v *validation.Validator, index, collection, spec string) {
	t.Helper()
	if err := v.Put(t.Context(), index, collection, jsontext.Value(spec), "ann"); err != nil {
		t.Fatal(err)
	}
}

// fits reports whether {"n": "text"} may be written: it may not where whole is in force.
func fits(t testing.TB, v *validation.Validator, index, collection string) bool {
	t.Helper()
	o, err := v.Validate(t.Context(), index, collection, jsontext.Value(`{"n":"text"}`))
	if err != nil {
		t.Fatal(err)
	}
	return o.Valid()
}

func TestSpecificationsComeAndGo(t *testing.T) {
	e := newEngine(t)
	v := open(t, e)
	if !fits(t, v, "i", "c") {
		t.Error("refused without a specification")
	}
	if _, err := v.Get("i", "c"); !errors.Is(err, kerror.ValidationAssertNotFound) {
		t.Error(err)
	}
	put(t, v, "i", "c", whole)
	put(t, v, "i", "d", whole)
	put(t, v, "j", "c", whole)
	if fits(t, v, "i", "c") {
		t.Error("not in force at once")
	}
	if got, err := v.Get("i", "c"); string(got) != whole || err != nil {
		t.Errorf("%s %v", got, err)
	}
	if fits(t, open(t, e), "i", "c") {
		t.Error("not in force after a restart")
	}
	if err := v.Delete(t.Context(), "i", "c"); err != nil {
		t.Error(err)
	}
	if !fits(t, v, "i", "c") || fits(t, v, "i", "d") || !fits(t, open(t, e), "i", "c") {
		t.Error("the wrong ones are gone")
	}
	if err := v.Delete(t.Context(), "i", "c"); err != nil {
		t.Error("there is none: ", err)
	}
	if err := v.DeleteIndexes(t.Context(), []string{"x", "i"}); err != nil {
		t.Error(err)
	}
	if !fits(t, v, "i", "d") || fits(t, v, "j", "c") || !fits(t, open(t, e), "i", "d") {
		t.Error("the wrong ones are gone with the index")
	}
}

// genuine is how Kuzzle stores a specification.
const genuine = `{"collection":"loans","index":"library","validation":{"strict":false,"fields":{"days":{"mandatory":false,"type":"integer"}}},"_kuzzle_info":{"author":null,"createdAt":1795344591619,"updatedAt":1795344591619,"updater":null}}`

func store(t testing.TB, e storage.Engine, id, source string) {
	t.Helper()
	if _, _, err := e.Put(t.Context(), validation.Collection, id, jsontext.Value(source), storage.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestTheLayoutIsThatOfKuzzle(t *testing.T) {
	e := newEngine(t)
	v := open(t, e)
	put(t, v, "library", "loans", `{"strict":false,"fields":{"days":{"mandatory":false,"type":"integer"}}}`)
	doc, err := e.Get(t.Context(), validation.Collection, "library#loans")
	const want = `{"index":"library","collection":"loans","validation":{"strict":false,"fields":{"days":{"mandatory":false,"type":"integer"}}},"_kuzzle_info":{"author":"ann","createdAt":1780315200000,"updatedAt":1780315200000,"updater":"ann"}}`
	if err != nil || string(doc.Source) != want {
		t.Errorf("%s %v", doc.Source, err)
	}
	spec, err := e.Describe(t.Context(), validation.Collection)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := mapping.Parse(spec.Mapping)
	if err != nil || stored.Field("index").Type != mapping.Keyword || stored.Field("collection").Type != mapping.Keyword {
		t.Error(err, string(spec.Mapping))
	}
}

func TestASpecificationThatKuzzleStored(t *testing.T) {
	e := newEngine(t)
	open(t, e)
	store(t, e, "library#loans", genuine)
	v := open(t, e)
	for document, valid := range map[string]bool{`{"days":7,"who":"ann"}`: true, `{}`: true, `{"days":"seven"}`: false} {
		if o, err := v.Validate(t.Context(), "library", "loans", jsontext.Value(document)); err != nil || o.Valid() != valid {
			t.Error(document, o, err)
		}
	}
	if raw, err := v.Get("library", "loans"); err != nil || string(raw) != `{"strict":false,"fields":{"days":{"mandatory":false,"type":"integer"}}}` {
		t.Error(string(raw), err)
	}
}

// TestDamagedSpecificationsRefuseDocuments stores what cannot be read: its collection is closed, others are not.
func TestDamagedSpecificationsRefuseDocuments(t *testing.T) {
	damaged := map[string]string{
		"type": `{"validation":{"fields":{"f":{"type":"no such type"}}}}`, "none": `{"index":"i","collection":"none"}`, "number": `{"validation":5}`, "empty": `{}`,
	}
	e := newEngine(t)
	open(t, e)
	for name, source := range damaged {
		store(t, e, "i#"+name, source)
	}
	store(t, e, "i#good", `{"validation":`+whole+`}`)
	v := open(t, e)
	for name := range damaged {
		if _, err := v.Validate(t.Context(), "i", name, jsontext.Value(`{}`)); !errors.Is(err, kerror.ValidationAssertIncorrectValidationFormat) {
			t.Error(name, err)
		}
		if _, err := v.Get("i", name); !errors.Is(err, kerror.ValidationAssertIncorrectValidationFormat) {
			t.Error(name, err)
		}
	}
	if fits(t, v, "i", "good") {
		t.Error("a good one is not in force beside them")
	}
	put(t, v, "i", "type", whole)
	if err := v.Delete(t.Context(), "i", "none"); err != nil {
		t.Error(err)
	}
	if fits(t, v, "i", "type") || !fits(t, v, "i", "none") {
		t.Error("replacing or deleting did not help")
	}
}

func TestWhatCannotBeStoredIsNotInForce(t *testing.T) {
	var failing atomic.Pointer[string]
	none := ""
	failing.Store(&none)
	down := kerror.ServicesStorageNotConnected.New()
	e := storagetest.Faulty{Engine: newEngine(t), Fail: func(op string, c storage.Collection, id string) error {
		if c == validation.Collection && (op+" "+id == *failing.Load() || op == *failing.Load()) {
			return down
		}
		return nil
	}}
	v := open(t, e)
	put(t, v, "i", "a", whole)
	put(t, v, "i", "b", whole)
	fail := func(op string) { failing.Store(&op) }

	fail("Put")
	if err := v.Put(t.Context(), "i", "c", jsontext.Value(whole), ""); !errors.Is(err, kerror.ServicesStorageNotConnected) || !fits(t, v, "i", "c") {
		t.Error("Put:", err)
	}
	fail("Delete")
	if err := v.Delete(t.Context(), "i", "a"); !errors.Is(err, kerror.ServicesStorageNotConnected) || fits(t, v, "i", "a") {
		t.Error("Delete:", err)
	}
	fail("Delete i#b")
	if err := v.DeleteIndexes(t.Context(), []string{"i"}); !errors.Is(err, kerror.ServicesStorageNotConnected) || fits(t, v, "i", "b") {
		t.Error("DeleteIndexes:", err)
	}
	fail("")
	if again := open(t, e); fits(t, v, "i", "a") != fits(t, again, "i", "a") {
		t.Error("what is in force is not what is stored")
	}
	for _, op := range []string{"Ensure", "Scan"} {
		fail(op)
		if _, err := validation.Open(t.Context(), validation.Options{Engine: e, Logger: quiet}); !errors.Is(err, kerror.ServicesStorageNotConnected) {
			t.Error(op, err)
		}
	}
}

func TestNamesThatCannotBe(t *testing.T) {
	v := open(t, newEngine(t))
	if err := v.Put(t.Context(), "i#c", "d", jsontext.Value(`{}`), ""); !errors.Is(err, kerror.ServicesStorageInvalidIndexName) {
		t.Error(err)
	}
	if err := v.Put(t.Context(), "i", "c#d", jsontext.Value(`{}`), ""); !errors.Is(err, kerror.ServicesStorageInvalidCollectionName) {
		t.Error(err)
	}
}

// TestManyChangeSpecifications lets goroutines change and use them at once; at the end, memory and disk agree.
func TestManyChangeSpecifications(t *testing.T) {
	e := newEngine(t)
	v := open(t, e)
	var work sync.WaitGroup
	for g := range 4 {
		name := "c" + strconv.Itoa(g%2)
		work.Go(func() {
			for i := range 20 {
				if i%3 == 2 {
					if err := v.Delete(t.Context(), "i", name); err != nil {
						t.Error(err)
					}
				} else if err := v.Put(t.Context(), "i", name, jsontext.Value(whole), ""); err != nil {
					t.Error(err)
				}
				if _, err := v.Validate(t.Context(), "i", name, jsontext.Value(`{"n":"x"}`)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	again := open(t, e)
	for _, name := range []string{"c0", "c1"} {
		if fits(t, v, "i", name) != fits(t, again, "i", name) {
			t.Error(name, "is not as it is stored")
		}
	}
}

func TestAWriterThatWaitsCanGiveUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	entered, leave := make(chan struct{}), make(chan struct{})
	e := storagetest.Faulty{Engine: newEngine(t), Fail: func(op string, _ storage.Collection, id string) error {
		if op == "Put" && id == "i#slow" {
			close(entered)
			<-leave
		}
		return nil
	}}
	v := open(t, e)
	done := make(chan error)
	go func() { done <- v.Put(context.Background(), "i", "slow", jsontext.Value(whole), "") }()
	<-entered
	cancel()
	if err := v.Put(ctx, "i", "c", jsontext.Value(whole), ""); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(leave)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestACollectionWithoutSpecificationCostsNothing(t *testing.T) {
	v := open(t, newEngine(t))
	put(t, v, "i", "other", whole)
	document := jsontext.Value(`{"n":1}`)
	if n := testing.AllocsPerRun(100, func() {
		if o, err := v.Validate(t.Context(), "i", "c", document); err != nil || !o.Valid() {
			t.Error(o, err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkWithoutSpecification(b *testing.B) {
	v := open(b, newEngine(b))
	put(b, v, "i", "other", whole)
	for b.Loop() {
		if spec, err := v.Of("i", "c"); spec != nil || err != nil {
			b.Fatal(spec, err)
		}
	}
}

func BenchmarkAdmit(b *testing.B) {
	spec := parse(b, `{"strict":true,"fields":{"title":{"type":"string","mandatory":true,"typeOptions":{"length":{"max":100}}},
		"author":{"type":"object"},"author/name":{"type":"string"},"author/email":{"type":"email"},"tags":{"type":"enum","multivalued":{"value":true},"typeOptions":{"values":["a","b","c"]}},
		"days":{"type":"integer","typeOptions":{"range":{"min":0}}},"lent":{"type":"date"},"place":{"type":"geo_point"}},"validators":[{"range":{"days":{"lt":100}}}]}`)
	document := jsontext.Value(`{"title":"On the Shores of the World","author":{"name":"Ann","email":"ann@example.org"},"tags":["a","b"],"days":7,"lent":1795344591619,"place":{"lat":48.2,"lon":16.3}}`)
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := spec.Admit("id", document); err != nil {
			b.Fatal(err)
		}
	}
}
