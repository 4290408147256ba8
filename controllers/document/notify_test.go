package document_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/controllertest"
	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// told is a request and what subscribers hear of it: who wants to hear of all documents, and who wants to hear of those that
// are red.
type told struct {
	name, call string
	all, red   string
}

// runTold asks, one request after the other on one node.
func runTold(t *testing.T, n *controllertest.Node, steps []told) {
	t.Helper()
	everything := n.Listen(t, "all", "i", "c", `{}`, realtime.Options{Users: realtime.None})
	red := map[string]*controllertest.Listener{}
	for name, scope := range map[string]realtime.Scope{"in ": realtime.In, "out ": realtime.Out, "": realtime.All} {
		red[name] = n.Listen(t, "red "+name, "i", "c", `{"equals":{"red":true}}`, realtime.Options{Documents: scope, Users: realtime.None})
	}
	nobody := n.Listen(t, "none", "i", "c", `{}`, realtime.Options{Documents: realtime.None, Users: realtime.None})
	elsewhere := n.Listen(t, "elsewhere", "i", "other", `{}`, realtime.Options{Users: realtime.None})
	for _, s := range steps {
		action, arguments, _ := strings.Cut(s.call, " ")
		controller, action, _ := strings.Cut(action, ":")
		n.Ask(t, `{"controller":"`+controller+`","action":"`+action+`",`+c+`,`+arguments+`}`)
		if got := everything.Lines(); got != s.all {
			t.Errorf("%s: all\n got %s\nwant %s", s.name, got, s.all)
		}
		for scope, l := range red {
			var want []string
			for line := range strings.Lines(s.red) {
				if strings.HasPrefix(line, scope) {
					want = append(want, strings.TrimSuffix(line, "\n"))
				}
			}
			if got := l.Lines(); got != strings.Join(want, "\n") {
				t.Errorf("%s: red, scope %q\n got %s\nwant %s", s.name, scope, got, strings.Join(want, "\n"))
			}
		}
	}
	if heard := nobody.Lines() + elsewhere.Lines(); heard != "" {
		t.Errorf("who wants to hear nothing heard %s", heard)
	}
}

func TestSubscribers(t *testing.T) {
	const d, e = `{"_id":"d","_source":`, `{"_id":"e","_source":`
	runTold(t, newNode(t), []told{
		{"create", `document:create "_id":"d","body":{"red":true}`, `in create ` + d + `{"red":true,` + fresh + `}}`, `in create ` + d + `{"red":true,` + fresh + `}}`},
		{"create what is there", `document:create "_id":"d","body":{"red":true}`, "", ""},
		{"create, generated id", `document:create "body":{"red":"1"}`, `in create {"_id":"UUID","_source":{"red":"1",` + fresh + `}}`, ""},
		{
			"update, still in", `document:update "_id":"d","body":{"o":{"n":1,"l":[{"m":2}]},"_kuzzle_info":{"author":"me"}}`,
			`in update ` + d + `{"red":true,` + updatedInfoOf(fresh) + `,"o":{"n":1,"l":[{"m":2}]}},"_updatedFields":["o.n","o.l"]}`,
			`in update ` + d + `{"red":true,` + updatedInfoOf(fresh) + `,"o":{"n":1,"l":[{"m":2}]}},"_updatedFields":["o.n","o.l"]}`,
		},
		{"deleteFields", `document:deleteFields "_id":"d","body":{"fields":["o","a[\"b\"].c","_kuzzle_info.author"]}`, `in update ` + d + `{"red":true,` + updatedInfoOf(fresh) + `},"_updatedFields":["o","a.b.c"]}`, `in update ` + d + `{"red":true,` + updatedInfoOf(fresh) + `},"_updatedFields":["o","a.b.c"]}`},
		{"update that leaves", `document:update "_id":"d","body":{"red":false}`, `in update ` + d + `{"red":false,` + updatedInfoOf(fresh) + `},"_updatedFields":["red"]}`, `out update ` + d + `{"red":false,` + updatedInfoOf(fresh) + `},"_updatedFields":["red"]}`},
		{"update outside", `document:update "_id":"d","body":{"n":1}`, `in update ` + d + `{"red":false,` + updatedInfoOf(fresh) + `,"n":1},"_updatedFields":["n"]}`, ""},
		{"replace, enters", `document:replace "_id":"d","body":{"red":true}`, `in replace ` + d + `{"red":true,` + replaced + `}}`, `in replace ` + d + `{"red":true,` + replaced + `}}`},
		{"replace, leaves", `document:replace "_id":"d","body":{}`, `in replace ` + d + `{` + replaced + `}}`, `out replace ` + d + `{` + replaced + `}}`},
		{"replace what is not there", `document:replace "_id":"x","body":{"red":true}`, "", ""},
		{"createOrReplace, creates", `document:createOrReplace "_id":"e","body":{"red":true}`, `in create ` + e + `{"red":true,` + replaced + `}}`, `in create ` + e + `{"red":true,` + replaced + `}}`},
		{"createOrReplace, replaces", `document:createOrReplace "_id":"e","body":{}`, `in replace ` + e + `{` + replaced + `}}`, `out replace ` + e + `{` + replaced + `}}`},
		{"upsert, creates", `document:upsert "_id":"u","body":{"changes":{"red":true},"default":{"n":1}}`, `in create {"_id":"u","_source":{"n":1,"red":true,` + replaced + `}}`, `in create {"_id":"u","_source":{"n":1,"red":true,` + replaced + `}}`},
		{"upsert, updates and leaves", `document:upsert "_id":"u","body":{"changes":{"red":null}}`, `in update {"_id":"u","_source":{"n":1,"red":null,` + replaced + `},"_updatedFields":["red"]}`, `out update {"_id":"u","_source":{"n":1,"red":null,` + replaced + `},"_updatedFields":["red"]}`},
		{"delete outside", `document:delete "_id":"u"`, `out delete {"_id":"u","_source":{"n":1,"red":null,` + replaced + `}}`, ""},
		{"delete what is gone", `document:delete "_id":"u"`, "", ""},
		{"update, enters", `document:update "_id":"d","body":{"red":true}`, `in update ` + d + `{` + replaced + `,"red":true},"_updatedFields":["red"]}`, `in update ` + d + `{` + replaced + `,"red":true},"_updatedFields":["red"]}`},
		{"delete inside", `document:delete "_id":"d"`, `out delete ` + d + `{` + replaced + `,"red":true}}`, `out delete ` + d + `{` + replaced + `,"red":true}}`},
	})
}

