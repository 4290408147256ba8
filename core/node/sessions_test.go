package node_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

const password = "a-Secret-1"

// house is a node with the administrator root and the users ann and bob, who may subscribe.
type house struct {
	*nodetest.Node
	t    *testing.T
	root string
}

func newHouse(t *testing.T) house {
	t.Helper()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		goleak.VerifyNone(t)
	})
	h := house{Node: nodetest.Start(t, nodetest.Options{}), t: t}
	h.makeAdmin()
	h.setRole("default", `"auth":{"actions":{"*":true}},"realtime":{"actions":{"*":true}}`)
	for _, name := range []string{"ann", "bob"} {
		h.CreateUser(name, `{"profileIds":["default"]}`, name, password, "Authorization: Bearer "+h.root)
	}
	return h
}

func (h *house) makeAdmin() {
	h.t.Helper()
	h.Must("POST", "/_createFirstAdmin/root?reset=true", `{"credentials":{"local":{"username":"root","password":"`+password+`"}}}`)
	h.root = h.Login("root", password, "")
}

func (h *house) setRole(id, controllers string) {
	h.t.Helper()
	h.Must("PUT", "/roles/"+id, `{"controllers":{`+controllers+`}}`, "Authorization: Bearer "+h.root)
}

func (h *house) count(room string) any {
	h.t.Helper()
	return h.Query(`{"controller":"realtime","action":"count","body":{"roomId":"` + room + `"},"jwt":"` + h.root + `"}`).Get("result.count")
}

// guest is somebody on a connection of his own.
type guest struct {
	*nodetest.Socket
	t     *testing.T
	token string
	room  string
}

// login logs in over a new connection.
func (h *house) login(name, expiresIn string) *guest {
	h.t.Helper()
	g := &guest{Socket: h.WebSocket(), t: h.t}
	g.token = g.tokenOf(g.Call(`{"controller":"auth","action":"login","strategy":"local","expiresIn":"` + expiresIn + `",` +
		`"body":{"username":"` + name + `","password":"` + password + `"}}`))
	return g
}

// with opens a connection that speaks with a token, "" for none.
func (h *house) with(token string) *guest {
	h.t.Helper()
	return &guest{Socket: h.WebSocket(), t: h.t, token: token}
}

func (g *guest) tokenOf(a nodetest.Answer) string {
	g.t.Helper()
	token, ok := a.Get("result.jwt").(string)
	if !ok {
		g.t.Fatalf("no token in %s", a.Body)
	}
	return token
}

// call is an action with more members of the envelope.
func (g *guest) call(controller, action, more string) nodetest.Answer {
	g.t.Helper()
	jwt := ""
	if g.token != "" {
		jwt = `,"jwt":"` + g.token + `"`
	}
	return g.Call(`{"requestId":"` + action + `","controller":"` + controller + `","action":"` + action + `"` + jwt + more + `}`)
}

// subscribe listens to a collection.
func (g *guest) subscribe(collection string) *guest {
	g.t.Helper()
	a := g.call("realtime", "subscribe", `,"index":"i","collection":"`+collection+`","body":{}`)
	room, ok := a.Get("result.roomId").(string)
	if !ok {
		g.t.Fatalf("subscribe: %s", a.Body)
	}
	g.room = room
	return g
}

// quiet wants the next message to be the answer to a question: nothing else was sent before.
func (g *guest) quiet() {
	g.t.Helper()
	if a := g.call("auth", "getCurrentUser", ""); a.Get("requestId") != "getCurrentUser" {
		g.t.Errorf("before an answer came %s", a.Body)
	}
}

func (g *guest) told(kind string) nodetest.Answer {
	g.t.Helper()
	a := g.Next()
	if a.Get("type") != kind || a.Get("room") != "kuzzle:notification:server" || a.Status != http.StatusOK {
		g.t.Errorf("want %s, told %s", kind, a.Body)
	}
	return a
}

func TestSubscriptionsEndWithTheirToken(t *testing.T) {
	h := newHouse(t)
	first := h.login("ann", "3s").subscribe("books")
	second := h.with(first.token).subscribe("books")
	idle := h.with(first.token)
	idle.quiet() // a request links it
	other := h.login("ann", "1h").subscribe("books")
	if n := h.count(first.room); n != 3.0 {
		t.Fatalf("%v in the room", n)
	}
	for _, g := range []*guest{first, second, idle} {
		a := g.told("TokenExpired")
		if a.Get("info") == nil || a.Get("message") == nil || a.Get("node") == nil {
			t.Error(a.Body)
		}
	}
	if n := h.count(first.room); n != 1.0 {
		t.Errorf("%v in the room in the end", n)
	}
	other.quiet()
	if a := first.call("auth", "getCurrentUser", ""); a.Get("error.id") != "security.token.invalid" {
		t.Error(a.Body)
	}
}

