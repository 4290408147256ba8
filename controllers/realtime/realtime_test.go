package realtime_test

import (
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/controllers/controllertest"
	"github.com/sluicehq/sluice/controllers/metadata"
	controller "github.com/sluicehq/sluice/controllers/realtime"
	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/validation"
	"github.com/sluicehq/sluice/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client is a connection that notes what it is sent.
type client struct {
	node *node
	conn *protocol.Connection

	mu  sync.Mutex
	got []string
}

func (c *client) Deliver(m *realtime.Message) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, string(m.JSON))
	return true
}

func (c *client) Close(int, string) {}

func (c *client) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.got
	c.got = nil
	return got
}

// ask does what the network does with a request.
func (c *client) ask(t *testing.T, envelope string) *protocol.Response {
	t.Helper()
	a := c.node.AskOver(t, c.conn, envelope)
	a.Answered(true)
	return a
}

type node struct {
	*controllertest.Node
	service   *realtime.Service
	validator *validation.Validator

	mu      sync.Mutex
	clients map[string]*client
}

func (n *node) connect(id string) *client {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := &client{node: n, conn: &protocol.Connection{ID: id, Protocol: "websocket"}}
	n.clients[id] = c
	return c
}

func (n *node) outbox(id string) realtime.Outbox {
	n.mu.Lock()
	defer n.mu.Unlock()
	if c := n.clients[id]; c != nil {
		return c
	}
	return nil
}

