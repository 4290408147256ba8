package validation_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded"
	"github.com/sluicehq/sluice/core/validation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

// noon is what the clock of the tests shows.
func noon() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }

func newEngine(t testing.TB) storage.Engine {
	t.Helper()
	e, err := embedded.Open(t.Context(), embedded.Options{Dir: "data", FS: vfs.NewMem(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func open(t testing.TB, e validation.Engine) *validation.Validator {
	t.Helper()
	v, err := validation.Open(t.Context(), validation.Options{Engine: e, Logger: quiet, Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// parse reads a specification that has no fault.
func parse(t testing.TB, text string) *validation.Specification {
	t.Helper()
	spec, problems := validation.Parse(jsontext.Value(text), noon)
	if len(problems) > 0 {
		t.Fatal(text, problems)
	}
	return spec
}

// messages is an outcome as clients see it.
func messages(t testing.TB, o validation.Outcome) string {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
