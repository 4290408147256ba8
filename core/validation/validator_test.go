package validation_test

import (
	"errors"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

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