func newNode(t *testing.T, dev bool) *node {
	t.Helper()
	n := &node{Node: controllertest.New(t, dev), clients: map[string]*client{}}
	var err error
	n.service, err = realtime.New(realtime.Config{
		Outbox: n.outbox, Bus: n.Announcer.Bus, Events: func() *events.Table { return n.Routes.Current().Events }, NodeID: "n1",
		MaxRooms: 3, MaxConditions: 100, History: realtime.HistoryLimits{Window: time.Minute, Messages: 10, Bytes: 1 << 20, Rooms: 10},
		Logger: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.service.Close)
	if n.validator, err = validation.Open(t.Context(), validation.Options{Engine: n.Engine}); err != nil {
		t.Fatal(err)
	}
	n.Contribute(t, "realtime", controller.Actions(controller.Options{
		Realtime: n.service, Users: n.Users, Announcer: n.Announcer,
		Metadata: metadata.Writer{Announcer: n.Announcer, Now: controllertest.Now}, Validator: n.validator,
	}))
	return n
}

const (
	// c is the collection of most tests.
	c      = `"index":"i","collection":"c"`
	noRoom = `"body":{"roomId":"none"}`
)

var roomIDs = regexp.MustCompile(`[0-9a-f]{64}`)

func TestActions(t *testing.T) {
	n := newNode(t, true)
	n.connect("c")
	for _, s := range []struct {
		name, call string
		status     int
		want       string // the id of the error, or the result with R for rooms
	}{
		{"subscribe", `"action":"subscribe",` + c + `,"body":{}`, 200, `{"roomId":"R","channel":"R-311"}`},
		{"what a client may send besides", `"action":"subscribe",` + c + `,"body":{},"verb":"POST","subscribeToSelf":true,"state":"all"`, 200, `{"roomId":"R","channel":"R-311"}`},
		{"null is absent", `"action":"subscribe",` + c + `,"body":{},"scope":null,"users":null,"propagate":null,"resumable":null,"lastMessageId":null`, 200, `{"roomId":"R","channel":"R-311"}`},
		{"options", `"action":"subscribe",` + c + `,"body":{},"scope":"in","users":"out","propagate":false`, 200, `{"roomId":"R","channel":"R-422"}`},
		{"subscribe without an index", `"action":"subscribe","collection":"c","body":{}`, 400, "api.assert.missing_argument"},
		{"subscribe without a collection", `"action":"subscribe","index":"i","body":{}`, 400, "api.assert.missing_argument"},
		{"subscribe to many collections", `"action":"subscribe","index":"i","collection":"c,d","body":{}`, 400, "services.storage.invalid_multi_index_collection_usage"},
		{"subscribe without a body", `"action":"subscribe",` + c, 400, "api.assert.body_required"},
		{"subscribe with a list", `"action":"subscribe",` + c + `,"body":[]`, 400, "api.assert.invalid_type"},
		{"subscribe with nonsense", `"action":"subscribe",` + c + `,"body":{"like":{"a":1}}`, 400, "api.assert.koncorde_dsl_error"},
		{"subscribe with two keywords", `"action":"subscribe",` + c + `,"body":{"exists":"a","missing":"b"}`, 400, "api.assert.koncorde_dsl_error"},
		{"bad scope", `"action":"subscribe",` + c + `,"body":{},"scope":"some"`, 400, "core.realtime.invalid_scope"},
		{"bad users", `"action":"subscribe",` + c + `,"body":{},"users":"some"`, 400, "core.realtime.invalid_users"},
		{"scope of another type", `"action":"subscribe",` + c + `,"body":{},"scope":1`, 400, "api.assert.invalid_type"},
		{"propagate of another type", `"action":"subscribe",` + c + `,"body":{},"propagate":"x"`, 400, "api.assert.invalid_type"},
		{"lastMessageId of another type", `"action":"subscribe",` + c + `,"body":{},"lastMessageId":1`, 400, "api.assert.invalid_type"},
		{"join nothing", `"action":"join"`, 400, "api.assert.body_required"},
		{"join without a room", `"action":"join","body":{}`, 400, "api.assert.missing_argument"},
		{"join what is not there", `"action":"join",` + noRoom, 404, "core.realtime.room_not_found"},
		{"join with a bad scope", `"action":"join","scope":"x",` + noRoom, 400, "core.realtime.invalid_scope"},
		{"join with bad users", `"action":"join","users":"x",` + noRoom, 400, "core.realtime.invalid_users"},
		{"count what is not there", `"action":"count",` + noRoom, 200, `{"count":0}`},
		{"count nothing", `"action":"count"`, 400, "api.assert.body_required"},
		{"count without a room", `"action":"count","body":{}`, 400, "api.assert.missing_argument"},
		{"list", `"action":"list"`, 200, `{"i":{"c":{"R":1}}}`},
		{"unsubscribe from what is not there", `"action":"unsubscribe",` + noRoom, 412, "core.realtime.not_subscribed"},
		{"unsubscribe without a room", `"action":"unsubscribe","body":{}`, 400, "api.assert.missing_argument"},
		{"publish", `"action":"publish",` + c + `,"body":{"a":1}`, 200, `{"published":true}`},
		{"publish where nobody listens", `"action":"publish","index":"x","collection":"y","body":{"a":1}`, 200, `{"published":true}`},
		{"publish nothing", `"action":"publish",` + c, 400, "api.assert.body_required"},
		{"publish a list", `"action":"publish",` + c + `,"body":[1]`, 400, "api.assert.invalid_type"},
		{"publish nowhere", `"action":"publish","index":"i","body":{}`, 400, "api.assert.missing_argument"},
		{"validate", `"action":"validate",` + c + `,"body":{"a":1}`, 200, `{"valid":true,"errorMessages":{}}`},
		{"validate nothing", `"action":"validate",` + c, 400, "api.assert.body_required"},
	} {
		a := n.clients["c"].ask(t, `{"controller":"realtime",`+s.call+`}`)
		got := roomIDs.ReplaceAllString(string(a.Result), "R")
		if a.Error != nil {
			got = a.Error.ID
		}
		if a.Status != s.status || got != s.want {
			t.Errorf("%s: %d %s %v, want %d %s", s.name, a.Status, got, a.Error, s.status, s.want)
		}
	}
}

// roomOf subscribes and gives the room.
func (c *client) roomOf(t *testing.T, envelope string) string {
	t.Helper()
	a := c.ask(t, `{"controller":"realtime","action":"subscribe",`+envelope+`}`)
	if a.Error != nil {
		t.Fatal(a.Error)
	}
	return roomIDs.FindString(string(a.Result))
}

func (c *client) expect(t *testing.T, call, want string) {
	t.Helper()
	a := c.ask(t, `{"controller":"realtime",`+call+`}`)
	got := string(a.Result)
	if a.Error != nil {
		got = a.Error.ID
	}
	if got != want {
		t.Errorf("%s: %s, want %s", call, got, want)
	}
}

func TestComeAndGo(t *testing.T) {
	n := newNode(t, true)
	a, b := n.connect("a"), n.connect("b")
	room := a.roomOf(t, c+`,"body":{"equals":{"x":1}}`)
	body := `"body":{"roomId":"` + room + `"}`
	b.expect(t, `"action":"join",`+body, `{"roomId":"`+room+`","channel":"`+room+`-311"}`)
	b.expect(t, `"action":"count",`+body, `{"count":2}`)
	a.expect(t, `"action":"unsubscribe",`+body, `{"roomId":"`+room+`"}`)
	a.expect(t, `"action":"unsubscribe",`+body, "core.realtime.not_subscribed")
	b.expect(t, `"action":"list"`, `{"i":{"c":{"`+room+`":1}}}`)
	b.expect(t, `"action":"unsubscribe",`+body, `{"roomId":"`+room+`"}`)
	b.expect(t, `"action":"list"`, `{}`)
	a.expect(t, `"action":"join",`+body, "core.realtime.room_not_found")
	for i, want := range []bool{true, true, true, false} {
		answer := a.ask(t, `{"controller":"realtime","action":"subscribe",`+c+`,"body":{"equals":{"x":`+string(rune('2'+i))+`}}}`)
		if (answer.Error == nil) != want || !want && (answer.Status != 413 || answer.Error.ID != "core.realtime.too_many_rooms" || !strings.Contains(answer.Error.Message, "limits.subscriptionRooms")) {
			t.Errorf("room %d: %v", i, answer.Error)
		}
	}
}

func TestResume(t *testing.T) {
	n := newNode(t, true)
	a, b := n.connect("a"), n.connect("b")
	last := regexp.MustCompile(`"lastMessageId":"([^"]+)"`)
	answer := a.ask(t, `{"controller":"realtime","action":"subscribe",`+c+`,"body":{},"resumable":true}`)
	room := roomIDs.FindString(string(answer.Result))
	id := last.FindStringSubmatch(string(answer.Result))
	if id == nil || strings.Contains(string(answer.Result), "resumed") || !strings.Contains(string(answer.Result), room+`-311r"`) {
		t.Fatalf("%s", answer.Result)
	}
	n.service.Leave(t.Context(), "a")
	b.ask(t, `{"controller":"realtime","action":"publish",`+c+`,"body":{"n":1}}`)
	answer = b.ask(t, `{"controller":"realtime","action":"join","body":{"roomId":"`+room+`"},"lastMessageId":"`+id[1]+`"}`)
	if got := b.take(); !strings.Contains(string(answer.Result), `"resumed":true`) || len(got) != 1 || !strings.Contains(got[0], `"messageId":"`) {
		t.Errorf("%s, then %s", answer.Result, got)
	}
	for _, id := range []string{"unknown", ""} {
		for _, call := range []string{`"action":"subscribe",` + c + `,"body":{}`, `"action":"join","body":{"roomId":"` + room + `"}`} {
			answer = a.ask(t, `{"controller":"realtime",`+call+`,"lastMessageId":"`+id+`"}`)
			if !strings.Contains(string(answer.Result), `"resumed":false`) || !strings.Contains(string(answer.Result), room+`-311r`) || !last.Match(answer.Result) {
				t.Errorf("%s after %q: %s", call, id, answer.Result)
			}
		}
	}
}

func TestPublish(t *testing.T) {
	n := newNode(t, true)
	a := n.connect("a")
	a.roomOf(t, c+`,"body":{"and":[{"ids":{"values":["d"]}},{"exists":"_kuzzle_info.author"}]}`)
	const spec = `{"strict":true,"fields":{"a":{"type":"integer","mandatory":true},"b":{"type":"string","defaultValue":"x"}}}`
	if err := n.validator.Put(t.Context(), "i", "c", jsontext.Value(spec), ""); err != nil {
		t.Fatal(err)
	}
	publish := `"action":"publish",` + c + `,"_id":"d","requestId":"q","volatile":{"v":1},"body":`
	a.expect(t, publish+`{"a":1,"c":1}`, "validation.check.failed_document")
	a.expect(t, publish+`{"a":"1"}`, "validation.check.failed_field")
	a.expect(t, `"action":"validate",`+c+`,"body":{}`, `{"valid":false,"errorMessages":{"fieldScope":{"children":{"a":{"messages":["is mandatory"]}}}}}`)
	if got := a.take(); len(got) > 0 {
		t.Errorf("heard %s", got)
	}
	a.expect(t, publish+`{"a":1}`, `{"published":true}`)
	if err := n.validator.Delete(t.Context(), "i", "c"); err != nil {
		t.Fatal(err)
	}
	a.expect(t, publish+`{"a":2,"_kuzzle_info":{"author":"me","other":1}}`, `{"published":true}`)
	got := a.take()
	const (
		head = `{"type":"document","status":200,"requestId":"q","index":"i","collection":"c","controller":"realtime","action":"publish","protocol":"websocket","event":"publish","scope":"in"`
		info = `"_kuzzle_info":{"author":"-1","createdAt":1000}}}`
	)
	if len(got) != 2 || !strings.HasPrefix(got[0], head) || !strings.Contains(got[0], `"volatile":{"v":1},"result":{"_id":"d","_source":{"a":1,"b":"x",`+info) ||
		!strings.Contains(got[1], `"result":{"_id":"d","_source":{"a":2,`+info) {
		t.Errorf("heard %s", strings.Join(got, "\n"))
	}
}

// TestConnectionGone answers null.
func TestConnectionGone(t *testing.T) {
	n := newNode(t, true)
	gone := &client{node: n, conn: &protocol.Connection{ID: "gone", Protocol: "websocket"}}
	gone.expect(t, `"action":"subscribe",`+c+`,"body":{}`, "null")
	web := &client{node: n, conn: &protocol.Connection{ID: "web", Protocol: "http"}}
	room := web.roomOf(t, c+`,"body":{}`)
	web.expect(t, `"action":"count","body":{"roomId":"`+room+`"}`, `{"count":0}`)
	web.expect(t, `"action":"list"`, `{}`)
}

// TestPipeRefusesAfterwards: an answer that becomes an error leaves no subscription.
func TestPipeRefusesAfterwards(t *testing.T) {
	n := newNode(t, true)
	a := n.connect("a")
	n.Pipe(t, "realtime:afterSubscribe", controllertest.Refuse)
	if answer := a.ask(t, `{"controller":"realtime","action":"subscribe",`+c+`,"body":{}}`); answer.Error == nil {
		t.Fatal("not refused")
	}
	a.expect(t, `"action":"list"`, `{}`)
}

func TestFromInside(t *testing.T) {
	n := newNode(t, true)
	for action, body := range map[string]string{"subscribe": `{}`, "join": `{"roomId":"x"}`, "unsubscribe": `{"roomId":"x"}`} {
		r := &protocol.Request{
			Controller: "realtime", Action: action, Index: "i", Collection: "c", Body: jsontext.Value(body),
			Connection: &protocol.Connection{ID: "internal", Protocol: "internal"}, Internal: &protocol.Internal{},
		}
		if a := n.Funnel.Execute(t.Context(), r); a.Error == nil || a.Error.ID != "plugin.context.unavailable_realtime" {
			t.Errorf("%s: %s %v", action, a.Result, a.Error)
		}
	}
}

// TestRights: nobody gets into a room, or sees one, of a collection that he may not subscribe to.
func TestRights(t *testing.T) {
	n := newNode(t, false)
	ctx := t.Context()
	for id, role := range map[string]string{
		"any":       `{"controllers":{"realtime":{"actions":{"list":true,"join":true,"count":true}}}}`,
		"subscribe": `{"controllers":{"realtime":{"actions":{"subscribe":true}}}}`,
	} {
		if _, err := n.Users.PutRole(ctx, id, jsontext.Value(role), security.Write{}); err != nil {
			t.Fatal(err)
		}
	}
	profiles := storage.Collection{Scope: storage.Internal, Index: "kuzzle", Name: "profiles"}
	profile := `{"policies":[{"roleId":"any"},{"roleId":"subscribe","restrictedTo":[{"index":"i","collections":["mine"]}]}]}`
	if _, _, err := n.Engine.Put(ctx, profiles, "limited", jsontext.Value(profile), storage.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Users.CreateUser(ctx, "ann", nil, jsontext.Value(`{"profileIds":["limited"]}`), security.Write{}); err != nil {
		t.Fatal(err)
	}
	token, err := n.Tokens.Issue(ctx, "ann", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	owner, ann := n.connect("owner"), n.connect("ann")
	rooms := map[string]string{}
	for _, at := range []string{"i/mine", "i/theirs", "hidden/c"} {
		index, collection, _ := strings.Cut(at, "/")
		r := &protocol.Request{Connection: owner.conn}
		s, err := n.service.Subscribe(ctx, r, realtime.Subscription{Index: index, Collection: collection})
		if err != nil {
			t.Fatal(err)
		}
		r.Reply.Answered(true)
		rooms[at] = s.RoomID
	}
	jwt := `"jwt":"` + token.Text + `",`
	ann.expect(t, jwt+`"action":"list"`, `{"hidden":{},"i":{"mine":{"`+rooms["i/mine"]+`":1}}}`)
	ann.expect(t, jwt+`"action":"join","body":{"roomId":"`+rooms["i/mine"]+`"}`, `{"roomId":"`+rooms["i/mine"]+`","channel":"`+rooms["i/mine"]+`-311"}`)
	ann.expect(t, jwt+`"action":"join","body":{"roomId":"`+rooms["i/theirs"]+`"}`, "core.realtime.room_not_found")
	ann.expect(t, jwt+`"action":"subscribe","index":"i","collection":"theirs","body":{}`, "security.rights.forbidden")
	ann.expect(t, `"action":"list"`, "security.rights.unauthorized")
}

func TestRoutes(t *testing.T) {
	var got []string
	for _, a := range newNode(t, true).Routes.Current().Actions() {
		for _, r := range a.Routes {
			got = append(got, r.Verb+" "+r.Path+" "+a.Name)
		}
	}
	if want := "GET /_listSubscriptions list, POST /:index/:collection/_publish publish"; strings.Join(got, ", ") != want {
		t.Errorf("%q", got)
	}
}
