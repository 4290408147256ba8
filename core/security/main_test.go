package security_test

import (
	"log/slog"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json/jsontext"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded"
	"github.com/sluicehq/sluice/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

func newEngine(t testing.TB) storage.Engine {
	t.Helper()
	e, err := embedded.Open(t.Context(), embedded.Options{Dir: "data", FS: vfs.NewMem(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func open(t testing.TB, e storage.Engine, dev bool) *security.Service {
	t.Helper()
	s, err := security.Open(t.Context(), security.Options{Engine: e, Dev: dev, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func internal(collection string) storage.Collection {
	return storage.Collection{Scope: storage.Internal, Index: "kuzzle", Name: collection}
}

// store puts a document where the service would.
func store(t testing.TB, e storage.Engine, collection, id, source string) {
	t.Helper()
	if _, _, err := e.Put(t.Context(), internal(collection), id, jsontext.Value(source), storage.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
}

func user(t testing.TB, s *security.Service, id string) *security.User {
	t.Helper()
	u, err := s.User(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// request is controller:action, with an index and a collection or with targets.
func request(controller, action, index, collection, targets string) *protocol.Request {
	r := &protocol.Request{Controller: controller, Action: action, Index: index, Collection: collection}
	if targets != "" {
		r.Args.Set("targets", jsontext.Value(targets))
	}
	return r
}

func allowed(s *security.Service, u *security.User, controllerAction ...string) bool {
	return s.Allowed(u, request(controllerAction[0], controllerAction[1], "", "", ""), security.Grants{})
}