func TestRefreshKeepsSubscriptions(t *testing.T) {
	h := newHouse(t)
	g := h.login("ann", "3s").subscribe("books")
	g.token = g.tokenOf(g.call("auth", "refreshToken", `,"expiresIn":"1h"`))
	h.login("bob", "3s").told("TokenExpired") // later than the token before would have
	g.quiet()
	if n := h.count(g.room); n != 1.0 {
		t.Errorf("%v in the room", n)
	}
	h.logout(g, "")
	if n := h.count(g.room); n != 0.0 {
		t.Errorf("%v in the room after logout", n)
	}
}

func (h *house) logout(g *guest, more string) {
	h.t.Helper()
	if a := g.call("auth", "logout", more); a.Status != http.StatusOK {
		h.t.Error(a.Body)
	}
}

// What takes a token away takes its subscriptions, without a word, and leaves those of other tokens.
func TestSubscriptionsEndWithTheSession(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(h house, g *guest)
		// stay are which of these are left: the same connection, one with the same token, one with another token of the same
		// user, one of another user.
		stay [4]bool
	}{
		{"logout", func(h house, g *guest) { h.logout(g, "") }, [4]bool{false, false, true, true}},
		{"global logout", func(h house, g *guest) { h.logout(g, `,"global":true`) }, [4]bool{false, false, false, true}},
		{"revokeTokens", func(h house, _ *guest) {
			h.Must("DELETE", "/users/ann/tokens", "", "Authorization: Bearer "+h.root)
		}, [4]bool{false, false, false, true}},
		{"deleteUser", func(h house, _ *guest) {
			h.Must("DELETE", "/users/ann", "", "Authorization: Bearer "+h.root)
		}, [4]bool{false, false, false, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			ann := h.login("ann", "1h")
			guests := []*guest{ann, h.with(ann.token), h.login("ann", "-1"), h.login("bob", "1h")}
			for i, g := range guests {
				g.subscribe(fmt.Sprint("books", i))
			}
			c.end(h, ann)
			for i, g := range guests {
				if stays := h.count(g.room) == 1.0; stays != c.stay[i] {
					t.Errorf("%d: stays %t", i, stays)
				}
				g.token = ""
				g.quiet()
			}
		})
	}
}

