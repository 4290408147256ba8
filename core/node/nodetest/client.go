package nodetest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// Client calls a node over real sockets. What cannot happen fails the test.
type Client struct {
	T       testing.TB
	Address string // host:port
}

// Answer is what came back, as bytes and decoded.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	// Envelope is the decoded body, nil when it is no JSON object.
	Envelope map[string]any
}

// Get gives the value at a dotted path of the envelope, nil when there is none.
func (a Answer) Get(path string) any {
	var v any = a.Envelope
	for name := range strings.SplitSeq(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

// HTTP sends one request. Headers are "Name: value"; a body is JSON unless a header says otherwise.
func (c Client) HTTP(method, path, body string, headers ...string) Answer {
	c.T.Helper()
	req, err := http.NewRequestWithContext(c.T.Context(), method, "http://"+c.Address+path, strings.NewReader(body))
	if err != nil {
		c.T.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.T.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.T.Fatalf("%s %s: %v", method, path, err)
	}
	return c.answer(resp.StatusCode, resp.Header, b)
}

// Query calls an action over HTTP with POST /_query.
func (c Client) Query(envelope string) Answer {
	c.T.Helper()
	return c.HTTP("POST", "/_query", envelope)
}

// Must is HTTP that fails the test unless the status is 200.
func (c Client) Must(method, path, body string, headers ...string) Answer {
	c.T.Helper()
	a := c.HTTP(method, path, body, headers...)
	if a.Status != http.StatusOK {
		c.T.Fatalf("%s %s: %d %s", method, path, a.Status, a.Body)
	}
	return a
}

// CreateUser makes a user who logs in with local.
func (c Client) CreateUser(id, content, username, password string, headers ...string) {
	c.T.Helper()
	credentials, err := json.Marshal(map[string]string{"username": username, "password": password})
	if err != nil {
		c.T.Fatal(err)
	}
	c.Must("POST", "/users/"+id+"/_create", `{"content":`+content+`,"credentials":{"local":`+string(credentials)+`}}`, headers...)
}

// Login gives a token.
func (c Client) Login(username, password, query string) string {
	c.T.Helper()
	credentials, err := json.Marshal(map[string]string{"username": username, "password": password})
	if err != nil {
		c.T.Fatal(err)
	}
	a := c.Must("POST", "/_login/local"+query, string(credentials))
	token, ok := a.Get("result.jwt").(string)
	if !ok {
		c.T.Fatalf("no token in %s", a.Body)
	}
	return token
}

// WebSocket opens a connection that is closed when the test ends.
func (c Client) WebSocket() *Socket {
	c.T.Helper()
	conn, resp, err := websocket.DefaultDialer.DialContext(c.T.Context(), "ws://"+c.Address, nil)
	if err != nil {
		c.T.Fatalf("open a WebSocket: %v", err)
	}
	_ = resp.Body.Close()
	c.T.Cleanup(func() { _ = conn.Close() })
	return &Socket{Conn: conn, client: c}
}

// Socket is a WebSocket connection.
type Socket struct {
	*websocket.Conn
	client Client
}

// Call sends an envelope and waits for the next message.
func (s *Socket) Call(envelope string) Answer {
	s.client.T.Helper()
	if err := s.WriteMessage(websocket.TextMessage, []byte(envelope)); err != nil {
		s.client.T.Fatal(err)
	}
	return s.Next()
}

// Next waits for a message.
func (s *Socket) Next() Answer {
	s.client.T.Helper()
	_ = s.SetReadDeadline(time.Now().Add(20 * time.Second)) // a closed connection shows in the read
	_, b, err := s.ReadMessage()
	if err != nil {
		s.client.T.Fatalf("wait for a message: %v", err)
	}
	a := s.client.answer(0, nil, b)
	if status, ok := a.Get("status").(float64); ok {
		a.Status = int(status)
	}
	return a
}

func (c Client) answer(status int, header http.Header, body []byte) Answer {
	a := Answer{Status: status, Header: header, Body: string(body)}
	_ = json.Unmarshal(body, &a.Envelope) // a body that is no object stays nil
	return a
}
