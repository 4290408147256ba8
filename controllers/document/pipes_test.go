package document_test

import (
	"context"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/controllertest"
	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// plugin is a pipe as a plugin answers: with JSON.
func plugin(data string) events.PipeFunc {
	return func(_ context.Context, _ string, p *events.Payload) error {
		p.Data = jsontext.Value(data)
		return nil
	}
}

// TestPipesChangeDocuments: what is written and answered is what the pipes made of it.
func TestPipesChangeDocuments(t *testing.T) {
	n := withDocument(t, `{"a":1}`)
	const (
		many    = `"body":{"documents":[{"_id":"d","body":{"a":1}},{"_id":7,"body":{}},{"_id":"e","body":{"a":1}}]}`
		refused = `"errors":[{"document":{"_id":7,"body":{}},"status":400,"reason":"Wrong type for argument \"body.documents[1]._id\"; expected: string."}]`
	)
	for _, c := range []struct {
		event, data string
		then        scenario
	}{
		{
			announce.BeforeWrite, `[{"_id":"p","_source":{"b":2}}]`,
			scenario{"create", `document:create ` + c + `,"body":{"a":1}`, 200, "", `{"_id":"p","_source":{"b":2,` + fresh + `},"_version":1}`, "*"},
		},
		{
			announce.AfterWrite, `[{"_id":"q","_source":{"seen":true}}]`,
			scenario{"createOrReplace", `document:createOrReplace ` + c + `,"_id":"d","body":{"a":1}`, 200, "", `{"_id":"q","_source":{"seen":true},"_version":2,"created":false}`, "*"},
		},
		{
			announce.BeforeUpdate, `[{"_id":"d","_source":{"b":2}}]`,
			scenario{"update", `document:update ` + c + `,"_id":"d","body":{"a":1}`, 200, "", `{"_id":"d","_source":{"b":2,` + changes + `},"_version":3}`, "*"},
		},
		{
			announce.BeforeGet, `[{"_id":"d"}]`,
			scenario{"exists", `document:exists ` + c + `,"_id":"nobody"`, 200, "", `true`, "*"},
		},
		{
			announce.AfterGet, `[{"_id":"d","_source":{"masked":true}}]`,
			scenario{"get", `document:get ` + c + `,"_id":"d"`, 200, "", `{"_id":"d","_source":{"masked":true},"_version":3}`, "*"},
		},
		{
			announce.BeforeDelete, `[{"_id":"p"}]`,
			scenario{"delete", `document:delete ` + c + `,"_id":"nobody"`, 200, "", `{"_id":"p"}`, "*"},
		},
		{
			announce.BeforeWrite, `[{"_id":"m","_source":{"b":1}},{"_id":"n","_source":{"b":2}}]`,
			scenario{
				"mCreate", `document:mCreate ` + c + `,` + many, 200, "",
				`{"successes":[{"_id":"m","_source":{"b":1,` + fresh + `},"_version":1,"created":true,"result":"created","status":201},` +
					`{"_id":"n","_source":{"b":2,` + fresh + `},"_version":1,"created":true,"result":"created","status":201}],` + refused + `}`, "*",
			},
		},
		{
			announce.InjectMetadata, `{"metadata":{"author":"plugin","tenant":1}}`,
			scenario{"metadata", `document:create ` + c + `,"_id":"i","body":{}`, 200, "", `{"_id":"i","_source":{"_kuzzle_info":{"author":"plugin","tenant":1}},"_version":1}`, "*"},
		},
		{
			announce.InjectMetadata, `{"metadata":{"author":"changed"},"defaultMetadata":{"author":"new"}}`,
			scenario{"metadata of an upsert", `document:upsert ` + c + `,"_id":"j","source":true,"body":{"changes":{}}`, 200, "", `{"_id":"j","_source":{"_kuzzle_info":{"author":"new"}},"_version":1,"created":true}`, "*"},
		},
	} {
		n.Pipe(t, c.event, plugin(c.data))
		controllertest.Run(t, n, []scenario{c.then})
	}
}

// TestPipesThatMakeNoSense: the request stops, and before a write nothing is written.
func TestPipesThatMakeNoSense(t *testing.T) {
	n := newNode(t)
	for _, c := range []struct{ event, data string }{
		{announce.BeforeWrite, `[]`},
		{announce.BeforeWrite, `[{},{}]`},
		{announce.BeforeWrite, `{}`},
		{announce.BeforeWrite, `[{"_id":"p","_source":[]}]`},
		{announce.InjectMetadata, `{}`},
		{announce.InjectMetadata, `[]`},
		{announce.InjectMetadata, `{"metadata":1}`},
	} {
		n.Pipe(t, c.event, plugin(c.data))
		controllertest.Run(t, n, []scenario{
			{c.event + " " + c.data, `document:create "index":"i","collection":"c","_id":"d","body":{}`, 500, "plugin.runtime.unexpected_error", "", "*"},
		})
	}
	n.Pipe(t, announce.InjectMetadata, plugin(`{"metadata":{}}`))
	controllertest.Run(t, n, []scenario{
		{"an upsert needs both", `document:upsert "index":"i","collection":"c","_id":"d","body":{"changes":{}}`, 500, "plugin.runtime.unexpected_error", "", "*"},
	})
	n.Pipe(t, "", nil)
	controllertest.Run(t, n, []scenario{{"nothing was written", `document:exists "index":"i","collection":"c","_id":"d"`, 200, "", `false`, "*"}})
}

// TestPipesRefuse: every event before stops its actions, and what they would do is not done; every event after is told.
func TestPipesRefuse(t *testing.T) {
	n := withDocument(t, `{"a":1}`)
	const one, many = c + `,"_id":"d","body":{"a":2,"changes":{"a":2},"fields":["a"]}`, c + `,"body":{"ids":["d"],"documents":[{"_id":"d","body":{"a":2},"changes":{"a":2}}]}`
	for _, before := range []struct {
		event   string
		actions map[string]string
	}{
		{announce.BeforeGet, map[string]string{"get": one, "exists": one, "mGet": many, "mExists": many}},
		{announce.AfterGet, map[string]string{"get": one, "exists": one, "mGet": many, "mExists": many}},
		{announce.BeforeWrite, map[string]string{"create": one, "createOrReplace": one, "replace": one, "mCreate": many, "mCreateOrReplace": many, "mReplace": many}},
		{announce.BeforeUpdate, map[string]string{"update": one, "upsert": one, "deleteFields": one, "mUpdate": many, "mUpsert": many}},
		{announce.BeforeDelete, map[string]string{"delete": one, "mDelete": many}},
		{announce.InjectMetadata, map[string]string{"create": one, "createOrReplace": one, "replace": one, "update": one, "upsert": one, "deleteFields": one, "mCreate": many, "mUpdate": many, "mUpsert": many}},
	} {
		n.Pipe(t, before.event, controllertest.Refuse)
		for action, arguments := range before.actions {
			controllertest.Run(t, n, []scenario{{before.event + ", " + action, `document:` + action + ` ` + arguments, 400, "", "", "*"}})
		}
	}
	n.Pipe(t, "", nil)
	controllertest.Run(t, n, []scenario{{"as it was", `document:get ` + c + `,"_id":"d"`, 200, "", `{"_id":"d","_source":{"a":1},"_version":1}`, "*"}})
	for event, actions := range map[string][]string{
		announce.AfterWrite: {"create " + c + `,"body":{}`, "createOrReplace " + one, "replace " + one, "mCreateOrReplace " + many}, announce.AfterUpdate: {"update " + one, "upsert " + one, "mUpdate " + many, "deleteFields " + one},
		announce.AfterDelete: {"delete " + c + `,"_id":"new"`, "mDelete " + c + `,"body":{"ids":["d"]}`},
	} {
		n.Pipe(t, event, controllertest.Refuse)
		for _, action := range actions {
			if event == announce.AfterDelete {
				if _, _, err := n.Engine.Put(t.Context(), storage.Collection{Index: "i", Name: "c"}, "new", []byte(`{}`), storage.WriteOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			controllertest.Run(t, n, []scenario{{event + ", " + action, "document:" + action, 400, "", "", "*"}})
		}
	}
}

// TestDeleteFieldsRaces: who writes in between is not overwritten.
func TestDeleteFieldsRaces(t *testing.T) {
	n := withDocument(t, `{"a":1,"b":1}`)
	where := storage.Collection{Index: "i", Name: "c"}
	races := 1
	n.Pipe(t, announce.BeforeUpdate, func(ctx context.Context, _ string, _ *events.Payload) error {
		if races--; races < 0 {
			return nil
		}
		_, err := n.Engine.Update(ctx, where, "d", []byte(`{"c":1}`), storage.UpdateOptions{})
		return err
	})
	controllertest.Run(t, n, []scenario{
		{"one race", `document:deleteFields ` + c + `,"_id":"d","source":true,"body":{"fields":["a"]}`, 200, "", `{"_id":"d","_source":{"b":1,"c":1,` + changes + `},"_version":3}`, "*"},
	})
	races = 1000
	controllertest.Run(t, n, []scenario{
		{"nothing but races", `document:deleteFields ` + c + `,"_id":"d","body":{"fields":["b"]}`, 500, "services.storage.too_many_changes", "", "*"},
	})
}

func TestStorageFailure(t *testing.T) {
	n := withDocument(t, `{"a":1}`)
	n.FailWith(func(string) error { return kerror.ServicesStorageNotConnected.New() })
	const one, many = c + `,"_id":"d","body":{"changes":{},"fields":["a"]}`, c + `,"body":{"ids":["d"],"documents":[]}`
	for action, arguments := range map[string]string{
		"get": one, "exists": one, "create": one, "createOrReplace": one, "replace": one, "update": one, "upsert": one, "delete": one, "deleteFields": one,
		"mGet": many, "mExists": many, "mCreate": many, "mCreateOrReplace": many, "mReplace": many, "mUpdate": many, "mUpsert": many, "mDelete": many,
	} {
		controllertest.Run(t, n, []scenario{{action, `document:` + action + ` ` + arguments, 500, "services.storage.not_connected", "", "*"}})
	}
}
