package auth

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json/jsontext"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

const testSecret = "0123456789abcdef0123456789abcdef"

// clock is a time that the test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newEngine(t testing.TB) storage.Engine {
	t.Helper()
	e, err := embedded.Open(t.Context(), embedded.Options{Dir: "data", FS: vfs.NewMem(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// open starts a service over e with a user "u"; change, when not nil, sets options.
func open(t testing.TB, e storage.Engine, change func(*Options)) *Service {
	t.Helper()
	users, err := security.Open(t.Context(), security.Options{Engine: e, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := users.ReadUser(t.Context(), "u"); err != nil {
		if _, err := users.CreateUser(t.Context(), "u", nil, jsontext.Value(`{"profileIds":["default"]}`), security.Write{}); err != nil {
			t.Fatal(err)
		}
	}
	o := Options{Engine: e, Users: users, Secret: testSecret, GracePeriod: time.Second, Logger: quiet}
	if change != nil {
		change(&o)
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// openDev is open in development mode: everybody may do everything until rights are stored.
func openDev(t testing.TB, e storage.Engine) *Service {
	t.Helper()
	users, err := security.Open(t.Context(), security.Options{Engine: e, Dev: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	return open(t, e, func(o *Options) { o.Users = users })
}

func issue(t testing.TB, s *Service, ttl time.Duration) Issued {
	t.Helper()
	issued, err := s.Issue(t.Context(), "u", ttl)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}
