package collection_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/controllers/collection"
	"github.com/sluicehq/sluice/controllers/controllertest"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/validation"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

type scenario controllertest.Scenario

func newNode(t *testing.T) *controllertest.Node {
	n := controllertest.New(t, true)
	specs, err := validation.Open(t.Context(), validation.Options{Engine: n.Engine, Logger: quiet, Now: controllertest.Now})
	if err != nil {
		t.Fatal(err)
	}
	reindexer := collection.NewReindexer(n.Engine, quiet)
	t.Cleanup(func() { _ = reindexer.Close(context.Background()) })
	err = n.Routes.Set(router.Contribution{
		Owner: "collection", Listeners: collection.Listeners(specs),
		Actions: collection.Actions(collection.Options{
			Engine: n.Engine, Realtime: n.Realtime, Announcer: n.Announcer, Specifications: specs, Reindexer: reindexer,
			Paging: target.Paging{MaxFetch: 20, MaxScroll: time.Minute},
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const (
	created = "core:storage:collection:create:after"
	deleted = "core:storage:collection:delete:after"
	ack     = `{"acknowledged":true}`
	info    = `"_kuzzle_info":{"properties":{"author":{"type":"keyword"},"createdAt":{"type":"date"},"updatedAt":{"type":"date"},"updater":{"type":"keyword"}}}`
)

func TestCollections(t *testing.T) {
	n := newNode(t)
	controllertest.Run(t, n, []scenario{
		{"does not exist, nor does the index", `collection:exists "index":"i","collection":"c"`, 200, "", `false`, ""},
		{"create", `collection:create "index":"i","collection":"c"`, 200, "", ack, created + ` {"index":"i","collection":"c","scope":"public"}`},
		{"create again", `collection:create "index":"i","collection":"c","body":{}`, 200, "", ack, "*"},
		{"create a reserved one", `collection:create "index":"i","collection":"_kuzzle_keep"`, 400, "services.storage.collection_reserved", "", ""},
		{"create without an index", `collection:create "collection":"c"`, 400, "api.assert.missing_argument", "", ""},
		{"create without a name", `collection:create "index":"i"`, 400, "api.assert.missing_argument", "", ""},
		{"create with a bad name", `collection:create "index":"i","collection":"C"`, 400, "services.storage.invalid_collection_name", "", ""},
		{"create in an index with a bad name", `collection:create "index":"I","collection":"c"`, 400, "services.storage.invalid_index_name", "", ""},
		{"create from a list", `collection:create "index":"i","collection":"c","body":[]`, 400, "api.assert.invalid_type", "", ""},
		{"create with mappings that are none", `collection:create "index":"i","collection":"c","body":{"mappings":1}`, 400, "api.assert.invalid_type", "", ""},
		{"create with settings that are none", `collection:create "index":"i","collection":"c","body":{"settings":[]}`, 400, "api.assert.invalid_type", "", ""},
		{"exists", `collection:exists "index":"i","collection":"c"`, 200, "", `true`, ""},
		{"does not exist", `collection:exists "index":"i","collection":"x"`, 200, "", `false`, ""},
		{"a pattern exists", `collection:exists "index":"i","collection":"*"`, 400, "services.storage.invalid_multi_index_collection_usage", "", ""},
		{"settings", `collection:getSettings "index":"i","collection":"c"`, 200, "", `{"number_of_replicas":"0","number_of_shards":"1","provided_name":"&i.c"}`, ""},
		{"settings of none", `collection:getSettings "index":"i","collection":"x"`, 412, "services.storage.unknown_collection", "", ""},
		{"refresh", `collection:refresh "index":"i","collection":"c"`, 200, "", `null`, ""},
		{"refresh none", `collection:refresh "index":"i","collection":"x"`, 412, "services.storage.unknown_collection", "", ""},
		{"refresh no index", `collection:refresh "index":"x","collection":"c"`, 412, "services.storage.unknown_index", "", ""},
		{"truncate none", `collection:truncate "index":"i","collection":"x"`, 412, "services.storage.unknown_collection", "", ""},
		{"truncate a list", `collection:truncate "index":"i","collection":"c,d"`, 400, "services.storage.invalid_multi_index_collection_usage", "", ""},
		{"delete by pattern", `collection:delete "index":"i","collection":"c*"`, 400, "services.storage.invalid_multi_index_collection_usage", "", ""},
		{"delete in every index", `collection:delete "index":"_all","collection":"c"`, 400, "services.storage.invalid_multi_index_collection_usage", "", ""},
		{"delete", `collection:delete "index":"i","collection":"c"`, 200, "", `null`, deleted + ` {"index":"i","collection":"c","scope":"public"}`},
		{"delete again", `collection:delete "index":"i","collection":"c"`, 412, "services.storage.unknown_collection", "", ""},
		{"delete in no index", `collection:delete "index":"x","collection":"c"`, 412, "services.storage.unknown_index", "", ""},
		{"the index is still there", `collection:list "index":"i"`, 200, "", `{"type":"all","collections":[]}`, ""},
		{"what the node has is not reached", `collection:exists "index":"kuzzle","collection":"users"`, 200, "", `false`, ""},
	})
}

func TestTruncate(t *testing.T) {
	n := newNode(t)
	c := storage.Collection{Index: "i", Name: "c"}
	controllertest.Run(t, n, []scenario{{"create", `collection:create "index":"i","collection":"c","body":{"mappings":{"properties":{"a":{"type":"keyword"}}}}`, 200, "", ack, "*"}})
	if _, err := n.Engine.Create(t.Context(), c, "d", []byte(`{}`), storage.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	controllertest.Run(t, n, []scenario{
		{"truncate", `collection:truncate "index":"i","collection":"c"`, 200, "", ack, ""},
		{"the mapping stays", `collection:getMapping "index":"i","collection":"c"`, 200, "", `{"dynamic":"false","properties":{"a":{"type":"keyword"}}}`, ""},
	})
	if _, err := n.Engine.Get(t.Context(), c, "d"); !errors.Is(err, kerror.ServicesStorageNotFound) {
		t.Error(err)
	}
}

func TestList(t *testing.T) {
	n := newNode(t)
	for _, name := range []string{"b", "a", "c"} {
		if err := n.Engine.Ensure(t.Context(), storage.Collection{Index: "i", Name: name}, storage.Spec{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Engine.Ensure(t.Context(), storage.Collection{Index: "j", Name: "d"}, storage.Spec{}); err != nil {
		t.Fatal(err)
	}
	n.Listen(t, "listener", "watched", "z", `{}`, realtime.Options{})
	n.Listen(t, "listener", "watched", "a", `{}`, realtime.Options{})
	if err := n.Engine.Ensure(t.Context(), storage.Collection{Index: "watched", Name: "z"}, storage.Spec{}); err != nil {
		t.Fatal(err)
	}
	const a, b, c = `{"name":"a","type":"stored"}`, `{"name":"b","type":"stored"}`, `{"name":"c","type":"stored"}`
	const live, z = `{"name":"a","type":"realtime"}`, `{"name":"z","type":"stored"},{"name":"z","type":"realtime"}`
	controllertest.Run(t, n, []scenario{
		{"all", `collection:list "index":"i"`, 200, "", `{"type":"all","collections":[` + a + `,` + b + `,` + c + `]}`, ""},
		{"stored", `collection:list "index":"i","type":"stored"`, 200, "", `{"type":"stored","collections":[` + a + `,` + b + `,` + c + `]}`, ""},
		{"realtime", `collection:list "index":"x","type":"realtime"`, 200, "", `{"type":"realtime","collections":[]}`, ""},
		{"watched", `collection:list "index":"watched"`, 200, "", `{"type":"all","collections":[` + live + `,` + z + `]}`, ""},
		{"only watched", `collection:list "index":"watched","type":"realtime","size":1`, 200, "", `{"type":"realtime","collections":[` + live + `],"size":1}`, ""},
		{"another type", `collection:list "index":"i","type":"x"`, 400, "api.assert.invalid_argument", "", ""},
		{"a type of another type", `collection:list "index":"i","type":1`, 400, "api.assert.invalid_type", "", ""},
		{"from", `collection:list "index":"i","from":1`, 200, "", `{"type":"all","collections":[` + b + `,` + c + `],"from":1}`, ""},
		{"size", `collection:list "index":"i","size":2`, 200, "", `{"type":"all","collections":[` + a + `,` + b + `],"size":2}`, ""},
		{"from and size", `collection:list "index":"i","from":1,"size":1`, 200, "", `{"type":"all","collections":[` + b + `],"from":1,"size":1}`, ""},
		{"beyond the end", `collection:list "index":"i","from":9,"size":9007199254740991`, 200, "", `{"type":"all","collections":[],"from":9,"size":9007199254740991}`, ""},
		{"before the beginning", `collection:list "index":"i","from":-1,"size":-1`, 200, "", `{"type":"all","collections":[` + a + `,` + b + `,` + c + `],"from":-1,"size":-1}`, ""},
		{"from what", `collection:list "index":"i","from":"x"`, 400, "api.assert.invalid_type", "", ""},
		{"unknown index", `collection:list "index":"x"`, 412, "services.storage.unknown_index", "", ""},
		{"no index", `collection:list`, 400, "api.assert.missing_argument", "", ""},
	})
}

func TestMappings(t *testing.T) {
	const c = `"index":"i","collection":"c"`
	controllertest.Run(t, newNode(t), []scenario{
		{"create", `collection:create ` + c + `,"body":{"mappings":{"dynamic":"strict","_meta":{"v":1},"properties":{"a":{"type":"keyword"},"_kuzzle_info":{"type":"keyword"}}}}`, 200, "", ack, "*"},
		{"metadata is hidden", `collection:getMapping ` + c, 200, "", `{"dynamic":"strict","_meta":{"v":1},"properties":{"a":{"type":"keyword"}}}`, ""},
		{"metadata is shown", `collection:getMapping ` + c + `,"includeKuzzleMeta":true`, 200, "", `{"dynamic":"strict","_meta":{"v":1},"properties":{` + info + `,"a":{"type":"keyword"}}}`, ""},
		{"mapping of none", `collection:getMapping "index":"i","collection":"x"`, 412, "services.storage.unknown_collection", "", ""},
		{"mapping in no index", `collection:getMapping "index":"x","collection":"x"`, 412, "services.storage.unknown_index", "", ""},
		{"update", `collection:update ` + c + `,"body":{"mappings":{"dynamic":true,"properties":{"b":{"type":"integer"}}}}`, 200, "", `null`, ""},
		{"it was added", `collection:getMapping ` + c, 200, "", `{"dynamic":"true","_meta":{"v":1},"properties":{"a":{"type":"keyword"},"b":{"type":"integer"}}}`, ""},
		{"update nothing", `collection:update ` + c, 200, "", `null`, ""},
		{"update and index anew", `collection:update ` + c + `,"body":{"reindexCollection":true}`, 200, "", `null`, ""},
		{"update and what", `collection:update ` + c + `,"body":{"reindexCollection":1}`, 400, "api.assert.invalid_type", "", ""},
		{"update by a mapping alone", `collection:update ` + c + `,"body":{"properties":{"e":{"type":"ip"}},"reindexCollection":true}`, 200, "", `null`, ""},
		{"it was added, too", `collection:getMapping ` + c, 200, "", `{"dynamic":"true","_meta":{"v":1},"properties":{"a":{"type":"keyword"},"b":{"type":"integer"},"e":{"type":"ip"}}}`, ""},
		{"update with a typo", `collection:update ` + c + `,"body":{"mapings":{"properties":{"x":{"type":"ip"}}}}`, 400, "services.storage.invalid_mapping", "", ""},
		{"update with a typo beside", `collection:update ` + c + `,"body":{"mappings":{},"setings":{}}`, 400, "services.storage.invalid_mapping", "", ""},
		{"update with two mappings", `collection:update ` + c + `,"body":{"mappings":{},"properties":{}}`, 400, "services.storage.invalid_mapping", "", ""},
		{"create with a typo", `collection:create "index":"i","collection":"typo","body":{"mapings":{}}`, 400, "services.storage.invalid_mapping", "", ""},
		{"update none", `collection:update "index":"i","collection":"x"`, 412, "services.storage.unknown_collection", "", ""},
		{"update no index", `collection:update "index":"x","collection":"x"`, 412, "services.storage.unknown_index", "", ""},
		{"change a type", `collection:update ` + c + `,"body":{"mappings":{"properties":{"a":{"type":"integer"}}}}`, 400, "services.storage.cannot_change_mapping", "", ""},
		{"a typo", `collection:update ` + c + `,"body":{"mappings":{"propertys":{}}}`, 400, "services.storage.invalid_mapping", "", ""},
		{"properties are no object", `collection:create ` + c + `,"body":{"mappings":{"properties":1}}`, 400, "services.storage.wrong_mapping_property", "", ""},
		{"update the mapping", `collection:updateMapping ` + c + `,"body":{"_meta":{"w":2},"properties":{"d":{"type":"date"}}}`, 200, "", `{"dynamic":"true","_meta":{"w":2},"properties":{` + info + `,"a":{"type":"keyword"},"b":{"type":"integer"},"d":{"type":"date"},"e":{"type":"ip"}}}`, ""},
		{"update the mapping without one", `collection:updateMapping ` + c, 400, "api.assert.body_required", "", ""},
		{"update the mapping of none", `collection:updateMapping "index":"i","collection":"x","body":{}`, 412, "services.storage.unknown_collection", "", ""},
		{"change a type here", `collection:updateMapping ` + c + `,"body":{"properties":{"a":{"type":"integer"}}}`, 400, "services.storage.cannot_change_mapping", "", ""},
		{"the form of old", `collection:create "index":"i","collection":"old","body":{"dynamic":false,"properties":{"a":{"type":"keyword"}}}`, 200, "", ack, "*"},
		{"is a mapping", `collection:getMapping "index":"i","collection":"old"`, 200, "", `{"dynamic":"false","properties":{"a":{"type":"keyword"}}}`, ""},
		{"an empty object of PHP", `collection:create "index":"i","collection":"php","body":{"mappings":{"properties":[]}}`, 200, "", ack, "*"},
		{"gets metadata", `collection:getMapping "index":"i","collection":"php","includeKuzzleMeta":true`, 200, "", `{"dynamic":"false","properties":{` + info + `}}`, ""},
		{"a typo in it", `collection:create "index":"i","collection":"older","body":{"propertys":{}}`, 400, "services.storage.invalid_mapping", "", ""},
		{"made nothing", `collection:exists "index":"i","collection":"older"`, 200, "", `false`, ""},
	})
}

func TestStorageFailure(t *testing.T) {
	n := newNode(t)
	controllertest.Run(t, n, []scenario{{"create", `collection:create "index":"i","collection":"c"`, 200, "", ack, "*"}})
	n.FailWith(func(string) error { return kerror.ServicesStorageNotConnected.Wrap(errors.New("gone")) })
	for _, action := range []string{"exists", "create", "update", "updateMapping", "getMapping", "getSettings", "list", "truncate", "refresh", "delete"} {
		controllertest.Run(t, n, []scenario{{action, `collection:` + action + ` "index":"i","collection":"c","body":{}`, 500, "services.storage.not_connected", "", ""}})
	}
}

// TestARefusedEventShows: the change is made, yet the client learns that a pipe after it failed.
func TestARefusedEventShows(t *testing.T) {
	n := newNode(t)
	n.Pipe(t, created, controllertest.Refuse)
	controllertest.Run(t, n, []scenario{
		{"create", `collection:create "index":"i","collection":"c"`, 400, "", "", "*"},
		{"it is there", `collection:exists "index":"i","collection":"c"`, 200, "", `true`, ""},
	})
}
