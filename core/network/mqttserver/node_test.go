package mqttserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

const (
	requests  = "Kuzzle/request"
	responses = "Kuzzle/response"
	patience  = 10 * time.Second
)

// start runs a node that speaks MQTT on a free port.
func start(t *testing.T, dev bool, change ...func(*config.MQTT)) *nodetest.Node {
	t.Helper()
	return nodetest.Start(t, nodetest.Options{Dev: dev, Configure: func(c *config.Config) {
		c.MQTT.Enabled, c.MQTT.Port = true, 0
		for _, do := range change {
			do(&c.MQTT)
		}
	}})
}

// client is a client of the Paho library; what cannot happen fails the test.
type client struct {
	paho.Client
	t        *testing.T
	messages chan paho.Message
	lost     chan error
}

func dial(t *testing.T, n *nodetest.Node, topics ...string) *client {
	t.Helper()
	c := &client{t: t, messages: make(chan paho.Message, 100), lost: make(chan error, 1)}
	o := paho.NewClientOptions().AddBroker("tcp://" + n.MQTTAddress()).SetProtocolVersion(4).SetAutoReconnect(false)
	o.SetConnectionLostHandler(func(_ paho.Client, err error) { c.lost <- err })
	c.Client = paho.NewClient(o)
	c.await(c.Connect())
	t.Cleanup(func() { c.Disconnect(100) })
	for _, topic := range topics {
		c.hear(topic)
	}
	return c
}

func (c *client) await(token paho.Token) {
	c.t.Helper()
	if !token.WaitTimeout(patience) || token.Error() != nil {
		c.t.Fatal("no answer to a packet: ", token.Error())
	}
}

func (c *client) hear(topic string) {
	c.t.Helper()
	c.await(c.Subscribe(topic, 1, func(_ paho.Client, m paho.Message) { c.messages <- m }))
}

func (c *client) next() (topic string, message nodetest.Answer) {
	c.t.Helper()
	select {
	case m := <-c.messages:
		var envelope map[string]any
		if err := json.Unmarshal(m.Payload(), &envelope); err != nil {
			c.t.Fatalf("%q: %v", m.Payload(), err)
		}
		return m.Topic(), nodetest.Answer{Body: string(m.Payload()), Envelope: envelope}
	case err := <-c.lost:
		c.t.Fatal("the connection was lost: ", err)
	case <-time.After(patience):
		c.t.Fatal("no message")
	}
	return "", nodetest.Answer{}
}

// call sends a request and gives its answer.
func (c *client) call(envelope string) nodetest.Answer {
	c.t.Helper()
	c.await(c.Publish(requests, 1, false, envelope))
	topic, answer := c.next()
	if topic != responses || answer.Get("room") != nil {
		c.t.Fatalf("%q on %q", answer.Body, topic)
	}
	return answer
}

func collection(n *nodetest.Node) {
	n.T.Helper()
	n.Must("POST", "/football/_create", "")
	n.Must("PUT", "/football/goals", "")
}