// updatedInfoOf is metadata after a change.
func updatedInfoOf(info string) string {
	return strings.Replace(info, `"updatedAt":null,"updater":null`, `"updatedAt":1000,"updater":"-1"`, 1)
}

func TestSubscribersOfMany(t *testing.T) {
	line := func(what, id, source, more string) string {
		return what + ` {"_id":"` + id + `","_source":{` + source + `}` + more + `}`
	}
	lines := func(l ...string) string { return strings.Join(l, "\n") }
	changed := updatedInfoOf(fresh)
	runTold(t, newNode(t), []told{
		{
			"mCreate, with failures", `document:mCreate "body":{"documents":[{"_id":"a","body":{"red":true}},{"_id":"a","body":{}},{"_id":"x"},{"_id":"b","body":{"n":1}}]}`,
			lines(line("in create", "a", `"red":true,`+fresh, ""), line("in create", "b", `"n":1,`+fresh, "")),
			line("in create", "a", `"red":true,`+fresh, ""),
		},
		{
			"mCreate, strictly", `document:mCreate "strict":true,"body":{"documents":[{"_id":"a","body":{}},{"_id":"f","body":{"n":2}}]}`,
			line("in create", "f", `"n":2,`+fresh, ""), "",
		},
		{
			"mUpdate, twice the same", `document:mUpdate "body":{"documents":[{"_id":"a","body":{"red":1}},{"_id":"none","body":{}},{"_id":"a","body":{"red":true}}]}`,
			lines(line("in update", "a", `"red":1,`+changed, `,"_updatedFields":["red"]`), line("in update", "a", `"red":true,`+changed, `,"_updatedFields":["red"]`)),
			lines(line("out update", "a", `"red":1,`+changed, `,"_updatedFields":["red"]`), line("in update", "a", `"red":true,`+changed, `,"_updatedFields":["red"]`)),
		},
		{
			"mCreateOrReplace, shown without source", `document:mCreateOrReplace "source":false,"body":{"documents":[{"_id":"a","body":{}},{"_id":"c","body":{}}]}`,
			lines(line("in replace", "a", fresh, ""), line("in create", "c", fresh, "")),
			line("out replace", "a", fresh, ""),
		},
		{
			"mReplace", `document:mReplace "body":{"documents":[{"_id":"c","body":{"red":true}},{"_id":"none","body":{}}]}`,
			line("in replace", "c", `"red":true,`+fresh, ""), line("in replace", "c", `"red":true,`+fresh, ""),
		},
		{
			"mUpsert", `document:mUpsert "body":{"documents":[{"_id":"c","changes":{"n":1}},{"_id":"g","changes":{"n":2}}]}`,
			lines(line("in update", "c", `"red":true,`+changed+`,"n":1`, `,"_updatedFields":["n"]`), line("in create", "g", `"n":2,`+replaced, "")),
			line("in update", "c", `"red":true,`+changed+`,"n":1`, `,"_updatedFields":["n"]`),
		},
		{
			"mDelete", `document:mDelete "body":{"ids":["b",1,"none","c"]}`,
			lines(line("out delete", "b", `"n":1,`+fresh, ""), line("out delete", "c", `"red":true,`+changed+`,"n":1`, "")),
			line("out delete", "c", `"red":true,`+changed+`,"n":1`, ""),
		},
		{"too many", `document:mDelete "body":{"ids":["a","f","g","1","2","3"]}`, "", ""},
		{
			"updateByQuery", `document:updateByQuery "body":{"query":{"ids":{"values":["a"]}},"changes":{"red":true,"o":{"p":1}}}`,
			line("in update", "a", changed+`,"red":true,"o":{"p":1}`, `,"_updatedFields":["red","o.p"]`),
			line("in update", "a", changed+`,"red":true,"o":{"p":1}`, `,"_updatedFields":["red","o.p"]`),
		},
		{
			"deleteByQuery", `document:deleteByQuery "body":{"query":{"ids":{"values":["a"]}}}`,
			line("out delete", "a", changed+`,"red":true,"o":{"p":1}`, ""),
			line("out delete", "a", changed+`,"red":true,"o":{"p":1}`, ""),
		},
	})
}