// What was subscribed to in the name of a user ends with his token, whoever the connection speaks for by then, and nothing else
// does. Who speaks for somebody else by then is told nothing: his client would take it for the end of his own token.
func TestSubscriptionsEndWithTheTokenOfTheirUser(t *testing.T) {
	for name, end := range map[string]func(h house, ann, books string){
		"logout": func(h house, ann, _ string) { h.logout(h.with(ann), "") },
		"expiry": func(h house, _, books string) {
			for began := time.Now(); h.count(books) != 0.0 && time.Since(began) < 20*time.Second; {
				time.Sleep(50 * time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			bob := h.login("bob", "1h").token
			h.setRole("anonymous", `"auth":{"actions":{"*":true}},"realtime":{"actions":{"*":true}}`)
			shared := h.login("ann", map[string]string{"logout": "1h", "expiry": "3s"}[name]).subscribe("books")
			ann, books := shared.token, shared.room
			shared.token = bob
			films := shared.subscribe("films").room
			shared.token = ""
			songs := shared.subscribe("songs").room
			end(h, ann, books)
			for collection, room := range map[string]string{"books": books, "films": films, "songs": songs} {
				if stays := h.count(room) == 1.0; stays != (collection != "books") {
					t.Errorf("%s: stays %t", collection, stays)
				}
				h.publish(collection)
			}
			var heard []any
			for range 2 {
				heard = append(heard, shared.Next().Get("collection"))
			}
			if slices.Contains(heard, "books") || heard[0] == heard[1] {
				t.Errorf("heard of %v", heard)
			}
			shared.token = bob
			shared.quiet()
			h.logout(shared, "")
			if n := h.count(films); n != 0.0 {
				t.Errorf("%v in the room after the logout of the other", n)
			}
			if n := h.count(songs); n != 1.0 {
				t.Errorf("%v in the room that nobody's token holds", n)
			}
		})
	}
}

// publish sends a message to those who listen to a collection.
func (h *house) publish(collection string) {
	h.t.Helper()
	h.Must("POST", "/i/"+collection+"/_publish", `{}`, "Authorization: Bearer "+h.root)
}

// keyOf makes a user who has nothing but an API key.
func (h *house) keyOf(name string) string {
	h.t.Helper()
	root := "Authorization: Bearer " + h.root
	h.Must("POST", "/users/"+name+"/_create", `{"content":{"profileIds":["default"]}}`, root)
	key, ok := h.Must("POST", "/users/"+name+"/api-keys/_create", `{"description":"of a test"}`, root).Get("result._source.token").(string)
	if !ok {
		h.t.Fatal("no key")
	}
	return key
}

// More users than a connection is to have cost the first one his subscriptions.
func TestSubscriptionsEndOnCrowdedConnections(t *testing.T) {
	h := newHouse(t)
	shared := h.login("ann", "1h").subscribe("books")
	for i := range 64 {
		shared.token = h.keyOf(fmt.Sprint("guest", i))
		if i < 63 {
			shared.quiet()
		}
	}
	if n := h.count(shared.room); n != 1.0 {
		t.Fatalf("%v in the room", n)
	}
	shared.quiet()
	if n := h.count(shared.room); n != 0.0 {
		t.Errorf("%v in the room in the end", n)
	}
}

// What was subscribed to in the name of a user ends with all his tokens, whoever the connection speaks for by then.
func TestSubscriptionsEndOnSharedConnections(t *testing.T) {
	h := newHouse(t)
	shared, ann := h.login("ann", "1h").subscribe("books"), h.login("ann", "1h")
	shared.token = h.login("bob", "1h").token
	room := shared.room
	shared.subscribe("films")
	h.logout(ann, `,"global":true`)
	if books, films := h.count(room), h.count(shared.room); books != 0.0 || films != 1.0 {
		t.Errorf("left: %v, %v", books, films)
	}
}

// Who loses the right to subscribe loses the subscriptions, and nobody else.
func TestSubscriptionsEndWithTheRight(t *testing.T) {
	h := newHouse(t)
	ann, bob, root := h.login("ann", "1h").subscribe("books"), h.login("bob", "1h").subscribe("films"), h.with(h.root).subscribe("books")
	h.setRole("default", `"auth":{"actions":{"*":true}},"realtime":{"actions":{"count":true}}`)
	for _, g := range []*guest{ann, bob} {
		if a := g.told("SubscriptionsEnded"); !slices.Equal(a.Get("result.roomIds").([]any), []any{g.room}) {
			t.Errorf("told %s, was in %s", a.Body, g.room)
		}
	}
	if books, films := h.count(ann.room), h.count(bob.room); books != 1.0 || films != 0.0 {
		t.Errorf("left: %v, %v", books, films)
	}
	for _, g := range []*guest{ann, bob, root} {
		g.quiet()
	}
	// The right comes back, the subscriptions do not; a change that takes nothing away ends nothing.
	h.setRole("default", `"auth":{"actions":{"*":true}},"realtime":{"actions":{"*":true}}`)
	ann.subscribe("books")
	h.setRole("default", `"auth":{"actions":{"*":true}},"realtime":{"actions":{"subscribe":true}}`)
	h.setRole("unused", `"realtime":{"actions":{"subscribe":false}}`)
	bob.subscribe("films")
	h.setRole("default", `"auth":{"actions":{"*":true}}`)
	for _, g := range []*guest{ann, bob} {
		g.told("SubscriptionsEnded") // the first since
	}
	root.quiet()
}

func TestAnonymousLosesSubscriptionsToTheFirstAdministrator(t *testing.T) {
	h := house{Node: nodetest.Start(t, nodetest.Options{Dev: true}), t: t}
	g := h.with("").subscribe("books")
	h.makeAdmin()
	g.told("SubscriptionsEnded")
	if n := h.count(g.room); n != 0.0 {
		t.Errorf("%v in the room", n)
	}
	if a := g.call("realtime", "subscribe", `,"index":"i","collection":"books","body":{}`); a.Status != http.StatusUnauthorized {
		t.Error(a.Body)
	}
}

// TestSingleUseSubscribes: a token for a single use opens one stream or one subscription, which lives as long as the token would
// have and ends with the sessions of its user.
func TestSingleUseSubscribes(t *testing.T) {
	h := newHouse(t)
	ann := h.login("ann", "1h")
	once := func(expiresIn string) string {
		t.Helper()
		a := h.Query(`{"controller":"auth","action":"createToken","singleUse":true,"expiresIn":"` + expiresIn + `","jwt":"` + ann.token + `"}`)
		token, ok := a.Get("result.token").(string)
		if !ok {
			t.Fatal(a.Body)
		}
		return token
	}
	where := "index=i&collection=c&jwt="
	token := once("1h")
	stream := h.Events(where + token)
	if first := stream.Next(); first.Name != "subscribed" {
		t.Fatalf("%+v", first)
	}
	if again := h.Events(where + token); again.Refusal.Status != 401 {
		t.Errorf("a second stream: %+v", again.Refusal)
	}
	short := h.Events(where + once("300"))
	if first := short.Next(); first.Name != "subscribed" {
		t.Fatalf("%+v", first)
	}
	if _, err := short.Rest(); err != nil { // it ends by itself
		t.Error(err)
	}
	subscribe := `{"controller":"realtime","action":"subscribe","index":"i","collection":"c","body":{},"jwt":"` + once("1h") + `"}`
	socket := h.with("")
	room, ok := socket.Call(subscribe).Get("result.roomId").(string)
	if !ok {
		t.Fatal("no room")
	}
	if a := socket.Call(subscribe); a.Get("error.id") != "security.token.invalid" {
		t.Errorf("a second time: %s", a.Body)
	}
	if n := h.count(room); n != 2.0 {
		t.Errorf("%v subscriptions", n)
	}
	h.Must("DELETE", "/users/ann/tokens", "", "Authorization: Bearer "+h.root)
	if _, err := stream.Rest(); err != nil {
		t.Error(err)
	}
	if n := h.count(room); n != 0.0 {
		t.Errorf("%v subscriptions outlive their token", n)
	}
}