func TestRealtime(t *testing.T) {
	n := start(t, true, func(c *config.MQTT) { c.AllowPubSub = true })
	collection(n)
	mqtt := dial(t, n, responses)
	answer := mqtt.call(`{"controller":"realtime","action":"subscribe","index":"football","collection":"goals","body":{"exists":"score"},"requestId":"s"}`)
	room, _ := answer.Get("result.roomId").(string)
	channel, _ := answer.Get("result.channel").(string)
	if room == "" || channel == "" || answer.Get("requestId") != "s" {
		t.Fatal(answer.Body)
	}
	mqtt.hear(channel)
	spy := dial(t, n, channel)

	publish := func(body string) {
		n.Query(`{"controller":"realtime","action":"publish","index":"football","collection":"goals","body":` + body + `}`)
	}
	publish(`{"other":1}`)
	publish(`{"score":"1:0"}`)
	topic, message := mqtt.next()
	if topic != channel || message.Get("room") != channel || message.Get("result._source.score") != "1:0" || message.Get("event") != "publish" {
		t.Errorf("%s on %s", message.Body, topic)
	}
	n.Must("POST", "/football/goals/g1/_create", `{"score":"2:0"}`)
	if _, message := mqtt.next(); message.Get("result._id") != "g1" || message.Get("scope") != "in" || message.Get("event") != "write" {
		t.Error(message.Body)
	}
	forger := dial(t, n)
	forger.Publish(channel, 0, false, `{"forged":true}`)
	select {
	case <-forger.lost:
	case <-time.After(patience):
		t.Error("who forged a notification is still connected")
	}
	if len(spy.messages) > 0 {
		t.Error("a notification reached a client that did not subscribe to the room")
	}

	count := func() float64 {
		c, _ := n.Query(`{"controller":"realtime","action":"count","body":{"roomId":"` + room + `"}}`).Get("result.count").(float64)
		return c
	}
	if c := count(); c != 1 {
		t.Errorf("%v in the room", c)
	}
	mqtt.Disconnect(100)
	for deadline := time.Now().Add(patience); count() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a client that left is still in the room")
		}
	}
	if len(mqtt.messages) > 0 || len(spy.messages) > 0 {
		t.Error("there were more messages")
	}
}

func TestErrorsAndRefusals(t *testing.T) {
	n := start(t, true)
	mqtt := dial(t, n, responses)
	if a := mqtt.call(`{"controller":`); a.Get("error.id") != "network.mqtt.unexpected_error" || a.Get("status") != 400.0 {
		t.Error(a.Body)
	}
	if a := mqtt.call(`{"controller":"none","action":"none"}`); a.Get("status") != 404.0 {
		t.Error(a.Body)
	}
	if a := mqtt.call(`{"controller":"debug","action":"addListener"}`); a.Get("status") == 200.0 {
		t.Error(a.Body)
	}
	for _, topic := range []string{"#", "Kuzzle/+", requests} {
		token := mqtt.Subscribe(topic, 0, nil)
		token.WaitTimeout(patience)
		if codes := token.(*paho.SubscribeToken).Result(); codes[topic] != 0x80 {
			t.Errorf("subscription to %q: %v", topic, codes)
		}
	}
	mqtt.Publish("elsewhere", 0, false, "x")
	select {
	case <-mqtt.lost:
	case <-time.After(patience):
		t.Error("who published elsewhere is still connected")
	}
}

// Answers are broadcast in development alone.
func TestDevelopmentMode(t *testing.T) {
	for _, dev := range []bool{false, true} {
		n := start(t, dev, func(c *config.MQTT) { c.DevelopmentMode = true })
		other, mqtt := dial(t, n, responses), dial(t, n, responses)
		mqtt.call(`{"controller":"server","action":"now","requestId":"mqtt"}`)
		want := "other"
		if dev {
			want = "mqtt"
		} else {
			other.await(other.Publish(requests, 1, false, `{"controller":"server","action":"now","requestId":"other"}`))
		}
		if _, a := other.next(); a.Get("requestId") != want {
			t.Errorf("development %v: %s", dev, a.Body)
		}
	}
}

func TestManyClients(t *testing.T) {
	n := start(t, false)
	var clients sync.WaitGroup
	all := make([]*client, 100)
	for i := range all {
		all[i] = dial(t, n, responses)
	}
	for i, mqtt := range all {
		clients.Go(func() {
			for j := range 20 {
				id := fmt.Sprintf("%d-%d", i, j)
				mqtt.Publish(requests, 0, false, `{"controller":"server","action":"now","requestId":"`+id+`"}`)
				select {
				case m := <-mqtt.messages:
					if !strings.Contains(string(m.Payload()), `"requestId":"`+id+`"`) {
						t.Errorf("%s got %s", id, m.Payload())
					}
				case <-time.After(patience):
					t.Errorf("%s got no answer", id)
					return
				}
			}
		})
	}
	clients.Wait()
	if metrics := n.HTTP("GET", "/metrics", "").Body; !strings.Contains(metrics, `sluice_network_connections{protocol="mqtt"} 100`) {
		t.Error("the metrics do not show 100 clients")
	}
}