// TestSilent: nobody hears of what is written silently, by any action.
func TestSilent(t *testing.T) {
	n := withDocument(t, `{"red":true}`)
	l := n.Listen(t, "all", "i", "c", `{}`, realtime.Options{Users: realtime.None})
	for _, call := range []string{
		`create","_id":"a","body":{}`, `createOrReplace","_id":"a","body":{}`, `replace","_id":"a","body":{}`,
		`update","_id":"a","body":{}`, `upsert","_id":"a","body":{"changes":{}}`,
		`deleteFields","_id":"a","body":{"fields":["n"]}`, `delete","_id":"a"`,
		`mCreate","body":{"documents":[{"_id":"b","body":{}}]}`, `mCreateOrReplace","body":{"documents":[{"_id":"b","body":{}}]}`,
		`mReplace","body":{"documents":[{"_id":"b","body":{}}]}`, `mUpdate","body":{"documents":[{"_id":"b","body":{}}]}`,
		`mUpsert","body":{"documents":[{"_id":"b","changes":{}}]}`, `mDelete","body":{"ids":["b"]}`,
		`updateByQuery","body":{"query":{"match_all":{}},"changes":{}}`, `deleteByQuery","body":{"query":{"match_all":{}}}`,
	} {
		a := n.Ask(t, ask+`"silent":true,"action":"`+call+`}`)
		if a.Status != 200 || strings.Contains(string(a.Result), `"status":4`) {
			t.Errorf("%s: %d %s %v", call, a.Status, a.Result, a.Error)
		}
	}
	if heard := l.Lines(); heard != "" {
		t.Error(heard)
	}
}

// TestWordComesAfterEvents and with what is stored, not with what pipes make of the answer; and it comes although a pipe
// refuses the answer.
func TestWordComesAfterEvents(t *testing.T) {
	n := newNode(t)
	l := n.Listen(t, "all", "i", "c", `{}`, realtime.Options{Users: realtime.None})
	n.Pipe(t, "generic:document:afterWrite", func(_ context.Context, _ string, p *events.Payload) error {
		if heard := l.Lines(); heard != "" {
			t.Errorf("told before the event: %s", heard)
		}
		data, err := json.Marshal([]map[string]any{{"_id": "other", "_source": map[string]any{"other": 1}}})
		p.Data = jsontext.Value(data)
		return err
	})
	const stored = `in create {"_id":"d","_source":{"n":1,` + fresh + `}}`
	a := n.Ask(t, ask+`"action":"create","_id":"d","requestId":"r","volatile":{"v":1},"body":{"n":1}}`)
	heard := l.All()
	if !strings.Contains(string(a.Result), `"other"`) || len(heard) != 1 {
		t.Fatalf("%s, heard %v", a.Result, heard)
	}
	if h := heard[0]; string(h.Result) != `{"_id":"d","_source":{"n":1,`+fresh+`}}` || h.RequestID != "r" || string(h.Volatile) != `{"v":1}` ||
		h.Event != "write" || h.Controller != "document" || h.Index != "i" || h.Collection != "c" {
		t.Errorf("%+v", h)
	}
	n.Engine.Delete(t.Context(), storage.Collection{Index: "i", Name: "c"}, "d", storage.WriteOptions{Forget: true})
	n.Pipe(t, "generic:document:afterWrite", controllertest.Refuse)
	if a := n.Ask(t, ask+`"action":"create","_id":"d","body":{"n":1}}`); a.Status != 400 {
		t.Error(a.Status)
	}
	if got := l.Lines(); got != stored {
		t.Errorf("heard %s", got)
	}
}

