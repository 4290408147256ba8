package node_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/network/certs/certstest"
	"github.com/sluicehq/sluice/core/node"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

// encryptedNode is a node with TLS and whoever trusts it.
type encryptedNode struct {
	*nodetest.Node
	t         *testing.T
	authority *certstest.Authority
	pair      certstest.Pair
	trust     *tls.Config
}

func startEncrypted(t *testing.T, configure func(*config.Config)) *encryptedNode {
	t.Helper()
	n := &encryptedNode{t: t, authority: certstest.New(t)}
	n.pair = n.authority.Pair()
	n.trust = &tls.Config{RootCAs: n.authority.Pool(), MinVersion: tls.VersionTLS12}
	n.Node = nodetest.Start(t, nodetest.Options{Dev: true, Configure: func(c *config.Config) {
		c.Server.TLS.CertFile, c.Server.TLS.KeyFile, c.Server.TLS.ReloadInterval = n.pair.CertFile, n.pair.KeyFile, 10*time.Millisecond
		if configure != nil {
			configure(c)
		}
	}})
	return n
}

func (n *encryptedNode) url(path string) string { return "https://" + n.Client.Address + path }

func (n *encryptedNode) client(http2 bool) *http.Client {
	transport := &http.Transport{TLSClientConfig: n.trust.Clone(), ForceAttemptHTTP2: http2}
	n.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

func fetch(c *http.Client, url string) (status int, body, protocol string, err error) {
	resp, err := c.Get(url)
	if err != nil {
		return 0, "", "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), resp.Proto, err
}

func TestEveryPortSpeaksTLS(t *testing.T) {
	n := startEncrypted(t, func(c *config.Config) {
		c.MQTT.Enabled, c.MQTT.Port = true, 0
		c.Plugins.Listen = map[string]string{"missing": "127.0.0.1:0"}
	})
	for protocol, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		status, body, spoken, err := fetch(n.client(http2), n.url("/_now"))
		if err != nil || status != http.StatusOK || spoken != protocol {
			t.Errorf("%s: %d %s %s %v", protocol, status, spoken, body, err)
		}
	}
	dialer := websocket.Dialer{TLSClientConfig: n.trust}
	ws, resp, err := dialer.Dial("wss://"+n.Client.Address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	_ = resp.Body.Close()
	_ = ws.WriteMessage(websocket.TextMessage, []byte(`{"controller":"server","action":"now"}`))
	if _, got, err := ws.ReadMessage(); err != nil || !strings.Contains(string(got), `"status":200`) {
		t.Errorf("wss: %s %v", got, err)
	}
	status, body, _, err := fetch(n.client(true), "https://"+n.SiteAddress("missing")+"/")
	if err != nil || status != http.StatusServiceUnavailable {
		t.Errorf("the listener of a plugin: %d %s %v", status, body, err)
	}
	for _, address := range []string{n.Client.Address, n.SiteAddress("missing")} {
		if status, body, _, err := fetch(http.DefaultClient, "http://"+address+"/_now"); err != nil || status != http.StatusBadRequest || !strings.Contains(body, "HTTPS") {
			t.Errorf("plain HTTP: %d %s %v", status, body, err)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestMQTTOverTLS(t *testing.T) {
	n := startEncrypted(t, func(c *config.Config) { c.MQTT.Enabled, c.MQTT.Port = true, 0 })
	for _, protocols := range [][]string{nil, {"mqtt"}} {
		trust := n.trust.Clone()
		trust.NextProtos = protocols
		answers := make(chan string, 1)
		client := paho.NewClient(paho.NewClientOptions().AddBroker("tls://" + n.MQTTAddress()).SetTLSConfig(trust).SetConnectRetry(false))
		if token := client.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Fatalf("%v: %v", protocols, token.Error())
		}
		defer client.Disconnect(0)
		client.Subscribe("Kuzzle/response", 0, func(_ paho.Client, m paho.Message) { answers <- string(m.Payload()) }).WaitTimeout(10 * time.Second)
		client.Publish("Kuzzle/request", 0, false, `{"controller":"server","action":"now"}`)
		select {
		case answer := <-answers:
			if !strings.Contains(answer, `"status":200`) {
				t.Error(answer)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("no answer")
		}
	}
	plain, err := net.Dial("tcp", n.MQTTAddress())
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	io.WriteString(plain, "\x10\x0f\x00\x04MQTT\x04\x02\x00\x0a\x00\x03abc")
	_ = plain.SetReadDeadline(time.Now().Add(10 * time.Second))
	if got, _ := io.ReadAll(plain); strings.HasPrefix(string(got), "\x20") {
		t.Error("MQTT without TLS is answered")
	}
}

// A stream of events lasts longer than the times of a request, and ends with the node.
func TestEventsOverHTTP2(t *testing.T) {
	n := startEncrypted(t, func(c *config.Config) {
		c.Server.WriteTimeout, c.Server.ReadTimeout = 300*time.Millisecond, 300*time.Millisecond
	})
	c := n.client(true)
	for _, request := range []struct{ method, path string }{{"POST", "/shop/_create"}, {"PUT", "/shop/orders"}} {
		req, err := http.NewRequest(request.method, n.url(request.path), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp, err)
		}
		resp.Body.Close()
	}
	resp, err := c.Get(n.url("/_sse?index=shop&collection=orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	events := bufio.NewReader(resp.Body)
	next := func() nodetest.Event {
		for {
			e, _, err := nodetest.ReadEvent(events)
			if err != nil {
				t.Fatal(err)
			}
			if e != (nodetest.Event{}) {
				return e
			}
		}
	}
	if e := next(); resp.Proto != "HTTP/2.0" || !strings.Contains(e.Data, `"status":200`) {
		t.Fatalf("%s %+v", resp.Proto, e)
	}
	time.Sleep(time.Second) // longer than both times
	published, err := c.Post(n.url("/shop/orders/_publish"), "application/json", strings.NewReader(`{"total":12}`))
	if err != nil {
		t.Fatal(err)
	}
	published.Body.Close()
	if e := next(); !strings.Contains(e.Data, `"total":12`) {
		t.Errorf("%+v", e)
	}
	if err := n.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if rest, err := io.ReadAll(events); err != nil {
		t.Errorf("cut off: %q %v", rest, err)
	}
}

// Certificates change under load: connections that are open stay, new ones get the new certificate, and no request fails.
func TestCertificateChangesUnderLoad(t *testing.T) {
	n := startEncrypted(t, nil)
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			c := n.client(i%2 == 0)
			for j := 0; ; j++ {
				select {
				case <-stop:
					return
				default:
				}
				if status, body, _, err := fetch(c, n.url("/_now")); err != nil || status != http.StatusOK {
					t.Errorf("%d %s %v", status, body, err)
					return
				}
				if i < 4 && j%5 == 0 {
					c.CloseIdleConnections() // a new handshake
				}
			}
		})
	}
	lasting, err := tls.Dial("tcp", n.Client.Address, n.trust)
	if err != nil {
		t.Fatal(err)
	}
	defer lasting.Close()
	for range 5 {
		n.authority.Replace(n.pair, time.Now().Add(time.Hour))
		want := n.pair.Load(t).Leaf.SerialNumber
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			conn, err := tls.Dial("tcp", n.Client.Address, n.trust)
			if err != nil {
				t.Fatal(err)
			}
			got := conn.ConnectionState().PeerCertificates[0].SerialNumber
			conn.Close()
			if got.Cmp(want) == 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the new certificate is not shown")
			}
		}
	}
	if err := os.WriteFile(n.pair.CertFile, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	n.Log.Await(t, "the old one stays")
	close(stop)
	clients.Wait()
	io.WriteString(lasting, "GET /_now HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	if got, err := io.ReadAll(lasting); err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 200") {
		t.Errorf("the connection that was open: %q %v", got, err)
	}
}

func TestClientCertificates(t *testing.T) {
	clients := certstest.New(t)
	n := startEncrypted(t, func(c *config.Config) { c.Server.TLS.ClientCAFile = clients.File })
	for name, test := range map[string]struct {
		certificates []tls.Certificate
		served       bool
	}{
		"none":                 {nil, false},
		"of another authority": {[]tls.Certificate{n.pair.Load(t)}, false},
		"right":                {[]tls.Certificate{clients.Pair().Load(t)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			n.trust.Certificates = test.certificates
			if _, _, _, err := fetch(n.client(true), n.url("/_healthcheck")); (err == nil) != test.served {
				t.Errorf("served %v, error %v", test.served, err)
			}
		})
	}
}

func TestTLSThatCannotBegin(t *testing.T) {
	authority := certstest.New(t)
	pair, other := authority.Pair(), authority.Pair()
	for name, test := range map[string]struct {
		change func(*config.TLS)
		want   []string
	}{
		"missing file":       {func(c *config.TLS) { c.CertFile = "/none/tls.crt" }, []string{"server.tls", "/none/tls.crt", "no such file"}},
		"key of another":     {func(c *config.TLS) { c.KeyFile = other.KeyFile }, []string{"server.tls", other.KeyFile, "does not match"}},
		"client authorities": {func(c *config.TLS) { c.ClientCAFile = pair.KeyFile }, []string{"server.tls.clientCaFile", "no certificate"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := config.Defaults()
			c.Server.Port, c.Server.DataDir = 0, t.TempDir()
			c.Server.TLS.CertFile, c.Server.TLS.KeyFile = pair.CertFile, pair.KeyFile
			test.change(&c.Server.TLS)
			_, err := node.Start(t.Context(), node.Options{Config: c, Version: "test", Logger: slog.New(slog.DiscardHandler)})
			for _, err := range []error{err, node.Check(c)} {
				for _, want := range test.want {
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("%q is not in %v", want, err)
					}
				}
			}
		})
	}
}