func TestStopWhileConnected(t *testing.T) {
	n := start(t, false)
	all := []*client{dial(t, n, responses), dial(t, n), dial(t, n)}
	all[0].call(`{"controller":"server","action":"now"}`)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := n.Stop(ctx); err != nil {
		t.Error(err)
	}
	for _, c := range all {
		select {
		case <-c.lost:
		case <-time.After(patience):
			t.Error("a client is still connected")
		}
	}
}

func TestOffByDefault(t *testing.T) {
	if n := nodetest.Start(t, nodetest.Options{}); n.MQTTAddress() != "" {
		t.Errorf("MQTT on %s", n.MQTTAddress())
	}
}

func TestPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c := config.Defaults()
	c.Server.Port, c.Server.DataDir = 0, t.TempDir()
	c.MQTT.Enabled, c.MQTT.Port = true, taken.Addr().(*net.TCPAddr).Port
	_, err = node.Start(t.Context(), node.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "mqtt.port") || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Errorf("started with %v", err)
	}
}

// mosquitto gives a command of the Mosquitto clients, and skips where they are not installed; in CI they must be.
func mosquitto(t *testing.T, n *nodetest.Node, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") != "true" {
		t.Skip(name + " is not installed (Debian: mosquitto-clients)")
	}
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(n.MQTTAddress())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, path, append([]string{"-h", host, "-p", port}, args...)...)
}

func TestMosquittoAsks(t *testing.T) {
	n := start(t, false)
	out, err := mosquitto(t, n, "mosquitto_rr", "-V", "mqttv311", "-t", requests, "-e", responses, "-q", "2", "-W", "10",
		"-m", `{"controller":"server","action":"now","requestId":"r"}`).CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"requestId":"r"`) || !strings.Contains(string(out), `"status":200`) {
		t.Errorf("%v: %s", err, out)
	}
}

// A request runs although its client leaves at once.
func TestMosquittoPublishes(t *testing.T) {
	n := start(t, true)
	collection(n)
	for qos := range 3 {
		id := fmt.Sprintf("goal-%d", qos)
		out, err := mosquitto(t, n, "mosquitto_pub", "-t", requests, "-q", fmt.Sprint(qos),
			"-m", `{"controller":"document","action":"create","index":"football","collection":"goals","_id":"`+id+`","body":{}}`).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for deadline := time.Now().Add(patience); n.HTTP("GET", "/football/goals/"+id, "").Status != 200; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the document was not created")
			}
		}
	}
}

func TestMosquittoSubscribes(t *testing.T) {
	n := start(t, true, func(c *config.MQTT) { c.DevelopmentMode, c.AllowPubSub = true, true })
	sub := mosquitto(t, n, "mosquitto_sub", "-t", responses, "-t", "chat", "-v")
	out := &nodetest.Log{}
	sub.Stdout, sub.Stderr = out, out
	if err := sub.Start(); err != nil {
		t.Fatal(err)
	}
	// mosquitto_sub does not say when it has subscribed, so it is told until it heard.
	until := func(heard, topic, message string) {
		for deadline := time.Now().Add(patience); !strings.Contains(out.String(), heard); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Errorf("%q did not come: %s", heard, out)
				return
			}
			_ = mosquitto(t, n, "mosquitto_pub", "-t", topic, "-m", message).Run() // mosquitto_sub says what came
		}
	}
	until(responses+" {", requests, `{"controller":"server","action":"now"}`)
	until("chat hello", "chat", "hello")
	_ = sub.Process.Kill()
	_ = sub.Wait() // it was killed
}