// TestFailingPipesOnNotifications do not fail the write.
func TestFailingPipesOnNotifications(t *testing.T) {
	n := newNode(t)
	l := n.Listen(t, "all", "i", "c", `{}`, realtime.Options{Users: realtime.None})
	n.Pipe(t, "notify:document", controllertest.Refuse)
	a := n.Ask(t, ask+`"action":"create","_id":"d","body":{"n":1}}`)
	if heard := l.Lines(); a.Status != 200 || heard != "" {
		t.Errorf("%d %v, heard %s", a.Status, a.Error, heard)
	}
}

// TestNothingIsAskedWhenNobodyWatches, nor after the last one left.
func TestNothingIsAskedWhenNobodyWatches(t *testing.T) {
	n := withDocument(t, `{}`)
	asked := &askedEngine{Engine: n.Engine}
	where := storage.Collection{Index: "i", Name: "c"}
	write := func(silent bool) bool {
		t.Helper()
		ops := []storage.Op{{Kind: storage.OpPut, ID: "d", Source: []byte(`{}`)}}
		_, news, err := n.Subscribers.Write(t.Context(), asked, &protocol.Request{Connection: &protocol.Connection{}}, where, ops, storage.BulkOptions{}, silent)
		if err != nil {
			t.Fatal(err)
		}
		news.Tell(t.Context())
		return asked.previous
	}
	if write(false) {
		t.Error("nobody watches")
	}
	n.Listen(t, "l", "i", "c", `{}`, realtime.Options{})
	if !write(false) || write(true) {
		t.Error("somebody watches")
	}
	n.Leave("l")
	if write(false) {
		t.Error("nobody watches any more")
	}
}

type askedEngine struct {
	storage.Engine
	previous bool
}

func (e *askedEngine) Write(ctx context.Context, c storage.Collection, ops []storage.Op, o storage.BulkOptions) ([]storage.OpResult, error) {
	e.previous = o.Previous
	return e.Engine.Write(ctx, c, ops, o)
}

// TestWhoComesWhileItIsWritten hears of it: nothing else would tell him that what he has read is old.
func TestWhoComesWhileItIsWritten(t *testing.T) {
	n := newNode(t)
	var l *controllertest.Listener
	n.Pipe(t, "generic:document:afterWrite", func(context.Context, string, *events.Payload) error {
		l = n.Listen(t, "l", "i", "c", `{}`, realtime.Options{Users: realtime.None})
		return nil
	})
	n.Ask(t, ask+`"action":"create","_id":"d","body":{"n":1}}`)
	if got := l.Lines(); got != `in create {"_id":"d","_source":{"n":1,`+fresh+`}}` {
		t.Errorf("heard %q", got)
	}
}

// TestFailedWritesAreNotTold, whole requests and single documents of them.
func TestFailedWritesAreNotTold(t *testing.T) {
	n := withDocument(t, `{}`)
	l := n.Listen(t, "l", "i", "c", `{}`, realtime.Options{Users: realtime.None})
	n.FailWith(func(op string) error {
		if op == "Write" {
			return kerror.ServicesStorageNotConnected.New()
		}
		return nil
	})
	for _, call := range []string{`delete","_id":"d"`, `mCreate","body":{"documents":[{"body":{}}]}`, `deleteByQuery"`} {
		if a := n.Ask(t, ask+`"action":"`+call+`}`); a.Status != 500 {
			t.Errorf("%s: %d", call, a.Status)
		}
	}
	n.FailWith(nil)
	n.Ask(t, ask+`"action":"update","_id":"d","body":{}}`) // the line is free
	if got := l.All(); len(got) != 1 || got[0].Action != "update" {
		t.Errorf("heard %v", got)
	}
}

