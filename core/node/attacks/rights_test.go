package attacks

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

// guest is somebody who is connected by several protocols, and listens by those that can, when a change comes. Streams of events
// have their own test, TestAStreamEndsWithItsToken of core/node/e2e.
type guest struct {
	t      *testing.T
	n      *target
	token  string
	http   http.Client // with one connection
	socket *nodetest.Socket
	mqtt   paho.Client
	heard  chan nodetest.Answer // by MQTT
	rooms  []string
}

func (n *target) connect(t *testing.T, name string) *guest {
	t.Helper()
	g := &guest{t: t, n: n, heard: make(chan nodetest.Answer, 100)}
	g.token = n.user(name, `"realtime":{"actions":{"subscribe":true}},"document":{"actions":{"search":true}}`, "")
	transport := &http.Transport{MaxConnsPerHost: 1}
	t.Cleanup(transport.CloseIdleConnections)
	g.http = http.Client{Transport: transport, Timeout: 20 * time.Second}
	g.socket = n.WebSocket()
	g.mqtt = paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + n.MQTTAddress()).SetAutoReconnect(false))
	g.await(g.mqtt.Connect())
	t.Cleanup(func() { g.mqtt.Disconnect(100) })
	g.await(g.mqtt.Subscribe("Kuzzle/response", 1, func(_ paho.Client, m paho.Message) {
		a := nodetest.Answer{Body: string(m.Payload())}
		if err := json.Unmarshal(m.Payload(), &a.Envelope); err != nil {
			t.Errorf("%q: %v", m.Payload(), err)
		}
		g.heard <- a
	}))
	for protocol, call := range map[string]func(string) nodetest.Answer{"websocket": g.socket.Call, "mqtt": g.overMQTT} {
		// Two rooms: a change must not end one alone.
		room, ok := call(g.envelope("realtime", "subscribe", `,"body":{"exists":"`+protocol+name+`"}`)).Get("result.roomId").(string)
		if !ok {
			t.Fatalf("no room by %s", protocol)
		}
		g.rooms = append(g.rooms, room)
	}
	return g
}

func (g *guest) envelope(controller, action, more string) string {
	return envelope(g.token, controller, action, `,"requestId":"`+action+`","index":"i","collection":"c"`+more)
}

func (g *guest) await(token paho.Token) {
	g.t.Helper()
	if !token.WaitTimeout(20*time.Second) || token.Error() != nil {
		g.t.Fatal("MQTT: ", token.Error())
	}
}

// overMQTT sends a request and waits for its answer, past what the node tells on its own.
func (g *guest) overMQTT(request string) nodetest.Answer {
	g.t.Helper()
	g.await(g.mqtt.Publish("Kuzzle/request", 1, false, request))
	for {
		select {
		case a := <-g.heard:
			if a.Get("action") != nil && a.Get("type") == nil {
				status, _ := a.Get("status").(float64)
				a.Status = int(status)
				return a
			}
		case <-time.After(20 * time.Second):
			g.t.Fatal("MQTT: no answer")
		}
	}
}

// statuses gives what a search is answered, by protocol.
func (g *guest) statuses() map[string]int {
	g.t.Helper()
	search := g.envelope("document", "search", `,"body":{}`)
	resp, err := g.http.Post("http://"+g.n.Client.Address+"/_query", "application/json", strings.NewReader(search))
	if err != nil {
		g.t.Fatal(err)
	}
	_ = resp.Body.Close()
	a := g.socket.Call(search)
	for a.Get("type") != nil { // what the node tells on its own
		a = g.socket.Next()
	}
	return map[string]int{"http": resp.StatusCode, "websocket": a.Status, "mqtt": g.overMQTT(search).Status}
}

// awaitEmpty waits until nobody listens: who lost the right alone and not the token is looked for in the background.
func (n *target) awaitEmpty(t *testing.T, room string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		a := n.call(n.root, "realtime", "count", `,"body":{"roomId":"`+room+`"}`)
		if a.Get("result.count") == 0.0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("somebody listens still: %s", a.Body)
		}
	}
}

// A change of rights is in force for the next request of every connection that is open, and what was subscribed to ends.
func TestOpenConnectionsLoseWhatIsTaken(t *testing.T) {
	n := newTarget(t, func(c *config.Config) { c.MQTT.Enabled, c.MQTT.Port = true, 0 })
	n.collections()
	n.mustAsRoot("PUT", "/roles/less", `{"controllers":{"auth":{"actions":{"logout":true}}}}`)
	n.mustAsRoot("PUT", "/profiles/less", `{"policies":[{"roleId":"less"}]}`)
	for name, c := range map[string]struct {
		method, path, body string
		status             int
	}{
		"deleted":    {"DELETE", "/users/deleted", ``, http.StatusUnauthorized},
		"revoked":    {"DELETE", "/users/revoked/tokens", ``, http.StatusUnauthorized},
		"demoted":    {"PUT", "/users/demoted/_update", `{"profileIds":["less"]}`, http.StatusForbidden},
		"policies":   {"PUT", "/profiles/policies", `{"policies":[{"roleId":"less"}]}`, http.StatusForbidden},
		"restricted": {"PUT", "/profiles/restricted", `{"policies":[{"roleId":"restricted","restrictedTo":[{"index":"i","collections":["d"]}]}]}`, http.StatusForbidden},
		"role":       {"PUT", "/roles/role", `{"controllers":{"auth":{"actions":{"logout":true}}}}`, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			g := n.connect(t, name)
			for protocol, status := range g.statuses() {
				if status != http.StatusOK {
					t.Errorf("%s before: %d", protocol, status)
				}
			}
			n.mustAsRoot(c.method, c.path, c.body)
			for protocol, status := range g.statuses() {
				if status != c.status {
					t.Errorf("%s after: %d", protocol, status)
				}
			}
			for _, room := range g.rooms {
				n.awaitEmpty(t, room)
			}
		})
	}
}