// TestOwnStorage: what a plugin stores for itself is told to nobody, even to who watches an index of the same name.
func TestOwnStorage(t *testing.T) {
	n := newNode(t)
	if err := n.Engine.Ensure(t.Context(), storage.Collection{Scope: storage.Internal, Index: "i", Name: "c"}, storage.Spec{}); err != nil {
		t.Fatal(err)
	}
	var heard []*controllertest.Listener
	for _, index := range []string{"i", protocol.StorageMark + "i"} {
		heard = append(heard, n.Listen(t, index, index, "c", `{}`, realtime.Options{Users: realtime.None}))
	}
	a := n.Funnel.Execute(t.Context(), &protocol.Request{
		Controller: "document", Action: "create", Index: protocol.StorageMark + "i", Collection: "c", ID: "d", Body: []byte(`{}`),
		Connection: &protocol.Connection{}, Internal: &protocol.Internal{Plugin: "p", Storage: "i"},
	})
	if a.Status != 200 {
		t.Fatal(a.Error)
	}
	for _, l := range heard {
		if lines := l.Lines(); lines != "" {
			t.Error(lines)
		}
	}
}

// TestDeleteByQueryTellsAllOfLargeDocuments, some at a time, although the answer has none of their sources.
func TestDeleteByQueryTellsAllOfLargeDocuments(t *testing.T) {
	n := newNode(t)
	for i := range maxWrite {
		source := fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("x", 1<<20))
		if _, _, err := n.Engine.Put(t.Context(), storage.Collection{Index: "i", Name: "c"}, fmt.Sprint(i), source, storage.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	l := n.Listen(t, "l", "i", "c", `{"exists":"text"}`, realtime.Options{Documents: realtime.Out, Users: realtime.None})
	a := n.Ask(t, ask+`"action":"deleteByQuery"}`)
	heard := l.All()
	if a.Status != 200 || len(heard) != maxWrite {
		t.Fatalf("%d %v: told of %d", a.Status, a.Error, len(heard))
	}
	for i, h := range heard {
		if !strings.HasPrefix(string(h.Result), fmt.Sprintf(`{"_id":"%d"`, i)) || len(h.Result) < 1<<20 {
			t.Errorf("%d bytes of %.20s", len(h.Result), h.Result)
		}
	}
}

// TestLastWord: of writers who meet on one document a subscriber hears in the order of the writes, whatever pipes hold them up.
func TestLastWord(t *testing.T) {
	const writers, rounds = 8, 50
	n := withDocument(t, `{"n":0}`)
	l := n.Listen(t, "l", "i", "c", `{"exists":"n"}`, realtime.Options{Users: realtime.None})
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range rounds {
				call := fmt.Sprintf(`"action":"update","_id":"d","body":{"w%d":%d}}`, w, i)
				switch {
				case i%10 == 5:
					call = `"action":"delete","_id":"d"}`
				case i%10 > 5:
					call = fmt.Sprintf(`"action":"upsert","_id":"d","body":{"changes":{"n":1,"w%d":%d}}}`, w, i)
				}
				n.Ask(t, ask+call)
			}
		})
	}
	wg.Wait()
	state := map[string]any{} // what a subscriber knows who believes every word
	for _, h := range l.All() {
		var result struct {
			ID     string         `json:"_id"`
			Source map[string]any `json:"_source"`
			Fields []string       `json:"_updatedFields"`
		}
		if err := json.Unmarshal(h.Result, &result); err != nil {
			t.Fatal(err)
		}
		switch {
		case h.Action == "delete":
			same(t, result.Source, state)
			state = nil
		case h.Action == "create" && state != nil:
			t.Fatal("created what was there")
		case h.Action == "update" && len(state) > 0:
			for _, field := range result.Fields {
				state[field] = result.Source[field]
			}
			state["_kuzzle_info"] = result.Source["_kuzzle_info"]
			same(t, result.Source, state)
		default:
			state = result.Source
		}
	}
	stored, err := n.Engine.Get(t.Context(), storage.Collection{Index: "i", Name: "c"}, "d")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal(stored.Source, &want); err != nil {
		t.Fatal(err)
	}
	same(t, want, state)
}

func same(t *testing.T, got, want map[string]any) {
	t.Helper()
	a, errA := json.Marshal(got, json.Deterministic(true))
	b, errB := json.Marshal(want, json.Deterministic(true))
	if errA != nil || errB != nil || string(a) != string(b) {
		t.Fatalf("%s, but heard of %s", a, b)
	}
}
